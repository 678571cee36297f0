"""Binds pods to nodes by requests, selectors, affinity, taints and cordons."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import objects, quantities, resources, selectors
from planton_sandbox.kubernetes.controllers import cycle as cycles

Object = dict[str, Any]
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_SOURCE = "default-scheduler"


@dataclasses.dataclass(slots=True)
class _Place:
    """A node, its free resources, and the pods on it."""

    node: Object
    free: dict[str, float]
    pods: list[Object]


def run(cycle: cycles.Cycle) -> None:
    """Binds every pod that fits somewhere; the others get the reason why not."""
    pods = cycle.store.all(resources.PODS)
    waiting = [pod for pod in pods if not pod["spec"].get("nodeName") and cycles.is_active(pod)]
    if not waiting:
        return
    by_node: dict[str, list[Object]] = collections.defaultdict(list)
    for pod in pods:
        if not cycles.is_terminal(pod):
            by_node[pod["spec"].get("nodeName", "")].append(pod)
    nodes = cycle.store.all(resources.NODES)
    places = [_place(node, by_node[objects.name(node)]) for node in nodes]
    for pod in sorted(waiting, key=lambda item: (-item["spec"].get("priority", 0), objects.created(item), objects.name(item))):
        _schedule(cycle, pod, places)


def requests(pod: Object) -> dict[str, float]:
    """Returns what a pod requests, in cores, bytes and numbers, with ``pods`` for the pod itself."""
    total: dict[str, float] = collections.defaultdict(float)
    for container in pod["spec"].get("containers", []):
        for key, amount in container.get("resources", {}).get("requests", {}).items():
            total[key] += quantities.parse(amount)
    for container in pod["spec"].get("initContainers", []):
        for key, amount in container.get("resources", {}).get("requests", {}).items():
            total[key] = max(total[key], quantities.parse(amount))
    return dict(total) | {"pods": 1.0}


def tolerates(tolerations: Sequence[Object], taint: Object) -> Object | None:
    """Returns the toleration of a taint, or ``None``."""
    for item in tolerations:
        is_exists = item.get("operator", "Equal") == "Exists"
        fits_key = item.get("key", "") == taint["key"] or (is_exists and not item.get("key"))
        fits_value = is_exists or item.get("value", "") == taint.get("value", "")
        if fits_key and fits_value and item.get("effect", "") in ("", taint["effect"]):
            return item
    return None


def fits_node(spec: Object, node: Object) -> str:
    """Returns why a pod does not fit a node, apart from its resources; an empty string if it does."""
    tolerations = spec.get("tolerations", [])
    if node["spec"].get("unschedulable") and not tolerates(tolerations, {"key": UNSCHEDULABLE, "effect": "NoSchedule"}):
        return "node(s) were unschedulable"
    for taint in node["spec"].get("taints", []):
        if taint["effect"] != "PreferNoSchedule" and tolerates(tolerations, taint) is None:
            value = f"{taint['key']}: {taint['value']}" if taint.get("value") else f"{taint['key']}: "
            return f"node(s) had untolerated taint {{{value}}}"
    if not _matches(spec, node):
        return "node(s) didn't match Pod's node affinity/selector"
    return ""


def _place(node: Object, pods: list[Object]) -> _Place:
    free = {key: quantities.parse(amount) for key, amount in node["status"].get("allocatable", {}).items()}
    place = _Place(node, free, [])
    for pod in pods:
        _occupy(place, pod)
    return place


def _occupy(place: _Place, pod: Object) -> None:
    place.pods.append(pod)
    for key, amount in requests(pod).items():
        place.free[key] = place.free.get(key, 0.0) - amount


def _matches(spec: Object, node: Object) -> bool:
    labels = objects.labels(node)
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    required = spec.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    fields = {"metadata.name": objects.name(node)}
    return any(
        all(selectors.requires(one, labels) for one in term.get("matchExpressions", []))
        and all(selectors.requires(one, fields) for one in term.get("matchFields", []))
        for term in required.get("nodeSelectorTerms", [])
    )


def _schedule(cycle: cycles.Cycle, pod: Object, places: Sequence[_Place]) -> None:
    problem = _claims(cycle, pod)
    reasons: collections.Counter[str] = collections.Counter()
    fitting = []
    for place in [] if problem else places:
        refused = _refusals(pod, place, places)
        reasons.update(refused)
        if not refused:
            fitting.append(place)
    if not fitting:
        texts = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items())) or "no nodes available"
        _refuse(cycle, pod, problem or f"0/{len(places)} nodes are available: {texts}.")
        return
    best = min(fitting, key=lambda place: _score(pod, place))
    _bind(cycle, pod, objects.name(best.node))
    _occupy(best, pod)


def _refusals(pod: Object, place: _Place, places: Sequence[_Place]) -> list[str]:
    why = fits_node(pod["spec"], place.node)
    if why:
        return [why]
    lacking = [key for key, amount in requests(pod).items() if amount > place.free.get(key, 0.0) + 1e-9]
    if lacking:
        return ["Too many pods" if key == "pods" else f"Insufficient {key}" for key in lacking]
    return ["node(s) didn't match pod anti-affinity rules"] if _is_repelled(pod, place, places) else []


def _is_repelled(pod: Object, place: _Place, places: Sequence[_Place]) -> bool:
    rules = pod["spec"].get("affinity", {}).get("podAntiAffinity") or {}
    for term in rules.get("requiredDuringSchedulingIgnoredDuringExecution") or []:
        key = term.get("topologyKey", "")
        zone = objects.labels(place.node).get(key)
        for other in places:
            if zone is not None and objects.labels(other.node).get(key) == zone and _has_match(term, pod, other.pods):
                return True
    return False


def _has_match(term: Mapping[str, Any], pod: Object, others: Sequence[Object]) -> bool:
    selector, namespace = term.get("labelSelector") or {}, objects.namespace(pod)
    return any(objects.namespace(item) == namespace and selectors.matches(selector, objects.labels(item)) for item in others)


def _score(pod: Object, place: _Place) -> tuple[int, float, str]:
    """Prefers nodes with few pods of the same controller, then those with the most free resources."""
    owner = objects.controller(pod)
    same = sum(1 for item in place.pods if owner and (objects.controller(item) or {}).get("uid") == owner["uid"])
    allocatable = place.node["status"].get("allocatable", {})
    shares = [place.free.get(key, 0.0) / max(quantities.of(allocatable, key), 1e-9) for key in ("cpu", "memory")]
    return same, -round(sum(shares), 6), objects.name(place.node)


def _claims(cycle: cycles.Cycle, pod: Object) -> str:
    """Returns why the pod's claims do not allow to schedule it."""
    for name in claims(pod):
        claim = cycle.store.get(resources.CLAIMS, objects.namespace(pod), name)
        if claim is None or objects.is_deleting(claim):
            return f'0/{len(cycle.store.all(resources.NODES))} nodes are available: persistentvolumeclaim "{name}" not found.'
        storage = cycle.store.get(resources.STORAGE_CLASSES, "", claim["spec"].get("storageClassName", ""))
        waits = storage is not None and storage.get("volumeBindingMode") == "WaitForFirstConsumer"
        if not claim["spec"].get("volumeName") and not waits:
            return "pod has unbound immediate PersistentVolumeClaims."
    return ""


