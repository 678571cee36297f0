"""How operations of the simulated GKE end, and what the cloud does by itself.

`settle` ends what is due. Upgrades of nodes run in steps. Missing machines are retried until a zone has them again.
"""

from __future__ import annotations

import re

from planton_sandbox import clock
from planton_sandbox.clouds.gcp import autoscaler, catalogue, machines, operations, records, scopes, views

_KEPT_OPERATIONS = 500
_FILLING = (records.CREATE_CLUSTER, records.CREATE_POOL, records.RESIZE_POOL)


def settle(scope: scopes.Scope) -> bool:
    """Ends the changes of an account's clusters that are due and returns whether there were any."""
    projects = {item.id for item in scope.own_projects()}
    changed = False
    for operation in [item for item in scope.state.operations if item.ended is None and item.project in projects]:
        changed = _settle_operation(scope, operation) or changed
    for cluster in [item for item in scope.state.clusters if item.project in projects]:
        if views.cluster_status(scope.state, cluster) not in ("PROVISIONING", "STOPPING"):
            for pool in cluster.pools:
                changed = autoscaler.act(scope, cluster, pool) or changed
        for pool in cluster.pools:
            changed = _retry(scope, cluster, pool) or changed
            changed = _settle_nodes(pool, now=scope.now) or changed
    if changed:
        ended = [item for item in scope.state.operations if item.ended is not None][:-_KEPT_OPERATIONS]
        scope.state.operations = [item for item in scope.state.operations if item not in ended]
    return changed


def _settle_operation(scope: scopes.Scope, operation: records.Operation) -> bool:
    cluster = next((item for item in scope.state.clusters if item.id == operation.cluster), None)
    pool = None if cluster is None else next((item for item in cluster.pools if item.name == operation.pool), None)
    if cluster is None or (operation.pool and pool is None):
        operations.end(operation, now=scope.now, error="The resource was deleted.")
        return True
    changed = False
    while operation.ended is None and operation.timer.is_over(scope.now):
        if operation.kind == records.CREATE_CLUSTER and (cluster.stuck or cluster.failure):
            return changed
        changed = True
        moment = operation.timer.due if scope.pace.latency == clock.REALISTIC else scope.now
        if operation.kind == records.UPGRADE_NODES and pool is not None:
            _step(scope.at(min(moment, scope.now)), cluster, pool, operation)
        else:
            _finish(scope.at(min(moment, scope.now)), cluster, pool, operation)
    return changed


def _finish(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool | None, operation: records.Operation) -> None:
    short: dict[str, str] = {}
    if operation.kind == records.DELETE_CLUSTER:
        scope.state.clusters.remove(cluster)
    elif operation.kind == records.DELETE_POOL and pool is not None:
        cluster.pools.remove(pool)
        cluster.revision += 1
    elif operation.kind in _FILLING:
        for item in [pool] if pool else cluster.pools:
            short |= item.shortages
    operations.end_filled(operation, cluster, short, now=scope.now)


def _step(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, operation: records.Operation) -> None:
    """Ends a step of an upgrade and begins the next one."""
    pool.nodes = [node for node in pool.nodes if not node.draining]
    if operation.aborting:
        machines.fill(scope, cluster, pool)
        operations.end(operation, now=scope.now, error="Operation was aborted.")
        return
    outdated = [node for node in machines.remaining(pool) if node.template != pool.template]
    if not outdated:
        machines.fill(scope, cluster, pool, seconds=0)
        pool.previous = {}
        operations.end_filled(operation, cluster, pool.shortages, now=scope.now)
        return
    pool.shortages = {}
    if pool.upgrade.get("strategy") == "BLUE_GREEN":
        seconds = _blue_green(scope, cluster, pool, outdated)
    else:
        seconds = _surge(scope, cluster, pool, outdated)
    if pool.shortages:
        operations.end_filled(operation, cluster, pool.shortages, now=scope.now)
        return
    operation.timer = operations.timer(scope, seconds=seconds)


def _surge(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, outdated: list[records.Node]) -> float:
    """Begins to replace a batch of nodes: some get a new node first, some are lost for a while."""
    surge, lost = pool.upgrade.get("maxSurge", 0), pool.upgrade.get("maxUnavailable", 0)
    batch = outdated[: surge + lost]
    for node in batch[:surge]:
        if machines.add(scope, cluster, pool, zone=node.zone, count=1, seconds=catalogue.NODE_SECONDS):
            node.draining = True
    for node in batch[surge:]:
        node.draining = True
        if machines.target(pool) > len(machines.remaining(pool)):
            machines.add(scope, cluster, pool, zone=node.zone, count=1, seconds=catalogue.NODE_UPGRADE_SECONDS)
    return catalogue.NODE_UPGRADE_SECONDS


def _blue_green(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, outdated: list[records.Node]) -> float:
    """Creates the green nodes and lets them soak, or drains the blue ones after that."""
    if any(node.template == pool.template for node in machines.remaining(pool)):
        for node in outdated:
            node.draining = True
        return catalogue.NODE_UPGRADE_SECONDS
    for zone in pool.zones:
        count = sum(node.zone == zone for node in outdated)
        machines.add(scope, cluster, pool, zone=zone, count=count, seconds=catalogue.NODE_SECONDS)
    for node in outdated:
        node.cordoned = True
    soak = re.match(r"\d+", str((pool.upgrade.get("blueGreenSettings") or {}).get("nodePoolSoakDuration") or "0s"))
    return catalogue.NODE_UPGRADE_SECONDS + float(soak.group() if soak else 0)


def _settle_nodes(pool: records.Pool, *, now: float) -> bool:
    changed = False
    for node in list(pool.nodes):
        if node.deleting and node.deleting.is_over(now):
            pool.nodes.remove(node)
            changed = True
        elif node.building and node.building.is_over(now):
            node.building, node.updated, changed = None, now, True
    return changed


def _retry(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool) -> bool:
    """Creates the machines that were missing once their zone has them."""
    complete = all(len(machines.remaining(pool, zone)) >= count for zone, count in pool.targets.items())
    if not pool.shortages or (complete and pool.autoscaling):
        return False
    before = dict(pool.shortages)
    machines.fill(scope, cluster, pool)
    if pool.shortages:
        return pool.shortages != before
    for operation in operations.running(scope.state, cluster):
        if operation.kind in _FILLING and operation.pool in ("", pool.name):
            operation.timer = operations.timer(scope, seconds=catalogue.NODE_SECONDS)
    return True
