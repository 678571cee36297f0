"""When what is wanted is told again: not of all resources at once, although many were made, or were due, at the same time.

Each resource has its place in the last quarter of the interval, by its id, whose digits are random; so those that were told together
are told apart from each other the next time, and further apart each time after that.
"""

from __future__ import annotations

import datetime
from typing import Final

from planton_server.service import timestamps

#: What of the interval the places are spread over, and how many there are: one for each two hexadecimal digits.
_PART: Final = 0.25
_PLACES: Final = 256


def times(now: datetime.datetime, interval: float) -> dict[str, str] | None:
    """Returns when a resource that is told now is told next, by the first two digits of its id; None for never.

    Args:
        now: The time.
        interval: Seconds between two times, at most; 0 for none.
    """
    if not interval:
        return None
    return {f"{place:02x}": _time(place, now, interval) for place in range(_PLACES)}


def time(identifier: str, now: datetime.datetime, interval: float) -> str | None:
    """Returns when a resource is told next, as :func:`times` has it.

    Args:
        identifier: Its id, a UUID in lower case.
        now: The time.
        interval: Seconds between two times, at most; 0 for none.
    """
    return _time(int(identifier[:2], 16), now, interval) if interval else None


def _time(place: int, now: datetime.datetime, interval: float) -> str:
    return timestamps.text(now + datetime.timedelta(seconds=interval * (1 - _PART * place / _PLACES)))
