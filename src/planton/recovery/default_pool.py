"""The default pool of a cluster: the pool created with it, which no plugin identifies reliably.

- The plugin for Civo treats the first pool in the cloud's list as the default pool. If that is another pool, the plugin would
  scale a pool of another manifest.
- The plugin for DigitalOcean identifies the default pool by a tag. After that pool was deleted, a refresh keeps it in the state,
  and an update of it does nothing.

So planton identifies the pool by its id in the state, recorded when the cluster was created or imported.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from planton.engine import plans
from planton.recovery import observed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planton import clouds

#: Its name in plans and drift.
NAME = "default_node_pool"
#: The tag by which DigitalOcean's plugin identifies the default pool.
_TAG = "terraform:default-node-pool"
_CIVO = "civo:index/kubernetesCluster:KubernetesCluster"
_DIGITALOCEAN = "digitalocean:index/kubernetesCluster:KubernetesCluster"
_NODE_POOL = "kubernetesNodePool:KubernetesNodePool"
#: Type of a cluster → the property that describes its default pool, and the part of it that is the pool's id.
_PROPERTIES = {_CIVO: ("pools", "label"), _DIGITALOCEAN: ("nodePool", "id")}
#: Metadata of an error: the id of the cluster whose last pool could not be deleted.
LAST_OF = "last_pool_of"
#: The output of a stack with the names of the default pool's nodes.
_NODE_NAMES = "node_names"


@dataclasses.dataclass(frozen=True, slots=True)
class DefaultPool:
    """The default pool in a state.

    Attributes:
        cluster: The URN of its cluster.
        cluster_id: The cluster's id in the cloud.
        id: Its own id.
        inputs: Its inputs at the last apply.
        outputs: Its outputs when the state was written.
    """

    cluster: str
    cluster_id: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The type of the cluster."""
        return self.cluster.split("::")[-2].rsplit("$", maxsplit=1)[-1]

    @property
    def urn(self) -> str:
        """A URN for plans: the pool has no resource of its own."""
        return f"{self.cluster.rsplit('::', 2)[0]}::{self.type.split(':', maxsplit=1)[0]}:index/{_NODE_POOL}::{NAME}"


def of(deployment: Mapping[str, Any]) -> DefaultPool | None:
    """Returns the default pool of a state's cluster; None without a cluster, or without a known default pool."""
    for resource in deployment.get("resources") or []:
        property_, key = _PROPERTIES.get(resource["type"], ("", ""))
        outputs = (resource.get("outputs") or {}).get(property_) or {}
        if resource.get("id") and isinstance(outputs, dict) and outputs.get(key):
            inputs = (resource.get("inputs") or {}).get(property_) or {}
            return DefaultPool(resource["urn"], str(resource["id"]), str(outputs[key]), inputs, outputs)
    return None


def is_missing(pool: DefaultPool, cloud: clouds.Cloud) -> bool:
    """Returns whether the cluster exists and its default pool is missing.

    Raises:
        PlantonError: The cloud could not be asked.
    """
    cluster = cloud.cluster(pool.cluster_id)
    return cluster is not None and find(cluster, pool) is None


def find(cluster: Mapping[str, Any], pool: DefaultPool) -> dict[str, Any] | None:
    """Returns the default pool of a cluster, both in the form of the cloud's API; None if it is missing."""
    # At DigitalOcean a recreated default pool has another id, but the tag.
    return next((each for each in observed.pools_of(cluster) if each["id"] == pool.id or _TAG in (each.get("tags") or ())), None)


def creation(pool: DefaultPool) -> plans.Change:
    """Returns the step of a plan that recreates a default pool as last applied."""
    settings = [plans.Difference(key, None, value) for key, value in _described(pool).items()]
    return plans.Change(pool.urn, NAME, pool.urn.split("::")[-2], plans.Action.CREATE, tuple(settings))


def deletion(pool: DefaultPool) -> plans.Change:
    """Returns the drift of a default pool that was deleted."""
    return plans.Change(pool.urn, NAME, pool.urn.split("::")[-2], plans.Action.DELETE)


def _described(pool: DefaultPool) -> dict[str, Any]:
    return {"size": pool.outputs.get("size"), "nodeCount": _count(pool)}


def _count(pool: DefaultPool) -> int:
    # The number of an autoscaled pool, and of one that was imported, is in the outputs only.
    counts = (pool.inputs.get("nodeCount"), pool.outputs.get("nodeCount"), pool.outputs.get("actualNodeCount"))
    return int(next((count for count in counts if count), 1))


