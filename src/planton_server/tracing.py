"""Traces, where the operator wants them: a span for each request, one below it for each statement. Without them nothing here runs.

A span of a request has what its line in the log has; of a statement its text, in which there are no values. Event streams have none:
they never end.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import grpc
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter
from opentelemetry.sdk import resources
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import export

import planton

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from planton_server.store import database

#: Facts of a log line → attributes of a span, by OpenTelemetry's conventions where it has one.
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
    """What is put around the parts of a server so that they are traced."""

    def __init__(self, endpoint: str) -> None:
        """Prepares to send spans in the background.

        Args:
            endpoint: Of OTLP over gRPC, such as ``http://collector:4317``; with TLS where it begins with ``https``.
        """
        about = resources.Resource.create({"service.name": "planton-nodepool-api", "service.version": planton.__version__})
        self._provider = sdk.TracerProvider(resource=about, shutdown_on_exit=False)
        exporter = trace_exporter.OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https"))
        self._provider.add_span_processor(export.BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("planton")

    def store(self, store: database.Database) -> database.Database:
        """Returns a database whose statements are traced."""
        return Store(store, self._tracer)

    def app(self, app: ASGIApp) -> ASGIApp:
        """Returns an application whose requests are traced."""
        return Requests(app, self._tracer)

    def interceptors(self) -> Sequence[grpc.aio.ServerInterceptor]:
        """Returns what traces calls over gRPC."""
        return (Interceptor(self._tracer),)

    def stop(self) -> None:
        """Sends what is left. Blocks, for some seconds at most."""
        self._provider.shutdown()


def note(facts: Mapping[str, Any]) -> None:
    """Writes the facts of a request into the span that is around it."""
    span = trace.get_current_span()
    over_grpc = facts["transport"] == "grpc"
    span.update_name(str(facts["route"]) if over_grpc else f"{facts['method']} {facts['route']}")
    for name, attribute in (_GRPC if over_grpc else _ATTRIBUTES).items():
        if facts.get(name):
            span.set_attribute(attribute, facts[name])
    if facts["status"] in _FAILED:
        span.set_status(trace.StatusCode.ERROR)


class Requests:
    """An ASGI application whose requests are traced."""

    def __init__(self, app: ASGIApp, tracer: trace.Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request within a span, below that of the client where it has one."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if "text/event-stream" in headers.get("accept", ""):
            await self._app(scope, receive, send)
            return
        with self._tracer.start_as_current_span(scope["method"], context=propagate.extract(headers), kind=trace.SpanKind.SERVER):
            await self._app(scope, receive, send)


class Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Traces calls over gRPC."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any) -> Any:
        """Returns what handles a call, within a span, below that of the client where it has one."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        metadata = {key: value for key, value in handler_call_details.invocation_metadata if isinstance(value, str)}

        async def traced(request: Any, context: Any) -> Any:  # the method's messages
            with self._tracer.start_as_current_span(
                handler_call_details.method,
                context=propagate.extract(metadata),
                kind=trace.SpanKind.SERVER,
                record_exception=False,
                set_status_on_exception=False,
            ):
                return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            traced, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )


class Store:
    """A database whose statements are traced. See :class:`planton_server.store.database.Database`."""

    def __init__(self, within: database.Database, tracer: trace.Tracer) -> None:
        self._within = within
        self._tracer = tracer
        self.name = within.name

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        """Runs one statement that reads."""
        with _span(self._tracer, self.name, statement, values):
            return await self._within.rows(statement, **values)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        """Returns a context of one transaction."""
        async with self._within.transaction() as transaction:
            yield _Transaction(transaction, self._tracer)

    @contextlib.asynccontextmanager
    async def unit(self) -> AsyncIterator[database.Transaction]:
        """Returns a context for one statement that writes."""
        async with self._within.unit() as transaction:
            yield _Transaction(transaction, self._tracer)

    def connections(self) -> tuple[int, int]:
        """Returns how many connections are in use, and how many there may be."""
        return self._within.connections()

    def is_writable(self) -> bool:
        """Returns whether the database can be written."""
        return self._within.is_writable()

    async def close(self) -> None:
        """Waits for what is running and closes the connections."""
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
    """Returns the span of a statement; none outside of a request, for nobody asked for that."""
    if not trace.get_current_span().is_recording():
        return contextlib.nullcontext()
    text, _ = statement.compiled(name, values)
    attributes = {"db.system.name": name, "db.query.text": text}
    verb = text.split(maxsplit=1)[0]
    # What a driver says of an error can hold values.
    return tracer.start_as_current_span(verb, kind=trace.SpanKind.CLIENT, attributes=attributes, record_exception=False)
