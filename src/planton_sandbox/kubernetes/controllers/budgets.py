"""PodDisruptionBudgets: their status, and which evictions they allow."""

from __future__ import annotations

from typing import Any

from planton_sandbox.kubernetes import errors, objects, resources, selectors, store
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import deployments

Object = dict[str, Any]
_SCALED = {
    "Deployment": resources.DEPLOYMENTS,
    "ReplicaSet": resources.REPLICA_SETS,
    "StatefulSet": resources.STATEFUL_SETS,
}


def run(cycle: cycles.Cycle) -> None:
    """Updates the status of every budget."""
    for item in cycle.store.all(resources.BUDGETS):
        old = item.get("status") or {}
        status = _status(cycle.store, item)
        allowed = status["disruptionsAllowed"] > 0
        reason = "SufficientPods" if allowed else "InsufficientPods"
        generation = item["metadata"].get("generation", 1)
        fresh = {"type": "DisruptionAllowed", "status": str(allowed), "reason": reason, "message": ""}
        conditions = objects.with_condition(old.get("conditions", []), fresh | {"observedGeneration": generation}, now=cycle.now)
        cycle.set_status(resources.BUDGETS, item, status | {"observedGeneration": generation, "conditions": conditions})


def check(kept: store.Store, pod: Object) -> None:
    """Refuses an eviction that violates a budget.

    Raises:
        errors.ApiError: 429 with the budget's name, or 500 when several budgets select the pod.
    """
    if objects.is_deleting(pod) or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending"):
        return
    budgets = [item for item in kept.all(resources.BUDGETS, objects.namespace(pod)) if _selects(item, pod)]
    if not budgets:
        return
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise errors.ApiError(500, "InternalError", message)
    budget = budgets[0]
    status, name = _status(kept, budget), objects.name(budget)
    healthy, needed = status["currentHealthy"], status["desiredHealthy"]
    if not objects.is_true(pod, "Ready"):
        policy = budget["spec"].get("unhealthyPodEvictionPolicy", "IfHealthyBudget")
        if policy == "AlwaysAllow" or (needed > 0 and healthy >= needed):
            return
    if status["disruptionsAllowed"] <= 0:
        raise errors.disruption(name, f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently")


def _selects(budget: Object, pod: Object) -> bool:
    selector = budget["spec"].get("selector")
    return selector is not None and selectors.matches(selector, objects.labels(pod))


def _status(kept: store.Store, budget: Object) -> Object:
    pods = [pod for pod in kept.all(resources.PODS, objects.namespace(budget)) if _selects(budget, pod)]
    pods = [pod for pod in pods if not cycles.is_terminal(pod)]
    healthy = sum(1 for pod in pods if objects.is_true(pod, "Ready") and not objects.is_deleting(pod))
    expected, needed = _needed(kept, budget["spec"], pods)
    allowed = max(healthy - needed, 0) if expected > 0 else 0
    return {"currentHealthy": healthy, "desiredHealthy": needed, "expectedPods": expected, "disruptionsAllowed": allowed}


def _needed(kept: store.Store, spec: Object, pods: list[Object]) -> tuple[int, int]:
    """Returns how many pods there should be, and how many have to be healthy."""
    if "maxUnavailable" in spec:
        expected = _expected(kept, pods)
        return expected, max(expected - deployments.amount(spec["maxUnavailable"], expected, is_up=True), 0)
    least = spec.get("minAvailable", 1)
    if isinstance(least, int):
        return len(pods), least
    expected = _expected(kept, pods)
    return expected, deployments.amount(least, expected, is_up=True)


def _expected(kept: store.Store, pods: list[Object]) -> int:
    """Returns the sum of the replicas of the pods' controllers."""
    total, seen = 0, set()
    for pod in pods:
        reference = objects.controller(pod)
        if reference is None or reference["uid"] in seen:
            continue
        seen.add(reference["uid"])
        resource = _SCALED.get(reference["kind"])
        owner = kept.get(resource, objects.namespace(pod), reference["name"]) if resource else None
        above = objects.controller(owner) if owner else None
        if above is not None and above["kind"] == "Deployment" and above["uid"] not in seen:
            seen.add(above["uid"])
            owner = kept.get(resources.DEPLOYMENTS, objects.namespace(pod), above["name"])
        elif above is not None:
            continue
        if owner is not None:
            total += int(owner["spec"].get("replicas", 0))
    return total
