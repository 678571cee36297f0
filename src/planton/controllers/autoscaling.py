"""How many nodes an autoscaled pool needs: a pure function of its targets, its history and one sample.

The desired number follows from utilization as the HorizontalPodAutoscaler computes it, and from pods that cannot be scheduled as
the cluster autoscaler does. `decide` never looks at a clock: the sample has the time.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from planton.controllers import scheduling, utilization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: The delays of a pool that names none, in seconds.
DEFAULT_UP_DELAY: Final = 180.0
DEFAULT_DOWN_DELAY: Final = 600.0
#: Seconds that new nodes have to become ready. Then the others decide without them.
PROVISION_TIMEOUT: Final = 900.0
#: The age of metrics, in seconds, from which they count as missing, and the longest time between two samples of one history.
METRICS_TTL: Final = 120.0
#: While a recommendation waits for its delay, the history changes once in so many seconds: whoever stores it writes as rarely.
_NOTED: Final = 30.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What a pool's spec asks for.

    Attributes:
        min_nodes: The lower bound.
        max_nodes: The upper bound.
        cpu: The target CPU utilization in percent; None for none.
        memory: The target memory utilization in percent; None for none.
        up_delay: Seconds of load before nodes are added.
        down_delay: Seconds of idleness before a node is removed.
    """

    min_nodes: int
    max_nodes: int
    cpu: int | None = None
    memory: int | None = None
    up_delay: float = DEFAULT_UP_DELAY
    down_delay: float = DEFAULT_DOWN_DELAY


