"""A stack as its backend stores it: its state, its outputs, its locks. No program runs."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from pulumi import automation
from pulumi.automation import errors as automation_errors

from planton import errors
from planton.config import folders, logs
from planton.engine import locks, opening, stacks, state_errors, states

if TYPE_CHECKING:
    import pathlib

    from planton.config import settings as engine_settings
    from planton.engine import toolchain, workspace

#: The file by which Pulumi knows how a backend in a folder is laid out.
_LAYOUT = "meta.yaml"
#: Pulumi's errors about an unreadable state, in a backend that planton does not read itself.
_DAMAGED = re.compile(r"unexpected end of JSON input|invalid character .* (looking for|after|in)|deserializ|unmarshal")


class StoredStack:
    """A stack in its backend. It keeps the opened connection, and nothing of the state."""

    def __init__(self, name: stacks.StackName, settings: engine_settings.Settings, tools: toolchain.Toolchain) -> None:
        """Opens nothing yet.

        Args:
            name: The stack.
            settings: The settings of the run.
            tools: The toolchain.

        Attributes:
            name: The stack.
            settings: The settings of the run.
            tools: The toolchain.
        """
        self.name = name
        self.settings = settings
        self.tools = tools
        self._command = opening.command(settings, tools)
        self._stack: workspace.Stack | None = None

    def in_folder(self, folder: pathlib.Path) -> StoredStack:
        """Returns the stack of this name in a backend that is another folder."""
        settings = dataclasses.replace(self.settings, backend=folder.as_uri())
        return StoredStack(dataclasses.replace(self.name, organization=""), settings, self.tools)  # folders have no owners

    def copied_into(self, folder: pathlib.Path) -> StoredStack:
        """Returns a copy of the stack in a backend that is another folder, which is empty. Pending operations are not copied.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; the backend failed.
            StateDamagedError: The state cannot be read.
        """
        copy = self.in_folder(folder)
        source, target = self.state_file, copy.state_file
        state = self.export()
        layout = None if source is None else source.parents[2] / _LAYOUT
        if source is None or target is None or layout is None or not layout.exists() or state.get("pending_operations"):
            copy.replace_state(state, create=True)
            return copy
        # Pulumi would start twice, to create a stack and to fill it.
        target.parent.mkdir(parents=True)
        shutil.copyfile(layout, target.parents[2] / _LAYOUT)
        shutil.copyfile(source, target)
        return copy

    def open(self, *, create: bool = False) -> workspace.Stack:
        """Returns the opened stack.

        Args:
            create: Whether to create a missing stack.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; the backend failed.
        """
        if self._stack is None:
            engine = opening.Engine(self._command, opening.environment(self.settings, self.tools))
            missing = opening.Missing.CREATE if create else opening.Missing.REFUSE
            self._stack = opening.open_stack(self.name, self.settings, engine, _no_program, missing=missing)
        return self._stack

    @property
    def state_file(self) -> pathlib.Path | None:
        """The file of the state in a backend that is a folder; None for other backends."""
        return opening.state_file(self.name, self.settings)

    def ask(self, *arguments: str, text: str | None = None, create: bool = False) -> str:
        """Runs a Pulumi command on the stack and returns its output.

        Args:
            arguments: The command.
            text: The input of the command. It is never written to a disk.
            create: Whether to create a missing stack.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; ``STACK_LOCKED``; ``CREDENTIAL_MISSING``; the backend failed.
        """
        try:
            return self._ask(arguments, text, create=create)
        except errors.PlantonError as error:
            if not self.releases(error):
                raise
        return self._ask(arguments, text, create=create)

    def _ask(self, arguments: tuple[str, ...], text: str | None, *, create: bool) -> str:
        opened = self.open(create=create).workspace
        command = [*arguments, "--stack", self.name.qualified]
        try:
            return str(self._command.run(command, opened.work_dir, opened.env_vars, text=text).stdout)
        except automation_errors.CommandError as error:
            raise state_errors.command_error(error, self.name) from None

    def export(self) -> dict[str, Any]:
        """Returns the state: Pulumi's deployment, with ``resources`` and ``pending_operations``; secrets are encrypted.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``.
            StateDamagedError: The state cannot be read.
        """
        # Reading the file of a backend in a folder saves half a second for each state.
        file = self.state_file
        if file is not None:
            try:
                return states.deployment(file.read_text("utf-8"))
            except FileNotFoundError:
                if not file.with_suffix(".json.gz").exists():
                    raise state_errors.not_applied(str(self.name)) from None
            except OSError as error:
                raise state_errors.damaged(self.name, file, str(error.strerror)) from None
            except ValueError:
                raise state_errors.damaged(self.name, file) from None
        try:
            return dict(json.loads(self.ask("stack", "export"))["deployment"] or {})
        except errors.PlantonError as error:
            if not _DAMAGED.search(error.message):
                raise
            raise state_errors.StateDamagedError(
                error.message,
                reason=error.reason,
                hint=f"restore a copy of the state: planton state import --stack {self.name} -f FILE; "
                f"copies are in {self.settings.data / 'backups'}",
                metadata={"stack": str(self.name)},
            ) from None

    def is_stored(self) -> bool:
        """Returns whether the backend has the stack, even if it is empty.

        Raises:
            PlantonError: The backend failed.
        """
        file = self.state_file
        if file is not None and not any(path.exists() for path in (file, file.with_suffix(".json.gz"))):
            return False
        try:
            self.open()
        except errors.PlantonError as error:
            if error.reason is errors.Reason.STACK_NOT_FOUND:
                return False
            raise
        return True

    def exists(self) -> bool:
        """Returns whether the stack has resources. An apply without consent leaves an empty stack behind."""
        try:
            return bool(self.export().get("resources"))
        except errors.PlantonError as error:
            if error.reason is errors.Reason.STACK_NOT_FOUND:
                return False
            raise

    def replace_state(self, deployment: dict[str, Any], *, create: bool = False) -> None:
        """Replaces the state.

        Args:
            deployment: The new state.
            create: Whether to create a missing stack.

        Raises:
            PlantonError: ``STACK_LOCKED``; the backend failed.
        """
        opening.release_stale_locks(self.name, self.settings)
        # The Automation API would write the state, with decrypted secrets, into a temporary file.
        self.ask("stack", "import", text=json.dumps({"version": 3, "deployment": deployment}), create=create)

    def held_locks(self) -> list[locks.Lock]:
        """Returns the locks of the stack in a backend that is a folder; none for other backends."""
        folder = opening.lock_folder(self.name, self.settings)
        return [] if folder is None else locks.read(folder)

    def lock_holders(self) -> list[tuple[str, int]]:
        """Returns host and process id of the stack's possible holders, as far as `held_locks` can name them."""
        return [(lock.host, lock.process) for lock in self.held_locks() if not lock.is_damaged and not lock.is_stale]

    def releases(self, error: errors.PlantonError) -> bool:
        """Removes the lock that an operation was refused for, if it can only be that of an engine that has ended.

        Args:
            error: The error of the operation.

        Returns:
            Whether it was removed, so that the operation can be tried again.

        Raises:
            PlantonError: The backend failed.
        """
        if error.reason is not errors.Reason.STACK_LOCKED or not self.settings.is_exclusive:
            return False
        self.settings.progress(f"the lock of {self.name} is that of an engine that has ended; it is removed")
        self.unlock(force=True)
        return True

    def unlock(self, *, force: bool = False) -> None:
        """Removes the lock that a killed engine has left in the backend.

        Args:
            force: Remove it even if the holder may still run. Otherwise, if the holder is known, it must have ended.

        Raises:
            PlantonError: ``STACK_LOCKED``: a lock is damaged; the backend failed, or has no lock.
        """
        folder = opening.lock_folder(self.name, self.settings)
        if folder is not None:
            locks.remove_unfinished(folder)
            # Pulumi removes only the lock of a stack with a state. A killed first operation leaves only the lock.
            if not force:
                opening.release_stale_locks(self.name, self.settings)
                return
            for lock in self.held_locks():
                lock.path.unlink(missing_ok=True)
            return
        try:
            self.open().cancel()
        except automation_errors.CommandError as error:
            raise state_errors.command_error(error, self.name) from None

    def remove(self, *, with_resources: bool = False) -> None:
        """Removes the stack with its history.

        Args:
            with_resources: Remove it although it has resources; the cloud keeps them.

        Raises:
            PlantonError: The stack is not empty; the backend failed.
        """
        opened = self.open().workspace
        opening.release_stale_locks(self.name, self.settings)
        try:
            opened.remove_stack(self.name.qualified, force=with_resources)
        except automation_errors.CommandError as error:
            raise state_errors.command_error(error, self.name) from None

    def outputs(self) -> dict[str, Any]:
        """Returns the raw outputs of the last successful apply, secrets decrypted.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; the state cannot be decrypted.
        """
        # The Automation API would ask twice, with and without secrets. The state says which values are secret.
        values: dict[str, Any] = json.loads(self.ask("stack", "output", "--json", "--show-secrets"))
        stored = states.outputs(self.export())
        logs.hide(str(value) for name, value in values.items() if states.is_secret(stored.get(name)))
        return values


def stack_names(settings: engine_settings.Settings, tools: toolchain.Toolchain) -> list[str]:
    """Returns the names of all stacks of a backend, as it writes them.

    Raises:
        PlantonError: The backend cannot be reached.
    """
    try:
        opened = automation.LocalWorkspace(
            work_dir=str(folders.private(settings.data / "workspaces")),
            pulumi_command=opening.command(settings, tools),
            env_vars=opening.environment(settings, tools),
        )
        return [summary.name for summary in opened.list_stacks(include_all=True)]
    except automation_errors.CommandError as error:
        raise state_errors.command_error(error, stacks.StackName(stacks.PROJECT, "inventory")) from None


def _no_program() -> None:
    """Registers nothing: commands on a stored stack run no program."""
