"""How changes of the simulated DigitalOcean end.

`settle` ends what is due; `observe` counts the reads that instant latency waits for. The cloud's own actions are here, too:
upgrades in maintenance windows and the autoscaler.
"""

from __future__ import annotations

import datetime

from planton_sandbox import clock
from planton_sandbox.clouds.digitalocean import autoscaler, catalogue, machines, records, scopes

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_SECONDS = 24 * 3600


def settle(scope: scopes.Scope) -> bool:
    """Ends the changes of an account's clusters that are due and returns whether there were any."""
    changed = False
    for cluster in scope.all_clusters():
        if cluster.deleting:
            if cluster.deleting.is_over(scope.now):
                scope.state.clusters.remove(cluster)
                changed = True
        elif not cluster.stuck and not cluster.failure:
            changed = _settle_cluster(scope, cluster) or changed
    return changed


def observe(cluster: records.Cluster) -> bool:
    """Counts a read of a cluster and returns whether a timer was waiting for it."""
    return cluster.upgrading is not None and cluster.upgrading.count_read()


def status(cluster: records.Cluster) -> str:
    """Returns a cluster's state; clients never see the state of one that is being deleted."""
    if cluster.failure:
        return records.ERROR
    if cluster.building or cluster.stuck:
        return records.PROVISIONING
    return records.UPGRADING if cluster.upgrading else records.RUNNING


def start_upgrade(scope: scopes.Scope, cluster: records.Cluster, *, version: str, start: float) -> None:
    """Begins to upgrade a cluster: first its control plane, then its nodes, which are replaced."""
    cluster.version = version
    cluster.updated = start
    cluster.upgrading = scope.pace.timer(
        start, seconds=catalogue.CONTROL_PLANE_UPGRADE_SECONDS, instant_seconds=catalogue.UPGRADE_STEP_INSTANT_SECONDS
    )


def opening(window: records.Window, *, after: float) -> float:
    """Returns the next opening of a maintenance window after a time, both in seconds since the epoch."""
    moment = datetime.datetime.fromtimestamp(after, tz=datetime.UTC)
    hour, minute = (int(part) for part in window.start.split(":"))
    start = moment.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()
    while start <= after or (window.day != "any" and DAYS[_weekday(start)] != window.day):
        start += _DAY_SECONDS
    return start


def _weekday(moment: float) -> int:
    return datetime.datetime.fromtimestamp(moment, tz=datetime.UTC).weekday()


def _settle_cluster(scope: scopes.Scope, cluster: records.Cluster) -> bool:
    changed = False
    if cluster.building and cluster.building.is_over(scope.now):
        cluster.building, cluster.built, changed = None, scope.now, True
    for pool in list(cluster.pools):
        if pool.deleting and pool.deleting.is_over(scope.now):
            cluster.pools.remove(pool)
            changed = True
    if cluster.built is not None:
        changed = _act(scope, cluster) or changed
    # Nodes come last: the steps before may have added some that are ready by now.
    for pool in cluster.pools:
        changed = _settle_nodes(pool, now=scope.now) or changed
    return changed


def _act(scope: scopes.Scope, cluster: records.Cluster) -> bool:
    """Applies the cloud's own actions to a cluster that is built."""
    changed = _maintain(scope, cluster)
    while cluster.upgrading and cluster.upgrading.is_over(scope.now):
        changed = True
        _upgrade_next(scope, cluster)
    for pool in cluster.pools:
        changed = autoscaler.act(scope, cluster, pool) or changed
    return changed


def _settle_nodes(pool: records.Pool, *, now: float) -> bool:
    changed = False
    for node in list(pool.nodes):
        if node.deleting and node.deleting.is_over(now):
            pool.nodes.remove(node)
            changed = True
        elif node.building and node.building.is_over(now):
            node.building, node.updated, changed = None, now, True
    return changed


def _maintain(scope: scopes.Scope, cluster: records.Cluster) -> bool:
    newest = catalogue.newest_patch(cluster.version)
    if not cluster.auto_upgrade or cluster.upgrading or newest == cluster.version:
        return False
    start = opening(cluster.window, after=cluster.watched)
    if start > scope.now:
        return False
    start_upgrade(scope, cluster, version=newest, start=start if scope.pace.latency == clock.REALISTIC else scope.now)
    return True


def _upgrade_next(scope: scopes.Scope, cluster: records.Cluster) -> None:
    """Ends the current step of an upgrade and begins the next one."""
    timer = cluster.upgrading
    start = timer.due if timer and scope.pace.latency == clock.REALISTIC else scope.now
    for pool in cluster.pools:
        pool.nodes = [node for node in pool.nodes if not node.draining]
        lacking = pool.count - len(machines.remaining(pool))
        machines.add(scope.at(start), cluster, pool, count=lacking, seconds=0)
    for pool in cluster.pools:
        outdated = [node for node in machines.remaining(pool) if node.version != cluster.version]
        if outdated:
            _replace(scope.at(start), cluster, pool, outdated)
            cluster.upgrading = scope.pace.timer(
                start, seconds=catalogue.NODE_UPGRADE_SECONDS, instant_seconds=catalogue.UPGRADE_STEP_INSTANT_SECONDS
            )
            return
    cluster.upgrading = None


def _replace(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, outdated: list[records.Node]) -> None:
    """Begins to replace nodes: with surge several in parallel, otherwise one by one."""
    surge = min(catalogue.SURGE_NODES, len(outdated), machines.room(scope, cluster)) if cluster.surge_upgrade else 0
    for node in outdated[: max(surge, 1)]:
        node.draining = True
    machines.add(scope, cluster, pool, count=surge, seconds=catalogue.NODE_SECONDS)