def claims(pod: Object) -> list[str]:
    """Returns the names of the claims that a pod uses."""
    volumes = pod["spec"].get("volumes", [])
    return [item["persistentVolumeClaim"].get("claimName", "") for item in volumes if "persistentVolumeClaim" in item]


def _refuse(cycle: cycles.Cycle, pod: Object, message: str) -> None:
    fresh = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastProbeTime": None}
    status = pod.get("status") or {}
    old = objects.condition(pod, "PodScheduled")
    if old is not None and old.get("message") == message:
        return
    conditions = objects.with_condition(status.get("conditions", []), fresh, now=cycle.now)
    cycle.set_status(resources.PODS, pod, status | {"phase": "Pending", "conditions": conditions})
    cycle.report(pod, "FailedScheduling", message, kind="Warning", source=_SOURCE)


def _bind(cycle: cycles.Cycle, pod: Object, node: str) -> None:
    fresh = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
    status = pod.get("status") or {}
    conditions = [one for one in status.get("conditions", []) if one["type"] != "PodScheduled"]
    conditions = objects.with_condition(conditions, fresh, now=cycle.now)
    bound = status | {"conditions": conditions, "startTime": clock.rfc3339(cycle.now)}
    cycle.store.replace(resources.PODS, pod | {"spec": pod["spec"] | {"nodeName": node}, "status": bound})
    cycle.report(
        pod, "Scheduled", f"Successfully assigned {objects.namespace(pod)}/{objects.name(pod)} to {node}", source=_SOURCE
    )
