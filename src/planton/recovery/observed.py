"""Converts entries of a cloud's lists to Pulumi properties, so that they can be compared with a state.

Only the nodes and properties that a manifest sets are compared. Other properties (addresses, times) belong to the cloud.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.engine import plans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planton.clouds import answers

_SIZE = "pulumi-python:dynamic:Resource"
#: Tags that a cloud or a plugin adds.
_SYSTEM_TAGS = ("k8s", "terraform:")


@dataclasses.dataclass(frozen=True, slots=True)
class Lists:
    """The lists of several accounts, each fetched once. Thread-safe.

    Attributes:
        answers: The cached responses of the clouds.
    """

    answers: answers.Answers

    def of(self, cloud: clouds.Cloud, noun: str) -> list[dict[str, Any]]:
        """Returns the resources of one noun in an account, e.g. ``Network``; pools are in the entries of their clusters.

        Raises:
            PlantonError: The cloud cannot be asked.
        """
        return clouds.remembering(cloud, self.answers).raw_list(noun)

    def entries(self, cloud: clouds.Cloud, type_: str, cluster_id: str = "") -> list[dict[str, Any]]:
        """Returns the resources of a Pulumi type in an account; of pools those of one cluster.

        Raises:
            PlantonError: The cloud cannot be asked.
        """
        noun = type_.rsplit(":", 1)[-1]
        if noun != "KubernetesNodePool":
            return self.of(cloud, noun)
        clusters = self.of(cloud, "KubernetesCluster")
        return [pool for each in clusters if cluster_id in ("", each["id"]) for pool in pools_of(each)]


def pools_of(cluster: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the node pools in the entry of a cluster."""
    return list(cluster.get("pools") or cluster.get("node_pools") or [])


def name_of(type_: str, entry: Mapping[str, Any]) -> str:
    """Returns the name of a resource in its entry."""
    return str(entry.get("label") or entry.get("name") or entry["id"]) if _provider(type_) == "civo" else str(entry["name"])


def is_changed(resource: Mapping[str, Any], cloud: clouds.Cloud, lists: Lists) -> bool | None:
    """Returns whether the cloud's lists differ from a resource in a state; None if the lists do not have it.

    Args:
        resource: A resource of a state.
        cloud: Its account.
        lists: The lists of that account.

    Raises:
        PlantonError: The cloud cannot be asked.
    """
    type_, outputs = str(resource["type"]), resource.get("outputs") or {}
    if type_ == _SIZE:
        entry = _pool_of_size(outputs, cloud, lists)
        return None if entry is None else bool(_different(_size_state(outputs), _size_entry(entry)))
    cluster = str((resource.get("inputs") or {}).get("clusterId", ""))
    entry = next((each for each in lists.entries(cloud, type_, cluster) if each["id"] == resource["id"]), None)
    return None if entry is None else bool(differences(type_, outputs, entry))


def _pool_of_size(outputs: Mapping[str, Any], cloud: clouds.Cloud, lists: Lists) -> dict[str, Any] | None:
    pools = lists.entries(cloud, "KubernetesNodePool", str(outputs.get("cluster_id", "")))
    return next((each for each in pools if each["id"] == outputs.get("pool_id")), None)


def _size_state(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"actual_node_count": outputs.get("actual_node_count"), "node_ids": outputs.get("node_ids")}


def _size_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"actual_node_count": entry.get("count"), "node_ids": [each["id"] for each in entry.get("instances") or []]}


