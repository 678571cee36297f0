"""The command line: one module per command. No other package imports a command-line framework.

The module of a command is imported when the command runs, so that no command pays for another. Every failure becomes one message
on standard error and an exit code. ``PLANTON_DEBUG=1`` shows tracebacks.
"""

from __future__ import annotations

import gc
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.base import terminal
from planton.cli import signals, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Command → its import path, and its line in the help.
COMMANDS: Final = {
    "adopt": ("planton.cli.adopt:adopt", "Move a resource under the NodePool API, or back to its manifest."),
    "apply": ("planton.cli.apply:apply", "Make the cloud match manifests."),
    "clusters": ("planton.cli.nodepools:clusters", "Manage clusters of the NodePool API."),
    "completion": ("planton.cli.completion:completion", "Print the completion script of a shell."),
    "context": ("planton.cli.context:context", "Manage contexts: named sets of backend, accounts and settings."),
    "controller": ("planton.cli.controller:controller", "Run the controllers of the NodePool API."),
    "convert": ("planton.cli.convert:convert", "Convert manifests and stack inputs between YAML, JSON and binary."),
    "credential": ("planton.cli.credential:credential", "Print a credential for a cluster, for kubectl."),
    "credentials": ("planton.cli.credentials:credentials", "Store credentials of accounts in the NodePool API."),
    "describe": ("planton.cli.describe:describe", "Show everything about an applied resource."),
    "destroy": ("planton.cli.destroy:destroy", "Delete the resources of manifests."),
    "doctor": ("planton.cli.doctor:doctor", "Check the installation, and show how to complete it."),
    "drain": ("planton.cli.drain:drain", "Cordon a node, and evict its pods."),
    "drift": ("planton.cli.drift:drift", "Show where the cloud differs from what was applied."),
    "explain": ("planton.cli.explain:explain", "Describe a kind or a field."),
    "fmt": ("planton.cli.fmt:fmt", "Rewrite manifests in their canonical form."),
    "get": ("planton.cli.get:get", "Show applied resources and their condition."),
    "graph": ("planton.cli.graph:graph", "Show how manifests depend on each other."),
    "history": ("planton.cli.history:history", "Show the operations on one resource or all."),
    "import": ("planton.cli.import_:import_", "Import an existing resource."),
    "init": ("planton.cli.init:init", "Write starter manifests."),
    "kubeconfig": ("planton.cli.kubeconfig:kubeconfig", "Print or merge the kubeconfig of a cluster."),
    "nodepools": ("planton.cli.nodepools:nodepools", "Manage node pools of the NodePool API."),
    "nodes": ("planton.cli.nodes:nodes", "List the nodes of a cluster."),
    "orphans": ("planton.cli.orphans:orphans", "List what planton created and nothing manages."),
    "outputs": ("planton.cli.outputs:outputs", "Show the outputs of a resource."),
    "plan": ("planton.cli.plan:plan", "Show what apply would do."),
    "recycle": ("planton.cli.drain:recycle", "Drain a node, and replace its machine."),
    "refresh": ("planton.cli.refresh:refresh", "Read the cloud into the state."),
    "regions": ("planton.cli.offers:regions", "List the regions of a cloud."),
    "sandbox": ("planton.cli.sandbox:sandbox", "Run a simulated cloud on this machine."),
    "schema": ("planton.cli.schema:schema", "Print the JSON Schema of manifests, for editors."),
    "server": ("planton.cli.server:server", "Run the NodePool API, and manage its database."),
    "setup": ("planton.cli.setup:setup", "Install Pulumi and its plugins."),
    "sizes": ("planton.cli.offers:sizes", "List the machine sizes of a cloud."),
    "stack-input": ("planton.cli.stack_input:stack_input", "Print the stack input of a manifest."),
    "state": ("planton.cli.state:state", "Show, export, move and repair states."),
    "status": ("planton.cli.status:status", "Show problems, the most urgent first."),
    "upgrade": ("planton.cli.upgrade:upgrade", "Upgrade clusters in waves."),
    "validate": ("planton.cli.validate:validate", "Check manifests against the schema and its rules."),
    "version": ("planton.cli.version:version", "Show the versions of planton and its dependencies."),
    "versions": ("planton.cli.offers:versions", "List the Kubernetes versions of a cloud."),
    "work": ("planton.cli.work:work", "Show and retry the work of the NodePool API's controllers."),
}
#: Heading of the help → its commands, the most used ones first.
GROUPS: Final = {
    "Most used": ("init", "plan", "apply", "get", "destroy"),
    "Start": ("sandbox", "setup", "doctor", "context", "completion", "version"),
    "Write": (
        "validate",
        "fmt",
        "explain",
        "graph",
        "regions",
        "sizes",
        "versions",
        "convert",
        "stack-input",
        "schema",
    ),
    "Deploy": ("import", "refresh", "upgrade", "drain", "recycle"),
    "Inspect": ("status", "describe", "nodes", "drift", "orphans", "history", "outputs", "kubeconfig", "credential"),
    "State": ("state",),
    "Server": ("server", "controller", "nodepools", "clusters", "credentials", "work", "adopt"),
}
#: Package → the extra that installs it, unless the command decides. The clouds declare the packages of their extras.
_EXTRAS: Final = {
    "aiohttp": "sandbox",
    "alembic": "server",
    "asyncpg": "server",
    "cel_expr_python": "policy",
    "google.api": "client",
    "google.rpc": "client",
    "grpc": "sandbox",
    "grpc_health": "server",
    "grpc_reflection": "server",
    "httpx": "client",
    "jwt": "server",
    "opentelemetry": "server",
    "prometheus_client": "server",
    "psycopg": "server",
    "re2": "sandbox",
    "sqlalchemy": "server",
    "starlette": "server",
    "trustme": "sandbox",
    "uvicorn": "server",
}
#: Command → the extra that installs its packages. Several extras can install one package.
_EXTRAS_OF_COMMANDS: Final = {
    "adopt": "client",
    "clusters": "client",
    "controller": "client",
    "credentials": "client",
    "nodepools": "client",
    "sandbox": "sandbox",
    "server": "server",
    "work": "client",
}
_UNEXPECTED: Final = 70
#: The exit code that a shell reports for a program that a broken pipe ended.
_BROKEN_PIPE: Final = 141
#: The commands that finish even if their output is closed.
_FINISHING: Final = (
    "adopt",
    "apply",
    "drain",
    "recycle",
    "controller",
    "destroy",
    "import",
    "refresh",
    "server",
    "state",
    "upgrade",
)
_DEBUG: Final = "PLANTON_DEBUG"
_COMPLETE: Final = "_PLANTON_COMPLETE"


