"""StatefulSets: numbered pods with claims of their own."""

from __future__ import annotations

import copy
from typing import Any

from planton_sandbox.kubernetes import defaults, objects, resources
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import replicas

Object = dict[str, Any]
HASH = "controller-revision-hash"
NAME = "statefulset.kubernetes.io/pod-name"
INDEX = "apps.kubernetes.io/pod-index"


def run(cycle: cycles.Cycle) -> None:
    """Brings every StatefulSet one step further."""
    for item in cycle.store.all(resources.STATEFUL_SETS):
        if not objects.is_deleting(item):
            _sync(cycle, item)


def _sync(cycle: cycles.Cycle, item: Object) -> None:
    namespace, name = objects.namespace(item), objects.name(item)
    digest = f"{name}-{replicas.fingerprint(item['spec']['template'])}"
    desired = int(item["spec"]["replicas"])
    is_ordered = item["spec"].get("podManagementPolicy") != "Parallel"
    present = {objects.name(pod): pod for pod in cycle.store.all(resources.PODS, namespace) if objects.is_owned(pod, item)}
    for index in range(min(desired, cycles.MAXIMUM_PODS)):
        pod = present.get(f"{name}-{index}")
        if pod is None:
            _create(cycle, item, index, digest)
        if is_ordered and (pod is None or not cycles.is_active(pod) or not objects.is_true(pod, "Ready")):
            break
    extra = sorted((pod for pod in present.values() if _index(pod) >= desired), key=_index, reverse=True)
    for pod in extra[:1] if is_ordered else extra:
        cycle.delete(resources.PODS, pod)
    if not extra:
        _roll(cycle, item, list(present.values()), digest)
    _report(cycle, item, digest)


def _index(pod: Object) -> int:
    text = objects.name(pod).rpartition("-")[2]
    return int(text) if text.isdecimal() else 0


def _create(cycle: cycles.Cycle, item: Object, index: int, digest: str) -> None:
    name = f"{objects.name(item)}-{index}"
    volumes = list(item["spec"]["template"]["spec"].get("volumes", []))
    for template in item["spec"].get("volumeClaimTemplates", []):
        claim = _claim(cycle, item, template, name)
        volumes = [one for one in volumes if one.get("name") != claim[0]]
        volumes.append({"name": claim[0], "persistentVolumeClaim": {"claimName": claim[1]}})
    labels = {HASH: digest, NAME: name, INDEX: str(index)}
    replicas.create_pod(cycle, item, name, labels=labels, volumes=volumes, hostname=name)


def _claim(cycle: cycles.Cycle, item: Object, template: Object, pod: str) -> tuple[str, str]:
    """Creates the claim of a pod, if it does not exist, and returns its names in the template and in the cluster."""
    short = str(template["metadata"]["name"])
    name, namespace = f"{short}-{pod}", objects.namespace(item)
    if cycle.store.get(resources.CLAIMS, namespace, name) is None:
        labels = {**template["metadata"].get("labels", {}), **item["spec"]["selector"].get("matchLabels", {})}
        claim = objects.new(
            resources.CLAIMS,
            name,
            namespace=namespace,
            now=cycle.now,
            metadata={"labels": labels},
            spec=copy.deepcopy(template["spec"]),
        )
        defaults.apply(claim)
        default_class(cycle, claim)
        cycle.store.add(resources.CLAIMS, claim)
    return short, name


def default_class(cycle: cycles.Cycle, claim: Object) -> None:
    """Sets the default storage class of a claim without one, in place."""
    if "storageClassName" in claim["spec"]:
        return
    for item in cycle.store.all(resources.STORAGE_CLASSES):
        if item["metadata"].get("annotations", {}).get(defaults.DEFAULT_CLASS) == "true":
            claim["spec"]["storageClassName"] = objects.name(item)


def _roll(cycle: cycles.Cycle, item: Object, pods: list[Object], digest: str) -> None:
    """Deletes the outdated pod with the highest number once all others are ready."""
    strategy = item["spec"]["updateStrategy"]
    least = int(strategy.get("rollingUpdate", {}).get("partition", 0))
    if strategy.get("type") != "RollingUpdate" or not all(cycles.is_active(pod) for pod in pods):
        return
    outdated = [pod for pod in pods if objects.labels(pod).get(HASH) != digest and _index(pod) >= least]
    if outdated and all(objects.is_true(pod, "Ready") or pod in outdated for pod in pods):
        cycle.delete(resources.PODS, max(outdated, key=_index))


def _report(cycle: cycles.Cycle, item: Object, digest: str) -> None:
    pods = cycle.pods(item)
    ready, available = replicas.counts(cycle, pods, item["spec"])
    updated = sum(1 for pod in pods if objects.labels(pod).get(HASH) == digest)
    old = (item.get("status") or {}).get("currentRevision") or digest
    status: Object = {
        "replicas": len(pods),
        "availableReplicas": available,
        "currentRevision": digest if updated == len(pods) else old,
        "updateRevision": digest,
        "collisionCount": 0,
        "observedGeneration": item["metadata"].get("generation", 1),
    }
    counts = {"readyReplicas": ready, "updatedReplicas": updated, "currentReplicas": updated}
    cycle.set_status(resources.STATEFUL_SETS, item, status | {key: value for key, value in counts.items() if value})
