"""What all Kubernetes objects have in common: metadata, owners, conditions."""

from __future__ import annotations

import copy
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import resources

Object = dict[str, Any]
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX = 5


def suffix(length: int = SUFFIX) -> str:
    """Returns random characters for a generated name."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def new(resource: resources.Resource, name: str, *, namespace: str = "", now: float, **parts: Any) -> Object:
    """Returns a new object with a unique id; ``parts`` are its fields besides the metadata."""
    meta: Object = {"name": name}
    if resource.namespaced:
        meta["namespace"] = namespace
    meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": clock.rfc3339(now)} | parts.pop("metadata", {})
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta, **parts}


def name(item: Object) -> str:
    """Returns an object's name."""
    return str(item["metadata"]["name"])


def namespace(item: Object) -> str:
    """Returns an object's namespace; empty for an object without one."""
    return str(item["metadata"].get("namespace", ""))


def labels(item: Object) -> Mapping[str, str]:
    """Returns an object's labels."""
    return item["metadata"].get("labels") or {}


def is_deleting(item: Object) -> bool:
    """Returns whether an object waits for its deletion."""
    return "deletionTimestamp" in item["metadata"]


def seconds(text: str | None) -> float:
    """Returns an RFC 3339 time in seconds since the epoch; 0 for ``None``."""
    return clock.parse(text) if text else 0.0


def created(item: Object) -> float:
    """Returns when an object was created, in seconds since the epoch."""
    return seconds(item["metadata"].get("creationTimestamp"))


def reference(item: Object) -> Object:
    """Returns the reference of an event to its object."""
    meta = item["metadata"]
    named = {"kind": item["kind"], "apiVersion": item["apiVersion"], "name": meta["name"], "uid": meta["uid"]}
    return named | ({"namespace": meta["namespace"]} if "namespace" in meta else {})


def owner_reference(owner: Object) -> Object:
    """Returns the reference of a dependant to its controller."""
    meta = owner["metadata"]
    named = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return named | {"controller": True, "blockOwnerDeletion": True}


def controller(item: Object) -> Object | None:
    """Returns the reference to an object's controller, or ``None``."""
    return next((ref for ref in item["metadata"].get("ownerReferences", []) if ref.get("controller")), None)


def is_owned(item: Object, owner: Object) -> bool:
    """Returns whether an object is controlled by ``owner``."""
    reference = controller(item)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def condition(item: Object, kind: str) -> Object | None:
    """Returns a condition of an object by type, or ``None``."""
    conditions = (item.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one.get("type") == kind), None)


def is_true(item: Object, kind: str) -> bool:
    """Returns whether a condition of an object is true."""
    present = condition(item, kind)
    return present is not None and present.get("status") == "True"


def with_condition(conditions: list[Object], fresh: Object, *, now: float) -> list[Object]:
    """Returns conditions in which ``fresh`` replaces the one of its type; its time changes only with its status."""
    old = next((one for one in conditions if one.get("type") == fresh["type"]), None)
    same = old is not None and old.get("status") == fresh["status"]
    stamped = fresh | {"lastTransitionTime": old["lastTransitionTime"] if same and old else clock.rfc3339(now)}
    if old is None:
        return [*conditions, stamped]
    return [old | stamped if one is old else one for one in conditions]


def changed(item: Object, change: Callable[[Object], None]) -> Object:
    """Returns a copy of an object after ``change``; stored objects are never modified."""
    fresh = copy.deepcopy(item)
    change(fresh)
    return fresh
