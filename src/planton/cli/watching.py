"""``--watch``: reads again and again, and shows what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planton.base import terminal
from planton.cli import columns, output, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import planton

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")


def option(function: F) -> F:
    """Adds ``--watch`` and ``--interval``, as the arguments ``watch`` and ``interval``."""
    watch = click.option("-w", "--watch", is_flag=True, help="Read again and again, and show what changes; Ctrl-C ends.")
    interval = click.option(
        "--interval",
        type=click.FloatRange(min=1),
        default=5.0,
        show_default=True,
        metavar="SECONDS",
        help="Time between two reads of --watch.",
    )
    return watch(interval(function))


def repeat(read: Callable[[], R], interval: float, *, wait: Callable[[float], None] = time.sleep) -> Iterator[R]:
    """Yields what a function returns, again and again.

    Args:
        read: The function.
        interval: Seconds between two calls.
        wait: Sleeps so many seconds.
    """
    while True:
        yield read()
        wait(interval)


def rows(snapshots: Iterable[Sequence[planton.Overview]], *, wide: bool) -> Iterator[str]:
    """Yields the lines of a table, then a line for each resource that is new, has changed or is gone.

    Args:
        snapshots: The resources at one time after the other.
        wide: Whether the table has all columns.
    """
    number = len(columns.WIDE if wide else columns.HEADER)
    seen: dict[str, tuple[str, ...]] = {}
    widths: list[int] = []
    age, status = columns.HEADER.index("AGE"), columns.HEADER.index("STATUS")
    for overviews in snapshots:
        now = {str(each.applied.stack): columns.row(each)[:number] for each in overviews}
        gone = [(*seen[key][:status], "Deleted", *seen[key][status + 1 :]) for key in seen if key not in now]
        changed = [cells for key, cells in now.items() if key not in seen or _without(seen[key], age) != _without(cells, age)]
        if not widths and changed:
            header = (columns.WIDE if wide else columns.HEADER)[:number]
            widths = [max(map(len, map(terminal.one_line, column))) for column in zip(header, *changed, strict=True)]
            yield render.aligned(header, widths)
        yield from (render.aligned(map(terminal.one_line, cells), widths) for cells in (*changed, *gone))
        seen = now


def _without(cells: tuple[str, ...], column: int) -> tuple[str, ...]:
    return cells[:column] + cells[column + 1 :]


def screens(snapshots: Iterable[Sequence[str]]) -> None:
    """Prints one screen after the other. A terminal is cleared before each; elsewhere only changed screens are printed.

    Args:
        snapshots: The lines at one time after the other.
    """
    before: Sequence[str] = ()
    for lines in snapshots:
        if lines != before:
            output.echo(terminal.CLEAR_SCREEN if output.is_terminal() else "", nl=False)
            render.echo_lines(lines)
        before = lines
