"""The default values that the API server sets in the kinds whose behaviour is simulated."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

Object = dict[str, Any]
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_ROLLING = {"maxSurge": "25%", "maxUnavailable": "25%"}


def apply(item: Object) -> None:
    """Sets the defaults of an object, in place."""
    default = _DEFAULTS.get(item["kind"])
    if default is not None:
        default(item)


def _fill(body: Object, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        body.setdefault(name, value)


def pod_spec(spec: Object) -> None:
    """Sets the defaults of a pod's spec, in place."""
    _fill(
        spec,
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {},
        },
    )
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        _container(container)
    for volume in spec.get("volumes", []):
        for sort in ("configMap", "secret", "projected"):
            if isinstance(volume.get(sort), dict):
                volume[sort].setdefault("defaultMode", 0o644)


def _container(container: Object) -> None:
    tag = str(container.get("image", "")).rpartition("/")[2].partition(":")[2]
    _fill(
        container,
        {
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "Always" if tag in ("", "latest") else "IfNotPresent",
        },
    )
    limits = container["resources"].get("limits")
    if limits:
        container["resources"]["requests"] = {**limits, **container["resources"].get("requests", {})}
    for port in container.get("ports", []):
        port.setdefault("protocol", "TCP")


def _template(item: Object) -> None:
    template = item.setdefault("spec", {}).setdefault("template", {})
    pod_spec(template.setdefault("spec", {}))


def _pod(item: Object) -> None:
    spec = item.setdefault("spec", {})
    spec.setdefault("serviceAccountName", "default")
    pod_spec(spec)
    _fill(spec, {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0})
    item.setdefault("status", {"phase": "Pending"})


def _deployment(item: Object) -> None:
    _template(item)
    _fill(item["spec"], {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": {}})
    strategy = item["spec"]["strategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), _ROLLING)
    item.setdefault("status", {})


def _replica_set(item: Object) -> None:
    _template(item)
    item["spec"].setdefault("replicas", 1)
    item.setdefault("status", {"replicas": 0})


def _daemon_set(item: Object) -> None:
    _template(item)
    _fill(item["spec"], {"revisionHistoryLimit": 10, "updateStrategy": {}})
    strategy = item["spec"]["updateStrategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), {"maxSurge": 0, "maxUnavailable": 1})
    counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady")
    item.setdefault("status", dict.fromkeys(counts, 0))


def _stateful_set(item: Object) -> None:
    _template(item)
    _fill(
        item["spec"],
        {
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "podManagementPolicy": "OrderedReady",
            "serviceName": "",
            "updateStrategy": {},
        },
    )
    strategy = item["spec"]["updateStrategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    item.setdefault("status", {"replicas": 0, "availableReplicas": 0})


def _service(item: Object) -> None:
    spec = item.setdefault("spec", {})
    _fill(spec, {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"})
    for port in spec.get("ports", []):
        _fill(port, {"protocol": "TCP"} | ({"targetPort": port["port"]} if "port" in port else {}))
    item.setdefault("status", {"loadBalancer": {}})


def _secret(item: Object) -> None:
    item.setdefault("type", "Opaque")
    plain = item.pop("stringData", None) or {}
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        item["data"] = {**item.get("data", {}), **encoded}


def _node(item: Object) -> None:
    item.setdefault("spec", {})
    item.setdefault("status", {})


def _namespace(item: Object) -> None:
    name = item["metadata"].get("name", "")
    item["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name
    item.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    item.setdefault("status", {"phase": "Active"})


def _volume(item: Object) -> None:
    _fill(item.setdefault("spec", {}), {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    item.setdefault("status", {"phase": "Pending"})


def _claim(item: Object) -> None:
    item.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    item.setdefault("status", {"phase": "Pending"})


def _storage_class(item: Object) -> None:
    _fill(item, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _binding(item: Object) -> None:
    for subject in item.get("subjects", []):
        group = "" if subject.get("kind") == "ServiceAccount" else "rbac.authorization.k8s.io"
        if group:
            subject.setdefault("apiGroup", group)


def _attachment(item: Object) -> None:
    item.setdefault("status", {"attached": False})


_DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    "Node": _node,
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "DaemonSet": _daemon_set,
    "StatefulSet": _stateful_set,
    "Service": _service,
    "Secret": _secret,
    "Namespace": _namespace,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "StorageClass": _storage_class,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "VolumeAttachment": _attachment,
}
