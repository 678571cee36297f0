"""What the workloads of clusters on the simulated GKE create: disks and load balancers, which outlive their cluster."""

from __future__ import annotations

from collections.abc import Iterable

from planton_sandbox.clouds.gcp import catalogue, records, scopes

DISK, BALANCER = "disks", "forwardingRules"


def add(state: records.State, cluster: records.Cluster, *, sort: str, name: str, now: float) -> records.Associated:
    """Creates a resource of a cluster's workload."""
    item = records.Associated(
        id=scopes.new_id(),
        project=cluster.project,
        region=catalogue.region_of(cluster.location),
        cluster=cluster.name,
        sort=sort,
        name=name,
        created=now,
    )
    state.associated.append(item)
    return item


def follow(state: records.State, cluster: records.Cluster, *, sort: str, names: Iterable[str], now: float) -> None:
    """Makes the resources of a sort those that a cluster's workload has now, apart from those made from outside."""
    desired = set(names)
    own = [item for item in state.associated if item.managed_by == cluster.id and item.sort == sort]
    for item in own:
        if item.name not in desired:
            state.associated.remove(item)
    for name in sorted(desired - {item.name for item in own}):
        add(state, cluster, sort=sort, name=name, now=now).managed_by = cluster.id
