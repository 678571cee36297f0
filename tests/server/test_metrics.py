"""Numbers and log lines of a server that runs, as operators see them."""

from __future__ import annotations

import pathlib
import socket
from collections.abc import Iterator

import prometheus_client
import pytest
import sqlalchemy as sa
from prometheus_client import parser

from planton import cli
from planton.controllers import metrics as controller_metrics
from planton_server import metrics, observe
from planton_server.store import database, engines, schema, tables
from support import postgres, serving, waiting

SECRET = "export TOKEN=s3cret"


def numbers(server: serving.Caller) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Name and labels → value, of everything in /metrics."""
    families = parser.text_string_to_metric_families(server.anonymous.get("/metrics").text)
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def number(server: serving.Caller, name: str, /, **labels: str) -> float | None:
    return numbers(server).get((name, frozenset(labels.items())))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Server]:
    with serving.running(tmp_path_factory.mktemp("metrics"), "--tick", "1", "--expect", "nodepool/aws=aws-controller") as made:
        yield made


def test_requests_are_counted_by_route_and_answer(server: serving.Server) -> None:
    """The route, not the path: ids would make as many numbers as there are resources. Unknown paths are one."""
    missing = "00000000-0000-4000-8000-000000000000"
    assert server.client.get(f"/api/v1/nodepools/{missing}").status_code == 404
    assert server.client.get("/nothing/here").status_code == 404
    labels = {"transport": "rest", "method": "GET", "route": "/api/v1/nodepools/{id}"}
    assert number(server, "planton_requests_total", **labels, code="404") == 1
    assert number(server, "planton_request_duration_seconds_count", **labels) == 1
    assert number(server, "planton_requests_total", transport="rest", method="other", route="other", code="404") == 1
    assert not any(missing in value for _, samples in numbers(server) for _, value in samples)


def test_a_pool_has_its_numbers(server: serving.Server) -> None:
    """Wanted ones from the spec, until a controller says what it makes of them."""
    cluster, pool = server.pool()
    labels = {"nodepool": pool, "cluster": cluster, "name": "pool-1", "platform": "gcp"}
    assert number(server, "planton_nodepool_desired_nodes", **labels) == 3
    assert number(server, "planton_nodepool_active_nodes", **labels) is None
    assert number(server, "planton_nodepools", phase="Pending", platform="gcp") == 1
    server.call("PUT", f"/nodepools/{pool}/status", serving.REPORT)
    assert number(server, "planton_nodepool_desired_nodes", **labels) == 4
    assert number(server, "planton_nodepool_active_nodes", **labels) == 2
    assert number(server, "planton_nodepools", phase="Ready", platform="gcp") == 1
    assert number(server, "planton_nodepools_omitted") == 0
    server.call("DELETE", f"/clusters/{cluster}?force=true")
    assert number(server, "planton_nodepool_desired_nodes", **labels) is None
    assert number(server, "planton_events_unacknowledged") == 2
    assert number(server, "planton_events_unacknowledged_seconds") > 0


def test_the_database_and_the_timed_work_have_theirs(server: serving.Server) -> None:
    """What stands still can be seen."""
    assert number(server, "planton_database_up") == 1
    assert number(server, "planton_database_connections_max") == 2
    waiting.until(lambda: number(server, "planton_ticks_total", work="tick"), "a tick")
    assert number(server, "planton_ticks_total", work="clean") is not None


def test_the_numbers_of_pools_are_bounded(loop, new_url) -> None:
    """What is left out is told."""
    with serving.within(loop, new_url("sqlite"), metrics_pools=0) as server:
        server.pool()
        samples = numbers(server)
        assert not any(name == "planton_nodepool_desired_nodes" for name, _ in samples)
        assert number(server, "planton_nodepools_omitted") == 1


def _token(url: str, role: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    assert cli.main(["server", "token", "create", f"{role}@example.com", "--role", role, "--database-url", url]) == 0
    return {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}


def test_the_numbers_of_pools_need_a_token_where_callers_do(loop, new_url, capsys) -> None:
    """Of a controller, who sees all; a proxy on this machine could bring anybody. The rest is open."""
    url = new_url("sqlite")
    with serving.within(loop, url) as server:
        _, pool = server.pool()
    with serving.within(loop, url, trusted_header=False) as server:
        for headers in ({}, serving.USER, {"X-User-Email": "c@system.local"}, _token(url, "user", capsys)):
            text = server.anonymous.get("/metrics", headers=headers).raise_for_status().text
            assert pool not in text
            assert "pool-1" not in text
            assert 'planton_nodepools{phase="Pending",platform="gcp"} 1.0' in text
            assert "planton_nodepools_omitted 1.0" in text
        controller = _token(url, "controller", capsys)
        assert pool in server.anonymous.get("/metrics", headers=controller).text
        assert server.anonymous.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_user_sees_no_numbers_of_pools(server: serving.Server) -> None:
    """Where the header names callers, as a proxy sets it; who names nobody on this machine could name a controller as well."""
    cluster, pool = server.pool()
    assert pool not in server.client.get("/metrics").text
    assert pool in server.client.get("/metrics", headers={"X-User-Email": "c@system.local"}).text
    assert pool in server.anonymous.get("/metrics").text
    server.call("DELETE", f"/clusters/{cluster}?force=true")


def test_a_proxy_on_this_machine_shows_no_numbers_of_pools(loop, new_url) -> None:
    """It brings anybody, without a name too."""
    with serving.within(loop, new_url("sqlite"), trusted_proxies=("127.0.0.1",)) as server:
        _, pool = server.pool()
        assert pool not in server.anonymous.get("/metrics").text
        assert pool in server.client.get("/metrics", headers={"X-User-Email": "c@system.local"}).text


def test_without_its_database_a_server_still_tells_its_numbers(loop) -> None:
    """The alert on the database needs them then."""
    cluster = postgres.Cluster()
    url = cluster.url(cluster.create())
    schema.migrate(url)
    try:
        with serving.within(loop, url, tick=1) as server:
            cluster.stop()
            assert number(server, "planton_database_up") == 0
            assert number(server, "planton_nodepools_omitted") is None
            assert server.client.get("/health").status_code == 503
            cluster.start()
            waiting.until(lambda: number(server, "planton_database_up"), "the database")
    finally:
        cluster.remove()


def test_workers_count_together(tmp_path: pathlib.Path) -> None:
    """Whichever answers; the connections are those of all."""
    with serving.running(tmp_path, "--workers", "2", "--tick", "0") as server:
        labels = {"transport": "rest", "method": "GET", "route": "/info", "code": "200"}
        # Each on a connection of its own, so that both workers get some.
        statuses = {server.anonymous.get("/info").status_code for _ in range(20)}
        assert statuses == {200}
        waiting.until(lambda: number(server, "planton_requests_total", **labels) == 20, "all to be counted")
        waiting.until(lambda: number(server, "planton_database_connections_max") == 4, "both workers to have been asked")
        assert server.stop() == 0


def test_a_file_that_a_worker_has_just_created_breaks_no_metrics(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is empty until the worker writes its first number. Files of killed workers may be gone when they are read."""
    monkeypatch.setenv(observe.FOLDER, str(tmp_path))
    (tmp_path / "counter_1.db").touch()
    (tmp_path / "gauge_livesum_2.db").symlink_to(tmp_path / "gone")
    assert observe.Observer(prometheus_client.CollectorRegistry()).families() == []


