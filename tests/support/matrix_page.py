"""The page of the fault matrix. Equal results share a row, and the page can be read back without loss."""

from __future__ import annotations

import collections
import dataclasses
import fcntl
import os
import pathlib
import re
from collections.abc import Iterable, Mapping

_OPERATION = (
    "| clouds | faults | in the cloud | in the state | next command | next command, with a stranger's resource |\n"
    "|---|---|---|---|---|---|\n"
)
_FAULTS = "| fault | what happens | reported |\n|---|---|---|\n"
#: Between the fault and a report that is not the fault's usual one.
_EXCEPTION = " → "


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A cell of the matrix."""

    cloud: str
    operation: str
    fault: str

    def __str__(self) -> str:
        """Returns the cell as a test ID."""
        return f"{self.cloud}: {self.operation}: {self.fault}"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """The result of a cell.

    Attributes:
        reported: Exit code and reason of the command.
        cloud: Changes in the cloud at the end of the command.
        state: Changes in the state, and pending operations.
        then: The next command and its result.
        stranger: The next command after another user created a resource with that name.
    """

    reported: str
    cloud: str
    state: str
    then: str
    stranger: str = ""


#: The row of a cell that failed.
FAILED = Row("FAILED", "", "", "")


def read(page: pathlib.Path) -> dict[Cell, Row]:
    """Returns the rows of a page; none if there is no page."""
    rows: dict[Cell, Row] = {}
    usual: dict[str, str] = {}
    operation = ""
    for line in page.read_text("utf-8").splitlines() if page.exists() else ():
        if heading := re.fullmatch(r"### (.+)", line):
            operation = heading[1]
        elif not line.startswith(("| fault |", "| clouds |", "|---")) and line.startswith("|"):
            parts = [part.strip() for part in line[1:-1].split("|")]
            if operation:
                rows |= _cells(operation, parts, usual)
            else:
                usual[parts[0]] = parts[2]
    return rows


def _cells(operation: str, parts: list[str], usual: Mapping[str, str]) -> dict[Cell, Row]:
    clouds, faults, *results = parts
    rows = {}
    for text in faults.split("; "):
        fault, _, reported = text.partition(_EXCEPTION)
        for cloud in clouds.split(" "):
            rows[Cell(cloud, operation, fault)] = Row(reported or usual[fault], *results)
    return rows


def write(page: pathlib.Path, rows: Mapping[Cell, Row], *, head: str, faults: Mapping[str, str], order: Iterable[Cell]) -> None:
    """Adds rows to a page; several processes may do so at once."""
    folder = os.open(page.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        page.write_text(render({**read(page), **rows}, head=head, faults=faults, order=order), "utf-8")
    finally:
        os.close(folder)


def render(rows: Mapping[Cell, Row], *, head: str, faults: Mapping[str, str], order: Iterable[Cell]) -> str:
    """Returns the page with the rows in the order of the cells.

    Args:
        rows: The results; cells without one are left out.
        head: The text above the tables.
        faults: Name and description of each fault.
        order: The cells.
    """
    cells = [cell for cell in order if cell in rows]
    usual = _usual(rows, cells)
    text = head + _FAULTS + "".join(f"| {name} | {faults[name]} | {usual[name]} |\n" for name in faults if name in usual)
    for operation in dict.fromkeys(cell.operation for cell in cells):
        text += f"\n### {operation}\n\n{_OPERATION}"
        groups = _groups({cell: rows[cell] for cell in cells if cell.operation == operation}, usual)
        text += "".join(f"| {clouds} | {'; '.join(names)} | {' | '.join(results)} |\n" for (clouds, results), names in groups)
    return text


def _usual(rows: Mapping[Cell, Row], cells: list[Cell]) -> dict[str, str]:
    """Returns the most frequent report of each fault."""
    counts: dict[str, collections.Counter[str]] = {}
    for cell in cells:
        counts.setdefault(cell.fault, collections.Counter())[rows[cell].reported] += 1
    return {fault: max(sorted(count), key=count.__getitem__) for fault, count in counts.items()}


def _groups(rows: Mapping[Cell, Row], usual: Mapping[str, str]) -> Iterable[tuple[tuple[str, tuple[str, ...]], list[str]]]:
    """Returns the faults of an operation, grouped by clouds and results."""
    clouds: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for cell, row in rows.items():
        exception = "" if row.reported == usual[cell.fault] else f"{_EXCEPTION}{row.reported}"
        results = (row.cloud, row.state, row.then, row.stranger)
        clouds.setdefault((f"{cell.fault}{exception}", results), []).append(cell.cloud)
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (fault, results), names in clouds.items():
        groups.setdefault((" ".join(names), results), []).append(fault)
    return groups.items()
