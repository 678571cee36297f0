"""How DigitalOcean's API describes networks, clusters and node pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.clouds import views

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The tag by which the plugin identifies the default pool.
_DEFAULT_POOL_TAG = "terraform:default-node-pool"


def name(entry: Mapping[str, Any]) -> str:
    """Returns the name of a resource in its entry."""
    return str(entry["name"])


def nodes(pool: Mapping[str, Any]) -> list[str]:
    """Returns the names of the machines of a node pool."""
    return [str(node["name"]) for node in pool.get("nodes") or ()]


def condition(cluster: Mapping[str, Any], pool: str = "") -> views.Condition:
    """Returns the condition of a cluster, or of one pool."""
    pools = [
        (int(each.get("count") or 0), [(node.get("status") or {}).get("state") for node in each.get("nodes") or ()])
        for each in cluster.get("node_pools") or ()
        if pool in ("", each.get("name"))
    ]
    is_complete = all(len(nodes) == count and set(nodes) <= {"running"} for count, nodes in pools)
    state = str((cluster.get("status") or {}).get("state") or "")
    ready = sum(status == "running" for _, nodes in pools for status in nodes)
    return views.Condition(state, ready, sum(count for count, _ in pools), settled=state == "running" and is_complete)


def _cluster_summary(entry: Mapping[str, Any]) -> views.Summary:
    seen = condition(entry)
    return views.Summary(
        status=seen.status("running"),
        version=str(entry.get("version") or ""),
        sizes=views.distinct(pool.get("size") for pool in entry.get("node_pools") or ()),
        ready=seen.ready,
        desired=seen.nodes,
        created=str(entry.get("created_at") or ""),
    )


def _pool_summary(entry: Mapping[str, Any]) -> views.Summary:
    nodes = [(node.get("status") or {}).get("state") for node in entry.get("nodes") or ()]
    return views.of_pool(entry, ready=nodes.count("running"), listed=len(nodes))


def _vpc_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: properties.get(name) for name in ("name", "region", "description", "ipRange")}


def _vpc_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": entry.get("name"),
        "region": entry.get("region"),
        "description": entry.get("description"),
        "ipRange": entry.get("ip_range"),
    }


def _pool_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    nodes = properties.get("nodes")
    return {
        "name": properties.get("name"),
        "size": properties.get("size"),
        "count": properties.get("actualNodeCount"),
        "labels": properties.get("labels"),
        "taints": views.taints(properties.get("taints")),
        "tags": views.tags(properties.get("tags")),
        "autoScale": properties.get("autoScale"),
        "minNodes": properties.get("minNodes"),
        "maxNodes": properties.get("maxNodes"),
        "nodes": None if nodes is None else [each["id"] for each in nodes],
    }


def _pool_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": entry.get("name"),
        "size": entry.get("size"),
        "count": entry.get("count"),
        "labels": entry.get("labels"),
        "taints": views.taints(entry.get("taints") or []),
        "tags": views.tags(entry.get("tags") or []),
        "autoScale": entry.get("auto_scale"),
        "minNodes": entry.get("min_nodes"),
        "maxNodes": entry.get("max_nodes"),
        "nodes": [each["id"] for each in entry.get("nodes") or ()],
    }


#: The settings of the autoscaler in a state → in the cloud's entry.
_SCALING = {
    "autoscaler.scaleDownUtilizationThreshold": "scale_down_utilization_threshold",
    "autoscaler.scaleDownUnneededTime": "scale_down_unneeded_time",
}


def _scaling_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of the autoscaler that are set. The cloud may report defaults of the others."""
    block: Mapping[str, Any] = next(iter(properties.get("clusterAutoscalerConfigurations") or ()), {})
    return {name: block[name.partition(".")[2]] for name in _SCALING if block.get(name.partition(".")[2])}


def _cluster_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    firewall, window = properties.get("controlPlaneFirewall"), properties.get("maintenancePolicy")
    named = ("name", "region", "version", "vpcUuid", "ha", "autoUpgrade", "surgeUpgrade", "registryIntegration", "status")
    pool = _pool_properties(properties.get("nodePool") or {})
    return {
        **{name: properties.get(name) for name in named},
        "tags": views.tags(properties.get("tags")),
        "maintenancePolicy": None if window is None else (window.get("day"), window.get("startTime")),
        "controlPlaneFirewall": None if firewall is None else (firewall.get("enabled"), sorted(firewall["allowedAddresses"])),
        **_scaling_properties(properties),
        **{f"nodePool.{name}": value for name, value in pool.items()},
    }


def _cluster_entry(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    firewall, window = entry.get("control_plane_firewall") or {}, entry.get("maintenance_policy") or {}
    scaling = entry.get("cluster_autoscaler_configuration") or {}
    id_ = (properties.get("nodePool") or {}).get("id")
    pool = next((each for each in entry.get("node_pools") or () if each["id"] == id_), None)
    return {
        "name": entry.get("name"),
        "region": entry.get("region"),
        "version": entry.get("version"),
        "vpcUuid": entry.get("vpc_uuid"),
        "ha": entry.get("ha"),
        "autoUpgrade": entry.get("auto_upgrade"),
        "surgeUpgrade": entry.get("surge_upgrade"),
        "registryIntegration": entry.get("registry_enabled"),
        "status": (entry.get("status") or {}).get("state"),
        "tags": views.tags(entry.get("tags")),
        "maintenancePolicy": (window.get("day"), window.get("start_time")),
        "controlPlaneFirewall": (bool(firewall.get("enabled")), sorted(firewall.get("allowed_addresses") or ())),
        **{name: scaling.get(_SCALING[name]) for name in _scaling_properties(properties)},
        **({} if pool is None else {f"nodePool.{name}": value for name, value in _pool_entry(pool, {}).items()}),
    }


def _default_pool_request(_id: str, outputs: Mapping[str, Any], count: int) -> dict[str, Any]:
    scaled = {"auto_scale": True, "min_nodes": outputs.get("minNodes"), "max_nodes": outputs.get("maxNodes")}
    return {
        "name": outputs["name"],
        "size": outputs["size"],
        "count": count,
        "tags": [*(outputs.get("tags") or ()), _DEFAULT_POOL_TAG],
        "labels": dict(outputs.get("labels") or {}),
        "taints": [{key: taint.get(key) or "" for key in ("key", "value", "effect")} for taint in outputs.get("taints") or ()],
        **(scaled if outputs.get("autoScale") else {}),
    }


BY_TYPE = {
    "digitalocean:index/vpc:Vpc": views.View(_vpc_properties, _vpc_entry),
    "digitalocean:index/kubernetesCluster:KubernetesCluster": views.View(_cluster_properties, _cluster_entry, _cluster_summary),
    "digitalocean:index/kubernetesNodePool:KubernetesNodePool": views.View(_pool_properties, _pool_entry, _pool_summary),
}
#: The plugin identifies the default pool by a tag. A recreated pool has another id, but the tag.
DEFAULT_POOL: views.DefaultPool | None = views.DefaultPool(
    property="nodePool", id_key="id", request=_default_pool_request, tag=_DEFAULT_POOL_TAG
)
REPORTED = frozenset({"status", "nodes", "nodePool.nodes"})
COUNTS = {
    "digitalocean:index/kubernetesCluster:KubernetesCluster": "nodePool.count",
    "digitalocean:index/kubernetesNodePool:KubernetesNodePool": "count",
}
