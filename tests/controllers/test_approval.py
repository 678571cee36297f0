"""A controller's consent follows from its action: it replaces nothing, and recreates only where the spec says so."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.controllers import approval, values
from planton.deploy import graph, steps
from planton.deploy import plan as plans_of_run
from planton.engine import plans
from planton.schema import kinds, references

KIND = kinds.of_role(kinds.Role.NODE_POOL, "civo")[0]
KEY = references.Key(KIND.name, "", "workers")
URN = f"urn:pulumi:s::p::{KIND.declared.type}::{KIND.main}"
NAMED = (f"{KIND.name}/workers",)
Action = values.Action


def plan(action: plans.Action, *, missing: bool = False, operation: str = "apply", count: int = 1) -> plans_of_run.Plan:
    """Returns the plan of one change of a node pool."""
    differences = (plans.Difference("size", "small", "large"),) if action is plans.Action.REPLACE else ()
    change = plans.Change(URN, KIND.main, KIND.declared.type, action, differences)
    step = steps.Step(KEY, "stack", plans.Plan((change,), missing=frozenset({URN} if missing else ())))
    run: Any = None
    return plans_of_run.Plan(operation, run, graph.Graph(), (step,) * count)


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.REPAIR, Action.RECREATE])
@pytest.mark.parametrize("change", [plans.Action.REPLACE, plans.Action.DELETE])
def test_no_action_consents_to_a_replacement_or_a_deletion(action: values.Action, change: plans.Action) -> None:
    """Whatever was decided, nodes do not go unless the object itself is deleted."""
    with pytest.raises(errors.PlantonError) as raised:
        approval.consent(plan(change), action)
    assert raised.value.reason is errors.Reason.REPLACE_REFUSED


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.REPAIR])
def test_changes_in_place_are_consented_to_and_recreations_are_not(action: values.Action) -> None:
    """Between the decision and the plan someone may have deleted the pool."""
    consent = approval.consent(plan(plans.Action.UPDATE), action)
    assert (consent.changes, consent.deletions, consent.replace) == (True, False, ())
    with pytest.raises(errors.PlantonError, match="is missing from the cloud"):
        approval.consent(plan(plans.Action.CREATE, missing=True), action)


def test_a_recreation_names_the_resource() -> None:
    """The pipeline asks for that for clusters."""
    assert approval.consent(plan(plans.Action.CREATE, missing=True), Action.RECREATE).replace == NAMED


def test_only_a_deletion_deletes() -> None:
    """And nothing else."""
    consent = approval.consent(plan(plans.Action.DELETE, operation="destroy"), Action.DELETE)
    assert (consent.changes, consent.deletions, consent.replace) == (False, True, ())


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_a_plan_about_several_resources_is_refused(action: values.Action) -> None:
    """A controller changes one resource at a time."""
    with pytest.raises(errors.PlantonError) as raised:
        approval.consent(plan(plans.Action.UPDATE, count=2), action)
    assert raised.value.reason is errors.Reason.PLAN_STALE
