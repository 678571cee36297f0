"""The controller names under which a caller may report, with ``*`` for any characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The pattern that every name matches.
ANY: Final = ("*",)
#: The form of a pattern: at most as long as a controller's name, without spaces.
_PATTERN: Final = re.compile(r"[!-~]{1,253}", re.ASCII)
_MOST: Final = 20


def checked(patterns: Iterable[str]) -> tuple[str, ...]:
    """Returns validated patterns.

    Raises:
        ValueError: A pattern is invalid, or there are none or too many.
    """
    listed = tuple(patterns)
    if not 1 <= len(listed) <= _MOST:
        raise ValueError(f"must be 1 to {_MOST} names")
    for pattern in listed:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError("a controller's name has 1 to 253 visible characters of ASCII, with * for any of them")
    return listed


def stored(patterns: Sequence[str]) -> str:
    """Returns patterns in the form that the database stores."""
    return " ".join(patterns)


def read(text: str | None) -> tuple[str, ...]:
    """Returns the patterns of a row that :func:`stored` wrote; any name for a row of an older release."""
    return ANY if text is None else tuple(text.split())


def includes(patterns: Iterable[str], name: str) -> bool:
    """Returns whether a name matches at least one pattern."""
    return any(_matches(pattern, name) for pattern in patterns)


def _matches(pattern: str, name: str) -> bool:
    """Returns whether a name matches a pattern, in time linear in their lengths."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == first
    last = rest.pop()
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in rest:
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
