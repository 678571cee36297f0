"""Autoscalers that run in clusters: installed, changed and removed after an apply or a destroy, so that they fit the pools.

Clouds that scale pools by themselves need none. The autoscaler of a cluster is one Deployment with the bounds of all its pools, which
several stacks may own. So it is computed from the applied resources, once for each cluster that a run has touched.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
from typing import TYPE_CHECKING, Any, Final, Protocol

from planton import clouds, errors
from planton.clouds import kubeconfigs, kubernetes
from planton.schema import kinds, providers, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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

    def upgraded(self, cluster: Mapping[str, Any], manifest: Any) -> Mapping[str, Any]:
        """Returns a cluster, as the cloud's API describes it, after a manifest of it or of one of its pools is applied."""
        ...

    def names(self) -> list[dict[str, Any]]:
        """Returns the objects by ``apiVersion``, ``kind`` and ``metadata``, in the order of their deletion."""
        ...


class Action(enum.StrEnum):
    """What happens to the autoscaler of a cluster."""

    INSTALL = "install"
    UPDATE = "update"
    REMOVE = "remove"
    KEEP = "keep"
    """It was installed by someone else, who sets its bounds."""


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A change of the autoscaler of a cluster.

    Attributes:
        cluster: The name of the cluster.
        action: What happens to the autoscaler.
        groups: The autoscaled pools with their bounds, as text.
        changed: The fields of the Deployment that change; empty unless it is updated.
        unread: Why the plan could not look at the autoscaler; empty if it could.
    """

    cluster: str
    action: Action
    groups: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unread: str = ""

    @property
    def is_change(self) -> bool:
        """Whether something changes."""
        return self.action is not Action.KEEP

    def as_dict(self) -> dict[str, Any]:
        """Returns the change as JSON data."""
        return {
            "cluster": self.cluster,
            "action": str(self.action),
            "pools": list(self.groups),
            "changed": list(self.changed),
            "unread": self.unread,
        }

    def __str__(self) -> str:
        """Returns the change as text."""
        return f"{self.action} {self.subject}"

    @property
    def subject(self) -> str:
        """What changes, as text."""
        if self.action is Action.KEEP:
            return f"the cluster autoscaler of {self.cluster}: it was installed by someone else; set its bounds yourself"
        pools = f": {', '.join(self.groups)}" if self.groups else ": no pool is autoscaled any longer"
        changed = f" ({', '.join(self.changed)})" if self.changed else ""
        unread = f"; the cluster could not be read: {self.unread}" if self.unread else ""
        return f"the cluster autoscaler of {self.cluster}{changed}{pools}{unread}"


@dataclasses.dataclass(frozen=True, slots=True)
class Installed:
    """The autoscaler of a cluster as it is and as it should be.

    Attributes:
        autoscaler: The module of the cloud.
        api: The Kubernetes API of the cluster.
        change: What must change.
        objects: The desired objects.
    """

    autoscaler: Autoscaler
    api: kubernetes.Api
    change: Change
    objects: list[dict[str, Any]]

    def apply(self, progress: Callable[[str], None]) -> None:
        """Makes the change.

        Args:
            progress: Receives a line about it.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the Kubernetes API does not answer, or refuses.
        """
        progress(f"  {_DOING[self.change.action]} {self.change.subject}")
        if self.change.action is Action.REMOVE:
            for item in self.autoscaler.names():
                self.api.delete(item)
        elif self.change.action is not Action.KEEP:
            for item in self.objects:
                self.api.apply(item)


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
    deleted = {cluster_id(step) for step in done if are_deleted and step.error is None and is_cluster(step)}
    failed: dict[references.Key, errors.PlantonError] = {}
    # One read of all states serves all clusters. A failure to read is an error of the steps.
    read = functools.cache(run.inventory.all)
    for id_, involved in touched(step for step in done if step.error is None).items():
        try:
            if id_ not in deleted:
                _fit(id_, involved[0], run, read, connect)
        except errors.PlantonError as error:
            error.message = f"the autoscaler of cluster {id_} could not be set: {error.message}"
            failed |= {step.key: error for step in involved}
    return [dataclasses.replace(step, error=failed[step.key]) if step.key in failed else step for step in done]


def touched(listed: Iterable[steps.Step]) -> dict[str, list[steps.Step]]:
    """Returns the clusters with autoscaled pools, now or before, that steps touch: id of the cluster → its steps."""
    clusters: dict[str, list[steps.Step]] = {}
    for step in listed:
        id_ = cluster_id(step)
        if id_ and _has_groups(step):
            clusters.setdefault(id_, []).append(step)
    return clusters


def _fit(
    id_: str,
    step: steps.Step,
    run: runtime.Runtime,
    read: Callable[[], list[inventory.Applied]],
    connect: Callable[[kubeconfigs.Entry], kubernetes.Api],
) -> None:
    autoscaler = of(step)
    assert autoscaler is not None  # only steps of such clouds have groups
    groups = sorted(group for each in applied_to(id_, read()) for group in autoscaler.groups(each.manifest))
    installation = installed(id_, step, groups, run, connect)
    if installation is not None:
        installation.apply(run.settings.progress)


_DOING: Final = {
    Action.INSTALL: "installing",
    Action.UPDATE: "updating",
    Action.REMOVE: "removing",
    Action.KEEP: "! keeping",
}


def applied_to(id_: str, applied: Iterable[inventory.Applied]) -> list[inventory.Applied]:
    """Returns the applied resources that a cluster consists of."""
    return [each for each in applied if each.complete and id_ in (each.cluster, each.identity)]


def installed(
    id_: str,
    step: steps.Step,
    groups: Sequence[Any],
    run: runtime.Runtime,
    connect: Callable[[kubeconfigs.Entry], kubernetes.Api],
) -> Installed | None:
    """Returns what must change in a cluster, so that its autoscaler fits; None if nothing must.

    Args:
        id_: The cluster's id in the cloud.
        step: A step of the cluster or of one of its pools.
        groups: The autoscaled pools that the cluster has, or will have, sorted.
        run: What every stage uses.
        connect: Returns the Kubernetes API for an entry of a kubeconfig.

    Raises:
        PlantonError: The cloud or the Kubernetes API cannot be read.
    """
    autoscaler = of(step)
    cloud = run.open_cloud(step.stack_input.provider_config, references.own_region(step.stack_input.target))
    cluster = cloud.cluster(id_)
    credential = None if cluster is None else cloud.credential(id_)
    if autoscaler is None or cluster is None or credential is None or autoscaler.is_foreign(cluster):
        return None
    api = connect(kubeconfigs.parse(credential.kubeconfig))
    objects = autoscaler.objects(cloud, autoscaler.upgraded(cluster, step.stack_input.target), groups)
    present = api.get(kubernetes.path_of(objects[-1]))
    action, changed = _action(objects[-1], present, is_needed=bool(groups))
    if action is None:
        return None
    change = Change(str(cluster.get("name") or id_), action, tuple(map(str, groups)), changed)
    return Installed(autoscaler, api, change, objects)


def _action(deployment: Any, present: Any, *, is_needed: bool) -> tuple[Action | None, tuple[str, ...]]:
    if present is None:
        return (Action.INSTALL if is_needed else None), ()
    if (present["metadata"].get("labels") or {}).get(_MANAGER[0]) != _MANAGER[1]:
        return Action.KEEP, ()
    if not is_needed:
        return Action.REMOVE, ()
    changed = tuple(sorted(set(_different(deployment, present))))
    return (Action.UPDATE if changed else None), changed


def _different(desired: Any, present: Any, name: str = "") -> Iterator[str]:
    """Yields the fields of JSON data that differ from the desired ones; Kubernetes adds others."""
    if isinstance(desired, dict) and isinstance(present, dict):
        for key, value in desired.items():
            yield from _different(value, present.get(key), key)
    elif isinstance(desired, list) and isinstance(present, list) and len(desired) == len(present):
        for left, right in zip(desired, present, strict=True):
            yield from _different(left, right, name)
    elif desired != present:
        yield name


def _has_groups(step: steps.Step) -> bool:
    autoscaler = of(step)
    target = None if step.stack_input is None else step.stack_input.target
    manifests = (step.provided, None if step.applied is None else step.applied.manifest, target)
    return autoscaler is not None and any(autoscaler.groups(manifest) for manifest in manifests if manifest is not None)


def of(step: steps.Step) -> Autoscaler | None:
    """Returns the module of the autoscaler that planton runs in the cluster of a step; None if there is none."""
    if step.stack_input is None or not _role(step):
        return None
    module = providers.get(clouds.provider_of(step.stack_input.provider_config)).autoscaler
    loaded: Autoscaler | None = importlib.import_module(module) if module else None
    return loaded


def _role(step: steps.Step) -> bool:
    kind = kinds.get(step.key.kind)
    return kind.is_cluster or kind.is_node_pool


def is_cluster(step: steps.Step) -> bool:
    """Returns whether a step is about a cluster."""
    return kinds.get(step.key.kind).is_cluster


def cluster_id(step: steps.Step) -> str:
    """Returns the id in the cloud of the cluster that a step is about; empty if it is about none."""
    manifest: Any = step.provided or (None if step.applied is None else step.applied.manifest)
    if manifest is None or not _role(step):
        return ""
    kind = kinds.get(step.key.kind)
    if kind.is_cluster:
        return kind.id(manifest)
    # Before the apply, a reference has a value in the stack input only.
    target: Any = manifest if step.stack_input is None else step.stack_input.target
    return kind.cluster_id(manifest) or kind.cluster_id(target)
