"""Decides what to do about one resource: a pure function of what is desired, what is observed, and the time.

It is total: every input has a decision. It never asks for a replacement or a deletion that the desired state does not ask for.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Final

from planton.controllers import conditions, failures, values

if TYPE_CHECKING:
    from collections.abc import Callable

#: The time between two looks at a resource that is as desired, and at one that is changing.
STEADY: Final = datetime.timedelta(seconds=60)
BUSY: Final = datetime.timedelta(seconds=3)
#: A probe that fails for less than this changes no condition.
PATIENCE: Final = datetime.timedelta(seconds=60)
#: Identical repairs in a window. The last one is not made.
MOST_REPAIRS: Final = 2
WINDOW: Final = datetime.timedelta(hours=1)
#: The actions after which nodes come up that were not there before.
_CHANGES: Final = (values.Action.CREATE, values.Action.UPDATE, values.Action.RECREATE, values.Action.DELETE)


def decide(desired: values.Desired, observed: values.Observed, memory: values.Memory, now: datetime.datetime) -> values.Decision:
    """Returns what to do, what to report, and when to look again.

    Args:
        desired: The desired state.
        observed: What the cloud and the cluster have.
        memory: What the controller has reported last.
        now: The time.
    """
    memory = _refreshed(desired, observed, memory, now)
    look = _Look(desired, observed, memory, now)
    for rule in _RULES:
        decision = rule(look)
        if decision is not None:
            return decision
    return look.nothing(after=STEADY)


def succeeded(decision: values.Decision, observed: values.Observed, now: datetime.datetime) -> values.Memory:
    """Returns what to remember after an action that succeeded."""
    repairs = decision.memory.repairs
    if decision.action is values.Action.REPAIR:
        repairs = (*repairs, values.Repair(now, _drift(observed)))
    return dataclasses.replace(decision.memory, failure=None, attempt=0, next_try=None, repairs=repairs)


def failed(
    decision: values.Decision, desired: values.Desired, failure: failures.Failure, now: datetime.datetime
) -> values.Memory:
    """Returns what to remember after an action that failed."""
    attempt = decision.memory.attempt + 1
    return dataclasses.replace(
        decision.memory,
        failure=failure,
        failed_generation=desired.generation,
        attempt=attempt,
        next_try=now + failure.pause(attempt),
    )


def _refreshed(
    desired: values.Desired, observed: values.Observed, memory: values.Memory, now: datetime.datetime
) -> values.Memory:
    is_new = memory.failed_generation != desired.generation
    since = None if observed.problem is None else memory.probe_failed or now
    repairs = tuple(repair for repair in memory.repairs if now - repair.time < WINDOW)
    memory = dataclasses.replace(memory, repairs=repairs, probe_failed=since)
    # Another desired state deserves an attempt at once. Its error stays until something succeeds.
    return dataclasses.replace(memory, attempt=0, next_try=None) if is_new and memory.failure is not None else memory


@dataclasses.dataclass(frozen=True, slots=True)
class _Look:
    desired: values.Desired
    observed: values.Observed
    memory: values.Memory
    now: datetime.datetime

    def act(self, action: values.Action, cause: conditions.Cause) -> values.Decision:
        """Returns the decision for an action; while it has to wait after a failure, that for waiting."""
        pause = self._pause()
        if pause > datetime.timedelta():
            return self._waiting(cause, pause)
        listed = self._conditions(progress=cause, degraded=self._failure())
        return self._decision(action, listed, why=cause.message)

    def _pause(self) -> datetime.timedelta:
        """Returns the time until the next attempt. One that is later than a pause can be was set by a process with a wrong clock."""
        due, failure = self.memory.next_try, self.memory.failure
        if due is None or failure is None:
            return datetime.timedelta()
        left = due - self.now
        return left if left <= failure.pause(self.memory.attempt) else datetime.timedelta()

    def _waiting(self, cause: conditions.Cause, pause: datetime.timedelta) -> values.Decision:
        failure = self.memory.failure
        assert failure is not None, "only a failure makes it wait"
        is_refused = failure.is_permanent and not self.desired.is_deleting
        refused = self._failure() if is_refused else None
        listed = self._conditions(progress=None if is_refused else cause, degraded=self._failure(), refused=refused)
        return self._decision(values.Action.NOTHING, listed, after=pause)

    def nothing(
        self,
        *,
        after: datetime.timedelta,
        progress: conditions.Cause | None = None,
        degraded: conditions.Cause | None = None,
        refused: conditions.Cause | None = None,
    ) -> values.Decision:
        """Returns the decision to change nothing."""
        listed = self._conditions(progress=progress, degraded=degraded, refused=refused)
        return self._decision(values.Action.NOTHING, listed, after=after)

    def unread(self, failure: failures.Failure) -> values.Decision:
        """Returns the decision while the cloud or Kubernetes cannot be read: the last conditions stay for a while."""
        since = self.memory.probe_failed or self.now
        is_long = self.now - since >= PATIENCE
        before = self.memory.conditions or self._conditions(progress=conditions.Cause("Reading", "the cloud is being read"))
        kept = dataclasses.replace(self.memory, conditions=before)
        listed = conditions.unread(kept, since=since.isoformat(timespec="seconds")) if is_long else before
        # The probe is repeated in a pace that spares a cloud in trouble.
        attempt = 1 + int((self.now - since) / BUSY)
        after = max(BUSY, min(failure.pause(attempt), datetime.timedelta(seconds=30)), failure.silence)
        memory = dataclasses.replace(kept, conditions=listed)
        return values.Decision(action=values.Action.NOTHING, conditions=listed, failure=failure, next_look=after, memory=memory)

    def settled(self) -> values.Decision:
        """Returns the decision for a resource that is as desired: the last error has been overcome."""
        memory = dataclasses.replace(self.memory, failure=None, attempt=0, next_try=None, was_ready=True)
        return dataclasses.replace(self, memory=memory).nothing(after=STEADY)

    def _failure(self) -> conditions.Cause | None:
        failure = self.memory.failure
        return None if failure is None else conditions.Cause(_camel(failure.code), failure.message)

    def _conditions(
        self,
        *,
        progress: conditions.Cause | None = None,
        degraded: conditions.Cause | None = None,
        refused: conditions.Cause | None = None,
    ) -> tuple[values.Condition, ...]:
        return conditions.make(self.desired, self.observed, now=self.now, progress=progress, degraded=degraded, refused=refused)

    def _decision(
        self,
        action: values.Action,
        listed: tuple[values.Condition, ...],
        *,
        why: str = "",
        after: datetime.timedelta | None = None,
    ) -> values.Decision:
        was_ready = self.memory.was_ready and action not in _CHANGES
        memory = dataclasses.replace(self.memory, conditions=listed, was_ready=was_ready)
        return values.Decision(action=action, why=why, conditions=listed, failure=memory.failure, next_look=after, memory=memory)


def _camel(code: failures.Code) -> str:
    return "".join(word.title() for word in code.split("_"))


def _drift(observed: values.Observed) -> str:
    return "; ".join(map(str, observed.drift))


def _released(look: _Look) -> values.Decision | None:
    if not (look.desired.is_deleting and look.observed.presence is values.Presence.NEVER):
        return None
    return values.Decision(action=values.Action.RELEASE, conditions=conditions.deleted(), memory=look.memory)


def _deleted(look: _Look) -> values.Decision | None:
    if not look.desired.is_deleting:
        return None
    if look.desired.waits_for:
        return look.nothing(after=BUSY, progress=conditions.Cause("WaitingForDependants", look.desired.waits_for))
    if look.observed.presence is values.Presence.UNKNOWN and look.observed.problem is not None:
        return look.unread(look.observed.problem)
    return look.act(values.Action.DELETE, conditions.Cause("DeletingInfrastructure", "it is being deleted from the cloud"))


def _refused(look: _Look) -> values.Decision | None:
    problem = look.desired.problem
    if problem is None:
        return None
    memory = dataclasses.replace(look.memory, failure=problem, failed_generation=look.desired.generation)
    cause = conditions.Cause(_camel(problem.code), problem.message)
    return dataclasses.replace(look, memory=memory).nothing(after=problem.pause(1), refused=cause)


def _paused(look: _Look) -> values.Decision | None:
    until = look.desired.paused_until
    if until is None or not conditions.is_paused(look.desired, look.now):
        return None
    return look.nothing(after=min(STEADY, until - look.now))


def _unread(look: _Look) -> values.Decision | None:
    if look.observed.presence is not values.Presence.UNKNOWN:
        return None
    unread = failures.make(failures.Code.NETWORK, "the cloud could not be read")
    return look.unread(look.observed.problem or unread)


def _waits(look: _Look) -> values.Decision | None:
    if not look.desired.waits_for:
        return None
    return look.nothing(after=BUSY, progress=conditions.Cause("WaitingForDependency", look.desired.waits_for))


def _created(look: _Look) -> values.Decision | None:
    if look.observed.presence not in (values.Presence.NEVER, values.Presence.PARTIAL):
        return None
    return look.act(values.Action.CREATE, conditions.Cause("Creating", "it is being created in the cloud"))


def _missing(look: _Look) -> values.Decision | None:
    if look.observed.presence is not values.Presence.MISSING:
        return None
    if look.desired.recreates:
        return look.act(
            values.Action.RECREATE, conditions.Cause("Recreating", "the cloud lost it, and lifecycle.recreate is set")
        )
    text = "it was deleted from the cloud by someone else; set lifecycle.recreate to recreate it, or delete it here"
    return look.nothing(after=STEADY, degraded=conditions.Cause("Missing", text))


def _replaced(look: _Look) -> values.Decision | None:
    if not look.observed.replaced_by:
        return None
    listed = ", ".join(look.observed.replaced_by)
    text = f"another value of {listed} needs a replacement, which this version does not make; nothing was changed"
    return look.nothing(after=STEADY, degraded=conditions.Cause("ReplacementRequired", text))


def _updated(look: _Look) -> values.Decision | None:
    observed = look.observed
    if observed.is_applied:
        return None
    listed = ", ".join(observed.changed)
    cause = conditions.Cause("Updating", f"{listed} is being changed" if listed else "the last change is being completed")
    return look.act(values.Action.UPDATE, cause)


def _repaired(look: _Look) -> values.Decision | None:
    if not look.observed.drift:
        return None
    what = _drift(look.observed)
    if not look.desired.repairs_drift:
        return look.nothing(after=STEADY, degraded=conditions.Cause("Drifted", f"{what}; lifecycle.driftPolicy is Report"))
    if sum(repair.what == what for repair in look.memory.repairs) >= MOST_REPAIRS:
        text = (
            f"{what}; the same was repaired {MOST_REPAIRS} times within an hour, and is not repaired again: find who changes it"
        )
        return look.nothing(after=STEADY, degraded=conditions.Cause("RepairsStopped", text))
    return look.act(values.Action.REPAIR, conditions.Cause("Repairing", what))


def _probed(look: _Look) -> values.Decision | None:
    problem = look.observed.problem
    return None if problem is None else look.unread(problem)


def _comes_up(look: _Look) -> values.Decision | None:
    available = conditions.available(look.desired, look.observed)
    if available.status == "True":
        return look.settled()
    cause = conditions.Cause(available.reason, available.message)
    return look.nothing(after=BUSY, progress=cause, degraded=cause if look.memory.was_ready else None)


#: The first rule with a decision decides.
_RULES: Final[tuple[Callable[[_Look], values.Decision | None], ...]] = (
    _released,
    _deleted,
    _refused,
    _unread,
    _paused,
    _missing,
    _waits,
    _created,
    _replaced,
    _updated,
    _repaired,
    _probed,
    _comes_up,
)
