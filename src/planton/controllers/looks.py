"""The forms of a decision about one resource: to act, to wait, to report that it cannot be read, to leave it alone."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Final

from planton.controllers import conditions, failures, scaling, values

if TYPE_CHECKING:
    from planton.controllers import autoscaling

#: The time between two looks at a resource that is as desired, and at one that is changing.
STEADY: Final = datetime.timedelta(seconds=60)
BUSY: Final = datetime.timedelta(seconds=3)
#: The time between two samples of the autoscaler: that of the HorizontalPodAutoscaler.
SAMPLING: Final = datetime.timedelta(seconds=15)
#: A probe that fails for less than this changes no condition.
PATIENCE: Final = datetime.timedelta(seconds=60)
#: The actions after which nodes come up that were not there before.
_CHANGES: Final = (values.Action.CREATE, values.Action.UPDATE, values.Action.RECREATE, values.Action.DELETE)


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """One look at a resource: what is desired, observed and remembered at a time. It makes decisions of one form.

    Attributes:
        desired: The desired state.
        observed: What the cloud and the cluster have.
        memory: What to remember so far.
        now: The time.
        scaling: The decision of the autoscaler; None if it does not scale the resource.
    """

    desired: values.Desired
    observed: values.Observed
    memory: values.Memory
    now: datetime.datetime
    scaling: autoscaling.Decision | None = None

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
        pause = due - self.now
        return pause if pause <= failure.pause(self.memory.attempt) else datetime.timedelta()

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
        """Returns the decision while the cloud or Kubernetes cannot be read: the last conditions stay for a while.

        Then they say what is wrong if somebody has to act; those of a new resource say it at once.
        """
        since = self.memory.probe_failed or self.now
        is_long = self.now - since >= PATIENCE
        trouble = None if failure.actor is failures.Actor.NOBODY else conditions.Cause(camel(failure.code), failure.message)
        reading = conditions.Cause("Reading", "the cloud is being read")
        before = self.memory.conditions or self._conditions(progress=reading, degraded=trouble)
        kept = dataclasses.replace(self.memory, conditions=before)
        listed = conditions.unread(kept, since=since.isoformat(timespec="seconds"), trouble=trouble) if is_long else before
        # The probe is repeated in a pace that spares a cloud in trouble.
        attempt = 1 + int((self.now - since) / BUSY)
        after = max(BUSY, min(failure.pause(attempt), datetime.timedelta(seconds=30)), failure.silence)
        memory = dataclasses.replace(kept, conditions=listed)
        return values.Decision(
            action=values.Action.NOTHING,
            conditions=listed,
            failure=failure,
            next_look=after,
            memory=memory,
            scaling=self.scaling,
        )

    def settled(self) -> values.Decision:
        """Returns the decision for a resource that is as desired: the last error has been overcome."""
        memory = dataclasses.replace(self.memory, failure=None, attempt=0, next_try=None, was_ready=True)
        return dataclasses.replace(self, memory=memory).nothing(after=STEADY if self.scaling is None else SAMPLING)

    def _failure(self) -> conditions.Cause | None:
        failure = self.memory.failure
        return None if failure is None else conditions.Cause(camel(failure.code), failure.message)

    def _conditions(
        self,
        *,
        progress: conditions.Cause | None = None,
        degraded: conditions.Cause | None = None,
        refused: conditions.Cause | None = None,
    ) -> tuple[values.Condition, ...]:
        listed = conditions.make(self.desired, self.observed, now=self.now, progress=progress, degraded=degraded, refused=refused)
        if self.scaling is None or self.desired.scaling is None:
            return listed
        return (*listed, *scaling.shown(self.scaling, self.desired.scaling))

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
        return values.Decision(
            action=action,
            revision=memory.revision,
            why=why,
            conditions=listed,
            failure=memory.failure,
            next_look=after,
            memory=memory,
            scaling=self.scaling,
        )


def camel(code: failures.Code) -> str:
    """Returns the reason of a condition for a class of failures."""
    return "".join(word.title() for word in code.split("_"))
