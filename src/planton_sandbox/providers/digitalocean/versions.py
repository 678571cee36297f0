"""The order of versions in the official plugin's library, which decides what counts as a downgrade."""

from __future__ import annotations

import re
import typing

_VERSION: typing.Final = re.compile(
    r"v?(?P<numbers>\d+(\.\d+)*)"
    r"(-(?P<early>\d+[0-9A-Za-z\-~]*(\.[0-9A-Za-z\-~]+)*)|-?(?P<named>[A-Za-z\-~]+[0-9A-Za-z\-~]*(\.[0-9A-Za-z\-~]+)*))?"
    r"(\+[0-9A-Za-z\-~]+(\.[0-9A-Za-z\-~]+)*)?"
)
_LEAST_NUMBERS = 3
_Part = tuple[int, int, str]


def is_lower(version: str, other: str) -> bool:
    """Returns whether one version is lower than another; an invalid version is never lower and never higher.

    >>> is_lower("1.33", "1.33.1-do.0"), is_lower("1.33.1-do.0", "1.33.1"), is_lower("latest", "1.33.1-do.0")
    (True, True, False)
    """
    left, right = _parse(version), _parse(other)
    return left is not None and right is not None and left < right


def _parse(text: str) -> tuple[list[int], int, list[_Part]] | None:
    matched = _VERSION.fullmatch(text)
    if matched is None:
        return None
    numbers = [int(number) for number in matched["numbers"].split(".")]
    numbers += [0] * (_LEAST_NUMBERS - len(numbers))
    early = matched["early"] or matched["named"] or ""
    # A prerelease is lower than its release, and numbers in it are lower than names.
    parts: list[_Part] = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in early.split(".") if part]
    return numbers, 0 if early else 1, parts
