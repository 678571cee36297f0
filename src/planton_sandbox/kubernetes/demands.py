"""What an autoscaler sees of a cluster: pods that wait for a node, and nodes whose pods would fit on the others."""

from __future__ import annotations

import collections
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from planton_sandbox.kubernetes import nodes, objects, quantities, resources, store
from planton_sandbox.kubernetes.controllers import cycle, scheduler

Object = dict[str, Any]
_SHARED = ("cpu", "memory")


def pending(kept: store.Store, cluster: nodes.Cluster) -> tuple[nodes.Pending, ...]:
    """Returns the pods that the scheduler has refused."""
    pools = {node.name: node.pool for node in cluster.nodes}
    all_nodes = kept.all(resources.NODES)
    refused = [pod for pod in kept.all(resources.PODS) if _is_refused(pod)]
    waiting = []
    for pod in refused:
        requests = scheduler.requests(pod)
        fitting = (node for node in all_nodes if _could_run(pod, requests, node))
        named = frozenset(pools[objects.name(node)] for node in fitting if objects.name(node) in pools)
        waiting.append(nodes.Pending(named, requests.get("cpu", 0.0), requests.get("memory", 0.0)))
    return tuple(waiting)


def nodes_for(pods: Sequence[nodes.Pending], *, cpu: int, memory_mb: int) -> int:
    """Returns how many new nodes of a size pods need, by first fit."""
    room: list[tuple[float, float]] = []
    for pod in sorted(pods, key=lambda pod: (-pod.cpu, -pod.memory)):
        slot = next((index for index, (cores, size) in enumerate(room) if pod.cpu <= cores and pod.memory <= size), None)
        if slot is None:
            slot = len(room)
            room.append((cpu, (memory_mb - nodes.SYSTEM_RESERVED_MB) * 1024 * 1024))
        room[slot] = room[slot][0] - pod.cpu, room[slot][1] - pod.memory
    return len(room)


def used(kept: store.Store) -> dict[str, float]:
    """Returns the greater share of CPU and memory that pods request, for the ready nodes whose pods fit on the others."""
    by_node: dict[str, list[Object]] = collections.defaultdict(list)
    for pod in kept.all(resources.PODS):
        if not cycle.is_terminal(pod):
            by_node[pod["spec"].get("nodeName", "")].append(pod)
    ready = [node for node in kept.all(resources.NODES) if objects.is_true(node, "Ready")]
    free = {objects.name(node): _free(node, by_node[objects.name(node)]) for node in ready}
    shares = {}
    for node in ready:
        name = objects.name(node)
        moving = [pod for pod in by_node[name] if (objects.controller(pod) or {}).get("kind") != "DaemonSet"]
        if _fit(moving, [each for each in ready if each is not node], free):
            shares[name] = _share(node, free[name])
    return shares


def _is_refused(pod: Object) -> bool:
    state = objects.condition(pod, "PodScheduled")
    return cycle.is_active(pod) and state is not None and state.get("reason") == "Unschedulable"


def _could_run(pod: Object, requests: Mapping[str, float], node: Object) -> bool:
    offered = node["status"].get("allocatable", {})
    return not scheduler.fits_node(pod["spec"], node) and all(
        amount <= quantities.of(offered, key) for key, amount in requests.items()
    )


def _free(node: Object, pods: Collection[Object]) -> dict[str, float]:
    free = {key: quantities.parse(amount) for key, amount in node["status"].get("allocatable", {}).items()}
    for pod in pods:
        for key, amount in scheduler.requests(pod).items():
            free[key] = free.get(key, 0.0) - amount
    return free


def _share(node: Object, free: Mapping[str, float]) -> float:
    offered = node["status"].get("allocatable", {})
    return max(1 - free.get(key, 0.0) / max(quantities.of(offered, key), 1e-9) for key in _SHARED)


def _fit(pods: Sequence[Object], others: Sequence[Object], free: Mapping[str, Mapping[str, float]]) -> bool:
    room = {objects.name(node): dict(free[objects.name(node)]) for node in others}
    for pod in pods:
        requests = scheduler.requests(pod)
        target = next((node for node in others if _has_room(pod, requests, node, room[objects.name(node)])), None)
        if target is None:
            return False
        for key, amount in requests.items():
            room[objects.name(target)][key] = room[objects.name(target)].get(key, 0.0) - amount
    return True


def _has_room(pod: Object, requests: Mapping[str, float], node: Object, free: Mapping[str, float]) -> bool:
    return not scheduler.fits_node(pod["spec"], node) and all(amount <= free.get(key, 0.0) for key, amount in requests.items())
