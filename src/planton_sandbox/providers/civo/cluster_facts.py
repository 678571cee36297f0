"""What the official plugin reads of Civo's clusters: look-ups, waits, and the properties in states."""

from __future__ import annotations

import typing

from planton_sandbox.providers import sessions, values, waiting
from planton_sandbox.providers.civo import api

_TICK, _LONGEST = 10, 1800


def find(client: api.Client, key: str) -> dict[str, values.Json]:
    """Returns the cluster on the first page with this id or name, or a part of one; case of names does not matter.

    Raises:
        CloudError: No cluster or several clusters match, or the cloud refused the list.
    """
    listed = client.get(api.CLUSTERS)
    return api.find(listed.get("items") or [], key, keys=("name", "id"), fold=("name",))


def taints(items: typing.Iterable[dict[str, values.Json]] | None) -> list[values.Json]:
    """Converts the taints of a state to those of a request, and back."""
    return [{"key": item.get("key"), "value": item.get("value", ""), "effect": item.get("effect")} for item in items or ()]


def wait_for_nodes(client: api.Client, cluster: str, pool: str) -> None:
    """Polls every ten seconds until a pool has all its nodes.

    Raises:
        Fault: They are not ready within half an hour, or the cluster cannot be read.
    """

    def ready() -> bool:
        try:
            answer = client.get(f"{api.CLUSTERS}/{cluster}")
        except api.CloudError as error:
            raise sessions.Fault(f"error trying to read cluster state: {error}") from error
        required = _with_id(answer.get("required_pools"), pool)
        running = _with_id(answer.get("pools"), pool)
        active = all(node.get("status") == "ACTIVE" for node in running.get("instances") or ())
        return bool(active and required.get("count", 0) == running.get("count", 0))

    if not waiting.tick(client.timing, ready, every=_TICK, limit=_LONGEST):
        raise sessions.Fault(f"timeout waiting to create nodepool {pool}")


def _with_id(items: list[dict[str, values.Json]] | None, identity: str) -> dict[str, values.Json]:
    return next((item for item in items or () if item.get("id") == identity), {})


def facts(cluster: dict[str, values.Json], *, region: str) -> dict[str, values.Json]:
    """Returns the properties of a cluster that the resource and the function share."""
    return {
        "name": cluster.get("name", ""),
        "region": region,
        "networkId": cluster.get("network_id", ""),
        "numTargetNodes": cluster.get("num_target_nodes", 0),
        "targetNodesSize": cluster.get("target_nodes_size", ""),
        "kubernetesVersion": cluster.get("kubernetes_version", ""),
        "clusterType": cluster.get("cluster_type", ""),
        "cni": cluster.get("cni_plugin", ""),
        "status": cluster.get("status", ""),
        "ready": bool(cluster.get("ready")),
        "apiEndpoint": cluster.get("api_endpoint", ""),
        "masterIp": cluster.get("master_ip", ""),
        "dnsEntry": cluster.get("dns_entry", ""),
        "createdAt": values.go_time(cluster.get("created_at")),
        "firewallId": cluster.get("firewall_id", ""),
        "installedApplications": [
            {
                "application": item.get("name", ""),
                "version": item.get("version", ""),
                "installed": bool(item.get("installed")),
                "category": item.get("category", ""),
            }
            for item in cluster.get("installed_applications") or ()
        ],
    }


def pool_facts(pool: dict[str, values.Json]) -> dict[str, values.Json]:
    """Returns the properties of a cluster's pool; its labels and taints are never reported."""
    return {
        "label": pool.get("id", ""),
        "nodeCount": pool.get("count", 0),
        "size": pool.get("size", ""),
        "instanceNames": pool.get("instance_names") or [],
        "publicIpNodePool": bool(pool.get("public_ip_node_pool")),
        "labels": {},
        "taints": [],
    }
