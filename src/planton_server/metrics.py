"""The text of ``/metrics``: the metrics of the observer, and numbers that are read from the database for each scrape.

If the database is unreachable, its metrics are omitted and ``planton_database_up`` is 0. The server's own metrics remain.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import datetime
import http.client
import time
from typing import TYPE_CHECKING, Final

import prometheus_client
from prometheus_client import core

from planton_server.store import database, events, measures, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from planton_server import observe, settings

_CONDITION: Final = ("kind", "platform", "type", "status", "reason")
#: Seconds for which a count of conditions serves at least, and the multiple of the seconds that it took.
_FRESH: Final = 60.0
_SHARE: Final = 20.0
#: Seconds to wait for the metrics of controllers.
_PATIENCE: Final = 2.0
_POOL = ("nodepool", "cluster", "name", "platform")


class Conditions:
    """The numbers of resources by their conditions. To count them reads all resources, so each count serves for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Has counted nothing yet."""
        self._clock = clock
        self._rows: Sequence[database.Row] = ()
        self._again = float("-inf")

    async def rows(self, store: database.Database) -> Sequence[database.Row]:
        """Returns the numbers, at most a minute old, and older if the database takes long to count them."""
        began = self._clock()
        if began >= self._again:
            # Another scrape meanwhile gets the last numbers.
            self._again = float("inf")
            try:
                self._rows = await measures.conditions(store)
            finally:
                now = self._clock()
                self._again = now + max(_FRESH, _SHARE * (now - began))
        return self._rows


async def text(
    store: database.Database,
    observer: observe.Observer,
    conditions: Conditions,
    configuration: settings.Settings,
    *,
    now: datetime.datetime,
) -> bytes:
    """Returns the metrics in Prometheus' text format.

    Args:
        store: The database.
        observer: The observer of requests.
        conditions: The numbers of resources by condition.
        configuration: The settings of the server.
        now: The time, for the age of events.
    """
    try:
        stored = [
            *await _stored(store, configuration.metrics_pools, now, configuration.work),
            _conditions(await conditions.rows(store)),
        ]
        up = 1
    except database.UnavailableError:
        stored, up = [], 0
    alive = core.GaugeMetricFamily("planton_database_up", "Whether the database is reachable.", value=up)
    own = prometheus_client.generate_latest(_Families([*observer.families(), alive, *stored]))
    port = configuration.controllers_port
    return own + (await asyncio.to_thread(_of_controllers, port) if port else b"")


def _of_controllers(port: int) -> bytes:
    """Returns the metrics of controllers on this machine; empty while they do not answer."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            return answer.read() if answer.status == http.HTTPStatus.OK else b""
        except (OSError, http.client.HTTPException):
            return b""


class _Families(prometheus_client.CollectorRegistry):
    """A registry of fixed metric families, for the renderer."""

    def __init__(self, families: Sequence[core.Metric]) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterator[core.Metric]:
        yield from self._families


def _conditions(rows: Sequence[database.Row]) -> core.Metric:
    counted = core.GaugeMetricFamily(
        "planton_conditions", "Clusters and node pools by condition, counted at most once a minute.", labels=_CONDITION
    )
    for row in rows:
        counted.add_metric(tuple(str(row[label]) for label in _CONDITION), row["number"])
    return counted


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
