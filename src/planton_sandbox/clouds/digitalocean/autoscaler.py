"""The autoscaler of the simulated DigitalOcean: the cluster autoscaler on the control plane.

It adds nodes for pods that no node can run, and removes a node that was used below the threshold for the unneeded time, if its pods
fit on the others. It looks at the cluster whenever somebody does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from planton_sandbox.clouds.digitalocean import catalogue, machines, records, scopes
from planton_sandbox.kubernetes import demands, nodes

THRESHOLD = 0.5
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def look(cluster: records.Cluster, workload: nodes.Workload, *, now: float) -> None:
    """Takes note of what a cluster's workload needs."""
    threshold = float((cluster.autoscaler or {}).get("scale_down_utilization_threshold") or THRESHOLD)
    waiting = list(workload.pending)
    for pool in sorted((pool for pool in cluster.pools if pool.auto_scale), key=lambda pool: pool.name):
        own = [pod for pod in waiting if pool.name in pod.pools]
        # A pod is counted for one pool only.
        waiting = [pod for pod in waiting if pod not in own]
        pool.lacking, pool.looked = _nodes(own, pool), now
        for node in pool.nodes:
            is_idle = workload.used.get(node.name, 1.0) < threshold
            node.idle = (now if node.idle is None else node.idle) if is_idle else None


def act(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool) -> bool:
    """Scales an autoscaled pool, and returns whether that changed it."""
    if not pool.auto_scale or pool.deleting:
        return False
    if pool.load is None and not pool.lacking:
        pool.scaling = None
        return _remove(scope, cluster, pool)
    needed = pool.load if pool.load is not None else _demand(pool)
    most = min(pool.max_nodes, pool.count + machines.room(scope, cluster))
    desired = max(min(needed, most), pool.min_nodes)
    if desired == pool.count:
        pool.scaling = None
        return False
    if pool.scaling is None:
        seconds = catalogue.SCALE_UP_SECONDS if desired > pool.count else catalogue.SCALE_DOWN_SECONDS
        pool.scaling = scope.pace.timer(scope.now, seconds=seconds, instant_seconds=0)
    if not pool.scaling.is_over(scope.now):
        return False
    pool.scaling, pool.lacking = None, 0
    machines.scale(scope, cluster, pool, count=desired)
    return True


def seconds(text: str) -> float:
    """Returns a duration such as ``1m30s`` in seconds.

    Raises:
        ValueError: when it is none.
    """
    matched = _DURATION.fullmatch(text)
    if matched is None or not text:
        message = f"{text!r} is not a duration such as 1m30s"
        raise ValueError(message)
    hours, minutes, rest = (float(part or 0) for part in matched.groups())
    return 3600 * hours + 60 * minutes + rest


def _demand(pool: records.Pool) -> int:
    """Returns the size for the pending pods. Nodes that come up will run some of them."""
    is_current = all(node.building is None and node.updated <= pool.looked for node in machines.remaining(pool))
    return pool.count + pool.lacking if is_current else pool.count


def _remove(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool) -> bool:
    text = str((cluster.autoscaler or {}).get("scale_down_unneeded_time") or "")
    unneeded = seconds(text) if text else catalogue.SCALE_DOWN_SECONDS
    idle = [node for node in machines.remaining(pool) if node.idle is not None and node.idle + unneeded <= scope.now]
    # One at a time: the pods of the next one may not fit any more.
    if not idle or pool.count <= pool.min_nodes or pool.looked < max(node.updated for node in pool.nodes):
        return False
    node = min(idle, key=lambda node: (node.idle, node.name))
    pool.count -= 1
    machines.retire(scope, node)
    for other in pool.nodes:
        other.idle = None
    return True


def _nodes(pods: Sequence[nodes.Pending], pool: records.Pool) -> int:
    """Returns how many new nodes pods need, by first fit."""
    size = catalogue.size(pool.size)
    if size is None:
        return 0
    return demands.nodes_for(pods, cpu=size.cpu, memory_mb=size.memory)
