"""The rules of the schema: all violations of a message, as data. The caller decides whether to raise."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import protovalidate
from google.protobuf import message

from org.project_planton.shared.options import options_pb2
from planton.schema import references

if TYPE_CHECKING:
    from planton import errors


class Problem(NamedTuple):
    """A violated rule.

    Attributes:
        path: Of the field, in the manifest's spelling: ``spec.additionalNodePools[0].labels["x"]``; empty for the whole message. A
            rule between the fields of a message has the message's path.
        message: What must hold.
        rule_id: The rule's id.
        field: The field that a rule between fields is about, below ``path``; empty for other rules.
        target: The resource that an invalid reference names, or None.
        suggestion: A name that is close to an unknown one; empty if there is none.
    """

    path: str
    message: str
    rule_id: str
    field: str = ""
    target: errors.Target | None = None
    suggestion: str = ""

    @property
    def place(self) -> str:
        """The path of the field to show to the user."""
        return ".".join(part for part in (self.path, self.field) if part)


#: The maximum number of characters in a message, which may contain a value.
_LONGEST_MESSAGE: Final = 500
#: Bytes beyond which only the first violation of a message is looked for: each takes 4 kB, and two bytes can be worth three.
_LARGE: Final = 32 * 1024


def violations(value: message.Message, *, limit: int | None = None) -> list[Problem]:
    """Returns every violation of a message, including references to fields that do not exist.

    Args:
        value: The message.
        limit: The maximum number of violations of schema rules; None for all. A very large message reports only the first.
    """
    try:
        collected = _validator().collect_violations(value, fail_fast=value.ByteSize() > _LARGE)
    except protovalidate.EvaluationError:
        return [Problem("", "is too large for its rules to be checked", "manifest.unchecked")]
    problems = [_problem(violation.proto, value) for violation in collected[:limit]] if collected else []
    # An unknown number of a kind has no name to look up.
    nameless = any(problem.path.endswith("valueFrom.kind") for problem in problems)
    if all(name in value.DESCRIPTOR.fields_by_name for name in ("metadata", "spec")) and not nameless:
        problems += [
            Problem(each.path, each.detail, each.rule_id, target=each.target, suggestion=each.suggestion)
            for each in references.problems(value)
        ]
    return problems


@functools.cache
def _validator() -> protovalidate.Validator:
    return protovalidate.Validator()


def _problem(violation: Any, value: message.Message) -> Problem:  # protovalidate's own message
    path, holder = _path(violation.field.elements, value) if violation.field else ("", value)
    text = violation.message
    if len(text) > _LONGEST_MESSAGE:
        text = f"{text[:_LONGEST_MESSAGE]}…"
    if violation.for_key:
        text = f"the key {text}"
    # A rule between the fields of a message has no path of its own.
    subject = _subject(violation.rule_id, holder) if violation.rule is None and isinstance(holder, message.Message) else ""
    return Problem(path, text or f"breaks the rule {violation.rule_id}", violation.rule_id, subject)


def _subject(rule_id: str, value: message.Message) -> str:
    """Returns the field that a broken rule between the fields of a message is about; empty if the message declares none."""
    listed = value.DESCRIPTOR.GetOptions().Extensions[options_pb2.rule_field]
    declared = next((each for each in listed if each.rule == rule_id), None)
    if declared is None:
        return ""
    if declared.named_by:
        name = getattr(value, declared.named_by)
        return name if name in value.DESCRIPTOR.fields_by_name else ""
    alone = (field for field in declared.field if _breaks_alone(field, declared, value))
    return _json_path(declared.field[0] if len(declared.field) == 1 else next(alone, declared.field[0]), value.DESCRIPTOR)


def _breaks_alone(field: str, declared: options_pb2.RuleField, value: message.Message) -> bool:
    """Returns whether a message breaks a rule even if the other fields that the rule is about are unset."""
    copy = type(value)()
    copy.CopyFrom(value)
    for other in declared.field:
        *above, name = other.split(".")
        if other != field:
            functools.reduce(getattr, above, copy).ClearField(name)
    return any(each.proto.rule_id == declared.rule for each in _validator().collect_violations(copy))


def _json_path(path: str, described: Any) -> str:  # a message's descriptor
    names = []
    for name in path.split("."):
        field = described.fields_by_name[name]
        names.append(field.json_name)
        described = field.message_type
    return ".".join(names)


def _path(elements: Any, value: Any) -> tuple[str, Any]:  # messages of protovalidate; a value of any type
    """Returns the path of a value in the manifest's spelling, and the value."""
    path = ""
    for element in elements:
        field = value.DESCRIPTOR.fields_by_name.get(element.field_name) if isinstance(value, message.Message) else None
        name = field.json_name if field is not None else element.field_name
        path = f"{path}.{name}" if path else name
        value = getattr(value, element.field_name) if field is not None else None
        if element.subscript is not None:
            path += _subscript(element.subscript)
            value = None if value is None else value[element.subscript.value]
    return path, value


def _subscript(subscript: Any) -> str:  # a message of protovalidate
    value = subscript.value
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'["{escaped}"]'
    return f"[{str(value).lower()}]"
