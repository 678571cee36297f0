"""How Google Cloud's API describes clusters and node pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.clouds import views
from planton.clouds.gcp import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The states in which GKE says what is wrong.
_FAILED = ("ERROR", "DEGRADED", "RUNNING_WITH_ERROR")
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}


def name(entry: Mapping[str, Any]) -> str:
    """Returns the name of a resource in its entry."""
    return str(entry["name"])


def nodes(pool: Mapping[str, Any]) -> list[str]:
    """Returns the names of the machines of a node pool."""
    return list(pool.get("machines") or ())


def condition(cluster: Mapping[str, Any], pool: str = "") -> views.Condition:
    """Returns the condition of a cluster, or of one pool. The API has no state of single nodes: those of a busy pool are not ready."""
    pools = [each for each in cluster.get("node_pools") or () if pool in ("", each.get("name"))]
    state = str(cluster.get("status") or "")
    ready = sum(_nodes(each) for each in pools if each.get("status") == "RUNNING")
    settled = state == "RUNNING" and all(each.get("status") == "RUNNING" for each in pools)
    return views.Condition(state, ready, sum(map(_nodes, pools)), settled=settled)


def _nodes(pool: Mapping[str, Any]) -> int:
    initial = int(pool.get("initialNodeCount") or 0) * len(pool.get("locations") or ())
    return int(pool.get("size", initial))


def _cluster_summary(entry: Mapping[str, Any]) -> views.Summary:
    seen = condition(entry)
    return views.Summary(
        status=seen.status("RUNNING"),
        version=str(entry.get("currentMasterVersion") or ""),
        sizes=views.distinct((pool.get("config") or {}).get("machineType") for pool in entry.get("node_pools") or ()),
        ready=seen.ready,
        desired=seen.nodes,
        created=str(entry.get("createTime") or ""),
    )


def _pool_summary(entry: Mapping[str, Any]) -> views.Summary:
    nodes, is_ready = _nodes(entry), entry.get("status") == "RUNNING"
    return views.Summary(
        status=views.READY if is_ready else str(entry.get("status") or "").capitalize(),
        version=str(entry.get("version") or ""),
        sizes=views.distinct([(entry.get("config") or {}).get("machineType")]),
        ready=nodes if is_ready else 0,
        desired=nodes,
    )


def _last(text: Any) -> Any:  # a self link, a short name or None
    return str(text).rpartition("/")[2] if text else text


def _cluster_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    private = properties.get("privateClusterConfig") or {}
    networks = properties.get("masterAuthorizedNetworksConfig")
    return {
        **{key: properties.get(key) for key in ("name", "location", "resourceLabels")},
        "network": _last(properties.get("network")),
        "subnetwork": _last(properties.get("subnetwork")),
        "channel": (properties.get("releaseChannel") or {}).get("channel"),
        "version": properties.get("masterVersion"),
        "zones": _sorted(properties.get("nodeLocations")),
        "privateNodes": bool(private.get("enablePrivateNodes")),
        "networkPolicy": bool((properties.get("networkPolicy") or {}).get("enabled")),
        "workloadPool": (properties.get("workloadIdentityConfig") or {}).get("workloadPool"),
        "authorizedNetworks": None
        if networks is None
        else sorted(block["cidrBlock"] for block in networks.get("cidrBlocks") or ()),
    }


def _cluster_entry(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    private, networks = entry.get("privateClusterConfig") or {}, entry.get("masterAuthorizedNetworksConfig") or {}
    is_zonal = PROVIDER.is_zone(str(entry.get("location", "")))
    zones = [zone for zone in entry.get("locations") or () if not is_zonal or zone != entry["location"]]
    return {
        **{key: entry.get(key) for key in ("name", "location")},
        "resourceLabels": {
            key: value
            for key, value in (entry.get("resourceLabels") or {}).items()
            if key in (properties.get("resourceLabels") or {}) or not key.startswith("goog-")
        },
        "network": _last(entry.get("network")),
        "subnetwork": _last(entry.get("subnetwork")),
        "channel": (entry.get("releaseChannel") or {}).get("channel") or "UNSPECIFIED",
        "version": entry.get("currentMasterVersion"),
        "zones": sorted(zones),
        "privateNodes": bool(private.get("enablePrivateNodes")),
        "networkPolicy": bool((entry.get("networkPolicy") or {}).get("enabled")),
        "workloadPool": (entry.get("workloadIdentityConfig") or {}).get("workloadPool"),
        "authorizedNetworks": (
            sorted(block["cidrBlock"] for block in networks.get("cidrBlocks") or ()) if networks.get("enabled") else None
        ),
    }


def _pool_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    config = properties.get("nodeConfig") or {}
    scaling = properties.get("autoscaling") or {}
    return {
        "name": properties.get("name"),
        "size": config.get("machineType"),
        "diskSize": config.get("diskSizeGb"),
        "diskType": config.get("diskType"),
        "image": config.get("imageType"),
        "spot": bool(config.get("spot")),
        "preemptible": bool(config.get("preemptible")),
        "labels": config.get("labels"),
        "taints": _taints(config.get("taints")),
        "zones": _sorted(properties.get("nodeLocations")),
        "version": properties.get("version"),
        "count": properties.get("nodeCount"),
        "bounds": [
            int(scaling.get(key) or 0) for key in ("minNodeCount", "maxNodeCount", "totalMinNodeCount", "totalMaxNodeCount")
        ],
        "management": {key: bool((properties.get("management") or {}).get(key)) for key in ("autoRepair", "autoUpgrade")},
    }


def _pool_requested(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the number of nodes: an update that ends autoscaling compares it with a state that did not follow the autoscaler."""
    is_fixed = "nodeCount" in inputs and not inputs.get("autoscaling")
    return {"nodeCount": inputs["nodeCount"]} if is_fixed else {}


