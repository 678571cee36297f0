"""Timed work: deadlines, resyncs and cleaning run once, with their events, at the time of an argument."""

from __future__ import annotations

import concurrent.futures
import datetime
import functools
import re
import uuid

import pytest
import sqlalchemy as sa

from planton_server.store import tables, ticks
from support import rows
from support.rows import HOUR, MINUTE, THEN

LATE = {"reason": "DeadlineExceeded", "message": "it was not ready in time"}
#: First digits of an id → the time of its next resync.
AT_HOUR = {f"{place:02x}": HOUR for place in range(256)}
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_a_node_pool_fails_with_an_event_after_its_deadline(engine: sa.Engine) -> None:
    """Status, times and resource version change. Generation and deadline stay."""
    cluster = rows.cluster(engine)
    pool = rows.node_pool(engine, cluster, deadline=MINUTE, replacement='["spec.x"]')
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 1
    row = rows.read(engine, tables.NODE_POOLS, pool)
    assert (row["phase"], row["reason"], row["message"]) == ("Failed", *LATE.values())
    assert (row["generation"], row["resource_version"], row["deadline"]) == (3, 8, MINUTE)
    assert (row["status_time"], row["updated_at"], row["created_at"]) == (MINUTE, MINUTE, THEN)
    [event] = rows.events(engine)
    assert UUID4.fullmatch(event["id"])
    assert {name: event[name] for name in ("type", "kind", "resource_id", "cluster_id", "name", "owner")} == {
        "type": "nodepool.status_updated", "kind": "NodePool", "resource_id": pool, "cluster_id": cluster, "name": row["name"],
        "owner": "user@example.com",
    }  # fmt: skip
    assert (event["generation"], event["actor"], event["time"], event["replacement"]) == (3, "system", MINUTE, "")
    assert event["acknowledged_at"] is None


def test_a_cluster_fails_without_an_event_after_its_deadline(engine: sa.Engine) -> None:
    """There is no event type for the status of clusters."""
    cluster = rows.cluster(engine, deadline=MINUTE)
    assert ticks.deadlines(engine, now=HOUR, **LATE) == 1
    assert rows.read(engine, tables.CLUSTERS, cluster)["phase"] == "Failed"
    assert rows.events(engine) == []


def test_a_deadline_is_applied_once(engine: sa.Engine) -> None:
    """The second tick changes neither rows nor events."""
    pool = rows.node_pool(engine, rows.cluster(engine), deadline=MINUTE)
    assert [ticks.deadlines(engine, now=HOUR, **LATE) for _ in range(2)] == [1, 0]
    assert rows.read(engine, tables.NODE_POOLS, pool)["resource_version"] == 8
    assert len(rows.events(engine)) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"deadline": HOUR},
        {"deadline": None},
        {"deadline": THEN, "phase": "Failed", "reason": "QuotaExceeded"},
        {"deadline": THEN, "phase": "Deleting", "deleted_at": THEN},
        {"deadline": THEN, "updated_at": "2026-01-01T10:01:01.000000Z"},
    ],
    ids=["not due", "none", "failed for another reason", "being deleted", "written since the tick"],
)
def test_a_deadline_changes_only_due_resources_in_progress(engine: sa.Engine, values: dict[str, str]) -> None:
    """Each of these resources stays unchanged."""
    pool = rows.node_pool(engine, rows.cluster(engine), **values)
    before = rows.read(engine, tables.NODE_POOLS, pool)
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 0
    assert rows.read(engine, tables.NODE_POOLS, pool) == before
    assert rows.events(engine) == []


def test_a_deadline_is_applied_although_the_clock_was_set_back(engine: sa.Engine) -> None:
    """A row with a later time is not a concurrent write."""
    pool = rows.node_pool(engine, rows.cluster(engine), deadline=THEN, updated_at=HOUR)
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 1
    assert rows.read(engine, tables.NODE_POOLS, pool)["phase"] == "Failed"


