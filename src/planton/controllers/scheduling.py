"""Nodes and pods as the autoscaler and drains see them: what fits where, and which nodes leave first."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

#: An annotation that keeps the cluster autoscaler, and ours, from removing a node.
SCALE_DOWN_DISABLED: Final = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
_REPELLING: Final = ("NoSchedule", "NoExecute")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Amounts of the resources that pods request and nodes offer.

    Attributes:
        cpu: Millicores.
        memory: Bytes.
        pods: Pods.
    """

    cpu: int = 0
    memory: int = 0
    pods: int = 0

    def __add__(self, other: Resources) -> Resources:
        """Returns the sum."""
        return Resources(cpu=self.cpu + other.cpu, memory=self.memory + other.memory, pods=self.pods + other.pods)

    def __sub__(self, other: Resources) -> Resources:
        """Returns the difference."""
        return Resources(cpu=self.cpu - other.cpu, memory=self.memory - other.memory, pods=self.pods - other.pods)

    def fits(self, free: Resources) -> bool:
        """Returns whether these requests fit into free resources."""
        return self.cpu <= free.cpu and self.memory <= free.memory and self.pods <= free.pods


@dataclasses.dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str


@dataclasses.dataclass(frozen=True, slots=True)
class Toleration:
    """A toleration of a pod. An empty key with `Exists` tolerates all taints; an empty effect, all effects."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def matches(self, taint: Taint) -> bool:
        """Returns whether a pod with this toleration may run on a node with the taint."""
        if self.effect not in ("", taint.effect):
            return False
        if self.operator == "Exists":
            return self.key in ("", taint.key)
        return self.key == taint.key and self.value == taint.value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod.

    Attributes:
        name: `NAMESPACE/NAME`.
        requests: The sum of its containers' requests, and one pod.
        selector: Its node selector: label → value.
        tolerations: Its tolerations.
        is_daemon: Whether a DaemonSet or the node itself owns it: it leaves with its node.
    """

    name: str
    requests: Resources
    selector: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    is_daemon: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of a pool.

    Attributes:
        name: Its name in Kubernetes.
        created: The time of its creation, in seconds.
        allocatable: What its pods can request.
        usage: The measured usage; None without a measurement.
        labels: Its labels.
        taints: Its taints.
        pods: The pods that run on it.
        is_ready: Whether its condition `Ready` is true.
        is_cordoned: Whether it is unschedulable for another reason than a drain of ours.
        is_draining: Whether a controller drains it. Until it leaves, it counts: if it is needed again, the drain ends.
        is_deleting: Whether the cloud deletes it.
        is_kept: Whether an annotation forbids its removal (`SCALE_DOWN_DISABLED`).
    """

    name: str
    created: float
    allocatable: Resources
    usage: Resources | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    pods: tuple[Pod, ...] = ()
    is_ready: bool = True
    is_cordoned: bool = False
    is_draining: bool = False
    is_deleting: bool = False
    is_kept: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether new pods can run on it."""
        return self.is_ready and not self.is_cordoned and not self.is_deleting

    @property
    def workload(self) -> tuple[Pod, ...]:
        """The pods that must run elsewhere before it leaves."""
        return tuple(pod for pod in self.pods if not pod.is_daemon)

    @property
    def free(self) -> Resources:
        """What no pod has requested."""
        return self.allocatable - total(pod.requests for pod in self.pods)


def total(amounts: Iterable[Resources]) -> Resources:
    """Returns the sum of amounts."""
    return sum(amounts, start=Resources())


def accepts(node: Node, pod: Pod) -> bool:
    """Returns whether labels and taints of a node let a pod run there, whatever is free."""
    if any(node.labels.get(label) != value for label, value in pod.selector.items()):
        return False
    repelling = (taint for taint in node.taints if taint.effect in _REPELLING)
    return all(any(toleration.matches(taint) for toleration in pod.tolerations) for taint in repelling)


def nodes_for(pods: Collection[Pod], template: Node, nodes: Sequence[Node] = ()) -> int:
    """Returns how many new nodes pods need, by first fit in the order of decreasing requests.

    Pods that do not fit even an empty node count nothing.

    Args:
        pods: The pods to place.
        template: An empty node of the pool, with the pods that run on each of its nodes.
        nodes: The present nodes, which are filled first.
    """
    usable = [node for node in nodes if node.is_usable]
    free = [node.free for node in usable]
    for pod in _decreasing(pod for pod in pods if fits_empty(template, pod)):
        slots = enumerate(free)
        index = next((slot for slot, room in slots if pod.requests.fits(room) and _accepts(usable, slot, pod)), None)
        if index is None:
            free.append(template.free - pod.requests)
        else:
            free[index] -= pod.requests
    return len(free) - len(usable)


def fits_empty(template: Node, pod: Pod) -> bool:
    """Returns whether a pod could run on an empty node of the pool."""
    return accepts(template, pod) and pod.requests.fits(template.free)


def can_leave(leaving: Node, staying: Sequence[Node]) -> bool:
    """Returns whether the pods of a node fit on the usable nodes that stay."""
    free = {node.name: node.free for node in staying if node.is_usable}
    for pod in _decreasing(leaving.workload):
        target = next((node for node in staying if node.is_usable and _fits(node, pod, free[node.name])), None)
        if target is None:
            return False
        free[target.name] -= pod.requests
    return True


def in_leaving_order(nodes: Iterable[Node]) -> list[Node]:
    """Returns the nodes that may leave, first the one that is to leave first.

    The order: deleting, draining, not ready, cordoned, empty, fewest requests, oldest. Nodes that are kept are left out.
    """
    return sorted((node for node in nodes if not node.is_kept or node.is_deleting), key=_leaving_key)


def _leaving_key(node: Node) -> tuple[bool, bool, bool, bool, bool, int, int, float, str]:
    requested = total(pod.requests for pod in node.workload)
    has_work = bool(node.workload)
    return (
        not node.is_deleting,
        not node.is_draining,
        node.is_ready,
        not node.is_cordoned,
        has_work,
        requested.cpu,
        requested.memory,
        node.created,
        node.name,
    )


def _accepts(usable: Sequence[Node], slot: int, pod: Pod) -> bool:
    """Returns whether a pod may run in a slot: a usable node, or after them a new one, which accepts all its pods."""
    return slot >= len(usable) or accepts(usable[slot], pod)


def _fits(node: Node, pod: Pod, free: Resources) -> bool:
    return accepts(node, pod) and pod.requests.fits(free)


def _decreasing(pods: Iterable[Pod]) -> list[Pod]:
    return sorted(pods, key=lambda pod: (-pod.requests.cpu, -pod.requests.memory, pod.name))
