"""Cursors of lists: where a page ends, as a text that only this server reads."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

from planton_server.service import timestamps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton_server.store import lists


def token(row: Mapping[str, Any], wanted: lists.Filter) -> str:
    """Returns the cursor after a row of a list."""
    data = json.dumps([row["created_at"], row["id"], _digest(wanted)]).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def place(text: str, wanted: lists.Filter) -> tuple[str, str]:
    """Returns ``created_at`` and ``id`` of the row that a cursor stands after.

    Raises:
        ValueError: It is no cursor, or one of a list with another filter.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        created_at, identifier, digest = json.loads(data)
        # A caller can write what looks like a cursor; not every text can be asked of a database.
        is_place = (
            timestamps.text(datetime.datetime.fromisoformat(created_at)) == created_at
            and str(uuid.UUID(identifier)) == identifier
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("must be the next_page_token of another answer") from error
    if not is_place or digest != _digest(wanted):
        raise ValueError("must be the next_page_token of an answer to the same question")
    return created_at, identifier


def _digest(wanted: lists.Filter) -> str:
    return hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]
