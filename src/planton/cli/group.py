"""The click group of all commands."""

from __future__ import annotations

import gc
import importlib
import os

import click
from click import shell_completion

import planton
from planton import cli as table
from planton.base import suggestions


def _mark_verbatim(command: click.Command) -> None:
    """Turns the two characters that raw docstrings have into click's mark of a verbatim paragraph."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _mark_verbatim(below)


class _Commands(click.Group):
    """A group that imports only the command that runs."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(table.COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:  # click's interface
        if cmd_name not in table.COMMANDS:
            return None
        module, _, attribute = table.COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        _mark_verbatim(command)
        # What the start created stays, so no collection looks at it: 16 to 22 % less CPU (benchmarks/start_tricks.py).
        gc.freeze()
        gc.enable()
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in table.COMMANDS and not args[0].startswith("-"):
            hint = suggestions.suggest(args[0][:40], list(table.COMMANDS))
            ctx.fail(f"no such command {args[0]!r}" + (f"; {hint}" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, table.COMMANDS))
        for heading, names in table.GROUPS.items():
            with formatter.section(heading):
                # All groups have the same second column.
                formatter.write_dl([(name.ljust(width), table.COMMANDS[name][1]) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[shell_completion.CompletionItem]:
        options = click.Command.shell_complete(self, ctx, incomplete)
        names = [name for name in sorted(table.COMMANDS) if name.startswith(incomplete)]
        return [*(shell_completion.CompletionItem(name, help=table.COMMANDS[name][1]) for name in names), *options]


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "color": False if os.environ.get("NO_COLOR") else None,
    },
    epilog="A command's own help: planton COMMAND --help.",
)
@click.version_option(planton.__version__, prog_name="planton", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Create and operate Kubernetes clusters and node pools from manifests.

    Without a command: show what to do next in this folder.
    """
    if context.invoked_subcommand is None:
        from planton.cli import next_steps  # noqa: PLC0415  # cold start: no command needs it

        next_steps.show()
