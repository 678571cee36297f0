"""``planton history``: lists the operations on a resource."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

import planton
from planton.cli import options, output, render

if TYPE_CHECKING:
    from planton.state import history as engine_history

_HEADER = ("TIME", "WHO", "OPERATION", "RESULT", "CHANGES")


@click.command()
@options.named
@click.option(
    "-n", "number", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="Number of entries to show."
)
@output.output_option("text", "json")
def history(*, named: options.Named, number: int, form: str) -> None:
    """Show who did what to an applied resource and when, newest first.

    The history is that of the stack in its backend. A destroy ends it.

    Exit codes: 0 shown, 1 not applied, 2 usage.
    """
    entries = planton.history(named.find(), number=number, settings=named.settings)
    if form == "json":
        render.echo_json([dataclasses.asdict(entry) for entry in entries])
    else:
        render.echo_lines(render.table([_HEADER, *(row for entry in entries for row in _rows(entry))]))


def _rows(entry: engine_history.Entry) -> list[tuple[str, ...]]:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(entry.counts.items()))
    first, *more = entry.changes or (counts or "-",)
    row = (entry.started, entry.who or "-", entry.operation, entry.result, first)
    return [row, *(("", "", "", "", change) for change in more)]
