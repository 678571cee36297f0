"""Node pools of the simulated GKE: list, read, create, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.gcp import (
    catalogue,
    fields,
    machines,
    operations,
    pool_settings,
    quotas,
    records,
    scopes,
    versions,
    views,
)

_USUAL_PODS = 110
_KEPT = ("placementPolicy", "queuedProvisioning", "bestEffortProvisioning", "nodeDrainConfig", "maintenancePolicy")


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../nodePools``."""
    cluster = scope.cluster(request)
    body = {"nodePools": [views.pool(scope, cluster, item) for item in cluster.pools]}
    observe(scope, cluster)
    return body


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../nodePools/{pool}``."""
    cluster = scope.cluster(request)
    body = views.pool(scope, cluster, scope.pool(cluster, request.parts["pool"]))
    observe(scope, cluster, pool=request.parts["pool"])
    return body


def observe(scope: scopes.Scope, cluster: records.Cluster, pool: str | None = None) -> None:
    """Counts a read of a cluster, or of one of its pools, in its operations."""
    for operation in operations.running(scope.state, cluster, pool=pool):
        operation.timer.count_read()


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../nodePools``."""
    cluster = scope.cluster(request)
    body = fields.read(request.body, frozenset(("projectId", "zone", "clusterId", "nodePool", "parent")))
    pool = parse(cluster, body.get("nodePool") or {})
    if any(item.name == pool.name for item in cluster.pools):
        raise scopes.refused(409, f"Already exists: {scopes.path(cluster)}/nodePools/{pool.name}.")
    operations.require_idle(scope, cluster, pool.name)
    check_room(scope, cluster, pool, present=cluster.pools)
    cluster.pools.append(pool)
    cluster.revision += 1
    machines.fill(scope, cluster, pool, seconds=catalogue.POOL_SECONDS)
    seconds = catalogue.STOCKOUT_SECONDS if pool.shortages else catalogue.POOL_SECONDS
    return operations.view(scope, operations.begin(scope, cluster, records.CREATE_POOL, seconds=seconds, pool=pool.name))


def delete(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE .../nodePools/{pool}``; a cluster may be without pools."""
    cluster = scope.cluster(request)
    pool = scope.pool(cluster, request.parts["pool"])
    operations.require_idle(scope, cluster, pool.name)
    return operations.view(scope, begin_delete(scope, cluster, pool))


def begin_delete(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool) -> records.Operation:
    """Begins to delete a pool."""
    cluster.revision += 1
    return operations.begin(scope, cluster, records.DELETE_POOL, seconds=catalogue.POOL_DELETE_SECONDS, pool=pool.name)


def parse(cluster: records.Cluster, body: Mapping[str, Any]) -> records.Pool:
    """Returns the pool that a request describes."""
    requested = fields.read(body, fields.NODE_POOL, at="node_pool")
    name = pool_settings.name(requested, noun="node_pool")
    zones = locations(cluster.location, requested.get("locations") or cluster.zones)
    version = node_version(cluster, str(requested.get("version") or ""))
    config = pool_settings.config(cluster, requested.get("config") or {}, version=version, zones=zones)
    spot = bool(config.get("spot") or config.get("preemptible"))
    initial = fields.count(requested.get("initialNodeCount", 0), "node_pool.initial_node_count")
    return records.Pool(
        name=name,
        zones=zones,
        targets=dict.fromkeys(zones, initial),
        initial=initial,
        config=config,
        version=version,
        management=pool_settings.management(cluster, requested.get("management") or {}),
        upgrade=pool_settings.upgrade(requested.get("upgradeSettings") or {}, present={}),
        max_pods=fields.count((requested.get("maxPodsConstraint") or {}).get("maxPodsPerNode", _USUAL_PODS), "maxPodsPerNode"),
        pod_range=(cluster.settings.get("ipAllocationPolicy") or {}).get("clusterSecondaryRangeName", ""),
        autoscaling=pool_settings.autoscaling(requested.get("autoscaling") or {}, spot=spot),
        network=dict(requested.get("networkConfig") or {}),
        extra={key: requested[key] for key in _KEPT if requested.get(key)},
    )


def locations(place: str, listed: list[str]) -> list[str]:
    """Returns the zones in a request, sorted; one outside the region of ``place`` is refused."""
    region = catalogue.region_of(place)
    if not listed:
        raise scopes.invalid("At least one location must be specified.")
    for zone in listed:
        if zone not in catalogue.zones_of(region):
            raise scopes.invalid(f'Location "{zone}" is not a zone of region "{region}".')
    return sorted(set(listed))


def node_version(cluster: records.Cluster, text: str) -> str:
    """Returns a version for nodes; one that does not fit the control plane is refused."""
    version = versions.find(text, versions.NODES, usual=cluster.version)
    if not version:
        raise scopes.invalid(f'Node version "{text}" is unsupported.')
    if versions.order(version) > versions.order(cluster.version):
        raise scopes.invalid(
            f'desired node version "{version}" cannot be greater than current master version "{cluster.version}".'
        )
    if not versions.node_fits(version, cluster.version):
        raise scopes.invalid(f'Node version "{version}" must be within two minor versions of master version "{cluster.version}".')
    return version


def check_room(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, present: list[records.Pool]) -> None:
    """Refuses a pool that exceeds the limits of zones, of the cluster or of the region's quotas."""
    check_size(pool.targets, present=[item for item in present if item is not pool])
    quotas.require(scope, cluster, pool, more=machines.target(pool) - len(machines.remaining(pool)))


def check_size(targets: Mapping[str, int], *, present: list[records.Pool]) -> None:
    """Refuses more nodes than a zone of a pool or a cluster can have."""
    if max(targets.values(), default=0) > catalogue.NODES_PER_ZONE:
        raise scopes.invalid(f"A node pool can have at most {catalogue.NODES_PER_ZONE} nodes per zone.")
    if sum(targets.values()) + sum(machines.target(item) for item in present) > catalogue.NODES_PER_CLUSTER:
        raise scopes.invalid(f"A cluster can have at most {catalogue.NODES_PER_CLUSTER} nodes.")