def test_a_resync_repeats_the_event_of_the_desired_state(engine: sa.Engine) -> None:
    """The event has the stored generation. Nothing changes, so nothing is replaced."""
    cluster = rows.cluster(engine, resync_at=MINUTE, generation=5)
    pool = rows.node_pool(engine, cluster, resync_at=MINUTE, replacement='["spec.x"]')
    before = rows.read(engine, tables.NODE_POOLS, pool)
    assert ticks.resyncs(engine, now=MINUTE, following=AT_HOUR) == 2
    assert dict(rows.read(engine, tables.NODE_POOLS, pool)) == dict(before) | {"resync_at": HOUR}
    by_type = {event["type"]: event for event in rows.events(engine)}
    assert sorted(by_type) == ["cluster.updated", "nodepool.updated"]
    assert [(event["resource_id"], event["cluster_id"], event["generation"]) for event in by_type.values()] == [
        (cluster, cluster, 5),
        (pool, cluster, 3),
    ]
    assert {(event["actor"], event["replacement"]) for event in by_type.values()} == {("system", "")}


def test_a_resync_runs_once_for_each_time(engine: sa.Engine) -> None:
    """It includes resources in deletion, which a controller may have missed. Without a next time it stops."""
    rows.node_pool(engine, rows.cluster(engine), resync_at=MINUTE, phase="Deleting", deleted_at=THEN)
    times = [(THEN, AT_HOUR), (MINUTE, AT_HOUR), (MINUTE, AT_HOUR), (HOUR, None), (HOUR, AT_HOUR)]
    assert [ticks.resyncs(engine, now=now, following=following) for now, following in times] == [0, 1, 0, 1, 0]


def test_the_next_resync_depends_on_the_id(engine: sa.Engine) -> None:
    """The first two digits select the time, on each engine."""
    cluster = rows.cluster(engine)
    pools = [rows.node_pool(engine, cluster, resync_at=MINUTE) for _ in range(20)]
    following = {place: f"2026-01-02T{place}" for place in AT_HOUR}
    assert ticks.resyncs(engine, now=MINUTE, following=following) == 20
    times = {pool: rows.read(engine, tables.NODE_POOLS, pool)["resync_at"] for pool in pools}
    assert times == {pool: f"2026-01-02T{pool[:2]}" for pool in pools}


def test_each_resource_of_a_tick_has_its_own_event(engine: sa.Engine) -> None:
    """Each event has its own id."""
    cluster = rows.cluster(engine)
    pools = {rows.node_pool(engine, cluster, deadline=THEN, resync_at=THEN) for _ in range(50)}
    assert ticks.resyncs(engine, now=MINUTE, following=AT_HOUR) == 50
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 50
    appended = rows.events(engine)
    assert len({event["id"] for event in appended}) == 100
    assert sorted(event["resource_id"] for event in appended) == sorted([*pools, *pools])


def test_a_tick_updates_the_totals_of_failed_resources(engine: sa.Engine) -> None:
    """The totals are correct for each cluster and for all of them."""
    first, second = rows.cluster(engine), rows.cluster(engine)
    for cluster, number in ((first, 3), (second, 2)):
        for _ in range(number):
            rows.node_pool(engine, cluster, deadline=THEN)
    rows.node_pool(engine, second, phase="Pending", deadline=THEN, platform="aws")
    rows.node_pool(engine, second)
    ticks.deadlines(engine, now=MINUTE, **LATE)
    column = tables.TALLIES.c
    query = sa.select(column.cluster_id, column.platform, column.phase, sa.func.sum(column.number)).group_by(*list(column)[:4])
    with engine.connect() as connection:
        totals = {(*key, int(number)) for *key, number in connection.execute(query) if number}
    assert totals == {
        (first, "gcp", "Failed", 3), (second, "gcp", "Failed", 2), (second, "aws", "Failed", 1), (second, "gcp", "Progressing", 1),
        ("", "gcp", "Failed", 5), ("", "aws", "Failed", 1), ("", "gcp", "Progressing", 1),
    }  # fmt: skip
    # The next user of the connection is counted by the trigger again.
    with engine.begin() as connection:
        connection.execute(sa.update(tables.NODE_POOLS).where(tables.NODE_POOLS.c.phase == "Progressing").values(phase="Ready"))
        ready = sa.select(sa.func.sum(column.number)).where(column.phase == "Ready", column.cluster_id == "")
        assert connection.execute(ready).scalar_one() == 1


def test_concurrent_ticks_fail_each_resource_once(engine: sa.Engine) -> None:
    """Several replicas may run a tick at the same time."""
    cluster = rows.cluster(engine)
    for _ in range(40):
        rows.node_pool(engine, cluster, deadline=THEN)
    tick = functools.partial(ticks.deadlines, engine, now=MINUTE, **LATE)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        counts = [future.result() for future in [pool.submit(tick) for _ in range(4)]]
    # Other ticks skip a locked row, and the lock's holder handles it.
    assert sum(counts) == 40
    assert len(rows.events(engine)) == 40


