"""Guards: what the engine checks because a plugin cannot be trusted. The reasons are in docs/drift-and-recovery.md.

- A refresh that drops a resource from the state is believed only if the cloud itself says that it is gone.
- A pool or a network deleted by hand would block refresh and destroy for ever: what makes the plugin fail is taken out of the
  state once the cloud confirms that it is gone.
- A creation whose end nobody saw is looked for in the cloud and adopted.
- A refresh loses fields of firewall rules, which would make every later refresh fail: they are put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import clouds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Kind's stem → the resource of its stack that the kind is about: whose id is the first output, and which imports adopt.
MAIN = {"vpc": "network", "firewall": "firewall", "kubernetes_cluster": "cluster", "kubernetes_node_pool": "node_pool"}


def cloud_resources(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the resources of a state that stand for something in the cloud."""
    return [
        resource
        for resource in deployment.get("resources") or []
        if resource.get("custom") and resource["type"].startswith(clouds.TYPES) and resource.get("id")
    ]


def dropped(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the resources that one state has and the next has not, or has only as an empty shell."""
    kept = {resource["urn"]: resource for resource in cloud_resources(after)}
    return [
        resource
        for resource in cloud_resources(before)
        if resource["urn"] not in kept or _is_shell(resource, kept[resource["urn"]])
    ]


def _is_shell(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    # A network that the list does not show is read as one whose texts are empty.
    return bool(old.get("outputs", {}).get("label")) and new.get("outputs", {}).get("label") == ""


def still_there(resources: Iterable[Mapping[str, Any]], cloud: clouds.Cloud) -> list[str]:
    """Returns the names of those resources that the cloud still has.

    Raises:
        PlantonError: The cloud could not be asked, so nothing is known.
    """
    return [
        str(resource["urn"]).rsplit("::", 1)[-1]
        for resource in resources
        if cloud.exists(resource["type"], resource["id"], str(resource.get("inputs", {}).get("clusterId", "")))
    ]


def not_believed(names: Iterable[str], why: str) -> errors.PlantonError:
    """Returns the error for a refresh whose result is not believed."""
    listed = ", ".join(names)
    return errors.PlantonError(
        f"the plugin says that {listed} is gone, but {why}; the state is as it was",
        code=errors.Code.FAILED,
        reason=errors.Reason.REFRESH_NOT_BELIEVED,
        hint="the cloud's API has probably failed for a moment: run the same command again",
    )


def without(deployment: Mapping[str, Any], urns: set[str]) -> dict[str, Any]:
    """Returns a state without some resources and without those that depend on them."""
    gone = set(urns)
    grown = True
    resources = list(deployment.get("resources") or [])
    while grown:
        more = {
            resource["urn"]
            for resource in resources
            if resource["urn"] not in gone and (gone & set(resource.get("dependencies") or []) or resource.get("parent") in gone)
        }
        gone |= more
        grown = bool(more)
    return {**deployment, "resources": [resource for resource in resources if resource["urn"] not in gone]}


def missing(deployment: Mapping[str, Any], cloud: clouds.Cloud) -> set[str]:
    """Returns the URNs of the resources of a state that the cloud says do not exist.

    Raises:
        PlantonError: The cloud could not be asked, so nothing is known.
    """
    return {
        resource["urn"]
        for resource in cloud_resources(deployment)
        if not cloud.exists(resource["type"], resource["id"], str(resource.get("inputs", {}).get("clusterId", "")))
    }


def orphans(
    suspects: Mapping[str, str],
    deployment: Mapping[str, Any],
    target: Any,  # any manifest
    cloud: clouds.Cloud,
) -> dict[str, str]:
    """Looks in the cloud for creations whose end nobody saw.

    Args:
        suspects: URN → name in the cloud, as it was when the creation began.
        deployment: The state, whose resources are no orphans.
        target: The manifest.
        cloud: Where to look.

    Returns:
        Resource name → import id, for those that are there and not in the state.

    Raises:
        PlantonError: The cloud could not be asked, so nothing is known.
    """
    known = {resource["urn"] for resource in cloud_resources(deployment)}
    found = {}
    for urn, cloud_name in suspects.items():
        type_, name = type_and_name(urn)
        if urn in known or not type_.startswith(clouds.TYPES):
            continue
        id_ = cloud.find(type_, cloud_name, cluster_of(deployment, target, cloud))
        if id_:
            found[name] = id_
    return found


def creating(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Returns URN → name in the cloud of the creations that a killed engine has left in a state."""
    resources = [entry["resource"] for entry in pending(deployment) if entry["type"] == "creating"]
    inputs = {resource["urn"]: resource.get("inputs") or {} for resource in resources}
    return {urn: str(given.get("label") or given.get("name") or "") for urn, given in inputs.items()}


def cloud_name(resource: str, target: Any) -> str:
    """Returns what the cloud calls a resource of a manifest's stack."""
    spec = target.spec
    if resource == "node_pool":
        return str(spec.node_pool_name)
    if resource.startswith("node_pool-"):
        return resource.removeprefix("node_pool-")
    if resource == "network":
        return str(getattr(spec, "network_name", "") or target.metadata.name)
    if resource == "firewall":
        return f"{spec.cluster_name}-firewall" if hasattr(spec, "cluster_name") else str(spec.name)
    return str(spec.cluster_name)


def type_and_name(urn: str) -> tuple[str, str]:
    """Returns the type and the name in the stack of a resource."""
    return urn.split("::")[-2].rsplit("$", maxsplit=1)[-1], urn.rsplit("::", 1)[-1]


def cluster_of(deployment: Mapping[str, Any], target: Any, cloud: clouds.Cloud) -> str:  # of any kind
    """Returns the id of the cluster that the pools of a stack belong to; empty where there is none.

    Raises:
        PlantonError: The cloud could not be asked.
    """
    made = next((each["id"] for each in cloud_resources(deployment) if each["type"].endswith("KubernetesCluster")), "")
    if made or not hasattr(target.spec, "cluster"):
        return str(made)
    text = str(target.spec.cluster.value)
    return next((str(entry["id"]) for entry in cloud.clusters() if text in (entry["id"], entry["name"])), "")


def pending(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the operations that a killed engine has left in a state."""
    return list(deployment.get("pending_operations") or [])


def half_updated(deployment: Mapping[str, Any]) -> bool:
    """Returns whether an update has failed in a way that left planned values in the state."""
    return any(resource.get("initErrors") for resource in cloud_resources(deployment))


def autoscaled(deployment: Mapping[str, Any]) -> bool:
    """Returns whether a cloud's autoscaler decides the number of nodes of a pool of a state."""
    outputs = [each.get("outputs") or {} for each in cloud_resources(deployment)]
    return any(each.get("autoScale") or (each.get("nodePool") or {}).get("autoScale") for each in outputs)


_RULES = ("ingressRules", "egressRules")
_RULE_FIELDS = ("portRange", "label", "cidrs")


def with_whole_rules(deployment: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns a state in which each firewall rule has all its fields again, or None where none lacks them.

    The plugin keeps rules in an order of its own, and a refresh writes each into the place of another one, without the
    fields, and without the ranges, that the other one lacks. A TCP rule that so loses its ports makes every later refresh fail.
    """
    resources = list(deployment.get("resources") or [])
    mended = [_with_whole_rules(each) if each["type"].endswith(":Firewall") else each for each in resources]
    return {**deployment, "resources": mended} if mended != resources else None


def _with_whole_rules(firewall: dict[str, Any]) -> dict[str, Any]:
    inputs, outputs = firewall.get("inputs") or {}, firewall.get("outputs") or {}
    whole = {
        name: [_whole(rule, known) for rule, known in zip(inputs[name], outputs[name], strict=True)]
        for name in _RULES
        if isinstance(inputs.get(name), list) and len(inputs[name]) == len(outputs.get(name) or ())
    }
    return {**firewall, "inputs": {**inputs, **whole}}


def _whole(rule: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    ranges = rule.get("cidrs") or []
    kept = {name: value for name, value in rule.items() if name not in ("__defaults", "cidrs")}
    if any(known.get(name) != value for name, value in kept.items()) or ranges != (known.get("cidrs") or [])[: len(ranges)]:
        return rule
    return {**rule, **{name: known[name] for name in _RULE_FIELDS if known.get(name)}}
