"""How Civo's API describes networks, firewalls, clusters and node pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.clouds import views

if TYPE_CHECKING:
    from collections.abc import Mapping

_API_SERVER_PORT = 6443


def name(entry: Mapping[str, Any]) -> str:
    """Returns the name of a resource in its entry: the label of a network, and the id of a node pool."""
    return str(entry.get("label") or entry.get("name") or entry["id"])


def nodes(pool: Mapping[str, Any]) -> list[str]:
    """Returns the names of the machines of a node pool."""
    return [str(name) for name in pool.get("instance_names") or ()]


def condition(cluster: Mapping[str, Any], pool: str = "") -> views.Condition:
    """Returns the condition of a cluster, or of one pool. ``required_pools`` has the desired numbers of nodes."""
    required = cluster.get("required_pools") or cluster.get("pools") or ()
    # The id of a pool is its name.
    counts = {each["id"]: int(each["count"]) for each in required if pool in ("", each["id"])}
    nodes = {
        each["id"]: [node.get("status") for node in each.get("instances") or ()]
        for each in cluster.get("pools") or ()
        if pool in ("", each["id"])
    }
    is_complete = counts.keys() == nodes.keys() and all(
        len(nodes[id_]) == count and set(nodes[id_]) <= {"ACTIVE"} for id_, count in counts.items()
    )
    state = str(cluster.get("status") or "")
    ready = sum(status == "ACTIVE" for statuses in nodes.values() for status in statuses)
    return views.Condition(state, ready, sum(counts.values()), settled=state == "ACTIVE" and is_complete)


def _cluster_summary(entry: Mapping[str, Any]) -> views.Summary:
    seen = condition(entry)
    pools = entry.get("pools") or ()
    return views.Summary(
        status=seen.status("ACTIVE"),
        version=str(entry.get("kubernetes_version") or ""),
        sizes=views.distinct(pool.get("size") for pool in pools),
        ready=seen.ready,
        desired=seen.nodes,
        created=str(entry.get("created_at") or ""),
    )


def _pool_summary(entry: Mapping[str, Any]) -> views.Summary:
    nodes = [node.get("status") for node in entry.get("instances") or ()]
    return views.of_pool(entry, ready=nodes.count("ACTIVE"), listed=len(nodes))


def _network_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": properties.get("label"), "cidrV4": properties.get("cidrV4")}


def _network_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
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


def _firewall_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    rules = [
        _rule(rule, direction, "portRange", "cidrs")
        for direction, name in (("ingress", "ingressRules"), ("egress", "egressRules"))
        for rule in properties.get(name) or ()
    ]
    return {"name": properties.get("name"), "networkId": properties.get("networkId"), "rules": sorted(rules)}


def _firewall_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    rules = [_rule(rule, str(rule.get("direction")), "ports", "cidr") for rule in entry.get("rules") or ()]
    return {"name": entry.get("name"), "networkId": entry.get("network_id"), "rules": sorted(rules)}


def api_server_rule(firewall: Mapping[str, Any]) -> str:
    """Returns the first inbound rule of a firewall for the port of API servers, as text."""
    name = firewall.get("name")
    for rule in firewall.get("rules") or ():
        ports = str(rule.get("ports") or rule.get("start_port") or "")
        first, _, last = ports.partition("-")
        is_open = first.isdecimal() and int(first) <= _API_SERVER_PORT <= int(last if last.isdecimal() else first)
        if rule.get("direction") != "ingress" or rule.get("protocol") != "tcp" or not is_open:
            continue
        label = rule.get("label") or ports
        if rule.get("action") == "deny":
            return f"rule {label} of firewall {name} denies port {_API_SERVER_PORT}"
        return f"rule {label} of firewall {name} opens port {_API_SERVER_PORT} only to {', '.join(rule.get('cidr') or ())}"
    return f"no inbound rule of firewall {name} opens port {_API_SERVER_PORT}"


def _cluster_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    pool = properties.get("pools") or {}
    named = ("name", "kubernetesVersion", "firewallId", "networkId", "clusterType", "status")
    return {
        **{name: properties.get(name) for name in named},
        "tags": views.tags(properties.get("tags")),
        "pools.size": pool.get("size"),
        "pools.nodeCount": pool.get("nodeCount"),
        "pools.instanceNames": pool.get("instanceNames"),
    }


def _cluster_entry(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    label = (properties.get("pools") or {}).get("label")
    pools = entry.get("pools") or ()
    pool: Mapping[str, Any] = next((each for each in pools if each["id"] == label), {}) if label else next(iter(pools), {})
    return {
        "name": entry.get("name"),
        "kubernetesVersion": entry.get("kubernetes_version"),
        "firewallId": entry.get("firewall_id"),
        "networkId": entry.get("network_id"),
        "clusterType": entry.get("cluster_type"),
        "status": entry.get("status"),
        "tags": views.tags(entry.get("tags")),
        "pools.size": pool.get("size"),
        "pools.nodeCount": pool.get("count"),
        "pools.instanceNames": pool.get("instance_names"),
    }


def _pool_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": properties.get("label"),
        "size": properties.get("size"),
        # The number in the state is that of the creation, because another resource scales the pool.
        "nodeCount": None if "instanceNames" in properties else properties.get("nodeCount"),
        "labels": properties.get("labels"),
        "taints": views.taints(properties.get("taints")),
        "publicIpNodePool": properties.get("publicIpNodePool"),
    }


def _pool_entry(entry: Mapping[str, Any], _properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": entry.get("id"),
        "size": entry.get("size"),
        "nodeCount": entry.get("count"),
        "labels": entry.get("labels"),
        "taints": views.taints(entry.get("taints") or []),
        "publicIpNodePool": entry.get("public_ip_node_pool"),
    }


def _default_pool_request(id_: str, outputs: Mapping[str, Any], count: int) -> dict[str, Any]:
    # The plugin finds the pool by its id, so the id stays the same.
    public = {"public_ip_node_pool": True} if outputs.get("publicIpNodePool") else {}
    return {"id": id_, "size": outputs["size"], "count": count, **public}


def _default_pool_reported(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": entry["id"],
        "nodeCount": int(entry["count"]),
        "size": entry["size"],
        "instanceNames": list(entry.get("instance_names") or ()),
    }


BY_TYPE = {
    "civo:index/network:Network": views.View(_network_properties, _network_entry),
    "civo:index/firewall:Firewall": views.View(_firewall_properties, _firewall_entry),
    "civo:index/kubernetesCluster:KubernetesCluster": views.View(_cluster_properties, _cluster_entry, _cluster_summary),
    "civo:index/kubernetesNodePool:KubernetesNodePool": views.View(_pool_properties, _pool_entry, _pool_summary),
}
#: The plugin takes the first pool in the cloud's list for the default pool. If that is another pool, the plugin would scale it.
DEFAULT_POOL: views.DefaultPool | None = views.DefaultPool(
    property="pools",
    id_key="label",
    request=_default_pool_request,
    reported=_default_pool_reported,
    compared=("nodeCount", "size", "label"),
    names_key="instanceNames",
)
REPORTED = frozenset({"status", "pools.instanceNames"})
COUNTS = {
    "civo:index/kubernetesCluster:KubernetesCluster": "pools.nodeCount",
    "civo:index/kubernetesNodePool:KubernetesNodePool": "nodeCount",
}
