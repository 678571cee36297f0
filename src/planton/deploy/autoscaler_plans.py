"""The autoscalers in a plan: what an apply or a destroy will install, change or remove in clusters, and what must change first."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.clouds import kubeconfigs, kubernetes
from planton.deploy import autoscalers
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from planton.deploy import runtime, steps
    from planton.state import inventory


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """How a plan looks at the autoscalers.

    Attributes:
        is_allowed: Whether the clouds may be read.
        connect: Returns the Kubernetes API for an entry of a kubeconfig.
    """

    is_allowed: bool = True
    connect: Callable[[kubeconfigs.Entry], kubernetes.Api] = kubernetes.Api


def changes(
    kept: Sequence[steps.Step], deleted: Sequence[steps.Step], run: runtime.Runtime, reading: Reading
) -> tuple[autoscalers.Change, ...]:
    """Returns how the autoscalers of the touched clusters change.

    Args:
        kept: The steps that create or update.
        deleted: The steps that delete.
        run: What every stage uses.
        reading: How to look at the autoscalers.
    """
    clusters = autoscalers.touched(step for step in (*kept, *deleted) if step.error is None)
    gone = {autoscalers.cluster_id(step) for step in deleted if autoscalers.is_cluster(step)}
    if not clusters.keys() - gone:
        return ()
    applied = run.inventory.all()
    listed = [
        _of_cluster(_Cluster(id_, clusters[id_][0], kept, deleted, autoscalers.applied_to(id_, applied)), run, reading)
        for id_ in sorted(clusters.keys() - gone)
    ]
    return tuple(change for change in listed if change is not None)


def release(kept: Sequence[steps.Step], run: runtime.Runtime, reading: Reading) -> None:
    """Takes pools that will not be autoscaled any longer from their autoscalers, which would undo the apply's number of nodes.

    A failure is left to the end of the apply, which sets the autoscalers again.

    Args:
        kept: The steps of the apply.
        run: What every stage uses.
        reading: How to look at the autoscalers.
    """
    ending = autoscalers.touched(step for step in kept if step.error is None and _ends(step))
    applied = run.inventory.all() if ending else []
    for id_, involved in ending.items():
        cluster = _Cluster(id_, involved[0], kept, (), autoscalers.applied_to(id_, applied))
        staying = {group.pool_id for group in cluster.after}
        remaining = [group for group in cluster.before if group.pool_id in staying]
        with contextlib.suppress(errors.PlantonError):
            installation = autoscalers.installed(id_, cluster.step, remaining, run, reading.connect)
            if installation is not None:
                installation.apply(run.settings.progress)


def _ends(step: steps.Step) -> bool:
    autoscaler = autoscalers.of(step)
    if autoscaler is None or step.applied is None:
        return False
    before, after = (
        {group.pool_id for group in autoscaler.groups(manifest)} for manifest in (step.applied.manifest, _planned(step))
    )
    return bool(before - after)


@dataclasses.dataclass(frozen=True, slots=True)
class _Cluster:
    id: str
    step: steps.Step
    kept: Sequence[steps.Step]
    deleted: Sequence[steps.Step]
    applied: Sequence[inventory.Applied]

    @property
    def before(self) -> list[Any]:
        """The autoscaled pools that it has."""
        return self._groups(each.manifest for each in self.applied)

    @property
    def after(self) -> list[Any]:
        """The autoscaled pools that it will have."""
        changed = {step.key for step in (*self.kept, *self.deleted)}
        stay = [each.manifest for each in self.applied if each.key not in changed]
        own = [step for step in self.kept if step.error is None and autoscalers.cluster_id(step) == self.id]
        return self._groups([*stay, *map(_planned, own)])

    def _groups(self, manifests: Iterable[Any]) -> list[Any]:
        autoscaler = autoscalers.of(self.step)
        assert autoscaler is not None, "only steps of such clouds have groups"
        return sorted(group for manifest in manifests for group in autoscaler.groups(manifest))


def _of_cluster(cluster: _Cluster, run: runtime.Runtime, reading: Reading) -> autoscalers.Change | None:
    if not reading.is_allowed or references.is_unknown(cluster.id):
        return _expected(cluster)
    try:
        installation = autoscalers.installed(cluster.id, cluster.step, cluster.after, run, reading.connect)
    except errors.PlantonError as error:
        expected = _expected(cluster)
        return None if expected is None else dataclasses.replace(expected, unread=error.message)
    return None if installation is None else dataclasses.replace(installation.change, groups=_texts(cluster.after))


def _expected(cluster: _Cluster) -> autoscalers.Change | None:
    """Returns the change that follows from the manifests alone."""
    before, after = cluster.before, cluster.after
    if before == after:
        return None
    action = autoscalers.Action.UPDATE if before and after else autoscalers.Action.INSTALL if after else autoscalers.Action.REMOVE
    return autoscalers.Change(references.show_unknown(_name(cluster)), action, _texts(after))


def _name(cluster: _Cluster) -> str:
    own = [step.key.name for step in cluster.kept if autoscalers.is_cluster(step) and autoscalers.cluster_id(step) == cluster.id]
    own += [each.key.name for each in cluster.applied if each.identity == cluster.id]
    return own[0] if own else cluster.id


def _texts(groups: Iterable[Any]) -> tuple[str, ...]:
    return tuple(references.show_unknown(str(group)) for group in groups)


def _planned(step: steps.Step) -> Any:  # of any kind
    """Returns the manifest of a step as it will be applied. Its outputs are those of the last apply, or unknown."""
    manifest: Any = type(step.stack_input.target)()
    manifest.CopyFrom(step.stack_input.target)
    if step.provided is not None:
        provided: Any = step.provided
        manifest.status.CopyFrom(provided.status)
    return manifest
