"""The lease of a process on its work, and the interruption of work whose lease may have ended.

The clock is that of the system since its start: it goes on while a process or the machine is suspended, and nobody sets it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from planton import errors
from planton.base import interruption

if TYPE_CHECKING:
    from collections.abc import Callable

#: The part of a lease after which work stops, so that it has ended before another process begins.
_USED: Final = 0.75
#: Interruptions after which an engine is killed at once.
_AT_ONCE: Final = 2


def clock() -> float:
    """Returns the seconds since the start of the system, those of a suspension included."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """The lease of this process. Thread-safe."""

    def __init__(self, tell: Callable[[float], None] = lambda _ends: None, *, now: Callable[[], float] = clock) -> None:
        """Begins without a lease.

        Args:
            tell: Receives the end of each renewed lease, on the clock.
            now: Returns the time of the clock.
        """
        self._tell = tell
        self._now = now
        self._lock = threading.Lock()
        self._ends = float("-inf")

    def renewed(self, asked: float, seconds: float) -> None:
        """Records a renewal.

        Args:
            asked: The time of the request: the server may have begun to count then.
            seconds: The duration of the lease.
        """
        with self._lock:
            self._ends = max(self._ends, asked + seconds * _USED)
            ends = self._ends
        self._tell(ends)

    @property
    def is_over(self) -> bool:
        """Whether the lease may have ended."""
        with self._lock:
            return self._now() >= self._ends

    def now(self) -> float:
        """Returns the time of the clock."""
        return self._now()


class Interruption(interruption.Interruption):
    """The interruption of a run: by the end of its lease, by the loss of its work, or because the process stops."""

    def __init__(self, lease: Lease) -> None:
        super().__init__()
        self._lease = lease
        self.is_lost = False

    def lose(self) -> None:
        """Stops the run at once: another process may work on the resource."""
        self.is_lost = True
        while self.times < _AT_ONCE:
            self.ask()

    def check(self) -> None:
        """Raises if the run must not begin anything new.

        Raises:
            PlantonError: ``INTERRUPTED``.
        """
        if self._lease.is_over:
            self.lose()
        super().check()


def is_interruption(error: BaseException) -> bool:
    """Returns whether an error is that of an interrupted run."""
    return isinstance(error, errors.PlantonError) and error.reason is errors.Reason.INTERRUPTED
