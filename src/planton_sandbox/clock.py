"""Time, as the simulated clouds see it.

Everything that takes time in the sandbox is a `Timer`; nothing sleeps. The
clock can be moved forward, so a test reaches the end of a ten-minute upgrade in
a microsecond. This module must not know what is being timed.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

INSTANT = "instant"
REALISTIC = "realistic"
LATENCIES = (INSTANT, REALISTIC)
# A hundred years: times computed from there still fit into a date.
MAXIMUM_OFFSET = 100 * 365.25 * 86400


class Clock:
    """The present: a source of seconds since the epoch, plus what was skipped."""

    def __init__(self, source: Callable[[], float], *, offset: float = 0.0) -> None:
        """Start ``offset`` seconds ahead of ``source``."""
        self._source = source
        self.offset = offset

    def now(self) -> float:
        """Return the simulated time in seconds since the epoch."""
        return self._source() + self.offset

    def advance(self, seconds: float) -> float:
        """Skip ``seconds`` forward and return the new time.

        Raises:
            TypeError: when ``seconds`` is no number.
            ValueError: when it is negative, or leads further than any date.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            message = "advance must be a number of seconds"
            raise TypeError(message)
        # Not a number is not in the range either.
        if not 0 <= seconds <= MAXIMUM_OFFSET - self.offset:
            message = "the clock only moves forward, and a hundred years at most"
            raise ValueError(message)
        self.offset += seconds
        return self.now()


@dataclasses.dataclass(slots=True)
class Timer:
    """When a change that is under way comes to its end.

    Attributes:
        due: The time, in seconds since the epoch, before which it is not over.
        reads: How many readers must still see the state in between.
        latest: The time at which it is over even if nobody looked.
    """

    due: float
    reads: int = 0
    latest: float | None = None

    def over(self, now: float) -> bool:
        """Say whether the change has come to its end at ``now``."""
        if self.latest is not None and now >= self.latest:
            return True
        return self.reads <= 0 and now >= self.due

    def seen(self) -> bool:
        """Count one reader; say whether that made a difference."""
        if self.reads <= 0:
            return False
        self.reads -= 1
        return True


@dataclasses.dataclass(slots=True)
class Pace:
    """How long things take: at once, or as long as the documents say."""

    latency: str = INSTANT

    def timer(self, now: float, *, seconds: float, patience: float | None = None) -> Timer:
        """Start a timer at ``now``.

        Args:
            now: The present.
            seconds: How long the change takes in realistic latency.
            patience: In instant latency, the seconds after which the change is
                over even if nobody has seen it; ``None`` waits for a reader.
        """
        if self.latency == REALISTIC:
            return Timer(due=now + seconds)
        return Timer(due=now, reads=1, latest=None if patience is None else now + patience)


def rfc3339(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC, to the second."""
    return datetime.datetime.fromtimestamp(int(seconds), tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
