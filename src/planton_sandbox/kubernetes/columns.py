"""The columns of tables by kind; columns of priority 1 are shown with ``-o wide`` only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox.kubernetes import ages, objects

Object = Mapping[str, Any]
_NONE = "<none>"


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its priority, and the cell of an object at a time."""

    title: str
    cell: Callable[[Object, float], Any]
    priority: int = 0


def _path(path: str, default: Any = _NONE) -> Callable[[Object, float], Any]:
    steps = path.split(".")

    def cell(item: Object, _now: float) -> Any:
        value: Any = item
        for step in steps:
            value = value.get(step) if isinstance(value, Mapping) else None
        return default if value in (None, "", []) else value

    return cell


def _always(value: Any) -> Callable[[Object, float], Any]:
    return lambda _item, _now: value


def _count(path: str) -> Callable[[Object, float], int]:
    value = _path(path, {})
    return lambda item, now: len(value(item, now))


def _age(item: Object, now: float) -> str:
    return ages.age(item["metadata"]["creationTimestamp"], now=now)


def _ratio(first: str, second: str) -> Callable[[Object, float], str]:
    upper, lower = _path(first, 0), _path(second, 0)
    return lambda item, now: f"{upper(item, now)}/{lower(item, now)}"


def _node_status(item: Object, _now: float) -> str:
    ready = objects.is_true(dict(item), "Ready")
    return ("Ready" if ready else "NotReady") + (",SchedulingDisabled" if item["spec"].get("unschedulable") else "")


def _address(kind: str) -> Callable[[Object, float], str]:
    def cell(item: Object, _now: float) -> str:
        return next((str(one["address"]) for one in item["status"].get("addresses", []) if one["type"] == kind), _NONE)

    return cell


def _pod_ready(item: Object, _now: float) -> str:
    containers = (item.get("status") or {}).get("containerStatuses", [])
    return f"{sum(1 for one in containers if one.get('ready'))}/{len(item['spec'].get('containers', []))}"


def _pod_status(item: Object, _now: float) -> str:
    if "deletionTimestamp" in item["metadata"]:
        return "Terminating"
    status = item.get("status") or {}
    phase = status.get("phase", "Pending")
    if phase == "Pending" and item["spec"].get("nodeName"):
        return "ContainerCreating"
    return "Completed" if phase == "Succeeded" else str(status.get("reason") or phase)


def _selector(item: Object, _now: float) -> str:
    selector = item["spec"].get("selector") or {}
    labels = selector.get("matchLabels", selector)
    return ",".join(f"{key}={value}" for key, value in labels.items() if isinstance(value, str)) or _NONE


def _containers(part: str) -> Callable[[Object, float], str]:
    def cell(item: Object, _now: float) -> str:
        return ",".join(str(one.get(part)) for one in item["spec"]["template"]["spec"].get("containers", []))

    return cell


def _ports(item: Object, _now: float) -> str:
    return ",".join(f"{port.get('port')}/{port.get('protocol', 'TCP')}" for port in item["spec"].get("ports", [])) or _NONE


def _roles(item: Object, _now: float) -> str:
    reference = item.get("roleRef", {})
    return f"{reference.get('kind')}/{reference.get('name')}"


def _involved(item: Object, _now: float) -> str:
    involved = item.get("involvedObject", {})
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _seen(item: Object, now: float) -> str:
    return ages.age(item.get("lastTimestamp") or item["metadata"]["creationTimestamp"], now=now)


def _claim(item: Object, _now: float) -> str:
    reference = item["spec"].get("claimRef") or {}
    return f"{reference.get('namespace')}/{reference.get('name')}" if reference else ""


def _modes(item: Object, _now: float) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return ",".join(short.get(mode, mode) for mode in item["spec"].get("accessModes", []))


