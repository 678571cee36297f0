"""Leftovers of a deleted cluster: listed before consent, and deleted with the cluster if the user asks for it."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.clouds import associated
from planton.deploy import resolve
from planton.engine import plans
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from planton.deploy import graph, runtime, steps
    from planton.schema import providers


@dataclasses.dataclass(frozen=True, slots=True)
class Leftovers:
    """The cloud resources that a deleted cluster would leave behind.

    Attributes:
        key: The cluster.
        cluster_id: The cloud's id of the cluster.
        cloud: The cloud of the cluster.
        items: The cloud resources of its workloads.
        deleted: Those of the items that are deleted with the cluster.
        error: Why the items are unknown; None if they are known.
    """

    key: references.Key
    cluster_id: str
    cloud: clouds.Cloud
    items: tuple[associated.Item, ...] = ()
    deleted: tuple[associated.Item, ...] = ()
    error: errors.PlantonError | None = None

    @property
    def kept(self) -> tuple[associated.Item, ...]:
        """The items that stay behind."""
        return tuple(item for item in self.items if item not in self.deleted)

    def as_dict(self) -> dict[str, Any]:
        """Returns the leftovers as JSON data."""
        return {
            "kind": self.key.kind,
            "name": self.key.name,
            "env": self.key.env,
            "clusterId": self.cluster_id,
            "items": [
                {
                    "type": item.sort,
                    "name": item.name,
                    "id": item.id,
                    "monthlyPrice": item.monthly,
                    "deleted": item in self.deleted,
                }
                for item in self.items
            ],
            "error": None if self.error is None else self.error.as_dict(),
        }

    def warnings(self) -> list[str]:
        """Returns the warnings for the user before consent to the deletion of the cluster."""
        provider = kinds.get(self.key.kind).cloud
        name = provider.spoken
        texts = [
            "the node pools and workloads of the cluster are deleted with it",
            "its public addresses are released, except for reserved ones",
        ]
        if self.error is not None:
            texts.append(
                f"{name} keeps and bills {_sorts(provider, 'and')} of the cluster, and they cannot be listed: {self.error.message}"
            )
            return texts
        if self.deleted:
            texts.append(f"deleted with the cluster: {', '.join(map(str, self.deleted))}")
        for verb, items in _by_verb(self.kept, provider).items():
            options = " ".join(dict.fromkeys(OPTIONS[item.sort] for item in items))
            texts.append(
                f"{name} {verb}: {', '.join(map(_priced, items))}; "
                f"to delete them with the cluster: planton destroy {self.key.kind}/{self.key.name} {options}"
            )
        unknown = sorted({str(item.sort) for item in self.items if item.monthly is None})
        if unknown:
            texts.append(f"neither {name}'s API nor planton's price table has the price of: {', '.join(unknown)}")
        if provider.unlisted_leftovers:
            sorts = ", ".join(provider.unlisted_leftovers)
            texts.append(f"{name} may keep and bill what its workloads have, which no list assigns to the cluster: {sorts}")
        elif not self.items:
            texts.append(f"the cluster has no {_sorts(provider, 'or')} that would stay behind")
        return texts


def _sorts(provider: providers.Provider, word: str) -> str:
    *first, last = [f"{sort}{'es' if sort.endswith('s') else 's'}" for sort in provider.leftovers]
    return f"{', '.join(first)} {word} {last}"


def _priced(item: associated.Item) -> str:
    return str(item) if item.monthly is None else f"{item} at ${item.monthly:,.2f}/month"


def _by_verb(items: Iterable[associated.Item], provider: providers.Provider) -> dict[str, list[associated.Item]]:
    by_verb: dict[str, list[associated.Item]] = {}
    for item in items:
        is_sure = item.sort not in provider.uncertain_leftovers
        by_verb.setdefault("keeps and bills" if is_sure else "may keep and bill", []).append(item)
    return by_verb


#: Sort of leftover → the option of ``planton destroy`` that deletes it too.
OPTIONS = {
    associated.VOLUME: "--with-volumes",
    associated.SNAPSHOT: "--with-snapshots",
    associated.LOAD_BALANCER: "--with-load-balancers",
    associated.ADDRESS: "--with-reserved-addresses",
}


def loses_cluster(plan: plans.Plan) -> bool:
    """Returns whether a plan deletes or replaces a cluster."""
    losing = (plans.Action.DELETE, plans.Action.REPLACE)
    return any(kinds.has_role(change.type, kinds.Role.CLUSTER) and change.action in losing for change in plan.changes)


def find(key: references.Key, cluster_id: str, cloud: clouds.Cloud, *, sorts: Collection[str] = ()) -> Leftovers | None:
    """Returns the leftovers of a deleted cluster; None if it has no id yet.

    Args:
        key: The cluster.
        cluster_id: The cloud's id of it; may be empty.
        cloud: Where it is.
        sorts: The sorts to delete with the cluster: ``volume`` and so on.

    Raises:
        PlantonError: Leftovers are to be deleted, and cannot be listed.
    """
    if not cluster_id:
        return None
    try:
        items = tuple(cloud.leftovers(cluster_id))
    except errors.PlantonError as error:
        if sorts:
            raise
        return Leftovers(key, cluster_id, cloud, error=error)
    return Leftovers(key, cluster_id, cloud, items, tuple(item for item in items if item.sort in sorts))


def of_steps(
    planned: Iterable[steps.Step], run: runtime.Runtime, resources: graph.Graph, *, sorts: Collection[str] = ()
) -> dict[references.Key, Leftovers]:
    """Returns the leftovers of the clusters that steps delete or replace.

    Args:
        planned: The steps.
        run: What every stage uses.
        resources: The resources of the steps.
        sorts: The sorts to delete with the clusters.

    Raises:
        PlantonError: Leftovers are to be deleted with a cluster, and cannot be listed.
    """
    losing = [step for step in planned if step.error is None and loses_cluster(step.plan)]
    remaining = (_of_step(step, run, resources, sorts) for step in losing)
    return {each.key: each for each in remaining if each is not None}


def _of_step(step: steps.Step, run: runtime.Runtime, resources: graph.Graph, sorts: Collection[str]) -> Leftovers | None:
    if step.applied is None:
        return None
    resource = resolve.as_applied(resources.resources[step.key], step.applied)
    look_up = resolve.lookup(resources, run.inventory, provided={})
    resolved = resolve.resolve(resource, look_up, run.settings, is_applied=True).stack_input
    cloud = run.open_cloud(resolved.provider_config, references.own_region(resolved.target))
    return find(step.key, step.applied.cluster, cloud, sorts=sorts)


def warned(planned: Iterable[steps.Step], leftovers: Mapping[references.Key, Leftovers]) -> list[steps.Step]:
    """Returns steps with the warnings about leftovers."""
    return [
        dataclasses.replace(
            step, plan=dataclasses.replace(step.plan, warnings=(*step.plan.warnings, *leftovers[step.key].warnings()))
        )
        if step.key in leftovers
        else step
        for step in planned
    ]


@contextlib.contextmanager
def deleting(leftovers: Leftovers | None) -> Iterator[None]:
    """Deletes the chosen leftovers with a cluster. The block of the context manager deletes the cluster.

    Raises:
        PlantonError: The cloud refuses, or could not be asked.
    """
    if leftovers is None or not leftovers.deleted:
        yield
        return
    with leftovers.cloud.deleting_leftovers(leftovers.cluster_id, leftovers.deleted):
        yield
