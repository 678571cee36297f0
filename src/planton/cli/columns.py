"""The table of applied resources: its columns, their order of importance on narrow terminals, and sorting."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from planton.base import terminal
from planton.cli import jsonpath, output, render, times
from planton.manifest import stack_input

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import planton

T = TypeVar("T")
HEADER: Final = ("NAME", "KIND", "ENV", "STATUS", "VERSION", "REGION", "NODES", "SIZE", "AGE", "DRIFT")
WIDE: Final = (*HEADER, "ID", "STACK", "APPLIED")
#: The columns in the order in which a narrow terminal loses them.
_FIRST_TO_GO: Final = ("SIZE", "REGION", "AGE", "VERSION", "ENV", "KIND")
_COLOURS: Final = {"Ready": "green", "Unknown": "yellow", "Missing": "red", "Incomplete": "red", "NotReady": "red"}


def row(overview: planton.Overview) -> tuple[str, ...]:
    """Returns the cells of a resource, for `WIDE`."""
    key, summary = overview.key, overview.summary
    ready = "?" if summary.ready is None else str(summary.ready)
    more = f" +{len(summary.sizes) - 1}" if len(summary.sizes) > 1 else ""
    return (
        key.name,
        key.kind,
        key.env or "-",
        summary.status,
        summary.version or "-",
        overview.region or "-",
        "-" if summary.desired is None else f"{ready}/{summary.desired}",
        f"{summary.sizes[0]}{more}" if summary.sizes else "-",
        times.age(summary.created),
        drift(overview),
        overview.applied.identity or "-",
        str(overview.applied.stack),
        times.utc(overview.applied.updated),
    )


def drift(overview: planton.Overview) -> str:
    """Returns the cell with the drift of a resource: the number of properties that differ."""
    if overview.missing:
        return "missing"
    if overview.drift is None:
        return "?" if overview.problem is not None else "-"
    return str(len(overview.drift)) if overview.drift else "no"


def table(overviews: Sequence[planton.Overview], *, wide: bool) -> list[str]:
    """Returns the lines of a table. On a terminal that is too narrow, unimportant columns are left out."""
    header = WIDE if wide else HEADER
    return table_of([header, *(row(each)[: len(header)] for each in overviews)], wide=wide)


def table_of(rows: Sequence[tuple[str, ...]], *, wide: bool) -> list[str]:
    """Returns rows, the header first, as the lines of a table. A wide table keeps all columns on a narrow terminal."""
    return lines(rows if wide or not output.is_terminal() else fit(rows, shutil.get_terminal_size().columns))


def fit(rows: Sequence[tuple[str, ...]], width: int) -> list[tuple[str, ...]]:
    """Returns rows without the columns that do not fit into a width."""
    shown = list(range(len(rows[0])))
    for name in _FIRST_TO_GO:
        widths = [max(len(terminal.one_line(cells[column])) for cells in rows) + 2 for column in shown]
        if sum(widths) - 2 <= width:
            break
        shown = [column for column in shown if rows[0][column] != name]
    return [tuple(cells[column] for column in shown) for cells in rows]


def lines(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Returns rows as aligned lines, with coloured states."""
    column = rows[0].index("STATUS")
    start = sum(max(len(terminal.one_line(cells[each])) for cells in rows) + 2 for each in range(column))
    header, *rest = render.table(rows)
    return [header, *(_coloured(line, start, cells[column]) for line, cells in zip(rest, rows[1:], strict=True))]


def _coloured(line: str, start: int, status: str) -> str:
    text = terminal.one_line(status)
    end = start + len(text)
    return line[:start] + terminal.style(text, _COLOURS.get(status, "yellow")) + line[end:]


def item(overview: planton.Overview) -> dict[str, Any]:
    """Returns a resource as JSON data: its manifest with outputs, and its condition as ``observed``."""
    return {**stack_input.as_dict(overview.applied.manifest), "observed": overview.as_dict()}


def sort(overviews: Sequence[planton.Overview], by: str) -> list[planton.Overview]:
    """Returns resources in the order of a column of `WIDE`, or of a JSONPath. See `sort_by`."""
    return sort_by(overviews, by, Shape(WIDE, row, item, lambda each: each.summary.created, lambda each: each.summary.desired))


@dataclasses.dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """How values of a type are listed.

    Attributes:
        header: The names of all columns.
        row: Returns the cells of a value.
        item: Returns its JSON data.
        created: Returns when it was created, RFC 3339; empty if unknown.
        desired: Returns the desired number of its nodes; None if it has none.
    """

    header: tuple[str, ...]
    row: Callable[[T], tuple[str, ...]]
    item: Callable[[T], dict[str, Any]]
    created: Callable[[T], str]
    desired: Callable[[T], int | None]


def sort_by(listed: Sequence[T], by: str, shape: Shape[T]) -> list[T]:
    """Returns values in the order of a column, or of a JSONPath over their JSON.

    Args:
        listed: The values.
        by: A column, e.g. ``age``, or a path, e.g. ``.metadata.name``; empty to keep the order.
        shape: How they are listed.

    Raises:
        PlantonError: ``USAGE``: there is no such column.
    """
    if not by:
        return list(listed)
    if by.startswith((".", "{", "$")):
        return sorted(listed, key=lambda each: _comparable(jsonpath.values(by, shape.item(each))))
    name = by.upper()
    if name == "AGE":
        return sorted(listed, key=shape.created, reverse=True)
    if name == "NODES":
        return sorted(listed, key=lambda each: shape.desired(each) or 0)
    column = output.column(name, shape.header)
    return sorted(listed, key=lambda each: shape.row(each)[column])


def _comparable(values: list[Any]) -> tuple[bool, float, str]:
    # Missing values come last; numbers before texts.
    value = values[0] if values else None
    if isinstance(value, (int, float)):
        return (False, float(value), "")
    return (value is None, float("inf"), str(value))
