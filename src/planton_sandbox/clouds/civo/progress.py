"""How changes of the simulated Civo end.

`settle` ends what is due; the ``observe`` functions count the reads that instant latency waits for. Neither starts a change.
"""

from __future__ import annotations

import dataclasses

from planton_sandbox import clock
from planton_sandbox.clouds.civo import catalogue, networks, records, scopes


def settle(state: records.State, *, pace: clock.Pace, now: float) -> bool:
    """Ends the changes that are due at ``now`` and returns whether there were any."""
    changed = networks.settle(state, now=now)
    for cluster in list(state.clusters):
        if cluster.deleting and cluster.deleting.is_over(now):
            state.clusters.remove(cluster)
            changed = True
        elif not cluster.stuck:
            changed = _settle_cluster(cluster, pace=pace, now=now) or changed
    return changed


def observe(cluster: records.Cluster) -> bool:
    """Counts a read of a whole cluster and returns whether a timer was waiting for it."""
    timers = (cluster.building, cluster.upgrading, cluster.deleting)
    seen = [timer.count_read() for timer in timers if timer]
    seen += [observe_pool(pool) for pool in cluster.pools]
    return any(seen)


def observe_pool(pool: records.Pool) -> bool:
    """Counts a read of a pool and returns whether a timer was waiting for it."""
    timers = [pool.deleting]
    for node in pool.nodes:
        timers += [node.building, node.deleting]
    return any([timer.count_read() for timer in timers if timer])  # noqa: C419 - a generator would stop at the first


def start_upgrade(cluster: records.Cluster, *, version: str, pace: clock.Pace, now: float) -> None:
    """Starts an upgrade to ``version``: the control plane immediately, then the nodes, replaced one by one."""
    minor = catalogue.order(version)[:2] != catalogue.order(cluster.version)[:2]
    cluster.version = version
    cluster.upgrading = _step(cluster, pace=pace, start=now, minor=minor)


def status(cluster: records.Cluster) -> str:
    """Returns a cluster's status."""
    if cluster.deleting:
        return records.DELETING
    if cluster.building or cluster.stuck:
        return records.BUILDING
    if cluster.upgrading:
        return records.UPGRADING
    moving = any(pool.deleting or any(node.building or node.deleting for node in pool.nodes) for pool in cluster.pools)
    return records.SCALING if moving else records.ACTIVE


def _settle_cluster(cluster: records.Cluster, *, pace: clock.Pace, now: float) -> bool:
    changed = False
    for pool in list(cluster.pools):
        if pool.deleting and pool.deleting.is_over(now):
            cluster.pools.remove(pool)
            changed = True
        else:
            changed = _settle_nodes(pool, now=now) or changed
    begin = now
    if cluster.building and cluster.building.is_over(now):
        begin = cluster.building.due
        cluster.building, cluster.built, changed = None, now, True
    if cluster.built is not None:
        changed = _install(cluster, pace=pace, begin=begin, now=now) or changed
    while cluster.upgrading and cluster.upgrading.is_over(now):
        changed = True
        _upgrade_next(cluster, pace=pace, now=now)
    return changed


def _install(cluster: records.Cluster, *, pace: clock.Pace, begin: float, now: float) -> bool:
    """Installs the missing applications of a cluster; a failing application is never installed."""
    changed = False
    for application in cluster.applications:
        if application.installed or application.failing:
            continue
        if application.installing is None:
            application.installing = pace.timer(begin, seconds=catalogue.APPLICATION_SECONDS, instant_seconds=0)
            changed = True
        if application.installing.is_over(now):
            application.installing, application.installed, changed = None, True, True
    return changed


def _settle_nodes(pool: records.Pool, *, now: float) -> bool:
    changed = False
    for node in list(pool.nodes):
        if node.deleting and node.deleting.is_over(now):
            pool.nodes.remove(node)
            changed = True
        elif node.building and node.building.is_over(now):
            node.building, changed = None, True
    return changed


def _outdated(cluster: records.Cluster) -> list[tuple[records.Pool, records.Node]]:
    return [(pool, node) for pool in cluster.pools for node in pool.nodes if node.version != cluster.version]


def _upgrade_next(cluster: records.Cluster, *, pace: clock.Pace, now: float) -> None:
    waiting, timer = _outdated(cluster), cluster.upgrading
    minor = False
    if waiting:
        pool, old = waiting[0]
        minor = catalogue.order(old.version)[:2] != catalogue.order(cluster.version)[:2]
        new = dataclasses.replace(
            old,
            id=scopes.new_id(),
            hostname=scopes.hostname(cluster, pool),
            version=cluster.version,
            created=now,
            labels=dict(pool.labels),
            taints=list(pool.taints),
            ready=True,
            unreachable=False,
            cordoned=False,
        )
        pool.nodes[pool.nodes.index(old)] = new
    if len(waiting) <= 1 or timer is None:
        cluster.upgrading = None
        return
    start = timer.due if pace.latency == clock.REALISTIC else now
    cluster.upgrading = _step(cluster, pace=pace, start=start, minor=minor)


def _step(cluster: records.Cluster, *, pace: clock.Pace, start: float, minor: bool) -> clock.Timer:
    total = catalogue.MINOR_UPGRADE_SECONDS if minor else catalogue.PATCH_UPGRADE_SECONDS
    nodes = max(sum(len(pool.nodes) for pool in cluster.pools), 1)
    return pace.timer(start, seconds=total / nodes, instant_seconds=catalogue.UPGRADE_STEP_INSTANT_SECONDS)
