"""The work queue: claims, leases, results and limits, with the database's clock moved by a parameter."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from planton_server.store import database, leases, tables, work
from support import api, rows, trials

WORK = tables.WORK
#: Fast enough that no account waits for its rate.
LIMITS = work.Limits(running=100, rate=0)
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


class Queue:
    """The queue of one database, with a clock that moves.

    Attributes:
        shift: Milliseconds that the database's clock is ahead.
    """

    def __init__(self, loop: api.Loop, store: database.Database, engine: sa.Engine, limits: work.Limits = LIMITS) -> None:
        self.engine = engine
        self.shift = 0
        self._loop = loop
        self._store = store
        self._limits = limits

    @property
    def limits(self) -> work.Limits:
        return self._limits._replace(shift=self.shift)

    def claim(self, process: str = "one", *, limit: int = 100, platforms: Sequence[str] = ("civo", "gcp")) -> Sequence[Any]:
        return self._loop.run(self.claiming(process, limit=limit, platforms=platforms))

    async def claiming(
        self, process: str = "one", *, limit: int = 100, platforms: Sequence[str] = ("civo", "gcp")
    ) -> Sequence[Any]:
        async with self._store.transaction() as transaction:
            await work.lock(transaction)
            if not await work.register(transaction, self.limits, process, version="1", platforms=platforms):
                await work.sweep(transaction, self.limits)
                await work.revive(transaction, self.limits, process)
            return await work.claim(transaction, self.limits, process, platforms=platforms, limit=limit)

    def finish(self, claimed: Any, process: str = "one", **result: Any) -> bool:
        """Finishes a claim, and returns whether the result was accepted."""
        values = {"generation": 0, "outcome": "SUCCEEDED", "look": None, "code": "", "message": "", "jitter": 1.0, **result}
        finished = work.Result(claimed["id"], claimed["epoch"], **values)

        async def finish() -> bool:
            async with self._store.unit() as transaction:
                return bool(await work.finish(transaction, self.limits, process, [finished]))

        return bool(self._loop.run(finish()))

    def fail(self, claimed: Any, process: str = "one", **result: Any) -> bool:
        return self.finish(claimed, process, **{"outcome": "FAILED", "code": "QUOTA_EXCEEDED", "message": "24 of 24", **result})

    def beat(self, process: str = "one") -> bool:
        """Renews the lease, and frees work with expired leases. Returns whether the own lease was still valid."""

        async def beat() -> bool:
            async with self._store.transaction() as transaction:
                is_alive = await work.renew(transaction, self.limits, process, version="1")
                await work.sweep(transaction, self.limits)
                if not is_alive:
                    await work.revive(transaction, self.limits, process)
                return is_alive

        return bool(self._loop.run(beat()))

    def held(self, process: str = "one") -> dict[str, bool]:
        return {row["id"]: bool(row["touched"]) for row in self._loop.run(work.held(self._store, process))}

    def retry(self, identifier: str, *, owner: str = "") -> bool:
        async def retry() -> bool:
            async with self._store.transaction() as transaction:
                return await work.retry(transaction, self.limits, identifier, owner=owner)

        return bool(self._loop.run(retry()))

    def next_due(self, *platforms: str) -> int | None:
        due: int | None = self._loop.run(work.next_due(self._store, self.limits, platforms or ("civo", "gcp")))
        return due

    def row(self, identifier: str) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return dict(connection.execute(sa.select(WORK).where(WORK.c.id == identifier)).mappings().one())

    def rows(self) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(WORK)).mappings()]

    def update_at(self, identifier: str, shift: int) -> None:
        """Changes the spec of a cluster at a moved time. The clock of triggers does not move."""
        self.update(identifier)
        with self.engine.begin() as connection:
            connection.execute(sa.update(WORK).where(WORK.c.id == identifier).values(due=WORK.c.due + shift))

    def update(self, identifier: str) -> int:
        """Changes the spec of a cluster, and returns its new generation."""
        table = tables.CLUSTERS
        change = sa.update(table).where(table.c.id == identifier).values(generation=table.c.generation + 1)
        with self.engine.begin() as connection:
            return int(connection.execute(change.returning(table.c.generation)).scalar_one())

    def run(self, process: str = "one", **result: Any) -> list[str]:
        """Claims and finishes all due work, and returns the ids."""
        claimed = self.claim(process)
        for each in claimed:
            assert self.finish(each, process, **result)
        return [each["id"] for each in claimed]


@pytest.fixture
def queue(loop: api.Loop, store: database.Database, engine: sa.Engine) -> Queue:
    return Queue(loop, store, engine)


def ids(claimed: Iterable[Any]) -> set[str]:
    return {row["id"] for row in claimed}


def cluster(queue: Queue, credential: str = "", platform: str = "civo") -> str:
    """Creates a cluster on an account and returns its id."""
    spec = {"platform": {"type": platform, platform: {"credential": credential} if credential else {}}}
    return rows.cluster(queue.engine, platform=platform, spec=json.dumps(spec))


def test_a_resource_and_its_work_are_written_together(queue: Queue) -> None:
    """They are created, changed and deleted in one statement. The account is that of the cluster."""
    cluster_id = cluster(queue, "team-a")
    pool = rows.node_pool(queue.engine, cluster_id, platform="civo")
    row = queue.row(pool)
    assert {name: row[name] for name in ("kind", "cluster_id", "owner", "platform", "account", "generation", "done_generation")} == {
        "kind": "NodePool", "cluster_id": cluster_id, "owner": "user@example.com", "platform": "civo", "account": "team-a",
        "generation": 3, "done_generation": 0,
    }  # fmt: skip
    assert (row["process"], row["epoch"], row["attempt"], row["deleting"], row["dead_at"]) == (None, 0, 0, False, None)
    assert queue.update(cluster_id) == queue.row(cluster_id)["generation"] == 4
    with queue.engine.begin() as connection:
        connection.execute(sa.update(tables.NODE_POOLS).values(deleted_at=rows.HOUR))
    assert queue.row(pool)["deleting"]
    for table in (tables.NODE_POOLS, tables.CLUSTERS):
        with queue.engine.begin() as connection:
            connection.execute(sa.delete(table))
    assert queue.rows() == []


def test_changes_of_status_and_times_create_no_work(queue: Queue) -> None:
    """A report changes the status of a resource, a tick its times."""
    cluster_id = cluster(queue)
    assert queue.run(look=HOUR) == [cluster_id]
    before = queue.row(cluster_id)
    with queue.engine.begin() as connection:
        connection.execute(sa.update(tables.CLUSTERS).values(phase="Ready", resource_version=9, resync_at=rows.HOUR))
    assert queue.row(cluster_id) == before


def test_a_new_credential_moves_the_work_of_a_cluster(queue: Queue) -> None:
    """The work of its pools moves too, so that the new account's limits apply."""
    cluster_id = cluster(queue, "team-a")
    pool = rows.node_pool(queue.engine, cluster_id, platform="civo")
    spec = json.dumps({"platform": {"type": "civo", "civo": {"credential": "team-b"}}})
    with queue.engine.begin() as connection:
        connection.execute(sa.update(tables.CLUSTERS).values(spec=spec, generation=4))
    assert [queue.row(each)["account"] for each in (cluster_id, pool)] == ["team-b", "team-b"]
    assert {row["account"] for row in queue.claim()} == {"team-b"}


