"""Work that grows with the world, such as writing its state: done at once in a small world, and seldom enough in a large one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

#: The part of the time that it may take in a large world.
SHARE = 0.1


class Spared:
    """Decides whether such work is done now.

    Args:
        is_large: Returns whether the world is large. What happens in a small one must not depend on how fast the machine is.
        clock: Returns seconds.
    """

    def __init__(self, is_large: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        """Does the first work at once."""
        self._is_large = is_large
        self._clock = clock
        self._next = float("-inf")
        self.is_late = False

    def do(self, work: Callable[[], None], *, always: bool = False) -> None:
        """Does the work, unless it was done too recently for what it takes; then `is_late` is true.

        Args:
            work: The work.
            always: Whether to do it in any case.
        """
        began = self._begin(always=always)
        if began is not None:
            work()
            self._end(began)

    async def do_async(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does the work, unless it was done too recently for what it takes; then `is_late` is true."""
        began = self._begin(always=False)
        if began is not None:
            await work()
            self._end(began)

    def _begin(self, *, always: bool) -> float | None:
        began = self._clock()
        self.is_late = not always and began < self._next and self._is_large()
        return None if self.is_late else began

    def _end(self, began: float) -> None:
        now = self._clock()
        self._next = now + (now - began) / SHARE
