"""Formats times for commands: RFC 3339 in UTC, whole seconds."""

from __future__ import annotations

import datetime


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