@dataclasses.dataclass(frozen=True, slots=True)
class Hold:
    """Why the number of nodes stays.

    Attributes:
        reason: A CamelCase word for the condition `ScalingActive`.
        message: The explanation.
    """

    reason: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was observed at one time.

    Attributes:
        now: The time, in seconds.
        target: The number of nodes that the cloud was last asked for.
        nodes: The pool's nodes.
        template: An empty node of the pool; None while none is known.
        pending: Pods that cannot be scheduled.
        measured: The time of the metrics, in seconds; None without metrics.
        busy: Why nothing may change now, such as a rollout, a deletion or a pause; None if it may.
        unread: Why nodes or pods are unknown; None if they are known. Bounds do not need them.
    """

    now: float
    target: int
    nodes: tuple[scheduling.Node, ...]
    template: scheduling.Node | None
    pending: tuple[scheduling.Pod, ...] = ()
    measured: float | None = None
    busy: Hold | None = None
    unread: Hold | None = None

    @property
    def usable(self) -> tuple[scheduling.Node, ...]:
        """The nodes on which new pods can run."""
        return tuple(node for node in self.nodes if node.is_usable)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What earlier decisions left behind.

    Attributes:
        began: The time of the first sample, in seconds.
        changed: The time of the last change of the number of nodes, in seconds.
        wants: Time → recommended number of nodes, oldest first, within the longer delay.
        sampled: About the time of the last sample, in seconds, while a recommendation waits for its delay; None otherwise.
    """

    began: float
    changed: float = -math.inf
    wants: tuple[tuple[float, int], ...] = ()
    sampled: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of one sample.

    Attributes:
        count: The number of nodes that the pool should have.
        leaving: The names of the nodes that leave, when the number falls.
        reason: A CamelCase word for the condition `ScalingActive`.
        message: The explanation, with values.
        is_active: Whether the autoscaler could decide.
        limited: `TooFewReplicas` or `TooManyReplicas` where a bound cut the recommendation; empty otherwise.
        too_large: Pods that this pool accepts, but that fit none of its nodes, however empty.
        measured: Metric → utilization of the pool in percent, for the metrics with a target.
    """

    count: int
    reason: str
    message: str
    leaving: tuple[str, ...] = ()
    is_active: bool = True
    limited: str = ""
    too_large: tuple[str, ...] = ()
    measured: tuple[tuple[str, int], ...] = ()


def decide(targets: Targets, history: History, sample: Sample) -> tuple[Decision, History]:
    """Returns the number of nodes for one sample, and the history for the next one."""
    if history.sampled is not None and sample.now - history.sampled > METRICS_TTL:
        # Nobody knows what held meanwhile.
        history = dataclasses.replace(history, began=sample.now, wants=(), sampled=None)
    if sample.busy is not None:
        return _held(sample, sample.busy), history
    bounded = _bounded(targets, sample.target)
    if bounded != sample.target:
        return _to_bounds(targets, history, sample, bounded)
    hold = sample.unread or _not_ready(history, sample)
    if hold is not None:
        return _held(sample, hold), history
    if sample.usable and _is_stale(targets, sample):
        text = f"metrics-server of the cluster has reported nothing for {METRICS_TTL:.0f} s"
        # What held before the gap says nothing about the time of the gap.
        history = dataclasses.replace(history, began=sample.now, wants=(), sampled=None)
        return _held(sample, Hold("MetricsUnavailable", text)), history
    return _from_metrics(targets, history, sample)


def _held(sample: Sample, hold: Hold) -> Decision:
    return Decision(count=sample.target, reason=hold.reason, message=hold.message, is_active=False)


def _not_ready(history: History, sample: Sample) -> Hold | None:
    usable = len(sample.usable)
    is_settled = usable == len(sample.nodes) == sample.target
    is_late = sample.now - history.changed >= PROVISION_TIMEOUT
    if sample.template is not None and (is_settled or is_late):
        return None
    return Hold("NodesNotReady", f"{usable} of {sample.target} nodes are ready")


def _from_metrics(targets: Targets, history: History, sample: Sample) -> tuple[Decision, History]:
    assert sample.template is not None, "decisions without one are held"
    pods = [pod for pod in sample.pending if scheduling.fits_empty(sample.template, pod)]
    recommended = _recommended(targets, sample, sample.template, pods)
    history = _remembered(history, sample, recommended.nodes, longest=max(targets.up_delay, targets.down_delay))
    raised = _steady(history, sample.now, targets.up_delay, min) or 0
    lowered = _steady(history, sample.now, targets.down_delay, max)
    decision = Decision(count=sample.target, reason="DesiredWithinRange", message=_waiting(targets, sample, recommended))
    if raised > sample.target:
        reason = "PendingPods" if pods else "HighUtilization"
        decision = dataclasses.replace(decision, count=raised, reason=reason, message=recommended.cause)
    elif lowered is not None and lowered < sample.target and not pods and sample.now - history.changed >= targets.down_delay:
        decision = _lowered(decision, sample, max(lowered, targets.min_nodes), recommended.cause)
    decision = dataclasses.replace(
        decision,
        count=_bounded(targets, decision.count),
        limited=_limited(targets, recommended.nodes),
        too_large=_too_large(sample, sample.template),
        measured=recommended.measured,
    )
    return decision, _changed(history, sample, decision.count)


def _recommended(
    targets: Targets, sample: Sample, template: scheduling.Node, pods: Sequence[scheduling.Pod]
) -> utilization.Recommendation:
    """Returns the greater of the numbers of nodes that utilization and pending pods ask for."""
    used = utilization.recommended(targets, sample, template)
    needed = sample.target + scheduling.nodes_for(pods, template, sample.nodes)
    if not pods or used.nodes > needed:
        return used
    count = f"{len(pods)} pod{'' if len(pods) == 1 else 's'}"
    return utilization.Recommendation(needed, "pending pods", f"{count} cannot be scheduled on the present nodes", used.measured)


def _waiting(targets: Targets, sample: Sample, recommended: utilization.Recommendation) -> str:
    """Returns what a decision without a change waits for. It has no value that changes with each sample."""
    bounded = _bounded(targets, recommended.nodes)
    if bounded == sample.target:
        return f"{_nodes(sample.target)} enough"
    delay, name = (targets.up_delay, "scaleUpDelay") if bounded > sample.target else (targets.down_delay, "scaleDownDelay")
    return f"{_nodes(bounded)} recommended by {recommended.metric}, for less than {name}, {delay:.0f} s"


def _too_large(sample: Sample, template: scheduling.Node) -> tuple[str, ...]:
    accepted = (pod for pod in sample.pending if scheduling.accepts(template, pod))
    return tuple(sorted(pod.name for pod in accepted if not scheduling.fits_empty(template, pod)))


def _lowered(decision: Decision, sample: Sample, least: int, cause: str) -> Decision:
    leaving = _leaving(sample, sample.target - least)
    if not leaving:
        text = f"{_nodes(least)} recommended, but no node can leave: its pods would fit nowhere else, or an annotation keeps it"
        return dataclasses.replace(decision, reason="PodsWouldNotFit", message=text)
    count = sample.target - len(leaving)
    return dataclasses.replace(decision, count=count, leaving=leaving, reason="LowUtilization", message=cause)


def _to_bounds(targets: Targets, history: History, sample: Sample, bounded: int) -> tuple[Decision, History]:
    surplus = max(0, sample.target - bounded)
    leaving = tuple(node.name for node in scheduling.in_leaving_order(sample.nodes)[:surplus])
    text = f"{_nodes(sample.target)} outside of the bounds {targets.min_nodes} to {targets.max_nodes}"
    decision = Decision(
        count=bounded, leaving=leaving, reason="OutOfBounds", message=text, limited=_limited(targets, sample.target)
    )
    return decision, _changed(history, sample, bounded)


def _leaving(sample: Sample, most: int) -> tuple[str, ...]:
    """Returns the nodes that can leave now: all empty ones, or one with pods that fit on the nodes that stay."""
    leaving: list[scheduling.Node] = []
    for node in scheduling.in_leaving_order(sample.nodes):
        if len(leaving) == most or (node.workload and leaving):
            break
        staying = [each for each in sample.nodes if each is not node and each not in leaving]
        if scheduling.can_leave(node, staying):
            leaving.append(node)
        if node.workload and leaving:
            break
    return tuple(node.name for node in leaving)


def _steady(history: History, now: float, delay: float, extreme: Callable[[Iterable[int]], int]) -> int | None:
    """Returns the extreme of the recommendations of the last seconds; None if there are none from before."""
    if now - history.began < delay:
        return None
    return extreme(want for at, want in _within(history.wants, now, delay))


def _within(wants: Sequence[tuple[float, int]], now: float, delay: float) -> list[tuple[float, int]]:
    """Returns the recommendations that held at some time of the last seconds: also the one that held at their start."""
    return [
        (at, want)
        for number, (at, want) in enumerate(wants)
        if at >= now - delay or number + 1 == len(wants) or wants[number + 1][0] > now - delay
    ]


def _remembered(history: History, sample: Sample, want: int, *, longest: float) -> History:
    now = sample.now
    if not history.wants:
        # The delays begin with the first recommendation, not with a time at which there was none.
        history = dataclasses.replace(history, began=now)
    if not history.wants or history.wants[-1][1] != want:
        history = dataclasses.replace(history, wants=(*history.wants, (now, want)))
    wants = tuple(_within(history.wants, now, longest))
    is_waiting = any(number != sample.target for _, number in wants)
    return dataclasses.replace(history, wants=wants, sampled=now - now % _NOTED if is_waiting else None)


def _changed(history: History, sample: Sample, count: int) -> History:
    return history if count == sample.target else dataclasses.replace(history, changed=sample.now)


def _is_stale(targets: Targets, sample: Sample) -> bool:
    if targets.cpu is None and targets.memory is None:
        return False
    return sample.measured is None or sample.now - sample.measured > METRICS_TTL


def _bounded(targets: Targets, count: int) -> int:
    return min(max(count, targets.min_nodes), targets.max_nodes)


def _nodes(count: int) -> str:
    return "1 node is" if count == 1 else f"{count} nodes are"


def _limited(targets: Targets, count: int) -> str:
    if count > targets.max_nodes:
        return "TooManyReplicas"
    return "TooFewReplicas" if count < targets.min_nodes else ""
