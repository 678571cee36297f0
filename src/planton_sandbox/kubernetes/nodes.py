"""Clusters and nodes for the Kubernetes API, independent of the cloud.

A cloud creates `Cluster` and `Node`; `manifest` returns the object that kubectl shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from planton_sandbox import clock, pki

SYSTEM_RESERVED_MB = 300


@dataclasses.dataclass(frozen=True, slots=True)
class Taint:
    """A taint on a node."""

    key: str
    value: str
    effect: str


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A node; times in seconds since the epoch, sizes in the units of their names.

    Attributes:
        pool: The pool's name or id in its cloud.
        unreachable: Whether the kubelet does not answer, so that the node's state is unknown.
    """

    uid: str
    name: str
    labels: dict[str, str]
    taints: tuple[Taint, ...]
    ready: bool
    leaving: bool
    created: float
    size: str
    cpu: int
    memory_mb: int
    disk_gb: int
    gpus: int
    internal_ip: str
    external_ip: str
    version: str
    os_image: str
    runtime: str
    provider_id: str
    pool: str
    unreachable: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """The default storage class of a cloud: its name, and the CSI driver that provisions volumes."""

    name: str
    provisioner: str


@dataclasses.dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster.

    Attributes:
        open: Whether its API answers on ``port``.
        tokens: The bearer tokens that are valid now.
        storage: The storage class that every cluster has.
    """

    id: str
    name: str
    port: int
    open: bool
    credentials: pki.Credentials
    tokens: tuple[str, ...]
    version: str
    created: float
    storage: Storage
    nodes: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """A pod that no node can run now.

    Attributes:
        pools: The pools whose nodes could run it if they were empty.
        cpu: The cores that it requests.
        memory: The bytes that it requests.
    """

    pools: frozenset[str]
    cpu: float
    memory: float


@dataclasses.dataclass(frozen=True, slots=True)
class Workload:
    """What a cluster's workload means for its cloud.

    Attributes:
        cordoned: The names of the nodes that take no new pods.
        volumes: The names of the provisioned volumes.
        balancers: The names of the load balancers.
        pending: The pods that no node can run now.
        used: Node → the greater share of its CPU and memory that pods request, for the nodes whose pods fit on the others.
    """

    cordoned: frozenset[str]
    volumes: frozenset[str]
    balancers: frozenset[str]
    pending: tuple[Pending, ...] = ()
    used: Mapping[str, float] = dataclasses.field(default_factory=dict)


def manifest(node: Node) -> dict[str, Any]:
    """Returns a node as a Kubernetes object, without its resource version."""
    created = clock.rfc3339(node.created)
    labels = node.labels | {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": node.size,
        "beta.kubernetes.io/instance-type": node.size,
    }
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": node.name,
            "uid": node.uid,
            "creationTimestamp": created,
            "labels": dict(sorted(labels.items())),
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": _spec(node),
        "status": {
            "capacity": _resources(node, reserved_mb=0),
            "allocatable": _resources(node, reserved_mb=SYSTEM_RESERVED_MB),
            "conditions": _conditions(node, created),
            "addresses": _addresses(node),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _info(node),
        },
    }


def _spec(node: Node) -> dict[str, Any]:
    taints = [_taint(item) for item in node.taints]
    if node.leaving:
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    lost = "unreachable" if node.unreachable else "" if node.ready else "not-ready"
    if lost:
        taints += [{"key": f"node.kubernetes.io/{lost}", "effect": effect} for effect in ("NoSchedule", "NoExecute")]
    spec: dict[str, Any] = {"providerID": node.provider_id}
    if taints:
        spec["taints"] = taints
    if node.leaving:
        spec["unschedulable"] = True
    return spec


def _taint(taint: Taint) -> dict[str, str]:
    body = {"key": taint.key, "effect": taint.effect}
    return body | {"value": taint.value} if taint.value else body


def _resources(node: Node, *, reserved_mb: int) -> dict[str, str]:
    body = {
        "cpu": str(node.cpu),
        "memory": f"{(node.memory_mb - reserved_mb) * 1024}Ki",
        "ephemeral-storage": f"{node.disk_gb * 1024 * 1024}Ki",
        "pods": "110",
        "hugepages-2Mi": "0",
    }
    return body | {"nvidia.com/gpu": str(node.gpus)} if node.gpus else body


def _conditions(node: Node, created: str) -> list[dict[str, str]]:
    pressures = (
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    )
    ready = ("True", "KubeletReady", "kubelet is posting ready status")
    starting = ("False", "KubeletNotReady", "container runtime network not ready: cni plugin not initialized")
    status, reason, message = ready if node.ready else starting
    times = {"lastHeartbeatTime": created, "lastTransitionTime": created}
    if node.unreachable:
        lost = {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
        return [{"type": kind} | lost | times for kind in (*(name for name, _, _ in pressures), "Ready")]
    conditions = [
        {"type": kind, "status": "False", "reason": reason, "message": text} | times for kind, reason, text in pressures
    ]
    return [*conditions, {"type": "Ready", "status": status, "reason": reason, "message": message} | times]


def _addresses(node: Node) -> list[dict[str, str]]:
    addresses = [{"type": "InternalIP", "address": node.internal_ip}, {"type": "Hostname", "address": node.name}]
    if node.external_ip:
        addresses.append({"type": "ExternalIP", "address": node.external_ip})
    return addresses


def _info(node: Node) -> dict[str, str]:
    return {
        "machineID": node.uid.replace("-", ""),
        "systemUUID": node.uid,
        "bootID": node.uid,
        "kernelVersion": "6.6.47-0-virt",
        "osImage": node.os_image,
        "containerRuntimeVersion": node.runtime,
        "kubeletVersion": node.version,
        "kubeProxyVersion": node.version,
        "operatingSystem": "linux",
        "architecture": "amd64",
    }
