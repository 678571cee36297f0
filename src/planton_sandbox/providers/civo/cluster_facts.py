"""What the official plugin reads of Civo's clusters: look-ups, waits, and the properties in states."""

from __future__ import annotations

import typing

from planton_sandbox.providers import sessions, values, waiting
from planton_sandbox.providers.civo import api

_TICK, _LONGEST = 10, 1800


def find(client: api.Client, wanted: str) -> dict[str, values.Json]:
    """Returns the cluster on the first page with this id or name, or a part of one; case of names does not matter.

    Raises:
        CloudError: No cluster or several clusters match, or the cloud refused the list.
    """
    listed = client.get(api.CLUSTERS)
    return api.find(listed.get("items") or [], wanted, keys=("name", "id"), fold=("name",))


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
            found = client.get(f"{api.CLUSTERS}/{cluster}")
        except api.CloudError as error:
            raise sessions.Fault(f"error trying to read cluster state: {error}") from error
        required = _with_id(found.get("required_pools"), pool)
        running = _with_id(found.get("pools"), pool)
        active = all(node.get("status") == "ACTIVE" for node in running.get("instances") or ())
        return bool(active and required.get("count", 0) == running.get("count", 0))

    if not waiting.tick(client.patience, ready, every=_TICK, limit=_LONGEST):
        raise sessions.Fault(f"timeout waiting to create nodepool {pool}")


def _with_id(items: list[dict[str, values.Json]] | None, wanted: str) -> dict[str, values.Json]:
    return next((item for item in items or () if item.get("id") == wanted), {})


def facts(found: dict[str, values.Json], *, region: str) -> dict[str, values.Json]:
    """Returns the properties of a cluster that the resource and the function share."""
    return {
        "name": found.get("name", ""),
        "region": region,
        "networkId": found.get("network_id", ""),
        "numTargetNodes": found.get("num_target_nodes", 0),
        "targetNodesSize": found.get("target_nodes_size", ""),
        "kubernetesVersion": found.get("kubernetes_version", ""),
        "clusterType": found.get("cluster_type", ""),
        "cni": found.get("cni_plugin", ""),
        "status": found.get("status", ""),
        "ready": bool(found.get("ready")),
        "apiEndpoint": found.get("api_endpoint", ""),
        "masterIp": found.get("master_ip", ""),
        "dnsEntry": found.get("dns_entry", ""),
        "createdAt": values.go_time(found.get("created_at")),
        "firewallId": found.get("firewall_id", ""),
        "installedApplications": [
            {
                "application": item.get("name", ""),
                "version": item.get("version", ""),
                "installed": bool(item.get("installed")),
                "category": item.get("category", ""),
            }
            for item in found.get("installed_applications") or ()
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
