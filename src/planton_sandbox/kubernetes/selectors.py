"""Label and field selectors of the Kubernetes API, as kubectl sends them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_SET = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s+\((?P<values>[^)]*)\)\s*$")
_PLAIN = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s!=,()]+)\s*$")

Test = Callable[[Mapping[str, Any]], bool]


def labels(text: str) -> Test:
    """Returns a test of an object's labels.

    Raises:
        ValueError: when the selector is invalid.
    """
    tests = [_requirement(part) for part in _split(text)]

    def test(item: Mapping[str, Any]) -> bool:
        present = item["metadata"].get("labels", {})
        return all(requirement(present) for requirement in tests)

    return test


def fields(text: str) -> Test:
    """Returns a test of an object's fields, each a dotted path.

    Raises:
        ValueError: when the selector is invalid.
    """
    requirements = []
    for part in _split(text):
        matched = _PLAIN.match(part)
        if matched is None:
            message = f"invalid field selector: {part}"
            raise ValueError(message)
        requirements.append((matched["key"], matched["op"] != "!=", matched["value"]))

    def test(item: Mapping[str, Any]) -> bool:
        return all((_field(item, key) == value) is equal for key, equal, value in requirements)

    return test


def names(text: str) -> list[str]:
    """Returns the fields that a valid field selector names."""
    return [matched["key"] for matched in map(_PLAIN.match, _split(text)) if matched]


def matches(selector: Mapping[str, Any], present: Mapping[str, str]) -> bool:
    """Returns whether labels match a ``LabelSelector`` object; an empty one matches all."""
    if any(present.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(requires(one, present) for one in selector.get("matchExpressions", []))


def requires(requirement: Mapping[str, Any], present: Mapping[str, str]) -> bool:
    """Returns whether labels meet one requirement of a selector, of a node affinity, too."""
    key, operator, values = requirement.get("key", ""), requirement.get("operator"), requirement.get("values", [])
    value = present.get(key)
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return key in present
    if operator == "DoesNotExist":
        return key not in present
    numbers = [value, *values[:1]]
    if operator not in ("Gt", "Lt") or not all(str(item).lstrip("-").isdecimal() for item in numbers):
        return False
    first, second = (int(str(item)) for item in numbers)
    return first > second if operator == "Gt" else first < second


def _split(text: str) -> list[str]:
    return [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _requirement(part: str) -> Test:
    matched = _SET.match(part)
    if matched:
        values, inside, key = {item.strip() for item in matched["values"].split(",")}, matched["op"] == "in", matched["key"]
        return lambda present: (present.get(key) in values) is inside
    matched = _PLAIN.match(part)
    if matched:
        equal, value, name = matched["op"] != "!=", matched["value"], matched["key"]
        return lambda present: (present.get(name) == value) is equal
    matched = _EXISTS.match(part)
    if matched:
        exists, label = not matched["not"], matched["key"]
        return lambda present: (label in present) is exists
    message = f"unable to parse requirement: {part}"
    raise ValueError(message)


def _field(item: Mapping[str, Any], path: str) -> str:
    value: Any = item
    for step in path.split("."):
        value = value.get(step, "") if isinstance(value, Mapping) else ""
    if isinstance(value, bool):
        return str(value).lower()
    if path == "spec.unschedulable" and value == "":
        return "false"
    return str(value)
