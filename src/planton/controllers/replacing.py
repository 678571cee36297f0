"""Replaces a pool: decides which of its two pools is created, drained or deleted next. Pure functions.

A pool has a revision. Its stack and its name in the cloud follow from it, so that a controller that was killed finds both again.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from planton.controllers import conditions, looks, rollout, turnover, values

if TYPE_CHECKING:
    import datetime

_NEVER: Final = values.Observed(presence=values.Presence.NEVER)
_REASON: Final = "RollingOut"


@dataclasses.dataclass(frozen=True, slots=True)
class _Pair:
    """The pool that comes and the pool that goes, with their revisions."""

    new: values.Observed
    new_revision: int
    old: values.Observed
    old_revision: int


def settled(observed: values.Observed, memory: values.Memory) -> tuple[values.Observed, values.Memory]:
    """Returns what to decide from once one of two pools has gone: the other one is the pool."""
    if memory.rolling is None:
        return observed, memory
    successor = observed.successor or _NEVER
    if observed.presence is values.Presence.NEVER:
        return successor, dataclasses.replace(memory, revision=memory.revision + 1, rolling=None)
    if successor.presence is values.Presence.NEVER and observed.presence is values.Presence.PRESENT and not observed.replaced_by:
        return dataclasses.replace(observed, successor=None), dataclasses.replace(memory, rolling=None)
    return observed, memory


def replaced(look: looks.Look) -> values.Decision | None:
    """Returns the next step of a replacement; None if there is none to make."""
    policy, look = look.desired.turnover, _begun(look)
    if policy is None or look.memory.rolling is None:
        return None
    pair = _pair(look.observed, look.memory.revision)
    problem = next((each.problem for each in (pair.new, pair.old) if each.presence is values.Presence.UNKNOWN), None)
    problem = problem or look.observed.problem
    if problem is not None:
        return look.unread(problem)
    return _prepared(look, pair) or _stepped(look, policy, pair)


def _begun(look: looks.Look) -> looks.Look:
    """Returns a look that remembers a replacement which the spec needs, and which can be made."""
    observed = look.observed
    is_needed = observed.presence is values.Presence.PRESENT and observed.replaced_by and observed.is_rollable
    if look.memory.rolling is not None or not is_needed:
        return look
    memory = dataclasses.replace(look.memory, rolling=look.desired.nodes or observed.cloud_nodes or 1)
    return dataclasses.replace(look, memory=memory)


def _prepared(look: looks.Look, pair: _Pair) -> values.Decision | None:
    """Returns what comes before the steps of a rollout: both pools are complete, and no autoscaler changes them meanwhile."""
    if pair.old.presence is not values.Presence.PRESENT:
        return _acted(look, values.Action.DELETE, "the rest of the old pool is being deleted", pair.old_revision)
    if pair.new.presence is values.Presence.MISSING:
        return _lost(look, pair)
    scaled = [
        (each, revision)
        for each, revision in ((pair.old, pair.old_revision), (pair.new, pair.new_revision))
        if each.is_autoscaled
    ]
    if not scaled:
        return None
    pool, revision = scaled[0]
    decision = _acted(look, values.Action.UPDATE, "the autoscaler of the pool is off during the replacement", revision)
    return dataclasses.replace(decision, count=pool.cloud_nodes)


def _pair(observed: values.Observed, revision: int) -> _Pair:
    successor = observed.successor or _NEVER
    # A spec that the current pool fits again, or that neither fits, leads back: only one change is under way at a time. A pool whose
    # deletion began does not come back.
    is_wrong = successor.presence is values.Presence.PRESENT and bool(successor.replaced_by)
    is_there = observed.presence is values.Presence.PRESENT and successor.presence is not values.Presence.NEVER
    if is_there and (is_wrong or not observed.replaced_by):
        return _Pair(observed, revision, successor, revision + 1)
    return _Pair(successor, revision + 1, observed, revision)


def _stepped(look: looks.Look, policy: values.Turnover, pair: _Pair) -> values.Decision:
    options = rollout.Options(
        desired=_total(look),
        surge=policy.surge,
        unavailable=policy.unavailable,
        soak=policy.soak,
        on_timeout=policy.on_timeout,
    )
    nodes = {node.name: node for node in look.observed.nodes or ()}
    old = _pool(pair.old, nodes, look.now)
    new = _pool(pair.new, nodes, look.now) if pair.new.presence is values.Presence.PRESENT else None
    step = rollout.step(options, old, new, look.now)
    chosen = [nodes[name] for name in step.nodes if name in nodes]
    text = f"{step.message}; {turnover.explained(chosen)}" if step.action in _EXPLAINED and chosen else step.message
    cause = conditions.Cause(_REASON, text)
    if step.action is rollout.Action.DRAIN:
        return turnover.drained(look, chosen, cause)
    if step.action is rollout.Action.FAIL:
        return look.nothing(after=looks.BUSY, degraded=conditions.Cause("RolloutStopped", text))
    if step.action not in _ACTIONS:
        return look.nothing(after=looks.BUSY, progress=cause)
    action, is_old = _ACTIONS[step.action]
    decision = _acted(look, action, text, pair.old_revision if is_old else pair.new_revision)
    return dataclasses.replace(decision, count=step.count or None, nodes=step.nodes)


#: What a step of a rollout does, and whether to the old pool.
_ACTIONS: Final = {
    rollout.Action.UNCORDON: (values.Action.UNCORDON, False),
    rollout.Action.CREATE: (values.Action.CREATE, False),
    rollout.Action.SCALE: (values.Action.UPDATE, False),
    rollout.Action.REMOVE: (values.Action.REMOVE, True),
    rollout.Action.DELETE: (values.Action.DELETE, True),
}
#: The steps whose drains the status explains.
_EXPLAINED: Final = (rollout.Action.DRAIN, rollout.Action.FAIL)


def _total(look: looks.Look) -> int:
    # The number of an autoscaled pool stays what it was when the replacement began.
    fixed = look.desired.nodes if look.desired.scaling is None else None
    return fixed or look.memory.rolling or 1


def _pool(observed: values.Observed, listed: dict[str, values.Node], now: datetime.datetime) -> rollout.Pool:
    own = [node for node in listed.values() if node.name in observed.members]
    own.sort(key=lambda node: (node.draining_since is None, node.is_ready, node.created, node.name))
    return rollout.Pool(target=observed.cloud_nodes or 0, nodes=tuple(_node(node, now) for node in own))


def _node(node: values.Node, now: datetime.datetime) -> rollout.Node:
    # The clock of the cluster may be ahead.
    since = min(node.since or node.created, now) if node.is_ready else None
    stage = None if node.drain is None else node.drain.stage
    return rollout.Node(name=node.name, ready_since=since, is_cordoned=node.is_cordoned, drain=stage)


def _acted(look: looks.Look, action: values.Action, text: str, revision: int) -> values.Decision:
    return dataclasses.replace(look.act(action, conditions.Cause(_REASON, text)), revision=revision)


def _lost(look: looks.Look, pair: _Pair) -> values.Decision:
    if look.desired.recreates:
        text = "the cloud lost the new pool, and lifecycle.recreate is set"
        return _acted(look, values.Action.RECREATE, text, pair.new_revision)
    text = "the new pool was deleted from the cloud by someone else; set lifecycle.recreate, or change the spec back"
    return look.nothing(after=looks.STEADY, degraded=conditions.Cause("Missing", text))
