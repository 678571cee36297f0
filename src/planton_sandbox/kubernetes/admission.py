"""What happens to an object before it is stored: defaults, names, and what depends on other objects."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import defaults, errors, objects, resources, store
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import replicas, stateful

Object = dict[str, Any]
#: Kinds whose generation counts the changes of their spec.
COUNTED = frozenset(
    {"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "PodDisruptionBudget", "Ingress", "NetworkPolicy"}
)
_SERVERS = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)


def create(kept: store.Store, resource: resources.Resource, item: Object, *, now: float) -> Object:
    """Returns a new object, complete.

    Raises:
        errors.ApiError: when its namespace or what it needs does not exist.
    """
    meta = {key: value for key, value in item["metadata"].items() if key not in _SERVERS}
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = f"{meta['generateName'][:200]}{objects.suffix()}"
    meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": clock.rfc3339(now)}
    if resource.kind in COUNTED:
        meta["generation"] = 1
    item = item | {"metadata": meta}
    if "status" in resource.subresources:
        item = {key: value for key, value in item.items() if key != "status"}
    if resource.namespaced:
        _check_namespace(kept, resource, meta["namespace"], meta.get("name", ""))
    defaults.apply(item)
    step = _STEPS.get(resource.kind)
    if step is not None:
        step(kept, item)
    return item


def update(resource: resources.Resource, item: Object, before: Object) -> Object:
    """Returns a changed object with what the server owns; its status stays as it was."""
    defaults.apply(item)
    meta = {key: value for key, value in item["metadata"].items() if key not in _SERVERS}
    meta |= {key: before["metadata"][key] for key in _SERVERS if key in before["metadata"]}
    item = item | {"metadata": meta}
    if "status" in resource.subresources:
        item = {key: value for key, value in item.items() if key != "status"}
        item |= {"status": before["status"]} if "status" in before else {}
    if resource.kind == "Service":
        for key in ("clusterIP", "clusterIPs"):
            if key in before["spec"]:
                item["spec"].setdefault(key, before["spec"][key])
    if resource.kind in COUNTED and item.get("spec") != before.get("spec"):
        meta["generation"] = before["metadata"].get("generation", 1) + 1
    return item


def _check_namespace(kept: store.Store, resource: resources.Resource, namespace: str, name: str) -> None:
    place = kept.get(resources.NAMESPACES, "", namespace)
    if place is None:
        raise errors.not_found(resources.NAMESPACES, namespace)
    if objects.is_deleting(place):
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        message = f"namespace {namespace} is being terminated"
        causes = [{"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}]
        raise errors.forbidden(resource, name, why, causes=causes)


def _pod(kept: store.Store, item: Object) -> None:
    namespace, account = objects.namespace(item), item["spec"]["serviceAccountName"]
    if kept.get(resources.SERVICE_ACCOUNTS, namespace, account) is None:
        why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise errors.forbidden(resources.PODS, item["metadata"].get("name", ""), why)
    replicas.admit(item)


def _claim(kept: store.Store, item: Object) -> None:
    stateful.default_class(cycles.Cycle(kept, 0.0, cycles.Durations()), item)


def _service(kept: store.Store, item: Object) -> None:
    spec = item["spec"]
    if spec["type"] == "ExternalName" or spec.get("clusterIP"):
        return
    taken = {one["spec"].get("clusterIP") for one in kept.all(resources.SERVICES)}
    digest = int.from_bytes(hashlib.sha256(item["metadata"]["uid"].encode()).digest()[:4])
    while (address := f"10.245.{digest >> 8 & 255}.{digest % 254 + 1}") in taken:
        digest += 1
    spec |= {"clusterIP": address, "clusterIPs": [address], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}


def _job(_kept: store.Store, item: Object) -> None:
    uid = item["metadata"]["uid"]
    spec = item.setdefault("spec", {})
    labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": item["metadata"].get("name", "")}
    spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
    for key, value in (("parallelism", 1), ("completions", 1), ("backoffLimit", 6)):
        spec.setdefault(key, value)
    meta = spec.setdefault("template", {}).setdefault("metadata", {})
    meta["labels"] = {**meta.get("labels", {}), **labels}
    defaults.pod_spec(spec["template"].setdefault("spec", {}))


_STEPS: Mapping[str, Callable[[store.Store, Object], None]] = {
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "Job": _job,
}
