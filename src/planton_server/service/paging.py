"""Cursors of lists: the position after a page, as an opaque text."""

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

    from planton_server.store import audit, lists

    _Filter = lists.Filter | audit.Filter


def token(row: Mapping[str, Any], selected: _Filter) -> str:
    """Returns the cursor after a row of a list."""
    data = json.dumps([row["created_at"], row["id"], _digest(selected)]).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def place(text: str, selected: _Filter) -> tuple[str, str]:
    """Returns ``created_at`` and ``id`` of the last row before a cursor.

    Raises:
        ValueError: The text is not a cursor, or belongs to a list with another filter.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        created_at, identifier, digest = json.loads(data)
        # A caller can forge a cursor, and not every text is a valid parameter of a query.
        is_place = (
            timestamps.text(datetime.datetime.fromisoformat(created_at)) == created_at
            and str(uuid.UUID(identifier)) == identifier
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("must be the next_page_token of a previous page") from error
    if not is_place or digest != _digest(selected):
        raise ValueError("must be the next_page_token of a page of the same list, with the same filters")
    return created_at, identifier


def _digest(selected: _Filter) -> str:
    return hashlib.sha256(repr(selected).encode()).hexdigest()[:12]
