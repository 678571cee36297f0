"""The page of the fault matrix: read, compared and written row by row."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pathlib
import re
from collections.abc import Iterable, Mapping

_HEAD = (
    "| fault | the user is told | in the cloud | in the state | then | then, with a stranger's of that name |\n"
    "|---|---|---|---|---|---|\n"
)
_COLUMNS = 6


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A place in the table."""

    cloud: str
    operation: str
    fault: str

    def __str__(self) -> str:
        """Return it as the id of a test."""
        return f"{self.cloud}: {self.operation}: {self.fault}"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What was found there.

    Attributes:
        told: What the user was told.
        cloud: What had changed in the cloud when the command ended.
        state: What had changed in the state, and what was noted down as being under way.
        then: What one more command did.
        stranger: What one more command did where somebody else had created a resource of that name meanwhile.
    """

    told: str
    cloud: str
    state: str
    then: str
    stranger: str = ""


#: What stands in a row whose cell was not run, or failed.
UNKNOWN = Row("not run", "", "", "")
FAILED = Row("FAILED", "", "", "")


def read(page: pathlib.Path) -> dict[Cell, Row]:
    """Return the rows of a page; none where there is no page."""
    found: dict[Cell, Row] = {}
    cloud = operation = ""
    for line in page.read_text("utf-8").splitlines() if page.exists() else ():
        heading = re.fullmatch(r"### (\w+): (.+)", line)
        parts = [part.strip() for part in line.strip("|").split("|")]
        if heading:
            cloud, operation = heading.groups()
        elif operation and len(parts) == _COLUMNS and not line.startswith(("| fault |", "|--")):
            found[Cell(cloud, operation, parts[0])] = Row(*parts[1:])
    return found


def write(page: pathlib.Path, rows: Mapping[Cell, Row], *, head: str, order: Iterable[Cell]) -> None:
    """Put rows into a page; several processes may do so at once."""
    folder = os.open(page.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        page.write_text(render({**read(page), **rows}, head=head, order=order), "utf-8")
    finally:
        os.close(folder)


def render(rows: Mapping[Cell, Row], *, head: str, order: Iterable[Cell]) -> str:
    """Return the page with these rows, in an order; others are left out."""
    text = head
    section = ("", "")
    for cell in order:
        if (cell.cloud, cell.operation) != section:
            section = (cell.cloud, cell.operation)
            text += f"\n### {cell.cloud}: {cell.operation}\n\n{_HEAD}"
        row = rows.get(cell, UNKNOWN)
        text += f"| {' | '.join((cell.fault, *dataclasses.astuple(row)))} |\n"
    return text
