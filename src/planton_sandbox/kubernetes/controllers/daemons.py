"""DaemonSets: one pod on every node that takes it."""

from __future__ import annotations

from typing import Any

from planton_sandbox.kubernetes import objects, resources
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import deployments, replicas, scheduler

Object = dict[str, Any]
HASH = "controller-revision-hash"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ("node.kubernetes.io/not-ready", "NoSchedule"),
    ("node.kubernetes.io/unreachable", "NoSchedule"),
)


def run(cycle: cycles.Cycle) -> None:
    """Brings every DaemonSet one step further."""
    for item in cycle.store.all(resources.DAEMON_SETS):
        if not objects.is_deleting(item):
            _sync(cycle, item)


def _sync(cycle: cycles.Cycle, item: Object) -> None:
    spec = item["spec"]["template"]["spec"]
    tolerations = [*spec.get("tolerations", [])]
    tolerations += [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    fitting = {
        objects.name(node)
        for node in cycle.store.all(resources.NODES)
        if not scheduler.fits_node(spec | {"tolerations": tolerations}, node)
    }
    digest = replicas.fingerprint(item["spec"]["template"])
    pods = cycle.pods(item)
    for pod in pods:
        if pod["spec"].get("nodeName") not in fitting:
            cycle.delete(resources.PODS, pod)
    _replace(cycle, item, pods, digest)
    leaving = [pod for pod in cycle.store.all(resources.PODS, objects.namespace(item)) if objects.is_owned(pod, item)]
    present = {pod["spec"].get("nodeName") for pod in leaving if not cycles.is_terminal(pod)}
    for node in sorted(fitting - present):
        replicas.create_pod(cycle, item, f"{objects.name(item)}-", labels={HASH: digest}, nodeName=node, tolerations=tolerations)
    _report(cycle, item, len(fitting), digest)


def _replace(cycle: cycles.Cycle, item: Object, pods: list[Object], digest: str) -> None:
    """Deletes outdated pods, as many as may be unavailable at a time."""
    strategy = item["spec"]["updateStrategy"]
    if strategy.get("type") != "RollingUpdate":
        return
    value = strategy.get("rollingUpdate", {}).get("maxUnavailable", 1)
    room = max(deployments.amount(value, len(pods), is_up=True), 1)
    room -= sum(1 for pod in pods if not objects.is_true(pod, "Ready"))
    for pod in pods:
        if objects.labels(pod).get(HASH) != digest and (room > 0 or not objects.is_true(pod, "Ready")):
            room -= objects.is_true(pod, "Ready")
            cycle.delete(resources.PODS, pod)


def _report(cycle: cycles.Cycle, item: Object, desired: int, digest: str) -> None:
    pods = cycle.pods(item)
    ready, available = replicas.counts(cycle, pods, item["spec"])
    status: Object = {
        "currentNumberScheduled": len(pods),
        "desiredNumberScheduled": desired,
        "numberMisscheduled": 0,
        "numberReady": ready,
        "observedGeneration": item["metadata"].get("generation", 1),
        "updatedNumberScheduled": sum(1 for pod in pods if objects.labels(pod).get(HASH) == digest),
    }
    counts = {"numberAvailable": available, "numberUnavailable": max(desired - available, 0)}
    cycle.set_status(resources.DAEMON_SETS, item, status | {key: value for key, value in counts.items() if value})
