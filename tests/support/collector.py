"""A collector of traces: what OpenTelemetry's exporters send to it."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that it gets."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.services: dict[bytes, str] = {}
        self.endpoint = ""

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - of the protocol
        for group in request.resource_spans:
            self.resources.append({one.key: one.value.string_value for one in group.resource.attributes})
            for scope in group.scope_spans:
                self.spans.extend(scope.spans)
                self.services |= {span.span_id: self.resources[-1].get("service.name", "") for span in scope.spans}
        return trace_service_pb2.ExportTraceServiceResponse()

    def named(self, name: str) -> Any:
        """Returns the only span of a name."""
        [span_] = [span for span in self.spans if span.name == name]
        return span_

    def of_trace(self, trace: str) -> list[Any]:
        """Returns the spans of a trace, by their begin."""
        return sorted((span for span in self.spans if span.trace_id.hex() == trace), key=lambda span: span.start_time_unix_nano)


def attributes(span: Any) -> dict[str, Any]:
    """Returns the attributes of a span."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


@contextlib.contextmanager
def running() -> Iterator[Collector]:
    """Runs a collector on a free port."""
    collector = Collector()
    listening = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, listening)
    collector.endpoint = f"http://127.0.0.1:{listening.add_insecure_port('127.0.0.1:0')}"
    listening.start()
    try:
        yield collector
    finally:
        listening.stop(0).wait()
