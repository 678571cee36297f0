"""Registers the cloud's machines as nodes, and keeps what users changed.

A node is merged from three states: the cloud's last one, its new one, and the stored one. What only users changed stays.
"""

from __future__ import annotations

from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import nodes, objects, resources, store

Object = dict[str, Any]
LEASES = "kube-node-lease"
_KEPT = ("volumesAttached", "volumesInUse")


def register(kept: store.Store, bases: dict[str, Object], cluster: nodes.Cluster, *, now: float) -> None:
    """Stores the nodes of a cluster.

    Args:
        kept: The objects.
        bases: The cloud's last state of each node by name; it is updated.
        cluster: The cluster as it is now.
        now: The simulated time in seconds since the epoch.
    """
    fresh = {node.name: nodes.manifest(node) for node in cluster.nodes}
    for item in kept.all(resources.NODES):
        name = objects.name(item)
        if name not in fresh or fresh[name]["metadata"]["uid"] != item["metadata"]["uid"]:
            kept.remove(resources.NODES, item)
            lease = kept.get(resources.LEASES, LEASES, name)
            if lease is not None:
                kept.remove(resources.LEASES, lease)
            bases.pop(name, None)
    for name in set(bases) - set(fresh):
        del bases[name]
    for name, manifest in fresh.items():
        stored = kept.get(resources.NODES, "", name)
        if stored is None and bases.get(name, {}).get("metadata", {}).get("uid") == manifest["metadata"]["uid"]:
            # A kubelet registers its node once: a node that a user has deleted does not return.
            continue
        if stored is None:
            kept.add(resources.NODES, _stamp(manifest, None, now=now))
            _lease(kept, manifest)
        elif bases.get(name) != manifest:
            kept.replace(resources.NODES, _merge(stored, bases.get(name, manifest), manifest, now=now))
        else:
            continue
        bases[name] = manifest


def _lease(kept: store.Store, node: Object) -> None:
    name = objects.name(node)
    if kept.get(resources.LEASES, LEASES, name) is None:
        moment = str(node["metadata"]["creationTimestamp"]).replace("Z", ".000000Z")
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": moment}
        lease = objects.new(resources.LEASES, name, namespace=LEASES, now=objects.created(node), spec=spec)
        kept.add(resources.LEASES, lease)


def _merge(stored: Object, base: Object, fresh: Object, *, now: float) -> Object:
    meta = dict(stored["metadata"])
    for part in ("labels", "annotations"):
        meta[part] = _three(stored["metadata"].get(part, {}), base["metadata"].get(part, {}), fresh["metadata"].get(part, {}))
    spec = dict(stored["spec"])
    if base["spec"].get("unschedulable") != fresh["spec"].get("unschedulable"):
        spec["unschedulable"] = fresh["spec"].get("unschedulable", False)
    taints = _three(_taints(stored), _taints(base), _taints(fresh))
    spec["taints"] = list(taints.values())
    spec = {name: value for name, value in spec.items() if value not in ([], False)}
    merged = stored | {"metadata": meta, "spec": spec}
    return _stamp(merged | {"status": fresh["status"]}, stored, now=now)


def _stamp(item: Object, stored: Object | None, *, now: float) -> Object:
    """Sets the times of what changed."""
    status = dict(item["status"])
    conditions = (stored or {}).get("status", {}).get("conditions", [])
    old = {one["type"]: one for one in conditions}
    for key in _KEPT:
        if stored is not None and key in stored["status"]:
            status[key] = stored["status"][key]
    if stored is not None:
        status["conditions"] = [
            one | {"lastTransitionTime": old[one["type"]]["lastTransitionTime"]}
            if one["type"] in old and old[one["type"]]["status"] == one["status"]
            else one | {"lastTransitionTime": clock.rfc3339(now)}
            for one in status["conditions"]
        ]
    spec = dict(item["spec"])
    if "taints" in spec:
        moment = {"timeAdded": clock.rfc3339(now)}
        spec["taints"] = [moment | one if one["effect"] == "NoExecute" else one for one in spec["taints"]]
    return item | {"spec": spec, "status": status}


def _taints(item: Object) -> dict[tuple[str, str], Object]:
    return {(one["key"], one["effect"]): one for one in item["spec"].get("taints", [])}


def _three(stored: dict[Any, Any], base: dict[Any, Any], fresh: dict[Any, Any]) -> dict[Any, Any]:
    merged = {key: value for key, value in stored.items() if key in fresh or key not in base}
    return merged | {key: value for key, value in fresh.items() if key not in base or base[key] != value}