def request(pool: DefaultPool) -> dict[str, Any]:
    """Returns the request body that recreates the default pool."""
    if pool.type == _CIVO:
        # The id stays the same, because the plugin finds the pool by it.
        public = {"public_ip_node_pool": True} if pool.outputs.get("publicIpNodePool") else {}
        return {"id": pool.id, "size": pool.outputs["size"], "count": _count(pool), **public}
    outputs = pool.outputs
    scaled = {"auto_scale": True, "min_nodes": outputs.get("minNodes"), "max_nodes": outputs.get("maxNodes")}
    return {
        "name": outputs["name"],
        "size": outputs["size"],
        "count": _count(pool),
        "tags": [*(outputs.get("tags") or ()), _TAG],
        "labels": dict(outputs.get("labels") or {}),
        "taints": [{key: taint.get(key) or "" for key in ("key", "value", "effect")} for taint in outputs.get("taints") or ()],
        **(scaled if outputs.get("autoScale") else {}),
    }


def bound(pool: DefaultPool, after: Mapping[str, Any], cloud: clouds.Cloud, *, refreshed: bool) -> dict[str, Any] | None:
    """Returns the state, corrected to describe the default pool; None if it already does.

    Args:
        pool: The default pool in the state before the operation.
        after: The state after an operation, which may describe another pool.
        cloud: The cloud that reports the current default pool.
        refreshed: Whether the operation was a refresh, which also writes the cloud's values into the inputs.

    Raises:
        PlantonError: The cloud could not be asked.
    """
    now = of(after)
    if pool.type != _CIVO or now is None or now.cluster_id != pool.cluster_id or now.id == pool.id:
        return None
    seen = find(cloud.cluster(pool.cluster_id) or {}, pool)
    outputs = dict(pool.outputs) if seen is None else {**pool.outputs, **_observed(seen)}
    inputs = dict(now.inputs)
    if refreshed:
        inputs = {key: outputs.get(key) if key in _OBSERVED else value for key, value in pool.inputs.items()}
    return _with(after, pool, inputs, outputs)


_OBSERVED = ("nodeCount", "size", "label")


def _observed(seen: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": seen["id"],
        "nodeCount": int(seen["count"]),
        "size": seen["size"],
        "instanceNames": list(seen.get("instance_names") or ()),
    }


def _with(after: Mapping[str, Any], pool: DefaultPool, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(after))
    for resource in changed["resources"]:
        if resource["urn"] == pool.cluster:
            resource["inputs"]["pools"], resource["outputs"]["pools"] = dict(inputs), dict(outputs)
        elif resource["type"] == "pulumi:pulumi:Stack" and _NODE_NAMES in (resource.get("outputs") or {}):
            resource["outputs"][_NODE_NAMES] = list(outputs.get("instanceNames") or ())
    return changed


def drift(pool: DefaultPool, changes: Iterable[plans.Change], cloud: clouds.Cloud) -> tuple[plans.Change, ...]:
    """Returns drift, corrected for the default pool.

    Args:
        pool: The default pool in the state.
        changes: The changes that a refresh reported, which may be about another pool.
        cloud: The cloud that reports the current default pool.

    Raises:
        PlantonError: The cloud could not be asked.
    """
    cluster = cloud.cluster(pool.cluster_id)
    if cluster is None:
        return tuple(changes)
    seen = find(cluster, pool)
    corrected = tuple(_corrected(pool, change, seen) for change in changes)
    kept = tuple(change for change in corrected if change.differences or change.action is not plans.Action.UPDATE)
    return kept if seen is not None else (deletion(pool), *kept)


def _corrected(pool: DefaultPool, change: plans.Change, seen: Mapping[str, Any] | None) -> plans.Change:
    if change.urn != pool.cluster or pool.type != _CIVO:
        return change
    others = tuple(each for each in change.differences if not each.path.startswith("pools."))
    now = {} if seen is None else _observed(seen)
    own = plans.compare({"pools": {key: pool.outputs.get(key) for key in now if key in _OBSERVED}}, {"pools": _kept(now)})
    return dataclasses.replace(change, differences=(*others, *own))


def _kept(observed: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in observed.items() if key in _OBSERVED}


def is_last(deployment: Mapping[str, Any], cloud: clouds.Cloud) -> str:
    """Returns the id of the cluster whose only pools are in a state, else "". Clouds keep a cluster's last pool.

    Raises:
        PlantonError: The cloud could not be asked.
    """
    own: dict[str, set[str]] = {}
    for resource in deployment.get("resources") or []:
        cluster = str((resource.get("inputs") or {}).get("clusterId") or "")
        if resource["type"].endswith(_NODE_POOL) and cluster and resource.get("id"):
            own.setdefault(cluster, set()).add(str(resource["id"]))
    for cluster, ids in own.items():
        there = {str(each["id"]) for each in observed.pools_of(cloud.cluster(cluster) or {})}
        if there and there <= ids:
            return cluster
    return ""


def without_pools(deployment: Mapping[str, Any], cluster: str) -> set[str]:
    """Returns the URNs of the pools that are deleted with their cluster, if the state has the cluster too."""
    resources = list(deployment.get("resources") or [])
    if not any(resource["type"] in _PROPERTIES and resource.get("id") == cluster for resource in resources):
        return set()
    return {
        resource["urn"]
        for resource in resources
        if resource["type"].endswith(_NODE_POOL) and (resource.get("inputs") or {}).get("clusterId") == cluster
    }