def test_finished_work_is_due_again_later(queue: Queue) -> None:
    """The controller sets the time of the next run, or the server's default applies."""
    cluster_id = cluster(queue)
    [claimed] = queue.claim()
    assert (claimed["id"], claimed["kind"], claimed["epoch"], claimed["generation"]) == (cluster_id, "Cluster", 1, 3)
    assert queue.claim("two") == []
    assert queue.finish(claimed, look=MINUTE)
    assert queue.row(cluster_id)["done_generation"] == 3
    assert queue.claim("two") == []
    queue.shift = MINUTE
    [second] = queue.claim("two")
    assert second["epoch"] == 2
    assert queue.finish(second, "two")
    queue.shift += work.DEFAULTS.look - SECOND
    assert queue.claim("two") == []
    queue.shift += 2 * SECOND
    assert len(queue.claim("two")) == 1


def test_processes_get_the_work_of_their_clouds(queue: Queue) -> None:
    """A waiting process gets the time of the next due work of its clouds."""
    assert queue.next_due() is None
    cluster_id = cluster(queue, platform="gcp")
    assert queue.claim(platforms=["civo", "digitalocean"]) == []
    assert queue.next_due("civo") is None
    assert queue.next_due("gcp") <= 0  # type: ignore[operator]
    [claimed] = queue.claim(platforms=["gcp"])
    assert claimed["id"] == cluster_id
    assert queue.next_due("gcp") is None
    queue.finish(claimed, look=MINUTE)
    assert 50 * SECOND < (queue.next_due("gcp") or 0) <= MINUTE


