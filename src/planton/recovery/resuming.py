"""Recovers a stack whose last operation failed or was killed."""

from __future__ import annotations

import dataclasses
import datetime
import time
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import explain, states
from planton.recovery import default_pool, guards, locking, recording, refreshing
from planton.schema import kinds
from planton.state import evidence, history, journal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.recovery import managed, ownership

#: Seconds between two looks at a cluster that is being created.
_PAUSE_SECONDS = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Recovery:
    """The result of a recovery.

    Attributes:
        is_changed: Whether anything was recovered, so that the state may have changed.
        resumption: What the next apply continues.
    """

    is_changed: bool = False
    resumption: recording.Resumption = dataclasses.field(default_factory=recording.Resumption)


def recover(subject: managed.Managed, *, waits: bool = True, to_destroy: bool = False) -> Recovery:
    """Recovers a stack whose last operation did not end cleanly.

    Reports the interruption, resolves pending operations by reading the cloud, and refreshes after a failed update. The next
    plan and apply adopt resources that the interrupted operation provably created; the cloud is not changed here. Other
    resources with the name are reported and left alone. After a clean operation this reads only one file.

    Args:
        subject: The stack.
        waits: Whether to wait for a cluster that is still being created. A destroy need not wait.
        to_destroy: Whether a destroy follows, which lists the state. Resources with proof are then added to the state.

    Raises:
        PlantonError: ``OWNER_UNPROVEN``: a resource may be the result of the interrupted operation, without proof; the
            cloud could not be asked; a running process holds the stack.
    """
    records = subject.journal
    state = subject.state()
    if not state.get("resources"):
        if records.read() is not None:
            with records.hold("recover", subject.settings):
                _release_first_lock(subject)
        return Recovery()
    if _record(subject, state) is None:
        # Another machine may have finished what this one began.
        records.clear()
        return Recovery()
    with records.hold("recover", subject.settings):
        # Whoever held the stack until now may have recovered it, or have failed with a record of its own.
        state = subject.state()
        record = _record(subject, state)
        if record is None:
            return Recovery()
        return Recovery(is_changed=True, resumption=_recover(subject, record, state, waits=waits, to_destroy=to_destroy))


def _record(subject: managed.Managed, state: dict[str, Any]) -> journal.Record | None:
    # The operation of another machine may have failed; the state shows it. It may also run: its lock is not ours to remove.
    record = subject.record(state)
    pending = states.pending(state)
    if record is None and (pending or states.half_updated(state)):
        return journal.Record("operation", subject.now(), failed=not pending, id=evidence.id_of(state))
    return record


def _release_first_lock(subject: managed.Managed) -> None:
    # A killed first operation can have left a lock, and no state that would show it. Another command may have applied the stack
    # in the meantime; its record is not ours to clear.
    locking.release(subject)
    if not subject.stack.exists():
        subject.journal.clear()


def _recover(
    subject: managed.Managed, record: journal.Record, state: dict[str, Any], *, waits: bool, to_destroy: bool
) -> recording.Resumption:
    started = time.strftime("%Y-%m-%d %H:%M", time.gmtime(record.started))
    verb = "failed" if record.failed else "was interrupted"
    subject.settings.progress(f"the last {record.operation} of {subject.name} ({started} UTC) {verb}; looking at the cloud")
    is_ours = subject.settings.is_exclusive or subject.journal.read() is not None
    if is_ours and (not record.failed or subject.stack.lock_holders()):
        locking.release(subject)
        state = subject.state()
    creations = {**record.uncertain, **guards.creating(state)}
    _report_pending(subject, state)
    record = dataclasses.replace(record, failed=True, uncertain=creations)
    state = recording.note(subject, state, record)
    proven = _proven(subject, record, creations, state, to_destroy=to_destroy)
    if to_destroy and proven:
        state = guards.with_adopted(state, proven, creations)
        subject.stack.replace_state(state)
    imports = {} if to_destroy else {states.short_name(urn): id_ for urn, id_ in proven.items()}
    if waits:
        _wait_for_clusters(subject, state, imports)
    if states.cloud_resources(state):
        _read_cloud(subject, record, state)
    if not imports:
        _forget(subject)
        return recording.Resumption()
    # The plan shows what is adopted. Until the user consents and it is adopted, the record must stay.
    subject.journal.write(record)
    return recording.Resumption(record, creations, imports)


