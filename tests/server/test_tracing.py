"""Traces of a server, as a collector gets them."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import grpc
import pytest

from planton_server.service import routes
from support import collector as collectors
from support import serving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: A trace that its client does not sample.
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
CONTROLLER = {"X-User-Email": "controller@system.local"}


LIST, GET = (next(route for route in routes.routes() if route.method == method) for method in ("ListClusters", "GetCluster"))


@dataclasses.dataclass
class Traced:
    """What a collector got, the lines of the log, and the work that was claimed."""

    collector: collectors.Collector
    lines: list[dict[str, Any]]
    claimed: list[dict[str, Any]]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """What a collector got of requests, calls and an event stream."""
    folder: pathlib.Path = tmp_path_factory.mktemp("traces")
    port = serving.free_port()
    with (
        collectors.running() as collector,
        serving.running(folder, "--otlp-endpoint", collector.endpoint, "--grpc-port", str(port), "--tick", "1") as server,
    ):
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
        claimed = claims_after_changes(server, cluster["id"])
        assert server.stop() == 0
        return Traced(collector, server.lines("request"), claimed)


def claims_after_changes(server: serving.Server, cluster: str) -> list[dict[str, Any]]:
    """Claims the work of a cluster three times: after its creation, after a look, and after its deletion."""
    claimed = []
    for number in range(3):
        if number == 2:
            server.call("DELETE", f"/clusters/{cluster}", headers={"traceparent": OTHER})
        claim = {"process": "p", "platforms": ["gcp"], "limit": 1, "wait": "5s"}
        [item] = server.call("POST", "/work/claims", claim, headers=CONTROLLER)["items"]
        claimed.append(item)
        result = {"id": cluster, "epoch": item["epoch"], "generation": 1, "outcome": "SUCCEEDED", "next_look": "0s"}
        server.call("POST", "/work/results", {"process": "p", "results": [result]}, headers=CONTROLLER)
    return claimed


def test_a_request_is_a_span_below_the_clients(traced: Traced) -> None:
    """With its route, its id, its answer, and what it was about."""
    span = traced.collector.named("POST /api/v1/clusters")
    attributes = collectors.attributes(span)
    assert (attributes["planton.request_id"], attributes["http.route"], attributes["http.response.status_code"]) == (
        "request-1",
        "/api/v1/clusters",
        201,
    )
    assert attributes["planton.generation"] == 1
    assert f"00-{span.trace_id.hex()}-{span.parent_span_id.hex()}-01" == PARENT
    assert traced.collector.resources[0]["service.name"] == "planton-nodepool-api"


def test_statements_are_spans_below_their_request(traced: Traced) -> None:
    """Their texts, and no values."""
    parent = traced.collector.named("POST /api/v1/clusters")
    below = [collectors.attributes(span) for span in traced.collector.spans if span.parent_span_id == parent.span_id]
    texts = [one["db.query.text"] for one in below]
    assert any(text.startswith("INSERT INTO clusters") for text in texts)
    assert any(text.startswith("INSERT INTO events") for text in texts)
    assert {one["db.system.name"] for one in below} == {"sqlite"}
    assert not any("cluster-1" in text or "user@example.com" in text for text in texts)


def test_an_error_of_the_client_is_no_error_of_the_server(traced: Traced) -> None:
    """Alerts count the latter."""
    span = traced.collector.named("GET /api/v1/nodepools/{id}")
    assert collectors.attributes(span)["http.response.status_code"] == 400
    assert span.status.code == 0


def test_a_call_over_grpc_is_a_span_too(traced: Traced) -> None:
    """Named as gRPC names it."""
    span = traced.collector.named(LIST.name)
    attributes = collectors.attributes(span)
    assert (attributes["planton.request_id"], attributes["rpc.grpc.status"]) == ("request-2", "OK")
    assert [one for one in traced.collector.spans if one.parent_span_id == span.span_id]


def test_streams_and_timed_work_leave_no_spans(traced: Traced) -> None:
    """They would never end, or come without end."""
    assert not [span for span in traced.collector.spans if "events" in span.name]
    assert not [span for span in traced.collector.spans if not span.parent_span_id and span.kind != 2]


def test_a_call_over_grpc_is_one_line_of_the_log(traced: Traced) -> None:
    """With the same facts as a request over REST."""
    [line] = [line for line in traced.lines if line["route"] == GET.name]
    [made] = [line for line in traced.lines if line["request_id"] == "request-1"]
    assert {name: line[name] for name in ("transport", "method", "status", "caller", "subject", "generation")} == {
        "transport": "grpc", "method": "GetCluster", "status": "OK", "caller": "user@example.com", "subject": made["subject"],
        "generation": 1,
    }  # fmt: skip
    assert set(line) == set(made)


def test_claimed_work_has_the_span_of_the_change(traced: Traced) -> None:
    """Also after a look, with the generation that it has observed; a deletion has a span of its own."""
    created, seen, deleted = traced.claimed
    posted = traced.collector.named("POST /api/v1/clusters")
    assert created["traceparent"] == f"00-{posted.trace_id.hex()}-{posted.span_id.hex()}-{created['traceparent'][-2:]}"
    assert created["traceparent"].startswith(PARENT[:36])
    assert seen["traceparent"] == created["traceparent"]
    assert [each.get("done_generation", 0) for each in (created, seen)] == [0, 1]
    assert deleted["traceparent"].startswith(OTHER[:36])


def test_a_trace_that_is_not_sampled_stays_so(traced: Traced) -> None:
    """The server sends no spans of it, and the controller learns that it must not either."""
    deleted = traced.claimed[-1]["traceparent"]
    assert [int(each["traceparent"][-2:], 16) & 1 for each in traced.claimed] == [1, 1, 0]
    assert not [span for span in traced.collector.spans if span.trace_id.hex() == deleted[3:35]]
