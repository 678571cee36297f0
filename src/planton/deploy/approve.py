"""Approve: `Plan`, consent → `Approved`. Nothing that changes a cloud accepts anything else.

Replacing or deleting a cluster or a node pool, and taking over a resource of another folder, need a consent that names the
resource. A protected resource cannot be approved at all. A saved plan is approved only if nothing has changed since.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import saved
from planton.manifest import origins, stack_names
from planton.schema import resource_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.deploy import plan as plan_of_run
    from planton.deploy import steps
    from planton.engine import plans
    from planton.schema import references


@dataclasses.dataclass(frozen=True, slots=True)
class Consent:
    """What a caller agrees to.

    Attributes:
        changes: Whether to create, update and import what the plan lists.
        deletions: Whether to delete what the plan lists: everything in a destroy, and what an apply prunes.
        replace: ``KIND/NAME`` or ``ENV/KIND/NAME`` of clusters and pools that may be replaced, recreated or deleted by an apply.
        take_over: ``KIND/NAME`` or ``ENV/KIND/NAME`` of resources of other folders that may be taken over.
    """

    changes: bool = False
    deletions: bool = False
    replace: tuple[str, ...] = ()
    take_over: tuple[str, ...] = ()

    def with_saved(self, before: saved.Saved) -> Consent:
        """Returns this consent with those of a saved plan. Those of an edited one do not count: another user may have added them."""
        if not before.is_signed:
            return self
        return dataclasses.replace(
            self,
            changes=True,
            deletions=True,
            replace=(*self.replace, *before.allow_replace),
            take_over=(*self.take_over, *before.take_over),
        )


@dataclasses.dataclass(frozen=True)
class Approved:
    """A plan that its consent covers. The constructor refuses any other.

    Attributes:
        plan: The plan.
        consent: The consent.

    Raises:
        PlantonError: ``REPLACE_REFUSED``; ``TAKE_OVER_REFUSED``; ``PLAN_STALE``; ``CONSENT_REQUIRED``; the first error of a step.
    """

    plan: plan_of_run.Plan
    consent: Consent

    def __post_init__(self) -> None:
        """Checks the consent."""
        check(self.plan, self.consent)
        _require_agreed(self.plan, self.consent)


def plan_of(approved: Approved, *operations: str) -> plan_of_run.Plan:
    """Returns the plan of an approval. Each stage that changes a cloud begins with it.

    Args:
        approved: The approved plan.
        operations: The operations of the stage: another operation was approved by other rules.

    Raises:
        TypeError: It is no approval, for example a plan.
        PlantonError: ``USAGE``: the plan is that of another operation.
    """
    if not isinstance(approved, Approved):
        raise TypeError(f"{type(approved).__name__} is not an approved plan")
    operation = approved.plan.operation
    if operation not in operations:
        raise errors.usage(
            f"{operations[0]} got the plan of an operation of another kind: {operation}",
            hint="plan_destroy returns plans for destroy; plan and plan_import return plans for apply",
        )
    return approved.plan


def check(plan: plan_of_run.Plan, consent: Consent) -> None:
    """Checks what no general agreement covers: errors, stale plans, losses and take-overs.

    Raises:
        PlantonError: As ``approve`` does, except for ``CONSENT_REQUIRED``.
    """
    if plan.operation == "import":
        _check_take_overs(plan, consent)
    if plan.error is not None:
        raise plan.error
    if plan.options.saved is not None:
        saved.check(plan.options.saved, plan)
    if plan.operation != "destroy":
        _check_losses(plan, consent)
    _check_take_overs(plan, consent)


def missing(plan: plan_of_run.Plan, consent: Consent) -> Consent:
    """Returns the general agreement that a plan needs and a consent lacks: to changes, to deletions, or to both.

    Raises:
        PlantonError: No general agreement covers the plan: as ``check``.
    """
    check(plan, consent)
    changes, deletions = _agreements(plan)
    return Consent(changes=changes and not consent.changes, deletions=deletions and not consent.deletions)


def _agreements(plan: plan_of_run.Plan) -> tuple[bool, bool]:
    """Returns whether a plan needs the agreement to changes, and whether it needs that to deletions."""
    if plan.operation == "destroy":
        return False, bool(plan.steps)
    return plan.changes_autoscalers or any(not step.plan.empty for step in plan.steps), bool(plan.pruned)


def _require_agreed(plan: plan_of_run.Plan, consent: Consent) -> None:
    changes, deletions = _agreements(plan)
    if (changes and not consent.changes) or (deletions and not consent.deletions):
        verb = "deletes" if deletions and not consent.deletions else "changes"
        listed = ", ".join(str(step.key) for step in plan.all_steps if not step.plan.empty)
        raise errors.consent_required(
            f"the plan {verb} {listed}, without consent; nothing was changed",
            hint=f"consent with planton.Consent({'deletions' if verb == 'deletes' else 'changes'}=True)",
        )


def _check_losses(plan: plan_of_run.Plan, consent: Consent) -> None:
    for step in plan.steps:
        lost = step.plan.losses()
        if not lost or _is_named(step, plan.steps, consent.replace):
            continue
        listed = ", ".join(_loss(step, change) for change in lost)
        # Others refer to a cluster, and never to one of its additional pools.
        is_whole = any(not change.name.startswith("node_pool-") for change in lost)
        users = ", ".join(map(str, plan.referrers.get(step.key, ()))) if is_whole else ""
        raise errors.PlantonError(
            f"the plan for {step.key} would {listed}" + (f"; {users} refer to it" if users else "") + "; nothing was changed",
            reason=errors.Reason.REPLACE_REFUSED,
            hint=f"if that is what you want, add {option(step, plan.steps)}",
            metadata={"resource": str(step.key), "referrers": users},
        )


def _check_take_overs(plan: plan_of_run.Plan, consent: Consent) -> None:
    for step in plan.steps:
        if step.owner and not _is_named(step, plan.steps, consent.take_over):
            if step.owner == origins.NODE_POOL_API:
                raise _of_api(step)
            raise errors.take_over_refused(
                f"{step.key} was applied from {step.owner}, and this manifest is in another folder; nothing was changed",
                hint="choose another metadata.name or env; or, to move the resource to this folder, add --take-over "
                + _name_in(step, plan.steps),
                metadata={"resource": str(step.key), "owner": step.owner},
            )


def _of_api(step: steps.Step) -> errors.PlantonError:
    return errors.take_over_refused(
        f"{step.key} belongs to the NodePool API, whose controllers would revert the change; nothing was changed",
        hint="change it through the API: planton nodepools, planton clusters",
        metadata={"resource": str(step.key), "owner": step.owner},
    )


def _is_named(step: steps.Step, planned: Sequence[steps.Step], names: Sequence[str]) -> bool:
    return any(_names(text, planned) == [step.key] for text in names)


def _names(text: str, planned: Sequence[steps.Step]) -> list[references.Key]:
    """Returns the planned resources that ``[ENV/]KIND/NAME`` can mean; a consent must not mean several."""
    env, _, resource = text.partition("/") if text.count("/") > 1 else ("", "", text)
    named = resource_names.parse(resource)
    return [each.key for each in planned if named.matches(each.key) and env in ("", each.key.env or stack_names.NO_ENV)]


def _is_unique(step: steps.Step, planned: Sequence[steps.Step]) -> bool:
    return sum((each.key.kind, each.key.name) == (step.key.kind, step.key.name) for each in planned) == 1


def option(step: steps.Step, planned: Sequence[steps.Step]) -> str:
    """Returns the option that consents to the losses of a step."""
    return f"--allow-replace {_name_in(step, planned)}"


def _name_in(step: steps.Step, planned: Sequence[steps.Step]) -> str:
    short = (step.key.kind, step.key.name)
    return "/".join(short if _is_unique(step, planned) else (step.key.env or stack_names.NO_ENV, *short))


def _loss(step: steps.Step, change: plans.Change) -> str:
    action = "recreate" if step.plan.is_recreation(change) else str(change.action)
    paths = [difference.path for difference in change.differences]
    return f"{action} {change.name}" + (f" (changed: {', '.join(paths)})" if paths else "")
