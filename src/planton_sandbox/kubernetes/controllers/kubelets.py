"""What kubelets and the node lifecycle controller do: pods start, stop, and leave nodes that are lost."""

from __future__ import annotations

import hashlib
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import objects, resources
from planton_sandbox.kubernetes.controllers import attachments, scheduler
from planton_sandbox.kubernetes.controllers import cycle as cycles

Object = dict[str, Any]
QUARANTINE = 40.0  # seconds
_SOURCE = "kubelet"


def run(cycle: cycles.Cycle) -> None:
    """Starts and stops the pods of every node."""
    nodes = {objects.name(node): node for node in cycle.store.all(resources.NODES)}
    for pod in cycle.store.all(resources.PODS):
        name = pod["spec"].get("nodeName", "")
        if not name:
            continue
        node = nodes.get(name)
        if node is None:
            _collect(cycle, pod)
        elif objects.is_deleting(pod):
            _stop(cycle, pod, node)
        elif not cycles.is_terminal(pod):
            _run(cycle, pod, node)
            _evict(cycle, pod, node)


def is_reachable(node: Object) -> bool:
    """Returns whether a node's kubelet answers."""
    ready = objects.condition(node, "Ready")
    return ready is not None and ready["status"] != "Unknown"


def _collect(cycle: cycles.Cycle, pod: Object) -> None:
    """Removes a pod whose node is gone; one that names a node which never was waits for it."""
    is_new = "startTime" not in (pod.get("status") or {})
    if is_new and not objects.is_deleting(pod) and not cycle.is_over(objects.created(pod) + QUARANTINE):
        return
    if not pod["metadata"].get("finalizers"):
        cycle.store.remove(resources.PODS, pod)
    elif not objects.is_deleting(pod):
        cycles.begin_delete(cycle.store, pod, now=cycle.now, grace=0)


def _stop(cycle: cycles.Cycle, pod: Object, node: Object) -> None:
    grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 0))
    stopped = cycle.is_over(cycles.deletion_began(pod) + min(grace, cycle.durations.stop))
    if stopped and is_reachable(node) and not pod["metadata"].get("finalizers"):
        cycle.store.remove(resources.PODS, pod)


def _run(cycle: cycles.Cycle, pod: Object, node: Object) -> None:
    if not objects.is_true(node, "Ready"):
        _set_ready(cycle, pod, is_ready=False)
        return
    status = pod.get("status") or {}
    if status.get("phase") == "Running":
        pod = _set_ready(cycle, pod, is_ready=True)
        if pod["spec"].get("restartPolicy", "Always") != "Always":
            _finish(cycle, pod)
        return
    begin = objects.seconds(status.get("startTime")) or cycle.now
    if attachments.are_attached(cycle, pod) and cycle.is_over(begin + cycle.durations.start):
        cycle.set_status(resources.PODS, pod, _running(pod, node, now=cycle.now))
        cycle.report(pod, "Started", "Started container", source=_SOURCE)


def _finish(cycle: cycles.Cycle, pod: Object) -> None:
    ready = objects.condition(pod, "Ready")
    if ready is None or not cycle.is_over(objects.seconds(ready["lastTransitionTime"]) + cycle.durations.run):
        return
    status = pod["status"]
    moment = clock.rfc3339(cycle.now)
    conditions = status["conditions"]
    for kind in ("Ready", "ContainersReady"):
        fresh = {"type": kind, "status": "False", "reason": "PodCompleted", "lastProbeTime": None}
        conditions = objects.with_condition(conditions, fresh, now=cycle.now)
    ended = {"exitCode": 0, "reason": "Completed", "finishedAt": moment, "startedAt": status.get("startTime", moment)}
    containers = [
        one | {"ready": False, "started": False, "state": {"terminated": ended}} for one in status.get("containerStatuses", [])
    ]
    done = {"phase": "Succeeded", "conditions": conditions, "containerStatuses": containers}
    cycle.set_status(resources.PODS, pod, status | done)


def _set_ready(cycle: cycles.Cycle, pod: Object, *, is_ready: bool) -> Object:
    if objects.condition(pod, "Ready") is None or objects.is_true(pod, "Ready") is is_ready:
        return pod
    fresh = {"type": "Ready", "status": str(is_ready), "lastProbeTime": None}
    conditions = objects.with_condition(pod["status"]["conditions"], fresh, now=cycle.now)
    return cycle.set_status(resources.PODS, pod, pod["status"] | {"conditions": conditions})


def _evict(cycle: cycles.Cycle, pod: Object, node: Object) -> None:
    """Deletes a pod that does not tolerate the node's ``NoExecute`` taints, or no longer."""
    for taint in node["spec"].get("taints", []):
        if taint["effect"] != "NoExecute":
            continue
        toleration = scheduler.tolerates(pod["spec"].get("tolerations", []), taint)
        since = objects.seconds(taint.get("timeAdded")) or cycle.now
        limit = None if toleration is None else toleration.get("tolerationSeconds")
        if toleration is not None and limit is None:
            continue
        if cycle.is_over(since + float(max(limit or 0, 0))):
            name = f"{objects.namespace(pod)}/{objects.name(pod)}"
            cycle.report(pod, "TaintManagerEviction", f"Marking for deletion Pod {name}", source="taint-eviction-controller")
            current = cycle.store.get(resources.PODS, objects.namespace(pod), objects.name(pod))
            cycle.delete(resources.PODS, current or pod)
            return


def _running(pod: Object, node: Object, *, now: float) -> Object:
    status = pod.get("status") or {}
    conditions = status.get("conditions", [])
    for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"):
        conditions = objects.with_condition(conditions, {"type": kind, "status": "True", "lastProbeTime": None}, now=now)
    address = _address(pod["metadata"]["uid"])
    host = next((one["address"] for one in node["status"].get("addresses", []) if one["type"] == "InternalIP"), "")
    moment = clock.rfc3339(now)
    return status | {
        "phase": "Running",
        "conditions": conditions,
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": status.get("startTime", moment),
        "qosClass": _quality(pod),
        "containerStatuses": [_container(one, moment) for one in pod["spec"].get("containers", [])],
    }


def _container(container: Object, moment: str) -> Object:
    digest = hashlib.sha256(str(container.get("image")).encode()).hexdigest()
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": f"sha256:{digest}",
        "containerID": f"containerd://{digest}",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "lastState": {},
        "state": {"running": {"startedAt": moment}},
    }


def _address(uid: str) -> str:
    digest = hashlib.sha256(uid.encode()).digest()
    return f"10.244.{digest[0]}.{digest[1] % 254 + 1}"


def _quality(pod: Object) -> str:
    parts = [one.get("resources", {}) for one in pod["spec"].get("containers", [])]
    if not any(part.get("requests") or part.get("limits") for part in parts):
        return "BestEffort"
    guaranteed = all(
        part.get("limits") and part.get("requests") == part["limits"] and {"cpu", "memory"} <= set(part["limits"])
        for part in parts
    )
    return "Guaranteed" if guaranteed else "Burstable"
