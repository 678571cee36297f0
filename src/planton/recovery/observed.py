"""Converts entries of a cloud's lists to Pulumi properties, so that they can be compared with a state.

Only the nodes and properties that a manifest sets are compared. Other properties (addresses, times) belong to the cloud.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.engine import plans, states
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.clouds import answers
    from planton.schema import providers

_SIZE = "pulumi-python:dynamic:Resource"


@dataclasses.dataclass(frozen=True, slots=True)
class Lists:
    """The lists of several accounts, each fetched once. Thread-safe.

    Attributes:
        answers: The cached responses of the clouds.
    """

    answers: answers.Answers

    def of(self, cloud: clouds.Cloud, type_: str) -> list[dict[str, Any]]:
        """Returns the resources of a Pulumi type in an account; pools are in the entries of their clusters.

        Raises:
            PlantonError: The cloud cannot be asked.
        """
        return clouds.remembering(cloud, self.answers).raw_list(type_)

    def entries(self, cloud: clouds.Cloud, type_: str, cluster_id: str = "") -> list[dict[str, Any]]:
        """Returns the resources of a Pulumi type in an account; of pools those of one cluster.

        Raises:
            PlantonError: The cloud cannot be asked.
        """
        kind = kinds.of_type(type_)
        if kind is None or not kind.is_node_pool:
            return self.of(cloud, type_)
        clusters = self.of(cloud, kinds.type_of(kinds.Role.CLUSTER, kind.provider))
        return [pool for each in clusters if cluster_id in ("", each["id"]) for pool in pools_of(each)]


def pools_of(cluster: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the node pools in the entry of a cluster."""
    return list(cluster.get("pools") or cluster.get("node_pools") or [])


def node_names(pool: Mapping[str, Any]) -> frozenset[str]:
    """Returns the names of the nodes in the entry of a node pool, without those that the cloud deletes."""
    return frozenset(str(row.get("hostname") or row.get("name")) for row in _staying(pool))


def _staying(pool: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = pool.get("instances") or pool.get("nodes") or ()
    return [row for row in rows if "deleting" not in str(row.get("status")).lower()]


def name_of(type_: str, entry: Mapping[str, Any]) -> str:
    """Returns the name of a resource in its entry."""
    return clouds.views_of_type(type_).name(entry)


def is_changed(resource: Mapping[str, Any], cloud: clouds.Cloud, lists: Lists) -> bool | None:
    """Returns whether the cloud's lists differ from a resource in a state; None if the lists do not have it.

    Args:
        resource: A resource of a state.
        cloud: Its account.
        lists: The lists of that account.

    Raises:
        PlantonError: The cloud cannot be read.
    """
    differences = drift(resource, cloud, lists)
    return None if differences is None else bool(differences)


def drift(resource: Mapping[str, Any], cloud: clouds.Cloud, lists: Lists) -> tuple[plans.Difference, ...] | None:
    """Returns the properties in which the cloud's lists differ from a resource in a state; None if the lists do not have it.

    Args:
        resource: A resource of a state.
        cloud: Its account.
        lists: The lists of that account.

    Raises:
        PlantonError: The cloud cannot be read.
    """
    type_, outputs = str(resource["type"]), resource.get("outputs") or {}
    if type_ == _SIZE:
        entry = _pool_of_size(outputs, cloud, lists)
        return None if entry is None else _different(_size_state(outputs), _size_entry(entry))
    entry = entry_of(resource, cloud, lists)
    if entry is None:
        return None
    requested = clouds.views_of_type(type_).BY_TYPE[type_].requested(resource.get("inputs") or {})
    return differences(type_, {**outputs, **requested}, entry)


#: The properties of the resource that holds the number of nodes of a pool: what only the cloud decides, and the number.
_NODE_IDS, _SIZES = frozenset({"node_ids"}), frozenset({"actual_node_count"})


def drift_of_state(
    state: Mapping[str, Any], provider: providers.Provider, cloud: clouds.Cloud, lists: Lists, *, is_autoscaled: bool
) -> tuple[plans.Difference, ...]:
    """Returns the properties in which the cloud's lists differ from a state, without those that only the cloud decides.

    Resources that the lists do not have are left out.

    Args:
        state: The state.
        provider: The declaration of the cloud.
        cloud: The account.
        lists: The lists of that account.
        is_autoscaled: Whether an autoscaler decides the number of nodes.

    Raises:
        PlantonError: The cloud cannot be read.
    """
    views = clouds.views_of(provider)
    ignored = views.REPORTED | _NODE_IDS | (frozenset(views.COUNTS.values()) | _SIZES if is_autoscaled else frozenset())
    resources = (*states.cloud_resources(state), *states.pool_sizes(state))
    all_differences = [each for one in resources for each in drift(one, cloud, lists) or ()]
    return tuple(each for each in all_differences if each.path not in ignored)


def entry_of(resource: Mapping[str, Any], cloud: clouds.Cloud, lists: Lists) -> dict[str, Any] | None:
    """Returns the entry of a resource of a state in the cloud's lists; None if they do not have it.

    Raises:
        PlantonError: The cloud cannot be asked.
    """
    listed = lists.entries(cloud, str(resource["type"]), kinds.cluster_of(resource))
    return next((each for each in listed if each["id"] == resource["id"]), None)


def _pool_of_size(outputs: Mapping[str, Any], cloud: clouds.Cloud, lists: Lists) -> dict[str, Any] | None:
    pools = lists.entries(cloud, kinds.type_of(kinds.Role.NODE_POOL, cloud.PROVIDER), str(outputs.get("cluster_id", "")))
    return next((each for each in pools if each["id"] == outputs.get("pool_id")), None)


def _size_state(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"actual_node_count": outputs.get("actual_node_count"), "node_ids": outputs.get("node_ids")}


def _size_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    staying, rows = _staying(entry), entry.get("instances") or []
    # The count of the list contains nodes that the cloud deletes.
    count = len(staying) if len(staying) < len(rows) else entry.get("count")
    return {"actual_node_count": count, "node_ids": [each["id"] for each in staying]}


def differences(type_: str, properties: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[plans.Difference, ...]:
    """Returns the properties in which a resource differs from its entry in a list.

    Args:
        type_: The Pulumi type.
        properties: The properties of a state or a request. Missing properties and None are not compared.
        entry: The entry in the cloud's list.
    """
    view = clouds.views_of_type(type_).BY_TYPE[type_]
    before = {name: value for name, value in view.of_properties(properties).items() if value is not None}
    return _different(before, view.of_entry(entry, properties))


def _different(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[plans.Difference, ...]:
    pairs = ((name, old, now.get(name)) for name, old in before.items())
    return tuple(plans.Difference(name, old, new) for name, old, new in pairs if (old or None) != (new or None))
