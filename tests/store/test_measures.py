"""Metrics for operators, computed in the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from planton_server.store import database, events, measures, tables
from support import rows


def query(url: str, measure: Callable[[database.Database], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        store = await database.connect(url)
        try:
            return await measure(store)
        finally:
            await store.close()

    return asyncio.run(run())


def report(engine: sa.Engine, pool: str, controller: str, metadata: object, updated_at: str = rows.THEN) -> None:
    values = {
        "resource_id": pool, "controller_name": controller, "observed_generation": 1, "conditions": "[]",
        "metadata": json.dumps(metadata), "last_error": "", "updated_at": updated_at,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.REPORTS).values(values))


def test_pools_are_counted_by_phase_and_cloud(url: str, engine: sa.Engine) -> None:
    """Pools in deletion are counted too. Deleted ones are omitted, not reported as zero."""
    cluster = rows.cluster(engine)
    for values in ({}, {}, {"platform": "aws"}, {"phase": "Deleting", "deleted_at": rows.THEN}):
        rows.node_pool(engine, cluster, **values)
    deleted = rows.node_pool(engine, cluster, phase="Ready")
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.NODE_POOLS).where(tables.NODE_POOLS.c.id == deleted))
    counts = {(row["phase"], row["platform"]): row["number"] for row in query(url, measures.tallies)}
    assert counts == {("Progressing", "gcp"): 2, ("Progressing", "aws"): 1, ("Deleting", "gcp"): 1}


def test_resources_are_counted_by_condition(url: str, engine: sa.Engine) -> None:
    """Clusters and node pools, in both databases."""
    degraded = [{"type": "Degraded", "status": "True", "reason": "Drifted", "message": ""}]
    cluster = rows.cluster(engine, conditions=json.dumps([{"type": "Ready", "status": "True", "reason": "Ready"}]))
    for _ in range(2):
        rows.node_pool(engine, cluster, conditions=json.dumps([*degraded, {"type": "Ready", "status": "False", "reason": "R"}]))
    counted = {tuple(row.values()) for row in map(dict, query(url, measures.conditions))}
    assert counted == {
        ("Cluster", "gcp", "Ready", "True", "Ready", 1),
        ("NodePool", "gcp", "Degraded", "True", "Drifted", 2),
        ("NodePool", "gcp", "Ready", "False", "R", 2),
    }


@pytest.mark.parametrize(
    ("spec", "reports", "desired", "active"),
    [
        ({"nodeCount": 3}, [], 3, None),
        ({}, [], None, None),
        ({"nodeCount": 3}, [{"active_nodes": 2}], 3, 2),
        ({"nodeCount": 3}, [{"active_nodes": 5, "desired_nodes": 5}], 5, 5),
        ({"nodeCount": 3}, [{"active_nodes": 0, "desired_nodes": 0}], 0, 0),
        ({"nodeCount": 3}, [{"active_nodes": 5}, {"active_nodes": 4}, {"region": "r"}], 3, 4),
        ({"nodeCount": 3}, [{"active_nodes": "many", "desired_nodes": True}], 3, None),
    ],
)
def test_node_counts_come_from_controllers_or_else_from_the_spec(
    url: str, engine: sa.Engine, spec: dict[str, int], reports: list[dict[str, object]], desired: int, active: int
) -> None:
    """The latest report with a number is used. Other values are ignored."""
    cluster = rows.cluster(engine)
    pool = rows.node_pool(engine, cluster, spec=json.dumps(spec), name="workers", generation=1)
    for number, metadata in enumerate(reports):
        report(engine, pool, f"controller-{9 - number}", metadata, updated_at=f"2026-01-0{number + 1}")
    [nodes] = query(url, lambda store: measures.nodes(store, limit=10))
    assert nodes == measures.Nodes(pool, cluster, "workers", "gcp", desired, active)


@pytest.mark.parametrize(
    ("values", "desired"), [({"generation": 2}, 9), ({"generation": 1}, 3), ({"generation": 1, "deleted_at": rows.THEN}, 0)]
)
def test_a_report_on_an_old_generation_does_not_set_the_desired_count(
    url: str, engine: sa.Engine, values: dict[str, object], desired: int
) -> None:
    """A stopped controller reported an old spec. A pool in deletion desires no nodes."""
    pool = rows.node_pool(engine, rows.cluster(engine), spec='{"nodeCount":9}', **values)
    report(engine, pool, "controller", {"active_nodes": 3, "desired_nodes": 3})
    [nodes] = query(url, lambda store: measures.nodes(store, limit=10))
    assert (nodes.desired, nodes.active) == (desired, 3)


def test_only_the_newest_pools_are_measured_individually(url: str, engine: sa.Engine) -> None:
    """The number of controllers that report does not matter."""
    cluster = rows.cluster(engine)
    pools = [rows.node_pool(engine, cluster, created_at=f"2026-01-0{number}") for number in range(1, 5)]
    for pool in pools:
        for controller in ("first", "second"):
            report(engine, pool, controller, {"active_nodes": 1})
    measured = query(url, lambda store: measures.nodes(store, limit=2))
    assert [each.identifier for each in measured] == [pools[3], pools[2]]


def test_the_lag_counts_unacknowledged_deletions(url: str, engine: sa.Engine) -> None:
    """Other events need no acknowledgement."""
    assert tuple(query(url, events.lag)) == (0, None)
    rows.event(engine, time=rows.THEN)
    rows.event(engine, time=rows.THEN, type="nodepool.deleted", acknowledged_at=rows.MINUTE)
    rows.event(engine, time=rows.HOUR, type="nodepool.deleted")
    rows.event(engine, time=rows.MINUTE, type="cluster.deleted")
    assert tuple(query(url, events.lag)) == (2, rows.MINUTE)


def test_a_reachable_database_is_reported_as_available(url: str) -> None:
    """The health check uses it."""
    assert query(url, measures.answers) is True
