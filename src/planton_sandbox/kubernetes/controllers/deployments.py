"""Deployments: a ReplicaSet for each pod template, and rolling updates from one to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import objects, resources
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import replicas

Object = dict[str, Any]
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
_SOURCE = "deployment-controller"


def run(cycle: cycles.Cycle) -> None:
    """Brings every Deployment one step further."""
    for item in cycle.store.all(resources.DEPLOYMENTS):
        if not objects.is_deleting(item):
            _sync(cycle, item)


def amount(value: int | str, total: int, *, is_up: bool) -> int:
    """Returns a number that may be a percentage of ``total``."""
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * total / 100
    return math.ceil(share) if is_up else math.floor(share)


def _sync(cycle: cycles.Cycle, item: Object) -> None:
    owned = [one for one in cycle.store.all(resources.REPLICA_SETS, objects.namespace(item)) if objects.is_owned(one, item)]
    current = next((one for one in owned if _template(one) == _stripped(item["spec"]["template"])), None)
    if current is None and not item["spec"].get("paused"):
        current = _create(cycle, item, owned)
        owned.append(current)
    if current is not None:
        _roll(cycle, item, current, [one for one in owned if one is not current])
    names = {objects.name(one) for one in owned}
    fresh = [one for one in cycle.store.all(resources.REPLICA_SETS, objects.namespace(item)) if objects.name(one) in names]
    name = objects.name(current) if current else ""
    _clean(cycle, item, [one for one in fresh if objects.name(one) != name])
    _report(cycle, item, next((one for one in fresh if objects.name(one) == name), None), fresh)


def _stripped(template: Object) -> Object:
    meta = template.get("metadata", {})
    labels = {key: value for key, value in meta.get("labels", {}).items() if key != HASH}
    return {"labels": labels, "annotations": meta.get("annotations", {}), "spec": template["spec"]}


def _template(item: Object) -> Object:
    return _stripped(item["spec"]["template"])


def _revision(item: Object) -> int:
    text = item["metadata"].get("annotations", {}).get(REVISION, "0")
    return int(text) if text.isdecimal() else 0


def _create(cycle: cycles.Cycle, item: Object, owned: Sequence[Object]) -> Object:
    template = item["spec"]["template"]
    digest = replicas.fingerprint(_stripped(template))
    meta = template.get("metadata", {})
    labels = {**meta.get("labels", {}), HASH: digest}
    selector = item["spec"]["selector"]
    revision = max((_revision(one) for one in owned), default=0) + 1
    return cycle.store.add(
        resources.REPLICA_SETS,
        objects.new(
            resources.REPLICA_SETS,
            f"{objects.name(item)}-{digest}",
            namespace=objects.namespace(item),
            now=cycle.now,
            metadata={
                "labels": labels,
                "annotations": {REVISION: str(revision)},
                "ownerReferences": [objects.owner_reference(item)],
                "generation": 1,
            },
            spec={
                "replicas": 0,
                "selector": selector | {"matchLabels": {**selector.get("matchLabels", {}), HASH: digest}},
                "minReadySeconds": item["spec"].get("minReadySeconds", 0),
                "template": template | {"metadata": meta | {"labels": labels}},
            },
            status={"replicas": 0},
        ),
    )


def _roll(cycle: cycles.Cycle, item: Object, current: Object, old: Sequence[Object]) -> None:
    desired = int(item["spec"]["replicas"])
    if item["spec"].get("paused"):
        if not any(one["spec"]["replicas"] for one in old):
            _scale(cycle, item, current, desired)
        return
    newest = max((_revision(one) for one in old), default=0)
    if _revision(current) < newest:
        current = cycle.change(
            resources.REPLICA_SETS, current, lambda one: one["metadata"]["annotations"].update({REVISION: str(newest + 1)})
        )
    if item["spec"]["strategy"]["type"] == "Recreate":
        for one in old:
            _scale(cycle, item, one, 0)
        if not any(one["status"].get("replicas") or cycle.pods(one) for one in old):
            _scale(cycle, item, current, desired)
        return
    _roll_over(cycle, item, current, old)


def _roll_over(cycle: cycles.Cycle, item: Object, current: Object, old: Sequence[Object]) -> None:
    desired = int(item["spec"]["replicas"])
    rolling = item["spec"]["strategy"].get("rollingUpdate", {})
    surge = amount(rolling.get("maxSurge", "25%"), desired, is_up=True)
    missing = amount(rolling.get("maxUnavailable", "25%"), desired, is_up=False)
    missing = max(missing, 1) if surge == 0 else missing
    others = sum(int(one["spec"]["replicas"]) for one in old)
    have = int(current["spec"]["replicas"])
    room = max(desired + surge - others - have, 0)
    _scale(cycle, item, current, min(desired, have + room) if have < desired else desired)
    # What may go now: everything above the least number of available pods; pods that are not available go first.
    available = sum(int(one["status"].get("availableReplicas", 0)) for one in [current, *old])
    spare = max(available - (desired - missing), 0)
    for one in old:
        count, ready = int(one["spec"]["replicas"]), int(one["status"].get("availableReplicas", 0))
        leaving = min(count, max(count - ready, 0) + min(spare, ready))
        spare -= max(leaving - max(count - ready, 0), 0)
        _scale(cycle, item, one, count - leaving)


def _scale(cycle: cycles.Cycle, item: Object, owned: Object, count: int) -> None:
    before = int(owned["spec"]["replicas"])
    if before == count:
        return
    generation = owned["metadata"].get("generation", 1) + 1
    meta = owned["metadata"] | {"generation": generation}
    cycle.store.replace(resources.REPLICA_SETS, owned | {"metadata": meta, "spec": owned["spec"] | {"replicas": count}})
    verb = "up" if count > before else "down"
    message = f"Scaled {verb} replica set {objects.name(owned)} from {before} to {count}"
    cycle.report(item, "ScalingReplicaSet", message, source=_SOURCE)


def _clean(cycle: cycles.Cycle, item: Object, old: list[Object]) -> None:
    empty = sorted((one for one in old if not one["spec"]["replicas"] and not one["status"].get("replicas")), key=_revision)
    for one in empty[: max(len(empty) - int(item["spec"].get("revisionHistoryLimit", 10)), 0)]:
        cycle.delete(resources.REPLICA_SETS, one)


def _report(cycle: cycles.Cycle, item: Object, current: Object | None, owned: Sequence[Object]) -> None:
    def total(key: str, items: Sequence[Object]) -> int:
        return sum(int(one["status"].get(key, 0)) for one in items)

    desired = int(item["spec"]["replicas"])
    available = total("availableReplicas", owned)
    counts = {
        "replicas": total("replicas", owned),
        "updatedReplicas": total("replicas", [current] if current else []),
        "readyReplicas": total("readyReplicas", owned),
        "availableReplicas": available,
        "unavailableReplicas": max(desired - available, 0),
    }
    status = item.get("status") or {}
    is_done = counts["updatedReplicas"] == counts["replicas"] == available == desired
    is_moving = any(status.get(key, 0) != value for key, value in counts.items())
    rolling = item["spec"]["strategy"].get("rollingUpdate", {}).get("maxUnavailable", 0)
    least = desired - amount(rolling, desired, is_up=False)
    conditions = objects.with_condition(status.get("conditions", []), _available(available >= least), now=cycle.now)
    is_rolling = counts["replicas"] != counts["updatedReplicas"]
    conditions = _progress(cycle, item, conditions, is_done=is_done, is_moving=is_moving, is_rolling=is_rolling)
    generation = item["metadata"].get("generation", 1)
    fresh: Object = {key: value for key, value in counts.items() if value}
    cycle.set_status(
        resources.DEPLOYMENTS, _revised(item, current), fresh | {"observedGeneration": generation, "conditions": conditions}
    )


def _revised(item: Object, current: Object | None) -> Object:
    if current is None:
        return item
    annotations = {**item["metadata"].get("annotations", {}), REVISION: str(_revision(current))}
    return item | {"metadata": item["metadata"] | {"annotations": annotations}}


def _available(is_available: bool) -> Object:  # noqa: FBT001 - the status of the condition
    reason = "MinimumReplicasAvailable" if is_available else "MinimumReplicasUnavailable"
    have = "has" if is_available else "does not have"
    message = f"Deployment {have} minimum availability."
    return {"type": "Available", "status": str(is_available), "reason": reason, "message": message}


def _progress(
    cycle: cycles.Cycle, item: Object, conditions: list[Object], *, is_done: bool, is_moving: bool, is_rolling: bool
) -> list[Object]:
    old = next((one for one in conditions if one["type"] == "Progressing"), None)
    moment = clock.rfc3339(cycle.now) if old is None or is_moving else str(old.get("lastUpdateTime"))
    deadline = objects.seconds(moment) + float(item["spec"].get("progressDeadlineSeconds", 600))
    name = objects.name(item)
    fresh = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
    fresh |= {"message": f'Deployment "{name}" is progressing.', "lastUpdateTime": moment}
    if is_done:
        fresh |= {"reason": "NewReplicaSetAvailable", "message": f'Deployment "{name}" has successfully progressed.'}
    elif old is not None and old.get("reason") == "NewReplicaSetAvailable" and not is_rolling:
        fresh = old
    elif not item["spec"].get("paused") and cycle.is_over(deadline):
        fresh |= {"status": "False", "reason": "ProgressDeadlineExceeded"}
        fresh["message"] = f'Deployment "{name}" has timed out progressing.'
    return objects.with_condition(conditions, fresh, now=cycle.now)
