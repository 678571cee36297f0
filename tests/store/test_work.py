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

from planton_server.store import database, tables, work
from support import api, rows

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
        """Finishes a claim; returns whether that was accepted."""
        values = {"generation": 0, "outcome": "SUCCEEDED", "look": None, "code": "", "message": "", "jitter": 1.0, **result}
        one = work.Result(claimed["id"], claimed["epoch"], **values)

        async def finish() -> bool:
            async with self._store.unit() as transaction:
                return bool(await work.finish(transaction, self.limits, process, [one]))

        return bool(self._loop.run(finish()))

    def fail(self, claimed: Any, process: str = "one", **result: Any) -> bool:
        return self.finish(claimed, process, **{"outcome": "FAILED", "code": "QUOTA_EXCEEDED", "message": "24 of 24", **result})

    def beat(self, process: str = "one") -> bool:
        """Renews the lease, and takes back what others lost; returns whether the lease had not ended."""

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

    def update(self, identifier: str) -> int:
        """Changes the spec of a cluster; returns its new generation."""
        table = tables.CLUSTERS
        change = sa.update(table).where(table.c.id == identifier).values(generation=table.c.generation + 1)
        with self.engine.begin() as connection:
            return int(connection.execute(change.returning(table.c.generation)).scalar_one())

    def run(self, process: str = "one", **result: Any) -> list[str]:
        """Claims and finishes all that is due; returns the ids."""
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


def test_resource_and_its_work_are_one_write(queue: Queue) -> None:
    """Created, changed and deleted together, with the account of the cluster."""
    above = cluster(queue, "team-a")
    pool = rows.node_pool(queue.engine, above, platform="civo")
    made = queue.row(pool)
    assert {name: made[name] for name in ("kind", "cluster_id", "owner", "platform", "account", "generation", "done_generation")} == {
        "kind": "NodePool", "cluster_id": above, "owner": "user@example.com", "platform": "civo", "account": "team-a",
        "generation": 3, "done_generation": 0,
    }  # fmt: skip
    assert (made["process"], made["epoch"], made["attempt"], made["deleting"], made["dead_at"]) == (None, 0, 0, False, None)
    assert queue.update(above) == queue.row(above)["generation"] == 4
    with queue.engine.begin() as connection:
        connection.execute(sa.update(tables.NODE_POOLS).values(deleted_at=rows.HOUR))
    assert queue.row(pool)["deleting"]
    for table in (tables.NODE_POOLS, tables.CLUSTERS):
        with queue.engine.begin() as connection:
            connection.execute(sa.delete(table))
    assert queue.rows() == []


def test_changes_that_are_no_work_leave_the_queue_alone(queue: Queue) -> None:
    """A report changes the status, a tick the times of a resource."""
    above = cluster(queue)
    assert queue.run(look=HOUR) == [above]
    before = queue.row(above)
    with queue.engine.begin() as connection:
        connection.execute(sa.update(tables.CLUSTERS).values(phase="Ready", resource_version=9, resync_at=rows.HOUR))
    assert queue.row(above) == before


def test_new_credential_moves_the_work_of_a_cluster(queue: Queue) -> None:
    """With that of its pools, so that the new account's limits count."""
    above = cluster(queue, "team-a")
    pool = rows.node_pool(queue.engine, above, platform="civo")
    spec = json.dumps({"platform": {"type": "civo", "civo": {"credential": "team-b"}}})
    with queue.engine.begin() as connection:
        connection.execute(sa.update(tables.CLUSTERS).values(spec=spec, generation=4))
    assert [queue.row(each)["account"] for each in (above, pool)] == ["team-b", "team-b"]
    assert {row["account"] for row in queue.claim()} == {"team-b"}


def test_work_is_claimed_once_and_looked_at_again(queue: Queue) -> None:
    """A success is looked at after the time that the controller names, else after the server's."""
    above = cluster(queue)
    [claimed] = queue.claim()
    assert (claimed["id"], claimed["kind"], claimed["epoch"], claimed["generation"]) == (above, "Cluster", 1, 3)
    assert queue.claim("two") == []
    assert queue.finish(claimed, look=MINUTE)
    assert queue.row(above)["done_generation"] == 3
    assert queue.claim("two") == []
    queue.shift = MINUTE
    [again] = queue.claim("two")
    assert again["epoch"] == 2
    assert queue.finish(again, "two")
    queue.shift += work.DEFAULTS.look - SECOND
    assert queue.claim("two") == []
    queue.shift += 2 * SECOND
    assert len(queue.claim("two")) == 1


