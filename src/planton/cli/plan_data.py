"""Plans and results as JSON data; secrets are redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.cli import plans
from planton.manifest import stack_input

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planton.deploy import accounts as run_accounts
    from planton.deploy import autoscalers as run_autoscalers
    from planton.deploy import costs
    from planton.deploy import steps as deploy_steps
    from planton.engine import plans as engine_plans


def of_steps(
    operation: str,
    steps: Sequence[deploy_steps.Step],
    *,
    accounts: Iterable[run_accounts.Account] = (),
    cost: costs.Cost | None = None,
    autoscalers: Iterable[run_autoscalers.Change] = (),
) -> dict[str, Any]:
    """Returns steps as JSON data.

    Args:
        operation: ``plan``, ``apply`` and so on.
        steps: The steps.
        accounts: The accounts that they use.
        cost: What they change in the monthly list price; None if nothing was priced.
        autoscalers: The changes of autoscalers in clusters.
    """
    outcomes = plans.outcomes(steps)
    return {
        "operation": operation,
        "accounts": [account.as_dict() for account in accounts],
        "resources": [of_step(step) for step in steps],
        "autoscalers": [change.as_dict() for change in autoscalers],
        "summary": {
            "changed": sum(not step.plan.empty and step.error is None for step in steps),
            "unchanged": sum(step.plan.empty and step.error is None for step in steps),
            **outcomes,
            "planned": plans.counts(steps, done=False),
            "done": plans.counts(steps, done=True),
            "cost": None if cost is None else cost.as_dict(),
        },
    }


def of_step(step: deploy_steps.Step) -> dict[str, Any]:
    """Returns one step as JSON data."""
    return {
        "kind": step.key.kind,
        "name": step.key.name,
        "env": step.key.env,
        "stack": step.stack,
        "changes": [_change(change) for change in step.plan.changes],
        "losses": [loss.as_dict() for loss in step.losses],
        "cost": None if step.cost is None else step.cost.as_dict(),
        "warnings": list(step.plan.warnings),
        "checked": step.is_checked,
        "owner": step.owner,
        "outputs": None if step.outputs is None else stack_input.as_dict(step.outputs),
        "error": None if step.error is None else step.error.as_dict(),
        "skipped": step.skipped,
        "done": [{"resource": change.name, "action": str(change.action)} for change in step.done],
        "left": [{"resource": name, "action": action} for name, action in step.unfinished],
    }


def _change(change: engine_plans.Change) -> dict[str, Any]:
    return {
        "resource": change.name,
        "type": change.type,
        "action": str(change.action),
        "differences": [
            {"path": each.path, "old": each.old, "new": each.new, "forcesReplacement": each.path in change.forcing}
            for each in change.differences
        ],
        "properties": dict(change.properties),
        **({"note": change.note} if change.note else {}),
    }
