"""Destroys: delete the resources of a stack, then the stack."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from planton import errors
from planton.engine import explain, plans, states
from planton.recovery import default_pool, drifting, recording, refreshing
from planton.state import history

if TYPE_CHECKING:
    from planton.engine import session
    from planton.recovery import managed


def planned(subject: managed.Managed) -> plans.Plan:
    """Returns the deletions of a destroy.

    Raises:
        PlantonError: ``STACK_NOT_FOUND``; the state cannot be read.
    """
    return plans.Plan(tuple(map(drifting.deletion, reversed(states.cloud_resources(subject.stack.export())))))


def destroy(
    subject: managed.Managed, plan: plans.Plan, *, around: contextlib.AbstractContextManager[None] | None = None
) -> plans.Plan:
    """Deletes everything in a stack, and the stack.

    Args:
        subject: The stack.
        plan: The listed deletions. Nothing else is deleted.
        around: A context manager around the deletion; None for none.

    Raises:
        PlantonError: ``PLAN_STALE``: the state has a resource that was not listed. After other errors the state holds the
            remaining resources.
    """
    with recording.recorded(subject, "destroy", resumption=recording.Resumption()):
        _require_listed(subject, plan)
        opened = subject.session(message=history.message("destroy", subject.key, plan))
        with around or contextlib.nullcontext():
            outcome = _destroy(subject, opened)
    return outcome.plan


def _require_listed(subject: managed.Managed, plan: plans.Plan) -> None:
    listed = {change.urn for change in plan.changes}
    unlisted = [each for each in states.cloud_resources(subject.stack.export()) if each["urn"] not in listed]
    if unlisted:
        names = ", ".join(sorted(map(states.name_of, unlisted)))
        raise errors.plan_stale(
            f"{subject.name} also has {names}, which was not listed; nothing was deleted",
            hint="run the same command again: it lists the current resources",
        )


def _destroy(subject: managed.Managed, opened: session.Session) -> session.Outcome:
    try:
        return opened.destroy()
    except explain.OperationError as error:
        if error.reason in recording.FINAL or not _is_retried(subject, error):
            raise
        return opened.destroy()


def _is_retried(subject: managed.Managed, error: explain.OperationError) -> bool:
    state = subject.stack.export()
    if refreshing.remove_missing(subject, state):
        return True
    try:
        cluster = default_pool.is_last(state, subject.cloud)
    except errors.PlantonError:
        return False
    pools = default_pool.without_pools(state, cluster)
    if pools:
        # The cloud keeps the last pool of a cluster until the cluster is deleted.
        subject.stack.replace_state(states.without(state, pools))
    elif cluster:
        error.metadata |= {default_pool.LAST_OF: cluster}
        error.hint = (
            "it is the last pool of its cluster, which the cloud keeps: destroy the cluster too, or apply the cluster first, "
            "which recreates its default pool"
        )
    return bool(pools)
