"""Clusters, pools and nodes of the simulated Civo, as answers show them.

These functions only read; callers count the reads.
"""

from __future__ import annotations

from typing import Any

from planton_sandbox import clock, pki
from planton_sandbox.clouds.civo import catalogue, progress, records

ADDRESS = "127.0.0.1"


def endpoint(item: records.Cluster) -> str:
    """Returns the URL of a cluster's Kubernetes API."""
    return f"https://{ADDRESS}:{item.port}"


def hostname(item: records.Cluster) -> str:
    """Returns the DNS name the cloud gives a cluster; it does not resolve."""
    return f"{item.id}.k8s.civo.com"


def cluster(item: records.Cluster) -> dict[str, Any]:
    """Returns a cluster; one that is not built yet has no kubeconfig and no addresses."""
    state = progress.status(item)
    remaining = [each for each in item.pools if each.deleting is None]
    body: dict[str, Any] = {
        "id": item.id,
        "name": item.name,
        "generated_name": f"{item.name}-{item.id[:8]}",
        "status": state,
        "ready": item.built is not None and state != records.DELETING,
        "cluster_type": item.kind,
        "kubernetes_version": item.version,
        "version": item.version,
        "cni_plugin": item.cni,
        "network_id": item.network,
        "firewall_id": item.firewall,
        "tags": list(item.tags),
        "num_target_nodes": sum(each.count for each in remaining),
        "target_nodes_size": item.pools[0].size,
        "created_at": clock.rfc3339(item.created),
        "ccm_installed": "true",
        "conditions": _conditions(item, state),
        "installed_applications": [_application(entry) for entry in item.applications],
        "required_pools": [_required(each) for each in remaining],
        "pools": [pool(item, each) for each in item.pools],
        "instances": [node for each in item.pools for node in instances(item, each)],
        "dns_entry": hostname(item),
        "upgrade_available_to": catalogue.upgrade_for(item.version),
    }
    if item.built is not None:
        body |= {
            "built_at": clock.rfc3339(item.built),
            "master_ip": ADDRESS,
            "api_endpoint": endpoint(item),
            "kubeconfig": pki.kubeconfig(item.credentials, name=item.name, server=endpoint(item)),
        }
    return body


def pool(owner: records.Cluster, item: records.Pool) -> dict[str, Any]:
    """Returns a pool; ``count`` is the number of existing machines."""
    body: dict[str, Any] = {
        "id": item.id,
        "size": item.size,
        "count": len(item.nodes),
        "instance_names": [node.hostname for node in item.nodes],
        "instances": instances(owner, item),
        "public_ip_node_pool": item.public_ip,
    }
    return body | _marks(item)


def instances(owner: records.Cluster, item: records.Pool) -> list[dict[str, Any]]:
    """Returns a pool's machines."""
    return [_instance(owner, item, node) for node in item.nodes]


def _required(item: records.Pool) -> dict[str, Any]:
    body = {"id": item.id, "size": item.size, "count": item.count, "public_ip_node_pool": item.public_ip}
    return body | _marks(item)


def _marks(item: records.Pool) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if item.labels:
        body["labels"] = dict(item.labels)
    if item.taints:
        body["taints"] = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in item.taints]
    return body


def _instance(owner: records.Cluster, item: records.Pool, node: records.Node) -> dict[str, Any]:
    size = catalogue.size(node.size)
    return {
        "id": node.id,
        "hostname": node.hostname,
        "size": node.size,
        "region": owner.region,
        "status": _node_status(owner, item, node),
        "network_id": owner.network,
        "firewall_id": owner.firewall,
        "private_ip": node.private_ip,
        "public_ip": node.public_ip if item.public_ip else "",
        "cpu_cores": size.cpu if size else 0,
        "ram_mb": size.memory if size else 0,
        "disk_gb": size.disk if size else 0,
        "gpu_count": size.gpus if size else 0,
        "source_type": "diskimage",
        "source_id": owner.kind,
        "initial_user": "civo",
        "tags": [f"cluster:{owner.id}", f"pool:{item.id}"],
        "created_at": clock.rfc3339(node.created),
    }


def _node_status(owner: records.Cluster, item: records.Pool, node: records.Node) -> str:
    if node.deleting or item.deleting or owner.deleting:
        return records.DELETING
    return records.BUILDING if node.building or owner.stuck else records.ACTIVE


def _application(entry: records.Application) -> dict[str, Any]:
    return {
        "application": entry.name,
        "name": entry.name,
        "version": entry.version,
        "installed": entry.installed,
        "category": entry.category,
    }


def _conditions(item: records.Cluster, state: str) -> list[dict[str, Any]]:
    built = item.built is not None
    moment = clock.rfc3339(item.built or item.created)
    facts = {
        "ControlPlaneReady": built,
        "WorkerNodesReady": built and state in (records.ACTIVE, records.UPGRADING),
        "ClusterVersionSync": built and item.upgrading is None,
    }
    return [{"type": name, "status": str(value), "synced": True, "last_transition_time": moment} for name, value in facts.items()]
