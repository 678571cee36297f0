"""Ids of clouds: a UUID is an id, and anything else is a name or an exact id."""

from __future__ import annotations

import uuid


def is_id(text: str) -> bool:
    """Returns whether a literal is an id of the cloud (a UUID) rather than a name."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
