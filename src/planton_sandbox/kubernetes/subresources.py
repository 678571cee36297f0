"""Subresources that are no part of the object: ``scale`` and ``eviction``."""

from __future__ import annotations

from typing import Any

from planton_sandbox.kubernetes import decoding, errors, merging, objects, openapi, options, paths, resources, store, writes
from planton_sandbox.kubernetes.controllers import budgets

Object = dict[str, Any]
SCALE = "scale"


def scale(item: Object) -> Object:
    """Returns the ``Scale`` of an object."""
    meta = {key: item["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    labels = item["spec"]["selector"].get("matchLabels", {})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": item["spec"]["replicas"]},
        "status": {
            "replicas": (item.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def set_scale(kept: store.Store, target: paths.Target, write_options: options.Options, body: Any, *, kind: str) -> Object:
    """Changes the replicas of an object through its ``Scale``, and returns the new one.

    Args:
        kept: The objects.
        target: The target of the request.
        write_options: Its options.
        body: The ``Scale``, or a patch of it.
        kind: The media type of a patch; empty for a whole ``Scale``.

    Raises:
        errors.ApiError: when it is refused.
    """
    item = kept.get(target.resource, target.namespace, target.name)
    if item is None:
        raise errors.not_found(target.resource, target.name)
    desired = body
    if kind == openapi.PATCHES[1]:
        desired = merging.operate(scale(item), body)
    elif kind:
        desired = merging.merge(scale(item), body)
    number = (
        desired.get("spec", {}).get("replicas", 0)
        if isinstance(desired, dict) and isinstance(desired.get("spec", {}), dict)
        else None
    )
    if not isinstance(number, int) or isinstance(number, bool):
        raise errors.bad_request('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be a number')
    version = (desired.get("metadata") or {}).get("resourceVersion", item["metadata"]["resourceVersion"])
    whole = paths.Target(target.resource, target.namespace, target.name)
    meta = item["metadata"] | {"resourceVersion": version}
    changed = item | {"metadata": meta, "spec": item["spec"] | {"replicas": number}}
    return scale(writes.Writes(kept, whole, write_options).update(changed).body)


def evict(kept: store.Store, target: paths.Target, write_options: options.Options, body: Any) -> Object:
    """Deletes a pod, if the budgets allow it.

    Raises:
        errors.ApiError: 404 when there is no such pod, 429 when a budget does not allow it.
    """
    if not isinstance(body, dict) or body.get("kind", "Eviction") != "Eviction":
        raise errors.bad_request("the body of an eviction must be an Eviction")
    pod = kept.get(resources.PODS, target.namespace, target.name)
    if pod is None:
        raise errors.not_found(resources.PODS, target.name)
    order = options.deletion({}, body.get("deleteOptions"))
    budgets.check(kept, pod)
    if not (order.is_dry or write_options.is_dry):
        writes.Writes(kept, paths.Target(resources.PODS, target.namespace, objects.name(pod)), write_options).delete(order)
    return errors.success(code=201)


def review(resource: resources.Resource, body: Any) -> Object:
    """Answers who the caller is, or whether the caller may do something: whoever is admitted may do everything.

    Raises:
        errors.ApiError: when the body is malformed.
    """
    item, _ = decoding.typed(resource, body)
    if resource is resources.SELF_REVIEWS:
        return item | {
            "status": {"userInfo": {"username": "sandbox-admin", "groups": ["system:masters", "system:authenticated"]}}
        }
    return item | {"status": {"allowed": True}}
