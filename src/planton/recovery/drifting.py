"""Drift: how the cloud differs from the last apply. State and cloud stay unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import explain, plans, states
from planton.recovery import default_pool, guards
from planton.schema import kinds

if TYPE_CHECKING:
    from planton.recovery import managed


def drift(subject: managed.Managed) -> tuple[plans.Change, ...]:
    """Returns how the cloud differs from the last apply. A missing resource is a deletion.

    Raises:
        PlantonError: ``STACK_NOT_FOUND``; ``REFRESH_NOT_BELIEVED``; the plugin or the cloud failed.
    """
    before = subject.stack.export()
    failure = None
    try:
        changes = subject.session().preview_refresh().recorder.refreshed()
    except explain.OperationError as error:
        failure = error
        changes = () if error.recorder is None else error.recorder.refreshed()
    resources = states.cloud_resources(before)
    suspects = {change.urn for change in changes if _looks_deleted(change)} & {each["urn"] for each in resources}
    missing = _missing(subject, resources, failure) if suspects or failure is not None else set()
    if failure is not None and not missing:
        raise failure
    if suspects - missing:
        raise guards.not_believed(map(states.short_name, suspects - missing), "the cloud still has it")
    deleted = [deletion(each) for each in resources if each["urn"] in missing]
    other_changes = tuple(change for change in changes if change.urn not in missing and change.action is not plans.Action.DELETE)
    pool = default_pool.of(before)
    if pool is not None and pool.cluster not in missing:
        other_changes = default_pool.drift(pool, other_changes, subject.cloud)
    return (*deleted, *other_changes)


def deletion(resource: dict[str, Any]) -> plans.Change:
    """Returns the deletion of a resource of a state."""
    return plans.Change(resource["urn"], states.name_of(resource), resource["type"], plans.Action.DELETE)


def _missing(subject: managed.Managed, resources: list[dict[str, Any]], failure: explain.OperationError | None) -> set[str]:
    try:
        return guards.missing(resources, subject.cloud)
    except errors.PlantonError as error:
        if failure is not None:
            raise failure from error
        why = f"the cloud cannot confirm it ({error.message})"
        raise guards.not_believed(map(states.name_of, resources), why) from error


def _looks_deleted(change: plans.Change) -> bool:
    # A missing network is read as one with empty texts.
    emptied = any(each.path == "label" and not each.new for each in change.differences)
    return change.action is plans.Action.DELETE or (kinds.has_role(change.type, kinds.Role.NETWORK) and emptied)
