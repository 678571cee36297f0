"""Traces of runs: what the request that has changed a resource began, the run of its work continues, down to the cloud.

A process without ``--otlp-endpoint`` does not import this.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter
from opentelemetry.sdk import resources
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import export
from opentelemetry.trace.propagation import tracecontext

import planton
from planton import errors
from planton.base import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planton.controllers import lease, queue, reconcile

_HEADER: Final = "traceparent"
_W3C: Final = tracecontext.TraceContextTextMapPropagator()


class Traces:
    """Records the spans of the runs of a process. See :class:`planton.base.telemetry.Tracer`.

    Attributes:
        endpoint: Where the spans are sent.
    """

    def __init__(self, endpoint: str, *, exporter: export.SpanExporter | None = None) -> None:
        """Creates an exporter that sends spans in the background.

        Args:
            endpoint: OTLP over gRPC, such as ``http://collector:4317``; ``https`` means TLS.
            exporter: What sends the spans; None for OTLP to the endpoint.
        """
        self.endpoint = endpoint
        service = resources.Resource.create({"service.name": "planton-controller", "service.version": planton.__version__})
        self._provider = sdk.TracerProvider(resource=service, shutdown_on_exit=False)
        is_plain = not endpoint.startswith("https")
        sent = exporter or trace_exporter.OTLPSpanExporter(endpoint=endpoint, insecure=is_plain)
        self._provider.add_span_processor(export.BatchSpanProcessor(sent))
        self._tracer = self._provider.get_tracer("planton")

    def traced(
        self, run: Callable[[queue.Work, lease.Interruption], reconcile.Done]
    ) -> Callable[[queue.Work, lease.Interruption], reconcile.Done]:
        """Returns a function that runs work in a span.

        The first run after a change, and each run of a deletion, continue the trace of the request. Later runs have traces of their
        own, with a link to it: they repeat for as long as the resource exists.
        """

        def runs(work: queue.Work, interruption: lease.Interruption) -> reconcile.Done:
            parent = _context(work.traceparent)
            cause = trace.get_current_span(parent).get_span_context()
            links = [trace.Link(cause)] if cause.is_valid and not work.is_change else []
            above = parent if work.is_change else context.Context()
            with (
                telemetry.tracing(self),
                self._started(f"reconcile {work.kind}", trace.SpanKind.CONSUMER, _facts(work), above, links) as span,
                _failing(span),
            ):
                return run(work, interruption)

        return runs

    @contextlib.contextmanager
    def span(self, name: str, facts: Mapping[str, telemetry.Fact], *, is_request: bool) -> Iterator[telemetry.Span]:
        """Returns a context that records a span below the current one."""
        kind = trace.SpanKind.CLIENT if is_request else trace.SpanKind.INTERNAL
        with self._started(name, kind, facts) as span, _failing(span):
            yield _Span(span)

    def _started(
        self,
        name: str,
        kind: trace.SpanKind,
        facts: Mapping[str, telemetry.Fact],
        above: context.Context | None = None,
        links: Sequence[trace.Link] = (),
    ) -> contextlib.AbstractContextManager[trace.Span]:
        # The text of an exception can contain values, so `_failing` records errors.
        return self._tracer.start_as_current_span(
            name,
            above,
            kind,
            attributes=dict(facts),
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        )

    @contextlib.contextmanager
    def below(self, traceparent: str) -> Iterator[None]:
        """Returns a context whose spans are below a span of another thread."""
        token = context.attach(_context(traceparent))
        try:
            yield
        finally:
            context.detach(token)

    def traceparent(self) -> str:
        """Returns the current span in the form of the header; empty if there is none."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get(_HEADER, "")

    def flush(self) -> None:
        """Sends the ended spans."""
        self._provider.force_flush()

    def stop(self) -> None:
        """Sends the remaining spans. Blocks for at most some seconds."""
        self._provider.shutdown()


class _Span:
    """A span. See :class:`planton.base.telemetry.Span`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """The header of this name for requests that belong to it."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(self._span))
        return carrier.get(_HEADER, "")

    def note(self, facts: Mapping[str, telemetry.Fact]) -> None:
        """Adds attributes."""
        self._span.set_attributes(dict(facts))


@contextlib.contextmanager
def _failing(span: trace.Span) -> Iterator[None]:
    """Records the reason of an error."""
    try:
        yield
    except Exception as error:
        reason = str(error.reason) if isinstance(error, errors.PlantonError) else type(error).__name__
        span.set_attribute("error.type", reason)
        span.set_status(trace.StatusCode.ERROR)
        raise


def _context(traceparent: str) -> context.Context:
    """Returns the context of a header; an empty one if that is invalid."""
    return _W3C.extract({_HEADER: traceparent}, context.Context())


def _facts(work: queue.Work) -> dict[str, telemetry.Fact]:
    return {
        "planton.resource_id": work.id,
        "planton.cluster_id": work.cluster_id,
        "planton.generation": work.generation,
        "planton.epoch": work.epoch,
        "planton.platform": work.platform,
        "planton.account": work.account,
    }
