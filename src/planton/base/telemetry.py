"""What observes requests to clouds and runs of the engine, for metrics and traces. Without an observer they cost nothing more.

A trace has spans, each with the traceparent that the next program continues: W3C Trace Context.
"""

from __future__ import annotations

import contextlib
import contextvars
import types
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    #: The value of an attribute of a span.
    Fact = str | int | float | bool


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


class Span(Protocol):
    """A part of a run, with a begin and an end."""

    @property
    def traceparent(self) -> str:
        """The header of this name for requests that belong to it; empty if the run is not traced."""
        ...

    def note(self, facts: Mapping[str, Fact]) -> None:
        """Adds attributes."""
        ...


class Tracer(Protocol):
    """What records spans.

    Attributes:
        endpoint: Where it sends them, for programs that send their own: the URL of OTLP over gRPC.
    """

    endpoint: str

    def span(self, name: str, facts: Mapping[str, Fact], *, is_request: bool) -> contextlib.AbstractContextManager[Span]:
        """Returns a context that records a span below the current one. An exception that leaves it is its error.

        Args:
            name: Its name.
            facts: Its attributes.
            is_request: Whether another program answers it.
        """
        ...

    def traceparent(self) -> str:
        """Returns the header of this name for requests that belong to the current span; empty if there is none."""
        ...

    def below(self, traceparent: str) -> contextlib.AbstractContextManager[None]:
        """Returns a context whose spans are below a span of another thread."""
        ...


class _NoSpan:
    """The span of a run that is not traced."""

    traceparent = ""

    def note(self, facts: Mapping[str, Fact]) -> None:
        pass

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        pass


_NO_SPAN: Final = _NoSpan()
_NO_FACTS: Final[Mapping[str, Fact]] = types.MappingProxyType({})
_TRACER: Final[contextvars.ContextVar[Tracer | None]] = contextvars.ContextVar("tracer", default=None)


@contextlib.contextmanager
def tracing(chosen: Tracer) -> Iterator[None]:
    """Sets the tracer of a run. Threads that it starts must copy its context."""
    token = _TRACER.set(chosen)
    try:
        yield
    finally:
        _TRACER.reset(token)


def span(
    name: str, facts: Mapping[str, Fact] = _NO_FACTS, *, is_request: bool = False
) -> contextlib.AbstractContextManager[Span]:
    """Returns a context that records a span of this run, if it is traced.

    Args:
        name: Its name.
        facts: Its attributes.
        is_request: Whether another program answers it.
    """
    tracer = _TRACER.get()
    return _NO_SPAN if tracer is None else tracer.span(name, facts, is_request=is_request)


def request(method: str, host: str, path: str) -> contextlib.AbstractContextManager[Span]:
    """Returns a context that records an HTTP request of this run, with the attributes of OpenTelemetry's conventions.

    Args:
        method: The method.
        host: The server.
        path: The path, without the query, which may contain secrets.
    """
    facts = {"http.request.method": method, "server.address": host, "url.path": path}
    return span(f"{method} {path}", facts, is_request=True)


def traceparent() -> dict[str, str]:
    """Returns the header that makes a request part of the current span; no header if the run is not traced."""
    tracer = _TRACER.get()
    value = "" if tracer is None else tracer.traceparent()
    return {"traceparent": value} if value else {}


def endpoint() -> str:
    """Returns where the spans of this run are sent; empty if it is not traced."""
    tracer = _TRACER.get()
    return "" if tracer is None else tracer.endpoint


def carried() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Returns a function whose context belongs to this run in a thread that others start, such as that of a program."""
    chosen, tracer = _OBSERVER.get(), _TRACER.get()
    value = "" if tracer is None else tracer.traceparent()

    @contextlib.contextmanager
    def carry() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(observing(chosen))
            if tracer is not None:
                stack.enter_context(tracing(tracer))
                stack.enter_context(tracer.below(value))
            yield

    return carry
