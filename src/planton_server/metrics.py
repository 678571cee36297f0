"""The text of ``/metrics``: the metrics of the observer, and numbers that are read from the database for each scrape.

If the database is unreachable, its metrics are omitted and ``planton_database_up`` is 0. The server's own metrics remain.
"""

from __future__ import annotations

import collections
import datetime
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import core

from planton_server.store import database, events, measures, work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planton_server import observe

_POOL = ("nodepool", "cluster", "name", "platform")


async def text(
    store: database.Database,
    observer: observe.Observer,
    *,
    pools: int,
    now: datetime.datetime,
    limits: work.Limits = work.DEFAULTS,
) -> bytes:
    """Returns the metrics in Prometheus' text format.

    Args:
        store: The database.
        observer: The observer of requests.
        pools: The maximum number of node pools with separate metrics.
        now: The time, for the age of events.
        limits: The limits of the work of controllers.
    """
    try:
        stored = await _stored(store, pools, now, limits)
        up = 1
    except database.UnavailableError:
        stored, up = [], 0
    alive = core.GaugeMetricFamily("planton_database_up", "Whether the database is reachable.", value=up)
    return prometheus_client.generate_latest(_Families([*observer.families(), alive, *stored]))


class _Families(prometheus_client.CollectorRegistry):
    """A registry of fixed metric families, for the renderer."""

    def __init__(self, families: Sequence[core.Metric]) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterator[core.Metric]:
        yield from self._families


async def _stored(store: database.Database, pools: int, now: datetime.datetime, limits: work.Limits) -> list[core.Metric]:
    tallies = core.GaugeMetricFamily("planton_nodepools", "Node pools by phase and cloud.", labels=("phase", "platform"))
    total = 0
    for row in await measures.tallies(store):
        tallies.add_metric((row["phase"], row["platform"]), row["number"])
        total += row["number"]
    listed = await measures.nodes(store, limit=pools) if pools else []
    omitted = core.GaugeMetricFamily(
        "planton_nodepools_omitted", "Node pools without separate metrics.", value=total - len(listed)
    )
    return [tallies, omitted, *_nodes(listed), *_lag(await events.lag(store), now), *await _work(store, limits)]


async def _work(store: database.Database, limits: work.Limits) -> list[core.Metric]:
    numbers = core.GaugeMetricFamily(
        "planton_work", "Works of controllers that are due, running or dead.", labels=("state", "platform")
    )
    age = core.GaugeMetricFamily(
        "planton_work_due_seconds", "Age of the work that has been due for longest.", labels=("platform",)
    )
    for row in await work.measures(store, limits):
        for state in ("due", "running", "dead"):
            numbers.add_metric((state, row["platform"]), float(row[state]))
        age.add_metric((row["platform"],), float(row["age"]) / 1000)
    processes = core.GaugeMetricFamily("planton_work_processes", "Live processes of controllers by cloud.", labels=("platform",))
    served = collections.Counter(
        platform for row in await work.processes(store, limits) if row["alive"] for platform in row["platforms"].split()
    )
    for platform, number in sorted(served.items()):
        processes.add_metric((platform,), number)
    return [numbers, age, processes]


def _nodes(listed: Sequence[measures.Nodes]) -> list[core.Metric]:
    desired = core.GaugeMetricFamily("planton_nodepool_desired_nodes", "Desired number of nodes of a node pool.", labels=_POOL)
    active = core.GaugeMetricFamily("planton_nodepool_active_nodes", "Reported number of nodes of a node pool.", labels=_POOL)
    for pool in listed:
        labels = (pool.identifier, pool.cluster_id, pool.name, pool.platform)
        for family, value in ((desired, pool.desired), (active, pool.active)):
            if value is not None:
                family.add_metric(labels, value)
    return [desired, active]


def _lag(row: database.Row, now: datetime.datetime) -> list[core.Metric]:
    age = (now - datetime.datetime.fromisoformat(row["oldest"])).total_seconds() if row["oldest"] else 0.0
    return [
        core.GaugeMetricFamily("planton_events_unacknowledged", "Unacknowledged deletions.", value=row["unacknowledged"]),
        core.GaugeMetricFamily(
            "planton_events_unacknowledged_seconds", "Age of the oldest unacknowledged deletion.", value=max(age, 0.0)
        ),
    ]
