"""``planton work``: lists of work and of processes, and retries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from org.project_planton.work.v1 import service_pb2, work_pb2
from planton import cli, client
from support import serving

Run = Callable[..., tuple[int, str, str]]
CONTROLLER = "controller@system.local"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Server]:
    """A server with a cluster whose work is dead, and a node pool in it."""
    with serving.running(tmp_path_factory.mktemp("server"), "--tick", "0", "--work-attempts", "1") as started:
        started.pool()
        with client.Client(started.url, email=CONTROLLER) as controller:
            claim = service_pb2.Claim(process="worker-1", version="1.2.3", platforms=["gcp"], limit=1)
            [item] = controller.claim_work(claim).items
            error = work_pb2.WorkError(code="QUOTA_EXCEEDED", message="24 of 24")
            result = work_pb2.WorkResult(id=item.id, epoch=item.epoch, outcome="FAILED", error=error)
            assert controller.finish_work("worker-1", [result]).results[0].accepted
        yield started


@pytest.fixture
def run(server: serving.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command, and returns its exit code and what it wrote to both streams."""
    monkeypatch.setenv("PLANTON_API_URL", server.url)
    monkeypatch.setenv("PLANTON_API_USER", "user@example.com")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


def test_dead_work_is_listed_with_its_error(run: Run) -> None:
    """The table names the error; JSON has the items of the API."""
    code, shown, _ = run("work", "list", "--state", "dead")
    header, row = shown.splitlines()
    assert (code, header.split()[:4]) == (0, ["KIND", "NAME", "PLATFORM", "STATE"])
    assert row.split()[:5] == ["Cluster", "cluster-1", "gcp", "dead", "1"]
    assert "QUOTA_EXCEEDED: 24 of 24" in row
    items = json.loads(run("work", "list", "-o", "json")[1])["items"]
    assert {(item["kind"], item["state"]) for item in items} == {("Cluster", "dead"), ("NodePool", "waiting")}
    assert run("work", "list", "--kind", "NodePool", "-o", "name")[1].strip() in {item["id"] for item in items}
    assert run("work", "list", "--state", "running")[1] == "there is no work\n"


def test_processes_are_listed(run: Run) -> None:
    """Each with its version and its clouds."""
    _, row = run("work", "processes")[1].splitlines()
    assert row.split()[:3] == ["worker-1", "1.2.3", "gcp"]
    [process] = json.loads(run("work", "processes", "-o", "json")[1])["processes"]
    assert (process["platforms"], process["running"]) == (["gcp"], 0)


@pytest.mark.parametrize("arguments", [[], ["pool-1", "--all-dead"]])
def test_retry_needs_names_or_all_dead(run: Run, arguments: list[str]) -> None:
    """Both or neither is a usage error."""
    code, _, error = run("work", "retry", *arguments)
    assert code == 2
    assert "--all-dead" in error


def test_retry_of_unknown_work_fails(run: Run) -> None:
    """The hint shows how to find existing work."""
    code, _, error = run("work", "retry", "unknown")
    assert code == 1
    assert "planton work list" in error
    code, _, error = run("work", "retry", "550e8400-e29b-41d4-a716-446655440000")
    assert code == 1
    assert "planton work list" in error
    assert "--include-deleting" not in error


def test_retry_revives_dead_work(run: Run) -> None:
    """By name; afterwards no work is dead."""
    code, shown, _ = run("work", "retry", "cluster-1", "-o", "json")
    assert code == 0
    assert [(item["state"], item["attempt"]) for item in json.loads(shown)["items"]] == [("waiting", 0)]
    assert run("work", "retry", "--all-dead")[1] == "there is no dead work\n"
