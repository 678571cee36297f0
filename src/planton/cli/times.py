"""Formats times for commands: RFC 3339 in UTC with whole seconds, durations, and ages as kubectl shows them."""

from __future__ import annotations

import datetime
from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
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


def age(text: str, now: datetime.datetime | None = None) -> str:
    """Returns the time since a moment in its largest unit, e.g. ``5d``; ``-`` for an empty or invalid text.

    Args:
        text: The moment, RFC 3339.
        now: The present; None for that of the clock.
    """
    try:
        passed = (now or datetime.datetime.now(datetime.UTC)) - datetime.datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return "-"
    seconds = max(0, int(passed.total_seconds()))
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds >= size), "0s")


def duration(seconds: float) -> str:
    """Returns a duration with tenths of seconds if it is short, e.g. ``0.4 s``, ``42 s`` or ``1 m 52 s``."""
    return f"{max(seconds, 0.0):.1f} s" if seconds < _TENTHS_BELOW else whole(seconds)


def whole(seconds: float) -> str:
    """Returns a duration in whole seconds, e.g. ``7 s``, ``1 m 40 s``, ``5 m`` or ``1 h 3 m``."""
    minutes, rest = divmod(max(int(seconds), 0), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    parts = [(hours, "h"), (minutes, "m"), (0 if hours else rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