def _pool_entry(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    config = entry.get("config") or {}
    scaling = entry.get("autoscaling") or {}
    declared = (properties.get("nodeConfig") or {}).get("taints") or ()
    return {
        "name": entry.get("name"),
        "size": config.get("machineType"),
        "diskSize": config.get("diskSizeGb"),
        "diskType": config.get("diskType"),
        "image": config.get("imageType"),
        "spot": bool(config.get("spot")),
        "preemptible": bool(config.get("preemptible")),
        "labels": config.get("labels") or {},
        # GKE adds taints to nodes with accelerators. Only declared ones are compared, as the plugin does.
        "taints": _taints([taint for taint in config.get("taints") or () if taint["key"] in {each["key"] for each in declared}]),
        "zones": sorted(entry.get("locations") or ()),
        "version": entry.get("version"),
        # The state counts per zone, rounded down, as the plugin does.
        "count": entry["size"] // max(len(entry.get("instanceGroupUrls") or ()), 1)
        if "size" in entry
        else properties.get("nodeCount"),
        "bounds": [
            int((scaling if scaling.get("enabled") else {}).get(key) or 0)
            for key in ("minNodeCount", "maxNodeCount", "totalMinNodeCount", "totalMaxNodeCount")
        ],
        "management": {key: bool((entry.get("management") or {}).get(key)) for key in ("autoRepair", "autoUpgrade")},
    }


def _zones(pool: Mapping[str, Any]) -> int:
    return len(pool.get("instanceGroupUrls") or ()) or 1


def _troubles(entry: Mapping[str, Any]) -> list[str]:
    """Returns the conditions of a cluster or a pool; a cluster also lists those of its pools, which are not its own."""
    of_pools = [each for pool in entry.get("node_pools") or () for each in pool.get("conditions") or ()]
    own = [each for each in entry.get("conditions") or () if each not in of_pools]
    listed = [f"{each.get('code') or each.get('canonicalCode')}: {each.get('message') or ''}" for each in own]
    is_failed = entry.get("status") in _FAILED and entry.get("statusMessage")
    return listed or ([f"{entry['status']}: {entry['statusMessage']}"] if is_failed else [])


def _sorted(listed: Any) -> Any:  # JSON data
    return None if listed is None else sorted(listed)


def _taints(listed: Any) -> Any:  # JSON data
    return (
        None
        if listed is None
        else views.taints([{**each, "effect": _EFFECTS.get(each["effect"], each["effect"])} for each in listed])
    )


BY_TYPE = {
    "gcp:container/cluster:Cluster": views.View(_cluster_properties, _cluster_entry, _cluster_summary, troubles=_troubles),
    "gcp:container/nodePool:NodePool": views.View(
        _pool_properties, _pool_entry, _pool_summary, requested=_pool_requested, zones=_zones, troubles=_troubles
    ),
}
#: Clusters are created without the default pool.
DEFAULT_POOL: views.DefaultPool | None = None
REPORTED = frozenset({"version"})
COUNTS = {"gcp:container/nodePool:NodePool": "count"}