_NAME, _SINCE = Column("Name", _path("metadata.name")), Column("Age", _age)
_IMAGES = (
    Column("Containers", _containers("name"), 1),
    Column("Images", _containers("image"), 1),
    Column("Selector", _selector, 1),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "Node": (
        _NAME,
        Column("Status", _node_status),
        Column("Roles", _always(_NONE)),
        _SINCE,
        Column("Version", _path("status.nodeInfo.kubeletVersion")),
        Column("Internal-IP", _address("InternalIP"), 1),
        Column("External-IP", _address("ExternalIP"), 1),
        Column("OS-Image", _path("status.nodeInfo.osImage"), 1),
        Column("Kernel-Version", _path("status.nodeInfo.kernelVersion"), 1),
        Column("Container-Runtime", _path("status.nodeInfo.containerRuntimeVersion"), 1),
    ),
    "Namespace": (_NAME, Column("Status", _path("status.phase")), _SINCE),
    "Pod": (
        _NAME,
        Column("Ready", _pod_ready),
        Column("Status", _pod_status),
        Column("Restarts", _always(0)),
        _SINCE,
        Column("IP", _path("status.podIP"), 1),
        Column("Node", _path("spec.nodeName"), 1),
        Column("Nominated Node", _always(_NONE), 1),
        Column("Readiness Gates", _always(_NONE), 1),
    ),
    "Deployment": (
        _NAME,
        Column("Ready", _ratio("status.readyReplicas", "spec.replicas")),
        Column("Up-to-date", _path("status.updatedReplicas", 0)),
        Column("Available", _path("status.availableReplicas", 0)),
        _SINCE,
        *_IMAGES,
    ),
    "ReplicaSet": (
        _NAME,
        Column("Desired", _path("spec.replicas", 0)),
        Column("Current", _path("status.replicas", 0)),
        Column("Ready", _path("status.readyReplicas", 0)),
        _SINCE,
        *_IMAGES,
    ),
    "DaemonSet": (
        _NAME,
        Column("Desired", _path("status.desiredNumberScheduled", 0)),
        Column("Current", _path("status.currentNumberScheduled", 0)),
        Column("Ready", _path("status.numberReady", 0)),
        Column("Up-to-date", _path("status.updatedNumberScheduled", 0)),
        Column("Available", _path("status.numberAvailable", 0)),
        _SINCE,
        *_IMAGES,
    ),
    "StatefulSet": (_NAME, Column("Ready", _ratio("status.readyReplicas", "spec.replicas")), _SINCE, *_IMAGES[:2]),
    "Service": (
        _NAME,
        Column("Type", _path("spec.type")),
        Column("Cluster-IP", _path("spec.clusterIP")),
        Column("External-IP", _always(_NONE)),
        Column("Port(s)", _ports),
        _SINCE,
        Column("Selector", _selector, 1),
    ),
    "ConfigMap": (_NAME, Column("Data", _count("data")), _SINCE),
    "Secret": (_NAME, Column("Type", _path("type")), Column("Data", _count("data")), _SINCE),
    "ServiceAccount": (_NAME, Column("Secrets", _count("secrets")), _SINCE),
    "PodDisruptionBudget": (
        _NAME,
        Column("Min Available", _path("spec.minAvailable", "N/A")),
        Column("Max Unavailable", _path("spec.maxUnavailable", "N/A")),
        Column("Allowed Disruptions", _path("status.disruptionsAllowed", 0)),
        _SINCE,
    ),
    "Event": (
        Column("Last Seen", _seen),
        Column("Type", _path("type")),
        Column("Reason", _path("reason")),
        Column("Object", _involved),
        Column("Message", _path("message")),
        Column("Name", _path("metadata.name"), 1),
    ),
    "Lease": (_NAME, Column("Holder", _path("spec.holderIdentity")), _SINCE),
    "Job": (_NAME, Column("Status", _always("")), Column("Completions", _ratio("status.succeeded", "spec.completions")), _SINCE),
    "RoleBinding": (_NAME, Column("Role", _roles), _SINCE),
    "ClusterRoleBinding": (_NAME, Column("Role", _roles), _SINCE),
    "PersistentVolumeClaim": (
        _NAME,
        Column("Status", _path("status.phase")),
        Column("Volume", _path("spec.volumeName", "")),
        Column("Capacity", _path("status.capacity.storage", "")),
        Column("Access Modes", _modes),
        Column("StorageClass", _path("spec.storageClassName", "")),
        _SINCE,
    ),
    "PersistentVolume": (
        _NAME,
        Column("Capacity", _path("spec.capacity.storage")),
        Column("Access Modes", _modes),
        Column("Reclaim Policy", _path("spec.persistentVolumeReclaimPolicy")),
        Column("Status", _path("status.phase")),
        Column("Claim", _claim),
        Column("StorageClass", _path("spec.storageClassName", "")),
        _SINCE,
    ),
    "StorageClass": (_NAME, Column("Provisioner", _path("provisioner")), Column("ReclaimPolicy", _path("reclaimPolicy")), _SINCE),
    "VolumeAttachment": (
        _NAME,
        Column("Attacher", _path("spec.attacher")),
        Column("PV", _path("spec.source.persistentVolumeName")),
        Column("Node", _path("spec.nodeName")),
        Column("Attached", _path("status.attached", "false")),
        _SINCE,
    ),
}
PLAIN = (_NAME, _SINCE)