def test_a_cluster_has_one_running_work_at_a_time(queue: Queue) -> None:
    """A constraint of the database refuses a second one."""
    cluster_id = cluster(queue)
    pools = [rows.node_pool(queue.engine, cluster_id, platform="civo") for _ in range(3)]
    # What became due in the same millisecond is ordered by id.
    expected = [row["id"] for row in sorted(queue.rows(), key=lambda row: (row["due"], row["id"]))]
    order = []
    for _ in range(4):
        [claimed] = queue.claim()
        assert queue.claim("two") == []
        order.append(claimed["id"])
        queue.finish(claimed)
    assert order == expected
    [claimed] = (queue.update(cluster_id), queue.claim())[1]
    with pytest.raises(sa.exc.IntegrityError), queue.engine.begin() as connection:
        connection.execute(sa.update(WORK).where(WORK.c.id == pools[0]).values(process="two"))


def test_fifty_updates_need_two_runs(queue: Queue) -> None:
    """The first run may be in progress meanwhile. The second has the last generation."""
    cluster_id = cluster(queue)
    [first] = queue.claim()
    generations = [queue.update(cluster_id) for _ in range(50)]
    assert queue.held() == {cluster_id: True}
    assert queue.claim("two") == []
    assert queue.finish(first, generation=3, look=HOUR)
    queue.shift += LIMITS.settle
    [second] = queue.claim()
    assert second["generation"] == generations[-1] == 53
    assert queue.held() == {cluster_id: False}
    assert queue.finish(second, generation=53, look=HOUR)
    assert queue.claim() == []
    assert queue.row(cluster_id)["done_generation"] == 53


def test_work_finished_for_an_older_generation_is_due_again(queue: Queue) -> None:
    """A controller may read the resource before its claim."""
    cluster_id = cluster(queue)
    [claimed] = queue.claim()
    assert queue.finish(claimed, generation=2, look=HOUR)
    assert queue.row(cluster_id)["done_generation"] == 2
    queue.shift += LIMITS.settle
    assert len(queue.claim()) == 1


def test_fifty_updates_within_ten_seconds_need_two_runs_of_four_seconds(queue: Queue) -> None:
    """A process asks for work all the time. The second run starts after the last update, and has its generation."""
    cluster_id = cluster(queue)
    runs: list[tuple[int, int]] = []
    running: list[Any] = []
    for moment in range(0, 20 * SECOND, 200):
        queue.shift = moment
        if running and moment >= runs[-1][0] + 4 * SECOND:
            assert queue.finish(running.pop(), look=HOUR)
        if not running:
            for claimed in queue.claim():
                running.append(claimed)
                runs.append((moment, claimed["generation"]))
        queue.beat()
        if moment < 10 * SECOND:
            queue.update_at(cluster_id, moment)
    assert [generation for _, generation in runs] == [3, 53]
    assert runs[1][0] <= 10 * SECOND + 2 * LIMITS.settle


