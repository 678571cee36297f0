"""The rules of the schema: all violations of a message, as data. The caller decides whether to raise."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import protovalidate

from planton.schema import references

if TYPE_CHECKING:
    from google.protobuf import message

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
    problems = [_problem(violation.proto, value.DESCRIPTOR) for violation in collected[:limit]] if collected else []
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


def _problem(violation: Any, described: Any) -> Problem:  # protovalidate's own message; a descriptor
    path, inner = _path(violation.field.elements, described) if violation.field else ("", described)
    text = violation.message
    if len(text) > _LONGEST_MESSAGE:
        text = f"{text[:_LONGEST_MESSAGE]}…"
    if violation.for_key:
        text = f"the key {text}"
    # A rule between the fields of a message has no path of its own.
    subject = _subject(text, inner) if violation.rule is None else ""
    return Problem(path, text or f"breaks the rule {violation.rule_id}", violation.rule_id, subject)


def _subject(text: str, described: Any) -> str:  # a message's descriptor, or None where the rule is of one value
    """Returns the field at the start of the message of a rule between fields, its subject; empty if there is none."""
    word = text.partition(" ")[0]
    for name in word.split("."):
        field = next((each for each in described.fields if each.json_name == name), None) if described is not None else None
        if field is None:
            return ""
        described = field.message_type
    return word


def _path(elements: Any, described: Any) -> tuple[str, Any]:  # messages of protovalidate; a descriptor
    """Returns a path and the descriptor of the message there; None for scalars, lists and maps."""
    path, is_item = "", True
    for element in elements:
        field = described.fields_by_name.get(element.field_name) if described is not None else None
        name = field.json_name if field is not None else element.field_name
        path = f"{path}.{name}" if path else name
        described = field.message_type if field is not None else None
        is_item = element.subscript is not None or not (field is not None and field.is_repeated)
        if element.subscript is not None:
            path += _subscript(element.subscript)
            if described is not None and described.GetOptions().map_entry:
                described = described.fields_by_name["value"].message_type
    return path, described if is_item else None


def _subscript(subscript: Any) -> str:  # a message of protovalidate
    value = subscript.value
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'["{escaped}"]'
    return f"[{str(value).lower()}]"
