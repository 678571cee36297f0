"""How many nodes an autoscaled pool needs: a pure function of its targets, its history and one sample.

The desired number follows from utilization as the HorizontalPodAutoscaler computes it, and from pods that cannot be scheduled as
the cluster autoscaler does. `decide` never looks at a clock: the sample has the time.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from planton.controllers import scheduling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: A utilization within a tenth of its target changes nothing, as in Kubernetes.
TOLERANCE: Final = 0.1
#: The delays of a pool that names none, in seconds.
DEFAULT_UP_DELAY: Final = 180.0
DEFAULT_DOWN_DELAY: Final = 600.0
#: Seconds that new nodes have to become ready. Then the others decide without them.
PROVISION_TIMEOUT: Final = 900.0
#: The age of metrics, in seconds, from which they count as missing.
METRICS_TTL: Final = 120.0


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was observed at one time.

    Attributes:
        now: The time, in seconds.
        target: The number of nodes that the cloud was last asked for.
        nodes: The pool's nodes.
        template: An empty node of the pool.
        pending: Pods that cannot be scheduled.
        measured: The time of the metrics, in seconds; None without metrics.
        busy: Why nothing may change now: a rollout, a deletion, a pause; empty otherwise.
    """

    now: float
    target: int
    nodes: tuple[scheduling.Node, ...]
    template: scheduling.Node
    pending: tuple[scheduling.Pod, ...] = ()
    measured: float | None = None
    busy: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What earlier decisions left behind.

    Attributes:
        began: The time of the first sample, in seconds.
        changed: The time of the last change of the number of nodes, in seconds.
        wants: Time → recommended number of nodes, oldest first, within the longer delay.
    """

    began: float
    changed: float = -math.inf
    wants: tuple[tuple[float, int], ...] = ()


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
        too_large: Pods that fit no node of this pool, however empty.
    """

    count: int
    reason: str
    message: str
    leaving: tuple[str, ...] = ()
    is_active: bool = True
    limited: str = ""
    too_large: tuple[str, ...] = ()


def decide(targets: Targets, history: History, sample: Sample) -> tuple[Decision, History]:
    """Returns the number of nodes for one sample, and the history for the next one."""
    bounded = _bounded(targets, sample.target)
    if sample.busy:
        return Decision(count=sample.target, reason="Paused", message=sample.busy, is_active=False), history
    if bounded != sample.target:
        return _to_bounds(targets, history, sample, bounded)
    usable = len(_usable(sample))
    settled = usable == len(sample.nodes) == sample.target
    if not settled and sample.now - history.changed < PROVISION_TIMEOUT:
        text = f"{usable} of {sample.target} nodes are ready"
        return Decision(count=sample.target, reason="NodesNotReady", message=text, is_active=False), history
    if usable and _is_stale(targets, sample):
        text = f"no metrics of the last {METRICS_TTL:.0f} s"
        decision = Decision(count=sample.target, reason="MetricsUnavailable", message=text, is_active=False)
        # What held before the gap says nothing about the time of the gap.
        return decision, dataclasses.replace(history, began=sample.now, wants=())
    return _from_metrics(targets, history, sample)


def _from_metrics(targets: Targets, history: History, sample: Sample) -> tuple[Decision, History]:
    want, cause = _recommended(targets, sample)
    history = _remembered(history, sample.now, want, longest=max(targets.up_delay, targets.down_delay))
    pods = [pod for pod in sample.pending if scheduling.fits_empty(sample.template, pod)]
    waiting = [pod for pod in pods if sample.now - pod.since >= targets.up_delay]
    needed = sample.target + scheduling.nodes_for(waiting, sample.template, sample.nodes)
    raised = _steady(history, sample.now, targets.up_delay, min) or 0
    lowered = _steady(history, sample.now, targets.down_delay, max)
    decision = Decision(count=sample.target, reason="DesiredWithinRange", message=cause)
    if max(raised, needed) > sample.target:
        decision = _raised(decision, raised, needed, len(waiting))
    elif lowered is not None and lowered < sample.target and not pods and sample.now - history.changed >= targets.down_delay:
        decision = _lowered(decision, sample, max(lowered, targets.min_nodes))
    decision = dataclasses.replace(
        decision,
        count=_bounded(targets, decision.count),
        limited=_limited(targets, max(want, needed) if waiting else want),
        too_large=tuple(pod.name for pod in sample.pending if pod not in pods),
    )
    return decision, _changed(history, sample, decision.count)


