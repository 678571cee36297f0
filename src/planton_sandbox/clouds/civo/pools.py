"""Node pools of the simulated Civo, and their nodes.

Scaling up adds nodes at the end. Scaling down removes nodes that are building, then those that are not ready, then cordoned ones,
then the oldest. New labels reach existing nodes. A taint that is removed
from a pool stays on its existing nodes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import catalogue, progress, quota, records, scopes, views

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
FIRST_HOST = 10


def listing(scope: scopes.Scope, request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET .../pools``."""
    cluster = scope.cluster(request.parts["id"])
    body = [views.pool(cluster, item) for item in cluster.pools]
    for item in cluster.pools:
        progress.observe_pool(item)
    return body


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../pools/{pool}``; ``count`` is the desired count."""
    cluster = scope.cluster(request.parts["id"])
    pool = scope.pool(cluster, request.parts["pool"])
    body = views.pool(cluster, pool) | {"count": pool.count}
    progress.observe_pool(pool)
    return body


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../pools``."""
    cluster = scope.cluster(request.parts["id"])
    _refuse_while_deleting(cluster)
    pool = parse(request.body)
    if any(item.id == pool.id for item in cluster.pools):
        raise wire.CloudError(
            409,
            code="database_cluster_pool_duplicate",
            reason=f"The cluster {cluster.name} already has a pool {pool.id!r}",
        )
    quota.require(scope, [quota.machines(pool.size, count=pool.count)])
    cluster.pools.append(pool)
    fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)
    return dict(scopes.SUCCESS)


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT .../pools/{pool}``."""
    cluster = scope.cluster(request.parts["id"])
    _refuse_while_deleting(cluster)
    pool = scope.pool(cluster, request.parts["pool"])
    change(scope, cluster, pool, request.body)
    return views.pool(cluster, pool) | {"count": pool.count}


def delete(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE .../pools/{pool}``; the last pool is refused."""
    cluster = scope.cluster(request.parts["id"])
    pool = scope.pool(cluster, request.parts["pool"])
    refuse_last(cluster, pool)
    begin_delete(pool, pace=scope.pace, now=scope.now)
    return dict(scopes.SUCCESS)


def delete_node(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE .../pools/{pool}/instances/{node}``: deletes the node and reduces the pool's count."""
    cluster = scope.cluster(request.parts["id"])
    pool = scope.pool(cluster, request.parts["pool"])
    node = next((item for item in pool.nodes if item.id == request.parts["node"]), None)
    if node is None:
        raise wire.CloudError(404, code="database_cluster_pool_instance_not_found", reason="No such instance in this pool")
    if node.deleting is None:
        retire(scope, node)
        pool.count = max(pool.count - 1, 0)
    return dict(scopes.SUCCESS)


def parse(body: Mapping[str, Any], *, bare: bool = False) -> records.Pool:
    """Returns the pool that a request describes.

    Args:
        body: The pool in the request.
        bare: Drop labels and taints, as the cloud does for the pools in the
            request for a new cluster.
    """
    size, count = str(body.get("size") or ""), body.get("count")
    if catalogue.size(size) is None:
        raise wire.CloudError(400, code="database_size_not_found", reason=f"There is no size {size!r}")
    return records.Pool(
        id=str(body.get("id") or scopes.new_id()),
        size=size,
        count=_count(count),
        public_ip=bool(body.get("public_ip_node_pool")),
        labels={} if bare else dict(body.get("labels") or {}),
        taints=[] if bare else _taints(body.get("taints") or []),
    )


def change(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, body: Mapping[str, Any]) -> None:
    """Applies the count, labels and taints of ``body``; an absent or null field keeps its value."""
    if body.get("size") and body["size"] != pool.size:
        raise wire.CloudError(400, code="database_kubernetes_cluster_invalid", reason="The size of a pool cannot be changed")
    count = pool.count if body.get("count") is None else _count(body["count"])
    taints = None if body.get("taints") is None else _taints(body["taints"])
    if count > pool.count:
        quota.require(scope, [quota.machines(pool.size, count=count - len(pool.nodes))])
    if body.get("labels") is not None:
        relabel(pool, labels={str(key): str(value) for key, value in body["labels"].items()})
    if taints is not None:
        _retaint(pool, taints=taints)
    pool.public_ip = pool.public_ip or bool(body.get("public_ip_node_pool"))
    scale(scope, cluster, pool, count=count)


def scale(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, count: int) -> None:
    """Scales a pool to ``count`` nodes: adds at the end, or removes the first that do not have to stay."""
    pool.count = count
    newest = reversed([item for item in pool.nodes if item.deleting is None])
    for node in sorted(newest, key=_stays)[count:]:
        retire(scope, node)
    fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)


