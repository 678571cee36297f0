"""ReplicaSets, and what all controllers of pods share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from planton_sandbox.kubernetes import defaults, objects, resources, selectors
from planton_sandbox.kubernetes.controllers import cycle as cycles

Object = dict[str, Any]
HASH_LENGTH = 10
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SOURCE = "replicaset-controller"


def run(cycle: cycles.Cycle) -> None:
    """Brings every ReplicaSet to its number of pods."""
    for item in cycle.store.all(resources.REPLICA_SETS):
        if not objects.is_deleting(item):
            _sync(cycle, item)


def fingerprint(template: Object) -> str:
    """Returns a hash of a pod template, for names and labels."""
    digest = int.from_bytes(hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()[:16])
    letters = ""
    while len(letters) < HASH_LENGTH:
        digest, index = divmod(digest, len(_LETTERS))
        letters += _LETTERS[index]
    return letters


def create_pod(cycle: cycles.Cycle, owner: Object, name: str, **more: Any) -> bool:
    """Creates a pod from the template of its owner, and returns whether the cluster takes it.

    Args:
        cycle: The run.
        owner: The controller.
        name: The pod's name; one that ends with ``-`` is completed.
        more: ``labels`` to add, and fields of the spec.
    """
    if not cycle.has_room():
        return False
    template = owner["spec"]["template"]
    meta = template.get("metadata", {})
    fresh: Object = {
        "labels": {**meta.get("labels", {}), **more.pop("labels", {})},
        "ownerReferences": [objects.owner_reference(owner)],
    }
    if meta.get("annotations"):
        fresh["annotations"] = meta["annotations"]
    if name.endswith("-"):
        fresh["generateName"] = name
        name += objects.suffix()
    pod = objects.new(
        resources.PODS,
        name,
        namespace=objects.namespace(owner),
        now=cycle.now,
        metadata=fresh,
        spec=json.loads(json.dumps({**template["spec"], **more})),
    )
    admit(pod)
    if cycle.store.get(resources.PODS, objects.namespace(owner), name) is None:
        cycle.store.add(resources.PODS, pod)
    return True


def admit(pod: Object) -> None:
    """Completes a new pod, in place: defaults, and the tolerations that every pod gets."""
    defaults.apply(pod)
    tolerations = pod["spec"].setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(one.get("key", key) == key and one.get("effect", "NoExecute") == "NoExecute" for one in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def is_available(cycle: cycles.Cycle, pod: Object, *, least: float) -> bool:
    """Returns whether a pod has been ready for ``least`` seconds."""
    ready = objects.condition(pod, "Ready")
    if ready is None or ready["status"] != "True":
        return False
    return cycle.is_over(objects.seconds(ready["lastTransitionTime"]) + least)


def counts(cycle: cycles.Cycle, pods: list[Object], spec: Mapping[str, Any]) -> tuple[int, int]:
    """Returns how many pods are ready, and how many are available."""
    least = float(spec.get("minReadySeconds", 0))
    ready = sum(1 for pod in pods if objects.is_true(pod, "Ready"))
    return ready, sum(1 for pod in pods if is_available(cycle, pod, least=least))


def _sync(cycle: cycles.Cycle, item: Object) -> None:
    pods = cycle.pods(item) + _adopt(cycle, item)
    lacking = int(item["spec"]["replicas"]) - len(pods)
    has_failed = False
    for _ in range(max(lacking, 0)):
        has_failed = not create_pod(cycle, item, f"{objects.name(item)}-")
        if has_failed:
            break
    if lacking < 0:
        for pod in sorted(pods, key=lambda pod: _rank(pod, pods))[:-lacking]:
            cycle.delete(resources.PODS, pod)
            cycle.report(item, "SuccessfulDelete", f"Deleted pod: {objects.name(pod)}", source=_SOURCE)
    pods = cycle.pods(item)
    ready, available = counts(cycle, pods, item["spec"])
    status: Object = {"replicas": len(pods), "observedGeneration": item["metadata"].get("generation", 1)}
    if pods:
        status |= {"fullyLabeledReplicas": len(pods), "readyReplicas": ready, "availableReplicas": available}
    if has_failed:
        message = f"exceeded quota: the sandbox runs at most {cycles.MAXIMUM_PODS} pods in a cluster"
        failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
        status["conditions"] = objects.with_condition((item.get("status") or {}).get("conditions", []), failure, now=cycle.now)
    cycle.set_status(resources.REPLICA_SETS, item, status)


def _adopt(cycle: cycles.Cycle, item: Object) -> list[Object]:
    adopted = []
    for pod in cycle.store.all(resources.PODS, objects.namespace(item)):
        is_free = objects.controller(pod) is None and cycles.is_active(pod)
        if is_free and selectors.matches(item["spec"]["selector"], objects.labels(pod)):
            owners = [*pod["metadata"].get("ownerReferences", []), objects.owner_reference(item)]
            adopted.append(cycle.store.replace(resources.PODS, pod | {"metadata": pod["metadata"] | {"ownerReferences": owners}}))
    return adopted


def _rank(pod: Object, pods: list[Object]) -> tuple[bool, bool, bool, int, float, str]:
    """Orders pods for deletion: not bound, pending, not ready, on crowded nodes, and new ones first."""
    node = pod["spec"].get("nodeName", "")
    crowd = sum(1 for other in pods if other["spec"].get("nodeName", "") == node)
    pending = pod["status"].get("phase") == "Pending"
    return bool(node), not pending, objects.is_true(pod, "Ready"), -crowd, -objects.created(pod), objects.name(pod)
