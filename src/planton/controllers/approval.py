"""What a controller consents to: it follows from the action, and so from the spec and its lifecycle, never from a flag.

No action consents to a replacement. Only the deletion of the object itself deletes nodes, and only ``lifecycle.recreate`` recreates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.controllers import values
from planton.deploy import approve

if TYPE_CHECKING:
    from planton.deploy import plan as plans_of_run
    from planton.deploy import steps


def consent(planned: plans_of_run.Plan, action: values.Action) -> approve.Consent:
    """Returns the consent of a controller to a plan of one resource.

    Args:
        planned: The plan.
        action: What was decided.

    Raises:
        PlantonError: ``REPLACE_REFUSED``: the plan replaces, deletes or recreates what the action does not; ``PLAN_STALE``: it is
            about other resources.
    """
    if len(planned.all_steps) > 1 or planned.pruned:
        listed = ", ".join(str(step.key) for step in planned.all_steps)
        raise _error(errors.Reason.PLAN_STALE, f"the plan is about {listed}; a controller changes one resource at a time")
    if action is values.Action.DELETE:
        return approve.Consent(deletions=True)
    names = [f"{step.key.kind}/{step.key.name}" for step in planned.steps if _may_recreate(step, action)]
    for step in planned.steps:
        _check(step, action)
    return approve.Consent(changes=True, replace=tuple(names))


def _may_recreate(step: steps.Step, action: values.Action) -> bool:
    lost = step.plan.losses()
    return action is values.Action.RECREATE and all(step.plan.is_recreation(change) for change in lost)


def _check(step: steps.Step, action: values.Action) -> None:
    for change in step.plan.changes:
        is_main = change.name == step.main
        if is_main and step.plan.is_recreation(change) and action is not values.Action.RECREATE:
            raise _error(errors.Reason.PLAN_STALE, f"{change.name} is missing from the cloud, and lifecycle.recreate is not set")
    lost = [change for change in step.plan.losses() if not step.plan.is_recreation(change)]
    if lost:
        fields = sorted({difference.path for change in lost for difference in change.differences})
        what = ", ".join(f"{change.action} {change.name}" for change in lost)
        because = f" (changed: {', '.join(fields)})" if fields else ""
        raise _error(errors.Reason.REPLACE_REFUSED, f"the change would {what}{because}; nothing was changed")


def _error(reason: errors.Reason, text: str) -> errors.PlantonError:
    return errors.PlantonError(text, reason=reason, hint="change the spec back, or delete the resource")
