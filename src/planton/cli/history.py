"""``planton history``: lists the operations on resources."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

import planton
from planton.cli import complete, options, output, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.state import history as engine_history

_HEADER = ("TIME", "USER", "OPERATION", "RESULT", "CHANGES")


@click.command()
@click.argument("resource", metavar="[KIND/NAME]", default="", shell_complete=complete.resource)
@options.engine
@options.which
@click.option(
    "-n", "number", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="Number of entries to show."
)
@output.output_option("text", "json")
def history(*, resource: str, settings: engine_settings.Settings, env: str | None, stack: str, number: int, form: str) -> None:
    """Show who did what to an applied resource, or to all, and when, newest first.

    The history is that of the stack in its backend. A destroy ends it. An entry
    that cannot be read has the result `damaged`.

    Exit codes: 0 shown, 1 not applied, 2 usage.
    """
    if resource:
        named = options.Named(resource, env, stack, settings).find()
        entries = [(named, entry) for entry in planton.history(named, number=number, settings=settings)]
    else:
        entries = planton.operations(planton.Filter(env=env, stack=stack), number=number, settings=settings)
    if form == "json":
        render.echo_json([{**dataclasses.asdict(entry), **_resource(applied)} for applied, entry in entries])
        return
    if resource:
        rows = [_HEADER, *(row for _, entry in entries for row in _rows(entry))]
    else:
        rows = [_with(_HEADER, "RESOURCE"), *(row for applied, entry in entries for row in _named_rows(applied, entry))]
    render.echo_lines(render.table(rows) if entries else ["nothing has been applied"])


def _resource(applied: planton.Applied) -> dict[str, str]:
    key = applied.key
    return {"kind": key.kind, "name": key.name, "env": key.env, "stack": str(applied.stack)}


def _rows(entry: engine_history.Entry) -> list[tuple[str, ...]]:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(entry.counts.items()))
    first, *more = entry.changes or (counts or "-",)
    row = (entry.started or "-", entry.user or "-", entry.operation or "-", entry.result, first)
    return [row, *(("", "", "", "", change) for change in more)]


def _named_rows(applied: planton.Applied, entry: engine_history.Entry) -> list[tuple[str, ...]]:
    first, *more = _rows(entry)
    return [_with(first, f"{applied.key.kind}/{applied.key.name}"), *(_with(row, "") for row in more)]


def _with(row: tuple[str, ...], resource: str) -> tuple[str, ...]:
    return (row[0], resource, *row[1:])
