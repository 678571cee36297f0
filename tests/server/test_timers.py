"""Timed work: one of all servers does it, whatever the database and the clocks do meanwhile."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from planton_server import settings
from planton_server.service import resyncs, status, timers
from planton_server.store import engines, schema, tables
from support import postgres, rows, waiting

#: A replica's timed work, for as long as its stdin is open; it says to what it connects beside its log.
REPLICA = """
import logging, sys
sys.addaudithook(lambda event, given: event == "socket.connect" and logging.getLogger("test").info("connects to %s", given[1]))
from planton_server import observe, settings
from planton_server.service import timers
observe.log_to_stderr("debug")
running = timers.Timers(settings.Settings(sys.argv[1], tick=1, log_level="debug"))
running.start()
sys.stdin.read()
running.stop()
"""
NOW = datetime.datetime.fromisoformat(rows.HOUR)


class Replica:
    """A process that does timed work.

    Attributes:
        log: Where it logs.
    """

    def __init__(self, url: str, log: pathlib.Path) -> None:
        self.log = log
        with log.open("w") as file:
            self._process = subprocess.Popen([sys.executable, "-c", REPLICA, url], stdin=subprocess.PIPE, stderr=file)

    def lines(self) -> list[dict[str, str]]:
        """Return the log so far; each line of it is JSON."""
        complete = self.log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in complete.splitlines()]

    def moments(self) -> list[str]:
        """Return the moments whose ticks this replica has run."""
        return [
            line["moment"]
            for line in self.lines()
            if line["logger"] == "planton_server.service.timers" and line["message"] == "tick"
        ]

    def stop(self) -> int:
        """End it in order, and return its exit status."""
        self._process.communicate(timeout=waiting.TIMEOUT_SECONDS)
        return self._process.returncode

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def replica(tmp_path: pathlib.Path) -> Iterator[object]:
    """Starts replicas."""
    made: list[Replica] = []

    def start(url: str) -> Replica:
        made.append(Replica(url, tmp_path / f"replica-{len(made)}.log"))
        return made[-1]

    yield start
    for one in made:
        one.kill()


@contextlib.contextmanager
def engine_of(url: str) -> Iterator[sa.Engine]:
    made = engines.blocking(url)
    yield made
    made.dispose()


def test_a_tick_does_both_things_at_its_time(new_url, engine: str) -> None:
    """Deadlines with the reason that a report would find, and resyncs at its next time again."""
    url = new_url(engine)
    with engine_of(url) as opened:
        pool = rows.node_pool(opened, rows.cluster(opened), deadline=rows.MINUTE, resync_at=rows.MINUTE)
        timers.tick(opened, settings.Settings(url, resync=60.0), NOW)
        stored = rows.read(opened, tables.NODE_POOLS, pool)
        assert stored["resync_at"] == resyncs.time(pool, NOW, 60.0)
        computed = status.compute(stored, [], ["gcp-controller"], now=rows.HOUR)
        assert (stored["phase"], stored["reason"], stored["message"], stored["deadline"]) == (*computed[:3], computed.deadline)
        assert [event["type"] for event in rows.events(opened)] == ["nodepool.status_updated", "nodepool.updated"]


def test_without_resyncs_nothing_is_told_again(new_url) -> None:
    """What was planned under another setting happens once more, and then never."""
    url = new_url("sqlite")
    with engine_of(url) as opened:
        pool = rows.node_pool(opened, rows.cluster(opened), resync_at=rows.MINUTE)
        timers.tick(opened, settings.Settings(url, resync=0.0), NOW)
        assert rows.read(opened, tables.NODE_POOLS, pool)["resync_at"] is None


def test_resyncs_can_be_switched_on_again(new_url, engine: str) -> None:
    """What was written meanwhile gets a time, by its place; what has one keeps it."""
    url = new_url(engine)
    with engine_of(url) as opened:
        cluster = rows.cluster(opened)
        without, planned = rows.node_pool(opened, cluster), rows.node_pool(opened, cluster, resync_at=rows.MINUTE)
        timers.begin(opened, settings.Settings(url, resync=0.0), NOW)
        assert rows.read(opened, tables.NODE_POOLS, without)["resync_at"] is None
        timers.begin(opened, settings.Settings(url, resync=60.0), NOW)
        assert rows.read(opened, tables.NODE_POOLS, without)["resync_at"] == resyncs.time(without, NOW, 60.0)
        assert rows.read(opened, tables.CLUSTERS, cluster)["resync_at"] == resyncs.time(cluster, NOW, 60.0)
        assert rows.read(opened, tables.NODE_POOLS, planned)["resync_at"] == rows.MINUTE
        assert rows.events(opened) == []


def test_cleaning_counts_from_its_time(new_url, engine: str) -> None:
    """Events that are older than the retention go."""
    url = new_url(engine)
    with engine_of(url) as opened:
        rows.event(opened, time=rows.THEN)
        kept = rows.event(opened, time=rows.MINUTE)
        timers.clean(opened, settings.Settings(url, retention=3600.0 - 1), NOW)
        assert [event["id"] for event in rows.events(opened)] == [kept]


def test_the_audit_has_a_retention_of_its_own(new_url, engine: str) -> None:
    """It is kept longer than events."""
    url = new_url(engine)
    with engine_of(url) as opened:
        rows.audit(opened, created_at=rows.THEN)
        kept = rows.audit(opened, created_at=rows.MINUTE)
        timers.clean(opened, settings.Settings(url, retention=0.0, audit_retention=3600.0 - 1), NOW)
        with opened.connect() as connection:
            assert connection.execute(sa.select(tables.AUDIT.c.id)).scalars().all() == [kept]


def test_one_replica_does_the_work(new_url, engine: str, replica) -> None:
    """The other one goes on at once when it stops; nothing is connected to but the database."""
    url = new_url(engine).replace("postgres@", "postgres:s3cret@")
    first = replica(url)
    waiting.until(lambda: len(first.moments()) >= 2, "ticks of the first")
    second = replica(url)
    waiting.until(lambda: len(first.moments()) >= 4, "more of them")
    assert second.moments() == []
    assert first.stop() == 0
    waiting.until(lambda: len(second.moments()) >= 2, "ticks of the second")
    assert second.stop() == 0
    done = sorted([*first.moments(), *second.moments()])
    assert len(done) == len(set(done))
    assert {line["message"] for one in (first, second) for line in one.lines() if line["logger"] == "test"} == set()
    assert all("s3cret" not in one.log.read_text() for one in (first, second))


def test_the_others_go_on_when_one_is_killed(new_url, replica) -> None:
    """What was due meanwhile is due then too."""
    url = new_url("postgresql")
    first = replica(url)
    waiting.until(first.moments, "a tick")
    second = replica(url)
    first.kill()
    with engine_of(url) as opened:
        pool = rows.node_pool(opened, rows.cluster(opened), deadline=rows.MINUTE)
        waiting.until(lambda: rows.read(opened, tables.NODE_POOLS, pool)["phase"] == "Failed", "the deadline to pass")
    assert second.stop() == 0


def test_ticks_begin_when_the_database_is_there_and_go_on_when_it_is_back() -> None:
    """The start does not wait for it, and a crash of it ends nothing."""
    cluster = postgres.Cluster()
    url = cluster.url(cluster.create())
    schema.migrate(url)
    with engine_of(url) as opened:
        early, late = (rows.node_pool(opened, rows.cluster(opened), deadline=time) for time in (rows.MINUTE, "2999"))
        cluster.stop()
        running = timers.Timers(settings.Settings(url, tick=1))
        running.start()
        cluster.start()
        waiting.until(lambda: rows.read(opened, tables.NODE_POOLS, early)["phase"] == "Failed", "the first tick")
        cluster.stop()
        cluster.start()
        with opened.begin() as connection:
            connection.execute(sa.update(tables.NODE_POOLS).where(tables.NODE_POOLS.c.id == late).values(deadline=rows.MINUTE))
        waiting.until(lambda: rows.read(opened, tables.NODE_POOLS, late)["phase"] == "Failed", "a tick after the crash")
    running.stop()
    cluster.remove()
