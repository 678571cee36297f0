"""The tree of a YAML text: entries with the comments around them, and how they are written."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The spaces of a level.
STEP: Final = 2


class Note(NamedTuple):
    """A line between entries: a comment with its column, or empty for a blank line."""

    column: int
    text: str


@dataclasses.dataclass(slots=True)
class Scalar:
    """A value that is kept as it is.

    Attributes:
        lines: The first follows the key; the others are indented below it.
        block: Whether it is a literal or folded block, whose comment follows the first line.
    """

    lines: list[str]
    block: bool = False


@dataclasses.dataclass(slots=True)
class Block:
    """A mapping or a list, an entry a line.

    Attributes:
        mapping: Whether it is a mapping.
        properties: Anchor and tag; empty for none.
        column: Where its entries began; comments left of it do not belong to it.
        entries: In the order of the text.
        tail: Comments after the last entry.
    """

    mapping: bool
    properties: str
    column: int
    entries: list[Entry] = dataclasses.field(default_factory=list)
    tail: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Entry:
    """An entry of a mapping, or an item of a list.

    Attributes:
        name: The key; empty for an item.
        rank: Entries are ordered by this; equal ones keep their order.
        lead: Comment lines above; an empty one is a blank line.
        value: The value of the key or item.
        ends: Comments behind it.
    """

    name: str = ""
    rank: int = 0
    lead: list[str] = dataclasses.field(default_factory=list)
    value: Scalar | Block = dataclasses.field(default_factory=lambda: Scalar([""]))
    ends: list[str] = dataclasses.field(default_factory=list)


def render(block: Block, indent: int = 0) -> list[str]:
    """Returns a block as lines: two spaces a level, items of lists indented below their key, entries in their order."""
    lines: list[str] = []
    for number, entry in enumerate(sorted(block.entries, key=lambda entry: entry.rank)):
        lead = list(entry.lead)
        if not block.mapping and isinstance(entry.value, Block) and entry.ends:
            # There is no room behind a dash.
            lead += entry.ends
        lines += padded(lead, indent, first=number == 0)
        lines += _entry(entry, indent) if block.mapping else _item(entry, indent)
    tail = padded(block.tail, indent)
    while tail and not tail[-1]:
        tail.pop()
    return lines + tail


def padded(notes: Sequence[str], indent: int, *, first: bool = False) -> list[str]:
    """Returns comment lines indented; of several blank lines one, at the beginning of a block none."""
    lines: list[str] = []
    for text in notes:
        if text:
            lines.append(" " * indent + text)
        elif lines[-1:] != [""] and (lines or not first):
            lines.append("")
    return lines


def _entry(entry: Entry, indent: int) -> list[str]:
    head = f"{' ' * indent}{entry.name}:"
    if isinstance(entry.value, Scalar):
        return _scalar(f"{head} ", entry.value, entry.ends, indent)
    if not entry.value.entries:
        return [_joined(head, _empty(entry.value), *entry.ends)]
    return [_joined(head, entry.value.properties, *entry.ends), *render(entry.value, indent + STEP)]


def _item(entry: Entry, indent: int) -> list[str]:
    head = " " * indent + "-"
    if isinstance(entry.value, Scalar):
        return _scalar(f"{head} ", entry.value, entry.ends, indent)
    if not entry.value.entries:
        return [_joined(head, _empty(entry.value))]
    lines = render(entry.value, indent + STEP)
    if entry.value.properties:
        return [_joined(head, entry.value.properties), *lines]
    # Comments above the first entry come to stand above the dash.
    above = next(number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
    return [*(line[STEP:] for line in lines[:above]), f"{head} {lines[above].lstrip()}", *lines[above + 1 :]]


def _scalar(head: str, scalar: Scalar, ends: Sequence[str], indent: int) -> list[str]:
    first, *other_lines = scalar.lines
    lines = [f"{head}{first}".rstrip(" "), *(" " * (indent + STEP) + line if line else "" for line in other_lines)]
    where = 0 if scalar.block else -1
    lines[where] = _joined(lines[where], *ends)
    return lines


def _empty(block: Block) -> str:
    return _joined(block.properties, "{}" if block.mapping else "[]").strip()


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
