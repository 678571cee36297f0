"""``--set PATH=VALUE``: one field of a message, typed by the field."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml

from planton import errors
from planton.manifest import decode, yaml_nodes, yaml_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import descriptor, message

_STEP: Final = r'\[([0-9]+)\]|\["((?:[^"\\]|\\.)*)"\]|\[([^\]"]+)\]|(?:^|\.)([^.\[\]=]+)'


@dataclasses.dataclass(frozen=True, slots=True)
class _Assignment:
    """One assignment: its whole text, and the value in it."""

    text: str
    value: str


class UnknownPathError(errors.PlantonError):
    """The path of an assignment leads to no field of the message.

    Attributes:
        near: Whether the hint is a similar name.
    """

    near = False


def overrides(texts: Sequence[str]) -> Overrides | None:
    """Returns assignments for a set of documents, each of which must fit at least one; None where there are none."""
    return Overrides(texts) if texts else None


def assign(target: message.Message, text: str) -> None:
    """Sets a field of a message: ``spec.nodeCount=5``, in either spelling; the value is typed by the field.

    Items of lists are ``[N]`` or ``.N`` (one past the end adds one); keys of maps ``.key`` or ``["key"]``. A whole list, mapping or
    message is written as YAML: ``spec.tags=[a, b]``.

    Raises:
        UnknownPathError: ``USAGE``: there is no such field; the nearest name is the hint.
        PlantonError: ``USAGE``: the value does not fit.
    """
    steps, value = _parse(text)
    assignment = _Assignment(text, value)
    part: Any = target
    path = ""
    while steps:
        name = steps.pop(0)
        field = _field(part.DESCRIPTOR, name, path, text)
        path = decode.join(path, field.json_name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry and steps:
            part = _entry(getattr(part, field.name), field, steps, path, assignment)
        elif field.is_repeated and steps:
            part = _item(getattr(part, field.name), field, steps, path, assignment)
        elif steps:
            if field.message_type is None:
                _refuse(text, f"{path} has no parts")
            part = getattr(part, field.name)
        else:
            _set(part, field, path, assignment)
        if part is None:
            return


def _parse(assignment: str) -> tuple[list[str], str]:
    steps = []
    position = 0
    while not assignment.startswith("=", position):
        match = re.compile(_STEP).match(assignment, position)
        if match is None:
            _refuse(assignment, "it must be PATH=VALUE, for example spec.nodeCount=5")
        quoted = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else None
        steps.append(next(step for step in (match[1], quoted, match[3], match[4]) if step is not None))
        position = match.end()
    if not steps:
        _refuse(assignment, "it must be PATH=VALUE, for example spec.nodeCount=5")
    return steps, assignment[position + 1 :]


def _refuse(assignment: str, why: str, hint: str = "") -> NoReturn:
    path = assignment.partition("=")[0]
    raise errors.usage(f"cannot set {path}: {why}", hint=hint)


def _field(described: descriptor.Descriptor, name: str, path: str, assignment: str) -> descriptor.FieldDescriptor:
    for field in described.fields:
        if name in (field.json_name, field.name):
            return field
    spellings = list(dict.fromkeys(spelling for field in described.fields for spelling in (field.json_name, field.name)))
    where = path or described.name
    near = decode.nearest(name, spellings)
    hint = f"did you mean {near!r}?" if near else ""
    error = UnknownPathError(
        f"cannot set {assignment.partition('=')[0]}: {where} has no field {yaml_nodes.preview(name)}",
        reason=errors.Reason.USAGE,
        hint=hint or f"{described.name} has " + ", ".join(field.json_name for field in described.fields),
    )
    error.near = bool(hint)
    raise error


def _set(part: message.Message, field: descriptor.FieldDescriptor, path: str, assignment: _Assignment) -> None:
    part.ClearField(field.name)
    oneof = field.containing_oneof
    if oneof is not None and len(oneof.fields) > 1:
        part.ClearField(oneof.name)
    is_text = field.type == field.TYPE_STRING and not field.is_repeated
    node: Any = _text(assignment.value) if is_text else _node(assignment)
    key = _text(field.name)
    mapping = yaml.MappingNode("", [(key, node)], key.start_mark, key.end_mark, flow_style=False)
    _read(part, mapping, path, assignment.text)


def _read(target: message.Message, node: Any, path: str, assignment: str) -> None:  # PyYAML's nodes have no types of use
    reading = yaml_nodes.reading_of("--set", 0, "")
    scratch = type(target)()
    decode.fill(scratch, node, path.rpartition(".")[0], reading)
    if reading.violations:
        _refuse(assignment, reading.violations[0].message)
    target.MergeFrom(scratch)


def _entry(
    entries: Any, field: Any, steps: list[str], path: str, assignment: _Assignment
) -> Any:  # a message or a list; a step of one walk
    described = field.message_type.fields_by_name["value"]
    if described.message_type is not None:
        name = steps.pop(0)
        if not steps:
            _refuse(assignment.text, f"{path} has parts; set one of them")
        return entries[name]
    # A key may contain dots: the rest of the path is one key.
    name = ".".join(steps)
    steps.clear()
    entries[name] = _convert(described, assignment)
    return None


def _item(
    items: Any, field: descriptor.FieldDescriptor, steps: list[str], path: str, assignment: _Assignment
) -> Any:  # a node of PyYAML has no type
    word = steps.pop(0)
    if not word.isdigit() or len(word) > 9 or int(word) > len(items):  # noqa: PLR2004  # a number that is surely too large
        _refuse(assignment.text, f"{path} has {len(items)} items; write {path}[N] with N from 0 to {len(items)} (which adds one)")
    index = int(word)
    if field.message_type is not None:
        item = items[index] if index < len(items) else items.add()
        if not steps:
            item.Clear()
            _read(item, _node(assignment), "", assignment.text)
        return item if steps else None
    if steps:
        _refuse(assignment.text, f"{path}[{index}] has no parts")
    converted = _convert(field, assignment)
    if index < len(items):
        items[index] = converted
    else:
        items.append(converted)
    return None


def _convert(field: descriptor.FieldDescriptor, assignment: _Assignment) -> Any:  # a value of the field's type
    node = _text(assignment.value) if field.type == field.TYPE_STRING else _node(assignment)
    reading = yaml_nodes.reading_of("--set", 0, "")
    converted = yaml_nodes.convert(field, node, "", reading)
    if reading.violations:
        _refuse(assignment.text, reading.violations[0].message)
    return converted


def _text(value: str) -> Any:  # a node of PyYAML has no type
    mark = yaml.Mark("--set", 0, 0, 0, None, 0)
    return yaml.ScalarNode("", value, mark, mark, style='"')


def _node(assignment: _Assignment) -> Any:  # a node of PyYAML has no type
    try:
        node = next(yaml_reader.compose(yaml_reader.decode(assignment.value.encode("utf-8", "surrogateescape"))), None)
    except yaml_reader.TrapError as trap:
        _refuse(assignment.text, trap.message)
    mark = yaml.Mark("--set", 0, 0, 0, None, 0)
    return node if node is not None else yaml.ScalarNode("", "", mark, mark, style="")


class Overrides:
    """Assignments for a set of documents: each must fit at least one of them.

    A run may have documents of several kinds, of which only some have the field.
    """

    def __init__(self, assignments: Sequence[str]) -> None:
        """Takes ``PATH=VALUE`` texts."""
        self._assignments = tuple(assignments)
        self._misfits: dict[str, UnknownPathError] = {}
        self._fitted: set[str] = set()

    def apply(self, target: message.Message) -> None:
        """Sets the values that fit a message.

        Raises:
            PlantonError: ``USAGE``: the field exists, but the value has the wrong type.
        """
        for assignment in self._assignments:
            try:
                assign(target, assignment)
                self._fitted.add(assignment)
            except UnknownPathError as error:
                # Of several kinds the one that has a field of nearly this name was meant.
                violation = self._misfits.get(assignment)
                if violation is None or (error.near and not violation.near):
                    self._misfits[assignment] = error

    def finish(self) -> None:
        """Raises the error of an assignment that fitted nothing.

        Raises:
            PlantonError: ``USAGE``.
        """
        for assignment, error in self._misfits.items():
            if assignment not in self._fitted:
                raise error
