"""Traces of runs: one trace from the request that changes a resource to the requests that reach the cloud."""

from __future__ import annotations

import contextlib
import http.server
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export import in_memory_span_exporter

from planton import errors
from planton.base import telemetry, web
from planton.client import transport
from planton.controllers import lease, queue, reconcile, tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DONE = reconcile.Done(1, None)


def work(**values: object) -> queue.Work:
    return queue.Work("pool-1", "NodePool", "cluster-1", "civo", 3, generation=2, **values)  # type: ignore[arg-type]


class Traced:
    """Traces runs, and has their spans."""

    def __init__(self) -> None:
        self._exporter = in_memory_span_exporter.InMemorySpanExporter()
        self._traces = tracing.Traces("http://127.0.0.1:4317", exporter=self._exporter)

    def run(self, about: queue.Work, run: Callable[[queue.Work, lease.Interruption], reconcile.Done]) -> dict[str, Any]:
        """Runs work, and returns name → span."""
        self._exporter.clear()
        self._traces.traced(run)(about, lease.Interruption(lease.Lease()))
        return self.spans()

    def spans(self) -> dict[str, Any]:
        self._traces.flush()
        return {span.name: span for span in self._exporter.get_finished_spans()}


@contextlib.contextmanager
def cloud(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Runs a server, and yields its address and the traceparents of its requests."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("traceparent", ""))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_first_run_after_a_change_continues_the_trace_of_the_request_to_the_cloud() -> None:
    """The cloud gets the span of its request, without the query, which could have secrets."""
    with cloud() as (url, seen):

        def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
            with telemetry.span("observe"):
                web.request("GET", f"{url}/v2/quota?token=secret", headers={})
            return DONE

        spans = Traced().run(work(is_change=True, traceparent=PARENT), run)
    root, observe, request = (spans[name] for name in ("reconcile NodePool", "observe", "GET /v2/quota"))
    assert f"{root.context.trace_id:032x}" == PARENT[3:35]
    assert f"{root.parent.span_id:016x}" == PARENT[36:52]
    assert (observe.parent.span_id, request.parent.span_id) == (root.context.span_id, observe.context.span_id)
    assert (root.attributes["planton.resource_id"], root.attributes["planton.generation"]) == ("pool-1", 2)
    assert request.attributes["http.response.status_code"] == 200
    [sent] = seen
    assert sent[:52] == f"00-{request.context.trace_id:032x}-{request.context.span_id:016x}"
    assert not any("secret" in str(span.to_json()) for span in spans.values())


@pytest.mark.parametrize("traceparent", [PARENT, "", "invalid"])
def test_later_runs_have_traces_of_their_own_with_a_link(traceparent: str) -> None:
    """They repeat for as long as the resource exists. Without a valid span of the request there is no link."""
    root = Traced().run(work(traceparent=traceparent), lambda *_: DONE)["reconcile NodePool"]
    assert root.parent is None
    assert f"{root.context.trace_id:032x}" != PARENT[3:35]
    assert [f"{link.context.trace_id:032x}" for link in root.links] == ([PARENT[3:35]] if traceparent == PARENT else [])


def test_a_trace_that_is_not_sampled_has_no_spans() -> None:
    """The cloud's request says so, too."""
    with cloud() as (url, seen):

        def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
            web.request("GET", url, headers={})
            return DONE

        assert Traced().run(work(is_change=True, traceparent=f"{PARENT[:-2]}00"), run) == {}
    assert [(each[3:35], int(each[-2:], 16) & 1) for each in seen] == [(PARENT[3:35], 0)]


def test_an_error_is_in_the_span_without_its_text() -> None:
    """The text can contain values."""

    def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        with contextlib.suppress(errors.PlantonError), telemetry.span("plan"):
            raise errors.PlantonError("the value secret is wrong", reason=errors.Reason.CLOUD_AUTH)
        return DONE

    span = Traced().run(work(), run)["plan"]
    assert (span.attributes["error.type"], span.status.is_ok) == ("CLOUD_AUTH", False)
    assert "secret" not in span.to_json()


def test_a_failed_run_is_an_error_and_raises_it() -> None:
    """The queue gets the error as without traces."""

    def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        raise errors.PlantonError("the value secret is wrong", reason=errors.Reason.API_UNREACHABLE)

    traced = Traced()
    with pytest.raises(errors.PlantonError):
        traced.run(work(), run)
    [span] = traced.spans().values()
    assert (span.attributes["error.type"], span.status.is_ok) == ("API_UNREACHABLE", False)
    assert "secret" not in span.to_json()


def test_requests_to_the_api_and_threads_of_a_run_belong_to_its_trace() -> None:
    """Those of a thread that another library starts, too."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("traceparent", ""))
        return httpx.Response(200, json={})

    def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        carried = telemetry.carried()

        def program() -> None:
            with carried(), telemetry.span("look up"):
                pass

        thread = threading.Thread(target=program)
        thread.start()
        thread.join()
        api.request("GET", "/api/v1/work")
        return DONE

    with transport.Transport("http://127.0.0.1:1", transport=httpx.MockTransport(answer)) as api:
        spans = Traced().run(work(is_change=True, traceparent=PARENT), run)
        api.request("GET", "/api/v1/work")
    root = spans["reconcile NodePool"]
    assert spans["look up"].parent.span_id == root.context.span_id
    assert seen == [f"00-{root.context.trace_id:032x}-{root.context.span_id:016x}-{seen[0][-2:]}", ""]


def test_without_traces_no_header_is_sent_and_nothing_of_opentelemetry_is_loaded() -> None:
    """Spans are a context that does nothing."""
    with cloud() as (url, seen), telemetry.span("observe") as span:
        web.request("GET", url, headers={})
    assert (seen, span.traceparent, telemetry.traceparent(), telemetry.endpoint()) == ([""], "", {}, "")
    modules = "planton, planton.client, planton.cli.controller, planton.cli.controller_watching"
    program = f"import sys, {modules}; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