def test_a_tick_skips_rows_locked_by_a_request(engine: sa.Engine) -> None:
    """The next tick handles the locked row. Other rows are handled now."""
    if engine.dialect.name == "sqlite":
        pytest.skip("one transaction writes at a time")
    cluster = rows.cluster(engine)
    held, free = (rows.node_pool(engine, cluster, deadline=THEN) for _ in range(2))
    with engine.begin() as writing:
        writing.execute(sa.update(tables.NODE_POOLS).where(tables.NODE_POOLS.c.id == held).values(name="renamed"))
        assert ticks.deadlines(engine, now=MINUTE, **LATE) == 1
    assert [event["resource_id"] for event in rows.events(engine)] == [free]
    assert ticks.deadlines(engine, now=HOUR, **LATE) == 1


def test_events_of_a_tick_have_its_transaction_id(engine: sa.Engine) -> None:
    """PostgreSQL reads events in the order of transactions. SQLite runs one transaction at a time."""
    rows.node_pool(engine, rows.cluster(engine), resync_at=THEN)
    ticks.resyncs(engine, now=MINUTE, following=AT_HOUR)
    ticks.resyncs(engine, now=HOUR, following=None)
    first, second = (event["transaction_id"] for event in rows.events(engine))
    assert (first, second) == (0, 0) if engine.dialect.name == "sqlite" else 0 < first < second


def test_cleaning_keeps_new_and_unacknowledged_events(engine: sa.Engine) -> None:
    """Deletions of any age stay until they are acknowledged."""
    rows.event(engine, time=THEN)
    rows.event(engine, time=THEN, type="nodepool.deleted", acknowledged_at=MINUTE)
    remaining = [
        rows.event(engine, time=MINUTE),
        rows.event(engine, time=THEN, type="nodepool.deleted"),
        rows.event(engine, time=THEN, type="cluster.deleted"),
    ]
    assert ticks.clean(engine, events_before=MINUTE, answers_before=MINUTE, audit_before=MINUTE) == 2
    assert [event["id"] for event in rows.events(engine)] == remaining


def test_cleaning_deletes_old_idempotency_keys(engine: sa.Engine) -> None:
    """A key may be reused after its retention."""
    with engine.begin() as connection:
        for key, time in (("old", THEN), ("young", HOUR)):
            answer = {"identity": "user@example.com", "key": key, "digest": "", "resource": "{}", "created_at": time}
            connection.execute(sa.insert(tables.ANSWERS).values(answer))
    assert ticks.clean(engine, events_before=THEN, answers_before=MINUTE, audit_before=THEN) == 1
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.ANSWERS.c.key)).scalars().all() == ["young"]


@pytest.mark.parametrize("time", ["deadline", "resync_at"])
def test_a_tick_reads_only_due_rows(engine: sa.Engine, time: str) -> None:
    """It reads an index on the times, so its cost does not grow with the table."""
    cluster = rows.cluster(engine)
    moment = datetime.datetime.fromisoformat(THEN)
    one = dict(rows.read(engine, tables.NODE_POOLS, rows.node_pool(engine, cluster, phase="Failed", deadline=THEN)))
    many = [
        one | {"id": str(uuid.uuid4()), "name": f"pool-{number}", "created_at": (moment + datetime.timedelta(number)).isoformat()}
        for number in range(300)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.NODE_POOLS), many)
        connection.exec_driver_sql("ANALYZE")
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    query = f"SELECT id FROM node_pools WHERE {tables.DUE[time].text} AND {time} <= '{MINUTE}' AND updated_at <= '{MINUTE}'"
    with engine.connect() as connection:
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {query}"))
    assert f"ix_node_pools_{time}" in plan


def test_cleaning_deletes_the_old_audit(engine: sa.Engine) -> None:
    """Also of resources that are gone."""
    old, young = rows.audit(engine, created_at=THEN), rows.audit(engine, created_at=HOUR)
    assert ticks.clean(engine, events_before=THEN, answers_before=THEN, audit_before=MINUTE) == 1
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.AUDIT.c.id)).scalars().all() == [young] != [old]
