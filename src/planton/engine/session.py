"""A session: one stack with its program, and Pulumi's operations on it.

Here Pulumi's errors become ours. What an operation means for the user (guards, recovery) is decided in ``operations``.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import logging
import pathlib
import re
import sys
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from pulumi import automation
from pulumi.automation import errors as automation_errors

from planton import clouds, errors, modules
from planton.config import credentials, folders
from planton.config import settings as engine_settings
from planton.engine import explain, locks, logs, plans, process, stacks, stand_ins, states, workspace
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf import message
    from pulumi.automation import events

    from planton.engine import toolchain

#: The outputs that keep the manifest and where it came from in the stack, beside the fields of StackOutputs.
MANIFEST_OUTPUT = states.MANIFEST
ORIGIN_OUTPUT = states.ORIGIN
_LOG = logging.getLogger(__name__)
#: Pulumi's errors about an unreadable state, in a backend that planton does not read itself.
_DAMAGED = re.compile(r"unexpected end of JSON input|invalid character .* (looking for|after|in)|deserializ|unmarshal")


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation has done.

    Attributes:
        plan: The changes that were made, or would be.
        recorder: The events behind it.
    """

    plan: plans.Plan
    recorder: plans.Recorder


class Session:
    """One stack with its program."""

    def __init__(
        self,
        name: stacks.StackName,
        program_input: message.Message | None,
        settings: engine_settings.Settings,
        tools: toolchain.Toolchain,
        *,
        imports: Mapping[str, str] | None = None,
        origin: str = "",
    ) -> None:
        """Opens nothing yet.

        Attributes:
            message: The message in the history for the next operation.
            marker: The tag for resources that the next operation creates; empty for none.

        Args:
            name: The stack.
            program_input: The stack input whose module is the program; None for operations that run no program.
            settings: The run's settings.
            tools: The command line to use.
            imports: Resource name → id in the cloud of resources to adopt instead of creating them.
            origin: The name of the folder that the manifest came from.
        """
        self.name = name
        self._input = _adopting(program_input, imports or {})
        self._settings = settings
        self._tools = tools
        self._imports = dict(imports or {})
        self._origin = origin
        self.message = ""
        self.marker = ""
        self._failure: Exception | None = None
        self._before: dict[str, Any] | None = None
        self._command = process.PulumiCommand(
            tools,
            timeout=settings.timeout,
            interruption=settings.interruption,
            environ=settings.environ,
            is_private=settings.is_embedded,
        )
        self._stack: workspace.Stack | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _program(self) -> None:
        import pulumi  # the package is heavy, and listing commands run no program

        from planton.modules import own  # needs it

        self._loop = asyncio.get_running_loop()
        try:
            if self._imports:
                pulumi.runtime.register_stack_transformation(self._adopt)
            self._sign()
            with own.state(self._before, marker=self.marker):
                modules.run(self._input, origin=self._origin)  # type: ignore[arg-type]  # only operations with an input run the program
        except Exception as error:
            self._failure = error
            raise pulumi.RunError(str(error)) from error

    def _sign(self) -> None:
        # The outputs of a stack are written when all of it is there. Whose it is must be known before, should it fail half-way.
        import pulumi

        manifest = modules.as_kept(self._input.target)  # type: ignore[union-attr]  # as in `_program`
        said = {states.MANIFEST: manifest, states.ORIGIN: self._origin}
        pulumi.ComponentResource(states.SIGNATURE, "manifest", {name: text for name, text in said.items() if text})

    def _adopt(self, args: Any) -> Any:  # pulumi's own types are not exported for this
        import pulumi

        found = self._imports.get(args.name)
        if found is None or not clouds.is_resource(args.type_):
            return None
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(import_=found))
        return pulumi.ResourceTransformationResult(args.props, options)

    def _open(self, *, create: bool) -> workspace.Stack:
        if self._stack is None:
            work = folders.private(self._settings.data / "workspaces" / self.name.project / self.name.stack)
            # How secrets are encrypted is in the state. What Pulumi notes of it here could be that of another backend of the
            # same stack's name, or older than a change on another machine.
            (work / f"Pulumi.{self.name.stack}.yaml").unlink(missing_ok=True)
            options = automation.LocalWorkspaceOptions(
                work_dir=str(work),
                pulumi_command=self._command,
                env_vars=self._environment(),
                secrets_provider=self._settings.context.secrets_provider or None,
                project_settings=automation.ProjectSettings(
                    name=self.name.project,
                    runtime="python",
                    backend=automation.ProjectBackend(url=self._settings.backend_url),
                ),
            )
            try:
                self._stack = self._made(options) if create else self._selected(options)
            except automation_errors.StackNotFoundError:
                raise not_applied(str(self.name)) from None
            except automation_errors.CommandError as error:
                raise explain.command_error(error, self.name) from None
        return self._stack

    def _selected(self, options: automation.LocalWorkspaceOptions) -> workspace.Stack:
        state = self._state_file()
        known = state is not None and state.exists()
        return workspace.select(self.name.qualified, self._program, options, known=known)

    def _made(self, options: automation.LocalWorkspaceOptions) -> workspace.Stack:
        state = self._state_file()
        if state is None or state.exists():
            with contextlib.suppress(automation_errors.StackNotFoundError):
                return self._selected(options)
        self._release_stale_locks()
        try:
            return workspace.create(self.name.qualified, self._program, options)
        except automation_errors.StackAlreadyExistsError:
            # Another command has made it since we looked.
            return self._selected(options)

    def _environment(self) -> dict[str, str]:
        ours = {
            "PULUMI_BACKEND_URL": self._settings.backend_url,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_CREDENTIAL_STORE": "plaintext",
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_PYTHON_CMD": sys.executable,
            "PYTHONPATH": str(pathlib.Path(modules.__file__).parents[2]),
            **self._settings.passphrase(),
            **stand_ins.variables(self._settings.environ, self._tools, self._config()),
        }
        if self._input is not None:
            kind = kinds.get(self._input.target.kind)  # type: ignore[attr-defined]
            if kind.cloud.token_variable:
                ours[kind.cloud.token_variable] = credentials.secret(self._input.provider_config)  # type: ignore[attr-defined]
        logs.hide(self._secrets(ours))
        return ours

    def _secrets(self, environ: Mapping[str, str]) -> list[str]:
        config = self._config()
        found = [] if config is None else [getattr(config, name) for name in stack_input.secret_fields(config.DESCRIPTOR)]
        found.append(environ.get("PULUMI_CONFIG_PASSPHRASE", ""))
        if "PULUMI_CONFIG_PASSPHRASE_FILE" in environ:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found.append(pathlib.Path(environ["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text("utf-8"))
        return found

    def _config(self) -> Any:  # a provider config of either cloud, or None
        return None if self._input is None else self._input.provider_config  # type: ignore[attr-defined]

    def preview(self, on_event: Callable[[events.EngineEvent], None] | None = None) -> Outcome:
        """Returns what an apply would do; the cloud and the state stay as they are.

        Raises:
            PlantonError: The program, a plugin or the engine failed.
        """
        return self._run("plan", lambda stack, watch: stack.preview(on_event=watch), on_event, create=True)

    def up(self, on_event: Callable[[events.EngineEvent], None] | None = None) -> Outcome:
        """Makes the cloud what the program says.

        Raises:
            PlantonError: The program, a plugin, the cloud or the engine failed; the state holds what was done.
        """
        return self._run("apply", lambda stack, watch: stack.up(on_event=watch, message=self.message), on_event, create=True)

    def refresh(self, on_event: Callable[[events.EngineEvent], None] | None = None, *, preview: bool = False) -> Outcome:
        """Makes the state what the cloud says, or with ``preview`` says how it would change.

        Raises:
            PlantonError: A plugin, the cloud or the engine failed.
        """
        if preview:
            return self._run_on_state("drift", automation.Stack.preview_refresh, on_event)
        return self._run_on_state("refresh", functools.partial(automation.Stack.refresh, message=self.message), on_event)

    def destroy(self, on_event: Callable[[events.EngineEvent], None] | None = None) -> Outcome:
        """Deletes the stack's resources. If none of them is in a cloud, no plugin is started, because it could fail.

        Raises:
            PlantonError: A plugin, the cloud or the engine failed; the state holds the remaining resources.
        """
        state = self.export()
        if not state.get("pending_operations") and not any(_is_in_cloud(each) for each in state.get("resources") or []):
            self.replace_state({**state, "resources": []})
            return Outcome(plans.Plan(), plans.Recorder())
        return self._run_on_state("destroy", functools.partial(automation.Stack.destroy, message=self.message), on_event)

    def _run_on_state(
        self, operation: str, call: Callable[..., Any], on_event: Callable[[events.EngineEvent], None] | None
    ) -> Outcome:
        # The program is run, so that the credentials are today's. What it refuses to make, such as a version that is no longer
        # offered, can be looked at and deleted all the same, with the credentials of the state.
        try:
            return self._run(
                operation, lambda stack, watch: call(stack, on_event=watch, run_program=True), on_event, create=False
            )
        except errors.PlantonError as error:
            if error.code not in (errors.Code.REFUSED, errors.Code.INVALID):
                raise
        return self._run(operation, lambda stack, watch: call(stack, on_event=watch, run_program=False), on_event, create=False)

    def _run(
        self,
        operation: str,
        call: Callable[[automation.Stack, Callable[[events.EngineEvent], None]], Any],
        on_event: Callable[[events.EngineEvent], None] | None,
        *,
        create: bool,
    ) -> Outcome:
        recorder = plans.Recorder()

        def watch(event: events.EngineEvent) -> None:
            recorder(event)
            _log_event(event)
            if on_event is not None:
                on_event(event)

        stack = self._open(create=create)
        if operation not in explain.READING:
            self._release_stale_locks()
        self._before = self._state_before()
        self._failure = None
        try:
            call(stack, watch)
        except automation_errors.CommandError as error:
            self._check_state_file()
            raise self._explained(operation, error, recorder) from None
        finally:
            self._end_program()
        return Outcome(recorder.plan(), recorder)

    def _state_before(self) -> dict[str, Any] | None:
        # In a folder the engine could read the state while it writes it; elsewhere it is asked, which costs less.
        if self._state_file() is not None:
            with contextlib.suppress(errors.PlantonError):  # the engine says what is wrong with it
                return self.export()
        return None

    def _check_state_file(self) -> None:
        # The engine does not say which file it is that it cannot read.
        if self._before is None and self._state_file() is not None:
            try:
                self.export()
            except StateDamagedError:
                raise
            except errors.PlantonError:
                return

    def _end_program(self) -> None:
        # A program whose engine has died waits for ever: Pulumi's SDK fails to log that a registration has failed, and so never
        # tells those who wait for it. Its thread would keep this process from ending.
        loop, self._loop = self._loop, None
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended well, and its loop is closed
                loop.call_soon_threadsafe(_cancel, loop)

    def _explained(
        self, operation: str, error: automation_errors.CommandError, recorder: plans.Recorder
    ) -> explain.OperationError:
        failure = self._failure
        explained = explain.operation(
            operation,
            error,
            recorder,
            target=None if self._input is None else self._input.target,  # type: ignore[attr-defined]
            interrupted=self._command.interrupted,
            timed_out=self._settings.timeout if self._command.timed_out else None,
            killed=self._command.killed,
            program=failure if isinstance(failure, errors.PlantonError) else None,
        )
        self._command.interrupted = self._command.timed_out = False
        return explained

    def export(self) -> dict[str, Any]:
        """Returns the state: Pulumi's deployment, with ``resources`` and ``pending_operations``; secrets are encrypted.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``.
        """
        local = self._state_file()
        if local is not None:
            try:
                return states.deployment(local.read_text("utf-8"))
            except FileNotFoundError:
                if not local.with_suffix(".json.gz").exists():
                    raise not_applied(str(self.name)) from None
            except OSError as error:
                raise damaged(self.name, local, str(error.strerror)) from None
            except ValueError:
                raise damaged(self.name, local) from None
        try:
            return dict(json.loads(self.ask("stack", "export"))["deployment"] or {})
        except errors.PlantonError as error:
            if not _DAMAGED.search(error.message):
                raise
            raise StateDamagedError(
                error.message,
                code=error.code,
                reason=error.reason,
                hint=f"restore a copy of the state: planton state import --stack {self.name} -f FILE; "
                f"copies are in {self._backups}",
                metadata={"stack": str(self.name)},
            ) from None

    @property
    def _backups(self) -> pathlib.Path:
        return self._settings.data / "backups"

    def ask(self, *arguments: str, text: str | None = None, create: bool = False) -> str:
        """Runs a command of Pulumi on the stack and returns what it prints.

        Args:
            arguments: The command.
            text: What it reads; it is on no disk on its way.
            create: Whether to make the stack where there is none.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; ``STACK_LOCKED``; ``CREDENTIAL_MISSING``; the backend failed.
        """
        opened = self._open(create=create).workspace
        command = [*arguments, "--stack", self.name.qualified]
        try:
            return str(self._command.run(command, opened.work_dir, opened.env_vars, text=text).stdout)
        except automation_errors.CommandError as error:
            raise explain.command_error(error, self.name) from None

    def is_there(self) -> bool:
        """Returns whether the stack is in the backend, be it empty; it is then open.

        Raises:
            PlantonError: The backend failed.
        """
        state = self._state_file()
        if state is not None and not any(path.exists() for path in (state, state.with_suffix(".json.gz"))):
            return False
        try:
            self._open(create=False)
        except errors.PlantonError as error:
            if error.reason is errors.Reason.STACK_NOT_FOUND:
                return False
            raise
        return True

    def exists(self) -> bool:
        """Returns whether the stack is in the backend and has resources; an apply without consent leaves an empty one behind."""
        try:
            return bool(self.export().get("resources"))
        except errors.PlantonError as error:
            if error.reason is errors.Reason.STACK_NOT_FOUND:
                return False
            raise

    def _state_file(self) -> pathlib.Path | None:
        # Reading the file saves half a second for each look at a state in a folder; other backends are asked.
        folder = self._settings.backend_folder
        return None if folder is None or self.name.organization else folder / self.name.project / f"{self.name.stack}.json"

    def replace_state(self, deployment: dict[str, Any], *, create: bool = False) -> None:
        """Puts a state in place of the present one; with ``create`` there need be none.

        Raises:
            PlantonError: ``STACK_LOCKED``; the backend failed.
        """
        self._release_stale_locks()
        # The Automation API would write the state, with secrets that it has decrypted, into a file of its own.
        self.ask("stack", "import", text=json.dumps({"version": 3, "deployment": deployment}), create=create)

    def _lock_folder(self) -> pathlib.Path | None:
        state = self._state_file()
        return None if state is None else state.parents[2] / "locks" / "organization" / self.name.project / self.name.stack

    def held_locks(self) -> list[locks.Lock]:
        """Returns the locks of the stack in a backend that is a folder; none for other backends."""
        folder = self._lock_folder()
        return [] if folder is None else locks.read(folder)

    def lock_holders(self) -> list[tuple[str, int]]:
        """Returns host and process id of the stack's possible holders, as far as `held_locks` can name them."""
        return [(lock.host, lock.process) for lock in self.held_locks() if not lock.is_damaged and not lock.is_stale]

    def _release_stale_locks(self) -> None:
        # The engine would refuse the stack, because it does not check whether the holder of a lock still runs.
        folder = self._lock_folder()
        if folder is not None:
            locks.release_stale(folder, str(self.name), self._settings.progress)

    def unlock(self, *, force: bool = False) -> None:
        """Removes the lock that a killed engine has left in the backend.

        Args:
            force: Remove it even if the holder may still run. Otherwise, if the holder is known, it must have ended.

        Raises:
            PlantonError: ``STACK_LOCKED``: a lock is damaged; the backend failed, or has no lock.
        """
        folder = self._lock_folder()
        if folder is not None:
            locks.remove_unfinished(folder)
            # Pulumi removes only the lock of a stack with a state. A killed first operation leaves only the lock.
            if not force:
                self._release_stale_locks()
                return
            for lock in self.held_locks():
                lock.path.unlink(missing_ok=True)
            return
        stack = self._open(create=False)
        try:
            stack.cancel()
        except automation_errors.CommandError as error:
            raise explain.command_error(error, self.name) from None

    def remove(self, *, forget: bool = False) -> None:
        """Removes the stack, which must be empty, with its history.

        Args:
            forget: Remove it although it has resources; the cloud keeps them.

        Raises:
            PlantonError: The backend failed.
        """
        opened = self._open(create=False).workspace
        self._release_stale_locks()
        try:
            opened.remove_stack(self.name.qualified, force=forget)
        except automation_errors.CommandError as error:
            raise explain.command_error(error, self.name) from None

    def stack_names(self) -> list[str]:
        """Returns the names of all stacks of the backend, as it writes them.

        Raises:
            PlantonError: The backend cannot be reached.
        """
        try:
            opened = automation.LocalWorkspace(
                work_dir=str(folders.private(self._settings.data / "workspaces")),
                pulumi_command=self._command,
                env_vars=self._environment(),
            )
            return [summary.name for summary in opened.list_stacks(include_all=True)]
        except automation_errors.CommandError as error:
            raise explain.command_error(error, self.name) from None

    def outputs(self) -> dict[str, Any]:
        """Returns the raw outputs of the last successful apply.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``.
        """
        try:
            found = self._open(create=False).decrypted_outputs()
        except automation_errors.CommandError as error:
            raise explain.command_error(error, self.name) from None
        logs.hide(str(output.value) for output in found.values() if output.secret)
        return {key: output.value for key, output in found.items()}


def _adopting(program_input: message.Message | None, imports: Mapping[str, str]) -> message.Message | None:
    # What a stack has, its program finds by itself; which cluster it is about to have, only this says.
    if program_input is None or "cluster" not in imports:
        return program_input
    given: Any = type(program_input)()
    given.CopyFrom(program_input)
    given.target.status.outputs.cluster_id = imports["cluster"]
    return given  # type: ignore[no-any-return]  # of the same class


def _is_in_cloud(resource: Mapping[str, Any]) -> bool:
    return bool(resource.get("id")) and clouds.is_resource(str(resource.get("type")))


def _cancel(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


def _log_event(event: events.EngineEvent) -> None:
    for what, part in (
        ("begin", event.resource_pre_event),
        ("end", event.res_outputs_event),
        ("failed", event.res_op_failed_event),
    ):
        if part is not None:
            operation = getattr(part.metadata.op, "value", part.metadata.op)
            _LOG.debug("event: %s %s %s", what, operation, part.metadata.urn)
    if event.diagnostic_event is not None and event.diagnostic_event.severity in ("warning", "error"):
        _LOG.debug("event: %s: %s", event.diagnostic_event.severity, plans.plain(event.diagnostic_event.message))


class StateDamagedError(errors.PlantonError):
    """The state of one stack cannot be read. Those of other stacks can."""


def damaged(name: stacks.StackName, state: pathlib.Path, why: str = "") -> StateDamagedError:
    """Returns the error for a state file that does not have Pulumi's form.

    Args:
        name: The stack.
        state: The file.
        why: Why it cannot be read; empty if its content is damaged.
    """
    backup = state.with_name(f"{state.name}.bak")
    copy = f"put the copy of the state before the last step in its place (cp {backup} {state}), and run planton refresh, which "
    hint = f"make room, {copy}looks at the cloud"
    if not states.is_whole(backup):
        hint = f"restore {state} from a backup of the data folder, or move it away and adopt the resources with planton import"
    return StateDamagedError(
        f"the state file {state} " + (f"cannot be read: {why}" if why else "is damaged; a full disk can do that"),
        code=errors.Code.FAILED,
        reason=errors.Reason.ENGINE_FAILED,
        hint="check the permissions of the file" if why else hint,
        metadata={"stack": str(name), "file": str(state)},
    )


def not_applied(what: str) -> errors.PlantonError:
    """Returns the error for a stack that does not exist."""
    return errors.PlantonError(
        f"{what} has not been applied",
        code=errors.Code.INVALID,
        reason=errors.Reason.STACK_NOT_FOUND,
        hint="apply its manifest first: planton apply -f FILE; planton get lists what has been applied",
    )


def parse_outputs(kind: kinds.Kind, raw: Mapping[str, Any]) -> message.Message:
    """Returns the raw outputs of a stack as the kind's StackOutputs. A value that is encrypted becomes ``[redacted]``.

    Raises:
        PlantonError: ``OUTPUT_INVALID``: the module exported a name or a value that the message does not know.
    """
    outputs: message.Message = kind.stack_outputs()
    # After a refresh that found a resource gone, the outputs that came from it are unknown.
    fields = {
        name: value
        for name, value in raw.items()
        if name not in (MANIFEST_OUTPUT, ORIGIN_OUTPUT) and value is not None and plans.ENGINE_UNKNOWN not in str(value)
    }
    try:
        json_format.ParseDict({name: _shown(value) for name, value in fields.items()}, outputs)
    except json_format.ParseError as error:
        raise errors.PlantonError(
            f"the module of {kind.name} exported what {outputs.DESCRIPTOR.name} does not know: {error}",
            code=errors.Code.FAILED,
            reason=errors.Reason.OUTPUT_INVALID,
        ) from None
    return outputs


def _shown(value: Any) -> Any:  # JSON data
    if states.is_secret(value):
        return stack_input.REDACTED
    return int(value) if isinstance(value, float) and value.is_integer() else value
