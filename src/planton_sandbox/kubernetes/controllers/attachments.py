"""Volumes: claims are bound to new volumes, volumes are attached to the nodes of their pods and detached again."""

from __future__ import annotations

import hashlib
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import objects, resources, store
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import scheduler

Object = dict[str, Any]
_PROTECTION = "kubernetes.io/pvc-protection"
_BY = "pv.kubernetes.io/provisioned-by"


def run(cycle: cycles.Cycle) -> None:
    """Brings claims, volumes and attachments one step further."""
    pods = cycle.store.all(resources.PODS)
    for claim in cycle.store.all(resources.CLAIMS):
        _claim(cycle, claim, pods)
    for volume in cycle.store.all(resources.VOLUMES):
        _volume(cycle, volume)
    used = {(name, pod["spec"]["nodeName"]): pod for pod in pods for name in _volumes(cycle, pod) if _holds(pod)}
    for name, place in sorted(used):
        _attach(cycle, name, place)
    for attachment in cycle.store.all(resources.ATTACHMENTS):
        _follow(cycle, attachment, used)
    for node in cycle.store.all(resources.NODES):
        _show(cycle, node, [volume for volume, name in sorted(used) if name == objects.name(node)])


def provisioned(kept: store.Store) -> list[str]:
    """Returns the names of the volumes that the cloud's driver has provisioned."""
    volumes = kept.all(resources.VOLUMES)
    return [objects.name(volume) for volume in volumes if _BY in volume["metadata"].get("annotations", {})]


def are_attached(cycle: cycles.Cycle, pod: Object) -> bool:
    """Returns whether all volumes of a pod are attached to its node."""
    node = pod["spec"].get("nodeName", "")
    names = _volumes(cycle, pod)
    if len(names) < len(scheduler.claims(pod)):
        return False
    present = [cycle.store.get(resources.ATTACHMENTS, "", _name(volume, node)) for volume in names]
    return all(item is not None and item["status"].get("attached") for item in present)


def _holds(pod: Object) -> bool:
    return bool(pod["spec"].get("nodeName")) and not cycles.is_terminal(pod)


def _volumes(cycle: cycles.Cycle, pod: Object) -> list[str]:
    claims = [cycle.store.get(resources.CLAIMS, objects.namespace(pod), name) for name in scheduler.claims(pod)]
    return [claim["spec"]["volumeName"] for claim in claims if claim and claim["spec"].get("volumeName")]


def _claim(cycle: cycles.Cycle, claim: Object, pods: list[Object]) -> None:
    name, namespace = objects.name(claim), objects.namespace(claim)
    users = [pod for pod in pods if objects.namespace(pod) == namespace and name in scheduler.claims(pod)]
    finalizers = claim["metadata"].get("finalizers", [])
    if objects.is_deleting(claim):
        remaining = [item for item in finalizers if item != _PROTECTION]
        if not users and not remaining:
            cycle.store.remove(resources.CLAIMS, claim)
        elif not users and remaining != finalizers:
            cycle.store.replace(resources.CLAIMS, claim | {"metadata": claim["metadata"] | {"finalizers": remaining}})
        return
    if _PROTECTION not in finalizers:
        claim = cycle.change(resources.CLAIMS, claim, lambda item: item["metadata"].update(finalizers=[*finalizers, _PROTECTION]))
    storage = cycle.store.get(resources.STORAGE_CLASSES, "", claim["spec"].get("storageClassName", ""))
    if claim["spec"].get("volumeName"):
        _bind(cycle, claim)
    elif storage is not None and storage["provisioner"] == cycle.provisioner:
        waits = storage.get("volumeBindingMode") == "WaitForFirstConsumer"
        if not waits or any(pod["spec"].get("nodeName") for pod in users):
            _provision(cycle, claim, storage)


