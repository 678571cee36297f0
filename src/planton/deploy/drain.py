"""The next step of draining a node: a pure function. It never waits: the caller evicts, reads again, and repeats.

The rules are those of Cluster API: pods of DaemonSets and mirror pods stay; the label ``cluster.x-k8s.io/drain`` skips a pod or waits
for its completion; disruption budgets hold also for a node that cannot be reached. `planton.deploy.draining` executes the steps.
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
#: After the limit, pods that are deleted get this time, and then the drain ends.
LAST: Final = datetime.timedelta(seconds=60)
#: The grace period of such pods in seconds.
_LAST_GRACE: Final = 30
#: The shortest and the longest time between two steps.
_SOONEST: Final = datetime.timedelta(seconds=2)
_LATEST: Final = datetime.timedelta(seconds=20)


class Stage(enum.StrEnum):
    """What the drain of a node waits for."""

    CORDON = "Cordoning"
    PODS = "DrainingNode"
    VOLUMES = "WaitingForVolumeDetach"
    DONE = "Drained"
    TIMED_OUT = "DrainTimedOut"
    FORCED = "DrainForced"
    """Its pods are deleted, whatever their budgets say."""


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
class Limit:
    """How long a drain may last.

    Attributes:
        after: The longest time of a drain, volumes included; None for no limit.
        force: Whether pods that remain are then deleted, whatever their budgets say. Those of an unreachable node always are.
    """

    after: datetime.timedelta | None
    force: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step.

    Attributes:
        stage: What the drain waits for.
        message: The explanation, with pods and budgets.
        evict: The pods to evict now; to delete in the stage ``FORCED``.
        blocked: The pods that a budget protects.
        grace: The grace period of the evictions in seconds; None for the pod's own.
        again: When to take the next step. It grows while nothing changes.
    """

    stage: Stage
    message: str
    evict: tuple[Pod, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    grace: int | None = None
    again: datetime.timedelta = _SOONEST


def step(node: Node, budgets: Sequence[Budget], *, limit: Limit, now: datetime.datetime, started: datetime.datetime) -> Step:
    """Returns the next step of a drain.

    Args:
        node: The node.
        budgets: The disruption budgets of the cluster.
        limit: How long the drain may last.
        now: The time.
        started: When the drain began.
    """
    if not node.is_cordoned:
        return Step(stage=Stage.CORDON, message=f"node {node.name} still accepts new pods")
    pods = [pod for pod in node.pods if _must_leave(pod, node, now)]
    if not pods and not node.volumes:
        return Step(stage=Stage.DONE, message=f"node {node.name} is drained")
    elapsed = now - started
    step_ = dataclasses.replace(_remaining(node, pods, budgets), again=min(_LATEST, max(_SOONEST, elapsed / 10)))
    if limit.after is None or elapsed < limit.after:
        return step_
    text = f"the drain has lasted {elapsed.total_seconds():.0f} s, longer than its limit of {limit.after.total_seconds():.0f} s"
    if limit.force or not node.is_reachable:
        return _forced(step_, pods, text, is_over=elapsed >= limit.after + LAST)
    return dataclasses.replace(step_, stage=Stage.TIMED_OUT, message=f"{text}; {step_.message}", evict=())


def refused(step_: Step, refusals: Sequence[Blocked]) -> Step:
    """Returns a step after Kubernetes has refused some of its evictions."""
    reasons = dict.fromkeys(each.why for each in refusals)
    parts = [f"{why}: {_listed([str(each.pod) for each in refusals if each.why == why])}" for why in reasons]
    return dataclasses.replace(step_, message="; ".join((step_.message, *parts)), blocked=(*step_.blocked, *refusals))


def _remaining(node: Node, pods: Sequence[Pod], budgets: Sequence[Budget]) -> Step:
    if not pods:
        text = f"{_count(len(node.volumes), 'volume')} of node {node.name} must be detached: {_listed(node.volumes)}"
        return Step(stage=Stage.VOLUMES, message=text)
    evict, blocked = _evictions([pod for pod in pods if pod.ends is None and pod.drain != "wait-completed"], budgets)
    grace = None if node.is_reachable else int(_LOST_AFTER.total_seconds())
    message = _message(node, pods, evict, blocked)
    return Step(stage=Stage.PODS, message=message, evict=tuple(evict), blocked=tuple(blocked), grace=grace)


def _forced(step_: Step, pods: Sequence[Pod], text: str, *, is_over: bool) -> Step:
    if is_over:
        return Step(stage=Stage.DONE, message=f"{text}, and was ended; {step_.message}")
    rest = tuple(pod for pod in pods if pod.ends is None)
    message = f"{text}; its pods are deleted, whatever their budgets say; {step_.message}"
    grace = _LAST_GRACE if step_.grace is None else step_.grace
    return Step(stage=Stage.FORCED, message=message, evict=rest, grace=grace)


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" ({more} more)" if more > 0 else "")
