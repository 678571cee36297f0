"""What runs in a cluster: its nodes, pods and metrics as Kubernetes lists them → the values of the autoscaler."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import TYPE_CHECKING, Any, Final

from planton.controllers import scheduling
from planton.deploy import draining

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The lists of a cluster, each with what it answers.
NODES: Final = "/api/v1/nodes"
PODS: Final = "/api/v1/pods"
METRICS: Final = "/apis/metrics.k8s.io/v1beta1/nodes"
#: The phases of pods that use nothing any more.
_ENDED: Final = ("Succeeded", "Failed")
#: Taints that Kubernetes sets itself, such as ``unschedulable`` on a cordoned node, are not the pool's.
_OWN_TAINTS: Final = "node.kubernetes.io/"
_UNSCHEDULABLE_TAINT: Final = "node.kubernetes.io/unschedulable"
_QUANTITY: Final = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?")
_SUFFIXES: Final[Mapping[str | None, float]] = {
    None: 1,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "Ei": 2**60,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What runs in a cluster.

    Attributes:
        nodes: Its nodes, with their pods.
        pending: The pods that cannot be scheduled.
        measured: The time of the oldest measurement of a node, in seconds; None without any.
    """

    nodes: tuple[scheduling.Node, ...]
    pending: tuple[scheduling.Pod, ...] = ()
    measured: float | None = None


def of(nodes: Sequence[Any], pods: Sequence[Any], metrics: Sequence[Any]) -> Workload:
    """Returns what runs in a cluster.

    Args:
        nodes: The items of `NODES`.
        pods: The items of `PODS`.
        metrics: The items of `METRICS`; empty if the cluster has no metrics.

    Raises:
        KeyError: An item lacks a field that each has.
        ValueError: A quantity or a time is malformed.
    """
    usage = {item["metadata"]["name"]: _resources(item["usage"]) for item in metrics}
    times = [_seconds(item["timestamp"]) for item in metrics]
    placed: dict[str, list[scheduling.Pod]] = {}
    pending: list[scheduling.Pod] = []
    for item in pods:
        if (item.get("status") or {}).get("phase") in _ENDED:
            continue
        if name := item["spec"].get("nodeName"):
            placed.setdefault(name, []).append(_pod(item))
        elif _is_unschedulable(item):
            pending.append(_pod(item))
    return Workload(
        nodes=tuple(_node(item, usage, placed) for item in nodes),
        pending=tuple(pending),
        measured=min(times, default=None),
    )


def template(nodes: Iterable[scheduling.Node]) -> scheduling.Node | None:
    """Returns an empty node of a pool, with the pods that run on each of its nodes: after the newest one; None without nodes."""
    newest = max(nodes, key=lambda node: (node.is_ready, node.created, node.name), default=None)
    if newest is None:
        return None
    daemons = tuple(pod for pod in newest.pods if pod.is_daemon)
    taints = tuple(taint for taint in newest.taints if not taint.key.startswith(_OWN_TAINTS))
    return dataclasses.replace(
        newest, pods=daemons, taints=taints, usage=None, is_ready=True, is_cordoned=False, is_deleting=False, is_kept=False
    )


def quantity(text: object) -> float:
    """Returns the value of a Kubernetes quantity, such as ``100m`` or ``2Gi``.

    Raises:
        ValueError: It is none.
    """
    matched = _QUANTITY.fullmatch(str(text))
    if matched is None:
        message = f"{text!r} is no quantity"
        raise ValueError(message)
    return float(matched[1]) * _SUFFIXES[matched[2]]


def _node(
    item: Any, usage: Mapping[str, scheduling.Resources], placed: Mapping[str, Sequence[scheduling.Pod]]
) -> scheduling.Node:
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    name = str(metadata["name"])
    states = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    annotations = metadata.get("annotations") or {}
    is_ours = draining.CORDONED in annotations
    return scheduling.Node(
        name=name,
        created=_seconds(metadata["creationTimestamp"]),
        allocatable=_resources(status.get("allocatable") or {}),
        usage=usage.get(name),
        labels=dict(metadata.get("labels") or {}),
        taints=tuple(
            scheduling.Taint(str(each["key"]), str(each.get("value") or ""), str(each["effect"]))
            for each in spec.get("taints") or ()
            if not (is_ours and each["key"] == _UNSCHEDULABLE_TAINT)
        ),
        pods=tuple(placed.get(name, ())),
        is_ready=states.get("Ready") == "True",
        is_cordoned=bool(spec.get("unschedulable")) and not is_ours,
        is_draining=draining.started(item) is not None,
        is_deleting="deletionTimestamp" in metadata,
        is_kept=annotations.get(scheduling.SCALE_DOWN_DISABLED) == "true",
    )


def _pod(item: Any) -> scheduling.Pod:
    metadata, spec = item["metadata"], item["spec"]
    owners = {each["kind"] for each in metadata.get("ownerReferences") or () if each.get("controller")}
    is_mirror = "kubernetes.io/config.mirror" in (metadata.get("annotations") or {})
    return scheduling.Pod(
        name=f"{metadata['namespace']}/{metadata['name']}",
        requests=_requests(spec),
        selector=dict(spec.get("nodeSelector") or {}),
        tolerations=tuple(
            scheduling.Toleration(
                str(each.get("key") or ""),
                str(each.get("operator") or "Equal"),
                str(each.get("value") or ""),
                str(each.get("effect") or ""),
            )
            for each in spec.get("tolerations") or ()
        ),
        is_daemon=is_mirror or bool(owners & {"DaemonSet", "Node"}),
    )


def _requests(spec: Any) -> scheduling.Resources:
    """Returns what the scheduler reserves: the sum of the containers, or the largest init container."""
    together = scheduling.total(_requested(each) for each in spec.get("containers") or ())
    first = [_requested(each) for each in spec.get("initContainers") or ()]
    overhead = _resources(spec.get("overhead") or {})
    return scheduling.Resources(
        cpu=max([together.cpu, *(each.cpu for each in first)]) + overhead.cpu,
        memory=max([together.memory, *(each.memory for each in first)]) + overhead.memory,
        pods=1,
    )


def _requested(container: Any) -> scheduling.Resources:
    return _resources((container.get("resources") or {}).get("requests") or {})


def _resources(amounts: Mapping[str, Any]) -> scheduling.Resources:
    cpu, memory, pods = (quantity(amounts.get(name, 0)) for name in ("cpu", "memory", "pods"))
    return scheduling.Resources(cpu=round(1000 * cpu), memory=round(memory), pods=round(pods))


def _is_unschedulable(item: Any) -> bool:
    listed = (item.get("status") or {}).get("conditions") or ()
    is_refused = any((each["type"], each["status"], each.get("reason")) == _UNSCHEDULABLE for each in listed)
    return is_refused and "deletionTimestamp" not in item["metadata"]


_UNSCHEDULABLE: Final = ("PodScheduled", "False", "Unschedulable")


def _seconds(text: object) -> float:
    return datetime.datetime.fromisoformat(str(text)).timestamp()
