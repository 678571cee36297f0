"""YAML text ↔ a tree of its entries with the comments around them, so that entries can be renamed, moved and indented again.

What stands in the text is kept: scalars with their quotes, anchors, aliases, every comment. A comment above an entry goes where the
entry goes; one behind it stays behind it. This module has no schema: a ``Schema`` provides names and order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from planton.manifest import blocks, yaml_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: Returns how an entry of a mapping is written.
    Schema = Callable[[Any, str], "Named"]

_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)*")
_BLOCK_HEADER: Final = re.compile(r"([|>])([0-9+-]*)[ \t]*(#.*)?")
_BEFORE_ALIAS: Final = re.compile(r"(?:[^*#]|#[^\n]*\n)*")
_ALIAS: Final = re.compile(r"\*[^\s,\[\]{}]+")


class Named(NamedTuple):
    """What a schema says about an entry.

    Attributes:
        name: The key to write; None to keep the existing key.
        rank: Entries are ordered by this; equal ones keep their order.
        below: What to ask about the entries of its value.
    """

    name: str | None
    rank: int
    below: Any


class UnkeptError(Exception):
    """The text has something that would be lost; the message says what."""


class Reader:
    """Reads nodes of one text, in their order, into entries.

    Attributes:
        comments: All comments read so far.
    """

    def __init__(self, text: str, schema: Schema) -> None:
        """Starts at the beginning of a text."""
        self.comments: list[str] = []
        self._text = text
        self._schema = schema
        self._position = 0
        self._seen: set[int] = set()
        self._last = blocks.Entry()
        self._keep_order = False

    def root(self, node: Any, below: Any) -> blocks.Block:  # PyYAML's nodes have no types of use
        """Reads the root mapping of a document, from its first character on."""
        # An alias must not come to stand before its anchor.
        self._keep_order = _has_alias(node, set())
        self._position = node.start_mark.index
        # The nodes of earlier documents are gone, and new ones may have their ids.
        self._seen = {id(node)}
        entry = blocks.Entry()
        block = self._block(node, below, entry)
        block.tail += [*entry.lead, *entry.ends]
        return block

    def notes_until(self, end: int) -> tuple[list[blocks.Note], list[blocks.Note], bool]:
        """Reads what stands between documents.

        Returns:
            The lines before the marker ``---`` or ``...``, those after it, whether there is one.
        """
        before: list[blocks.Note] = []
        after: list[blocks.Note] = []
        marked = False
        lines = self._text[self._position : end].split("\n")
        for number, line in enumerate(lines, 1):
            if number == 1 and self._position:
                self._end_of_line(line)
                continue
            if line.startswith("%"):
                raise UnkeptError(f"the directive {line[:40]!r} would be lost; remove it")
            if line.startswith(("---", "...")):
                marked = True
                self._note(line[3:], after, blank=False)
            else:
                self._note(line, after if marked else before, blank=number < len(lines))
        self._position = end
        return before, after, marked

    def settle(self, block: blocks.Block, notes: Sequence[blocks.Note]) -> list[str]:
        """Gives the comments that are indented deeper than a block's entries to its last entry; returns the others."""
        waiting = list(notes)
        blank: list[str] = []
        limit = 2**20
        while waiting and block.entries and isinstance(target := block.entries[-1].value, blocks.Block):
            note = waiting[0]
            if note.text and note.column <= block.column:
                break
            waiting.pop(0)
            blank.append(note.text)
            if note.text:
                # A later comment does not go deeper than an earlier one: they keep their order.
                limit = min(limit, note.column)
                while target.entries and isinstance(inner := target.entries[-1].value, blocks.Block) and inner.column <= limit:
                    target = inner
                target.tail += blank
                blank = []
        return [*blank, *(note.text for note in waiting)]

    def _notes(self, end: int) -> list[blocks.Note]:
        # Between two values there are only comments, blanks and punctuation.
        first, *lines = self._text[self._position : end].split("\n")
        self._end_of_line(first)
        notes: list[blocks.Note] = []
        for number, line in enumerate(lines, 1):
            self._note(line, notes, blank=number < len(lines))
        self._position = end
        return notes

    def _note(self, line: str, notes: list[blocks.Note], *, blank: bool) -> None:
        column = line.find("#")
        if column >= 0:
            text = line[column:].rstrip()
            self.comments.append(text)
            notes.append(blocks.Note(column, text))
        elif blank and not line.strip():
            notes.append(blocks.Note(0, ""))

    def _end_of_line(self, line: str) -> None:
        notes: list[blocks.Note] = []
        self._note(line, notes, blank=False)
        self._last.ends += [note.text for note in notes]

    def _start(self, node: Any) -> tuple[int, int, bool]:  # a node of PyYAML has no type
        # PyYAML puts the anchored node itself where an alias stands.
        if id(node) not in self._seen:
            return node.start_mark.index, node.end_mark.index, False
        start = _BEFORE_ALIAS.match(self._text, self._position).end()  # type: ignore[union-attr]  # it matches everywhere
        end = _ALIAS.match(self._text, start).end()  # type: ignore[union-attr]  # the node has been seen, so this is an alias
        return start, end, True

    def _value(self, node: Any, below: Any, entry: blocks.Entry) -> blocks.Scalar | blocks.Block:  # a node of PyYAML has no type
        start, end, alias = self._start(node)
        raw = self._text[start:end]
        is_scalar = isinstance(node, yaml.ScalarNode)
        inline = not is_scalar and bool(node.flow_style) and "\n" not in raw
        if alias or is_scalar or inline:
            entry.lead += [note.text for note in self._notes(start) if note.text]
        if alias or inline:
            text = raw if alias else self._inline(node, below)
            self._position = end
            return blocks.Scalar([text])
        self._seen.add(id(node))
        return self._scalar(node, raw, entry) if is_scalar else self._block(node, below, entry)

    def _scalar(self, node: Any, raw: str, entry: blocks.Entry) -> blocks.Scalar:  # a node of PyYAML has no type
        start = self._position
        properties = _PROPERTIES.match(raw)[0]  # type: ignore[index]  # it matches everywhere
        if node.style in ("|", ">"):
            header, _, body = raw[len(properties) :].partition("\n")
            indicator, how, comment = _BLOCK_HEADER.fullmatch(header.rstrip()).groups()  # type: ignore[union-attr]
            self._last = entry
            self._end_of_line(comment or "")
            lines, length = _block_lines(body, node.value, keep="+" in how)
            # The end of the last line is left, so that what follows is not behind the header.
            self._position = start + len(properties) + len(header) + length
            chomp = re.sub("[0-9]", "", how)
            digit = str(blocks.STEP) if next((line for line in lines if line.strip()), "").startswith(" ") else ""
            return blocks.Scalar([f"{properties}{indicator}{digit}{chomp}", *lines], block=True)
        self._position = start + len(raw)
        first, *other_lines = raw.split("\n")
        return blocks.Scalar(
            [first.rstrip() if other_lines else first, *(line.lstrip() if node.style else line.strip() for line in other_lines)]
        )

    def _block(self, node: Any, below: Any, entry: blocks.Entry) -> blocks.Block:  # a node of PyYAML has no type
        start, end = node.start_mark.index, node.end_mark.index
        mapping = isinstance(node, yaml.MappingNode)
        first = (node.value[0][0] if mapping else node.value[0]) if node.value else None
        own = first is None or first.start_mark.index > start or id(first) in self._seen
        properties = _PROPERTIES.match(self._text, start)[0] if own else ""  # type: ignore[index]  # it matches everywhere
        opened = self._text[start + len(properties)] in "[{" and bool(node.flow_style)
        if properties or opened:
            entry.lead += [note.text for note in self._notes(start) if note.text]
            self._position = start + len(properties) + 1 if opened else start + len(properties.rstrip())
        # In brackets, indentation has no meaning.
        block = blocks.Block(mapping, properties.strip(), 2**20 if opened else node.start_mark.column)
        if not opened and properties and first is not None:
            block.column = first.start_mark.column
        self._entries(node, below, block)
        if opened:
            block.tail += [note.text for note in self._notes(end - 1)]
            self._position = end
            if not block.entries:
                entry.lead += filter(None, block.tail)
                block.tail = []
            # A comment after the bracket moves below the last entry.
            self._last = blocks.Entry(ends=block.tail) if block.entries else entry
        return block

    def _entries(self, node: Any, below: Any, block: blocks.Block) -> None:  # a node of PyYAML has no type
        for pair in node.value:
            key, value = pair if block.mapping else (pair, pair)
            start, end, _ = self._start(key)
            lead = self.settle(block, self._notes(start))
            self._last = entry = blocks.Entry(lead=lead)
            block.entries.append(entry)
            if block.mapping:
                self._seen.add(id(key))
                named = self._named(below, key, self._text[start:end])
                entry.name, entry.rank = named.name or self._text[start:end], named.rank
                self._position = end
                entry.value = self._value(value, named.below, entry)
            else:
                entry.value = self._value(value, below, entry)

    def _named(self, below: Any, key: Any, raw: str) -> Named:  # a node of PyYAML has no type
        named = self._schema(below, key.value if isinstance(key, yaml.ScalarNode) else raw)
        return named._replace(rank=0) if self._keep_order else named

    def _inline(self, node: Any, below: Any) -> str:  # a node of PyYAML has no type
        start, end, alias = self._start(node)
        raw = self._text[start:end]
        if alias or isinstance(node, yaml.ScalarNode):
            self._seen.add(id(node))
            self._position = end
            return raw
        self._seen.add(id(node))
        properties = _PROPERTIES.match(raw)[0]  # type: ignore[index]  # it matches everywhere
        self._position = start + len(properties)
        if isinstance(node, yaml.SequenceNode):
            text = "[" + ", ".join([self._inline(item, below) for item in node.value]) + "]"
        else:
            pairs = []
            for key, value in node.value:
                written = self._inline(key, None)
                named = self._named(below, key, written)
                pairs.append((named.rank, f"{named.name or written}: {self._inline(value, named.below)}"))
            inner = ", ".join(text for _, text in sorted(pairs, key=lambda pair: pair[0]))
            text = "{" + inner + "}" if raw.endswith("}") else inner
        self._position = end
        return properties + text


def _has_alias(node: Any, seen: set[int]) -> bool:  # a node of PyYAML has no type
    if id(node) in seen:
        return True
    seen.add(id(node))
    return any(_has_alias(child, seen) for child in yaml_reader.children(node))


def _block_lines(body: str, value: str, *, keep: bool) -> tuple[list[str], int]:
    # Returns the lines of a literal or folded text without their indentation, and how long they are in the file.
    lines = body.split("\n")
    if keep and body.endswith("\n"):
        lines.pop()
    while lines and not keep and not lines[-1].strip():
        lines.pop()
    length = sum(len(line) + 1 for line in lines)
    first = next((line for line in lines if line.strip()), "")
    content = next((line for line in value.split("\n") if line.strip()), "")
    indent = (len(first) - len(first.lstrip(" "))) - (len(content) - len(content.lstrip(" ")))
    return [line[indent:] for line in lines], length
