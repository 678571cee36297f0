"""The time of the simulated clouds.

Everything that takes time in the sandbox is a `Timer`; nothing sleeps. The clock can be moved forward, so a test reaches the
end of a ten-minute upgrade in a microsecond. This module is independent of the timed resources.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

INSTANT = "instant"
REALISTIC = "realistic"
LATENCIES = (INSTANT, REALISTIC)
# A hundred years: a time computed from there is still a valid date.
MAXIMUM_OFFSET = 100 * 365.25 * 86400


class Clock:
    """The simulated time: a source of seconds since the epoch, plus an offset."""

    def __init__(self, source: Callable[[], float], *, offset: float = 0.0) -> None:
        """Creates a clock that is ``offset`` seconds ahead of ``source``."""
        self._source = source
        self.offset = offset

    def now(self) -> float:
        """Returns the simulated time in seconds since the epoch."""
        return self._source() + self.offset

    def advance(self, seconds: float) -> float:
        """Moves the time forward by ``seconds`` and returns the new time.

        Raises:
            TypeError: when ``seconds`` is not a number.
            ValueError: when it is negative, or the new time is too far ahead.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            message = f"advance ({seconds!r}) must be a number of seconds"
            raise TypeError(message)
        # This refuses NaN, too.
        if not 0 <= seconds <= MAXIMUM_OFFSET - self.offset:
            message = (
                f"advance ({seconds}) must be from 0 to {MAXIMUM_OFFSET - self.offset:.0f} seconds: the clock only moves forward"
            )
            raise ValueError(message)
        self.offset += seconds
        return self.now()


@dataclasses.dataclass(slots=True)
class Timer:
    """The end of a change that is in progress.

    Attributes:
        due: The earliest end, in seconds since the epoch.
        reads: How many more reads must see the change in progress.
        latest: The end without any read, in seconds since the epoch; ``None`` to wait for reads.
    """

    due: float
    reads: int = 0
    latest: float | None = None

    def is_over(self, now: float) -> bool:
        """Returns whether the change has ended at ``now``."""
        if self.latest is not None and now >= self.latest:
            return True
        return self.reads <= 0 and now >= self.due

    def count_read(self) -> bool:
        """Counts one read and returns whether the timer was waiting for it."""
        if self.reads <= 0:
            return False
        self.reads -= 1
        return True


@dataclasses.dataclass(slots=True)
class Pace:
    """How long changes take: no time, or as long as the clouds' documentation says."""

    latency: str = INSTANT

    def timer(self, now: float, *, seconds: float, instant_seconds: float | None = None) -> Timer:
        """Creates a timer that starts at ``now``.

        Args:
            now: The current time in seconds since the epoch.
            seconds: How long the change takes in realistic latency.
            instant_seconds: In instant latency, the seconds after which the change
                ends without a read; ``None`` waits for a read.
        """
        if self.latency == REALISTIC:
            return Timer(due=now + seconds)
        return Timer(due=now, reads=1, latest=None if instant_seconds is None else now + instant_seconds)


def rfc3339(seconds: float) -> str:
    """Returns a time as RFC 3339 in UTC, to the second."""
    return datetime.datetime.fromtimestamp(int(seconds), tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> float:
    """Returns a time in RFC 3339 in seconds since the epoch; without a zone it is in UTC.

    Raises:
        ValueError: when it is malformed.
    """
    moment = datetime.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
