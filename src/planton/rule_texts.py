"""What a rule of the protos says in words, and the condition that must hold.

A rule in CEL is either a condition with a message of its own, or ``CONDITION ? '' : TEXT``, where the text has the values that break it
in it. Whoever describes the rule without a value (reference, schemas, definitions for Kubernetes) reads both parts here. The text ends, for
them, where something in brackets is added to it.
"""

from __future__ import annotations

import re
from typing import Any, Final

_HOLDS: Final = " ? '' : "
_LITERAL: Final = re.compile(r"'((?:[^'\\]|\\.)*)'")
#: A value between two literals: a field of ``this``, as it is or as a text.
_VALUE: Final = re.compile(r" \+ (?:string\(this\.\w+\)|this\.\w+) \+ ")


def condition(expression: str) -> str:
    """Returns the part of an expression that must be true."""
    return expression.partition(_HOLDS)[0]


def message(rule: Any) -> str:  # a validate_pb2.Rule
    """Returns what a rule says must hold, of any value."""
    if rule.message:
        return str(rule.message)
    text = rule.expression.partition(_HOLDS)[2]
    parts = []
    while literal := _LITERAL.match(text):
        parts.append(literal[1].replace("\\'", "'"))
        value = _VALUE.match(text, literal.end())
        if value is None:
            break
        text = text[value.end() :]
    return "".join(parts).replace(" ()", "").rstrip(": ")
