"""NodePoolSize: what it asks of the cloud, and what it believes, against a server of this file."""

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
GONE = '{"code":"database_cluster_pool_not_found","reason":"gone"}'


class Cloud:
    """A cloud that gives its scripted answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: collections.deque[tuple[int, str]] = collections.deque()
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
                """Says nothing."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def next(self) -> tuple[int, str]:
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]

    def has(self, *states: str, count: int | None = None) -> None:
        """Adds an answer: a cluster whose pool has nodes in these states."""
        nodes = [{"id": f"id-{number}", "hostname": f"node-{number}", "status": state} for number, state in enumerate(states)]
        pools = [{"id": "other", "count": 9}, {"id": POOL, "count": len(states) if count is None else count, "instances": nodes}]
        self.answers.append((200, json.dumps({"id": CLUSTER, "pools": pools})))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


class Time:
    """A clock that sleeping moves."""

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
    """A cloud without answers; the environment has no other token and no other address."""
    monkeypatch.delenv("PLANTON_CIVO_TOKEN", raising=False)
    monkeypatch.delenv("CIVO_API_URL", raising=False)
    made = Cloud()
    yield made
    made.server.shutdown()
    made.server.server_close()


def _props(cloud: Cloud, **more: Any) -> dict[str, Any]:
    base = {
        "cluster_id": CLUSTER,
        "pool_id": POOL,
        "node_count": 2,
        "identity": "workers s False",
        "region": "LON1",
        "endpoint": cloud.endpoint,
        "token": "of-state",
    }
    return base | more


def _settle(cloud: Cloud, time: Time | None = None, **more: Any) -> dict[str, Any]:
    time = time or Time()
    return pool_size._settle(_props(cloud, **more), clock=time.clock, sleep=time.sleep)


NODES = {"actual_node_count": 2, "node_ids": ["id-0", "id-1"], "node_names": ["node-0", "node-1"]}


def test_a_pool_that_has_its_number_is_only_read(cloud: Cloud) -> None:
    """Nothing is written, and the nodes of this pool are the outputs."""
    cloud.has("ACTIVE", "ACTIVE")
    assert _settle(cloud) == _props(cloud) | NODES
    assert {request[0] for request in cloud.requests} == {"GET"}
    assert cloud.requests[0][1] == "/v2/kubernetes/clusters/c-1?region=LON1"


def test_a_pool_is_scaled_by_one_request_and_waited_for(cloud: Cloud) -> None:
    """Only the count is sent, so labels and surviving nodes stay; new nodes are waited for until they run."""
    time = Time()
    cloud.has("ACTIVE")
    cloud.has("ACTIVE", count=2)
    cloud.has("ACTIVE", "BUILDING")
    cloud.has("ACTIVE", "ACTIVE")
    assert _settle(cloud, time)["node_ids"] == ["id-0", "id-1"]
    written = [request for request in cloud.requests if request[0] == "PUT"]
    assert written == [("PUT", "/v2/kubernetes/clusters/c-1/pools/workers", {"count": 2, "region": "LON1"}, "bearer of-state")]
    assert time.slept == [0.1, 0.2]


def test_nodes_that_go_are_waited_for_too(cloud: Cloud) -> None:
    """A pool is scaled down when its last surplus node is gone."""
    cloud.has("ACTIVE", "ACTIVE", "ACTIVE")
    cloud.has("ACTIVE", "ACTIVE", "ACTIVE", count=2)
    cloud.has("ACTIVE", "ACTIVE")
    assert _settle(cloud)["actual_node_count"] == 2


def test_an_autoscaled_pool_is_never_written_and_never_waited_for(cloud: Cloud) -> None:
    """What the autoscaler has decided stands, building nodes included."""
    cloud.has("ACTIVE", "ACTIVE", "BUILDING")
    assert _settle(cloud, node_count=None)["actual_node_count"] == 3
    assert [request[0] for request in cloud.requests] == ["GET"]


def test_waiting_ends(cloud: Cloud) -> None:
    """A cloud that never gets ready is an error that says what was waited for, and how long."""
    time = Time()
    cloud.has("ACTIVE", "BUILDING")
    with pytest.raises(TimeoutError, match="node pool workers has not reached 2 nodes after 30 minutes"):
        _settle(cloud, time)
    assert 1800 < time.now < 1810


def test_the_token_of_the_operation_goes_before_the_one_in_the_state(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotated token works although the state remembers the old one."""
    monkeypatch.setenv("PLANTON_CIVO_TOKEN", "rotated")
    cloud.has("ACTIVE", "ACTIVE")
    _settle(cloud)
    assert {request[3] for request in cloud.requests} == {"bearer rotated"}


def test_the_address_may_come_from_the_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the provider config names none, the variable of the cloud's own tools counts."""
    monkeypatch.setenv("CIVO_API_URL", cloud.endpoint + "/")
    cloud.has("ACTIVE", "ACTIVE")
    _settle(cloud, endpoint="")
    assert cloud.requests


@pytest.mark.parametrize(
    "answer", [(404, GONE), (404, '{"code":"database_kubernetes_cluster_not_found"}'), (200, '{"id":"c-1","pools":null}')]
)
def test_a_pool_that_the_cloud_does_not_know_is_no_resource(cloud: Cloud, answer: tuple[int, str]) -> None:
    """Only the cloud's own words make it gone."""
    cloud.answers.append(answer)
    read = pool_size.NodePoolSizeProvider().read("c-1:workers", _props(cloud))
    assert (read.id, read.outs) == ("", {})


@pytest.mark.parametrize("answer", [(500, "boom"), (404, "<html>no such page</html>"), (401, "no"), (200, "no JSON")])
def test_any_other_answer_changes_no_state(cloud: Cloud, answer: tuple[int, str]) -> None:
    """A read that failed is an error with the cloud's text, never a missing pool."""
    cloud.answers.append(answer)
    with pytest.raises((OSError, ValueError)) as caught:
        pool_size.NodePoolSizeProvider().read("c-1:workers", _props(cloud))
    if answer[0] != 200:
        assert str(caught.value) == f"GET /v2/kubernetes/clusters/c-1: {answer[0]} {answer[1]}"
    assert "of-state" not in str(caught.value)


def test_a_read_tells_the_number_and_keeps_the_rest(cloud: Cloud) -> None:
    """Drift of the count is seen beside the number that is wanted."""
    cloud.has("ACTIVE", "ACTIVE")
    read = pool_size.NodePoolSizeProvider().read("c-1:workers", _props(cloud, node_count=5))
    assert read.id == "c-1:workers"
    assert read.outs == _props(cloud, node_count=5) | NODES


def test_create_and_update_bring_the_pool_to_its_number(cloud: Cloud) -> None:
    """The id is that of the pool in its cluster."""
    cloud.has("ACTIVE", "ACTIVE")
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
def test_what_makes_an_update(olds: dict[str, Any], news: dict[str, Any], *, changes: bool) -> None:
    """The number, who decides it, and the pool's identity count; what the cloud adds does not."""
    found = pool_size.NodePoolSizeProvider().diff("id", STATE | olds, STATE | news)
    assert found.changes is changes
    assert not found.replaces


def test_names_are_quoted_in_paths(cloud: Cloud) -> None:
    """A name is one segment, whatever is in it."""
    cloud.answers.append((404, GONE))
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


def test_the_process_ends_with_its_engine() -> None:
    """One that was killed ends nobody else; the token would stay in the memory of a process that nobody knows of."""
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
