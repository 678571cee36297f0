"""Guards: checks by the engine, because plugins cannot be trusted. The reasons are in docs/use/drift-and-recovery.md.

- A refresh that drops a resource from the state is trusted only if the cloud itself confirms that it is missing.
- A pool or a network deleted by hand would block every refresh and destroy. It is removed from the state once the cloud confirms
  that it is missing.
- A creation with an unknown result is searched for in the cloud, and adopted with proof that it is ours (`ownership`).
- A refresh loses fields of firewall rules, which would make every later refresh fail. They are restored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.clouds import answers
from planton.engine import states
from planton.recovery import observed, ownership
from planton.schema import kinds
from planton.state import journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def dropped(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the resources of a state that are missing from the next state, or are an empty shell there."""
    remaining = {resource["urn"]: resource for resource in states.cloud_resources(after)}
    return [
        resource
        for resource in states.cloud_resources(before)
        if resource["urn"] not in remaining or _is_shell(resource, remaining[resource["urn"]])
    ]


def _is_shell(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    # A network that the list does not show is read as one whose texts are empty.
    return bool(old.get("outputs", {}).get("label")) and new.get("outputs", {}).get("label") == ""


def _exists(resource: Mapping[str, Any], cloud: clouds.Cloud) -> bool:
    return cloud.exists(resource["type"], resource["id"], kinds.cluster_of(resource))


def not_believed(names: Iterable[str], why: str) -> errors.PlantonError:
    """Returns the error for a refresh whose result the cloud contradicts."""
    listed = ", ".join(names)
    return errors.PlantonError(
        f"the plugin says that {listed} is gone, but {why}; the state is as it was",
        reason=errors.Reason.REFRESH_NOT_BELIEVED,
        hint="the cloud's API has probably failed for a moment: run the same command again",
    )


def with_missing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a refreshed state with the resources that the refresh dropped restored."""
    now = {each["urn"]: each for each in after.get("resources") or []}
    shells = {each["urn"] for each in dropped(before, after)}
    old = [{key: value for key, value in each.items() if key != "initErrors"} for each in before.get("resources") or []]
    restored = [each if each["urn"] in shells else now.get(each["urn"], each) for each in old]
    urns = {each["urn"] for each in restored}
    return {**after, "resources": [*restored, *(each for urn, each in now.items() if urn not in urns)]}


def missing(resources: Iterable[Mapping[str, Any]], cloud: clouds.Cloud) -> set[str]:
    """Returns the URNs of those resources of a state that the cloud says do not exist.

    Raises:
        PlantonError: The cloud could not be read.
    """
    return {str(resource["urn"]) for resource in resources if not _exists(resource, cloud)}


def candidates(
    record: journal.Record,
    suspects: Mapping[str, journal.Creation],
    deployment: Mapping[str, Any],
    target: Any,  # any manifest
    cloud: clouds.Cloud,
    *,
    now: float,
) -> list[ownership.Candidate]:
    """Searches the cloud for the results of creations with an unknown result.

    Args:
        record: The record of the operation that started them.
        suspects: URN → creation.
        deployment: The state, whose resources are excluded.
        target: The manifest.
        cloud: The cloud to search.
        now: The time, in seconds since the epoch.

    Returns:
        The resources with the name of a creation that are not in the state, with the reasons against ownership.

    Raises:
        PlantonError: The cloud could not be read.
    """
    # A replacement may have created the new resource while the state still has the old one, of the same URN.
    ids = {(each["type"], each["id"]) for each in states.cloud_resources(deployment)}
    lists = observed.Lists(answers.Answers())
    results: list[ownership.Candidate] = []
    for urn, creation in suspects.items():
        type_, _ = states.type_and_name(urn)
        if not clouds.is_resource(type_):
            continue
        is_pool = kinds.has_role(type_, kinds.Role.NODE_POOL)
        cluster = cluster_of(deployment, target, cloud) if is_pool else ""
        if is_pool and not cluster:
            continue
        entries = [each for each in lists.entries(cloud, type_, cluster) if (type_, each["id"]) not in ids]
        evidence = ownership.Evidence(creation, record.marker, record.before.get(urn), record.started, now)
        results += ownership.candidates(urn, type_, entries, evidence)
    return results


def import_id(candidate: ownership.Candidate, cluster: str) -> str:
    """Returns the id by which the engine imports a resource."""
    kind = kinds.of_type(states.type_and_name(candidate.urn)[0])
    return f"{cluster}:{candidate.id}" if kind is not None and kind.declared.is_imported_by_cluster else candidate.id


def with_adopted(
    deployment: Mapping[str, Any], adopted: Mapping[str, str], suspects: Mapping[str, journal.Creation]
) -> dict[str, Any]:
    """Returns a state with additional resources of known ids; a refresh reads the rest from the cloud.

    Args:
        deployment: A state with the provider of the resources.
        adopted: URN → import id.
        suspects: URN → creation, which has the inputs.
    """
    resources = list(deployment.get("resources") or [])
    stack = next(each["urn"] for each in resources if each["type"] == "pulumi:pulumi:Stack")
    entries = []
    for urn, id_ in adopted.items():
        type_, _ = states.type_and_name(urn)
        package = type_.partition(":")[0]
        provider = next(each for each in resources if each["type"] == f"pulumi:providers:{package}")
        inputs = {"__defaults": [], **suspects[urn].inputs}
        kind = kinds.of_type(type_)
        # A resource without properties is read as an import.
        outputs = {name: inputs[name] for name in (kind.declared.state_inputs if kind else ()) if name in inputs}
        entry = {"urn": urn, "custom": True, "id": id_, "type": type_, "inputs": inputs, "outputs": outputs, "parent": stack}
        entries.append({**entry, "provider": f"{provider['urn']}::{provider['id']}"})
    # The old resource of an interrupted replacement still has to be deleted.
    existing = [{**each, "delete": True} if each["urn"] in adopted else each for each in resources]
    return {**deployment, "resources": [*existing, *entries]}


def creating(deployment: Mapping[str, Any]) -> dict[str, journal.Creation]:
    """Returns URN → creation for the pending creations of a killed engine in a state."""
    resources = [entry["resource"] for entry in states.pending(deployment) if entry["type"] == "creating"]
    return {resource["urn"]: creation(resource.get("inputs") or {}) for resource in resources}


def creation(inputs: Mapping[str, Any]) -> journal.Creation:
    """Returns the creation that sends the given properties."""
    sent = {name: value for name, value in inputs.items() if not name.startswith("__")}
    return journal.Creation(str(sent.get("label") or sent.get("name") or ""), sent)


def cloud_name(resource: str, target: Any) -> str:  # a manifest of any kind
    """Returns the name in the cloud of a resource of a manifest's stack."""
    kind = kinds.get(target.kind)
    name = kind.cloud_name(target)
    if resource.startswith("node_pool-"):
        return resource.removeprefix("node_pool-")
    return kind.declared.own_firewall.format(name) if resource == "firewall" != kind.main else name


def cluster_of(deployment: Mapping[str, Any], target: Any, cloud: clouds.Cloud) -> str:  # of any kind
    """Returns the cloud's id of the cluster of a stack's node pools; empty if it has none.

    Raises:
        PlantonError: The cloud could not be asked.
    """
    own = states.cluster(deployment)
    kind = kinds.get(target.kind)
    if own or not kind.is_node_pool:
        return own
    text = kind.cluster_id(target)
    return next((str(entry["id"]) for entry in cloud.clusters() if text in (entry["id"], entry["name"])), "")


_RULES = ("ingressRules", "egressRules")
_RULE_FIELDS = ("portRange", "label", "cidrs")


def with_whole_rules(deployment: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns a state with all fields of firewall rules restored, or None if no field is missing.

    The plugin sorts rules differently, and a refresh merges each rule into another one's entry. Fields and ranges that the
    other rule lacks are lost. A TCP rule without ports makes every later refresh fail.
    """
    resources = list(deployment.get("resources") or [])
    repaired = [_with_complete_rules(each) if kinds.has_role(each["type"], kinds.Role.FIREWALL) else each for each in resources]
    return {**deployment, "resources": repaired} if repaired != resources else None


def _with_complete_rules(firewall: dict[str, Any]) -> dict[str, Any]:
    inputs, outputs = firewall.get("inputs") or {}, firewall.get("outputs") or {}
    completed = {
        name: [_completed(rule, reported) for rule, reported in zip(inputs[name], outputs[name], strict=True)]
        for name in _RULES
        if isinstance(inputs.get(name), list) and len(inputs[name]) == len(outputs.get(name) or ())
    }
    return {**firewall, "inputs": {**inputs, **completed}}


def _completed(rule: dict[str, Any], reported: Mapping[str, Any]) -> dict[str, Any]:
    ranges = rule.get("cidrs") or []
    fields = {name: value for name, value in rule.items() if name not in ("__defaults", "cidrs")}
    if (
        any(reported.get(name) != value for name, value in fields.items())
        or ranges != (reported.get("cidrs") or [])[: len(ranges)]
    ):
        return rule
    return {**rule, **{name: reported[name] for name in _RULE_FIELDS if reported.get(name)}}


def own_firewall_hint(provider: str, id_: str) -> str:
    """Returns what to do if an existing firewall has the name of the one that a cluster would get."""
    kind = kinds.of_role(kinds.Role.FIREWALL, provider)[0]
    return (
        f"adopt it with a manifest of its own (planton import {kind.name}/NAME {id_} -f FILE) and name it in spec.firewall, "
        "delete it there, or choose another name for the cluster"
    )