def main(arguments: Sequence[str] | None = None, *, run: Callable[[list[str]], int] | None = None) -> int:
    """Runs the command line and returns the exit code.

    Args:
        arguments: The arguments without the program's name; None for the arguments of the process.
        run: Runs the command of the arguments; None for planton's commands.
    """
    if arguments is None:
        return _process(sys.argv[1:], run or _run)
    return _start(list(arguments), run or _run)


def _process(arguments: list[str], run: Callable[[list[str]], int]) -> int:
    signals.install(next(iter(arguments), ""))
    unread = streams.guard(None if next(iter(arguments), "") in _FINISHING else _BROKEN_PIPE)
    try:
        code = _start(arguments, run)
        sys.stdout.flush()
    except SystemExit as end:
        if end.code or not unread():
            raise
        code = 0
    if arguments[:1] == ["validate"]:
        # Checking leaves nothing open, and tearing down the interpreter takes 30 of 200 ms of CPU (benchmarks/start_tricks.py).
        sys.stderr.flush()
        os._exit(code)
    return code or (_BROKEN_PIPE if unread() else 0)


def _start(arguments: list[str], run: Callable[[list[str]], int]) -> int:
    warnings.showwarning = _show_warning
    # The start creates many objects and drops none: without collections commands take 4 to 7 % less CPU
    # (benchmarks/start_tricks.py).
    gc.disable()
    try:
        return report_failures(run, arguments)
    finally:
        gc.enable()


def _run(arguments: list[str]) -> int:
    paths = _plain_paths(arguments)
    if paths is not None:
        from planton.cli import check  # noqa: PLC0415  # cold start: only `validate` needs it

        return check.run(paths)
    return _dispatch(arguments)


