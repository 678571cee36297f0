"""Decides what to do about one resource: a pure function of what is desired, what is observed, and the time.

It is total: every input has a decision. It never asks for a replacement or a deletion that the desired state does not ask for.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Final

from planton.controllers import autoscaling, causes, conditions, failures, looks, replacing, scaling, turnover, values

if TYPE_CHECKING:
    from collections.abc import Callable

#: Identical repairs in a window. The last one is not made.
MOST_REPAIRS: Final = 2
WINDOW: Final = datetime.timedelta(hours=1)


def decide(desired: values.Desired, observed: values.Observed, memory: values.Memory, now: datetime.datetime) -> values.Decision:
    """Returns what to do, what to report, and when to look again.

    Args:
        desired: The desired state.
        observed: What the cloud and the cluster have.
        memory: What the controller has reported last.
        now: The time.
    """
    observed, memory = replacing.settled(observed, memory)
    memory = _refreshed(desired, observed, memory, now)
    scaled = scaling.decide(desired, observed, memory, now)
    memory = dataclasses.replace(memory, scaling=None if scaled is None else _unchanged(scaled[1], memory.scaling))
    look = looks.Look(desired, observed, memory, now, None if scaled is None else scaled[0])
    for rule, cause in _RULES:
        decision = rule(look)
        if decision is not None:
            return dataclasses.replace(decision, cause=cause)
    return look.nothing(after=looks.STEADY)


def succeeded(decision: values.Decision, observed: values.Observed, now: datetime.datetime) -> values.Memory:
    """Returns what to remember after an action that succeeded."""
    repairs = decision.memory.repairs
    if decision.action is values.Action.REPAIR:
        repairs = (*repairs, values.Repair(now, _drift(observed)))
    memory = dataclasses.replace(decision.memory, failure=None, attempt=0, next_try=None, repairs=repairs)
    if decision.action is values.Action.SCALE and memory.scaling is not None:
        return dataclasses.replace(memory, scaling=dataclasses.replace(memory.scaling, changed=now.timestamp()))
    return memory


def failed(
    decision: values.Decision, desired: values.Desired, failure: failures.Failure, now: datetime.datetime
) -> values.Memory:
    """Returns what to remember after an action that failed."""
    attempt = decision.memory.attempt + 1
    return dataclasses.replace(
        decision.memory,
        failure=failure,
        failed_generation=desired.generation,
        failed_deletion=desired.is_deleting,
        attempt=attempt,
        next_try=now + failure.pause(attempt),
    )


def _refreshed(
    desired: values.Desired, observed: values.Observed, memory: values.Memory, now: datetime.datetime
) -> values.Memory:
    is_new = (memory.failed_generation, memory.failed_deletion) != (desired.generation, desired.is_deleting)
    since = None if observed.problem is None else memory.probe_failed or now
    repairs = tuple(repair for repair in memory.repairs if now - repair.time < WINDOW)
    memory = dataclasses.replace(memory, repairs=repairs, probe_failed=since)
    # Another desired state deserves an attempt at once. Its error stays until something succeeds.
    return dataclasses.replace(memory, attempt=0, next_try=None) if is_new and memory.failure is not None else memory


def _unchanged(history: autoscaling.History, before: autoscaling.History | None) -> autoscaling.History:
    """Returns a history in which the number of nodes has not changed: only an action that succeeds changes it."""
    return history if before is None else dataclasses.replace(history, changed=before.changed)


def _drift(observed: values.Observed) -> str:
    return "; ".join(map(str, observed.drift))


def _released(look: looks.Look) -> values.Decision | None:
    if not (look.desired.is_deleting and look.observed.presence is values.Presence.NEVER):
        return None
    return values.Decision(action=values.Action.RELEASE, conditions=conditions.deleted(), memory=look.memory)


def _deleted(look: looks.Look) -> values.Decision | None:
    if not look.desired.is_deleting:
        return None
    if look.desired.waits_for:
        return look.nothing(after=looks.BUSY, progress=conditions.Cause("WaitingForDependants", look.desired.waits_for))
    if look.observed.presence is values.Presence.UNKNOWN and look.observed.problem is not None:
        return look.unread(look.observed.problem)
    if (drained := turnover.emptied(look)) is not None:
        return drained
    step = "" if look.desired.turnover is None else "step 3 of 3: infrastructure; "
    cause = conditions.Cause("DeletingInfrastructure", f"{step}it is being deleted from the cloud")
    return look.act(values.Action.DELETE, cause)


def _refused(look: looks.Look) -> values.Decision | None:
    problem = look.desired.problem
    if problem is None:
        return None
    memory = dataclasses.replace(
        look.memory, failure=problem, failed_generation=look.desired.generation, failed_deletion=look.desired.is_deleting
    )
    cause = conditions.Cause(looks.camel(problem.code), problem.message)
    return dataclasses.replace(look, memory=memory).nothing(after=problem.pause(1), refused=cause)


def _paused(look: looks.Look) -> values.Decision | None:
    until = look.desired.paused_until
    if until is None or not conditions.is_paused(look.desired, look.now):
        return None
    return look.nothing(after=min(looks.STEADY, until - look.now))


def _unread(look: looks.Look) -> values.Decision | None:
    if look.observed.presence is not values.Presence.UNKNOWN:
        return None
    unread = failures.make(failures.Code.NETWORK, "the cloud could not be read")
    return look.unread(look.observed.problem or unread)


def _waits(look: looks.Look) -> values.Decision | None:
    if not look.desired.waits_for:
        return None
    return look.nothing(after=looks.BUSY, progress=conditions.Cause("WaitingForDependency", look.desired.waits_for))


def _created(look: looks.Look) -> values.Decision | None:
    if look.observed.presence not in (values.Presence.NEVER, values.Presence.PARTIAL):
        return None
    if look.desired.adopts:
        cause = conditions.Cause("Adopting", f"{look.desired.adopts} exists in the cloud, and is being adopted")
    else:
        cause = conditions.Cause("Creating", "it is being created in the cloud")
    return look.act(values.Action.CREATE, cause)


def _missing(look: looks.Look) -> values.Decision | None:
    # During a replacement the old pool may be missing: it was to go.
    if look.observed.presence is not values.Presence.MISSING or look.memory.rolling is not None:
        return None
    if look.desired.recreates:
        return look.act(
            values.Action.RECREATE, conditions.Cause("Recreating", "the cloud lost it, and lifecycle.recreate is set")
        )
    text = "it was deleted from the cloud by someone else; set lifecycle.recreate to recreate it, or delete it here"
    return look.nothing(after=looks.STEADY, degraded=conditions.Cause("Missing", text))


def _replaced(look: looks.Look) -> values.Decision | None:
    if not look.observed.replaced_by:
        return None
    listed = ", ".join(look.observed.replaced_by)
    text = f"another value of {listed} needs a replacement, which cannot be made node by node; nothing was changed"
    return look.nothing(after=looks.STEADY, degraded=conditions.Cause("ReplacementRequired", text))


def _updated(look: looks.Look) -> values.Decision | None:
    observed = look.observed
    if observed.is_applied:
        return None
    leaving = turnover.leaving(look, look.desired.nodes)
    if isinstance(leaving, values.Decision):
        return leaving
    listed = ", ".join(observed.changed)
    cause = conditions.Cause("Updating", f"{listed} is being changed" if listed else "the last change is being completed")
    return dataclasses.replace(look.act(values.Action.UPDATE, cause), nodes=leaving)


def _repaired(look: looks.Look) -> values.Decision | None:
    if not look.observed.drift:
        return None
    what = _drift(look.observed)
    if not look.desired.repairs_drift:
        return look.nothing(after=looks.STEADY, degraded=conditions.Cause("Drifted", f"{what}; lifecycle.driftPolicy is Report"))
    if sum(repair.what == what for repair in look.memory.repairs) >= MOST_REPAIRS:
        text = f"{what}; the same was repaired {MOST_REPAIRS} times within an hour; repairs are stopped: find what changes it"
        return look.nothing(after=looks.STEADY, degraded=conditions.Cause("RepairsStopped", text))
    leaving = turnover.leaving(look, look.desired.nodes)
    if isinstance(leaving, values.Decision):
        return leaving
    return dataclasses.replace(look.act(values.Action.REPAIR, conditions.Cause("Repairing", what)), nodes=leaving)


def _scaled(look: looks.Look) -> values.Decision | None:
    scaled, count = look.scaling, look.desired.nodes
    if scaled is None or count is None or scaled.count == count:
        return None
    leaving = turnover.leaving(look, scaled.count)
    if isinstance(leaving, values.Decision):
        return leaving
    reason = "ScalingUp" if scaled.count > count else "ScalingDown"
    cause = conditions.Cause(reason, f"from {count} to {scaled.count} nodes: {scaled.message}")
    return dataclasses.replace(look.act(values.Action.SCALE, cause), count=scaled.count, nodes=leaving)


def _probed(look: looks.Look) -> values.Decision | None:
    problem = look.observed.problem
    return None if problem is None else look.unread(problem)


def _troubled(look: looks.Look) -> values.Decision | None:
    trouble = look.observed.trouble
    if trouble is None:
        return None
    cause = conditions.Cause(looks.camel(trouble.code), trouble.message)
    return dataclasses.replace(look.nothing(after=looks.BUSY, degraded=cause), failure=trouble)


def _comes_up(look: looks.Look) -> values.Decision | None:
    available = conditions.available(look.desired, look.observed)
    if available.status == "True" and not _lacks_nodes(look):
        return look.settled()
    cause = conditions.Cause("NodesNotReady", available.message)
    return look.nothing(
        after=looks.BUSY, progress=cause, degraded=cause if look.memory.was_ready and not _is_growing(look) else None
    )


def _lacks_nodes(look: looks.Look) -> bool:
    ready = look.observed.ready
    return look.scaling is not None and None not in (ready, look.desired.nodes) and ready < look.desired.nodes  # type: ignore[operator]


def _is_growing(look: looks.Look) -> bool:
    """Returns whether the autoscaler has just asked for nodes, which come up."""
    history = look.memory.scaling
    return history is not None and look.now.timestamp() - history.changed < autoscaling.PROVISION_TIMEOUT


#: The first rule with a decision decides. Each has the cause of its actions.
_RULES: Final[tuple[tuple[Callable[[looks.Look], values.Decision | None], causes.Cause], ...]] = (
    (_released, causes.Cause.DELETION),
    (_deleted, causes.Cause.DELETION),
    (_refused, causes.Cause.SPEC_CHANGE),
    (_unread, causes.Cause.SPEC_CHANGE),
    (_paused, causes.Cause.SPEC_CHANGE),
    (_missing, causes.Cause.DRIFT_REPAIR),
    (_waits, causes.Cause.SPEC_CHANGE),
    (replacing.replaced, causes.Cause.ROLLOUT),
    (_created, causes.Cause.SPEC_CHANGE),
    (_replaced, causes.Cause.SPEC_CHANGE),
    (_updated, causes.Cause.SPEC_CHANGE),
    (_repaired, causes.Cause.DRIFT_REPAIR),
    (_scaled, causes.Cause.AUTOSCALING),
    (_probed, causes.Cause.SPEC_CHANGE),
    (turnover.remediated, causes.Cause.REMEDIATION),
    (turnover.uncordoned, causes.Cause.DRAIN_CANCELLED),
    (_troubled, causes.Cause.SPEC_CHANGE),
    (_comes_up, causes.Cause.SPEC_CHANGE),
)
