"""The autoscaler of the simulated GKE, within the bounds of each pool.

It follows a number of nodes that the control endpoint sets, or else the pods: it adds nodes for pods that no node can run, and
removes a node that was used below the threshold for the unneeded time, if its pods fit on the others. A pool without nodes does not
grow for pods: its nodes, and so what they could run, are unknown to the Kubernetes API.
"""

from __future__ import annotations

from planton_sandbox.clouds.gcp import catalogue, machines, operations, quotas, records, scopes
from planton_sandbox.kubernetes import demands, nodes

_THRESHOLD = 0.5


def look(cluster: records.Cluster, workload: nodes.Workload, *, now: float) -> None:
    """Takes note of what a cluster's workload needs."""
    waiting = list(workload.pending)
    for pool in sorted((pool for pool in cluster.pools if pool.autoscaling), key=lambda pool: pool.name):
        own = [pod for pod in waiting if pool.name in pod.pools]
        # A pod is counted for one pool only.
        waiting = [pod for pod in waiting if pod not in own]
        machine = catalogue.machine(pool.config["machineType"])
        pool.lacking = demands.nodes_for(own, cpu=machine.cpu, memory_mb=machine.memory) if machine else 0
        pool.looked = now
        for node in pool.nodes:
            is_idle = workload.used.get(node.name, 1.0) < _THRESHOLD
            node.idle = (now if node.idle is None else node.idle) if is_idle else None


def bounds(pool: records.Pool) -> tuple[int, int]:
    """Returns the least and the most nodes of an autoscaled pool, in all zones."""
    settings = pool.autoscaling
    if "totalMaxNodeCount" in settings:
        return settings.get("totalMinNodeCount", 0), settings["totalMaxNodeCount"]
    return settings.get("minNodeCount", 0) * len(pool.zones), settings["maxNodeCount"] * len(pool.zones)


def act(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool) -> bool:
    """Scales an autoscaled pool, and returns whether that changed it."""
    if not pool.autoscaling or operations.running(scope.state, cluster, pool=pool.name):
        return False
    least, most = bounds(pool)
    present = machines.target(pool)
    if pool.load is None and not pool.lacking and least <= present <= most and _remove(scope, pool, least):
        return True
    desired = max(min(_demand(pool, present), most), least)
    possible = min(desired, present + quotas.room(scope, cluster, pool)) if desired > present else desired
    if possible == present:
        pool.scaling = None
        before, lacks = pool.shortages, present > len(machines.remaining(pool))
        pool.shortages = before if lacks else dict.fromkeys(pool.zones[:1], records.QUOTA) if desired > present else {}
        return pool.shortages != before
    desired = possible
    if pool.scaling is None:
        seconds = catalogue.SCALE_UP_SECONDS if desired > present else catalogue.SCALE_DOWN_SECONDS
        pool.scaling = scope.pace.timer(scope.now, seconds=seconds, instant_seconds=0)
    if not pool.scaling.is_over(scope.now):
        return False
    pool.scaling, pool.lacking = None, 0
    machines.resize(scope, cluster, pool, machines.spread(pool, desired))
    return True


def _demand(pool: records.Pool, present: int) -> int:
    """Returns the size that the load or the pending pods need. Nodes that come up will run some of the pods."""
    if pool.load is not None:
        return pool.load
    is_current = all(node.building is None and node.updated <= pool.looked for node in machines.remaining(pool))
    return present + pool.lacking if is_current else present


def _remove(scope: scopes.Scope, pool: records.Pool, least: int) -> bool:
    """Removes one node that is not needed: the pods of the next one may not fit any more."""
    idle = [
        node
        for node in machines.remaining(pool)
        if node.idle is not None and node.idle + catalogue.SCALE_DOWN_SECONDS <= scope.now
    ]
    if not idle or machines.target(pool) <= least or pool.looked < max(node.updated for node in pool.nodes):
        return False
    node = min(idle, key=lambda node: (node.idle, node.name))
    pool.targets = {**pool.targets, node.zone: max(pool.targets.get(node.zone, 0) - 1, 0)}
    machines.retire(scope, node)
    for other in pool.nodes:
        other.idle = None
    return True
