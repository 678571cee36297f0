"""Durations in specs, such as ``1h30m`` or ``90s``."""

from __future__ import annotations

import datetime
import re
from typing import Final

_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def parsed(text: str | None) -> datetime.timedelta | None:
    """Returns a duration; None if it is unset, or not one."""
    matched = _DURATION.fullmatch(text or "")
    if not text or matched is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in matched.groups())
    try:
        return datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return datetime.timedelta.max
