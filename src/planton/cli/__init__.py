"""The command line: each module is a command, and nothing else may import a command-line framework.

A command's module is imported when the command is called, so that one command pays for no other. What goes wrong becomes one
message on standard error and an exit code; tracebacks are for ``PLANTON_DEBUG=1``.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

import planton
from planton import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click import shell_completion

#: Name → what to import, and the line that help shows for it.
COMMANDS: Final = {
    "apply": ("planton.cli.apply:apply", "Make the cloud match manifests."),
    "completion": ("planton.cli.completion:completion", "Print the completion script of a shell."),
    "destroy": ("planton.cli.destroy:destroy", "Delete what manifests describe."),
    "doctor": ("planton.cli.doctor:doctor", "Show what is installed, what is missing, and what to do."),
    "drift": ("planton.cli.drift:drift", "Show where the cloud differs from what was applied."),
    "get": ("planton.cli.get:get", "Show resources that were applied."),
    "import": ("planton.cli.import_:import_", "Take over a resource that exists."),
    "kubeconfig": ("planton.cli.kubeconfig:kubeconfig", "Print or merge the kubeconfig of a cluster."),
    "outputs": ("planton.cli.outputs:outputs", "Show the outputs of a resource."),
    "plan": ("planton.cli.plan:plan", "Show what apply would do."),
    "refresh": ("planton.cli.refresh:refresh", "Read the cloud into the state."),
    "regions": ("planton.cli.offers:regions", "List the regions of a cloud."),
    "sandbox": ("planton.cli.sandbox:sandbox", "Run a simulated cloud on this machine."),
    "setup": ("planton.cli.setup:setup", "Install what the engine needs."),
    "sizes": ("planton.cli.offers:sizes", "List the machine sizes of a cloud."),
    "stack-input": ("planton.cli.stack_input:stack_input", "Write the input of a module for a manifest."),
    "validate": ("planton.cli.validate:validate", "Check manifests against the schema and its rules."),
    "version": ("planton.cli.version:version", "Show the versions of planton and of what it uses."),
    "versions": ("planton.cli.offers:versions", "List the Kubernetes versions of a cloud."),
}
#: Top-level package → the extra that brings it.
_EXTRAS: Final = {
    "pulumi": "civo",
    "pulumi_civo": "civo",
    "pulumi_digitalocean": "digitalocean",
    "aiohttp": "sandbox",
    "cryptography": "sandbox",
    "grpc": "sandbox",
}
_UNEXPECTED: Final = 70
_BROKEN_PIPE: Final = 141
_DEBUG: Final = "PLANTON_DEBUG"


class _Commands(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's interface
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from planton import kinds  # noqa: PLC0415  # nearly every call names a command that exists

            hint = kinds.suggest(args[0][:40], list(COMMANDS))
            ctx.fail(f"no such command {args[0]!r}" + (f"; {hint}" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(COMMANDS.items())])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[shell_completion.CompletionItem]:
        from click import shell_completion as completion  # noqa: PLC0415  # only while completing

        options = click.Command.shell_complete(self, ctx, incomplete)
        names = [name for name in sorted(COMMANDS) if name.startswith(incomplete)]
        return [*(completion.CompletionItem(name, help=COMMANDS[name][1]) for name in names), *options]


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A command's own help: planton COMMAND --help.",
)
@click.version_option(planton.__version__, prog_name="planton", message="%(prog)s %(version)s")
def cli() -> None:
    """Describe Kubernetes clusters and node pools in manifests; planton checks them and makes them real."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code.

    Args:
        arguments: What follows the program's name; the process's arguments where None.
    """
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone, as with `| head`. Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result: Any = cli.main(args=None if arguments is None else list(arguments), prog_name="planton", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return errors.Code.INTERRUPTED
    except errors.PlantonError as error:
        return _failed(error)
    except BrokenPipeError:
        raise
    except ModuleNotFoundError as error:
        missing = _missing_extra(error)
        return _failed(missing) if missing else _unexpected(error)
    except Exception as error:  # noqa: BLE001  # the last line of defence: nobody sees a traceback unasked
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def _failed(error: errors.PlantonError) -> int:
    from planton.cli import output  # noqa: PLC0415  # nothing failed, mostly

    output.show_error(error)
    return error.code


def _missing_extra(error: ModuleNotFoundError) -> errors.PlantonError | None:
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package)
    if extra is None:
        return None
    return errors.PlantonError(
        f"this command needs the extra {extra!r}: the package {package!r} is not installed",
        code=errors.Code.MISSING,
        reason=errors.Reason.EXTRA_MISSING,
        hint=f"install project-planton[{extra}], for example: pipx install 'project-planton[{extra}]'",
        metadata={"extra": extra, "package": package},
    )


def _unexpected(error: Exception) -> int:
    if os.environ.get(_DEBUG):
        import traceback  # noqa: PLC0415  # only here

        traceback.print_exception(error)
    text = " ".join(str(error).split())
    click.echo(f"Error: unexpected {type(error).__name__}: {text} (set {_DEBUG}=1 for details)", err=True)
    return _UNEXPECTED
