"""Drains nodes step by step: reads a node, cordons it, and evicts what its disruption budgets allow. No function waits.

`advance` takes one step and says when to take the next one (``Step.again``); call it until the stage is ``DONE``, or ``TIMED_OUT``.
When a drain began is an annotation of the node, so that a process can continue the drain of another one. `cancel` ends a drain.
"""

from __future__ import annotations

import dataclasses
import datetime
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.deploy import drain, selectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planton.clouds import kubernetes

#: Annotation of a node: when its drain began, RFC 3339.
SINCE: Final = "project-planton.org/draining-since"
#: Annotation of a node that the drain has cordoned. Without it, someone else had cordoned it before.
CORDONED: Final = "project-planton.org/cordoned"
_MIRROR: Final = "kubernetes.io/config.mirror"
_NOT_FOUND: Final = "404"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A node with what its drain depends on.

    Attributes:
        node: The node.
        budgets: The disruption budgets of its pods.
        started: When its drain began; None if it did not.
    """

    node: drain.Node
    budgets: tuple[drain.Budget, ...]
    started: datetime.datetime | None

    def step(self, limit: drain.Limit, now: datetime.datetime) -> drain.Step:
        """Returns the next step of the drain."""
        return drain.step(self.node, self.budgets, limit=limit, now=now, started=self.started or now)


def read(api: kubernetes.Api, name: str) -> State | None:
    """Returns a node with what its drain depends on; None if the cluster does not have it.

    Raises:
        PlantonError: ``API_SERVER_CLOSED``.
    """
    item = api.get(_path(name))
    if item is None:
        return None
    pods = api.list("/api/v1/pods", fieldSelector=f"spec.nodeName={name}")
    states = {each["type"]: each["status"] for each in (item.get("status") or {}).get("conditions") or ()}
    node = drain.Node(
        name=name,
        is_cordoned=bool((item.get("spec") or {}).get("unschedulable")),
        is_reachable=states.get("Ready", "Unknown") != "Unknown",
        pods=tuple(map(_pod, pods)),
        volumes=_volumes(api, name, pods),
    )
    budgets = api.list("/apis/policy/v1/poddisruptionbudgets") if pods else []
    return State(node=node, budgets=tuple(_budget(each, pods) for each in budgets), started=started(item))


def started(item: Mapping[str, Any]) -> datetime.datetime | None:
    """Returns when the drain of a node began, which its annotation says; None if it did not, or if nobody can read that."""
    try:
        since = datetime.datetime.fromisoformat(str((item["metadata"].get("annotations") or {})[SINCE]))
    except (KeyError, ValueError):
        return None
    return since if since.tzinfo else None


def advance(api: kubernetes.Api, name: str, *, limit: drain.Limit, now: datetime.datetime) -> drain.Step:
    """Takes the next step of the drain of a node, and returns it; ``again`` says when to take the one after it.

    The first step cordons. A node that does not exist is drained. Evictions that Kubernetes refuses are in ``blocked``.

    Args:
        api: The Kubernetes API of the cluster.
        name: The name of the node.
        limit: How long the drain may last.
        now: The time.

    Raises:
        PlantonError: ``API_SERVER_CLOSED``.
    """
    state = read(api, name)
    if state is None:
        return drain.Step(stage=drain.Stage.DONE, message=f"node {name} does not exist")
    if not state.node.is_cordoned or state.started is None:
        _begin(api, state, now)
        state = dataclasses.replace(state, node=dataclasses.replace(state.node, is_cordoned=True), started=state.started or now)
    step = state.step(limit, now)
    refusals = [drain.Blocked(pod=pod, why=why) for pod in step.evict if (why := _leave(api, pod, step))]
    return drain.refused(step, refusals) if refusals else step


def cancel(api: kubernetes.Api, name: str) -> None:
    """Ends the drain of a node: it accepts pods again, unless someone else had cordoned it before. A missing node is ignored.

    Raises:
        PlantonError: ``API_SERVER_CLOSED``.
    """
    item = api.get(_path(name))
    annotations = {} if item is None else item["metadata"].get("annotations") or {}
    if SINCE not in annotations and CORDONED not in annotations:
        return
    changes: dict[str, Any] = {"metadata": {"annotations": {SINCE: None, CORDONED: None}}}
    if CORDONED in annotations:
        changes["spec"] = {"unschedulable": None}
    _change(api, name, changes)


def _begin(api: kubernetes.Api, state: State, now: datetime.datetime) -> None:
    annotations = {} if state.started is not None else {SINCE: now.isoformat(timespec="seconds")}
    changes: dict[str, Any] = {"metadata": {"annotations": annotations}}
    if not state.node.is_cordoned:
        annotations[CORDONED] = "true"
        changes["spec"] = {"unschedulable": True}
    _change(api, state.node.name, changes)


def _change(api: kubernetes.Api, name: str, changes: Mapping[str, Any]) -> None:
    try:
        api.merge(_path(name), changes)
    except errors.PlantonError as error:
        if error.metadata.get("status") != _NOT_FOUND:
            raise


def _leave(api: kubernetes.Api, pod: drain.Pod, step: drain.Step) -> str:
    """Evicts or deletes a pod. Returns why it was refused; an empty text if it was not, or if the pod has gone."""
    metadata = {"namespace": pod.namespace, "name": pod.name}
    if step.stage is drain.Stage.FORCED:
        api.delete({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}, grace=step.grace)
        return ""
    options = {} if step.grace is None else {"deleteOptions": {"gracePeriodSeconds": step.grace}}
    path = f"/api/v1/namespaces/{_quoted(pod.namespace)}/pods/{_quoted(pod.name)}/eviction"
    try:
        api.create(path, {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata, **options})
    except errors.PlantonError as error:
        # 429 is a budget, 403 a namespace that ends, 500 two budgets of one pod. The next step tries again.
        status = error.metadata.get("status")
        if status is None:
            raise
        return "" if status == _NOT_FOUND else error.metadata["text"] or f"the eviction was refused with {status}"
    return ""


def _pod(item: Mapping[str, Any]) -> drain.Pod:
    metadata = item["metadata"]
    owners = [each for each in metadata.get("ownerReferences") or () if each.get("controller")]
    ends = metadata.get("deletionTimestamp")
    return drain.Pod(
        namespace=str(metadata["namespace"]),
        name=str(metadata["name"]),
        owner=str(owners[0]["kind"]) if owners else "",
        is_mirror=_MIRROR in (metadata.get("annotations") or {}),
        is_finished=_phase(item) in ("Succeeded", "Failed"),
        drain=str((metadata.get("labels") or {}).get(drain.LABEL, "")),
        ends=datetime.datetime.fromisoformat(ends) if ends else None,
    )


def _phase(item: Mapping[str, Any]) -> str:
    return str((item.get("status") or {}).get("phase", ""))


def _budget(item: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> drain.Budget:
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    needs, has = int(status.get("desiredHealthy", 0)), int(status.get("currentHealthy", 0))
    # Kubernetes lets unhealthy pods go while enough others are healthy, or always, as the budget says.
    is_strict = spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow" and not 0 < needs <= has
    held = (pod for pod in pods if _phase(pod) == "Running" and (is_strict or _is_ready(pod)))
    names = {
        str(pod["metadata"]["name"])
        for pod in held
        if pod["metadata"]["namespace"] == metadata["namespace"]
        and selectors.matches(spec.get("selector"), pod["metadata"].get("labels") or {})
    }
    return drain.Budget(
        namespace=str(metadata["namespace"]),
        name=str(metadata["name"]),
        allowed=int(status.get("disruptionsAllowed", 0)),
        needs=needs,
        has=has,
        pods=frozenset(names),
    )


def _is_ready(pod: Mapping[str, Any]) -> bool:
    listed = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in listed)


def _volumes(api: kubernetes.Api, name: str, pods: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns the attachments that must go: those of the pods that stay with the node stay, too."""
    attached = [
        each["spec"] for each in api.list("/apis/storage.k8s.io/v1/volumeattachments") if each["spec"]["nodeName"] == name
    ]
    if not attached:
        return ()
    staying = {volume for pod in pods if _pod(pod).owner == "DaemonSet" for volume in _claimed(api, pod)}
    volumes = (str((each.get("source") or {}).get("persistentVolumeName") or "an inline volume") for each in attached)
    return tuple(sorted(volume for volume in volumes if volume not in staying))


def _claimed(api: kubernetes.Api, pod: Mapping[str, Any]) -> Iterable[str]:
    namespace = _quoted(pod["metadata"]["namespace"])
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            volume_claim = api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{_quoted(claim)}") or {}
            yield str((volume_claim.get("spec") or {}).get("volumeName", ""))


def _path(name: str) -> str:
    return f"/api/v1/nodes/{_quoted(name)}"


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
