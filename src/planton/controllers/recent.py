"""Answers of clouds and clusters that several looks share."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from planton.clouds import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from planton import errors

#: Seconds for which an answer serves looks at what changes.
SECONDS: Final = 10.0


class Recent:
    """The recent answers by scope: an account, or a cluster. Thread-safe.

    Args:
        seconds: How long an answer is recent.
        clock: Returns seconds that never go back.
    """

    def __init__(self, seconds: float = SECONDS, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Has no answers yet."""
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._scopes: dict[Hashable, tuple[float, answers.Answers]] = {}
        self._silent: dict[Hashable, tuple[float, errors.PlantonError]] = {}

    def of(self, scope: Hashable, *, since: float | None = None) -> answers.Answers:
        """Returns the answers of a scope: the recent ones, else an empty collection.

        Args:
            scope: The account or the cluster.
            since: Answers from before this time of the clock do not serve; None for no such time.
        """
        with self._lock:
            now = self._clock()
            began, kept = self._scopes.get(scope, (float("-inf"), None))
            if kept is None or now - began >= self._seconds or (since is not None and began < since):
                kept = answers.Answers()
                self._scopes[scope] = (now, kept)
            return kept

    def forget(self, scope: Hashable) -> None:
        """Drops the answers of a scope, because they are errors, or because something was changed."""
        with self._lock:
            self._scopes.pop(scope, None)

    def silence(self, scope: Hashable, seconds: float, error: errors.PlantonError) -> None:
        """Keeps an error for some time, in which nobody may ask about a scope."""
        with self._lock:
            self._silent[scope] = (self._clock() + seconds, error)

    def silenced(self, scope: Hashable) -> errors.PlantonError | None:
        """Returns the error with which the other side demanded silence about a scope; None if it may be asked."""
        with self._lock:
            ends, error = self._silent.get(scope, (0.0, None))
            if error is not None and self._clock() >= ends:
                del self._silent[scope]
                return None
            return error

    def now(self) -> float:
        """Returns the time of the clock."""
        return self._clock()