def test_processes_get_the_work_of_their_clouds(queue: Queue) -> None:
    """And no other; a process that waits learns when work is due."""
    assert queue.next_due() is None
    above = cluster(queue, platform="gcp")
    assert queue.claim(platforms=["civo", "digitalocean"]) == []
    assert queue.next_due("civo") is None
    assert queue.next_due("gcp") <= 0  # type: ignore[operator]
    [claimed] = queue.claim(platforms=["gcp"])
    assert claimed["id"] == above
    assert queue.next_due("gcp") is None
    queue.finish(claimed, look=MINUTE)
    assert 50 * SECOND < (queue.next_due("gcp") or 0) <= MINUTE


def test_cluster_runs_one_work_at_a_time(queue: Queue) -> None:
    """The database refuses a second one, whoever asks."""
    above = cluster(queue)
    pools = [rows.node_pool(queue.engine, above, platform="civo") for _ in range(3)]
    order = []
    for _ in range(4):
        [claimed] = queue.claim()
        assert queue.claim("two") == []
        order.append(claimed["id"])
        queue.finish(claimed)
    assert order == [above, *pools]
    [claimed] = (queue.update(above), queue.claim())[1]
    with pytest.raises(sa.exc.IntegrityError), queue.engine.begin() as connection:
        connection.execute(sa.update(WORK).where(WORK.c.id == pools[0]).values(process="two"))


def test_fifty_updates_are_two_runs(queue: Queue) -> None:
    """The first may run meanwhile; the second sees the last generation."""
    above = cluster(queue)
    [first] = queue.claim()
    generations = [queue.update(above) for _ in range(50)]
    assert queue.held() == {above: True}
    assert queue.claim("two") == []
    assert queue.finish(first, generation=3, look=HOUR)
    [second] = queue.claim()
    assert second["generation"] == generations[-1] == 53
    assert queue.held() == {above: False}
    assert queue.finish(second, generation=53, look=HOUR)
    assert queue.claim() == []
    assert queue.row(above)["done_generation"] == 53


def test_success_for_an_older_generation_is_due_again(queue: Queue) -> None:
    """A controller may have read the resource before it claimed."""
    above = cluster(queue)
    [claimed] = queue.claim()
    assert queue.finish(claimed, generation=2, look=HOUR)
    assert queue.row(above)["done_generation"] == 2
    assert len(queue.claim()) == 1


def test_work_of_a_silent_process_moves(queue: Queue) -> None:
    """After its lease, to any other, as an attempt; its late result changes nothing."""
    above = cluster(queue)
    [claimed] = queue.claim()
    queue.shift = LIMITS.lease - SECOND
    assert queue.beat("two") is False  # unknown, so that it only takes back
    assert queue.held() == {above: False}
    queue.shift = LIMITS.lease + SECOND
    queue.beat("two")
    assert queue.held() == {}
    lost = queue.row(above)
    assert (lost["process"], lost["attempt"], lost["error_code"]) == (None, 1, work.LEASE_LOST)
    [moved] = queue.claim("two")
    assert (moved["id"], moved["epoch"], moved["attempt"]) == (above, 2, 1)
    before = queue.row(above)
    assert not queue.finish(claimed)
    assert not queue.fail(claimed)
    assert queue.row(above) == before
    assert queue.finish(moved, "two", look=MINUTE)
    assert (queue.row(above)["attempt"], queue.row(above)["error_code"]) == (0, "")


def test_process_that_comes_back_has_lost_its_work(queue: Queue) -> None:
    """Also if nobody else has noticed: neither a result nor a heartbeat after the lease counts."""
    above = cluster(queue)
    [claimed] = queue.claim()
    queue.shift = 30 * SECOND
    before = queue.row(above)
    assert not queue.finish(claimed)
    assert queue.row(above) == before
    assert not queue.beat()
    assert queue.held() == {}
    assert not queue.finish(claimed)
    assert queue.beat()
    [again] = queue.claim()
    assert (again["id"], again["epoch"]) == (above, 2)


def test_heartbeats_keep_work(queue: Queue) -> None:
    """As long as they come, however long the run takes."""
    cluster(queue)
    [claimed] = queue.claim()
    for _ in range(20):
        queue.shift += LIMITS.lease - SECOND
        assert queue.beat()
        queue.beat("two")
    assert queue.finish(claimed)


def test_release_hands_back_at_once(queue: Queue) -> None:
    """Without an attempt: a process that stops has not failed."""
    for _ in range(40):
        cluster(queue)
    held = queue.claim("old")
    assert len(held) == 40
    for claimed in held:
        assert queue.finish(claimed, "old", outcome="RELEASED", look=HOUR)
    moved = queue.claim("new")
    assert ids(moved) == ids(held)
    assert {row["attempt"] for row in moved} == {0}


