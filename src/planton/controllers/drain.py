"""The next step of draining a node: a pure function. It never waits: the caller evicts, reads again, and repeats.

The rules are those of Cluster API: pods of DaemonSets and mirror pods stay; the label ``cluster.x-k8s.io/drain`` skips a pod or waits
for its completion; disruption budgets hold also for a node that cannot be reached.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

#: The label of a pod that changes how it is drained: ``skip`` or ``wait-completed``.
LABEL: Final = "cluster.x-k8s.io/drain"
#: The names that a message lists of each sort.
_LISTED: Final = 3
#: A pod that an unreachable node should have ended for longer than this will not end any more.
_LOST_AFTER: Final = datetime.timedelta(seconds=1)


class Stage(enum.StrEnum):
    """What the drain of a node waits for."""

    CORDON = "Cordoning"
    PODS = "DrainingNode"
    VOLUMES = "WaitingForVolumeDetach"
    DONE = "Drained"
    TIMED_OUT = "DrainTimedOut"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod on the node.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        owner: The kind of its controller, such as ``ReplicaSet``; empty without one.
        is_mirror: Whether it mirrors a static pod of the kubelet.
        is_finished: Whether its phase is ``Succeeded`` or ``Failed``.
        drain: The value of its label `LABEL`; empty without it.
        ends: When its deletion was requested; None otherwise.
    """

    namespace: str
    name: str
    owner: str = ""
    is_mirror: bool = False
    is_finished: bool = False
    drain: str = ""
    ends: datetime.datetime | None = None

    def __str__(self) -> str:
        """Returns ``NAMESPACE/NAME``."""
        return f"{self.namespace}/{self.name}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A PodDisruptionBudget.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        allowed: How many of its pods may be evicted now.
        needs: How many healthy pods it needs.
        has: How many healthy pods there are.
        pods: The names of its pods.
    """

    namespace: str
    name: str
    allowed: int
    needs: int
    has: int
    pods: frozenset[str]

    def covers(self, pod: Pod) -> bool:
        """Returns whether the budget protects a pod."""
        return self.namespace == pod.namespace and pod.name in self.pods


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The node, as its cluster's Kubernetes API describes it.

    Attributes:
        name: Its name.
        is_cordoned: Whether it is unschedulable.
        is_reachable: Whether its condition ``Ready`` is known.
        pods: The pods on it.
        volumes: The names of its volume attachments.
    """

    name: str
    is_cordoned: bool = False
    is_reachable: bool = True
    pods: tuple[Pod, ...] = ()
    volumes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A pod that cannot be evicted now, and why."""

    pod: Pod
    why: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step.

    Attributes:
        stage: What the drain waits for.
        message: The explanation, with pods and budgets.
        evict: The pods to evict now.
        blocked: The pods that a budget protects.
        grace: The grace period of the evictions in seconds; None for the pod's own.
    """

    stage: Stage
    message: str
    evict: tuple[Pod, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    grace: int | None = None


def step(
    node: Node,
    budgets: Sequence[Budget],
    *,
    now: datetime.datetime,
    started: datetime.datetime,
    timeout: datetime.timedelta | None,
) -> Step:
    """Returns the next step of a drain.

    Args:
        node: The node.
        budgets: The disruption budgets of the cluster.
        now: The time.
        started: When the drain began.
        timeout: The longest time of a drain, volumes included; None for no limit.
    """
    if not node.is_cordoned:
        return Step(stage=Stage.CORDON, message=f"node {node.name} still accepts new pods")
    pods = [pod for pod in node.pods if _must_leave(pod, node, now)]
    if not pods and not node.volumes:
        return Step(stage=Stage.DONE, message=f"node {node.name} is drained")
    if not pods:
        text = f"{_count(len(node.volumes), 'volume')} of node {node.name} must be detached: {_listed(node.volumes)}"
        return _in_time(Step(stage=Stage.VOLUMES, message=text), now - started, timeout)
    evict, blocked = _evictions([pod for pod in pods if pod.ends is None and pod.drain != "wait-completed"], budgets)
    grace = None if node.is_reachable else int(_LOST_AFTER.total_seconds())
    remaining = Step(
        stage=Stage.PODS, message=_message(node, pods, evict, blocked), evict=tuple(evict), blocked=tuple(blocked), grace=grace
    )
    return _in_time(remaining, now - started, timeout)


def _must_leave(pod: Pod, node: Node, now: datetime.datetime) -> bool:
    if pod.owner == "DaemonSet" or pod.is_mirror or pod.is_finished or pod.drain == "skip":
        return False
    # The kubelet of an unreachable node cannot report that the pod has ended.
    is_lost = not node.is_reachable and pod.ends is not None and now - pod.ends > _LOST_AFTER
    return not is_lost


def _evictions(pods: Iterable[Pod], budgets: Sequence[Budget]) -> tuple[list[Pod], list[Blocked]]:
    """Returns the pods that the budgets allow to be evicted together, and the blocked ones."""
    allowed = {(budget.namespace, budget.name): budget.allowed for budget in budgets}
    evict: list[Pod] = []
    blocked: list[Blocked] = []
    for pod in sorted(pods, key=str):
        own = [budget for budget in budgets if budget.covers(pod)]
        if len(own) > 1:
            names = _listed([f"{budget.namespace}/{budget.name}" for budget in own])
            blocked.append(Blocked(pod=pod, why=f"more than one disruption budget selects it, which Kubernetes refuses: {names}"))
        elif own and allowed[own[0].namespace, own[0].name] <= 0:
            blocked.append(Blocked(pod=pod, why=_why(own[0])))
        else:
            if own:
                allowed[own[0].namespace, own[0].name] -= 1
            evict.append(pod)
    return evict, blocked


def _why(budget: Budget) -> str:
    return f"the disruption budget {budget.namespace}/{budget.name} needs {budget.needs} healthy pods and has {budget.has}"


def _message(node: Node, pods: Sequence[Pod], evict: Collection[Pod], blocked: Sequence[Blocked]) -> str:
    ending = [str(pod) for pod in pods if pod.ends is not None]
    waiting = [str(pod) for pod in pods if pod.ends is None and pod.drain == "wait-completed"]
    parts = [f"{_count(len(pods), 'pod')} must leave node {node.name}"]
    if evict:
        parts.append(f"being evicted: {_listed([str(pod) for pod in evict])}")
    if ending:
        parts.append(f"terminating: {_listed(ending)}")
    if waiting:
        parts.append(f"must complete first: {_listed(waiting)}")
    reasons = dict.fromkeys(each.why for each in blocked)
    parts += [f"{why}: {_listed([str(each.pod) for each in blocked if each.why == why])}" for why in reasons]
    return "; ".join(parts)


def _in_time(step_: Step, elapsed: datetime.timedelta, timeout: datetime.timedelta | None) -> Step:
    if timeout is None or elapsed < timeout:
        return step_
    text = f"the drain has lasted {elapsed.total_seconds():.0f} s, longer than its limit of {timeout.total_seconds():.0f} s; {step_.message}"
    return dataclasses.replace(step_, stage=Stage.TIMED_OUT, message=text, evict=())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" ({more} more)" if more > 0 else "")
