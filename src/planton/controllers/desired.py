"""A resource of the API → what is desired of it, and the resource of the pipeline."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.config import credentials
from planton.controllers import api_fields, autoscaling, durations, existing, failures, manifests, rollout, scaling, values
from planton.deploy import drain
from planton.manifest import load
from planton.modules import stored_json
from planton.schema import deletion, kinds, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.config import settings as engine_settings
    from planton.state import inventory

_DRAIN_TIMEOUT = datetime.timedelta(minutes=10)
#: The role of the manifests of a kind of work.
ROLES = {"Cluster": kinds.Role.CLUSTER, "NodePool": kinds.Role.NODE_POOL}


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What is desired of a resource.

    Attributes:
        desired: The desired state.
        resource: The resource of the pipeline; None if there is nothing to apply or to delete.
        label: The value of the label ``nodepool`` of its nodes; empty for nodes without it.
        region: The region; empty if it is unknown.
    """

    desired: values.Desired
    resource: load.Resource | None
    label: str = ""
    region: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of a node pool.

    Attributes:
        data: The cluster as the API returns it.
        applied: The cluster as it was applied; None if it was not.
        revision: Which pool of the resource is meant: each replacement makes another one.
    """

    data: Mapping[str, Any]
    applied: inventory.Applied | None
    revision: int = 1


def target(
    kind: kinds.Kind,
    data: Mapping[str, Any],
    settings: engine_settings.Settings,
    *,
    applied: inventory.Applied | None,
    cluster: Cluster | None,
) -> Target:
    """Returns what is desired of a resource.

    Args:
        kind: The kind of its manifest.
        data: The resource as the API returns it.
        settings: The settings of the run.
        applied: The resource as it was applied; None if it was not.
        cluster: The cluster of a node pool; None for a cluster.

    Raises:
        PlantonError: The cloud cannot be asked for what the spec leaves open.
    """
    spec = data.get("spec") or {}
    common = dataclasses.replace(_common(data, spec), turnover=_turnover(spec, cluster))
    as_applied = None if applied is None else _as_applied(applied)
    if "deleted_at" in data:
        common = dataclasses.replace(common, is_deleting=True)
        if as_applied is not None:
            # What was applied is deleted, whatever the spec says now. Only the protection is that of the spec: the API has deleted the
            # object, so it does not protect it, and that may be a change which was never applied.
            return Target(common, _unprotected(as_applied), _label(data, cluster), as_applied.region)
    waits_for = "" if cluster is None else _not_ready(cluster)
    scaled = None if cluster is None else scaling.targets(kind, spec)
    if scaled is not None:
        data = manifests.fixed(data, _last_count(scaled, spec, applied))
        spec = data["spec"]
    try:
        source = _source(kind, data, settings, applied, cluster)
        made = existing.resource(source, applied, lambda: _cloud(source, settings))
    except errors.InvalidError as error:
        problem = failures.make(failures.Code.INVALID, "; ".join(f"{each.path}: {each.message}" for each in error.violations))
        return Target(dataclasses.replace(common, problem=problem), as_applied, _label(data, cluster))
    desired = dataclasses.replace(common, nodes=_nodes(source, spec), scaling=scaled, waits_for=waits_for, adopts=made.adopts)
    region = _region(source, applied)
    # The region of a pool is that of its cluster, which the pipeline need not search.
    return Target(desired, dataclasses.replace(made, region=region.lower()), _label(data, cluster), region)


def resized(target_: Target, nodes: int) -> Target:
    """Returns a target with another number of nodes."""
    resource = None if target_.resource is None else manifests.resized(target_.resource, nodes)
    return dataclasses.replace(target_, desired=dataclasses.replace(target_.desired, nodes=nodes), resource=resource)


def is_left_by_autoscaler(target_: Target, applied: inventory.Applied | None) -> bool:
    """Returns whether the controller's autoscaler follows another one, whose number of nodes only the cloud knows."""
    if target_.desired.scaling is None or applied is None:
        return False
    return manifests.is_autoscaled(applied.manifest)