def test_failures_back_off_until_the_work_is_dead(queue: Queue) -> None:
    """With the error and the attempts kept; a retry and a change revive it."""
    above = cluster(queue)
    waits = []
    for attempt in range(5):
        [claimed] = queue.claim()
        assert claimed["attempt"] == attempt
        queue.fail(claimed)
        waits.append(queue.next_due())
        queue.shift += waits[-1] or 0
    assert [round((wait or 0) / SECOND) for wait in waits] == [1, 2, 4, 8, 0]
    dead = queue.row(above)
    assert dead["dead_at"] is not None
    assert (dead["attempt"], dead["error_code"], dead["error_message"]) == (5, "QUOTA_EXCEEDED", "24 of 24")
    queue.shift += DAY
    assert queue.claim() == []
    assert not queue.retry(above, owner="somebody-else@example.com")
    assert queue.retry(above, owner="user@example.com")
    [claimed] = queue.claim()
    assert claimed["attempt"] == 0
    for _ in range(5):
        queue.fail(claimed, look=0)
        [claimed] = queue.claim() or [claimed]
    assert queue.claim() == []
    queue.update(above)
    [revived] = queue.claim()
    assert (revived["attempt"], revived["generation"]) == (0, 4)


def test_backoff_ends_at_five_minutes(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """And a factor spreads it; a result may name its own time."""
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


def test_run_that_kills_its_process_ends_as_dead(queue: Queue) -> None:
    """After five processes; listed as such."""
    above = cluster(queue)
    for attempt in range(5):
        [claimed] = queue.claim(f"process-{attempt}")
        assert claimed["attempt"] == attempt
        queue.shift += LIMITS.lease + SECOND
        queue.beat("other")
    assert queue.claim() == []
    dead = queue.row(above)
    assert (dead["attempt"], dead["error_code"]) == (5, work.LEASE_LOST)
    assert "process-4" in dead["error_message"]


def test_lost_run_of_a_changed_resource_is_not_its_last(queue: Queue) -> None:
    """A change while the process dies keeps the work alive."""
    above = cluster(queue)
    for attempt in range(4):
        queue.claim(f"process-{attempt}")
        queue.shift += LIMITS.lease + SECOND
        queue.beat("other")
    queue.claim("process-4")
    queue.update(above)
    queue.shift += LIMITS.lease + SECOND
    queue.beat("other")
    [claimed] = queue.claim()
    assert (claimed["id"], claimed["attempt"], claimed["generation"]) == (above, 1, 4)


def test_account_runs_a_number_at_once(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """Whatever others do; another account of the same cloud has its own places."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=5))
    first, second = ([cluster(queue, name) for _ in range(8)] for name in ("team-a", "team-b"))
    one, two = queue.claim(limit=7), queue.claim("two")
    both = ids(one) | ids(two)
    assert (len(one), len(two), len(both & set(first)), len(both & set(second))) == (7, 3, 5, 5)
    assert queue.claim("three") == []
    queue.finish(next(row for row in one if row["id"] in first), look=HOUR)
    [freed] = queue.claim("three")
    assert freed["id"] in first


def test_account_starts_a_number_in_a_minute(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """In any sixty seconds at most its rate and five seconds' burst, of two processes together; in the long run, all of its rate."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=1000, rate=120.0))
    for _ in range(20):
        cluster(queue)
    starts: list[float] = []
    begun = time.monotonic()
    for step in range(4 * 180):
        queue.shift = step * 250
        for process in ("one", "two"):
            started = len(queue.run(process, look=0))
            # The database's own clock goes on, too.
            starts += [queue.shift + (time.monotonic() - begun) * 1000] * started
    assert max(sum(start <= each < start + MINUTE for each in starts) for start in starts) <= 120 + 10
    assert len(starts) >= 3 * 120


def test_no_account_and_no_cluster_starves(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """One that has hundreds of works due before all others takes its share only."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=2))
    crowded = cluster(queue, "crowded")
    for _ in range(250):
        rows.node_pool(engine, crowded, platform="civo")
    late = {cluster(queue, "crowded"), cluster(queue, "calm"), cluster(queue, "calm")}
    seen: set[str] = set()
    for _ in range(4):
        seen |= set(queue.run(look=HOUR))
    assert late <= seen


def test_concurrent_claims_share_the_work(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """Of three processes that claim at the same time none gets what another has, and none more than the account may run."""
    queue = Queue(loop, store, engine, LIMITS._replace(running=20))
    for _ in range(30):
        cluster(queue)

    async def together() -> list[Sequence[Any]]:
        return await asyncio.gather(*(queue.claiming(name, limit=7) for name in ("one", "two", "three")))

    claimed = loop.run(together())
    assert [len(each) for each in claimed] == [7, 7, 6] or sorted(map(len, claimed)) == [6, 7, 7]
    assert len(set().union(*map(ids, claimed))) == 20


def test_a_day_of_looks_keeps_one_row_each(queue: Queue) -> None:
    """Nothing has to be cleaned."""
    made = {cluster(queue) for _ in range(3)}
    for hour in range(24):
        queue.shift = hour * HOUR
        assert set(queue.run(look=HOUR - 1)) == made
    assert ids(queue.rows()) == made
    with queue.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.ACCOUNTS)).scalar() == 1


def test_lists_are_of_an_owner_and_a_state(loop: api.Loop, store: database.Database, queue: Queue) -> None:
    """With the names of the resources, page by page."""
    above = cluster(queue)
    pool = rows.node_pool(queue.engine, above, platform="civo")
    rows.cluster(queue.engine, platform="gcp", owner="other@example.com")
    queue.claim(platforms=["civo"])

    def listed(limit: int = 10, after: str = "", **selection: str) -> list[tuple[str, str]]:
        found = loop.run(work.page(store, work.Filter(**selection), limit=limit, after=after))
        return [(row["id"], row["name"]) for row in found]

    mine = listed(owner="user@example.com")
    assert sorted(mine) == sorted([(above, f"cluster-{above}"), (pool, f"pool-{pool}")])
    assert listed(state="running") == [(above, f"cluster-{above}")]
    assert listed(state="waiting", kind="NodePool", platform="civo") == [(pool, f"pool-{pool}")]
    assert listed(state="dead") == []
    assert len(listed()) == 3
    first = listed(limit=2)
    assert [*first, *listed(limit=2, after=first[-1][0])] == listed()


class PlannedError(Exception):
    """Carries the plan of a statement."""


def test_look_for_due_work_reads_the_front_of_an_index(loop: api.Loop, plan: Any, store: database.Database, queue: Queue) -> None:
    """It neither sorts nor scans the work of others."""

    class Planning:
        name = store.name

        async def rows(self, statement: database.Statement, **values: Any) -> Sequence[Any]:
            raise PlannedError(await plan_rows(statement, **values))

    async def plan_rows(statement: database.Statement, **values: Any) -> Sequence[Any]:
        return await asked[0].rows(statement, **values)  # type: ignore[no-any-return]

    asked: list[Any] = []

    async def look(explaining: Any) -> Sequence[Any]:
        asked.append(explaining)
        try:
            await work.next_due(Planning(), queue.limits, ["civo"])  # type: ignore[arg-type]
        except PlannedError as planned:
            return planned.args[0]  # type: ignore[no-any-return]
        raise AssertionError("the look reads the database")

    steps = plan(look)
    assert "ix_work_free" in steps
    assert "SCAN w" not in steps
    assert "Seq Scan on work" not in steps


class Life(RuleBasedStateMachine):
    """Processes, users and a clock that do anything. A subclass sets the queue."""

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

    @rule(data=st.data(), outcome=st.sampled_from(["SUCCEEDED", "FAILED", "RELEASED"]), look=st.sampled_from([None, 0, MINUTE]))
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
        found = self.queue.rows()
        assert len(found) == 6
        running = [row["cluster_id"] for row in found if row["process"]]
        assert len(running) == len(set(running))
        for name in ("a", "b"):
            assert sum(bool(row["process"]) for row in found if row["account"] == name) <= 3
        with self.queue.engine.connect() as connection:
            known = set(connection.execute(sa.select(tables.PROCESSES.c.id)).scalars())
        for row in found:
            # A process without a heartbeat is known until its work was taken back.
            assert row["process"] is None or row["process"] in known
            assert row["due"] > 0
            assert row["dead_at"] is None or (row["process"] is None and row["attempt"] >= 3)

    def teardown(self) -> None:
        # When all processes are gone, one that is left gets everything that lives.
        self.queue.shift += DAY
        self.queue.beat("last")
        done: set[str] = set()
        for _ in range(6):
            done |= set(self.queue.run("last", look=HOUR))
        assert done == {row["id"] for row in self.queue.rows() if row["dead_at"] is None}


def test_every_live_row_has_a_time_or_a_live_owner(loop: api.Loop, store: database.Database, engine: sa.Engine) -> None:
    """Whatever processes, users and clocks do, in any order."""

    class Here(Life):
        queue = Queue(loop, store, engine, LIMITS._replace(running=3, attempts=3))

    options = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Here, settings=options)
