"""Clusters, pools and nodes of the simulated DigitalOcean, as answers show them.

These functions only read; callers count the reads.
"""

from __future__ import annotations

from typing import Any

from planton_sandbox import clock
from planton_sandbox.clouds.digitalocean import progress, records

ADDRESS = "127.0.0.1"
_DURATION = "4h0m0s"


def endpoint(item: records.Cluster) -> str:
    """Returns the URL of a cluster's Kubernetes API; empty until the cluster is built."""
    return f"https://{ADDRESS}:{item.port}" if item.built is not None else ""


def cluster_tags(item: records.Cluster) -> list[str]:
    """Returns a cluster's tags, including those that the cloud adds."""
    return ["k8s", f"k8s:{item.id}", *item.tags]


def pool_tags(owner: records.Cluster, item: records.Pool) -> list[str]:
    """Returns a pool's tags, including those that the cloud adds, without the cluster's tags."""
    return ["k8s", f"k8s:{owner.id}", "k8s:worker", *item.tags]


def cluster(item: records.Cluster) -> dict[str, Any]:
    """Returns a cluster; an unset block is null or absent."""
    state = progress.status(item)
    body: dict[str, Any] = {
        "id": item.id,
        "name": item.name,
        "region": item.region,
        "version": item.version,
        "cluster_subnet": item.cluster_subnet,
        "service_subnet": item.service_subnet,
        "vpc_uuid": item.vpc,
        "ipv4": ADDRESS if item.built is not None else "",
        "endpoint": endpoint(item),
        "tags": cluster_tags(item),
        "node_pools": [pool(item, each) for each in item.pools],
        "maintenance_policy": {"start_time": item.window.start, "duration": _DURATION, "day": item.window.day},
        "auto_upgrade": item.auto_upgrade,
        "status": {"state": state} | ({"message": item.failure} if item.failure else {}),
        "created_at": clock.rfc3339(item.created),
        "updated_at": clock.rfc3339(item.updated),
        "surge_upgrade": item.surge_upgrade,
        "registry_enabled": item.registry,
        "ha": item.ha,
        "isolated_workers": False,
        "control_plane_firewall": _guard(item.guard),
        "cluster_autoscaler_configuration": item.autoscaler,
    }
    return body | item.blocks


def pool(owner: records.Cluster, item: records.Pool) -> dict[str, Any]:
    """Returns a pool with its nodes."""
    return {
        "id": item.id,
        "name": item.name,
        "size": item.size,
        "count": item.count,
        "tags": pool_tags(owner, item),
        "labels": dict(item.labels) or None,
        "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in item.taints],
        "auto_scale": item.auto_scale,
        "min_nodes": item.min_nodes,
        "max_nodes": item.max_nodes,
        "nodes": [_node(owner, item, node) for node in item.nodes],
    }


def _guard(guard: records.Guard | None) -> dict[str, Any] | None:
    return {"enabled": guard.enabled, "allowed_addresses": list(guard.addresses)} if guard else None


def _node(owner: records.Cluster, item: records.Pool, node: records.Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "name": node.name,
        "status": {"state": _node_state(owner, item, node)},
        "droplet_id": str(node.droplet),
        "created_at": clock.rfc3339(node.created),
        "updated_at": clock.rfc3339(node.updated),
    }


def _node_state(owner: records.Cluster, item: records.Pool, node: records.Node) -> str:
    if node.deleting or item.deleting:
        return records.DELETING
    if node.draining:
        return records.DRAINING
    return records.PROVISIONING if node.building or owner.stuck or owner.failure else records.RUNNING
