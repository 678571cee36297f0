"""What every controller gets: the store, the time, how long things take, and events."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import objects, resources, store

Object = dict[str, Any]
MAXIMUM_PODS = 1000
MAXIMUM_EVENTS = 500
MAXIMUM_GRACE = 10 * 365 * 86400  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Durations:
    """How long things take, in seconds.

    Attributes:
        start: From the binding of a pod until it is ready.
        run: How long a pod runs that is not restarted always.
        stop: From the deletion of a pod until its containers have stopped, at most its grace period.
        attach: From the binding of a pod until its volumes are attached.
        detach: From the end of a volume's last pod on a node until the volume is detached.
    """

    start: float = 0.0
    run: float = 0.0
    stop: float = 0.0
    attach: float = 0.0
    detach: float = 0.0


_REALISTIC = Durations(start=5.0, run=10.0, stop=2.0, attach=3.0, detach=10.0)


def durations(latency: str) -> Durations:
    """Returns the durations of a latency: none, unless it is realistic."""
    return _REALISTIC if latency == clock.REALISTIC else Durations()


@dataclasses.dataclass(slots=True)
class Cycle:
    """One run of the controllers.

    Attributes:
        store: The objects of the cluster.
        now: The simulated time in seconds since the epoch.
        durations: How long things take.
        provisioner: The cloud's CSI driver.
        due: When the controllers have to run again, if nothing else happens.
    """

    store: store.Store
    now: float
    durations: Durations
    provisioner: str = ""
    due: float | None = None

    def is_over(self, moment: float) -> bool:
        """Returns whether a moment has passed; otherwise the controllers run again then."""
        if moment <= self.now:
            return True
        self.due = moment if self.due is None else min(self.due, moment)
        return False

    def change(self, resource: resources.Resource, item: Object, change: Callable[[Object], None]) -> Object:
        """Stores a changed copy of an object and returns it."""
        return self.store.replace(resource, objects.changed(item, change))

    def set_status(self, resource: resources.Resource, item: Object, status: Object) -> Object:
        """Stores the status of an object and returns the object."""
        return self.store.replace(resource, item | {"status": status})

    def pods(self, owner: Object) -> list[Object]:
        """Returns the pods of a controller, without those that have ended or are being deleted."""
        pods = self.store.all(resources.PODS, objects.namespace(owner))
        return [pod for pod in pods if objects.is_owned(pod, owner) and is_active(pod)]

    def has_room(self) -> bool:
        """Returns whether the cluster takes another pod."""
        return self.store.count(resources.PODS) < MAXIMUM_PODS

    def delete(self, resource: resources.Resource, item: Object) -> None:
        """Deletes an object: pods gracefully, others at once unless they have finalizers."""
        if resource is resources.PODS:
            grace = item["spec"].get("terminationGracePeriodSeconds", 30)
            begin_delete(self.store, item, now=self.now, grace=grace)
        elif not item["metadata"].get("finalizers"):
            self.store.remove(resource, item)
        elif not objects.is_deleting(item):
            stamp = {"deletionTimestamp": clock.rfc3339(self.now), "deletionGracePeriodSeconds": 0}
            self.store.replace(resource, item | {"metadata": item["metadata"] | stamp})

    def report(self, involved: Object, reason: str, message: str, *, kind: str = "Normal", source: str) -> None:
        """Records an event; one that repeats the last of its object increases its count."""
        moment = clock.rfc3339(self.now)
        place = self.store.get(resources.NAMESPACES, "", involved["metadata"].get("namespace", "default"))
        if place is None or objects.is_deleting(place):
            return
        meta = involved["metadata"]
        digest = hashlib.sha256(f"{meta.get('uid')}/{reason}/{message}".encode()).hexdigest()[:16]
        name, namespace = f"{meta['name'][:200]}.{digest}", meta.get("namespace", "default")
        event = self.store.get(resources.EVENTS, namespace, name)
        if event is not None:
            fresh = {"count": int(event.get("count", 1)) + 1, "lastTimestamp": moment}
            self.store.replace(resources.EVENTS, event | fresh)
            return
        if self.store.count(resources.EVENTS) >= MAXIMUM_EVENTS:
            self.store.remove(resources.EVENTS, self.store.first(resources.EVENTS))
        self.store.add(
            resources.EVENTS,
            objects.new(
                resources.EVENTS,
                name,
                namespace=namespace,
                now=self.now,
                involvedObject=objects.reference(involved),
                reason=reason,
                message=message,
                type=kind,
                count=1,
                firstTimestamp=moment,
                lastTimestamp=moment,
                source={"component": source},
                reportingComponent=source,
                reportingInstance="",
            ),
        )


def is_active(pod: Object) -> bool:
    """Returns whether a pod has not ended and is not being deleted."""
    return not objects.is_deleting(pod) and not is_terminal(pod)


def is_terminal(pod: Object) -> bool:
    """Returns whether a pod's containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def begin_delete(kept: store.Store, pod: Object, *, now: float, grace: int) -> Object:
    """Begins the graceful deletion of a pod, or shortens it; a pod without a node is removed at once."""
    grace = min(grace, MAXIMUM_GRACE)
    is_free = not pod["spec"].get("nodeName") or is_terminal(pod)
    meta = pod["metadata"]
    if (grace <= 0 or is_free) and not meta.get("finalizers"):
        kept.remove(resources.PODS, pod)
        return pod
    if objects.is_deleting(pod) and meta.get("deletionGracePeriodSeconds", 0) <= grace:
        return pod
    stamp = {"deletionTimestamp": clock.rfc3339(now + grace), "deletionGracePeriodSeconds": grace}
    return kept.replace(resources.PODS, pod | {"metadata": meta | stamp})


def deletion_began(pod: Object) -> float:
    """Returns when the deletion of a pod began, in seconds since the epoch."""
    meta = pod["metadata"]
    return objects.seconds(meta["deletionTimestamp"]) - float(meta.get("deletionGracePeriodSeconds", 0))
