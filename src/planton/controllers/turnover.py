"""Rules about nodes that leave: fewer nodes, unhealthy nodes, deleted pools. Each drains first, and takes no node by surprise.

All state is in the cluster and in the cloud: a drain that began is an annotation of its node, so any process can continue.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton.controllers import conditions, looks, scheduling, values
from planton.deploy import drain

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Sequence

#: Failures of the drains of a deleted pool in a row, after which its nodes are deleted without.
_MOST_FAILURES = 3


def needs_workload(desired: values.Desired, observed: values.Observed) -> bool:
    """Returns whether the pods of the nodes decide which nodes leave."""
    return desired.turnover is not None and _excess(observed, desired.nodes) > 0


def leaving(look: looks.Look, count: int | None) -> values.Decision | tuple[str, ...]:
    """Returns the drained nodes to remove for a lower number of nodes, or the decision to drain them first.

    Nodes that are being drained already leave first, then the order is that of `scheduling.in_leaving_order`. A machine that did not
    join the cluster needs no drain. If the nodes cannot be read for as long as a drain may last, the cloud chooses.
    """
    turnover, observed = look.desired.turnover, look.observed
    excess = _excess(observed, count)
    if turnover is None or excess <= 0:
        return ()
    if observed.nodes is None:
        since = look.memory.probe_failed or look.now
        is_over = turnover.limit.after is not None and look.now - since >= turnover.limit.after
        return () if is_over or observed.problem is None else look.unread(observed.problem)
    unseen = (observed.cloud_nodes or 0) - len(observed.own)
    chosen = _in_order(observed)[: max(0, excess - unseen)]
    late = [node for node in chosen if _stage(node) is drain.Stage.TIMED_OUT]
    if late:
        text = f"{names(late)} cannot be removed: {explained(late)}"
        return look.nothing(after=looks.BUSY, degraded=conditions.Cause("DrainTimedOut", text))
    waiting = [node for node in chosen if _stage(node) is not drain.Stage.DONE]
    if waiting:
        text = f"{len(chosen)} of {observed.cloud_nodes} nodes leave: {names(chosen)}; {explained(waiting)}"
        return drained(look, waiting, conditions.Cause("DrainingNodes", text))
    return tuple(node.name for node in chosen)


def emptied(look: looks.Look) -> values.Decision | None:
    """Returns the decision to drain the nodes of a pool that is being deleted; None if they may go.

    A deletion was requested, so nothing blocks it for ever: not a budget, not a cluster that does not answer.
    """
    turnover, observed = look.desired.turnover, look.observed
    if turnover is None or observed.presence is not values.Presence.PRESENT or look.memory.attempt >= _MOST_FAILURES:
        return None
    if observed.nodes is None:
        since = look.memory.probe_failed or look.now
        cause = conditions.Cause("WaitingForKubernetes", f"step 1 of 3: the nodes could not be read since {_time(since)}")
        return look.nothing(after=looks.BUSY, progress=cause) if look.now - since < looks.PATIENCE else None
    waiting = [node for node in observed.nodes if _stage(node) not in (drain.Stage.DONE, drain.Stage.TIMED_OUT)]
    if not waiting:
        return None
    is_detaching = all(_stage(node) is drain.Stage.VOLUMES for node in waiting)
    reason, step = (
        ("WaitingForVolumeDetach", "step 2 of 3: volumes") if is_detaching else ("DrainingNodes", "step 1 of 3: draining")
    )
    return drained(look, waiting, conditions.Cause(reason, f"{step}; {explained(waiting)}"))


def remediated(look: looks.Look) -> values.Decision | None:
    """Returns the decision to replace a node that is not ready for long: one at a time, and not if many are; None for none."""
    turnover, observed = look.desired.turnover, look.observed
    if turnover is None or turnover.unhealthy_after is None or observed.nodes is None or observed.problem is not None:
        return None
    failed = [node for node in observed.own if not node.is_ready]
    sick = [node for node in failed if node.since is not None and look.now - node.since >= turnover.unhealthy_after]
    if not sick:
        return None
    most = max(1, len(observed.own) // 2)
    if len(failed) > most:
        text = f"{len(failed)} of {len(observed.own)} nodes are not ready, more than {most}: none is replaced; {names(failed)}"
        return look.nothing(after=looks.BUSY, degraded=conditions.Cause("TooManyUnhealthy", text))
    if len(failed) > len(sick) or (observed.cloud_nodes or 0) > len(observed.own):
        cause = conditions.Cause("WaitingForNodes", "an unhealthy node is replaced after the new node is ready")
        return look.nothing(after=looks.BUSY, progress=cause)
    node = min(sick, key=lambda each: (each.draining_since is None, each.since, each.name))
    text = f"node {node.name} is not ready since {_time(node.since)}"
    if _stage(node) in (drain.Stage.DONE, drain.Stage.TIMED_OUT):
        acted = look.act(values.Action.REPLACE, conditions.Cause("Remediating", f"{text}, and is replaced"))
        return dataclasses.replace(acted, nodes=(node.name,))
    return drained(look, [node], conditions.Cause("Remediating", f"{text}; {explained([node])}"))


def uncordoned(look: looks.Look) -> values.Decision | None:
    """Returns the decision to end drains that nothing needs any longer, for example after a node has recovered; None for none."""
    marked = [node.name for node in look.observed.nodes or () if node.draining_since is not None]
    if look.desired.turnover is None or not marked:
        return None
    text = f"{', '.join(marked)} stay, and accept pods again"
    return dataclasses.replace(look.act(values.Action.UNCORDON, conditions.Cause("Uncordoning", text)), nodes=tuple(marked))


def drained(look: looks.Look, nodes: Sequence[values.Node], cause: conditions.Cause) -> values.Decision:
    """Returns the decision to take the next step of the drains of some nodes."""
    again = min((node.drain.again for node in nodes if node.drain is not None), default=looks.BUSY)
    acted = look.act(values.Action.DRAIN, cause)
    after = again if acted.action is values.Action.DRAIN else acted.next_look
    return dataclasses.replace(acted, nodes=tuple(node.name for node in nodes), next_look=after)


def explained(nodes: Iterable[values.Node]) -> str:
    """Returns what the drains of nodes wait for, and since when."""
    parts = [
        f"{node.drain.message}, since {_time(node.draining_since)}" if node.drain else f"node {node.name} is to be drained"
        for node in nodes
    ]
    return "; ".join(parts)


def names(nodes: Iterable[values.Node]) -> str:
    """Returns the names of nodes as one text."""
    return ", ".join(node.name for node in nodes)


def _excess(observed: values.Observed, count: int | None) -> int:
    is_there = observed.presence is values.Presence.PRESENT and observed.cloud_nodes is not None
    return 0 if count is None or not is_there else (observed.cloud_nodes or 0) - count


def _in_order(observed: values.Observed) -> list[values.Node]:
    """Returns the nodes of a pool, first the one that is to leave first; last those that an annotation keeps."""
    running = observed.workload.nodes if observed.workload is not None else ()
    ranks = {node.name: rank for rank, node in enumerate(scheduling.in_leaving_order(running))}
    rest = len(ranks)
    return sorted(
        observed.own,
        key=lambda node: (
            node.draining_since is None,
            ranks.get(node.name, rest),
            node.is_ready,
            not node.is_cordoned,
            node.created,
        ),
    )


def _stage(node: values.Node) -> drain.Stage | None:
    return None if node.drain is None else node.drain.stage


def _time(time: datetime.datetime | None) -> str:
    return "an unknown time" if time is None else f"{time:%Y-%m-%dT%H:%M:%SZ}"
