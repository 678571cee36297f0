"""Traces of a server, as a collector gets them."""

from __future__ import annotations

import concurrent.futures
import pathlib
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from planton_server.service import routes
from support import serving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


LIST, GET = (next(route for route in routes.routes() if route.method == method) for method in ("ListClusters", "GetCluster"))


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that it gets."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.lines: list[dict[str, Any]] = []

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - of the protocol
        for group in request.resource_spans:
            self.resources.append({one.key: one.value.string_value for one in group.resource.attributes})
            for scope in group.scope_spans:
                self.spans.extend(scope.spans)
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Collector:
    """What a collector got of two requests, one call and an event stream."""
    collector = Collector()
    listening = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, listening)
    endpoint = f"http://127.0.0.1:{listening.add_insecure_port('127.0.0.1:0')}"
    listening.start()
    folder: pathlib.Path = tmp_path_factory.mktemp("traces")
    port = serving.free_port()
    with serving.running(folder, "--otlp-endpoint", endpoint, "--grpc-port", str(port), "--tick", "1") as server:
        headers = {"X-Request-Id": "request-1", "traceparent": PARENT}
        cluster = server.call("POST", "/clusters", serving.CLUSTER, headers=headers)
        assert server.client.get("/api/v1/nodepools/none").status_code == 400
        with server.client.stream("GET", "/api/v1/events", headers={"Accept": "text/event-stream"}) as stream:
            next(stream.iter_lines())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            metadata = (("x-user-email", serving.USER["X-User-Email"]), ("x-request-id", "request-2"))
            call = channel.unary_unary(LIST.name, LIST.request.SerializeToString, LIST.response.FromString)
            call(LIST.request(), metadata=metadata)
            get = channel.unary_unary(GET.name, GET.request.SerializeToString, GET.response.FromString)
            get(GET.request(id=cluster["id"]), metadata=metadata[:1])
        assert server.stop() == 0
        collector.lines = server.lines("request")
    listening.stop(0).wait()
    return collector


@pytest.fixture(scope="module")
def logged(traced: Collector) -> list[dict[str, Any]]:
    """The lines of the requests."""
    return traced.lines


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def named(collector: Collector, name: str) -> Any:
    [found] = [span for span in collector.spans if span.name == name]
    return found


def test_a_request_is_a_span_below_the_clients(traced: Collector) -> None:
    """With its route, its id, its answer, and what it was about."""
    span = named(traced, "POST /api/v1/clusters")
    found = attributes(span)
    assert (found["planton.request_id"], found["http.route"], found["http.response.status_code"]) == (
        "request-1",
        "/api/v1/clusters",
        201,
    )
    assert found["planton.generation"] == 1
    assert f"00-{span.trace_id.hex()}-{span.parent_span_id.hex()}-01" == PARENT
    assert traced.resources[0]["service.name"] == "planton-nodepool-api"


def test_statements_are_spans_below_their_request(traced: Collector) -> None:
    """Their texts, and no values."""
    parent = named(traced, "POST /api/v1/clusters")
    below = [attributes(span) for span in traced.spans if span.parent_span_id == parent.span_id]
    texts = [one["db.query.text"] for one in below]
    assert any(text.startswith("INSERT INTO clusters") for text in texts)
    assert any(text.startswith("INSERT INTO events") for text in texts)
    assert {one["db.system.name"] for one in below} == {"sqlite"}
    assert not any("cluster-1" in text or "user@example.com" in text for text in texts)


def test_an_error_of_the_client_is_no_error_of_the_server(traced: Collector) -> None:
    """Alerts count the latter."""
    span = named(traced, "GET /api/v1/nodepools/{id}")
    assert attributes(span)["http.response.status_code"] == 400
    assert span.status.code == 0


def test_a_call_over_grpc_is_a_span_too(traced: Collector) -> None:
    """Named as gRPC names it."""
    span = named(traced, LIST.name)
    found = attributes(span)
    assert (found["planton.request_id"], found["rpc.grpc.status"]) == ("request-2", "OK")
    assert [one for one in traced.spans if one.parent_span_id == span.span_id]


def test_streams_and_timed_work_leave_no_spans(traced: Collector) -> None:
    """They would never end, or come without end."""
    assert not [span for span in traced.spans if "events" in span.name]
    assert not [span for span in traced.spans if not span.parent_span_id and span.kind != 2]


def test_a_call_over_grpc_is_one_line_of_the_log(logged: list[dict[str, Any]]) -> None:
    """With the same facts as a request over REST."""
    [line] = [line for line in logged if line["route"] == GET.name]
    [made] = [line for line in logged if line["request_id"] == "request-1"]
    assert {name: line[name] for name in ("transport", "method", "status", "caller", "subject", "generation")} == {
        "transport": "grpc", "method": "GetCluster", "status": "OK", "caller": "user@example.com", "subject": made["subject"],
        "generation": 1,
    }  # fmt: skip
    assert set(line) == set(made)
