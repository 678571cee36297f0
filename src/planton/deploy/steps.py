"""A step: what happens, or has happened, to one resource of a plan."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import plans, stacks
from planton.recovery import recording
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf import message

    from planton.deploy import accounts, costs, losses
    from planton.manifest import load
    from planton.state import inventory

_CREATIONS = (plans.Action.CREATE, plans.Action.REPLACE, plans.Action.IMPORT)
_LOSSES = (plans.Action.DELETE, plans.Action.REPLACE)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """What happens, or has happened, to one resource.

    Attributes:
        key: The resource.
        stack: The name of its stack.
        plan: The changes.
        up_to_date: Whether nothing changes, in the cloud or in the stack.
        is_checked: Whether the cloud was read, so that the step is not only as of the last apply.
        is_read_by_engine: Whether the engine read the cloud for the step, because the cloud's lists did not suffice.
        owner: The folder that the stack was applied from, if it is not the manifest's; otherwise empty.
        outputs: The outputs after an apply; None otherwise.
        error: Why it failed or was not tried; None on success.
        skipped: Whether it was not tried, because a dependency failed or the user ended the run.
        account: The account of the resource; None if it could not be chosen.
        stack_input: The stack input of the plan; None if it could not be resolved.
        resumption: The interrupted operation that an apply continues, or the resources that it imports.
        provided: The manifest with outputs that dependants resolve their references with; None if there is none.
        applied: The resource as it was applied; None if it was not.
        done: The changes that have been made; of a failed step, those before the failure.
        unfinished: Name and action of the resources that a failed step has begun, and not seen to end.
        cost: What the step changes in the monthly list price; None if it changes nothing that has a price.
        losses: What its replacements and deletions of clusters and node pools cost.
        last_of: The cluster whose last pool this is, so that the cloud deletes it only with the cluster; None otherwise.
    """

    key: references.Key
    stack: str
    plan: plans.Plan = dataclasses.field(default_factory=plans.Plan)
    up_to_date: bool = False
    is_checked: bool = False
    is_read_by_engine: bool = False
    owner: str = ""
    outputs: message.Message | None = None
    error: errors.PlantonError | None = None
    skipped: bool = False
    account: accounts.Account | None = None
    stack_input: Any = None
    resumption: recording.Resumption = dataclasses.field(default_factory=recording.Resumption)
    provided: message.Message | None = None
    applied: inventory.Applied | None = None
    done: tuple[plans.Change, ...] = ()
    unfinished: tuple[tuple[str, str], ...] = ()
    cost: costs.Cost | None = None
    losses: tuple[losses.Loss, ...] = ()
    last_of: references.Key | None = None

    @property
    def own_error(self) -> errors.PlantonError | None:
        """The error of the step itself; None on success, and if the step was not tried."""
        return None if self.skipped else self.error

    @property
    def main(self) -> str:
        """The name of the main resource of the stack, e.g. ``cluster``."""
        return kinds.get(self.key.kind).main

    @property
    def is_created(self) -> bool:
        """Whether the main resource is created, because it is new or missing from the cloud."""
        return self._has(plans.Action.CREATE)

    @property
    def is_new(self) -> bool:
        """Whether the main resource is created, replaced or imported, so that its outputs are unknown."""
        return self._has(*_CREATIONS)

    @property
    def is_lost(self) -> bool:
        """Whether the main resource is replaced or deleted."""
        return self._has(*_LOSSES)

    def _has(self, *actions: plans.Action) -> bool:
        return any(change.name == self.main and change.action in actions for change in self.plan.changes)


def of(resource: load.Resource) -> Step:
    """Returns the step of a resource, without a plan."""
    return Step(references.key(resource.manifest), str(stacks.name_of(resource.manifest)))


def other_owner(applied: inventory.Applied | None, resource: load.Resource) -> str:
    """Returns the folder that a stack was applied from, if it is not the manifest's; otherwise an empty text."""
    return applied.origin if applied is not None and applied.origin != resource.origin else ""


def blocked(step: Step, blockers: Iterable[references.Key], *, why: str) -> Step:
    """Returns a step that is not tried because of others.

    Args:
        step: The step.
        blockers: The failed steps.
        why: What happened to them, e.g. ``failed``.
    """
    error = errors.PlantonError(
        f"{step.key} was not tried, because {', '.join(map(str, sorted(blockers)))} {why}",
        reason=errors.Reason.DEPENDENCY_FAILED,
        hint="run the same command again to continue",
    )
    return dataclasses.replace(step, error=error, skipped=True)
