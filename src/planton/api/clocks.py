"""What time it is for the API: the database's clock, which all replicas share, and how it went on since it was looked at.

A time of day can be put forward or back; the seconds since the machine's start cannot. So a request's time is the database's at the last
look and the seconds since then, and a step of this machine's clock changes nothing.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that two clocks may differ before that is a step: what looks take, and what a clock is corrected by.
TOLERANCE: Final = 5.0
_TICK: Final = datetime.timedelta(microseconds=1)


def elapsed() -> float:
    """Returns seconds since some moment, which never go back, and go on while the machine sleeps where that can be had."""
    return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()


_BOOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


def utc() -> datetime.datetime:
    """Returns the time by this machine's clock."""
    return datetime.datetime.now(datetime.UTC)


class Clock:
    """The database's clock as one process knows it; this machine's until the database has been looked at."""

    def __init__(self, wall: Callable[[], datetime.datetime] = utc, timer: Callable[[], float] = elapsed) -> None:
        """Begins with this machine's clock.

        Args:
            wall: Tells the time by this machine's clock.
            timer: Tells seconds that never go back.
        """
        self._wall = wall
        self._timer = timer
        #: The database's time at a look, and the seconds then. One value, as threads read it while another one sets it.
        self._base: tuple[datetime.datetime, float] | None = None
        self._last: datetime.datetime | None = None

    def __call__(self) -> datetime.datetime:
        """Returns the time; a correction by less than a step never lets it go back."""
        now = self._now()
        last = self._last
        if last is not None and now <= last and (last - now).total_seconds() < TOLERANCE:
            now = last + _TICK
        self._last = now
        return now

    def difference(self, now: datetime.datetime, at: float) -> float:
        """Returns how many seconds the database's time at some seconds is ahead of what this clock says of them."""
        if self._base is None:
            return 0.0
        then, since = self._base
        return (now - then).total_seconds() - (at - since)

    def set(self, now: datetime.datetime, at: float) -> None:
        """Goes on from a look at the database.

        Args:
            now: The database's time.
            at: The seconds at which it was that.
        """
        self._base = now, at

    def _now(self) -> datetime.datetime:
        if self._base is None:
            return self._wall()
        then, since = self._base
        return then + datetime.timedelta(seconds=self._timer() - since)
