"""Losses: what a replacement or deletion of a cluster or a node pool costs, and the option that consents to it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton.deploy import approve, subjects
from planton.engine import plans
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton.deploy import steps
    from planton.schema import references


@dataclasses.dataclass(frozen=True, slots=True)
class Loss:
    """What a change of a cluster or a node pool costs.

    Attributes:
        resource: The resource in the stack, e.g. ``cluster``.
        nodes: The number of nodes that are lost, as last applied; the initial number of autoscaled pools.
        is_drained: Whether the cloud drains the nodes before it deletes them.
        is_new: Whether the resource gets a new id.
        referrers: The resources that refer to it.
        consent: The option that consents to it, e.g. ``--allow-replace CivoKubernetesCluster/dev``.
    """

    resource: str
    nodes: int
    is_drained: bool
    is_new: bool
    referrers: tuple[references.Key, ...]
    consent: str

    def as_dict(self) -> dict[str, Any]:
        """Returns the loss as JSON data."""
        return {
            "resource": self.resource,
            "nodesLost": self.nodes,
            "drained": self.is_drained,
            "newId": self.is_new,
            "referrers": [str(key) for key in self.referrers],
            "consent": self.consent,
        }


def of_steps(planned: Sequence[steps.Step], users: Mapping[references.Key, Sequence[references.Key]]) -> list[steps.Step]:
    """Returns steps with the losses of their plans.

    Args:
        planned: The steps of an apply or an import.
        users: Resource that is replaced or deleted → the resources that refer to it.
    """
    return [
        dataclasses.replace(
            step,
            losses=tuple(
                _loss(step, change, users.get(step.key, ()), approve.option(step, planned)) for change in step.plan.losses()
            ),
        )
        for step in planned
    ]


def _loss(step: steps.Step, change: plans.Change, users: Sequence[references.Key], option: str) -> Loss:
    is_cluster = kinds.has_role(change.type, kinds.Role.CLUSTER)
    kind = kinds.get(step.key.kind)
    pools = {} if step.applied is None else subjects.pools(step.applied.manifest)
    # The cluster takes its pools with it.
    counts = [pool.count for name, pool in pools.items() if is_cluster or name == change.name]
    return Loss(
        change.name,
        0 if step.plan.is_recreation(change) else sum(counts),
        not is_cluster and kind.cloud.drains_deleted_pools,
        change.action is not plans.Action.DELETE,
        # Others refer to the main resource, and never to an additional pool.
        tuple(users) if change.name == step.main else (),
        option,
    )