def test_conditions_are_counted_at_most_once_a_minute(loop, new_url) -> None:
    """Of all resources, so that a scrape does not read all of them."""
    url, time = new_url("sqlite"), [0.0]
    with serving.within(loop, url) as server:
        server.call("PUT", f"/nodepools/{server.pool()[1]}/status", serving.REPORT)
    store = loop.run(database.connect(url))
    counted = metrics.Conditions(lambda: time[0])
    [row] = loop.run(counted.rows(store))
    assert dict(row) == {
        "kind": "NodePool", "platform": "gcp", "type": "Ready", "status": "True", "reason": "R", "number": 1,
    }  # fmt: skip
    engine = engines.blocking(url)
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.NODE_POOLS))
    engine.dispose()
    time[0] = 59.0
    assert len(loop.run(counted.rows(store))) == 1
    time[0] = 61.0
    assert loop.run(counted.rows(store)) == []
    loop.run(store.close())


def test_controllers_beside_a_server_have_their_numbers_there(loop, new_url) -> None:
    """While they run; a server whose controllers do not answer has its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving.within(loop, new_url("sqlite"), controllers_port=port) as server:
        assert number(server, "planton_controller_parallel") is None
        registry = prometheus_client.CollectorRegistry()
        controller_metrics.Metrics(registry, parallel=7)
        controller_metrics.serve(registry, host="127.0.0.1", port=port)
        assert number(server, "planton_controller_parallel") == 7
        assert number(server, "planton_database_up") == 1


def test_a_request_is_one_line_without_secrets(server: serving.Server) -> None:
    """Who, what, which resource at which generation, how it went; nothing of its body or credentials."""
    cluster = server.call(
        "POST", "/clusters", {"name": "logged", "spec": {"platform": {"type": "aws", "aws": {"region": "us-east-1"}}}}
    )
    body = {"name": "logged", "spec": {"platform": {"type": "aws", "aws": {"instanceType": "m5.large", "userData": SECRET}}}}
    pool = server.call("POST", f"/clusters/{cluster['id']}/nodepools", body, headers={"X-Request-Id": "request-1"})
    assert server.client.get("/info", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert server.client.get("/api/v1/nodepools", headers={"Authorization": "Bearer s3cret"}).status_code == 401
    [line] = [line for line in server.lines("request") if line["request_id"] == "request-1"]
    assert {name: line[name] for name in ("level", "transport", "method", "route", "status", "caller", "subject", "generation")} == {
        "level": "info", "transport": "rest", "method": "POST", "route": "/api/v1/clusters/{cluster_id}/nodepools", "status": 201,
        "caller": "user@example.com", "subject": pool["id"], "generation": 1,
    }  # fmt: skip
    assert 0 < line["seconds"] < waiting.TIMEOUT_SECONDS
    assert "s3cret" not in server.log.read_text()
    assert "m5.large" not in server.log.read_text()


def test_reports_and_deletions_name_their_resource(server: serving.Server) -> None:
    """At its generation, as what is created does."""
    cluster, pool = server.pool()
    server.call(
        "PUT",
        f"/nodepools/{pool}",
        {"spec": {"nodeCount": 5, "platform": {"type": "gcp", "gcp": {"machineType": "n1-standard-1"}}}},
    )
    server.call("PUT", f"/nodepools/{pool}/status", {"controller_name": "c", "observed_generation": 2})
    server.call("GET", f"/nodepools/{pool}/status")
    server.call("DELETE", f"/nodepools/{pool}?force=true")
    server.call("DELETE", f"/clusters/{cluster}")
    # A line is written after its answer.
    expected = [("POST", 1), ("PUT", 2), ("PUT", 2), ("GET", 2), ("DELETE", 2)]
    waiting.until(
        lambda: [(line["method"], line["generation"]) for line in server.lines("request") if line["subject"] == pool] == expected,
        "each request's line",
    )


def test_requests_need_not_be_logged(tmp_path: pathlib.Path) -> None:
    """Other lines come still."""
    with serving.running(tmp_path, "--no-access-log", "--log-level", "debug", "--tick", "1") as server:
        waiting.until(lambda: server.lines("tick"), "a tick")
        assert server.lines("request") == []
