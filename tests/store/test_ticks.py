"""Timed work: what is due is done, once, with its events, at the time that is given."""

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
#: First digits of an id → when its next resync is.
AT_HOUR = {f"{place:02x}": HOUR for place in range(256)}
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_what_passed_its_deadline_fails_and_tells(engine: sa.Engine) -> None:
    """The status, its time and the version change; the generation and the deadline stay."""
    cluster = rows.cluster(engine)
    pool = rows.node_pool(engine, cluster, deadline=MINUTE, replacement='["spec.x"]')
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 1
    found = rows.read(engine, tables.NODE_POOLS, pool)
    assert (found["phase"], found["reason"], found["message"]) == ("Failed", *LATE.values())
    assert (found["generation"], found["resource_version"], found["deadline"]) == (3, 8, MINUTE)
    assert (found["status_time"], found["updated_at"], found["created_at"]) == (MINUTE, MINUTE, THEN)
    [event] = rows.told(engine)
    assert UUID4.fullmatch(event["id"])
    assert {name: event[name] for name in ("type", "kind", "resource_id", "cluster_id", "name", "owner")} == {
        "type": "nodepool.status_updated", "kind": "NodePool", "resource_id": pool, "cluster_id": cluster, "name": found["name"],
        "owner": "user@example.com",
    }  # fmt: skip
    assert (event["generation"], event["actor"], event["time"], event["replacement"]) == (3, "system", MINUTE, "")
    assert event["acknowledged_at"] is None


def test_a_cluster_fails_too(engine: sa.Engine) -> None:
    """There is no type of event about its status."""
    cluster = rows.cluster(engine, deadline=MINUTE)
    assert ticks.deadlines(engine, now=HOUR, **LATE) == 1
    assert rows.read(engine, tables.CLUSTERS, cluster)["phase"] == "Failed"
    assert rows.told(engine) == []


def test_a_deadline_that_is_repeated_does_nothing(engine: sa.Engine) -> None:
    """Neither to the rows nor to the events."""
    pool = rows.node_pool(engine, rows.cluster(engine), deadline=MINUTE)
    assert [ticks.deadlines(engine, now=HOUR, **LATE) for _ in range(2)] == [1, 0]
    assert rows.read(engine, tables.NODE_POOLS, pool)["resource_version"] == 8
    assert len(rows.told(engine)) == 1


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
def test_a_deadline_leaves_alone_what_is_not_its_business(engine: sa.Engine, values: dict[str, str]) -> None:
    """Each of these is decided elsewhere or later."""
    pool = rows.node_pool(engine, rows.cluster(engine), **values)
    before = rows.read(engine, tables.NODE_POOLS, pool)
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 0
    assert rows.read(engine, tables.NODE_POOLS, pool) == before
    assert rows.told(engine) == []


def test_a_deadline_passes_although_the_clock_was_put_back(engine: sa.Engine) -> None:
    """What was written by the wrong clock is not of the future."""
    pool = rows.node_pool(engine, rows.cluster(engine), deadline=THEN, updated_at=HOUR)
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 1
    assert rows.read(engine, tables.NODE_POOLS, pool)["phase"] == "Failed"


def test_a_resync_tells_again_what_is_wanted(engine: sa.Engine) -> None:
    """With the generation that is stored; nothing changes, so nothing is replaced by it."""
    cluster = rows.cluster(engine, resync_at=MINUTE, generation=5)
    pool = rows.node_pool(engine, cluster, resync_at=MINUTE, replacement='["spec.x"]')
    before = rows.read(engine, tables.NODE_POOLS, pool)
    assert ticks.resyncs(engine, now=MINUTE, following=AT_HOUR) == 2
    assert dict(rows.read(engine, tables.NODE_POOLS, pool)) == dict(before) | {"resync_at": HOUR}
    found = {event["type"]: event for event in rows.told(engine)}
    assert sorted(found) == ["cluster.updated", "nodepool.updated"]
    assert [(event["resource_id"], event["cluster_id"], event["generation"]) for event in found.values()] == [
        (cluster, cluster, 5),
        (pool, cluster, 3),
    ]
    assert {(event["actor"], event["replacement"]) for event in found.values()} == {("system", "")}


def test_a_resync_comes_once_for_each_time(engine: sa.Engine) -> None:
    """Also of a resource that is being deleted, which a controller may have missed; without a next time never again."""
    rows.node_pool(engine, rows.cluster(engine), resync_at=MINUTE, phase="Deleting", deleted_at=THEN)
    times = [(THEN, AT_HOUR), (MINUTE, AT_HOUR), (MINUTE, AT_HOUR), (HOUR, None), (HOUR, AT_HOUR)]
    assert [ticks.resyncs(engine, now=now, following=following) for now, following in times] == [0, 1, 0, 1, 0]


def test_the_next_resync_is_at_the_time_of_the_id(engine: sa.Engine) -> None:
    """By its first two digits, on each engine."""
    cluster = rows.cluster(engine)
    pools = [rows.node_pool(engine, cluster, resync_at=MINUTE) for _ in range(20)]
    following = {place: f"2026-01-02T{place}" for place in AT_HOUR}
    assert ticks.resyncs(engine, now=MINUTE, following=following) == 20
    found = {pool: rows.read(engine, tables.NODE_POOLS, pool)["resync_at"] for pool in pools}
    assert found == {pool: f"2026-01-02T{pool[:2]}" for pool in pools}