def differences(type_: str, properties: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[plans.Difference, ...]:
    """Returns the properties in which a resource differs from its entry in a list.

    Args:
        type_: The Pulumi type.
        properties: The properties of a state or a request. Missing properties and None are not compared.
        entry: The entry in the cloud's list.
    """
    of_state, of_entry = _VIEWS[_provider(type_), type_.rsplit(":", 1)[-1]]
    before = {name: value for name, value in of_state(properties).items() if value is not None}
    return _different(before, of_entry(entry, properties))


def _different(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[plans.Difference, ...]:
    pairs = ((name, old, now.get(name)) for name, old in before.items())
    return tuple(plans.Difference(name, old, new) for name, old, new in pairs if (old or None) != (new or None))


def _provider(type_: str) -> str:
    return type_.partition(":")[0]


def _taints(taints: Any) -> Any:  # JSON data
    if taints is None:
        return None
    return sorted((each["key"], each.get("value") or "", each["effect"]) for each in taints)


def _tags(tags: Any) -> Any:  # JSON data
    # The clouds ignore the order and case of tags.
    if tags is None:
        return None
    texts = tags.split() if isinstance(tags, str) else tags
    return sorted({tag.lower() for tag in texts if not tag.lower().startswith(_SYSTEM_TAGS)})


def _civo_network_state(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": properties.get("label"), "cidrV4": properties.get("cidrV4")}


def _civo_network_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": entry.get("label"), "cidrV4": entry.get("cidr")}


def _rule(rule: Mapping[str, Any], direction: str, ports: str, ranges: str) -> tuple[Any, ...]:
    return (
        direction,
        rule.get("protocol") or "tcp",
        rule.get(ports) or "",
        rule.get("action") or "",
        rule.get("label") or "",
        tuple(sorted(rule.get(ranges) or ())),
    )


def _civo_firewall_state(properties: Mapping[str, Any]) -> dict[str, Any]:
    rules = [
        _rule(rule, direction, "portRange", "cidrs")
        for direction, name in (("ingress", "ingressRules"), ("egress", "egressRules"))
        for rule in properties.get(name) or ()
    ]
    return {"name": properties.get("name"), "networkId": properties.get("networkId"), "rules": sorted(rules)}


def _civo_firewall_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    rules = [_rule(rule, str(rule.get("direction")), "ports", "cidr") for rule in entry.get("rules") or ()]
    return {"name": entry.get("name"), "networkId": entry.get("network_id"), "rules": sorted(rules)}


def _civo_cluster_state(properties: Mapping[str, Any]) -> dict[str, Any]:
    pool = properties.get("pools") or {}
    named = ("name", "kubernetesVersion", "firewallId", "networkId", "clusterType", "status")
    return {
        **{name: properties.get(name) for name in named},
        "tags": _tags(properties.get("tags")),
        "pools.size": pool.get("size"),
        "pools.nodeCount": pool.get("nodeCount"),
        "pools.instanceNames": pool.get("instanceNames"),
    }


def _civo_cluster_entry(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    label = (properties.get("pools") or {}).get("label")
    pools = pools_of(entry)
    pool = next((each for each in pools if each["id"] == label), {}) if label else next(iter(pools), {})
    return {
        "name": entry.get("name"),
        "kubernetesVersion": entry.get("kubernetes_version"),
        "firewallId": entry.get("firewall_id"),
        "networkId": entry.get("network_id"),
        "clusterType": entry.get("cluster_type"),
        "status": entry.get("status"),
        "tags": _tags(entry.get("tags")),
        "pools.size": pool.get("size"),
        "pools.nodeCount": pool.get("count"),
        "pools.instanceNames": pool.get("instance_names"),
    }


def _civo_pool_state(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": properties.get("label"),
        "size": properties.get("size"),
        # The number in the state is that of the creation, because another resource scales the pool.
        "nodeCount": None if "instanceNames" in properties else properties.get("nodeCount"),
        "labels": properties.get("labels"),
        "taints": _taints(properties.get("taints")),
        "publicIpNodePool": properties.get("publicIpNodePool"),
    }


def _civo_pool_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": entry.get("id"),
        "size": entry.get("size"),
        "nodeCount": entry.get("count"),
        "labels": entry.get("labels"),
        "taints": _taints(entry.get("taints") or []),
        "publicIpNodePool": entry.get("public_ip_node_pool"),
    }


def _do_vpc_state(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: properties.get(name) for name in ("name", "region", "description", "ipRange")}


def _do_vpc_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": entry.get("name"),
        "region": entry.get("region"),
        "description": entry.get("description"),
        "ipRange": entry.get("ip_range"),
    }


def _do_pool_state(properties: Mapping[str, Any]) -> dict[str, Any]:
    nodes = properties.get("nodes")
    return {
        "name": properties.get("name"),
        "size": properties.get("size"),
        "count": properties.get("actualNodeCount"),
        "labels": properties.get("labels"),
        "taints": _taints(properties.get("taints")),
        "tags": _tags(properties.get("tags")),
        "autoScale": properties.get("autoScale"),
        "minNodes": properties.get("minNodes"),
        "maxNodes": properties.get("maxNodes"),
        "nodes": None if nodes is None else [each["id"] for each in nodes],
    }


def _do_pool_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": entry.get("name"),
        "size": entry.get("size"),
        "count": entry.get("count"),
        "labels": entry.get("labels"),
        "taints": _taints(entry.get("taints") or []),
        "tags": _tags(entry.get("tags") or []),
        "autoScale": entry.get("auto_scale"),
        "minNodes": entry.get("min_nodes"),
        "maxNodes": entry.get("max_nodes"),
        "nodes": [each["id"] for each in entry.get("nodes") or ()],
    }


def _do_cluster_state(properties: Mapping[str, Any]) -> dict[str, Any]:
    firewall, window = properties.get("controlPlaneFirewall"), properties.get("maintenancePolicy")
    named = ("name", "region", "version", "vpcUuid", "ha", "autoUpgrade", "surgeUpgrade", "registryIntegration", "status")
    pool = _do_pool_state(properties.get("nodePool") or {})
    return {
        **{name: properties.get(name) for name in named},
        "tags": _tags(properties.get("tags")),
        "maintenancePolicy": None if window is None else (window.get("day"), window.get("startTime")),
        "controlPlaneFirewall": None if firewall is None else (firewall.get("enabled"), sorted(firewall["allowedAddresses"])),
        **{f"nodePool.{name}": value for name, value in pool.items()},
    }


def _do_cluster_entry(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    firewall, window = entry.get("control_plane_firewall") or {}, entry.get("maintenance_policy") or {}
    id_ = (properties.get("nodePool") or {}).get("id")
    pool = next((each for each in pools_of(entry) if each["id"] == id_), None)
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
        "tags": _tags(entry.get("tags")),
        "maintenancePolicy": (window.get("day"), window.get("start_time")),
        "controlPlaneFirewall": (bool(firewall.get("enabled")), sorted(firewall.get("allowed_addresses") or ())),
        **({} if pool is None else {f"nodePool.{name}": value for name, value in _do_pool_entry(pool, {}).items()}),
    }


_View = tuple["Callable[[Mapping[str, Any]], dict[str, Any]]", "Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]"]
#: Provider, noun → the readers of a state's or request's properties, and of an entry of a list.
_VIEWS: dict[tuple[str, str], _View] = {
    ("civo", "Network"): (_civo_network_state, _civo_network_entry),
    ("civo", "Firewall"): (_civo_firewall_state, _civo_firewall_entry),
    ("civo", "KubernetesCluster"): (_civo_cluster_state, _civo_cluster_entry),
    ("civo", "KubernetesNodePool"): (_civo_pool_state, _civo_pool_entry),
    ("digitalocean", "Vpc"): (_do_vpc_state, _do_vpc_entry),
    ("digitalocean", "KubernetesCluster"): (_do_cluster_state, _do_cluster_entry),
    ("digitalocean", "KubernetesNodePool"): (_do_pool_state, _do_pool_entry),
}
