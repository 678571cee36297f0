"""Node pools of the simulated DigitalOcean.

The count of an autoscaled pool moves within its bounds; any other count is the client's. A label that is removed from a pool
stays on its nodes, a taint does not.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.digitalocean import catalogue, machines, records, scopes, tags, views

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
NAME = re.compile(r"^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,61}[a-zA-Z0-9])?$")
_AUTOMATIC = ("k8s", "k8s:worker")


@dataclasses.dataclass(frozen=True, slots=True)
class Extent:
    """The number of nodes of a pool, and its bounds."""

    count: int
    auto_scale: bool
    least: int
    most: int


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../node_pools``."""
    cluster = scope.cluster(request.parts["id"])
    return {"node_pools": [views.pool(cluster, item) for item in cluster.pools]}


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../node_pools/{pool}``."""
    cluster = scope.cluster(request.parts["id"])
    return {"node_pool": views.pool(cluster, scope.pool(cluster, request.parts["pool"]))}


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../node_pools``."""
    cluster = scope.cluster(request.parts["id"])
    pool = parse(scope, request.body, cluster=cluster.id, region=cluster.region)
    _check_name(cluster, pool.name)
    check_room(scope, scope.vpc(cluster.vpc), [pool], present=cluster.pools)
    cluster.pools.append(pool)
    machines.fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)
    return {"node_pool": views.pool(cluster, pool)}


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT .../node_pools/{pool}``; an absent field keeps its value."""
    cluster = scope.cluster(request.parts["id"])
    pool, body = scope.pool(cluster, request.parts["pool"]), request.body
    name = str(body.get("name") or pool.name)
    if name != pool.name:
        _check_name(cluster, name)
    extent = _extent(body, present=pool)
    taints = None if body.get("taints") is None else _taints(body["taints"])
    _require(scope, cluster, pool, extent)
    pool.name = name
    if body.get("tags") is not None:
        pool.tags = own_tags(scope, body["tags"], cluster=cluster.id)
    if body.get("labels") is not None:
        machines.relabel(pool, _labels(body["labels"]))
    if taints is not None:
        machines.retaint(pool, taints)
    pool.auto_scale, pool.min_nodes, pool.max_nodes = extent.auto_scale, extent.least, extent.most
    machines.scale(scope, cluster, pool, count=extent.count)
    return {"node_pool": views.pool(cluster, pool)}


def delete(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE .../node_pools/{pool}``; the last pool is refused."""
    cluster = scope.cluster(request.parts["id"])
    pool = scope.pool(cluster, request.parts["pool"])
    refuse_last(cluster, pool)
    machines.begin_delete(scope, pool)


def delete_node(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE .../nodes/{node}``; with ``replace=1`` a new node is added."""
    cluster = scope.cluster(request.parts["id"])
    pool = scope.pool(cluster, request.parts["pool"])
    node = scope.node(pool, request.parts["node"])
    if request.query.get("replace") not in ("1", "true") and node.deleting is None:
        least = pool.min_nodes if pool.auto_scale else 1
        if pool.count <= least:
            raise scopes.invalid(f"validation error: the node pool {pool.name} must keep at least {least} nodes")
        pool.count -= 1
    machines.retire(scope, node)
    machines.fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)


def recycle(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``POST .../node_pools/{pool}/recycle``: replaces the named nodes."""
    cluster = scope.cluster(request.parts["id"])
    pool = scope.pool(cluster, request.parts["pool"])
    for node in [scope.node(pool, key) for key in request.body.get("nodes") or []]:
        machines.retire(scope, node)
    machines.fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)


def parse(scope: scopes.Scope, body: Mapping[str, Any], *, cluster: str, region: str) -> records.Pool:
    """Returns the pool that a request describes.

    Args:
        scope: The scope of the request.
        body: The pool in the request.
        cluster: The id of the pool's cluster.
        region: The region of that cluster.
    """
    name, size = str(body.get("name") or ""), catalogue.size(str(body.get("size") or ""))
    if not NAME.match(name):
        raise scopes.invalid(f"validation error: {name!r} is not a name for a node pool")
    if size is None or not size.kubernetes or region not in catalogue.places(size):
        raise scopes.invalid(f"validation error: invalid droplet size {body.get('size')!r}")
    extent = _extent(body, present=None)
    return records.Pool(
        id=scopes.new_id(),
        name=name,
        size=size.slug,
        count=extent.count,
        auto_scale=extent.auto_scale,
        min_nodes=extent.least,
        max_nodes=extent.most,
        tags=own_tags(scope, body.get("tags") or [], cluster=cluster),
        labels=_labels(body.get("labels") or {}),
        taints=_taints(body.get("taints") or []),
    )


