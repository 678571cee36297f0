"""Runners of several processes through an outage, an upgrade and a busy account: what the work queue promises, with its real parts."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from planton_server.store import database, engines, schema, tables, work
from support import postgres, runner_process, serving, waiting

pytestmark = pytest.mark.slow
LONG = 600.0
#: Seconds between the moment of a thing and the time that a process writes for it.
SLACK = 0.5


@dataclasses.dataclass
class Runner:
    """A process that runs work, and its log of runs."""

    process: subprocess.Popen[bytes]
    log: pathlib.Path

    def events(self, event: str = "") -> list[dict[str, Any]]:
        lines = self.log.read_text("utf-8").splitlines(keepends=True)
        listed = [json.loads(line) for line in lines if line.endswith("\n")]
        return [each for each in listed if event in ("", each["event"])]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(waiting.TIMEOUT_SECONDS) == 0


@contextlib.contextmanager
def runner(
    folder: pathlib.Path,
    url: str,
    name: str,
    *,
    parallel: int,
    seconds: float,
    pause: float = 0.2,
    version: str = "0.1",
    shift: float = 0.0,
) -> Iterator[Runner]:
    """Runs a process."""
    log = folder / f"{name}.log"
    arguments = [url, name, version, str(parallel), str(seconds), str(pause), str(shift)]
    with log.open("wb") as file:
        command = [sys.executable, "-m", runner_process.__name__, *arguments]
        tests = pathlib.Path(runner_process.__file__).parents[1]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL, cwd=tests)
    try:
        yield Runner(process, log)
    finally:
        process.kill()
        process.wait()


def clusters(server: serving.Server, number: int, *, accounts: int = 1) -> set[str]:
    """Creates clusters of some accounts, and returns their ids."""
    made = set()
    for each in range(number):
        spec = {"platform": {"type": "civo", "civo": {"region": "LON1", "credential": f"account-{each % accounts}"}}}
        made.add(server.call("POST", "/clusters", {"name": f"cluster-{each}", "spec": spec})["id"])
    return made


def spans(runners: list[Runner], key: str) -> dict[str, list[tuple[float, float]]]:
    """Returns value of a key → the begin and the end of its runs, in their order."""
    by_key: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for each in runners:
        ended = {(event["id"], event["epoch"]): event["time"] for event in each.events("end")}
        for event in each.events("begin"):
            by_key[event[key]].append((event["time"], ended.get((event["id"], event["epoch"]), float("inf"))))
    return {value: sorted(listed) for value, listed in by_key.items()}


def most_at_once(listed: list[tuple[float, float]]) -> int:
    """Returns the maximum number of runs at the same time."""
    steps = sorted([(begin, 1) for begin, _ in listed] + [(end, -1) for _, end in listed])
    return max(itertools.accumulate(step for _, step in steps))


@pytest.fixture
def alone() -> Iterator[postgres.Cluster]:
    """A PostgreSQL of its own."""
    cluster = postgres.Cluster()
    yield cluster
    cluster.remove()


@dataclasses.dataclass
class Database:
    """A database that can be stopped at once, and started again."""

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def stoppable(request: pytest.FixtureRequest, new_url) -> Iterator[Database]:
    """PostgreSQL is killed. A SQLite file, which no process serves, is locked by a program that does not end."""
    if request.param == "postgresql":
        cluster: postgres.Cluster = request.getfixturevalue("alone")
        url = cluster.url(cluster.create())
        schema.migrate(url)
        yield Database(url, cluster.stop, cluster.start)
        return
    url = new_url("sqlite")
    with contextlib.closing(sqlite3.connect(database.path(url), isolation_level=None, timeout=30)) as program:
        yield Database(url, lambda: program.execute("BEGIN EXCLUSIVE"), lambda: program.execute("ROLLBACK"))


def beats(url: str) -> dict[str, int]:
    """Returns process → its last heartbeat, in milliseconds since 1970."""
    engine = engines.blocking(url)
    with engine.connect() as connection:
        listed = connection.execute(sa.select(tables.PROCESSES.c.id, tables.PROCESSES.c.beat)).all()
    engine.dispose()
    return {str(identifier): int(beat) for identifier, beat in listed}


def test_an_outage_of_the_database_stops_runs_in_time_and_loses_no_work(stoppable: Database, tmp_path: pathlib.Path) -> None:
    """It is stopped at once, during claims and results of short runs, and while long runs hold their work.

    The clocks of some processes are an hour wrong.
    """
    url = stoppable.url
    options = ("--database-url", url, "--work-running", "0", "--work-rate", "0", "--tick", "0")
    with serving.running(tmp_path, *options) as server, contextlib.ExitStack() as stack:
        made = clusters(server, 40)

        def start(name: str, **values: float) -> Runner:
            return stack.enter_context(runner(tmp_path, server.url, name, parallel=10, **values))

        long = [start(f"long-{number}", seconds=LONG, shift=3600.0 * number) for number in range(2)]
        waiting.until(lambda: sum(len(each.events("begin")) for each in long) == 20, "the long runs")
        short = [start(f"short-{number}", seconds=0.05, pause=0.0, shift=-3600.0 * number) for number in range(2)]
        waiting.until(lambda: all(len(each.events("end")) > 50 for each in short), "the short runs")
        last = beats(url)
        stoppable.stop()
        # Nothing but the processes themselves can end these runs now.
        waiting.until(lambda: sum(len(each.events("end")) for each in long) == 20, "the long runs to stop themselves")
        for number, each in enumerate(long):
            # A heartbeat may have come between the look at the table and the crash.
            ends = last[f"long-{number}"] / 1000 + 2.0 + work.DEFAULTS.lease / 1000
            assert all(event["time"] <= ends + SLACK for event in each.events("end"))
        before = {each.log: len(each.events("begin")) for each in (*long, *short)}
        stoppable.start()

        def again() -> set[str]:
            return {event["id"] for each in (*long, *short) for event in each.events("begin")[before[each.log] :]}

        waiting.until(lambda: again() == made, "each work to run again")
        assert all(most_at_once(listed) == 1 for listed in spans([*long, *short], "id").values())
        states = {item["state"] for item in server.call("GET", "/work?limit=100")["items"]}
        assert states <= {"waiting", "running"}


def test_a_rolling_upgrade_and_a_downgrade_strand_no_work(new_url, engine: str, tmp_path: pathlib.Path) -> None:
    """Forty runs move to the processes of the other version at once, each time: no lease ends, and no attempt is counted."""
    url = new_url(engine)
    options = ("--database-url", url, "--work-running", "0", "--work-rate", "0", "--tick", "0")
    with serving.running(tmp_path, *options) as server, contextlib.ExitStack() as stack:
        made = clusters(server, 40)

        def fleet(version: str, name: str) -> list[Runner]:
            values: dict[str, Any] = {"parallel": 20, "seconds": LONG, "version": version}
            return [stack.enter_context(runner(tmp_path, server.url, f"{name}-{number}", **values)) for number in range(2)]

        def held(runners: list[Runner]) -> set[str]:
            return {event["id"] for each in runners for event in each.events("begin")}

        old = fleet("0.0.9", "old")
        waiting.until(lambda: held(old) == made, "forty runs in flight")
        generations = [old]
        for version, name in (("0.1.0", "new"), ("0.0.9", "back")):
            following = fleet(version, name)
            for each in generations[-1]:
                each.stop()
            waiting.until(lambda runners=following: held(runners) == made, f"forty runs of {name}")
            generations.append(following)
        items = server.call("GET", "/work?limit=100")["items"]
        assert {(item["state"], item.get("attempt", 0)) for item in items} == {("running", 0)}
        assert {item["id"] for item in items} == made
        assert not any(item.get("error") for item in items)
        everybody = [each for listed in generations for each in listed]
        assert all(most_at_once(listed) == 1 for listed in spans(everybody, "id").values())


def test_a_signal_to_any_thread_stops_a_process(tmp_path: pathlib.Path) -> None:
    """The system chooses the thread. The handler runs in the main thread, which nothing wakes then."""
    with (
        serving.running(tmp_path, "--tick", "0") as server,
        runner(tmp_path, server.url, "one", parallel=1, seconds=LONG) as one,
    ):
        clusters(server, 1)
        waiting.until(lambda: one.events("begin"), "the run")
        *_, thread = sorted(int(each.name) for each in pathlib.Path(f"/proc/{one.process.pid}/task").iterdir())
        assert thread != one.process.pid
        os.kill(thread, signal.SIGTERM)
        assert one.process.wait(waiting.TIMEOUT_SECONDS) == 0


@pytest.mark.parametrize(("kind", "number"), [("sqlite", 2), ("postgresql", 3)])
def test_the_limits_of_accounts_clusters_and_processes_hold_together(
    new_url, kind: str, number: int, tmp_path: pathlib.Path
) -> None:
    """As the runs themselves tell it: at most three at once and two in a second for each account, after five seconds of burst.

    The clocks of the processes differ by an hour.
    """
    running, rate, parallel = 3, 120, 4
    options = ("--database-url", new_url(kind), "--work-running", str(running), "--work-rate", str(rate), "--tick", "0")
    with serving.running(tmp_path, *options) as server, contextlib.ExitStack() as stack:
        for cluster in clusters(server, 6, accounts=2):
            for each in range(3):
                spec = {"nodeCount": 1, "platform": {"type": "civo", "civo": {"size": "g4s.kube.small"}}}
                server.call("POST", f"/clusters/{cluster}/nodepools", {"name": f"pool-{each}", "spec": spec})
        runners = [
            stack.enter_context(
                runner(tmp_path, server.url, f"p-{each}", parallel=parallel, seconds=0.1, pause=0.0, shift=3600.0 * each)
            )
            for each in range(number)
        ]
        waiting.until(lambda: sum(len(each.events("end")) for each in runners) >= 60, "many runs")
        for each in runners:
            each.stop()
        accounts = spans(runners, "account")
        assert set(accounts) == {"account-0", "account-1"}
        for listed in accounts.values():
            assert most_at_once(listed) <= running
            begins = [begin for begin, _ in listed]
            for first, last in itertools.combinations(range(len(begins)), 2):
                seconds = begins[last] - begins[first] + 2 * SLACK
                assert last - first + 1 <= rate / 60 * (seconds + 5) + 1
        assert all(most_at_once(listed) == 1 for listed in spans(runners, "cluster").values())
        assert all(most_at_once(next(iter(spans([each], "process").values()))) <= parallel for each in runners)
