"""Refreshes: read the cloud into the state, and accept only results that the cloud confirms."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import explain, states
from planton.recovery import default_pool, guards, locking, recording
from planton.schema import kinds
from planton.state import history

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planton.engine import plans, session
    from planton.recovery import managed


def refresh(subject: managed.Managed) -> plans.Plan:
    """Reads the cloud into the state of a stack.

    Raises:
        PlantonError: ``REFRESH_NOT_BELIEVED``; the plugin or the cloud failed. The state is then unchanged.
    """
    with recording.recorded(subject, "refresh", resumption=recording.Resumption()):
        return read_cloud(subject, subject.session(message=history.message("refresh", subject.key, None)))


def read_cloud(subject: managed.Managed, opened: session.Session, *, pool: default_pool.DefaultPool | None = None) -> plans.Plan:
    """Reads the cloud into the state, inside another operation.

    Args:
        subject: The stack.
        opened: The session of the operation.
        pool: The default pool of the stack's cluster; None for that of the state.

    Raises:
        PlantonError: ``REFRESH_NOT_BELIEVED``; the plugin or the cloud failed. The state is then unchanged.
    """
    before = _restore_rules(subject)
    pool = pool or subject.default_pool()
    try:
        outcome = opened.refresh()
    except explain.OperationError as error:
        if error.reason is errors.Reason.STACK_LOCKED:
            raise
        if error.reason in recording.FINAL or not remove_missing(subject, before):
            _restore(subject, before)
            raise
        outcome = opened.refresh()
    _believe(subject, before, subject.stack.export())
    _restore_rules(subject)
    bind(subject, pool, is_refreshed=True)
    return outcome.plan


def remove_missing(subject: managed.Managed, state: dict[str, Any]) -> set[str]:
    """Removes from the state what the cloud confirms to be missing, because it can make a plugin fail for ever.

    Returns:
        The URNs of the missing resources; none if the cloud could not be asked.
    """
    try:
        missing = guards.missing(states.cloud_resources(state), subject.cloud)
    except errors.PlantonError:
        return set()
    for urn in sorted(missing):
        # Who deleted it is unknown: another user, or this operation, whose plugin did not see the end.
        subject.settings.progress(f"{states.short_name(urn)} is gone; the cloud confirms it")
    if missing:
        subject.stack.replace_state(states.without(state, missing))
        _report_leftovers(subject, [each for each in states.cloud_resources(state) if each["urn"] in missing])
    return missing


def _report_leftovers(subject: managed.Managed, missing: Iterable[Mapping[str, Any]]) -> None:
    """Reports what the cloud still has of clusters that are missing from it: volumes, snapshots and load balancers.

    Args:
        subject: The stack.
        missing: The resources that were removed from its state.
    """
    for cluster in (each for each in missing if kinds.has_role(each["type"], kinds.Role.CLUSTER)):
        # Some clouds cannot list them any longer.
        with contextlib.suppress(errors.PlantonError):
            if leftovers := subject.cloud.leftovers(str(cluster["id"])):
                subject.settings.progress(f"! the cloud keeps and bills what the cluster used: {', '.join(map(str, leftovers))}")


def bind(subject: managed.Managed, pool: default_pool.DefaultPool | None, *, is_refreshed: bool) -> None:
    """Corrects the state if the plugin wrote another pool in place of the default pool.

    Args:
        subject: The stack.
        pool: The default pool before the operation; None if there is none.
        is_refreshed: Whether the operation was a refresh.
    """
    if pool is None:
        return
    corrected = default_pool.bound(pool, subject.stack.export(), subject.cloud, refreshed=is_refreshed)
    if corrected is not None:
        subject.stack.replace_state(corrected)


def _restore(subject: managed.Managed, state: dict[str, Any]) -> None:
    # The error of the refresh is more important than an error here. The next run refreshes again.
    with contextlib.suppress(errors.PlantonError):
        if subject.stack.lock_holders():
            locking.release(subject)
        subject.stack.replace_state(state)


def _restore_rules(subject: managed.Managed) -> dict[str, Any]:
    state = subject.stack.export()
    corrected = guards.with_whole_rules(state)
    if corrected is None:
        return state
    subject.stack.replace_state(corrected)
    return corrected


def _believe(subject: managed.Managed, before: dict[str, Any], after: dict[str, Any]) -> None:
    dropped = guards.dropped(before, after)
    if not dropped:
        return
    try:
        missing = guards.missing(dropped, subject.cloud)
    except errors.PlantonError as error:
        subject.stack.replace_state(before)
        why = f"the cloud cannot confirm it ({error.message})"
        raise guards.not_believed(map(states.name_of, dropped), why) from error
    existing = [states.name_of(each) for each in dropped if each["urn"] not in missing]
    if existing:
        subject.stack.replace_state(before)
        raise guards.not_believed(existing, "the cloud still has it")
    _report_leftovers(subject, dropped)
    shells = {each["urn"] for each in dropped} & {each["urn"] for each in states.cloud_resources(after)}
    if shells:
        subject.stack.replace_state(states.without(after, shells))
