"""The message of a rule of the protos, and its condition.

A rule in CEL is either a condition with its own message, or ``CONDITION ? '' : TEXT``, where the text contains the invalid
values. References, schemas and definitions for Kubernetes describe a rule without values, and read both parts here. For them the
text ends before the first addition in brackets.
"""

from __future__ import annotations

import re
from typing import Any, Final

_HOLDS: Final = " ? '' : "
_LITERAL: Final = re.compile(r"'((?:[^'\\]|\\.)*)'")
#: A value between two literals: a field of ``this``, as it is or as a text.
_VALUE: Final = re.compile(r" \+ (?:string\(this\.[\w.]+\)|this\.[\w.]+) \+ ")
#: The beginning of a choice between two texts. The first one stands for both.
_CHOICE: Final = re.compile(r"\([^']* \? (?=')")


def condition(expression: str) -> str:
    """Returns the part of an expression that must be true."""
    return expression.partition(_HOLDS)[0]


def message(rule: Any) -> str:  # a validate_pb2.Rule
    """Returns the message of a rule without values."""
    if rule.message:
        return str(rule.message)
    text = _CHOICE.sub("", rule.expression.partition(_HOLDS)[2], count=1)
    parts = []
    while literal := _LITERAL.match(text):
        parts.append(literal[1].replace("\\'", "'"))
        value = _VALUE.match(text, literal.end())
        if value is None:
            break
        text = text[value.end() :]
    return "".join(parts).replace(" ()", "").rstrip(": ")
