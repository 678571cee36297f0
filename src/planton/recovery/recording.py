"""Records operations on a stack, so that the next run knows what a failed or killed one may have created."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import states
from planton.recovery import guards
from planton.state import evidence, journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planton.recovery import managed

#: Errors after which an operation must not be retried: the user, a timeout or a signal ended it, another operation runs, or
#: nothing can be saved.
FINAL = (
    errors.Reason.INTERRUPTED,
    errors.Reason.CLOUD_STUCK,
    errors.Reason.STACK_LOCKED,
    errors.Reason.ENGINE_KILLED,
    errors.Reason.STATE_NOT_SAVED,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Resumption:
    """The continuation of an interrupted operation by the next apply.

    Attributes:
        record: The record of that operation; None if there is none.
        creations: URN → creation with an unknown result.
        imports: Resource name → import id of the resources to adopt.
    """

    record: journal.Record | None = None
    creations: Mapping[str, journal.Creation] = dataclasses.field(default_factory=dict)
    imports: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def marker(self) -> str:
        """The tag of the interrupted operation; empty if there is none."""
        return "" if self.record is None else self.record.marker


def is_unfinished(subject: managed.Managed, state: Mapping[str, Any] | None = None) -> bool:
    """Returns whether the last operation did not end cleanly, as far as this machine and the state know.

    Args:
        subject: The stack.
        state: Its state; None to read it.
    """
    return subject.record(subject.state() if state is None else state) is not None


@contextlib.contextmanager
def recorded(
    subject: managed.Managed,
    operation: str,
    *,
    resumption: Resumption,
    marker: str = "",
    before: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[journal.Record]:
    """Holds a stack and records an operation on it. A clean end removes the record.

    Args:
        subject: The stack.
        operation: ``apply``, ``destroy`` or ``refresh``.
        resumption: The interrupted operation that this one continues.
        marker: The tag for resources that the operation creates.
        before: URN of a planned creation → ids of its kind that the cloud lists now.

    Yields:
        The record. An apply writes it into the state too.

    Raises:
        PlantonError: ``STACK_LOCKED``; ``PLAN_STALE``: another operation failed in the meantime; the record cannot be written.
    """
    records = subject.journal
    with records.hold(operation, subject.settings):
        state = subject.state()
        _refuse_uncertain(subject, subject.record(state), resumption)
        pool = subject.default_pool(state)
        previous = resumption.record
        record = journal.Record(
            operation,
            # A creation of an earlier operation is judged by the start of that operation and the list from before it.
            subject.now() if previous is None else previous.started,
            uncertain=resumption.creations,
            marker=marker,
            before={**(before or {}), **({} if previous is None else previous.before)},
            default_pool={} if pool is None else dataclasses.asdict(pool),
            id=secrets.token_hex(8),
            previous=evidence.id_of(state),
        )
        records.write(record)
        try:
            yield record
        except errors.PlantonError as error:
            uncertain = {urn: _creation(subject, error, urn) for urn in getattr(error, "uncertain", ())}
            failed = dataclasses.replace(record, failed=True, uncertain={**resumption.creations, **uncertain})
            # If even this cannot be written, the record still says that the operation began.
            with contextlib.suppress(errors.PlantonError):
                records.write(failed)
                _share(subject, failed)
            raise
        records.clear()


def _share(subject: managed.Managed, record: journal.Record) -> None:
    # The engine does not keep a creation that has failed. Another machine may have to find its result.
    if not record.uncertain:
        return
    state = subject.state()
    if evidence.id_of(state) == record.id:
        note(subject, state, dataclasses.replace(record, uncertain={**guards.creating(state), **record.uncertain}))


def note(subject: managed.Managed, state: dict[str, Any], record: journal.Record) -> dict[str, Any]:
    """Writes the record of an operation that did not end cleanly into the state, and removes pending operations.

    Args:
        subject: The stack.
        state: Its state.
        record: The record, with the pending creations of the state.

    Returns:
        The new state.
    """
    noted = evidence.noted(state, record) if record.uncertain else state
    if states.pending(state) or noted != state:
        noted = {**noted, "pending_operations": []}
        subject.stack.replace_state(noted)
    return noted


def _refuse_uncertain(subject: managed.Managed, record: journal.Record | None, resumption: Resumption) -> None:
    # Another command may have failed while this one waited. Only a recovery can find out what it created.
    if record is None or not record.uncertain or (resumption.record is not None and resumption.record.id == record.id):
        return
    raise errors.plan_stale(
        f"another operation on {subject.name} failed meanwhile; nothing was changed",
        hint="run the same command again: it looks at the cloud first",
    )


def _creation(subject: managed.Managed, error: errors.PlantonError, urn: str) -> journal.Creation:
    recorder = getattr(error, "recorder", None)
    sent = guards.creation({} if recorder is None else recorder.inputs.get(urn, {}))
    return sent if sent.name else journal.Creation(guards.cloud_name(states.short_name(urn), subject.target))
