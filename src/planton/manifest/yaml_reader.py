"""YAML or JSON text → trees of nodes with places, bounded in every direction.

PyYAML's C parser composes the nodes; this module adds the limits that make any input safe (size, depth, number of values, aliases)
and names the trap where the parser only stumbles. It must not know messages: what a node means is decided elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_Parser: Any
try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # a PyYAML without libyaml: the same nodes, slower
    from planton.manifest.yaml_python import Parser as _Parser

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 64
#: Nodes of one document. A node takes about 500 bytes, so this bounds the memory.
MAX_NODES: Final = 200_000
#: What aliases may add to a document, in nodes.
MAX_ALIASED: Final = 10_000
#: Documents of one text.
MAX_DOCUMENTS: Final = 10_000

_STR_TAG: Final = "tag:yaml.org,2002:str"
#: Explicit tags of plain values say what the field's type says anyway.
_PLAIN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null", "timestamp"))
_SUPPORTED_TAGS: Final = _PLAIN_TAGS | {"!", _STR_TAG, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_SURROGATES: Final = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
_TAB_INDENT: Final = re.compile(r" *\t")


class TrapError(Exception):
    """The text cannot be read.

    Attributes:
        rule_id: Which trap.
        message: What must hold.
        line: From 1, or 0 where the place is not known.
        column: From 1, or 0.
    """

    def __init__(self, rule_id: str, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.rule_id = rule_id
        self.message = message
        self.line = line
        self.column = column


def _mark(node: Any) -> dict[str, int]:  # PyYAML's nodes have no types of use
    return {"line": node.start_mark.line + 1, "column": node.start_mark.column + 1} if node is not None else {}


class _Composer(_Parser):  # type: ignore[misc]  # one of two classes
    """Composes nodes without guessing their types, and counts them.

    The tag of a node is empty unless the text has an explicit one.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.count = 0

    def descend_resolver(self, parent: Any, _index: object) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH:
            raise TrapError("yaml.depth", f"must not be nested deeper than {MAX_DEPTH} levels", **_mark(parent))
        if self.count > MAX_NODES:
            raise TrapError("yaml.size", f"a document must not have more than {MAX_NODES:,} values", **_mark(parent))

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        return ""