def _provision(cycle: cycles.Cycle, claim: Object, storage: Object) -> None:
    meta, spec = claim["metadata"], claim["spec"]
    reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "name": meta["name"], "namespace": meta["namespace"]}
    volume = objects.new(
        resources.VOLUMES,
        f"pvc-{meta['uid']}",
        now=cycle.now,
        metadata={"annotations": {_BY: storage["provisioner"]}},
        spec={
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": reference | {"uid": meta["uid"]},
            "csi": {"driver": storage["provisioner"], "volumeHandle": meta["uid"]},
            "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
            "storageClassName": objects.name(storage),
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
        status={"phase": "Bound"},
    )
    if cycle.store.get(resources.VOLUMES, "", objects.name(volume)) is None:
        cycle.store.add(resources.VOLUMES, volume)
    bound = cycle.change(resources.CLAIMS, claim, lambda item: item["spec"].update(volumeName=objects.name(volume)))
    _bind(cycle, bound)


def _bind(cycle: cycles.Cycle, claim: Object) -> None:
    volume = cycle.store.get(resources.VOLUMES, "", claim["spec"]["volumeName"])
    if volume is None:
        cycle.set_status(resources.CLAIMS, claim, (claim.get("status") or {}) | {"phase": "Lost"})
        return
    status = {
        "phase": "Bound",
        "accessModes": volume["spec"].get("accessModes", []),
        "capacity": volume["spec"].get("capacity", {}),
    }
    cycle.set_status(resources.CLAIMS, claim, status)


def _volume(cycle: cycles.Cycle, volume: Object) -> None:
    reference = volume["spec"].get("claimRef")
    if not reference:
        cycle.set_status(resources.VOLUMES, volume, {"phase": "Available"})
        return
    claim = cycle.store.get(resources.CLAIMS, reference.get("namespace", ""), reference.get("name", ""))
    if claim is not None and reference.get("uid", claim["metadata"]["uid"]) == claim["metadata"]["uid"]:
        cycle.set_status(resources.VOLUMES, volume, {"phase": "Bound"})
    elif volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
        cycle.set_status(resources.VOLUMES, volume, {"phase": "Released"})
    elif not any(item["spec"]["source"].get("persistentVolumeName") == objects.name(volume) for item in _all(cycle)):
        cycle.delete(resources.VOLUMES, volume)


def _all(cycle: cycles.Cycle) -> list[Object]:
    return cycle.store.all(resources.ATTACHMENTS)


def _name(volume: str, node: str) -> str:
    return f"csi-{hashlib.sha256(f'{volume}/{node}'.encode()).hexdigest()}"


def _attach(cycle: cycles.Cycle, volume: str, node: str) -> None:
    """Creates the attachment of a volume, unless another node still has it."""
    elsewhere = [item for item in _all(cycle) if item["spec"]["source"].get("persistentVolumeName") == volume]
    if not elsewhere:
        spec = {"attacher": cycle.provisioner, "nodeName": node, "source": {"persistentVolumeName": volume}}
        fresh = objects.new(resources.ATTACHMENTS, _name(volume, node), now=cycle.now, spec=spec, status={"attached": False})
        cycle.store.add(resources.ATTACHMENTS, fresh)


def _follow(cycle: cycles.Cycle, attachment: Object, used: dict[tuple[str, str], Object]) -> None:
    spec = attachment["spec"]
    key = (spec.get("source", {}).get("persistentVolumeName", ""), spec.get("nodeName", ""))
    if objects.is_deleting(attachment):
        if cycle.is_over(objects.seconds(attachment["metadata"]["deletionTimestamp"]) + cycle.durations.detach):
            cycle.store.remove(resources.ATTACHMENTS, attachment)
    elif key in used:
        due = objects.created(attachment) + cycle.durations.attach
        if not attachment["status"].get("attached") and cycle.is_over(due):
            cycle.set_status(resources.ATTACHMENTS, attachment, {"attached": True})
    elif attachment["spec"].get("attacher") == cycle.provisioner:
        stamp = {"deletionTimestamp": clock.rfc3339(cycle.now), "deletionGracePeriodSeconds": 0}
        cycle.store.replace(resources.ATTACHMENTS, attachment | {"metadata": attachment["metadata"] | stamp})


def _show(cycle: cycles.Cycle, node: Object, used: list[str]) -> None:
    """Shows a node's volumes in its status."""
    name = objects.name(node)
    volumes = [item["spec"]["source"].get("persistentVolumeName", "") for item in _all(cycle) if item["spec"]["nodeName"] == name]
    prefix = f"kubernetes.io/csi/{cycle.provisioner}^"
    status = {key: value for key, value in node["status"].items() if key not in ("volumesAttached", "volumesInUse")}
    if volumes:
        status["volumesAttached"] = [{"name": f"{prefix}{volume}", "devicePath": ""} for volume in volumes]
    if used:
        status["volumesInUse"] = [f"{prefix}{volume}" for volume in used]
    if status != node["status"]:
        cycle.set_status(resources.NODES, node, status)
