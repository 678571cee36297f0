"""The API's clock: the database's time at the last read, plus the seconds since.

All replicas share the database's clock. The seconds come from a monotonic timer, so a step of this machine's clock has no effect.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that two clocks may differ before that counts as a step. It covers query latency and gradual corrections of a clock.
TOLERANCE: Final = 5.0
_TICK: Final = datetime.timedelta(microseconds=1)


def elapsed() -> float:
    """Returns monotonic seconds. They include the time that the machine sleeps, if the system supports that."""
    return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()


_BOOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


def utc() -> datetime.datetime:
    """Returns the time of this machine's clock."""
    return datetime.datetime.now(datetime.UTC)


class Clock:
    """The database's clock as seen by one process. It is this machine's clock until the database was read."""

    def __init__(self, wall: Callable[[], datetime.datetime] = utc, timer: Callable[[], float] = elapsed) -> None:
        """Begins with this machine's clock.

        Args:
            wall: Returns the time of this machine's clock.
            timer: Returns monotonic seconds.
        """
        self._wall = wall
        self._timer = timer
        #: The database's time at a read, and the timer's seconds then. One value, because threads read it while another sets it.
        self._base: tuple[datetime.datetime, float] | None = None
        self._last: datetime.datetime | None = None

    def __call__(self) -> datetime.datetime:
        """Returns the time. A correction smaller than a step never moves it back."""
        now = self._now()
        last = self._last
        if last is not None and now <= last and (last - now).total_seconds() < TOLERANCE:
            now = last + _TICK
        self._last = now
        return now

    def difference(self, now: datetime.datetime, at: float) -> float:
        """Returns by how many seconds the database's time is ahead of this clock, at given seconds of the timer."""
        if self._base is None:
            return 0.0
        then, since = self._base
        return (now - then).total_seconds() - (at - since)

    def set(self, now: datetime.datetime, at: float) -> None:
        """Sets the clock from a read of the database.

        Args:
            now: The database's time.
            at: The timer's seconds at that time.
        """
        self._base = now, at

    def _now(self) -> datetime.datetime:
        if self._base is None:
            return self._wall()
        then, since = self._base
        return then + datetime.timedelta(seconds=self._timer() - since)
