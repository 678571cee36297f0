"""Jobs: pods that run to their end. The simulated containers succeed."""

from __future__ import annotations

from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import objects, resources
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import replicas

Object = dict[str, Any]


def run(cycle: cycles.Cycle) -> None:
    """Brings every Job one step further."""
    for item in cycle.store.all(resources.JOBS):
        if not objects.is_deleting(item) and not objects.is_true(item, "Complete"):
            _sync(cycle, item)


def _sync(cycle: cycles.Cycle, item: Object) -> None:
    spec = item["spec"]
    parallel = min(int(spec.get("parallelism", 1)), cycles.MAXIMUM_PODS)
    total = int(spec.get("completions", parallel))
    pods = [pod for pod in cycle.store.all(resources.PODS, objects.namespace(item)) if objects.is_owned(pod, item)]
    done = sum(1 for pod in pods if pod["status"].get("phase") == "Succeeded")
    active = [pod for pod in pods if cycles.is_active(pod)]
    if not spec.get("suspend"):
        for _ in range(min(parallel, total - done) - len(active)):
            labels = {"batch.kubernetes.io/job-name": objects.name(item), "job-name": objects.name(item)}
            replicas.create_pod(cycle, item, f"{objects.name(item)}-", labels=labels)
    status = item.get("status") or {}
    status = status | {"active": len(cycle.pods(item)), "succeeded": done, "ready": 0}
    status.setdefault("startTime", clock.rfc3339(cycle.now))
    if done >= total:
        moment = clock.rfc3339(cycle.now)
        conditions = status.get("conditions", [])
        for kind in ("SuccessCriteriaMet", "Complete"):
            fresh = {"type": kind, "status": "True", "reason": "CompletionsReached", "lastProbeTime": moment}
            conditions = objects.with_condition(conditions, fresh, now=cycle.now)
        status |= {"completionTime": moment, "conditions": conditions}
    cycle.set_status(resources.JOBS, item, status)
