"""Scalars of YAML text: their values by field type, and the differences between YAML 1.1 and 1.2.

YAML 1.1 and 1.2 read some plain scalars differently (``no``, ``010``, ``1.30``). This module has both readings. It must not
know messages or files.
"""

from __future__ import annotations

import functools
import math
import re

#: Plain scalars that mean "nothing".
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"))
_FALSE = frozenset(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"))
BOOLEANS = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)  # values of a mapping, not arguments

# Each line is a form of one of the two versions. Sexagesimal numbers (`12:30:45`) and dates are left out: they are read as text.
_NUMBER = r"""[-+]?(?:
        0b[01_]+ | 0o[0-7_]+ | 0x[0-9a-fA-F_]+      # other bases
      | [0-9][0-9_]*                                # decimal, and octal of 1.1
      | [0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?   # 1.30, 1., 1.5e3
      | \.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?          # .5
      | [0-9][0-9_]*[eE][-+]?[0-9]+                 # 1e3 of 1.2
      | \.(?:inf|Inf|INF)
    ) | \.(?:nan|NaN|NAN)"""
_MAYBE_NUMBER = frozenset("+-.0123456789")
_OCTAL_OR_NOT = re.compile(r"[-+]?0[0-9_]+")
_INTEGER_BASES = {"0b": 2, "0o": 8, "0x": 16}
_JSON_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@functools.cache
def _number() -> re.Pattern[str]:
    # Compiled when the first scalar looks like a number, which is late, and often never.
    return re.compile(_NUMBER, re.VERBOSE)


def other_reading(text: str) -> str:
    """Returns what YAML reads a plain scalar as, if not as text: ``a number``, ``a boolean``, ``an octal number``; else empty."""
    if text in BOOLEANS:
        return "a boolean"
    if text[:1] in _MAYBE_NUMBER and _number().fullmatch(text):
        return "an octal number" if _OCTAL_OR_NOT.fullmatch(text) or text.lstrip("+-").startswith("0o") else "a number"
    return ""


def to_integer(text: str, *, quoted: bool) -> int | None:
    """Returns the integer value of a scalar; None if it is not an integer, or ambiguous (``010``)."""
    if quoted:
        return _quoted_integer(text)
    if _OCTAL_OR_NOT.fullmatch(text) or not _number().fullmatch(text):
        return None
    bare = text.replace("_", "")
    base = _INTEGER_BASES.get(bare.lstrip("+-")[:2].lower())
    try:
        return int(bare, base) if base else _integer(bare)
    except ValueError:
        return None


def _quoted_integer(text: str) -> int | None:
    # Text of digits is a number in the JSON form of messages; nothing else is, and no blanks.
    return int(text) if re.fullmatch(r"-?[0-9]{1,40}", text) else None


def _integer(text: str) -> int | None:
    if len(text) > 40:  # noqa: PLR2004  # no field holds such a number, and converting one could take long
        return None
    if text.lstrip("+-").isdigit():
        return int(text)
    value = float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf")) if text[-1] not in "nN" else math.nan
    return int(value) if math.isfinite(value) and value == int(value) else None


def to_float(text: str, *, quoted: bool) -> float | None:
    """Returns the number value of a scalar; None if it is not a number."""
    if text in _JSON_FLOATS:
        return _JSON_FLOATS[text]
    integer = to_integer(text, quoted=quoted)
    if integer is not None:
        return float(integer)
    digits = text.replace("_", "")
    if not quoted and digits.lower().lstrip("+-") in (".inf", ".nan"):
        digits = digits.replace(".", "")
    elif not _number().fullmatch(digits) or _OCTAL_OR_NOT.fullmatch(digits):
        return None
    try:
        return float(digits)
    except ValueError:
        return None
