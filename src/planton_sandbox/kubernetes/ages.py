"""Durations as kubectl prints them."""

from __future__ import annotations

from planton_sandbox import clock

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def age(created: str, *, now: float) -> str:
    """Returns the time since ``created`` as kubectl prints it, in one or two units."""
    seconds = max(int(now - clock.parse(created)), 0)
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 10 * _MINUTE:
        return _two(seconds, _MINUTE, "m", 1, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two(seconds, _HOUR, "h", _MINUTE, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    return f"{seconds // _DAY}d"


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_name}" + (f"{rest}{small_name}" if rest else "")
