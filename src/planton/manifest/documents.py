"""Text → documents: each a message of its kind, with the places of its fields in the text.

Places are not kept: a document that is valid pays nothing for them. One that is not is composed again.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from planton import errors
from planton.manifest import decode, own_annotations, stack_names, yaml_nodes, yaml_reader, zero_counts
from planton.schema import defaults, kinds, references, validation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf import message

_STEP: Final = r'\.?([^.\[\]"]+)|\[([0-9]+)\]|\["((?:[^"\\]|\\.)*)"\]|\[([^\]"]*)\]'
_LONGEST_KIND: Final = 100


class Place(NamedTuple):
    """A place: line and column from 1, the source line, and the text of the scalar there, if it is one."""

    line: int
    column: int
    source: str
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Document:
    """A manifest that was read.

    Attributes:
        kind: Its kind.
        message: Its content.
        file: The path as the user wrote it, or ``-``.
        index: The position in its file, from 0; empty documents do not count.
        text: The file's text.
        span: Where in the text the document starts and ends, the column of its start, its line, all from 0.
        base: The path of the manifest in the document: empty, or ``target`` in a stack input.
        unread: Paths whose value could not be read; their rules prove nothing.
        meant: Paths that a misspelt field seems to mean.
        config: The provider config (a message of any cloud) of a stack input that was loaded as a message, or None.
        is_message: Whether it was loaded as a message: it has no text and no places.
    """

    kind: kinds.Kind
    message: message.Message
    file: str
    index: int
    text: str = dataclasses.field(default="", repr=False, compare=False)
    span: tuple[int, int, int, int] = dataclasses.field(default=(0, 0, 0, 0), repr=False, compare=False)
    base: str = dataclasses.field(default="", repr=False, compare=False)
    unread: tuple[str, ...] = dataclasses.field(default=(), repr=False, compare=False)
    meant: tuple[str, ...] = dataclasses.field(default=(), repr=False, compare=False)
    config: Any = dataclasses.field(default=None, repr=False, compare=False)
    is_message: bool = dataclasses.field(default=False, repr=False, compare=False)

    def locate(self, path: str) -> tuple[int, int]:
        """Returns line and column, from 1, of a field; of the nearest parent that is in the text where it is not."""
        place = self.places([path])[0]
        return place.line, place.column

    def places(self, paths: Iterable[str]) -> list[Place]:
        """Returns the places of several fields; the text is read once."""
        if self.is_message:
            return [Place(0, 0, "") for _ in paths]
        start, end, column, line = self.span
        try:
            root = next(yaml_reader.compose(" " * column + self.text[start:end]), None)
        except yaml_reader.TrapError:
            root = None  # it depends on something before it, such as a %TAG directive
        places = []
        finder = Finder(root)
        for path in paths:
            node = finder.find(decode.join(self.base, path) if path else self.base) if root is not None else None
            if node is None:
                places.append(Place(line + 1, column + 1, yaml_nodes.line_at(self.text, start - column)))
                continue
            mark = node.start_mark
            row_start = start - column + mark.index - mark.column
            source = "" if self.base else yaml_nodes.line_at(self.text, row_start)
            text = node.value if isinstance(node, yaml.ScalarNode) else ""
            places.append(Place(line + mark.line + 1, mark.column + 1, source, text))
        return places


class Finder:
    """Finds nodes by path. Each mapping is indexed once, so that a thousand paths cost as much as one."""

    def __init__(self, root: Any) -> None:  # PyYAML's nodes have no types of use
        """Starts at a node."""
        self._root = root
        self._indexes: dict[int, dict[str, Any]] = {}

    def find(self, path: str) -> Any:  # a node of PyYAML has no type
        """Returns the node of a path, or of the longest part of the path that exists."""
        node = place = self._root
        for name, index, text, other in re.findall(_STEP, path):
            if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
                place = node = node.value[int(index)]
            elif isinstance(node, yaml.MappingNode):
                pair = self.entry(node, name or re.sub(r"\\(.)", r"\1", text) or index or other)
                if pair is None:
                    return place
                # A key is where a reader looks for a part that is missing below it.
                node = pair[1]
                place = node if isinstance(node, yaml.ScalarNode) and node.value else pair[0]
            else:
                return place
        return place

    def entry(self, mapping: Any, name: str) -> Any:  # a node of PyYAML has no type
        """Returns the key and the value of a mapping's entry, in either spelling, merged ones included; else None."""
        index = self._indexes.get(id(mapping))
        if index is None:
            index = self._indexes[id(mapping)] = {}
            _fill_index(index, mapping)
        return index.get(name)


def _fill_index(index: dict[str, Any], mapping: Any) -> None:  # a node of PyYAML has no type
    merges: list[Any] = []
    for key, value in mapping.value:
        if yaml_nodes.is_merge(key):
            merges += value.value if isinstance(value, yaml.SequenceNode) else [value]
        elif isinstance(key.value, str):
            index.setdefault(key.value, (key, value))
            index.setdefault(camel(key.value), (key, value))
    for merge in merges:
        if isinstance(merge, yaml.MappingNode):
            _fill_index(index, merge)


def camel(name: str) -> str:
    """Returns a field's name in the manifest's spelling."""
    return re.sub("_([a-z0-9])", lambda match: match[1].upper(), name)


