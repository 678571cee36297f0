"""Autoscalers that run in clusters: installed, changed and removed after an apply or a destroy, so that they fit the pools.

Clouds that scale pools by themselves need none. The autoscaler of a cluster is one Deployment with the bounds of all its pools, which
several stacks may own. So it is computed from the applied resources, once for each cluster that a run has touched.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
from typing import TYPE_CHECKING, Any, Protocol

from planton import clouds, errors
from planton.clouds import kubeconfigs, kubernetes
from planton.schema import kinds, providers, references

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planton.deploy import runtime, steps
    from planton.state import inventory

#: The label of what planton applies.
_MANAGER = ("app.kubernetes.io/managed-by", "planton")


class Autoscaler(Protocol):
    """The module that a cloud declares as ``autoscaler``."""

    def groups(self, manifest: Any) -> Sequence[Any]:
        """Returns the autoscaled pools of an applied manifest, sorted."""
        ...

    def objects(self, cloud: Any, cluster: Mapping[str, Any], groups: Sequence[Any]) -> list[dict[str, Any]]:
        """Returns the Kubernetes objects, the Deployment last."""
        ...

    def is_foreign(self, cluster: Mapping[str, Any]) -> bool:
        """Returns whether the cloud has installed an autoscaler in a cluster at the user's request."""
        ...

    def names(self) -> list[dict[str, Any]]:
        """Returns the objects by ``apiVersion``, ``kind`` and ``metadata``, in the order of their deletion."""
        ...


def fit(
    done: list[steps.Step],
    run: runtime.Runtime,
    *,
    are_deleted: bool = False,
    connect: Callable[[kubeconfigs.Entry], kubernetes.Api] = kubernetes.Api,
) -> list[steps.Step]:
    """Makes the autoscalers of the touched clusters fit their pools. Returns the steps, with an error where that failed.

    Args:
        done: The steps of an apply or a destroy.
        run: What every stage uses.
        are_deleted: Whether the steps deleted their resources.
        connect: Returns the Kubernetes API for an entry of a kubeconfig.
    """
    deleted = {_cluster_id(step) for step in done if are_deleted and step.error is None and _is_cluster(step)}
    touched: dict[str, list[steps.Step]] = {}
    for step in done:
        cluster_id = _cluster_id(step)
        if step.error is None and cluster_id and cluster_id not in deleted and _has_groups(step):
            touched.setdefault(cluster_id, []).append(step)
    failed: dict[references.Key, errors.PlantonError] = {}
    # One read of all states serves all clusters. A failure to read is an error of the steps.
    read = functools.cache(run.inventory.all)
    for cluster_id, involved in touched.items():
        try:
            _fit(cluster_id, involved[0], run, read, connect)
        except errors.PlantonError as error:
            error.message = f"the autoscaler of cluster {cluster_id} could not be set: {error.message}"
            failed |= {step.key: error for step in involved}
    return [dataclasses.replace(step, error=failed[step.key]) if step.key in failed else step for step in done]


def _fit(
    cluster_id: str,
    step: steps.Step,
    run: runtime.Runtime,
    read: Callable[[], list[inventory.Applied]],
    connect: Callable[[kubeconfigs.Entry], kubernetes.Api],
) -> None:
    autoscaler = _of(step)
    assert autoscaler is not None  # only steps of such clouds have groups
    cloud = run.open_cloud(step.stack_input.provider_config, references.own_region(step.stack_input.target))
    cluster = cloud.cluster(cluster_id)
    credential = None if cluster is None else cloud.credential(cluster_id)
    if cluster is None or credential is None or autoscaler.is_foreign(cluster):
        return
    applied = [each for each in read() if each.complete and cluster_id in (each.cluster, each.identity)]
    groups = sorted(group for each in applied for group in autoscaler.groups(each.manifest))
    api = connect(kubeconfigs.parse(credential.kubeconfig))
    name = f"the cluster autoscaler of {cluster.get('name') or cluster_id}"
    objects = autoscaler.objects(cloud, cluster, groups)
    deployment = objects[-1]
    present = api.get(kubernetes.path_of(deployment))
    if present is not None and (present["metadata"].get("labels") or {}).get(_MANAGER[0]) != _MANAGER[1]:
        run.settings.progress(f"  ! {name} was installed by someone else: set its bounds yourself")
    elif not groups and present is not None:
        run.settings.progress(f"  removing {name}: no pool is autoscaled any longer")
        for item in autoscaler.names():
            api.delete(item)
    elif groups and (present is None or not _is_part(deployment, present)):
        run.settings.progress(f"  {'installing' if present is None else 'updating'} {name}: {', '.join(map(str, groups))}")
        for item in objects:
            api.apply(item)


def _is_part(desired: Any, present: Any) -> bool:
    """Returns whether JSON data contains all that is desired; Kubernetes adds defaults."""
    if isinstance(desired, dict):
        return isinstance(present, dict) and all(_is_part(value, present.get(key)) for key, value in desired.items())
    if isinstance(desired, list):
        return (
            isinstance(present, list)
            and len(desired) == len(present)
            and all(_is_part(left, right) for left, right in zip(desired, present, strict=True))
        )
    return bool(desired == present)


def _has_groups(step: steps.Step) -> bool:
    autoscaler = _of(step)
    manifests = (step.provided, None if step.applied is None else step.applied.manifest)
    return autoscaler is not None and any(autoscaler.groups(manifest) for manifest in manifests if manifest is not None)


def _of(step: steps.Step) -> Autoscaler | None:
    if step.stack_input is None or not _role(step):
        return None
    module = providers.get(clouds.provider_of(step.stack_input.provider_config)).autoscaler
    loaded: Autoscaler | None = importlib.import_module(module) if module else None
    return loaded


def _role(step: steps.Step) -> bool:
    kind = kinds.get(step.key.kind)
    return kind.is_cluster or kind.is_node_pool


def _is_cluster(step: steps.Step) -> bool:
    return kinds.get(step.key.kind).is_cluster


def _cluster_id(step: steps.Step) -> str:
    manifest: Any = step.provided or (None if step.applied is None else step.applied.manifest)
    if manifest is None or not _role(step):
        return ""
    kind = kinds.get(step.key.kind)
    return kind.id(manifest) if kind.is_cluster else kind.cluster_id(manifest)
