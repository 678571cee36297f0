"""Namespaces: what a new one contains, and how one ends."""

from __future__ import annotations

from typing import Any

from planton_sandbox.kubernetes import objects, resources
from planton_sandbox.kubernetes.controllers import cycle as cycles

Object = dict[str, Any]
_ACCOUNT, _AUTHORITY = "default", "kube-root-ca.crt"


def run(cycle: cycles.Cycle) -> None:
    """Fills new namespaces, and empties those that are being deleted."""
    for item in cycle.store.all(resources.NAMESPACES):
        if objects.is_deleting(item):
            _end(cycle, item)
        else:
            _fill(cycle, objects.name(item))


def _fill(cycle: cycles.Cycle, name: str) -> None:
    if cycle.store.get(resources.SERVICE_ACCOUNTS, name, _ACCOUNT) is None:
        cycle.store.add(
            resources.SERVICE_ACCOUNTS, objects.new(resources.SERVICE_ACCOUNTS, _ACCOUNT, namespace=name, now=cycle.now)
        )
    if cycle.store.get(resources.CONFIG_MAPS, name, _AUTHORITY) is None:
        data = {"ca.crt": ""}
        cycle.store.add(
            resources.CONFIG_MAPS, objects.new(resources.CONFIG_MAPS, _AUTHORITY, namespace=name, now=cycle.now, data=data)
        )


def _end(cycle: cycles.Cycle, item: Object) -> None:
    name = objects.name(item)
    content = [(kind, one) for kind, one in cycle.store.everything() if kind.namespaced and objects.namespace(one) == name]
    for kind, one in content:
        cycle.delete(kind, one)
    remaining = [kind.plural for kind, one in cycle.store.everything() if kind.namespaced and objects.namespace(one) == name]
    if remaining:
        texts = sorted({f"{kind}. has {remaining.count(kind)} resource instances" for kind in remaining})
        fresh = {"type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain"}
        fresh["message"] = f"Some resources are remaining: {', '.join(texts)}"
        conditions = objects.with_condition((item.get("status") or {}).get("conditions", []), fresh, now=cycle.now)
        cycle.set_status(resources.NAMESPACES, item, {"phase": "Terminating", "conditions": conditions})
        return
    finalizers = [one for one in item["spec"].get("finalizers", []) if one != "kubernetes"]
    if finalizers or item["metadata"].get("finalizers"):
        cycle.change(resources.NAMESPACES, item, lambda one: one["spec"].update(finalizers=finalizers))
    else:
        cycle.store.remove(resources.NAMESPACES, item)
