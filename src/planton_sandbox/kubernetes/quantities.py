"""Quantities, such as ``500m`` CPU or ``2Gi`` memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_UNITS |= {f"{letter}i": float(1024**power) for power, letter in enumerate("KMGTPE", start=1)}
_PATTERN = re.compile(r"^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2}|)$")
_REFUSAL = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_LONGEST = 64


def parse(text: Any) -> float:
    """Returns a quantity as a number, in cores or bytes.

    Raises:
        ValueError: when it is malformed.
    """
    matched = None if isinstance(text, bool) else _PATTERN.match(str(text)[: _LONGEST + 1])
    if matched is None or len(str(text)) > _LONGEST:
        raise ValueError(_REFUSAL)
    number, unit = matched.groups()
    return float(number) * (_UNITS[unit] if unit in _UNITS else 10.0 ** int(unit[1:]))


def of(amounts: Mapping[str, Any], key: str) -> float:
    """Returns an amount out of a map such as ``requests``; 0 if it is absent."""
    return parse(amounts[key]) if key in amounts else 0.0


def cpu(cores: float) -> str:
    """Returns cores as text, in nanocores like metrics-server."""
    return f"{round(cores * 1e9)}n"


def memory(size: float) -> str:
    """Returns bytes as text, in KiB."""
    return f"{round(size / 1024)}Ki"