def test_updates_without_an_end_delay_a_run_by_ten_seconds(queue: Queue) -> None:
    """Each comes before the last one has settled."""
    cluster_id = cluster(queue)
    [claimed] = queue.claim()
    queue.update_at(cluster_id, 0)
    assert queue.finish(claimed, look=HOUR)
    started = []
    for moment in range(0, 20 * SECOND, SECOND):
        queue.shift = moment
        started += [moment for _ in queue.claim()]
        queue.update_at(cluster_id, moment)
    assert [one // SECOND for one in started] == [LIMITS.settled // SECOND]


def test_only_changes_during_a_run_wait_for_more(queue: Queue) -> None:
    """A change of a resource at rest, a deletion and a retry are run at once."""
    cluster_id = cluster(queue)
    for make_due in (queue.update, queue.retry):
        [claimed] = queue.claim()
        assert queue.finish(claimed, look=HOUR)
        assert queue.claim() == []
        make_due(cluster_id)
    [claimed] = queue.claim()
    queue.update(cluster_id)
    assert queue.finish(claimed, look=HOUR)
    assert queue.claim() == []
    queue.retry(cluster_id)
    [claimed] = queue.claim()
    queue.update(cluster_id)
    assert queue.finish(claimed, look=HOUR)
    assert queue.claim() == []
    with queue.engine.begin() as connection:
        connection.execute(sa.update(tables.CLUSTERS).values(deleted_at="2026-01-01T00:00:00.000000Z"))
    [claimed] = queue.claim()
    assert claimed["deleting"]


def test_work_with_an_expired_lease_moves_to_another_process(queue: Queue) -> None:
    """The lost run counts as an attempt. A late result changes nothing."""
    cluster_id = cluster(queue)
    [claimed] = queue.claim()
    queue.shift = LIMITS.lease - SECOND
    assert queue.beat("two") is False  # an unknown process, so the call only frees expired work
    assert queue.held() == {cluster_id: False}
    queue.shift = LIMITS.lease + SECOND
    queue.beat("two")
    assert queue.held() == {}
    lost = queue.row(cluster_id)
    assert (lost["process"], lost["attempt"], lost["error_code"]) == (None, 1, work.LEASE_LOST)
    [moved] = queue.claim("two")
    assert (moved["id"], moved["epoch"], moved["attempt"]) == (cluster_id, 2, 1)
    before = queue.row(cluster_id)
    assert not queue.finish(claimed)
    assert not queue.fail(claimed)
    assert queue.row(cluster_id) == before
    assert queue.finish(moved, "two", look=MINUTE)
    assert (queue.row(cluster_id)["attempt"], queue.row(cluster_id)["error_code"]) == (0, "")


def test_a_process_loses_its_work_with_its_lease(queue: Queue) -> None:
    """Results and heartbeats after the lease are refused, even if no other process freed the work."""
    cluster_id = cluster(queue)
    [claimed] = queue.claim()
    queue.shift = 30 * SECOND
    before = queue.row(cluster_id)
    assert not queue.finish(claimed)
    assert queue.row(cluster_id) == before
    assert not queue.beat()
    assert queue.held() == {}
    assert not queue.finish(claimed)
    assert queue.beat()
    [second] = queue.claim()
    assert (second["id"], second["epoch"]) == (cluster_id, 2)


def test_heartbeats_extend_the_lease(queue: Queue) -> None:
    """The duration of a run is not limited."""
    cluster(queue)
    [claimed] = queue.claim()
    for _ in range(20):
        queue.shift += LIMITS.lease - SECOND
        assert queue.beat()
        queue.beat("two")
    assert queue.finish(claimed)


def test_released_work_is_due_at_once(queue: Queue) -> None:
    """It is not an attempt: a stopping process has not failed."""
    for _ in range(40):
        cluster(queue)
    held = queue.claim("old")
    assert len(held) == 40
    for claimed in held:
        assert queue.finish(claimed, "old", outcome="RELEASED", look=HOUR)
    moved = queue.claim("new")
    assert ids(moved) == ids(held)
    assert {row["attempt"] for row in moved} == {0}


def test_postponed_work_is_looked_at_as_planned_and_never_dead(queue: Queue) -> None:
    """It shows its error, and counts no attempt. Without a planned look it backs off as failed work does."""
    cluster_id = cluster(queue)
    for _ in range(2 * work.DEFAULTS.attempts):
        [claimed] = queue.claim()
        assert queue.fail(claimed, outcome="POSTPONED", code="RATE_LIMITED", look=MINUTE)
        assert MINUTE - SECOND <= (queue.next_due() or 0) <= MINUTE
        queue.shift += MINUTE
    row = queue.row(cluster_id)
    assert (row["attempt"], row["dead_at"], row["error_code"], row["done_generation"]) == (0, None, "RATE_LIMITED", 0)
    [claimed] = queue.claim()
    assert queue.fail(claimed, outcome="POSTPONED")
    assert 0 < (queue.next_due() or 0) <= 2 * SECOND


def test_failed_work_backs_off_until_it_is_dead(queue: Queue) -> None:
    """It keeps the error and the attempts. A retry or a change revives it."""
    cluster_id = cluster(queue)
    waits = []
    for attempt in range(5):
        [claimed] = queue.claim()
        assert claimed["attempt"] == attempt
        queue.fail(claimed)
        waits.append(queue.next_due())
        queue.shift += waits[-1] or 0
    assert [round((wait or 0) / SECOND) for wait in waits] == [1, 2, 4, 8, 0]
    dead = queue.row(cluster_id)
    assert dead["dead_at"] is not None
    assert (dead["attempt"], dead["error_code"], dead["error_message"]) == (5, "QUOTA_EXCEEDED", "24 of 24")
    queue.shift += DAY
    assert queue.claim() == []
    assert not queue.retry(cluster_id, owner="somebody-else@example.com")
    assert queue.retry(cluster_id, owner="user@example.com")
    [claimed] = queue.claim()
    assert claimed["attempt"] == 0
    for _ in range(5):
        queue.fail(claimed, look=0)
        [claimed] = queue.claim() or [claimed]
    assert queue.claim() == []
    queue.update(cluster_id)
    [revived] = queue.claim()
    assert (revived["attempt"], revived["generation"]) == (0, 4)


def test_the_backoff_is_at_most_five_minutes(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """A random factor spreads it. A result may set its own time."""
    queue = Queue(loop, store, engine, LIMITS._replace(attempts=1000))
    cluster(queue)
    for _ in range(12):
        [claimed] = queue.claim()
        queue.fail(claimed)
        queue.shift += queue.next_due() or 0
    [claimed] = queue.claim()
    queue.fail(claimed, jitter=1.25)
    assert abs((queue.next_due() or 0) - 375 * SECOND) < 5 * SECOND
    queue.shift += 376 * SECOND
    [claimed] = queue.claim()
    queue.fail(claimed, look=7 * SECOND)
    assert 5 * SECOND < (queue.next_due() or 0) <= 7 * SECOND


def test_work_that_kills_five_processes_is_dead(queue: Queue) -> None:
    """The error names the last process."""
    cluster_id = cluster(queue)
    for attempt in range(5):
        [claimed] = queue.claim(f"process-{attempt}")
        assert claimed["attempt"] == attempt
        queue.shift += LIMITS.lease + SECOND
        queue.beat("other")
    assert queue.claim() == []
    dead = queue.row(cluster_id)
    assert (dead["attempt"], dead["error_code"]) == (5, work.LEASE_LOST)
    assert "process-4" in dead["error_message"]


def test_a_change_keeps_work_alive_after_a_lost_run(queue: Queue) -> None:
    """The change resets the attempts while the process dies."""
    cluster_id = cluster(queue)
    for attempt in range(4):
        queue.claim(f"process-{attempt}")
        queue.shift += LIMITS.lease + SECOND
        queue.beat("other")
    queue.claim("process-4")
    queue.update(cluster_id)
    queue.shift += LIMITS.lease + SECOND
    queue.beat("other")
    [claimed] = queue.claim()
    assert (claimed["id"], claimed["attempt"], claimed["generation"]) == (cluster_id, 1, 4)


def test_the_running_work_of_an_account_is_limited(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """Each account of a cloud has its own limit, shared by all processes."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=5))
    first, second = ([cluster(queue, name) for _ in range(8)] for name in ("team-a", "team-b"))
    one, two = queue.claim(limit=7), queue.claim("two")
    claimed = ids(one) | ids(two)
    assert (len(one), len(two), len(claimed & set(first)), len(claimed & set(second))) == (7, 3, 5, 5)
    assert queue.claim("three") == []
    queue.finish(next(row for row in one if row["id"] in first), look=HOUR)
    [freed] = queue.claim("three")
    assert freed["id"] in first


def test_the_start_rate_of_an_account_is_limited(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """Two processes together start at most the rate plus a burst of five seconds. Over time they use the full rate."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=1000, rate=120.0))
    for _ in range(20):
        cluster(queue)
    starts: list[float] = []
    beginning = time.monotonic()
    for step in range(4 * 180):
        queue.shift = step * 250
        for process in ("one", "two"):
            started = len(queue.run(process, look=0))
            # The database's own clock advances, too.
            starts += [queue.shift + (time.monotonic() - beginning) * 1000] * started
    assert max(sum(start <= each < start + MINUTE for each in starts) for start in starts) <= 120 + 10
    assert len(starts) >= 3 * 120


def test_a_busy_account_does_not_starve_others(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """Hundreds of earlier due works of one account get only its share."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=2))
    crowded = cluster(queue, "crowded")
    for _ in range(250):
        rows.node_pool(engine, crowded, platform="civo")
    late = {cluster(queue, "crowded"), cluster(queue, "calm"), cluster(queue, "calm")}
    finished: set[str] = set()
    for _ in range(4):
        finished |= set(queue.run(look=HOUR))
    assert late <= finished


def test_concurrent_claims_share_the_work(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """Three concurrent claims never get the same work, and together respect the account's limit."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=20))
    for _ in range(30):
        cluster(queue)

    async def claim_concurrently() -> list[Sequence[Any]]:
        return await asyncio.gather(*(queue.claiming(name, limit=7) for name in ("one", "two", "three")))

    claimed = loop.run(claim_concurrently())
    assert [len(each) for each in claimed] == [7, 7, 6] or sorted(map(len, claimed)) == [6, 7, 7]
    assert len(set().union(*map(ids, claimed))) == 20


def test_a_day_of_runs_keeps_one_row_for_each_resource(queue: Queue) -> None:
    """The table needs no cleaning."""
    clusters = {cluster(queue) for _ in range(3)}
    for hour in range(24):
        queue.shift = hour * HOUR
        assert set(queue.run(look=HOUR - 1)) == clusters
    assert ids(queue.rows()) == clusters
    with queue.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.ACCOUNTS)).scalar() == 1


def test_a_clock_that_steps_back_delays_no_work(queue: Queue) -> None:
    """Scheduled work moves with the clock, and no lease becomes longer."""
    above = cluster(queue)
    queue.run(look=MINUTE)
    with queue.engine.begin() as connection:
        # Written while the clock was an hour ahead.
        connection.execute(sa.update(WORK).values(due=WORK.c.due + HOUR))
        for column in (tables.PROCESSES.c.beat, tables.ACCOUNTS.c.at):
            connection.execute(sa.update(column.table).values({column: column + HOUR}))
    lease = leases.read(queue.engine)
    with queue.engine.begin() as connection:
        assert leases.step(connection, lease, -HOUR / SECOND, kept_seconds=0.0, kept_until=rows.HOUR)
    assert 0 < (queue.next_due() or 0) <= MINUTE
    queue.shift = LIMITS.lease + SECOND
    assert not queue.beat()
    queue.shift = 2 * MINUTE
    assert ids(queue.claim()) == {above}


def test_a_clock_that_steps_forward_makes_work_due(queue: Queue) -> None:
    """All leases end, and everything runs again."""
    above = cluster(queue)
    queue.claim()
    queue.shift = HOUR
    queue.beat("two")
    assert ids(queue.claim("two")) == {above}


def test_lists_are_filtered_by_owner_state_kind_and_platform(loop: api.Loop, store: database.Database, queue: Queue) -> None:
    """They contain the names of the resources, and have pages."""
    cluster_id = cluster(queue)
    pool = rows.node_pool(queue.engine, cluster_id, platform="civo")
    rows.cluster(queue.engine, platform="gcp", owner="other@example.com")
    queue.claim(platforms=["civo"])

    def listed(limit: int = 10, after: str = "", **selection: str) -> list[tuple[str, str]]:
        page = loop.run(work.page(store, work.Filter(**selection), limit=limit, after=after))
        return [(row["id"], row["name"]) for row in page]

    own = listed(owner="user@example.com")
    assert sorted(own) == sorted([(cluster_id, f"cluster-{cluster_id}"), (pool, f"pool-{pool}")])
    assert listed(state="running") == [(cluster_id, f"cluster-{cluster_id}")]
    assert listed(state="waiting", kind="NodePool", platform="civo") == [(pool, f"pool-{pool}")]
    assert listed(state="dead") == []
    assert len(listed()) == 3
    first = listed(limit=2)
    assert [*first, *listed(limit=2, after=first[-1][0])] == listed()


class PlannedError(Exception):
    """An error with the query plan of a statement."""


def test_the_search_for_due_work_reads_the_start_of_an_index(
    loop: api.Loop, plan: Any, store: database.Database, queue: Queue
) -> None:
    """It neither sorts nor scans other work."""

    class Planning:
        name = store.name

        async def rows(self, statement: database.Statement, **values: Any) -> Sequence[Any]:
            raise PlannedError(await plan_rows(statement, **values))

    async def plan_rows(statement: database.Statement, **values: Any) -> Sequence[Any]:
        return await databases[0].rows(statement, **values)  # type: ignore[no-any-return]

    databases: list[Any] = []

    async def search(explaining: Any) -> Sequence[Any]:
        databases.append(explaining)
        try:
            await work.next_due(Planning(), queue.limits, ["civo"])  # type: ignore[arg-type]
        except PlannedError as planned:
            return planned.args[0]  # type: ignore[no-any-return]
        raise AssertionError("the search must read the database")

    steps = plan(search)
    assert "ix_work_free" in steps
    assert "SCAN w" not in steps
    assert "Seq Scan on work" not in steps


class Life(RuleBasedStateMachine):
    """Random actions of processes, users and a clock. A subclass sets the queue."""

    queue: Queue
    processes = st.sampled_from(["one", "two", "three"])

    @initialize()
    def begin(self) -> None:
        self.queue.shift = 0
        with self.queue.engine.begin() as connection:
            for table in (tables.NODE_POOLS, tables.CLUSTERS, tables.PROCESSES, tables.ACCOUNTS):
                connection.execute(sa.delete(table))
        self.clusters = [cluster(self.queue, name) for name in ("a", "a", "b")]
        for each in self.clusters:
            rows.node_pool(self.queue.engine, each, platform="civo")
        self.claims: list[tuple[str, Any]] = []

    @rule(process=processes, limit=st.integers(1, 4))
    def claim(self, process: str, limit: int) -> None:
        self.claims += [(process, row) for row in self.queue.claim(process, limit=limit)]

    @rule(
        data=st.data(),
        outcome=st.sampled_from(["SUCCEEDED", "FAILED", "POSTPONED", "RELEASED"]),
        look=st.sampled_from([None, 0, MINUTE]),
    )
    def finish(self, data: Any, outcome: str, look: int | None) -> None:
        if self.claims:
            process, row = data.draw(st.sampled_from(self.claims))
            self.queue.finish(row, process, outcome=outcome, look=look, code="X")

    @rule(process=processes)
    def beat(self, process: str) -> None:
        self.queue.beat(process)

    @rule(seconds=st.sampled_from([1, 5, 9, 60]))
    def wait(self, seconds: int) -> None:
        self.queue.shift += seconds * SECOND

    @rule(place=st.integers(0, 2))
    def update(self, place: int) -> None:
        self.queue.update(self.clusters[place])

    @rule(place=st.integers(0, 2))
    def retry(self, place: int) -> None:
        self.queue.retry(self.clusters[place])

    @invariant()
    def is_never_stranded(self) -> None:
        rows_of_work = self.queue.rows()
        assert len(rows_of_work) == 6
        running = [row["cluster_id"] for row in rows_of_work if row["process"]]
        assert len(running) == len(set(running))
        for name in ("a", "b"):
            assert sum(bool(row["process"]) for row in rows_of_work if row["account"] == name) <= 3
        with self.queue.engine.connect() as connection:
            registered = set(connection.execute(sa.select(tables.PROCESSES.c.id)).scalars())
        for row in rows_of_work:
            # A process without a heartbeat stays registered until its work is freed.
            assert row["process"] is None or row["process"] in registered
            assert row["due"] > 0
            assert row["dead_at"] is None or (row["process"] is None and row["attempt"] >= 3)

    def teardown(self) -> None:
        # After the end of all processes, a new one gets all living work.
        self.queue.shift += DAY
        self.queue.beat("last")
        finished: set[str] = set()
        for _ in range(6):
            finished |= set(self.queue.run("last", look=HOUR))
        assert finished == {row["id"] for row in self.queue.rows() if row["dead_at"] is None}


def test_every_live_row_has_a_time_or_a_live_owner(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """This holds for random actions of processes, users and clocks."""

    class QueueLife(Life):
        queue = Queue(loop, store, engine, LIMITS._replace(running=3, attempts=3))

    options = settings(max_examples=trials.of(15), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(QueueLife, settings=options)


def test_results_lock_works_by_id_so_that_two_batches_cannot_wait_for_each_other(
    loop: api.Loop, store: database.Database, engine: sa.Engine, queue: Queue
) -> None:
    """A batch that waits for its first work holds none of the others, whatever the order of its results is."""
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    for _ in range(2):
        cluster(queue)
    first, last = sorted(queue.claim(), key=lambda row: str(row["id"]))
    results = [work.Result(row["id"], row["epoch"], 0, "SUCCEEDED", None, "", "", 1.0) for row in (last, first)]
    lock = "SELECT id FROM work WHERE id = :id FOR UPDATE"

    async def finish() -> int:
        async with store.unit() as transaction:
            return len(await work.finish(transaction, LIMITS, "one", results))

    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with engine.connect() as holder, engine.connect() as other, engine.connect() as watcher:
        holder.execute(sa.text(lock), {"id": first["id"]})
        finishing = loop.begin(finish())
        while not watcher.execute(waiting).scalar_one():
            watcher.rollback()
        assert other.execute(sa.text(f"{lock} NOWAIT"), {"id": last["id"]}).scalar_one() == last["id"]
        other.rollback()
        holder.rollback()
    assert finishing.result(api.TIMEOUT_SECONDS) == len(results)