def test_many_at_once_are_told_one_by_one(engine: sa.Engine) -> None:
    """Each resource has its own event, with an id of its own."""
    cluster = rows.cluster(engine)
    pools = {rows.node_pool(engine, cluster, deadline=THEN, resync_at=THEN) for _ in range(50)}
    assert ticks.resyncs(engine, now=MINUTE, following=AT_HOUR) == 50
    assert ticks.deadlines(engine, now=MINUTE, **LATE) == 50
    found = rows.told(engine)
    assert len({event["id"] for event in found}) == 100
    assert sorted(event["resource_id"] for event in found) == sorted([*pools, *pools])


def test_what_fails_is_counted_as_failed(engine: sa.Engine) -> None:
    """The totals of lists are right after a tick, by owner and by cluster."""
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
        found = {(*key, int(number)) for *key, number in connection.execute(query) if number}
    assert found == {
        (first, "gcp", "Failed", 3), (second, "gcp", "Failed", 2), (second, "aws", "Failed", 1), (second, "gcp", "Progressing", 1),
        ("", "gcp", "Failed", 5), ("", "aws", "Failed", 1), ("", "gcp", "Progressing", 1),
    }  # fmt: skip
    # Whoever has the connection next is counted by the trigger again.
    with engine.begin() as connection:
        connection.execute(sa.update(tables.NODE_POOLS).where(tables.NODE_POOLS.c.phase == "Progressing").values(phase="Ready"))
        ready = sa.select(sa.func.sum(column.number)).where(column.phase == "Ready", column.cluster_id == "")
        assert connection.execute(ready).scalar_one() == 1


def test_ticks_at_once_do_nothing_twice(engine: sa.Engine) -> None:
    """What several replicas would do if each had its own clock."""
    cluster = rows.cluster(engine)
    for _ in range(40):
        rows.node_pool(engine, cluster, deadline=THEN)
    tick = functools.partial(ticks.deadlines, engine, now=MINUTE, **LATE)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = [future.result() for future in [pool.submit(tick) for _ in range(4)]]
    # A row that one holds is left to it by the others, so nothing is lost either.
    assert sum(done) == 40
    assert len(rows.told(engine)) == 40


def test_a_tick_waits_for_no_request(engine: sa.Engine) -> None:
    """A row that is being written is left for the next tick, and the others are not."""
    if engine.dialect.name == "sqlite":
        pytest.skip("one transaction writes at a time")
    cluster = rows.cluster(engine)
    held, free = (rows.node_pool(engine, cluster, deadline=THEN) for _ in range(2))
    with engine.begin() as writing:
        writing.execute(sa.update(tables.NODE_POOLS).where(tables.NODE_POOLS.c.id == held).values(name="renamed"))
        assert ticks.deadlines(engine, now=MINUTE, **LATE) == 1
    assert [event["resource_id"] for event in rows.told(engine)] == [free]
    assert ticks.deadlines(engine, now=HOUR, **LATE) == 1


def test_events_of_a_tick_are_of_its_transaction(engine: sa.Engine) -> None:
    """In PostgreSQL they are read in the order of transactions; in SQLite there is only one at a time."""
    rows.node_pool(engine, rows.cluster(engine), resync_at=THEN)
    ticks.resyncs(engine, now=MINUTE, following=AT_HOUR)
    ticks.resyncs(engine, now=HOUR, following=None)
    first, second = (event["transaction_id"] for event in rows.told(engine))
    assert (first, second) == (0, 0) if engine.dialect.name == "sqlite" else 0 < first < second


def test_cleaning_keeps_what_is_young_or_not_acknowledged(engine: sa.Engine) -> None:
    """Deletions stay until they are acknowledged, however old."""
    rows.event(engine, time=THEN)
    rows.event(engine, time=THEN, type="nodepool.deleted", acknowledged_at=MINUTE)
    kept = [
        rows.event(engine, time=MINUTE),
        rows.event(engine, time=THEN, type="nodepool.deleted"),
        rows.event(engine, time=THEN, type="cluster.deleted"),
    ]
    assert ticks.clean(engine, events_before=MINUTE, answers_before=MINUTE) == 2
    assert [event["id"] for event in rows.told(engine)] == kept


def test_cleaning_forgets_old_answers(engine: sa.Engine) -> None:
    """A key may be used again after its time."""
    with engine.begin() as connection:
        for key, time in (("old", THEN), ("young", HOUR)):
            answer = {"identity": "user@example.com", "key": key, "digest": "", "resource": "{}", "created_at": time}
            connection.execute(sa.insert(tables.ANSWERS).values(answer))
    assert ticks.clean(engine, events_before=THEN, answers_before=MINUTE) == 1
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.ANSWERS.c.key)).scalars().all() == ["young"]


@pytest.mark.parametrize("time", ["deadline", "resync_at"])
def test_a_tick_reads_only_what_is_due(engine: sa.Engine, time: str) -> None:
    """It goes through the index on the times, whatever else is in the table: its cost does not grow with the table."""
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
