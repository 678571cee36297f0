"""NodePoolSize: its requests, and how it reads responses, against a server of this file."""

from __future__ import annotations

import collections
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from planton.modules.civo import pool_size

CLUSTER, POOL = "c-1", "workers"
NOT_FOUND = '{"code":"database_cluster_pool_not_found","reason":"not found"}'


class Cloud:
    """A cloud with scripted responses. The last one repeats."""

    def __init__(self) -> None:
        self.responses: collections.deque[tuple[int, str]] = collections.deque()
        self.requests: list[tuple[str, str, Any, str]] = []
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_PUT(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: Any) -> None:
                cloud.requests.append((self.command, self.path, body, self.headers["Authorization"]))
                status, text = (200, "{}") if self.command == "PUT" else cloud.next()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                """Keeps the test output quiet."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def next(self) -> tuple[int, str]:
        return self.responses.popleft() if len(self.responses) > 1 else self.responses[0]

    def respond_with_nodes(self, *states: str, count: int | None = None) -> None:
        """Adds a response: a cluster whose pool has nodes in these states."""
        nodes = [{"id": f"id-{number}", "hostname": f"node-{number}", "status": state} for number, state in enumerate(states)]
        pools = [{"id": "other", "count": 9}, {"id": POOL, "count": len(states) if count is None else count, "instances": nodes}]
        self.responses.append((200, json.dumps({"id": CLUSTER, "pools": pools})))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


class Time:
    """A clock that advances with each sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud without responses. The environment has no other token or address."""
    monkeypatch.delenv("PLANTON_CIVO_TOKEN", raising=False)
    monkeypatch.delenv("CIVO_API_URL", raising=False)
    running = Cloud()
    yield running
    running.server.shutdown()
    running.server.server_close()


def _props(cloud: Cloud, **more: Any) -> dict[str, Any]:
    base = {
        "cluster_id": CLUSTER,
        "pool_id": POOL,
        "node_count": 2,
        "identity": "workers s False",
        "region": "LON1",
        "endpoint": cloud.endpoint,
        "token": "state-token",
    }
    return base | more


def _settle(cloud: Cloud, time: Time | None = None, **more: Any) -> dict[str, Any]:
    time = time or Time()
    return pool_size.settle(_props(cloud, **more), clock=time.clock, sleep=time.sleep)


NODES = {"actual_node_count": 2, "node_ids": ["id-0", "id-1"], "node_names": ["node-0", "node-1"]}


def test_a_pool_with_the_desired_count_is_only_read(cloud: Cloud) -> None:
    """No request changes anything, and the outputs are the nodes of this pool."""
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    assert _settle(cloud) == _props(cloud) | NODES
    assert {request[0] for request in cloud.requests} == {"GET"}
    assert cloud.requests[0][1] == "/v2/kubernetes/clusters/c-1?region=LON1"


def test_a_pool_is_scaled_by_one_request_and_awaited(cloud: Cloud) -> None:
    """Only the count is sent, so labels and existing nodes stay. New nodes are awaited until they run."""
    time = Time()
    cloud.respond_with_nodes("ACTIVE")
    cloud.respond_with_nodes("ACTIVE", count=2)
    cloud.respond_with_nodes("ACTIVE", "BUILDING")
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    assert _settle(cloud, time)["node_ids"] == ["id-0", "id-1"]
    written = [request for request in cloud.requests if request[0] == "PUT"]
    assert written == [("PUT", "/v2/kubernetes/clusters/c-1/pools/workers", {"count": 2, "region": "LON1"}, "bearer state-token")]
    assert time.slept == [0.1, 0.2]


def test_deleted_nodes_are_awaited(cloud: Cloud) -> None:
    """Scaling down ends when the last surplus node is deleted."""
    cloud.respond_with_nodes("ACTIVE", "ACTIVE", "ACTIVE")
    cloud.respond_with_nodes("ACTIVE", "ACTIVE", "ACTIVE", count=2)
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    assert _settle(cloud)["actual_node_count"] == 2


def test_an_autoscaled_pool_is_neither_changed_nor_awaited(cloud: Cloud) -> None:
    """The autoscaler's count is kept, including nodes that are still building."""
    cloud.respond_with_nodes("ACTIVE", "ACTIVE", "BUILDING")
    assert _settle(cloud, node_count=None)["actual_node_count"] == 3
    assert [request[0] for request in cloud.requests] == ["GET"]


def test_waiting_for_nodes_has_a_timeout(cloud: Cloud) -> None:
    """The error names the pool, the count and the duration."""
    time = Time()
    cloud.respond_with_nodes("ACTIVE", "BUILDING")
    with pytest.raises(TimeoutError, match="node pool workers has not reached 2 nodes after 30 minutes"):
        _settle(cloud, time)
    assert 1800 < time.now < 1810