def _raised(decision: Decision, raised: int, needed: int, waiting: int) -> Decision:
    if needed >= raised:
        return dataclasses.replace(
            decision, count=needed, reason="PendingPods", message=f"{waiting} pods cannot be scheduled on the present nodes"
        )
    return dataclasses.replace(decision, count=raised, reason="HighUtilization")


def _lowered(decision: Decision, sample: Sample, least: int) -> Decision:
    leaving = _leaving(sample, sample.target - least)
    if not leaving:
        return dataclasses.replace(decision, reason="PodsWouldNotFit", message=f"{decision.message}, but the pods need the nodes")
    return dataclasses.replace(decision, count=sample.target - len(leaving), leaving=leaving, reason="LowUtilization")


def _to_bounds(targets: Targets, history: History, sample: Sample, bounded: int) -> tuple[Decision, History]:
    surplus = max(0, sample.target - bounded)
    leaving = tuple(node.name for node in scheduling.in_leaving_order(sample.nodes)[:surplus])
    text = f"{sample.target} nodes are outside of the bounds {targets.min_nodes} to {targets.max_nodes}"
    decision = Decision(
        count=bounded, leaving=leaving, reason="OutOfBounds", message=text, limited=_limited(targets, sample.target)
    )
    return decision, _changed(history, sample, bounded)


def _recommended(targets: Targets, sample: Sample) -> tuple[int, str]:
    """Returns the number of nodes that utilization asks for, and an explanation."""
    results = [
        _of_metric(name, percent / 100, sample, amount)
        for name, percent, amount in (
            ("cpu", targets.cpu, lambda resources: resources.cpu),
            ("memory", targets.memory, lambda resources: resources.memory),
        )
        if percent is not None
    ]
    if not results:
        return _requested(sample), "no target utilization is set; only requests count"
    return max(results)


def _of_metric(name: str, target: float, sample: Sample, amount: Callable[[scheduling.Resources], int]) -> tuple[int, str]:
    """Returns the number of nodes for one metric. Nodes without a measurement never change the direction."""
    nodes = _usable(sample)
    offered = sum(amount(node.allocatable) for node in nodes)
    used = sum(amount(node.usage) for node in nodes if node.usage is not None)
    measured = sum(amount(node.allocatable) for node in nodes if node.usage is not None)
    if not measured:
        return sample.target, f"{name}: no node is measured"
    ratio = used / measured / target
    text = f"{name} utilization is {100 * ratio * target:.0f} % with a target of {100 * target:.0f} %"
    if ratio > 1:
        ratio = max(1.0, used / offered / target)
    else:
        ratio = min(1.0, (used + (offered - measured) * target) / offered / target)
    if abs(ratio - 1) <= TOLERANCE:
        return sample.target, text
    # Rounding first keeps 3.0000000001 from becoming 4.
    return math.ceil(round(len(nodes) * ratio, 6)), text


def _requested(sample: Sample) -> int:
    """Returns how many nodes the requests of the running pods need: the measure if no utilization is a target."""
    pods = [pod for node in sample.nodes for pod in node.workload]
    # First fit can need more nodes than the present ones, on which the pods run.
    return min(sample.target, scheduling.nodes_for(pods, sample.template))


def _usable(sample: Sample) -> list[scheduling.Node]:
    return [node for node in sample.nodes if node.is_usable]


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


def _remembered(history: History, now: float, want: int, *, longest: float) -> History:
    if not history.wants or history.wants[-1][1] != want:
        history = dataclasses.replace(history, wants=(*history.wants, (now, want)))
    return dataclasses.replace(history, wants=tuple(_within(history.wants, now, longest)))


def _changed(history: History, sample: Sample, count: int) -> History:
    return history if count == sample.target else dataclasses.replace(history, changed=sample.now)


def _is_stale(targets: Targets, sample: Sample) -> bool:
    if targets.cpu is None and targets.memory is None:
        return False
    return sample.measured is None or sample.now - sample.measured > METRICS_TTL


def _bounded(targets: Targets, count: int) -> int:
    return min(max(count, targets.min_nodes), targets.max_nodes)


def _limited(targets: Targets, count: int) -> str:
    if count > targets.max_nodes:
        return "TooManyReplicas"
    return "TooFewReplicas" if count < targets.min_nodes else ""
