"""Formats times for commands: RFC 3339 in UTC, whole seconds, and ages as kubectl shows them."""

from __future__ import annotations

import datetime
from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


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