def report_failures(command: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Runs a command and returns its exit code. A failure becomes one message on standard error.

    Args:
        command: Runs the command line and returns its exit code.
        arguments: The arguments without the program's name.
    """
    try:
        return command(arguments)
    except SystemExit as end:
        # The command has reported its failure. A broken pipe is no failure.
        if end.code != _BROKEN_PIPE:
            _point_at_log(end.code)
        raise
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return _point_at_log(errors.Code.INTERRUPTED)
    except errors.PlantonError as error:
        return _failed(error, arguments)
    except ModuleNotFoundError as error:
        missing = _missing_extra(error, next(iter(arguments), ""))
        return _failed(missing, arguments) if missing else _unexpected(error)
    except Exception as error:  # noqa: BLE001  # the last handler: users see no traceback
        return _unexpected(error)


def _show_warning(message: Warning | str, category: type[Warning], *_place: object, **_more: object) -> None:
    from planton.cli import output  # noqa: PLC0415  # cold start: it imports click, and most runs have nothing to report
    from planton.manifest import files  # noqa: PLC0415  # cold start of `--help`: whoever raises the warning has it

    # Other warnings are for developers of planton.
    if issubclass(category, files.SkippedFileWarning):
        output.warn(str(message))


def _plain_paths(arguments: list[str]) -> list[str] | None:
    # Hooks and editors often call `validate` with paths alone. Importing an option parser costs as much as checking hundreds of
    # manifests.
    if arguments[:1] != ["validate"] or _COMPLETE in os.environ:
        return None
    paths = [word for word in arguments[1:] if word not in ("-f", "--file")]
    ends_open = arguments[-1] in ("-f", "--file")
    plain = all(word == "-" or not word.startswith("-") for word in paths)
    return paths if paths and plain and not ends_open else None


def _dispatch(arguments: list[str]) -> int:
    import click  # noqa: PLC0415  # cold start: `validate` with paths alone runs without it

    from planton.cli import group  # noqa: PLC0415  # cold start: it imports click

    try:
        result: Any = group.cli.main(args=arguments, prog_name="planton", standalone_mode=False)
    except click.ClickException as error:
        error.show(streams.Errors())
        return error.exit_code
    except click.Abort:
        sys.stderr.write("Interrupted.\n")
        return errors.Code.INTERRUPTED
    return result if isinstance(result, int) else 0


def _failed(error: errors.PlantonError, arguments: list[str]) -> int:
    from planton.cli import output  # noqa: PLC0415  # cold start: it imports click, and most runs have nothing to report

    output.show_error(error, as_json=_wants_json(arguments))
    return _point_at_log(error.code, f"{error.reason}: {error.message}")


def _wants_json(arguments: list[str]) -> bool:
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return any((word in ("-o", "--output") and following == "json") or word == "--output=json" for word, following in pairs)


def _missing_extra(error: ModuleNotFoundError, command: str) -> errors.PlantonError | None:
    package = error.name or ""
    while package and not extra_of(package):
        package = package.rpartition(".")[0]
    if not package:
        return None
    extra = _EXTRAS_OF_COMMANDS.get(command, extra_of(package))
    return errors.extra_missing(
        f"this command needs the extra {extra!r}: the package {package!r} is not installed",
        hint=f"install project-planton[{extra}], for example: pipx install 'project-planton[{extra}]'",
        metadata={"extra": extra, "package": package},
    )


def extra_of(package: str) -> str:
    """Returns the extra that installs a Python package; empty if none does."""
    from planton.schema import providers  # noqa: PLC0415  # cold start of `--help`: only a missing extra needs it

    return _EXTRAS.get(package) or providers.extra_of(package)


def _unexpected(error: Exception) -> int:
    if os.environ.get(_DEBUG):
        sys.excepthook(type(error), error, error.__traceback__)
    text = terminal.one_line(" ".join(str(error).split()))
    sys.stderr.write(f"Error: unexpected {type(error).__name__}: {text} (set {_DEBUG}=1 for details)\n")
    return _point_at_log(_UNEXPECTED, "unexpected", error)


def _point_at_log(code: Any, summary: str = "", unexpected: Exception | None = None) -> int:
    """Shows the path of a failed command's log, and returns the exit code."""
    # A command without a log has not imported the module.
    logs = sys.modules.get("planton.config.logs")
    log = logs.current() if logs is not None else None
    number = code if isinstance(code, int) else int(code is not None)
    if logs is None or log is None or (number < errors.Code.FAILED and not log.begun):
        return number
    if summary:
        logs.note(summary, unexpected)
    if log.begun and number >= errors.Code.REFUSED:
        sys.stderr.write(f"details: {log.path}\n")
    logs.end()
    return number