def read(data: bytes, *, file: str) -> tuple[list[Document], list[errors.Violation]]:
    """Reads all documents of a YAML or JSON text, strictly.

    Returns:
        The documents whose kind is known, those with violations included, and the violations. Rules are not checked here.
    """
    documents: list[Document] = []
    violations: list[errors.Violation] = []
    text = ""
    index = 0
    try:
        text = yaml_reader.decode(data)
        for root in yaml_reader.compose(text):
            if len(violations) > yaml_nodes.MAX_VIOLATIONS:
                return documents, violations
            if yaml_nodes.is_null(root):
                continue
            reading = yaml_nodes.reading_of(file, index, text)
            document = _document(root, reading)
            documents += [document] if document else []
            violations += reading.violations
            index += 1
        if not index:
            violations.append(errors.Violation(file, 1, 1, "", "has no manifest: the file is empty", "manifest.empty"))
    except yaml_reader.TrapError as trap:
        violations.append(trapped(trap, file=file, text=text, index=index))
    return documents, violations


def name_of(value: message.Message) -> str:
    """Returns ``KIND/NAME``, with the environment, of a manifest or of the manifest in a stack input."""
    return str(references.key(manifest_of(value)))


def manifest_of(value: message.Message) -> Any:  # a manifest of any kind
    """Returns the manifest in a stack input; a manifest as it is."""
    return value.target if is_stack_input(value) else value  # type: ignore[attr-defined]  # stack inputs have it


def is_stack_input(value: message.Message) -> bool:
    """Returns whether a message is a stack input."""
    return "target" in value.DESCRIPTOR.fields_by_name


def of_message(value: message.Message, *, file: str) -> Document:
    """Returns the document of a manifest or of a stack input that was built in memory; the message is not changed.

    ``apiVersion`` and ``kind`` are set if they are empty, for the message's type implies both.

    Raises:
        PlantonError: ``KIND_UNKNOWN``: the message is neither.
    """
    content = type(manifest_of(value))()
    content.CopyFrom(manifest_of(value))
    kind = kinds.get(content.DESCRIPTOR.name)
    content.api_version = content.api_version or kind.api_version
    content.kind = content.kind or kind.name
    config = None
    if is_stack_input(value):
        config = kind.provider_config()
        config.CopyFrom(value.provider_config)  # type: ignore[attr-defined]  # stack inputs have it
    return Document(kind, content, file, 0, config=config, is_message=True)


def trapped(trap: yaml_reader.TrapError, *, file: str, text: str, index: int) -> errors.Violation:
    """Returns the violation of a text that cannot be parsed; with its source line only if the text is passed."""
    source = yaml_reader.source_line(text, trap.line) if text else ""
    return errors.Violation(file, trap.line, trap.column, "", trap.message, trap.rule_id, index, source)


def _document(root: Any, reading: decode.Reading) -> Document | None:  # a node of PyYAML has no type
    kind = kind_of(root, "", reading)
    if kind is None:
        return None
    content = kind.message()
    decode.fill(content, root, "", reading)
    start, end = root.start_mark, root.end_mark
    span = (start.index, end.index, start.column, start.line)
    return Document(
        kind, content, reading.file, reading.index, reading.text, span, "", tuple(reading.unread), tuple(reading.meant)
    )


def kind_of(root: Any, path: str, reading: decode.Reading) -> kinds.Kind | None:  # a node of PyYAML has no type
    """Returns the kind that a manifest names. For an unknown kind, returns None and adds a violation."""
    if not isinstance(root, yaml.MappingNode):
        reading.text = ""
        reading.add(root, path, f"a manifest must be a mapping, not {yaml_nodes.shown(root, reading)}", "manifest.wrong_type")
        return None
    pair = Finder(root).entry(root, "kind")
    if pair is None or yaml_nodes.is_null(pair[1]):
        # The line is not shown: a file that is no manifest may hold secrets.
        reading.text = ""
        reading.add(root, decode.join(path, "kind"), "must be set: it says what the manifest describes", "manifest.kind_missing")
        return None
    node = pair[1]
    name = node.value if isinstance(node, yaml.ScalarNode) else None
    kind = _cached_kind(name) if name is not None and len(name) <= _LONGEST_KIND else None
    if kind is None:
        suggestion = decode.nearest(name, [kind.name for kind in kinds.all_kinds()]) if name is not None else ""
        text = f"unknown kind {yaml_nodes.preview(name) if name else ''}".strip()
        reading.add(node, decode.join(path, "kind"), text, "manifest.unknown_kind", suggestion=suggestion)
    return kind


@functools.lru_cache(maxsize=256)
def _cached_kind(name: str) -> kinds.Kind | None:
    return kinds.find(name)


def completed(document: Document) -> Document:
    """Returns a document with the defaults applied."""
    content = defaults.apply(document.message)
    return document if content is document.message else dataclasses.replace(document, message=content)


def check(document: Document) -> list[errors.Violation]:
    """Returns the violations of a document and its annotations, with places. Values that were not read have none."""
    problems = validation.violations(document.message, limit=yaml_nodes.MAX_VIOLATIONS)
    problems += own_annotations.problems(document.message)
    problems += stack_names.problems(document.message)
    if not problems:
        return []
    problems = [problem for problem in problems if not _is_echo(problem.path, document)]
    places = document.places(problem.place for problem in problems)
    return sorted(
        (
            errors.Violation(
                document.file,
                place.line,
                place.column,
                decode.join(document.base, problem.place) if problem.place else document.base,
                zero_counts.message(document.kind.name, problem.path, problem.rule_id, place.text) or problem.message,
                problem.rule_id,
                document.index,
                place.source,
                target=problem.target,
                suggestion=problem.suggestion,
            )
            for problem, place in zip(problems, places, strict=True)
        ),
        key=lambda violation: (violation.line, violation.column),
    )


def _is_echo(path: str, document: Document) -> bool:
    # A value that was not read is missing, which is not its fault; nor can a rule over it be judged.
    return path in document.meant or any(_related(path, other) for other in document.unread)


def _related(path: str, other: str) -> bool:
    short, long = sorted((path, other), key=len)
    return long.startswith(short) and (len(long) == len(short) or not short or long[len(short)] in ".[")
