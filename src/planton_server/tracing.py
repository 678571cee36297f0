"""Traces: a span for each request, with a child span for each statement. A server without ``--otlp-endpoint`` does not import this.

A request's span has the facts of its log line. A statement's span has its text, which contains no values. Event streams have no
spans, because they do not end.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter
from opentelemetry.instrumentation import grpc as grpc_instrumentation
from opentelemetry.sdk import resources
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import export

import planton

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    import grpc
    from starlette.types import ASGIApp, Receive, Scope, Send

    from planton_server.store import database

#: Facts of a log line → attributes of a span, by OpenTelemetry's conventions where one exists.
_ATTRIBUTES: Final = {
    "request_id": "planton.request_id",
    "route": "http.route",
    "method": "http.request.method",
    "status": "http.response.status_code",
    "subject": "planton.resource_id",
    "generation": "planton.generation",
}
_GRPC: Final = _ATTRIBUTES | {"route": "rpc.route", "method": "rpc.method", "status": "rpc.grpc.status"}
_FAILED: Final = frozenset({500, "INTERNAL", "UNKNOWN"})


class Traces:
    """Wraps the parts of a server to trace them."""

    def __init__(self, endpoint: str) -> None:
        """Creates an exporter that sends spans in the background.

        Args:
            endpoint: OTLP over gRPC, such as ``http://collector:4317``; ``https`` means TLS.
        """
        service = resources.Resource.create({"service.name": "planton-nodepool-api", "service.version": planton.__version__})
        self._provider = sdk.TracerProvider(resource=service, shutdown_on_exit=False)
        exporter = trace_exporter.OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https"))
        self._provider.add_span_processor(export.BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("planton")

    def store(self, store: database.Database) -> database.Database:
        """Returns a database whose statements are traced."""
        return Store(store, self._tracer)

    def app(self, app: ASGIApp) -> ASGIApp:
        """Returns an application whose requests are traced, except event streams."""
        return Requests(app, self._tracer)

    def interceptors(self) -> Sequence[grpc.aio.ServerInterceptor]:
        """Returns the interceptors that trace calls over gRPC, except health checks and reflection."""
        intercept = grpc_instrumentation.aio_server_interceptor
        return (intercept(self._provider, filter_=_is_own),)  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """Sends the remaining spans. Blocks for at most some seconds."""
        self._provider.shutdown()


def _is_own(call: grpc.HandlerCallDetails) -> bool:
    return not str(call.method).startswith("/grpc.")


def note(facts: Mapping[str, Any]) -> None:
    """Adds the facts of a request to the current span."""
    span = trace.get_current_span()
    is_call = facts["transport"] == "grpc"
    span.update_name(str(facts["route"]) if is_call else f"{facts['method']} {facts['route']}")
    for name, attribute in (_GRPC if is_call else _ATTRIBUTES).items():
        if facts.get(name):
            span.set_attribute(attribute, facts[name])
    if facts["status"] in _FAILED:
        span.set_status(trace.StatusCode.ERROR)


def traceparent() -> str | None:
    """Returns the current span in the form of the header ``traceparent``; None if there is none.

    That of a trace that is not sampled says so, and the controller does not sample it either.
    """
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


class Requests:
    """An ASGI application whose requests are traced.

    OpenTelemetry's own middleware ends the span with the last byte of the response. The facts of a request, which :func:`note`
    writes into the span, are complete only after that.
    """

    def __init__(self, app: ASGIApp, tracer: trace.Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request in a span, which is a child of the client's span if the request has one."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if "text/event-stream" in headers.get("accept", ""):
            await self._app(scope, receive, send)
            return
        with self._tracer.start_as_current_span(scope["method"], context=propagate.extract(headers), kind=trace.SpanKind.SERVER):
            await self._app(scope, receive, send)


class Store:
    """A database whose statements are traced. See :class:`planton_server.store.database.Database`."""

    def __init__(self, within: database.Database, tracer: trace.Tracer) -> None:
        self._within = within
        self._tracer = tracer
        self.name = within.name

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        """Runs one reading statement."""
        with _span(self._tracer, self.name, statement, values):
            return await self._within.rows(statement, **values)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        """Returns a context of one transaction."""
        async with self._within.transaction() as transaction:
            yield _Transaction(transaction, self._tracer)

    @contextlib.asynccontextmanager
    async def unit(self) -> AsyncIterator[database.Transaction]:
        """Returns a context for one writing statement."""
        async with self._within.unit() as transaction:
            yield _Transaction(transaction, self._tracer)

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls a function after a notification."""
        self._within.watch(changed)

    async def notify(self) -> None:
        """Notifies all servers."""
        await self._within.notify()

    def connections(self) -> tuple[int, int]:
        """Returns the number of connections in use, and the maximum."""
        return self._within.connections()

    def is_writable(self) -> bool:
        """Returns whether the database can be written."""
        return self._within.is_writable()

    async def close(self) -> None:
        """Waits for running statements and closes the connections."""
        await self._within.close()


class _Transaction:
    def __init__(self, within: database.Transaction, tracer: trace.Tracer) -> None:
        self._within = within
        self._tracer = tracer
        self.name = within.name

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        with _span(self._tracer, self.name, statement, values):
            return await self._within.rows(statement, **values)

    async def many(self, statement: database.Statement, values: Sequence[Mapping[str, Any]]) -> None:
        if values:
            with _span(self._tracer, self.name, statement, values[0]):
                await self._within.many(statement, values)


def _span(
    tracer: trace.Tracer, name: str, statement: database.Statement, values: Mapping[str, Any]
) -> contextlib.AbstractContextManager[object]:
    """Returns the span of a statement; no span outside a request."""
    if not trace.get_current_span().is_recording():
        return contextlib.nullcontext()
    text, _ = statement.compiled(name, values)
    attributes = {"db.system.name": name, "db.query.text": text}
    verb = text.split(maxsplit=1)[0]
    # A driver's error message can contain values.
    return tracer.start_as_current_span(verb, kind=trace.SpanKind.CLIENT, attributes=attributes, record_exception=False)
