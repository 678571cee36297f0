"""Opens Pulumi stacks: the folder to work in, the variables that Pulumi gets, the choice between an old and a new stack."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import json
import pathlib
import sys
from typing import TYPE_CHECKING, Any

from pulumi import automation
from pulumi.automation import errors as automation_errors

from planton import modules
from planton.config import credentials, folders, logs
from planton.engine import creating, locks, process, stacks, stand_ins, state_errors, states, workspace
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

    from planton.config import settings as engine_settings
    from planton.engine import toolchain


def command(settings: engine_settings.Settings, tools: toolchain.Toolchain) -> process.PulumiCommand:
    """Returns the ``pulumi`` of a toolchain with the timeout, the interruption and the environment of a run."""
    return process.PulumiCommand(
        tools,
        timeout=settings.timeout,
        interruption=settings.interruption,
        environ=settings.environ,
        is_private=settings.is_embedded,
    )


def environment(settings: engine_settings.Settings, tools: toolchain.Toolchain, program_input: Any = None) -> dict[str, str]:
    """Returns the variables that Pulumi gets. Their secrets are hidden from logs.

    Args:
        settings: The settings of the run.
        tools: The toolchain.
        program_input: The stack input of any kind whose module is the program; None if no program runs.

    Raises:
        PlantonError: ``CLOUD_UNREACHABLE``: the sandbox has stopped; ``TOOLCHAIN_MISSING``; ``CREDENTIAL_MISSING``.
    """
    config: Any = None if program_input is None else program_input.provider_config
    variables = {
        "PULUMI_BACKEND_URL": settings.backend_url,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_CREDENTIAL_STORE": "plaintext",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PYTHONPATH": str(pathlib.Path(modules.__file__).parents[2]),
        **settings.passphrase(),
        **stand_ins.variables(settings.environ, tools, config),
    }
    if program_input is not None:
        variable = kinds.get(program_input.target.kind).cloud.token_variable
        if variable:
            variables[variable] = credentials.secret(config)
    logs.hide(_secrets(config, variables))
    return variables


def _secrets(config: message.Message | None, variables: Mapping[str, str]) -> list[str]:
    secrets = [] if config is None else [getattr(config, name) for name in stack_input.secret_fields(config.DESCRIPTOR)]
    secrets.append(variables.get("PULUMI_CONFIG_PASSPHRASE", ""))
    if "PULUMI_CONFIG_PASSPHRASE_FILE" in variables:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            secrets.append(pathlib.Path(variables["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text("utf-8"))
    return secrets


def state_file(name: stacks.StackName, settings: engine_settings.Settings) -> pathlib.Path | None:
    """Returns the file of a stack's state in a backend that is a folder; None for other backends."""
    folder = settings.backend_folder
    is_owned = name.organization not in ("", stacks.NO_OWNER)
    return None if folder is None or is_owned else folder / name.project / f"{name.stack}.json"


def lock_folder(name: stacks.StackName, settings: engine_settings.Settings) -> pathlib.Path | None:
    """Returns the folder of a stack's locks in a backend that is a folder; None for other backends."""
    state = state_file(name, settings)
    return None if state is None else state.parents[2] / "locks" / stacks.NO_OWNER / name.project / name.stack


def release_stale_locks(name: stacks.StackName, settings: engine_settings.Settings) -> None:
    """Removes the locks of dead processes. Pulumi would refuse the stack: it does not check whether a holder still runs."""
    folder = lock_folder(name, settings)
    if folder is not None:
        locks.release_stale(folder, str(name), settings.progress)


class Missing(enum.Enum):
    """What happens to a stack that may be missing."""

    CREATE = "create"
    #: It is created without encryption, which the operation that follows chooses.
    BEGIN = "begin"
    REFUSE = "refuse"
    #: The caller has seen that the stack exists.
    NEVER = "never"


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """The command line, and the variables that it gets (`environment`)."""

    command: process.PulumiCommand
    variables: Mapping[str, str]


def open_stack(
    name: stacks.StackName,
    settings: engine_settings.Settings,
    engine: Engine,
    program: workspace.Program,
    *,
    missing: Missing,
) -> workspace.Stack:
    """Opens a stack.

    Args:
        name: The stack.
        settings: The settings of the run.
        engine: The command line and its variables.
        program: The program that operations run.
        missing: What happens if there is no such stack.

    Raises:
        PlantonError: ``STACK_NOT_FOUND``; the backend failed.
    """
    options = _options(name, settings, engine, is_checked=missing is Missing.NEVER)
    state = state_file(name, settings)
    is_known = missing is Missing.NEVER or (state is not None and state.exists())

    def select() -> workspace.Stack:
        return workspace.select(name.qualified, program, options, is_known=is_known)

    def select_or_create() -> workspace.Stack:
        if state is None or state.exists():
            with contextlib.suppress(automation_errors.StackNotFoundError):
                return select()
        release_stale_locks(name, settings)
        if missing is Missing.BEGIN and _begin(name, settings):
            return workspace.select(name.qualified, program, options, is_known=True)
        try:
            return workspace.create(name.qualified, program, options)
        except automation_errors.StackAlreadyExistsError:
            # Another command has created it in the meantime.
            return select()

    try:
        return select_or_create() if missing in (Missing.CREATE, Missing.BEGIN) else select()
    except automation_errors.StackNotFoundError:
        raise state_errors.not_applied(str(name)) from None
    except automation_errors.CommandError as error:
        raise state_errors.command_error(error, name, is_interrupted=engine.command.interrupted) from None


def _options(
    name: stacks.StackName, settings: engine_settings.Settings, engine: Engine, *, is_checked: bool
) -> automation.LocalWorkspaceOptions:
    note = _note(name, settings)
    if not is_checked:
        # The state says how secrets are encrypted. Pulumi's note in this file could belong to another backend with a stack of
        # this name, or be older than a change on another machine.
        note.unlink(missing_ok=True)
        _choose_encryption(name, settings)
    backend = automation.ProjectBackend(url=settings.backend_url)
    return automation.LocalWorkspaceOptions(
        work_dir=str(note.parent),
        pulumi_command=engine.command,
        env_vars=dict(engine.variables),
        secrets_provider=settings.context.secrets_provider or None,
        project_settings=automation.ProjectSettings(name=name.project, runtime="python", backend=backend),
    )


def _begin(name: stacks.StackName, settings: engine_settings.Settings) -> bool:
    """Creates a stack where that needs no engine; returns whether it exists now."""
    state = state_file(name, settings)
    if state is None or not creating.create(name, state, is_private=settings.is_embedded):
        return False
    _choose_encryption(name, settings)
    return True


def _note(name: stacks.StackName, settings: engine_settings.Settings) -> pathlib.Path:
    """Returns the path of Pulumi's note about a stack, in the private folder that its operations work in."""
    return folders.private(settings.data / "workspaces" / name.project / name.stack) / f"Pulumi.{name.stack}.yaml"


def _choose_encryption(name: stacks.StackName, settings: engine_settings.Settings) -> None:
    """Lets the next operation of a stack without encryption use the key service; without one it uses the passphrase."""
    state = state_file(name, settings)
    if settings.context.secrets_provider and state is not None and states.is_unencrypted(state):
        _note(name, settings).write_text(json.dumps({"secretsprovider": settings.context.secrets_provider}), "utf-8")
