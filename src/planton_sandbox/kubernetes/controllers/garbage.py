"""Garbage collection: dependants follow their owners."""

from __future__ import annotations

from typing import Any

from planton_sandbox.kubernetes import objects, resources
from planton_sandbox.kubernetes.controllers import cycle as cycles

Object = dict[str, Any]
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


def run(cycle: cycles.Cycle) -> None:
    """Deletes objects whose owners are gone, and ends the deletions that wait for dependants."""
    everything = list(cycle.store.everything())
    owners = {item["metadata"]["uid"]: item for _, item in everything}
    dependants: dict[str, list[tuple[resources.Resource, Object]]] = {}
    for resource, item in everything:
        references = item["metadata"].get("ownerReferences") or []
        for reference in references:
            dependants.setdefault(str(reference.get("uid")), []).append((resource, item))
        if references and not any(reference.get("uid") in owners for reference in references):
            _delete(cycle, resource, item)
    for resource, item in everything:
        if objects.is_deleting(item):
            _finish(cycle, resource, item, dependants.get(item["metadata"]["uid"], []))


def _finish(
    cycle: cycles.Cycle, resource: resources.Resource, item: Object, dependants: list[tuple[resources.Resource, Object]]
) -> None:
    finalizers = item["metadata"].get("finalizers", [])
    if FOREGROUND in finalizers:
        for kind, one in dependants:
            _delete(cycle, kind, one, is_foreground=True)
        if not dependants:
            _release(cycle, resource, item, FOREGROUND)
    elif ORPHAN in finalizers:
        uid = item["metadata"]["uid"]
        for kind, one in dependants:
            kept = [reference for reference in one["metadata"]["ownerReferences"] if reference.get("uid") != uid]
            meta = {key: value for key, value in one["metadata"].items() if key != "ownerReferences"}
            cycle.store.replace(kind, one | {"metadata": meta | ({"ownerReferences": kept} if kept else {})})
        _release(cycle, resource, item, ORPHAN)


def _delete(cycle: cycles.Cycle, resource: resources.Resource, item: Object, *, is_foreground: bool = False) -> None:
    current = cycle.store.get(resource, objects.namespace(item), objects.name(item))
    if current is None or objects.is_deleting(current):
        return
    if is_foreground and resource is not resources.PODS:
        finalizers = [*current["metadata"].get("finalizers", []), FOREGROUND]
        current = cycle.store.replace(resource, current | {"metadata": current["metadata"] | {"finalizers": finalizers}})
    cycle.delete(resource, current)


def _release(cycle: cycles.Cycle, resource: resources.Resource, item: Object, finalizer: str) -> None:
    remaining = [one for one in item["metadata"]["finalizers"] if one != finalizer]
    meta = {key: value for key, value in item["metadata"].items() if key != "finalizers"}
    current = cycle.store.replace(resource, item | {"metadata": meta | ({"finalizers": remaining} if remaining else {})})
    if not remaining and resource is not resources.PODS and resource is not resources.NAMESPACES:
        cycle.store.remove(resource, current)