def retire(scope: scopes.Scope, node: records.Node) -> None:
    """Begins to delete a node."""
    node.building = None
    node.deleting = scope.pace.timer(
        scope.now, seconds=catalogue.NODE_DELETE_SECONDS, instant_seconds=catalogue.DELETE_INSTANT_SECONDS
    )


def fill(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, seconds: float) -> None:
    """Adds the missing nodes of a pool; in realistic latency each is ready after ``seconds``."""
    remaining = [item for item in pool.nodes if item.deleting is None]
    for _ in range(pool.count - len(remaining)):
        key = scopes.new_id()
        pool.nodes.append(
            records.Node(
                id=key,
                hostname=scopes.hostname(cluster, pool),
                size=pool.size,
                version=cluster.version,
                private_ip=_address(scope, cluster),
                public_ip=_public_address(key),
                created=scope.now,
                labels=dict(pool.labels),
                taints=list(pool.taints),
                building=scope.pace.timer(scope.now, seconds=seconds),
            )
        )


def relabel(pool: records.Pool, *, labels: dict[str, str]) -> None:
    """Replaces the labels of a pool and its nodes."""
    for node in pool.nodes:
        for key in pool.labels:
            node.labels.pop(key, None)
        node.labels.update(labels)
    pool.labels = labels


def refuse_last(cluster: records.Cluster, pool: records.Pool) -> None:
    """Raises if the pool is the cluster's last one; clients rely on there being one."""
    if all(item is pool or item.deleting for item in cluster.pools) and pool.deleting is None:
        raise wire.CloudError(
            400, code="database_kubernetes_cluster_no_pools", reason="The last pool of a cluster cannot be deleted"
        )


def begin_delete(pool: records.Pool, *, pace: clock.Pace, now: float) -> None:
    """Begins to delete a pool."""
    if pool.deleting is None:
        pool.deleting = pace.timer(now, seconds=catalogue.NODE_DELETE_SECONDS, instant_seconds=catalogue.DELETE_INSTANT_SECONDS)


def replace_all(scope: scopes.Scope, cluster: records.Cluster, bodies: Sequence[Mapping[str, Any]]) -> None:
    """Replaces a cluster's pools: changes those with a known id, adds new ones, deletes the rest."""
    names = [str(item.get("id") or "") for item in bodies]
    for body in bodies:
        present = next((item for item in cluster.pools if item.id == body.get("id")), None)
        if present:
            change(scope, cluster, present, body)
        else:
            pool = parse(body)
            quota.require(scope, [quota.machines(pool.size, count=pool.count)])
            cluster.pools.append(pool)
            names.append(pool.id)
            fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)
    for item in cluster.pools:
        if item.id not in names:
            begin_delete(item, pace=scope.pace, now=scope.now)


def _stays(node: records.Node) -> tuple[bool, bool, bool]:
    """Orders the nodes of a pool, given newest first: those that stay longest come first."""
    return node.building is not None, not node.ready or node.unreachable, node.cordoned


def _retaint(pool: records.Pool, *, taints: list[records.Taint]) -> None:
    for node in pool.nodes:
        merged = {(item.key, item.effect): item for item in node.taints}
        merged.update({(item.key, item.effect): item for item in taints})
        node.taints = list(merged.values())
    pool.taints = taints


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise wire.CloudError(
            400, code="database_kubernetes_cluster_invalid", reason="The node count must be a number of at least 1"
        )
    return value


def _taints(value: Sequence[Mapping[str, Any]]) -> list[records.Taint]:
    taints = []
    for item in value:
        effect = str(item.get("effect") or "")
        if effect not in EFFECTS or not item.get("key"):
            raise wire.CloudError(
                400,
                code="database_kubernetes_cluster_invalid",
                reason=f"A taint needs a key and an effect out of {', '.join(EFFECTS)}",
            )
        taints.append(records.Taint(key=str(item["key"]), value=str(item.get("value") or ""), effect=effect))
    return taints


def _refuse_while_deleting(cluster: records.Cluster) -> None:
    if cluster.deleting:
        raise wire.CloudError(
            409, code="database_kubernetes_cluster_invalid", reason=f"The cluster {cluster.name} is being deleted"
        )


def _address(scope: scopes.Scope, cluster: records.Cluster) -> str:
    network = next((item for item in scope.state.networks if item.id == cluster.network), None)
    hosts = ipaddress.ip_network(network.cidr if network else "192.168.1.0/24")
    taken = {
        node.private_ip
        for other in scope.state.clusters
        if other.network == cluster.network
        for pool in other.pools
        for node in pool.nodes
    }
    for index in range(FIRST_HOST, hosts.num_addresses - 1):
        if str(hosts[index]) not in taken:
            return str(hosts[index])
    raise wire.CloudError(
        409, code="database_network_no_free_addresses", reason=f"The network's range {hosts} has no free address"
    )


def _public_address(key: str) -> str:
    number = int(key[:8], 16)
    return f"203.0.113.{number % 254 + 1}"
