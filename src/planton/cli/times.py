"""Formats times for commands: RFC 3339 in UTC with whole seconds, and durations."""

from __future__ import annotations

import datetime
from typing import Final

_MINUTE: Final = 60
_TENTHS_BELOW: Final = 10.0


def utc(text: str) -> str:
    """Returns a time in UTC, e.g. ``2026-11-29T15:30:00Z``; ``-`` for an empty text, and an invalid time unchanged."""
    if not text:
        return "-"
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """Returns a duration with tenths of seconds if it is short, e.g. ``0.4 s``, ``42 s`` or ``1 m 52 s``."""
    return f"{max(seconds, 0.0):.1f} s" if seconds < _TENTHS_BELOW else whole(seconds)


def whole(seconds: float) -> str:
    """Returns a duration in whole seconds, e.g. ``7 s``, ``1 m 40 s``, ``5 m`` or ``1 h 3 m``."""
    minutes, rest = divmod(max(int(seconds), 0), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    parts = [(hours, "h"), (minutes, "m"), (0 if hours else rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
