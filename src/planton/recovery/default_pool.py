"""The default pool of a cluster: the pool created with it, which no plugin identifies reliably.

- A plugin may take the first pool in the cloud's list for the default pool. If that is another pool, the plugin would scale a pool
  of another manifest.
- A plugin may identify the default pool by a tag. After that pool was deleted, a refresh keeps it in the state, and an update of it
  does nothing.

So planton identifies the pool by its id in the state, recorded when the cluster was created or imported.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.engine import plans
from planton.recovery import observed
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planton.clouds import views

#: Its name in plans and drift.
NAME = "default_node_pool"
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
        provider = providers.of_type(self.type)
        type_ = "" if provider is None else kinds.type_of(kinds.Role.NODE_POOL, provider.name)
        return f"{self.cluster.rsplit('::', 2)[0]}::{type_}::{NAME}"

    @property
    def traits(self) -> views.DefaultPool:
        """How the cloud and its plugin treat default pools."""
        traits = _traits(self.type)
        if traits is None:
            raise LookupError(self.type)
        return traits


def _traits(type_: str) -> views.DefaultPool | None:
    return clouds.views_of_type(type_).DEFAULT_POOL if kinds.has_role(type_, kinds.Role.CLUSTER) else None


def of(deployment: Mapping[str, Any]) -> DefaultPool | None:
    """Returns the default pool of a state's cluster; None without a cluster, or without a known default pool."""
    for resource in deployment.get("resources") or []:
        traits = _traits(resource["type"])
        outputs = {} if traits is None else (resource.get("outputs") or {}).get(traits.property) or {}
        if traits is not None and resource.get("id") and isinstance(outputs, dict) and outputs.get(traits.id_key):
            inputs = (resource.get("inputs") or {}).get(traits.property) or {}
            return DefaultPool(resource["urn"], str(resource["id"]), str(outputs[traits.id_key]), inputs, outputs)
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
    # A recreated default pool may have another id, but the tag.
    pools = observed.pools_of(cluster)
    return next((each for each in pools if each["id"] == pool.id or pool.traits.tag in (each.get("tags") or ())), None)


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
    return pool.traits.request(pool.id, pool.outputs, _count(pool))


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
    reported = pool.traits.reported
    if reported is None or now is None or now.cluster_id != pool.cluster_id or now.id == pool.id:
        return None
    seen = find(cloud.cluster(pool.cluster_id) or {}, pool)
    outputs = dict(pool.outputs) if seen is None else {**pool.outputs, **reported(seen)}
    inputs = dict(now.inputs)
    if refreshed:
        inputs = {key: outputs.get(key) if key in pool.traits.compared else value for key, value in pool.inputs.items()}
    return _with(after, pool, inputs, outputs)


def _with(after: Mapping[str, Any], pool: DefaultPool, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(after))
    for resource in changed["resources"]:
        if resource["urn"] == pool.cluster:
            name = pool.traits.property
            resource["inputs"][name], resource["outputs"][name] = dict(inputs), dict(outputs)
        elif resource["type"] == "pulumi:pulumi:Stack" and _NODE_NAMES in (resource.get("outputs") or {}):
            resource["outputs"][_NODE_NAMES] = list(outputs.get(pool.traits.names_key) or ())
    return changed


def drift(pool: DefaultPool, changes: Iterable[plans.Change], cloud: clouds.Cloud) -> tuple[plans.Change, ...]:
    """Returns drift, corrected for the default pool.

    Args:
        pool: The default pool in the state.
        changes: The changes that a refresh reported, which may be about another pool.
        cloud: The cloud that reports the current default pool.

    Raises:
        PlantonError: The cloud could not be read.
    """
    cluster = cloud.cluster(pool.cluster_id)
    if cluster is None:
        return tuple(changes)
    seen = find(cluster, pool)
    corrected = tuple(_corrected(pool, change, seen) for change in changes)
    corrected_changes = tuple(change for change in corrected if change.differences or change.action is not plans.Action.UPDATE)
    return corrected_changes if seen is not None else (deletion(pool), *corrected_changes)


def _corrected(pool: DefaultPool, change: plans.Change, seen: Mapping[str, Any] | None) -> plans.Change:
    traits = pool.traits
    if change.urn != pool.cluster or traits.reported is None:
        return change
    other_differences = tuple(each for each in change.differences if not each.path.startswith(f"{traits.property}."))
    reported = {} if seen is None else traits.reported(seen)
    now = {key: value for key, value in reported.items() if key in traits.compared}
    own = plans.compare({traits.property: {key: pool.outputs.get(key) for key in now}}, {traits.property: now})
    return dataclasses.replace(change, differences=(*other_differences, *own))


def is_last(deployment: Mapping[str, Any], cloud: clouds.Cloud) -> str:
    """Returns the id of the cluster whose only pools are in a state, else "". Most clouds keep a cluster's last pool.

    Raises:
        PlantonError: The cloud could not be read.
    """
    if not providers.get(cloud.PROVIDER).keeps_last_pool:
        return ""
    own: dict[str, set[str]] = {}
    for resource in deployment.get("resources") or []:
        cluster = kinds.cluster_of(resource)
        if kinds.has_role(resource["type"], kinds.Role.NODE_POOL) and cluster and resource.get("id"):
            own.setdefault(cluster, set()).add(str(resource["id"]))
    for cluster, ids in own.items():
        existing = {str(each["id"]) for each in observed.pools_of(cloud.cluster(cluster) or {})}
        if existing and existing <= ids:
            return cluster
    return ""


def without_pools(deployment: Mapping[str, Any], cluster: str) -> set[str]:
    """Returns the URNs of the pools that are deleted with their cluster, if the state has the cluster too."""
    resources = list(deployment.get("resources") or [])
    if not any(kinds.has_role(resource["type"], kinds.Role.CLUSTER) and resource.get("id") == cluster for resource in resources):
        return set()
    return {
        resource["urn"]
        for resource in resources
        if kinds.has_role(resource["type"], kinds.Role.NODE_POOL) and kinds.cluster_of(resource) == cluster
    }