def _forget(subject: managed.Managed) -> None:
    state = subject.state()
    if evidence.unfinished(state) is not None:
        subject.stack.replace_state(evidence.cleared(state))
    subject.journal.clear()


def _report_pending(subject: managed.Managed, state: dict[str, Any]) -> None:
    if pending := states.pending(state):
        listed = ", ".join(f"{entry['type']} {states.name_of(entry['resource'])}" for entry in pending)
        subject.settings.progress(f"  interrupted: {listed}")


def _wait_for_clusters(subject: managed.Managed, state: dict[str, Any], imports: Mapping[str, str]) -> None:
    # A cluster that is being created has no kubeconfig yet, and a state without it would count as complete.
    clusters = [str(each["id"]) for each in states.cloud_resources(state) if kinds.has_role(each["type"], kinds.Role.CLUSTER)]
    for cluster in filter(None, [*clusters, imports.get("cluster", "")]):
        _wait_for_cluster(subject, cluster)


def _read_cloud(subject: managed.Managed, record: journal.Record, state: dict[str, Any]) -> None:
    opened = subject.session(message=history.message("recover", subject.key, None))
    # A killed operation may have written another pool into the state in place of the default pool.
    pool = default_pool.DefaultPool(**record.default_pool) if record.default_pool else None
    refreshing.read_cloud(subject, opened, pool=pool)
    # The next plan must report resources that are missing from the cloud, and ask for consent.
    after = subject.stack.export()
    if guards.dropped(state, after):
        subject.stack.replace_state(guards.with_missing(state, after))


def _proven(
    subject: managed.Managed,
    record: journal.Record,
    creations: Mapping[str, journal.Creation],
    state: dict[str, Any],
    *,
    to_destroy: bool,
) -> dict[str, str]:
    """Returns URN → import id of the resources that the interrupted operation provably created."""
    if not creations:
        return {}
    candidates = guards.candidates(record, creations, state, subject.target, subject.cloud, now=subject.now())
    cluster = subject.cluster_id()
    proven = {each.urn: guards.import_id(each, cluster) for each in candidates if each.is_ours}
    for urn, id_ in proven.items():
        name = states.short_name(urn)
        subject.settings.progress(f"  {name} was created without being recorded: adopting {id_} instead of creating another")
    now = datetime.datetime.now(datetime.UTC)
    strangers = [each for each in candidates if not each.is_ours]
    for each in strangers:
        subject.settings.progress(f"  left alone: {states.short_name(each.urn)} {each.describe(now)}")
    doubtful = [each for each in strangers if not each.is_older and each.urn not in proven]
    if doubtful and not to_destroy:
        raise _unproven(subject, doubtful[0], now)
    return proven


def _unproven(subject: managed.Managed, candidate: ownership.Candidate, now: datetime.datetime) -> errors.PlantonError:
    name, key = states.short_name(candidate.urn), subject.key
    return errors.PlantonError(
        f"the interrupted operation may have created this {name}, which cannot be proven: {candidate.describe(now)}",
        reason=errors.Reason.OWNER_UNPROVEN,
        hint=f"if it is yours: planton import {key.kind}/{key.name} {candidate.id} -f FILE; else delete it or choose another name",
        metadata={"id": candidate.id, "resource": name},
    )


def _wait_for_cluster(subject: managed.Managed, cluster: str) -> None:
    deadline = subject.timing.clock() + subject.settings.timeout
    is_reported = False
    while subject.cloud.building(cluster):
        if subject.timing.clock() > deadline:
            raise explain.stuck("apply", subject.settings.timeout, subject.target)
        if not is_reported:
            subject.settings.progress("  the cloud is still at work on the cluster; waiting for it")
            is_reported = True
        subject.settings.interruption.check()
        subject.timing.sleep(_PAUSE_SECONDS)
