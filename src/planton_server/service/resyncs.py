"""The times of resync events, spread so that resources of the same age are not due at the same time.

A resource has a fixed place in the last quarter of the interval, by the random digits of its id. Resources that were due together are due
at different times in the next interval, and further apart in each one after that.
"""

from __future__ import annotations

import datetime
from typing import Final

from planton_server.service import timestamps

#: The part of the interval with the places, and their number: one for each pair of hexadecimal digits.
_PART: Final = 0.25
_PLACES: Final = 256


def times(now: datetime.datetime, interval: float) -> dict[str, str] | None:
    """Returns the next time of a resource that is due now, by the first two digits of its id; None for no resync.

    Args:
        now: The time.
        interval: The maximum seconds between two events; 0 for no resync.
    """
    if not interval:
        return None
    return {f"{place:02x}": _time(place, now, interval) for place in range(_PLACES)}


def time(identifier: str, now: datetime.datetime, interval: float) -> str | None:
    """Returns the next time of a resource; None for no resync.

    Args:
        identifier: Its id, a UUID in lower case.
        now: The time.
        interval: The maximum seconds between two events; 0 for no resync.
    """
    return _time(int(identifier[:2], 16), now, interval) if interval else None


def _time(place: int, now: datetime.datetime, interval: float) -> str:
    return timestamps.text(now + datetime.timedelta(seconds=interval * (1 - _PART * place / _PLACES)))