def test_the_token_of_the_operation_overrides_the_one_in_the_state(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotated token works although the state has the old one."""
    monkeypatch.setenv("PLANTON_CIVO_TOKEN", "rotated")
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    _settle(cloud)
    assert {request[3] for request in cloud.requests} == {"bearer rotated"}


def test_a_state_without_a_token_uses_the_one_of_the_user(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain Pulumi can refresh a stack that planton applied: its state has no copy of the token."""
    monkeypatch.setenv("CIVO_TOKEN", "mine")
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    _settle(cloud, token=None)
    assert {request[3] for request in cloud.requests} == {"bearer mine"}


def test_a_token_that_leaves_the_state_is_no_change() -> None:
    """A stack that plain Pulumi applied has one. planton's engine passes the current token instead."""
    olds = {"cluster_id": "c", "node_count": 2, "actual_node_count": 2, "token": "t"}
    news = {"cluster_id": "c", "node_count": 2}
    assert not pool_size.NodePoolSizeProvider().diff("id", olds, news).changes


def test_the_api_address_can_come_from_the_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address in the provider config, the variable of the cloud's tools is used."""
    monkeypatch.setenv("CIVO_API_URL", cloud.endpoint + "/")
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    _settle(cloud, endpoint="")
    assert cloud.requests


@pytest.mark.parametrize(
    "response", [(404, NOT_FOUND), (404, '{"code":"database_kubernetes_cluster_not_found"}'), (200, '{"id":"c-1","pools":null}')]
)
def test_a_pool_that_the_cloud_reports_as_not_found_is_missing(cloud: Cloud, response: tuple[int, str]) -> None:
    """Only the cloud's own error codes count."""
    cloud.responses.append(response)
    read = pool_size.NodePoolSizeProvider().read("c-1:workers", _props(cloud))
    assert (read.id, read.outs) == ("", {})


@pytest.mark.parametrize("response", [(500, "boom"), (404, "<html>no such page</html>"), (401, "no"), (200, "no JSON")])
def test_any_other_response_keeps_the_state(cloud: Cloud, response: tuple[int, str]) -> None:
    """A failed read is an error with the cloud's text, never a missing pool."""
    cloud.responses.append(response)
    with pytest.raises((OSError, ValueError)) as caught:
        pool_size.NodePoolSizeProvider().read("c-1:workers", _props(cloud))
    if response[0] != 200:
        assert str(caught.value) == f"GET /v2/kubernetes/clusters/c-1: {response[0]} {response[1]}"
    assert "state-token" not in str(caught.value)


def test_a_read_reports_the_actual_count_and_keeps_other_properties(cloud: Cloud) -> None:
    """Drift is the difference of actual and desired count."""
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    read = pool_size.NodePoolSizeProvider().read("c-1:workers", _props(cloud, node_count=5))
    assert read.id == "c-1:workers"
    assert read.outs == _props(cloud, node_count=5) | NODES


def test_create_and_update_scale_the_pool_to_its_count(cloud: Cloud) -> None:
    """The id consists of cluster and pool."""
    cloud.respond_with_nodes("ACTIVE", "ACTIVE")
    provider = pool_size.NodePoolSizeProvider()
    created = provider.create(_props(cloud))
    assert (created.id, created.outs) == ("c-1:workers", _props(cloud) | NODES)
    assert provider.update("c-1:workers", {}, _props(cloud)).outs == _props(cloud) | NODES


STATE = {
    "cluster_id": "c",
    "pool_id": "p",
    "identity": "i",
    "region": "r",
    "endpoint": "e",
    "token": "t",
    "node_count": 3,
    "actual_node_count": 3,
}


@pytest.mark.parametrize(
    ("olds", "news", "changes"),
    [
        ({}, {}, False),
        ({}, {"node_count": 3.0}, False),
        ({}, {"node_count": 5}, True),
        ({"actual_node_count": 2}, {}, True),
        ({}, {"node_count": None}, True),
        ({"node_count": None}, {}, True),
        ({"node_count": None, "actual_node_count": 9}, {"node_count": None}, False),
        ({}, {"identity": "other"}, True),
        ({}, {"cluster_id": "other"}, True),
        ({}, {"token": "other"}, True),
        ({}, {"node_ids": ["x"], "__provider": "y"}, False),
    ],
)
def test_changed_counts_and_identities_are_an_update(olds: dict[str, Any], news: dict[str, Any], *, changes: bool) -> None:
    """Switching the autoscaler is an update too. Properties that the cloud adds are not compared."""
    diff = pool_size.NodePoolSizeProvider().diff("id", STATE | olds, STATE | news)
    assert diff.changes is changes
    assert not diff.replaces


def test_names_are_quoted_in_paths(cloud: Cloud) -> None:
    """A name is always one path segment."""
    cloud.responses.append((404, NOT_FOUND))
    pool_size.NodePoolSizeProvider().read("x", _props(cloud, cluster_id="a/b c"))
    assert cloud.requests[0][1] == "/v2/kubernetes/clusters/a%2Fb%20c?region=LON1"


_ENGINE = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {provider!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""
_PROVIDER = """
import threading
from planton.modules.civo import pool_size
pool_size._WATCH_SECONDS = 0.01
pool_size.NodePoolSizeProvider().configure(None)
print(flush=True)
threading.Event().wait()
"""


def test_the_provider_process_ends_with_its_engine() -> None:
    """A killed engine does not stop its children. The token would stay in the memory of an orphan."""
    command = [sys.executable, "-c", _ENGINE.format(provider=_PROVIDER)]
    engine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert engine.stdout is not None
    provider = pathlib.Path("/proc", engine.stdout.readline().decode().strip(), "stat")
    assert provider.exists()
    engine.kill()
    engine.communicate()
    deadline = time.monotonic() + 60
    while provider.exists() and " Z " not in provider.read_text():
        assert time.monotonic() < deadline
