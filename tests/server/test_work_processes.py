"""Processes of controllers that are killed, stand still, or lose their database: no work is lost, and none runs twice at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from google.protobuf import duration_pb2

from org.project_planton.work.v1 import service_pb2, work_pb2
from planton import client
from planton_server.store import engines, tables, work
from support import api, serving, waiting, work_process

pytestmark = pytest.mark.slow
EACH = 10


def start(url: str, name: str, number: int) -> subprocess.Popen[str]:
    """Starts a process that claims a number of works."""
    command = [sys.executable, "-m", work_process.__name__, url, name, str(number)]
    folder = pathlib.Path(work_process.__file__).parents[1]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder
    )


class Worker:
    """A process that holds work."""

    def __init__(self, url: str, name: str, number: int) -> None:
        self.process = start(url, name, number)
        self.ids: list[str] = self.read()

    def read(self) -> list:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process has ended"
        data: list = json.loads(line)
        return data

    def finish(self) -> list[int]:
        """Lets it finish; returns how many works it held, and how many results were accepted."""
        assert self.process.stdin is not None
        self.process.stdin.write("finish\n")
        self.process.stdin.flush()
        return self.read()

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def worker(url: str, name: str, number: int) -> Iterator[Worker]:
    made = Worker(url, name, number)
    try:
        yield made
    finally:
        made.end()


def takes_over(user: client.Client, name: str, number: int) -> dict[str, int]:
    """Claims until a process has a number of works; returns the epoch of each."""
    epochs: dict[str, int] = {}

    def has_all() -> bool:
        user.renew_work(name)
        wait = duration_pb2.Duration(seconds=1)
        claim = service_pb2.Claim(process=name, platforms=["civo"], limit=number, wait=wait)
        epochs.update({item.id: item.epoch for item in user.claim_work(claim).items})
        return len(epochs) >= number

    waiting.until(has_all, f"{number} works, not {len(epochs)}")
    return epochs


def test_work_of_dead_and_standing_processes_moves(new_url, engine: str, tmp_path: pathlib.Path) -> None:
    """Of twenty that two processes hold, half with a pending update; what the standing process does afterwards changes nothing."""
    url = new_url(engine)
    options = ("--database-url", url, "--work-running", "0", "--work-rate", "0", "--tick", "0")
    with serving.running(tmp_path, *options) as server, client.Client(server.url, email="controller@system.local") as user:
        for number in range(2 * EACH):
            server.call("POST", "/clusters", {"name": f"cluster-{number}", "spec": {"platform": {"type": "civo"}}})
        with worker(server.url, "killed", EACH) as killed, worker(server.url, "stopped", EACH) as stopped:
            for identifier in (*killed.ids[:5], *stopped.ids[:5]):
                change = {"spec": {"platform": {"type": "civo"}, "release": {"version": "1.33"}}}
                server.call("PUT", f"/clusters/{identifier}", change)
            killed.process.kill()
            stopped.process.send_signal(signal.SIGSTOP)
            epochs = takes_over(user, "other", 2 * EACH)
            assert set(epochs) == {*killed.ids, *stopped.ids}
            assert set(epochs.values()) == {2}
            _check_no_overlap(url)
            stopped.process.send_signal(signal.SIGCONT)
            assert stopped.finish() == [0, 0]
            assert {held.id: held.epoch for held in user.renew_work("other").held} == epochs
        results = [work_pb2.WorkResult(id=each, epoch=epoch, outcome="SUCCEEDED") for each, epoch in epochs.items()]
        assert all(one.accepted for one in user.finish_work("other", results).results)
        assert {item.state for item in user.list_work()} == {"waiting"}
        assert server.stop() == 0


def _check_no_overlap(url: str) -> None:
    """Checks that no work was claimed again before the lease of its first process had ended."""
    made = engines.blocking(url)
    processes, queue = tables.PROCESSES, tables.WORK
    with made.connect() as connection:
        last = dict(
            connection.execute(sa.select(processes.c.id, processes.c.beat).where(processes.c.id.in_(["killed", "stopped"]))).all()
        )
        first = connection.execute(sa.select(sa.func.min(queue.c.since)).where(queue.c.process == "other")).scalar_one()
    made.dispose()
    assert first >= min(last.values()) + work.DEFAULTS.lease


def test_killed_process_does_not_claim(new_url, tmp_path: pathlib.Path) -> None:
    """The claim that it waits in ends with its connection, so that the next work goes to another process."""
    with serving.running(tmp_path, "--database-url", new_url("sqlite"), "--tick", "0") as server:
        with start(server.url, "killed", 1) as process:
            waiting.until(lambda: server.call("GET", "/work/processes")["processes"], "the first claim")
            process.kill()
        claims = waiting.until(
            lambda: [line for line in server.lines("request") if line["status"] == 499], "the end of the claim"
        )
        assert claims[0]["route"] == "/api/v1/work/claims"
        made = server.call("POST", "/clusters", {"name": "a", "spec": {"platform": {"type": "civo"}}})
        with client.Client(server.url, email="controller@system.local") as user:
            assert takes_over(user, "other", 1) == {made["id"]: 1}


def test_stop_of_the_server_ends_waiting_claims(new_url, tmp_path: pathlib.Path) -> None:
    """With an answer, long before their time."""
    options = ("--database-url", new_url("sqlite"), "--tick", "0")
    with serving.running(tmp_path, *options) as server, start(server.url, "waiting", 1) as process:
        waiting.until(lambda: server.call("GET", "/work/processes")["processes"], "the first claim")
        assert server.stop() == 0
        answered = [line for line in server.lines("request") if line["route"] == "/api/v1/work/claims"]
        assert {line["status"] for line in answered} == {200}
        assert max(line["seconds"] for line in answered) < work_process.WAIT_SECONDS
        process.kill()


@pytest.fixture
def alone(cluster, private):
    """A server on PostgreSQL with short leases; the database is running again at the end."""
    yield private("postgresql", limits=work.Limits(lease=1_000, running=0, rate=0))
    cluster.start_again()


def test_database_that_crashes_loses_no_work(alone, cluster) -> None:
    """Stopped at once during claims and results: an accepted result is stored, all other work runs again."""
    user = api.Api(alone, "rest")
    made = {user.cluster("civo")["id"] for _ in range(20)}
    claim = {"process": "p", "platforms": ["civo"], "limit": 10, "wait": "0s"}
    items = user.call("ClaimWork", claim, caller=api.CONTROLLER).body["items"]
    results = [{"id": item["id"], "epoch": item["epoch"], "outcome": "SUCCEEDED"} for item in items]

    async def crash() -> list[api.Reply]:
        calls = [user.calling("FinishWork", {"process": "p", "results": [one]}, caller=api.CONTROLLER) for one in results]
        calls += [user.calling("ClaimWork", {**claim, "limit": 2, "wait": "30s"}, caller=api.CONTROLLER) for _ in range(3)]
        *replies, _ = await asyncio.gather(*calls, asyncio.to_thread(cluster.stop))
        return replies  # type: ignore[return-value]

    replies = alone.loop.run(crash())
    assert {reply.status for reply in replies} <= {200, 503}
    assert user.call("RenewWork", {"process": "p"}, caller=api.CONTROLLER).status == 503
    cluster.start()
    done = {one["id"] for reply in replies[:10] if reply.status == 200 for one in reply.body["results"] if one["accepted"]}
    shown = {item["id"]: item for item in user.call("ListWork", limit=100).body["items"]}
    assert set(shown) == made
    assert all(shown[each]["done_generation"] == 1 for each in done)

    def all_done() -> bool:
        user.call("RenewWork", {"process": "q"}, caller=api.CONTROLLER)
        again = user.call("ClaimWork", {**claim, "process": "q", "limit": 100}, caller=api.CONTROLLER).body["items"]
        finished = [{"id": item["id"], "epoch": item["epoch"], "outcome": "SUCCEEDED"} for item in again]
        if finished:
            user.call("FinishWork", {"process": "q", "results": finished}, caller=api.CONTROLLER)
        return {item["done_generation"] for item in user.call("ListWork", limit=100).body["items"]} == {1}

    waiting.until(all_done, "the rest of the work")