def count(applied: inventory.Applied) -> int:
    """Returns the number of nodes with which a pool was applied."""
    manifest: Any = applied.manifest
    return int(getattr(manifest.spec, kinds.get(manifest.kind).declared.count_field))


def _last_count(scaled: autoscaling.Targets, spec: Mapping[str, Any], applied: inventory.Applied | None) -> int:
    """Returns the number of nodes that the autoscaler has decided last: that of the applied manifest."""
    if applied is not None:
        return count(applied)
    return max(int(spec.get("nodeCount") or 0), scaled.min_nodes)


def _source(
    kind: kinds.Kind,
    data: Mapping[str, Any],
    settings: engine_settings.Settings,
    applied: inventory.Applied | None,
    cluster: Cluster | None,
) -> manifests.Source:
    source = manifests.Source(data["id"], kind, data, credential=_credential(kind, data if cluster is None else cluster.data))
    if cluster is not None:
        own = cluster.applied
        region = str(_own(kind, cluster.data).get("region") or "")
        # A placeholder, so that a spec is checked before its cluster exists.
        facts = {"name": cluster.data["name"], "id": (own.identity if own else "") or "unknown", "region": region}
        source = dataclasses.replace(source, cluster={**_own(kind, cluster.data), **facts}, revision=cluster.revision)
        _check_region(source)
    return dataclasses.replace(source, default=_defaults(source, settings, applied))


def _common(data: Mapping[str, Any], spec: Mapping[str, Any]) -> values.Desired:
    lifecycle = spec.get("lifecycle") or {}
    return values.Desired(
        generation=int(data["generation"]),
        repairs_drift=lifecycle.get("driftPolicy", "") != "Report",
        recreates=bool(lifecycle.get("recreate")),
        paused_until=_paused_until(lifecycle.get("pausedUntil", "")),
    )


def _turnover(spec: Mapping[str, Any], cluster: Cluster | None) -> values.Turnover | None:
    if cluster is None or "deleted_at" in cluster.data:
        # The nodes of a deleted cluster go with it.
        return None
    lifecycle = spec.get("lifecycle") or {}
    rollout_fields = lifecycle.get("rollout") or {}
    on_timeout = rollout.OnTimeout(rollout_fields.get("onDrainTimeout") or rollout.OnTimeout.FAIL)
    timeout = durations.parsed(rollout_fields.get("drainTimeout")) or _DRAIN_TIMEOUT
    return values.Turnover(
        limit=drain.Limit(after=timeout, force=on_timeout is rollout.OnTimeout.FORCE),
        surge=int(rollout_fields.get("maxSurge", 1)),
        unavailable=int(rollout_fields.get("maxUnavailable", 0)),
        soak=durations.parsed(rollout_fields.get("soak")) or datetime.timedelta(),
        on_timeout=on_timeout,
        unhealthy_after=durations.parsed(lifecycle.get("unhealthyAfter")),
    )


def as_applied(applied: inventory.Applied) -> load.Resource:
    """Returns a resource as it was applied, without its protection: the API decides about that."""
    return _unprotected(_as_applied(applied))


def _paused_until(text: str) -> datetime.datetime | None:
    if not text:
        return None
    if text == "true":
        return values.NEVER
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        # The API checks the form; a day that no calendar has does not end a pause by accident.
        return values.NEVER


def _as_applied(applied: inventory.Applied) -> load.Resource:
    return load.Resource(applied.manifest, None, str(applied.stack), region=applied.region, origin=applied.origin)


def _unprotected(resource: load.Resource) -> load.Resource:
    manifest: Any = type(resource.manifest)()
    manifest.CopyFrom(resource.manifest)
    manifest.metadata.annotations.pop(deletion.PROTECTION_ANNOTATION, None)
    return dataclasses.replace(resource, manifest=manifest)


