"""Reads objects: one, a list in pages, and the changes for a watch."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import errors, loads, nodes, objects, paths, registration, resources, selectors, simulation, store

Object = dict[str, Any]
#: Fields that a field selector can name, besides the name and the namespace.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "ReplicaSet": ("status.replicas",),
    "Job": ("status.successful",),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """A cluster and its objects at a time."""

    cluster: nodes.Cluster
    state: simulation.Simulation
    now: float

    @property
    def store(self) -> store.Store:
        """The objects."""
        return self.state.store


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: its objects, and the metadata of the list."""

    items: list[Object]
    meta: Object


def one(view: View, target: paths.Target) -> Object:
    """Returns an object.

    Raises:
        errors.ApiError: when there is none.
    """
    items = {(objects.namespace(item), objects.name(item)): item for item in everything(view, target)}
    item = items.get((target.namespace, target.name))
    if item is None:
        raise errors.not_found(target.resource, target.name)
    return item


def everything(view: View, target: paths.Target) -> list[Object]:
    """Returns all objects of a resource in a namespace, or in all."""
    resource = target.resource
    if resource is resources.NODE_METRICS:
        return loads.node_metrics(view.store, view.state.loads, view.cluster, now=view.now)
    if resource is resources.POD_METRICS:
        items = loads.pod_metrics(view.store, view.state.loads, now=view.now)
        return [item for item in items if target.namespace in ("", objects.namespace(item))]
    if target.name:
        item = view.store.get(resource, target.namespace, target.name)
        return [_renewed(view, resource, item)] if item else []
    return [_renewed(view, resource, item) for item in view.store.all(resource, target.namespace)]


def page(view: View, target: paths.Target, query: Mapping[str, str]) -> Page:
    """Returns the selected objects, as many as ``limit`` allows.

    Raises:
        errors.ApiError: when a selector, the limit or the continuation is invalid.
    """
    keep = test(target.resource, query)
    items = [item for item in everything(view, target) if keep(item)]
    meta: Object = {"resourceVersion": str(view.store.version)}
    after = _continuation(query.get("continue", ""))
    if after is not None:
        items = [item for item in items if (objects.namespace(item), objects.name(item)) > after]
    limit = query.get("limit") or "0"
    if not limit.isdecimal():
        raise errors.bad_request(f"invalid limit: {limit}")
    count = int(limit)
    if 0 < count < len(items):
        last = items[count - 1]
        token = json.dumps([objects.namespace(last), objects.name(last)]).encode()
        meta |= {"continue": base64.urlsafe_b64encode(token).decode(), "remainingItemCount": len(items) - count}
        items = items[:count]
    return Page(items, meta)


def test(resource: resources.Resource, query: Mapping[str, str]) -> Callable[[Object], bool]:
    """Returns the test of a request's label and field selectors.

    Raises:
        errors.ApiError: when a selector is invalid.
    """
    allowed = ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.kind, ()))
    text = query.get("fieldSelector", "")
    try:
        by_label, by_field = selectors.labels(query.get("labelSelector", "")), selectors.fields(text)
    except ValueError as error:
        raise errors.bad_request(str(error)) from error
    for name in selectors.names(text):
        if name not in allowed:
            where = f'"{resource.api_version}, Resource={resource.plural}" that match field selector "{text}"'
            raise errors.bad_request(f"Unable to find {where}: field label not supported: {name}")
    return lambda item: by_label(item) and by_field(item)


def changes(view: View, target: paths.Target, keep: Callable[[Object], bool], *, since: int) -> list[tuple[str, Object]]:
    """Returns the changes after a resource version, as a watch with a selector shows them."""
    shown = []
    for event in view.store.since(target.resource, since):
        if target.namespace not in ("", objects.namespace(event.object)):
            continue
        if target.name and objects.name(event.object) != target.name:
            continue
        was, is_ = event.before is not None and keep(event.before), event.kind != "DELETED" and keep(event.object)
        if was or is_:
            kind = "MODIFIED" if was and is_ else "ADDED" if is_ else "DELETED"
            shown.append((kind, event.object))
    return shown


def _renewed(view: View, resource: resources.Resource, item: Object) -> Object:
    """Returns an object; the lease of a node that answers is renewed at this moment."""
    if resource is not resources.LEASES or objects.namespace(item) != registration.LEASES:
        return item
    node = view.store.get(resources.NODES, "", objects.name(item))
    if node is None or (objects.condition(node, "Ready") or {}).get("status") == "Unknown":
        return item
    moment = clock.rfc3339(view.now).replace("Z", ".000000Z")
    return item | {"spec": item.get("spec", {}) | {"renewTime": moment}}


def _continuation(text: str) -> tuple[str, str] | None:
    if not text:
        return None
    try:
        namespace, name = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, TypeError, binascii.Error) as error:
        raise errors.bad_request(f"continue key is not valid: {error}") from error
    return str(namespace), str(name)
