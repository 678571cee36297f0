"""Everything about one applied resource: condition, references, nodes, history, upgrades and cost. Nothing is changed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.clouds import answers
from planton.deploy import access, costs, health, nodes, overview, referrers
from planton.modules import upgrades
from planton.recovery import observed
from planton.state import history

if TYPE_CHECKING:
    from planton.deploy import runtime
    from planton.schema import references
    from planton.state import inventory

_OPERATIONS = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Everything about one applied resource.

    Attributes:
        overview: Its condition.
        uses: The applied resources that it refers to.
        users: The applied resources that refer to it.
        nodes: The nodes of a cluster or a pool.
        nodes_problem: Why the nodes could not be read; None if they could, or if the resource has none.
        operations: Its newest operations, newest first.
        upgrades: The versions to which a cluster can be upgraded now, newest first.
        cost: Its monthly list price; None if it has none, or if the cloud could not be read.
    """

    overview: overview.Overview
    uses: tuple[references.Key, ...] = ()
    users: tuple[references.Key, ...] = ()
    nodes: tuple[nodes.Node, ...] = ()
    nodes_problem: errors.PlantonError | None = None
    operations: tuple[history.Entry, ...] = ()
    upgrades: tuple[str, ...] = ()
    cost: costs.Cost | None = None


def read(resource: inventory.Applied, run: runtime.Runtime) -> Description:
    """Returns everything about an applied resource.

    Args:
        resource: The resource.
        run: What every stage uses.

    Raises:
        PlantonError: ``STACK_NOT_FOUND``; the backend failed.
    """
    cache = observed.Lists(answers.Answers())
    stack = run.inventory.open(resource.stack)
    seen = overview.of(resource, stack.export(), run, cache)
    everything = run.inventory.all()
    uses, users = referrers.relations(resource, everything)
    description = Description(
        overview=seen, uses=tuple(uses), users=tuple(users), operations=tuple(history.read(stack, _OPERATIONS))
    )
    if seen.problem is not None:
        return description
    cost = costs.of_applied(resource.manifest, access.cloud_of(resource, run), cache.answers)
    return _with_nodes(dataclasses.replace(description, cost=cost, upgrades=_upgrades(seen, run, cache)), everything, run, cache)


def _upgrades(seen: overview.Overview, run: runtime.Runtime, cache: observed.Lists) -> tuple[str, ...]:
    offered = health.offered_versions(seen, run, cache) if seen.kind.is_cluster else None
    running = upgrades.spelling(seen.summary.version)
    return tuple(upgrades.targets(running, offered or (), patch_first=seen.kind.cloud.requires_newest_patch)) if running else ()


def _with_nodes(
    description: Description, everything: list[inventory.Applied], run: runtime.Runtime, cache: observed.Lists
) -> Description:
    resource, kind = description.overview.applied, description.overview.kind
    if not (kind.is_cluster or kind.is_node_pool):
        return description
    clusters = [each for each in everything if each.identity and each.identity == resource.cluster]
    if not clusters:
        return description
    try:
        listed = nodes.read(clusters[0], nodes.connect(clusters[0], run), run, cache)
    except errors.PlantonError as error:
        return dataclasses.replace(description, nodes_problem=error)
    own = [node for node in listed if kind.is_cluster or resource.identity in (node.pool, node.pool_id)]
    return dataclasses.replace(description, nodes=tuple(own))