def own_tags(scope: scopes.Scope, names: Sequence[str], *, cluster: str) -> list[str]:
    """Returns a client's tags without those that the cloud adds; missing tags are created."""
    automatic = (*_AUTOMATIC, f"k8s:{cluster}")
    return tags.ensure(scope, [str(name) for name in names if str(name).lower() not in automatic])


def check_room(
    scope: scopes.Scope,
    vpc: records.Vpc,
    pools: Sequence[records.Pool],
    *,
    present: Sequence[records.Pool] = (),
) -> None:
    """Refuses new ``pools`` that exceed the droplet limit, the addresses of the VPC or the nodes of a cluster."""
    for item in pools:
        machines.require(scope, vpc, more=max(item.max_nodes, item.count), autoscaled=item.auto_scale)
    machines.require(scope, vpc, more=sum(item.count for item in pools))
    total = sum(item.count for item in (*present, *pools))
    if total > catalogue.CLUSTER_NODE_LIMIT:
        raise scopes.invalid(f"validation error: a cluster has at most {catalogue.CLUSTER_NODE_LIMIT} nodes")


def refuse_last(cluster: records.Cluster, pool: records.Pool) -> None:
    """Raises if the pool is the cluster's last one."""
    if all(item is pool or item.deleting for item in cluster.pools) and pool.deleting is None:
        raise scopes.invalid("validation error: the last node pool of a cluster cannot be deleted")


def _require(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, extent: Extent) -> None:
    largest = max(extent.most, extent.count)
    if largest > max(pool.max_nodes, pool.count):
        more = largest - len(machines.remaining(pool))
        machines.require(scope, scope.vpc(cluster.vpc), more=more, autoscaled=extent.auto_scale)


def _check_name(cluster: records.Cluster, name: str) -> None:
    if not NAME.match(name):
        raise scopes.invalid(f"validation error: {name!r} is not a name for a node pool")
    if any(item.name == name for item in cluster.pools):
        raise scopes.invalid(f"validation error: the cluster {cluster.name} has a node pool {name!r} already")


def _extent(body: Mapping[str, Any], *, present: records.Pool | None) -> Extent:
    automatic = body.get("auto_scale")
    if automatic is None:
        automatic = present.auto_scale if present else False
    count = _number(body, "count", default=present.count if present else None)
    if not automatic:
        if not count:
            raise scopes.invalid("validation error: count of a node pool that is not scaled must be at least 1")
        return Extent(count=count, auto_scale=False, least=0, most=0)
    # The official client cannot send 0 with a new pool. What the cloud does then is not documented.
    least = _number(body, "min_nodes", default=present.min_nodes if present else 1) or 0
    most = _number(body, "max_nodes", default=present.max_nodes if present else 0) or 0
    if most < 1 or least > most:
        raise scopes.invalid("validation error: max_nodes must be at least 1 and not below min_nodes")
    # Without a count the cloud chooses one; a count is kept within the bounds.
    requested = max(least, 1) if not count and present is None else count or 0
    return Extent(count=min(max(requested, least), most), auto_scale=True, least=least, most=most)


def _number(body: Mapping[str, Any], name: str, *, default: int | None) -> int | None:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise scopes.invalid(f"validation error: {name} must be a number that is not negative")
    return value


def _labels(value: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()}


def _taints(value: Sequence[Mapping[str, Any]]) -> list[records.Taint]:
    taints = []
    for entry in value:
        # The official Go client sends the keys capitalized.
        item = {str(key).lower(): text for key, text in entry.items()}
        effect = str(item.get("effect") or "")
        if effect not in EFFECTS or not item.get("key"):
            raise scopes.invalid(f"validation error: a taint needs a key and an effect out of {', '.join(EFFECTS)}")
        taints.append(records.Taint(key=str(item["key"]), value=str(item.get("value") or ""), effect=effect))
    return taints
