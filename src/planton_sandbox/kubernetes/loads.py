"""The load of a cluster, which the control endpoint sets, and the metrics that follow from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import nodes, objects, quantities, resources, store

Object = dict[str, Any]
POOL = "Pool"
KINDS = ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "Pod", POOL)
#: What metrics-server reports of a pod without a load.
IDLE_CPU, IDLE_MEMORY = 0.001, 8.0 * 1024 * 1024
WINDOW = 15
MAXIMUM_LOADS = 1000


@dataclasses.dataclass(slots=True)
class Load:
    """What the pods of a workload, or the nodes of a pool, use in total.

    Attributes:
        kind: One of `KINDS`.
        namespace: The namespace; empty for a pool.
        name: The workload's or pool's name.
        cpu: Cores.
        memory: Bytes.
    """

    kind: str
    namespace: str
    name: str
    cpu: float
    memory: float


def parse(body: Mapping[str, Any]) -> Load:
    """Returns the load that a request of the control endpoint describes.

    Raises:
        ValueError: when it names no workload or pool, or an amount is malformed.
    """
    named = [kind for kind in KINDS if body.get(kind.lower())]
    if len(named) != 1:
        message = f"a load needs one of {', '.join(kind.lower() for kind in KINDS)}"
        raise ValueError(message)
    kind = named[0]
    cpu, memory = (quantities.parse(body.get(name, "0")) for name in ("cpu", "memory"))
    if cpu < 0 or memory < 0:
        message = f"cpu ({body.get('cpu')}) and memory ({body.get('memory')}) must not be negative"
        raise ValueError(message)
    namespace = "" if kind == POOL else str(body.get("namespace") or "default")
    return Load(kind=kind, namespace=namespace, name=str(body[kind.lower()]), cpu=cpu, memory=memory)


def put(present: list[Load], load: Load) -> None:
    """Sets a load in place of the one of the same workload; without CPU and memory it is removed.

    Raises:
        ValueError: when there are too many.
    """
    key = (load.kind, load.namespace, load.name)
    present[:] = [item for item in present if (item.kind, item.namespace, item.name) != key]
    if len(present) >= MAXIMUM_LOADS:
        message = f"a cluster has at most {MAXIMUM_LOADS} loads"
        raise ValueError(message)
    if load.cpu or load.memory:
        present.append(load)


def pod_metrics(kept: store.Store, loads: Sequence[Load], *, now: float) -> list[Object]:
    """Returns the ``PodMetrics`` of all running pods."""
    usage = _usage(kept, loads)
    shown = []
    for pod in kept.all(resources.PODS):
        if pod["metadata"]["uid"] not in usage or not _is_measured(kept, pod["spec"].get("nodeName", "")):
            continue
        cpu, memory = usage[pod["metadata"]["uid"]]
        containers = pod["spec"]["containers"]
        share = {"cpu": quantities.cpu(cpu / len(containers)), "memory": quantities.memory(memory / len(containers))}
        body = {"containers": [{"name": one["name"], "usage": share} for one in containers]}
        shown.append(_metrics(resources.POD_METRICS, pod, now=now) | body)
    return shown


def node_metrics(kept: store.Store, loads: Sequence[Load], cluster: nodes.Cluster, *, now: float) -> list[Object]:
    """Returns the ``NodeMetrics`` of all ready nodes: the load of their pool, otherwise the sum of their pods."""
    usage = _usage(kept, loads)
    pools = {node.name: node.pool for node in cluster.nodes}
    shown = []
    for node in kept.all(resources.NODES):
        name = objects.name(node)
        if not _is_measured(kept, name):
            continue
        pods = [pod for pod in kept.all(resources.PODS) if pod["spec"].get("nodeName") == name]
        used = [usage[pod["metadata"]["uid"]] for pod in pods if pod["metadata"]["uid"] in usage]
        cpu, memory = sum(one[0] for one in used), sum(one[1] for one in used)
        pool = next((item for item in loads if item.kind == POOL and item.name == pools.get(name)), None)
        if pool is not None:
            peers = sum(1 for peer, its in pools.items() if its == pool.name and _is_measured(kept, peer))
            cpu, memory = pool.cpu / peers, pool.memory / peers
        most = node["status"].get("capacity", {})
        body = {"cpu": quantities.cpu(min(cpu, quantities.of(most, "cpu")))}
        body |= {"memory": quantities.memory(min(memory, quantities.of(most, "memory")))}
        shown.append(_metrics(resources.NODE_METRICS, node, now=now) | {"usage": body})
    return shown


def _is_measured(kept: store.Store, name: str) -> bool:
    node = kept.get(resources.NODES, "", name)
    return node is not None and objects.is_true(node, "Ready")


def _metrics(resource: resources.Resource, item: Object, *, now: float) -> Object:
    meta = item["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace", "labels") if key in meta}
    moment = clock.rfc3339(now - now % WINDOW)
    kept["creationTimestamp"] = clock.rfc3339(now)
    return {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": kept,
        "timestamp": moment,
        "window": f"{WINDOW}s",
    }


def _usage(kept: store.Store, loads: Sequence[Load]) -> dict[str, tuple[float, float]]:
    """Returns cores and bytes of every running pod by unique id: an equal share of its workload's load."""
    running = [pod for pod in kept.all(resources.PODS) if objects.is_true(pod, "Ready")]
    shares: dict[str, tuple[float, float]] = {pod["metadata"]["uid"]: (IDLE_CPU, IDLE_MEMORY) for pod in running}
    for load in loads:
        members = [pod for pod in running if _belongs(kept, pod, load)]
        for pod in members:
            shares[pod["metadata"]["uid"]] = (load.cpu / len(members), load.memory / len(members))
    return shares


def _belongs(kept: store.Store, pod: Object, load: Load) -> bool:
    if objects.namespace(pod) != load.namespace:
        return False
    if load.kind == "Pod":
        return objects.name(pod) == load.name
    owner = objects.controller(pod)
    if owner is not None and owner["kind"] == "ReplicaSet" and load.kind == "Deployment":
        above = kept.get(resources.REPLICA_SETS, load.namespace, owner["name"])
        owner = objects.controller(above) if above else None
    return owner is not None and (owner["kind"], owner["name"]) == (load.kind, load.name)
