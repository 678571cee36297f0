"""What stays behind when a cluster is deleted: listed before the consent, and deleted with the cluster where the user says so."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from planton import errors, kinds
from planton.engine import clouds, plans
from planton.engine.clouds import associated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from planton import references, runs
    from planton.runs.steps import Step

_CLUSTER = "KubernetesCluster"


@dataclasses.dataclass(frozen=True, slots=True)
class Leftovers:
    """What a cluster that is deleted would leave behind.

    Attributes:
        key: The cluster.
        cluster_id: The cloud's id of the cluster.
        cloud: Where it is.
        items: What its workloads have beside it.
        deleted: Those of the items that are deleted with the cluster.
        error: Why the items are not known; None where they are.
    """

    key: references.Key
    cluster_id: str
    cloud: clouds.Cloud
    items: tuple[associated.Item, ...] = ()
    deleted: tuple[associated.Item, ...] = ()
    error: errors.PlantonError | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns it as JSON data."""
        return {
            "kind": self.key.kind,
            "name": self.key.name,
            "env": self.key.env,
            "clusterId": self.cluster_id,
            "items": [
                {"type": item.sort, "name": item.name, "id": item.id, "deleted": item in self.deleted} for item in self.items
            ],
            "error": None if self.error is None else self.error.as_dict(),
        }

    def warnings(self) -> list[str]:
        """Returns what the user must know before consenting to the deletion of the cluster."""
        provider = kinds.get(self.key.kind).provider
        name = kinds.PROVIDERS[provider][0]
        texts = ["the node pools and workloads of the cluster go with it"]
        if self.error is not None:
            sorts = "volumes, volume snapshots and load balancers"
            texts.append(f"{name} keeps and bills {sorts} of the cluster, and they cannot be listed: {self.error.message}")
            return texts
        if self.deleted:
            texts.append(f"deleted with the cluster: {', '.join(map(str, self.deleted))}")
        kept = [item for item in self.items if item not in self.deleted]
        for verb, items in _by_verb(kept, provider).items():
            options = " ".join(dict.fromkeys(OPTIONS[item.sort] for item in items))
            texts.append(
                f"{name} {verb}: {', '.join(map(str, items))}; "
                f"to delete them with the cluster: planton destroy {self.key.kind}/{self.key.name} {options}"
            )
        if not self.items:
            texts.append("the cluster has no volumes, volume snapshots or load balancers that would stay behind")
        return texts


def _by_verb(items: Iterable[associated.Item], provider: str) -> dict[str, list[associated.Item]]:
    # Civo says of volumes that they stay and are billed, and nothing of the load balancers of a cluster that is gone.
    found: dict[str, list[associated.Item]] = {}
    for item in items:
        is_sure = provider != "civo" or item.sort != associated.LOAD_BALANCER
        found.setdefault("keeps and bills" if is_sure else "may keep and bill", []).append(item)
    return found


#: Sort of what stays behind → the option of ``planton destroy`` that deletes it too.
OPTIONS = {
    associated.VOLUME: "--with-volumes",
    associated.SNAPSHOT: "--with-snapshots",
    associated.LOAD_BALANCER: "--with-load-balancers",
}


def loses_cluster(plan: plans.Plan) -> bool:
    """Returns whether a plan deletes or replaces a cluster."""
    gone = (plans.Action.DELETE, plans.Action.REPLACE)
    return any(change.noun == _CLUSTER and change.action in gone for change in plan.changes)


def find(key: references.Key, cluster_id: str, cloud: clouds.Cloud, *, sorts: Collection[str] = ()) -> Leftovers | None:
    """Returns what a cluster that is deleted leaves behind; None where it has no id yet.

    Args:
        key: The cluster.
        cluster_id: The cloud's id of it; may be empty.
        cloud: Where it is.
        sorts: What is to be deleted with the cluster: ``volume`` and so on.

    Raises:
        PlantonError: Something is to be deleted, and it cannot be listed.
    """
    if not cluster_id:
        return None
    try:
        items = tuple(associated.listed(cloud, cluster_id))
    except errors.PlantonError as error:
        if sorts:
            raise
        return Leftovers(key, cluster_id, cloud, error=error)
    return Leftovers(key, cluster_id, cloud, items, tuple(item for item in items if item.sort in sorts))


def of_plan(run: runs.Run, steps: Sequence[Step]) -> list[Step]:
    """Returns the steps of a plan with the warnings about what its clusters leave behind."""
    return warned(steps, run.left_behind(steps))


def warned(steps: Iterable[Step], found: Mapping[references.Key, Leftovers]) -> list[Step]:
    """Returns steps with the warnings about what stays behind."""
    return [
        dataclasses.replace(
            step, plan=dataclasses.replace(step.plan, warnings=(*step.plan.warnings, *found[step.key].warnings()))
        )
        if step.key in found
        else step
        for step in steps
    ]


@contextlib.contextmanager
def deleting(found: Leftovers | None) -> Iterator[None]:
    """Deletes with a cluster what is to go with it; the block deletes the cluster.

    Raises:
        PlantonError: The cloud refuses, or could not be asked.
    """
    if found is None or not found.deleted:
        yield
        return
    with associated.deleting(found.cloud, found.cluster_id, found.deleted):
        yield
