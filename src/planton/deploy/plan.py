"""A plan of a whole run: what it was asked for, its steps, and what a caller must know before consent."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton.deploy import costs, graph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton import errors
    from planton.deploy import accounts, autoscalers, leftovers, prune, runtime, saved
    from planton.deploy import steps as run_steps
    from planton.schema import references


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """How to plan an apply.

    Attributes:
        allow_unsupported: Fields whose refusal the user waives.
        refresh: Whether to read the cloud first: one list per account and kind. Without it, the last apply counts.
        is_preview: Whether no apply follows, so that the backend stays unchanged. An unfinished operation is then only reported.
        selection: The applied resources to prune after the apply; None to prune nothing.
        saved: The saved plan that the result must equal; None if there is none.
    """

    allow_unsupported: tuple[str, ...] = ()
    refresh: bool = True
    is_preview: bool = False
    selection: prune.Pruning | None = None
    saved: saved.Saved | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """The plan of a whole run. It carries everything that an apply needs.

    Attributes:
        operation: ``apply``, ``destroy`` or ``import``.
        run: What every stage uses.
        resources: The resources to apply, import or destroy.
        steps: The steps, in order.
        options: How it was planned.
        pruned_resources: The resources to destroy after the apply.
        pruned: Their steps.
        referrers: Resource that is replaced or deleted → the resources that refer to it.
        users: Resource that is deleted → the applied resources outside the run that refer to it.
        leftovers: Cluster that is replaced or deleted → what the cloud keeps of it.
        notes: Notes for the user before consent.
        autoscalers: The changes of the autoscalers that planton runs in clusters.
        violations: Warnings of the user's policies.
    """

    operation: str
    run: runtime.Runtime
    resources: graph.Graph
    steps: tuple[run_steps.Step, ...]
    options: Options = dataclasses.field(default_factory=Options)
    pruned_resources: graph.Graph = dataclasses.field(default_factory=graph.Graph)
    pruned: tuple[run_steps.Step, ...] = ()
    referrers: Mapping[references.Key, Sequence[references.Key]] = dataclasses.field(default_factory=dict)
    users: Mapping[references.Key, Sequence[references.Key]] = dataclasses.field(default_factory=dict)
    leftovers: Mapping[references.Key, leftovers.Leftovers] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    violations: tuple[errors.Violation, ...] = ()
    autoscalers: tuple[autoscalers.Change, ...] = ()

    @property
    def all_steps(self) -> tuple[run_steps.Step, ...]:
        """The steps, and those of the resources to prune."""
        return (*self.steps, *self.pruned)

    @property
    def accounts(self) -> list[accounts.Account]:
        """The accounts that the plan uses, each once, sorted."""
        return sorted({step.account for step in self.all_steps if step.account is not None})

    @property
    def cost(self) -> costs.Cost:
        """What the plan changes in the monthly list price."""
        return costs.total(step.cost for step in self.all_steps)

    @property
    def error(self) -> errors.PlantonError | None:
        """The first error of a step that is no consequence of another; None if everything can be applied."""
        return next((step.own_error for step in self.all_steps if step.own_error is not None), None)

    @property
    def has_changes(self) -> bool:
        """Whether the plan changes anything in a cloud, or an autoscaler in a cluster."""
        return any(not step.plan.empty for step in self.all_steps) or self.changes_autoscalers

    @property
    def changes_autoscalers(self) -> bool:
        """Whether the plan changes an autoscaler."""
        return any(change.is_change for change in self.autoscalers)