def _label(data: Mapping[str, Any], cluster: Cluster | None) -> str:
    return "" if cluster is None else str(data["name"])


def _credential(kind: kinds.Kind, data: Mapping[str, Any]) -> str:
    return str(_own(kind, data).get("credential") or "")


def _own(kind: kinds.Kind, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(((data.get("spec") or {}).get("platform") or {}).get(kind.provider) or {})


def _not_ready(cluster: Cluster) -> str:
    if cluster.applied is not None and cluster.applied.complete:
        return ""
    status = cluster.data.get("status") or {}
    detail = f": {status['message']}" if status.get("message") else ""
    return f"cluster {cluster.data['name']} is {status.get('phase') or 'Pending'}{detail}"


def _nodes(source: manifests.Source, spec: Mapping[str, Any]) -> int | None:
    if (spec.get("autoscaling") or {}).get("enabled"):
        return None
    # A cluster without a default pool has no nodes of its own.
    counted = {each for alternatives in source.kind.declared.api_fields.values() for each in alternatives}
    for path in ("spec.nodeCount", "platform.defaultPool.nodeCount", "default.nodes"):
        value = source.value(path) if path in counted else None
        if value is not None:
            return int(value)
    return None


def _region(source: manifests.Source, applied: inventory.Applied | None) -> str:
    return str(source.platform.get("region") or source.cluster.get("region") or (applied.region if applied else ""))


def _check_region(source: manifests.Source) -> None:
    own, its = str(source.platform.get("region") or ""), source.cluster.get("region", "")
    if own and its and own.lower() != its.lower():
        path = f"spec.platform.{source.kind.provider}.region"
        text = f"must be the region of the cluster, {its}, or unset, not {own}"
        raise errors.InvalidError([errors.Violation("the spec", 0, 0, path, text, "node_pool.region_of_cluster")])


def _defaults(
    source: manifests.Source, settings: engine_settings.Settings, applied: inventory.Applied | None
) -> Mapping[str, str]:
    """Returns values for what the spec leaves open. What was chosen once stays."""
    chosen: dict[str, str] = {}
    before = {} if applied is None else json.loads(stored_json(applied.manifest)).get("spec") or {}
    for path, alternatives in source.kind.declared.api_fields.items():
        name = alternatives[-1].removeprefix("default.")
        is_open = len(alternatives) > 1 and all(source.value(each) in (None, "") for each in alternatives)
        if not is_open or name not in _CHOICES:
            continue
        chosen[name] = api_fields.plain(before.get(path)) or _CHOICES[name](_cloud(source, settings), source)
    return chosen


def _cloud(source: manifests.Source, settings: engine_settings.Settings) -> clouds.Cloud:
    manifest: Any = source.kind.message()
    if source.credential:
        manifest.metadata.annotations[references.CREDENTIAL_ANNOTATION] = source.credential
    region = str(source.platform.get("region") or "").lower()
    config = credentials.choose(
        manifest, override=None, region=region, environ=settings.environ, usual=settings.context.credentials
    )
    return clouds.of(config, region)


def _version(cloud: clouds.Cloud, _source: manifests.Source) -> str:
    offered = cloud.versions()
    usual = next((row for row in offered if row.get("default")), offered[0] if offered else {"version": ""})
    return str(usual["version"])


def _network(cloud: clouds.Cloud, source: manifests.Source) -> str:
    region = str(source.platform.get("region") or "").lower()
    listed = [each for each in cloud.listed("network") if each.is_default and each.region in ("", region)]
    if listed:
        return listed[0].id
    text = f"{cloud.where} has no default network in region {region or 'of the account'}; name a network in the spec"
    raise errors.InvalidError([errors.Violation("the spec", 0, 0, "spec.platform", text, "cloud.default_network")])


_CHOICES = {"version": _version, "network": _network}
