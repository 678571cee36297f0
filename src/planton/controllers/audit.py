"""The audit: what an action changes in the cloud, recorded through the API before it changes anything, and again when it ends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Self

from org.project_planton.cluster.v1 import audit_pb2
from planton import errors
from planton.base import terminal
from planton.controllers import failures, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from planton.deploy import plan as plans_of_run
    from planton.engine import plans

_LOG = logging.getLogger(__name__)
#: The longest reason and error in characters, and the longest value. The API's limits are higher.
_LONGEST: Final = 4000
_LONGEST_VALUE: Final = 500
#: The most bytes of a record, and the most changes that it lists. The API's limits are higher.
_MOST_BYTES: Final = 40_000
_MOST_CHANGES: Final = 400
#: Action on nodes → the word for it, and the change of ``unschedulable``; empty if the node leaves.
_OF_NODES: Final = {
    values.Action.DRAIN: ("drain", ("false", "true")),
    values.Action.UNCORDON: ("uncordon", ("true", "false")),
    values.Action.REPLACE: ("replace", ()),
}


class Recorder:
    """Records one action. As a context, it records how the action ends."""

    def __init__(self, send: Callable[[audit_pb2.AuditRecord], object], record: audit_pb2.AuditRecord) -> None:
        """Records nothing yet.

        Args:
            send: Sends the record to the API.
            record: The action, without changes.
        """
        self._send = send
        self._record = record

    def begin(self, changes: Sequence[audit_pb2.AuditChange]) -> None:
        """Records changes that are about to be made. Several calls add up. An action without changes is not recorded.

        Raises:
            PlantonError: The API cannot be reached. Nothing may be changed then.
        """
        if changes:
            self._record.outcome = "Started"
            _extend(self._record, changes)
            self._send(self._record)

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Records the end of the action."""
        if not self._record.changes:
            return
        self._record.outcome = "Succeeded"
        if error is not None:
            is_stopped = isinstance(error, errors.PlantonError) and error.reason is errors.Reason.INTERRUPTED
            self._record.outcome = "Interrupted" if is_stopped else "Failed"
            self._record.error = "" if is_stopped else terminal.escape(failures.of(error).message)[:_LONGEST]
        try:
            self._send(self._record)
        except errors.PlantonError as unsent:
            # The record of its begin stays. The next report says how the resource is.
            _LOG.warning("the end of %s was not recorded: %s", self._record.action, unsent.message)


def record(controller: str, process: str, generation: int, decision: values.Decision) -> audit_pb2.AuditRecord:
    """Returns the record of an action, without changes."""
    return audit_pb2.AuditRecord(
        controller_name=controller,
        process=process,
        generation=generation,
        action=str(decision.action),
        cause=str(decision.cause),
        reason=terminal.escape(decision.why)[:_LONGEST],
    )


def of_nodes(decision: values.Decision, observed: values.Observed) -> list[audit_pb2.AuditChange]:
    """Returns what an action changes of nodes. A drain has many steps; only its first one is a change."""
    draining = {node.name for node in observed.nodes or () if node.draining_since is not None}
    is_drain = decision.action is values.Action.DRAIN
    action, unschedulable = _OF_NODES.get(decision.action, ("remove", ()))
    names = [name for name in decision.nodes if not (is_drain and name in draining)]
    if not unschedulable:
        return [_change(f"node {name}", action) for name in names]
    before, after = unschedulable
    return [_change(f"node {name}", action, "unschedulable", before, after) for name in names]


def of_plan(planned: plans_of_run.Plan) -> list[audit_pb2.AuditChange]:
    """Returns what a plan changes: properties with both values, and the autoscalers in clusters."""
    listed = [each for step in planned.all_steps for change in step.plan.changes for each in _of_change(change)]
    scalers = [each for each in planned.autoscalers if each.is_change]
    return listed + [
        _change(f"autoscaler of {each.cluster}", str(each.action), "pools", "", ", ".join(each.groups)) for each in scalers
    ]


def _of_change(change: plans.Change) -> Iterator[audit_pb2.AuditChange]:
    name, action = change.name, str(change.action)
    yield from (_change(name, action, each.path, each.old, each.new) for each in change.differences)
    yield from (_change(name, action, path, None, value) for path, value in change.properties)
    if not (change.differences or change.properties):
        yield _change(name, action)


def _change(
    resource: str, action: str, field: str = "", before: Any = None, after: Any = None
) -> audit_pb2.AuditChange:  # values
    return audit_pb2.AuditChange(
        resource=_cut(resource), action=action, field=_cut(field), before=_text(before), after=_text(after)
    )


def _text(value: Any) -> str:  # a value of a property
    return "" if value is None else _cut(terminal.value(value))


def _cut(text: str) -> str:
    escaped = terminal.one_line(text)
    return escaped if len(escaped) <= _LONGEST_VALUE else f"{escaped[: _LONGEST_VALUE - 1]}…"


def _extend(made: audit_pb2.AuditRecord, changes: Iterable[audit_pb2.AuditChange]) -> None:
    """Adds changes as long as there is room, then one that says how many there are in addition."""
    missing = 0
    for change in changes:
        if made.ByteSize() + change.ByteSize() < _MOST_BYTES and len(made.changes) < _MOST_CHANGES:
            made.changes.append(change)
        else:
            missing += 1
    if missing:
        made.changes.append(_change("others", "change", "", None, f"{missing} more changes"))
