"""What observes requests to clouds and runs of the engine, for metrics and traces. Without an observer they cost nothing more."""

from __future__ import annotations

import contextlib
import contextvars
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Observer(Protocol):
    """What observes a run."""

    def requested(self, method: str, path: str, status: int, headers: Mapping[str, str], seconds: float) -> None:
        """Observes a request to a cloud.

        Args:
            method: The HTTP method.
            path: The path.
            status: The HTTP status; 0 without an answer.
            headers: Those of the answer, by name in lower case.
            seconds: The duration.
        """
        ...

    def engine_ran(self, command: str, code: int, seconds: float) -> None:
        """Observes a run of the engine.

        Args:
            command: What it was asked for, such as ``up``.
            code: Its exit code.
            seconds: The duration.
        """
        ...


class _Nobody:
    def requested(self, method: str, path: str, status: int, headers: Mapping[str, str], seconds: float) -> None:
        pass

    def engine_ran(self, command: str, code: int, seconds: float) -> None:
        pass


_OBSERVER: Final[contextvars.ContextVar[Observer]] = contextvars.ContextVar("observer", default=_Nobody())  # noqa: B039  # it has no state


def observer() -> Observer:
    """Returns the observer of this run."""
    return _OBSERVER.get()


@contextlib.contextmanager
def observing(chosen: Observer) -> Iterator[None]:
    """Sets the observer of a run. Threads that it starts must copy its context."""
    token = _OBSERVER.set(chosen)
    try:
        yield
    finally:
        _OBSERVER.reset(token)
