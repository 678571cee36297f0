"""The next step of a rolling replacement: a pure function of two pools, the old and the new one.

The new pool comes up beside the old one. Old nodes are cordoned, drained and removed in order, so that at no time there are more
nodes than ``desired + surge``, or fewer serving ones than ``desired - unavailable``. To revert, the caller exchanges the pools.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import TYPE_CHECKING

from planton.deploy import drain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Action(enum.StrEnum):
    """What to do next."""

    UNCORDON = "uncordon"
    """Lets new nodes accept pods again, after a revert."""
    CREATE = "create"
    """Creates the new pool."""
    SCALE = "scale"
    """Adds nodes to the new pool."""
    DRAIN = "drain"
    """Cordons and drains nodes of the old pool."""
    REMOVE = "remove"
    """Removes drained nodes from the old pool."""
    DELETE = "delete"
    """Deletes the old pool."""
    WAIT = "wait"
    FAIL = "fail"
    """Stops: a drain has timed out."""
    DONE = "done"


class OnTimeout(enum.StrEnum):
    """What happens to a node whose drain has timed out."""

    FAIL = "Fail"
    QUARANTINE = "Quarantine"
    """It stays, cordoned, and the other nodes go on."""
    FORCE = "Force"
    """Its pods are deleted, so that the drain ends (`planton.deploy.drain.Limit`)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to replace.

    Attributes:
        desired: The number of nodes.
        surge: How many more nodes there may be meanwhile.
        unavailable: How many fewer nodes may serve meanwhile. Not 0 together with ``surge``.
        soak: How long a new node must be ready before an old one is drained for it.
        on_timeout: What happens to a node whose drain has timed out.
    """

    desired: int
    surge: int = 1
    unavailable: int = 0
    soak: datetime.timedelta = datetime.timedelta()
    on_timeout: OnTimeout = OnTimeout.FAIL


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of one of the pools.

    Attributes:
        name: Its name.
        ready_since: When it became ready; None while it is not.
        is_cordoned: Whether it is unschedulable.
        drain: What its drain waits for; None for a node that is not being drained.
    """

    name: str
    ready_since: datetime.datetime | None
    is_cordoned: bool = False
    drain: drain.Stage | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool in the cloud.

    Attributes:
        target: The number of nodes that the cloud was asked for.
        nodes: Its nodes, in the order in which they should leave.
    """

    target: int
    nodes: tuple[Node, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step.

    Attributes:
        action: What to do.
        message: The explanation.
        nodes: The nodes that it concerns.
        count: The new number of nodes of the pool that is created, scaled or shrunk.
    """

    action: Action
    message: str
    nodes: tuple[str, ...] = ()
    count: int = 0


def step(options: Options, old: Pool | None, new: Pool | None, now: datetime.datetime) -> Step:
    """Returns the next step.

    Args:
        options: How to replace.
        old: The pool that goes; None once it is deleted.
        new: The pool that comes; None before it is created.
        now: The time.
    """
    done = 0 if new is None else len(_serving(new.nodes, now, options.soak))
    done = min(done, options.desired)
    progress = f"step {done + 1} of {options.desired + 1}: {done} of {options.desired} nodes are replaced"
    if new is not None and (cordoned := _names(node for node in new.nodes if node.drain is not None)):
        return Step(action=Action.UNCORDON, nodes=cordoned, message=progress)
    if old is None:
        return _finished(options, new, done, progress)
    drained = _names(node for node in old.nodes if node.drain is drain.Stage.DONE)
    target = 0 if new is None else new.target
    if drained and len(drained) < old.target:
        return Step(action=Action.REMOVE, nodes=drained, count=old.target - len(drained), message=progress)
    more = min(options.desired + options.surge - old.target - target, options.desired - target)
    if more > 0:
        return Step(action=Action.SCALE if new else Action.CREATE, count=target + more, message=progress)
    if len(drained) == old.target and (target >= options.desired or done + options.unavailable >= options.desired):
        return Step(action=Action.DELETE, message=progress)
    return _drained(options, old, done, now, progress)


def _finished(options: Options, new: Pool | None, done: int, progress: str) -> Step:
    target = 0 if new is None else new.target
    if target < options.desired:
        return Step(action=Action.SCALE if new else Action.CREATE, count=options.desired, message=progress)
    return Step(action=Action.DONE if done >= options.desired else Action.WAIT, message=progress)


def _drained(options: Options, old: Pool, done: int, now: datetime.datetime, progress: str) -> Step:
    late = [node for node in old.nodes if node.drain is drain.Stage.TIMED_OUT]
    if late and options.on_timeout is not OnTimeout.QUARANTINE:
        text = f"{progress}; the drain of {', '.join(_names(late))} has timed out"
        return Step(action=Action.FAIL, nodes=_names(late), message=text)
    active = [node for node in old.nodes if node.is_cordoned and node not in late and node.drain is not drain.Stage.DONE]
    serving = len(_serving(old.nodes, now, datetime.timedelta())) + done
    free = max(0, serving - (options.desired - options.unavailable))
    # A node that is not ready serves nothing: its drain costs nothing.
    idle = [node for node in old.nodes if not node.is_cordoned and node.ready_since is None]
    chosen = [*idle, *[node for node in old.nodes if not node.is_cordoned and node.ready_since is not None][:free]]
    if names := _names([*active, *chosen]):
        return Step(action=Action.DRAIN, nodes=names, message=progress)
    if late and all(node.drain in (drain.Stage.TIMED_OUT, drain.Stage.DONE) for node in old.nodes):
        text = f"{progress}; {', '.join(_names(late))} could not be drained, and stay cordoned"
        return Step(action=Action.FAIL, nodes=_names(late), message=text)
    return Step(action=Action.WAIT, message=f"{progress}; new nodes must become ready")


def _serving(nodes: Sequence[Node], now: datetime.datetime, soak: datetime.timedelta) -> list[Node]:
    return [node for node in nodes if not node.is_cordoned and node.ready_since is not None and now - node.ready_since >= soak]


def _names(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(node.name for node in nodes)