def decode(data: bytes) -> str:
    """Returns the text of a file; places refer to the returned text.

    Raises:
        TrapError: It is too large, not UTF-8, or has a NUL character.
    """
    if len(data) > MAX_BYTES:
        raise TrapError("yaml.size", f"must not be larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode("utf-8", "replace"))
        raise TrapError("yaml.encoding", "must be UTF-8 text", line=line, column=column) from None
    if "\0" in text:
        line, column = _place(text[: text.index("\0")])
        raise TrapError("yaml.nul", "must not contain NUL characters", line=line, column=column)
    # JSON writes characters beyond the basic plane as two escapes, which YAML does not know.
    return re.sub(_SURROGATES, _join_surrogates, text) if "\\u" in text else text


def _place(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def compose(text: str) -> Iterator[Any]:
    """Yields the root node of each document that is not empty.

    Raises:
        TrapError: The text is not YAML, or goes beyond a limit. Documents before the place have been yielded.
    """
    parser: Any = None
    try:
        parser = _Composer(text)
        documents = 0
        while parser.check_node():
            root = parser.get_node()
            documents += 1
            if documents > MAX_DOCUMENTS:
                raise TrapError("yaml.size", f"must not have more than {MAX_DOCUMENTS:,} documents", line=1, column=1)
            parser.count = parser.depth = 0
            if root is not None:
                _check_lines(root, text)
                yield root
    except yaml.YAMLError as error:
        raise _trap(error, text) from None
    except RecursionError:
        raise TrapError("yaml.depth", f"must not be nested deeper than {MAX_DEPTH} levels") from None
    finally:
        if parser is not None:
            parser.dispose()


def _join_surrogates(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return match[1] + chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _trap(error: yaml.YAMLError, text: str) -> TrapError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        # The reader's errors have a position only: control characters that YAML does not allow.
        position = getattr(error, "position", None)
        line, column = _place(text[:position]) if isinstance(position, int) else (0, 0)
        return TrapError("yaml.syntax", "is not YAML: it contains a control character", line=line, column=column)
    line, column = mark.line + 1, mark.column + 1
    problem = getattr(error, "problem", None) or "is not YAML"
    if "tab" in problem or _TAB_INDENT.match(_line(text, line)):
        return TrapError("yaml.tab", "must be indented with spaces, not with a tab", line=line, column=_tab_column(text, line))
    if "duplicate anchor" in problem:
        problem = "the anchor is defined twice"
    context = getattr(error, "context", None)
    return TrapError("yaml.syntax", f"is not YAML: {problem}" + (f" {context}" if context else ""), line=line, column=column)


def _tab_column(text: str, line: int) -> int:
    return _line(text, line).find("\t") + 1 or 1


def _line(text: str, number: int) -> str:
    # Found by hand: splitting a text of four million lines to see one would cost more than reading it.
    start = 0
    for _ in range(number - 1):
        start = text.find("\n", start) + 1
        if not start:
            return ""
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)]


def source_line(text: str, number: int, *, limit: int = 300) -> str:
    """Returns a line of a text, without its end; at most ``limit`` characters of it."""
    return _line(text, number)[:limit].rstrip("\r") if number else ""


def _check_lines(root: Any, text: str) -> None:  # PyYAML's nodes have no types of use
    # These two walks cost something, so they are made only where the characters for trouble are there at all.
    if "*" in text:
        _check_aliases(root)
    if "\t" in text:
        _check_tabs(root, text.split("\n"))


def _check_aliases(root: Any) -> None:  # a node of PyYAML has no type
    sizes: dict[int, int] = {}
    size = _expanded(root, sizes, ())
    if size - len(sizes) > MAX_ALIASED:
        raise TrapError(
            "yaml.aliases",
            f"aliases must not add more than {MAX_ALIASED:,} values",
            line=root.start_mark.line + 1,
            column=root.start_mark.column + 1,
        )


def _expanded(node: Any, sizes: dict[int, int], above: tuple[int, ...]) -> int:  # a node of PyYAML has no type
    size = sizes.get(id(node))
    if size is not None:
        return size
    if id(node) in above:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        raise TrapError("yaml.aliases", "an alias must not be part of what it stands for", line=line, column=column)
    if len(above) > MAX_DEPTH:
        raise TrapError("yaml.depth", f"must not be nested deeper than {MAX_DEPTH} levels, aliases included")
    size = 1
    above = (*above, id(node))
    for child in children(node):
        size += _expanded(child, sizes, above)
    sizes[id(node)] = size
    return size


def children(node: Any) -> list[Any]:  # a node of PyYAML has no type
    """Returns the nodes directly under a node: the items of a list, the keys and values of a mapping."""
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _check_tabs(root: Any, lines: list[str]) -> None:  # a node of PyYAML has no type
    # Folding hides a tab: "a: b", then a line that a tab indents, is the text "b c".
    waiting = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting += children(node)
        if not isinstance(node, yaml.ScalarNode) or node.style:
            continue
        for number in range(node.start_mark.line + 1, min(node.end_mark.line + 1, len(lines))):
            if _TAB_INDENT.match(lines[number]) and lines[number].strip():
                column = lines[number].find("\t") + 1
                raise TrapError("yaml.tab", "must be indented with spaces, not with a tab", line=number + 1, column=column)


def is_plain(node: Any) -> bool:  # a node of PyYAML has no type
    """Returns whether a scalar node's meaning is open: it is neither quoted nor tagged as text."""
    if node.tag:
        return node.tag not in ("!", _STR_TAG)
    return not node.style


def wrong_tag(node: Any) -> str:  # a node of PyYAML has no type
    """Returns an explicit tag that has no meaning here, such as ``!secret``, or empty."""
    tag = node.tag
    if not tag or tag in _SUPPORTED_TAGS:
        return ""
    return str(tag).replace("tag:yaml.org,2002:", "!!")
