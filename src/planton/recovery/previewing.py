"""Previews: the changes of an apply to one stack. The cloud and the state stay unchanged."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import plans, states
from planton.recovery import default_pool, guards, observed, recording, refreshing

if TYPE_CHECKING:
    from planton.recovery import managed

#: Actions after which the cluster has a new default pool.
_NEW = (plans.Action.CREATE, plans.Action.REPLACE, plans.Action.IMPORT)


def preview(
    subject: managed.Managed,
    *,
    resumption: recording.Resumption,
    creates_stack: bool = True,
    refresh: bool = False,
) -> plans.Plan:
    """Returns the changes of an apply.

    Args:
        subject: The stack.
        resumption: What a recovery found.
        creates_stack: Whether a missing stack may be created in the backend.
        refresh: Whether to read the cloud first, into a copy of the state.

    Raises:
        PlantonError: The module refuses the manifest, or the plan cannot be made.
    """
    try:
        if refresh:
            return _refreshed_preview(subject, resumption)
        if creates_stack or subject.stack.is_stored():
            return _preview(subject, resumption)
        # Pulumi plans stacks only. An empty stack would stay in a backend that others use, or that is read-only.
        with tempfile.TemporaryDirectory(prefix="planton-") as folder:
            copy = dataclasses.replace(subject, stack=subject.stack.in_folder(pathlib.Path(folder)))
            return _preview(copy, resumption)
    except errors.PlantonError as error:
        _list_names(subject, error)
        raise


def _refreshed_preview(subject: managed.Managed, resumption: recording.Resumption) -> plans.Plan:
    # A refresh of a copy in a temporary folder changes no state that others see.
    before = subject.stack.export()
    with tempfile.TemporaryDirectory(prefix="planton-") as folder:
        copy = dataclasses.replace(subject, stack=subject.stack.copied_into(pathlib.Path(folder)))
        refreshing.read_cloud(copy, copy.session(imports=resumption.imports, marker=resumption.marker))
        plan = _preview(copy, resumption)
        missing = frozenset(each["urn"] for each in guards.dropped(before, copy.stack.export()))
    return dataclasses.replace(plan, missing=missing, is_refreshed=True)


def _preview(subject: managed.Managed, resumption: recording.Resumption) -> plans.Plan:
    plan = subject.session(imports=resumption.imports, marker=resumption.marker).preview().plan
    pool = subject.default_pool()
    if pool is None or is_new(pool.cluster, plan) or not default_pool.is_missing(pool, subject.cloud):
        return plan
    return dataclasses.replace(plan, changes=(default_pool.creation(pool), *plan.changes))


def _list_names(subject: managed.Managed, error: errors.PlantonError) -> None:
    # A module cannot list the resources of the cloud.
    noun = error.metadata.get("what")
    if error.reason is errors.Reason.NOT_FOUND and noun:
        with contextlib.suppress(errors.PlantonError):
            names = ", ".join(subject.cloud.names(noun)) or "none"
            error.message += f"; {noun}s there: {names}"


def differs(subject: managed.Managed, lists: observed.Lists) -> bool:
    """Returns whether the lists of the cloud differ from the state, so that a plan needs a refresh.

    Raises:
        PlantonError: The cloud cannot be asked.
    """
    state = subject.state()
    resources: list[dict[str, Any]] = [*states.cloud_resources(state), *states.pool_sizes(state)]
    return any(observed.is_changed(each, subject.cloud, lists) is not False for each in resources)


def is_new(urn: str, plan: plans.Plan) -> bool:
    """Returns whether a plan creates, replaces or imports a resource."""
    return any(change.urn == urn and change.action in _NEW for change in plan.changes)
