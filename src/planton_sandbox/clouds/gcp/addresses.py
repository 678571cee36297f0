"""Addresses of the simulated Google Cloud: how many nodes the ranges of a subnetwork have room for.

A node takes an address of the subnetwork, and a block of the secondary range for the addresses of its pods.
"""

from __future__ import annotations

import ipaddress

from planton_sandbox.clouds.gcp import catalogue, records, scopes


def subnetwork(scope: scopes.Scope, cluster: records.Cluster) -> records.Subnetwork | None:
    """Returns the subnetwork of a cluster; none if an out-of-band change has deleted it."""
    region = catalogue.region_of(cluster.location)
    listed = scope.subnetworks(scope.project(cluster.project))
    return next((item for item in listed if (item.region, item.name) == (region, cluster.subnetwork)), None)


def hosts(item: records.Subnetwork) -> ipaddress.IPv4Network:
    """Returns the range of a subnetwork's own addresses."""
    return ipaddress.IPv4Network(item.cidr)


def room(scope: scopes.Scope, cluster: records.Cluster, pod_range: str) -> int:
    """Returns how many more nodes the ranges of a cluster's subnetwork have room for.

    Args:
        scope: The account.
        cluster: The cluster.
        pod_range: The name of the secondary range for pods; empty for one that GKE has made, which always has room.
    """
    item = subnetwork(scope, cluster)
    if item is None:
        return catalogue.NODES_PER_CLUSTER
    used = [
        pool.pod_range
        for other in scope.clusters(scope.project(cluster.project))
        if subnetwork(scope, other) is item
        for pool in other.pools
        for _ in pool.nodes
    ]
    free = hosts(item).num_addresses - catalogue.RESERVED_ADDRESSES - item.taken - len(used)
    if pod_range in item.ranges:
        blocks = 2 ** (catalogue.POD_PREFIX - ipaddress.IPv4Network(item.ranges[pod_range]).prefixlen)
        free = min(free, blocks - item.taken - used.count(pod_range))
    return max(free, 0)


def are_private(cluster: records.Cluster, pool: records.Pool) -> bool:
    """Returns whether new nodes of a pool have internal addresses only: the pool decides, or else its cluster."""
    of_cluster = (cluster.settings.get("privateClusterConfig") or {}).get("enablePrivateNodes")
    return bool(pool.network.get("enablePrivateNodes", of_cluster))


def take(scope: scopes.Scope, cluster: records.Cluster, *, free: int | None) -> None:
    """Takes the addresses of a cluster's subnetwork but for those of some more nodes; None gives back what was taken."""
    item = subnetwork(scope, cluster)
    if item is None:
        raise scopes.refused(404, f"No subnetwork {cluster.subnetwork!r}")
    item.taken = 0
    if free is not None:
        pod_range = (cluster.settings.get("ipAllocationPolicy") or {}).get("clusterSecondaryRangeName", "")
        item.taken = max(room(scope, cluster, pod_range) - free, 0)
