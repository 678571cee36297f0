"""Volumes, snapshots and load balancers that belong to the workloads of the simulated DigitalOcean's clusters.

The volumes and services of the simulated Kubernetes API create them, and the control endpoint. They outlive their cluster, unless the request
that deletes the cluster names them or deletes all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds import memory
from planton_sandbox.clouds.digitalocean import clusters, lists, paging, records, scopes

LOAD_BALANCER, VOLUME, SNAPSHOT = "load_balancers", "volumes", "volume_snapshots"
_NOUNS = {LOAD_BALANCER: "load balancer", VOLUME: "volume", SNAPSHOT: "snapshot"}


def of_cluster(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../destroy_with_associated_resources``."""
    cluster = scope.cluster(request.parts["id"])
    return {
        sort: [{"id": item.id, "name": item.name} for item in _owned(scope, sort) if item.cluster == cluster.id]
        for sort in _NOUNS
    }


def delete_selected(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE .../selective``: deletes the cluster and the named resources, or nothing."""
    cluster = scope.cluster(request.parts["id"])
    chosen = []
    for sort, noun in _NOUNS.items():
        present = {item.id: item for item in _owned(scope, sort) if item.cluster == cluster.id}
        for key in request.body.get(sort) or []:
            if key not in present:
                raise scopes.invalid(f"There is no {noun} {key} of this cluster")
            chosen.append(present[key])
    _remove(scope, chosen)
    clusters.begin_delete(scope, cluster)


def delete_all(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE .../dangerous``."""
    cluster = scope.cluster(request.parts["id"])
    _remove(scope, [item for sort in _NOUNS for item in _owned(scope, sort) if item.cluster == cluster.id])
    clusters.begin_delete(scope, cluster)


def listing(sort: str, name: str) -> Callable[[scopes.Scope, wire.Request], dict[str, Any]]:
    """Returns the handler that lists the resources of a sort under a key."""

    def answer(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
        return paging.page(request, name, [_view(scope, item) for item in _owned(scope, sort)])

    return answer


def delete(sort: str) -> Callable[[scopes.Scope, wire.Request], None]:
    """Returns the handler that deletes a resource of a sort; a volume is refused while its cluster exists."""

    def answer(scope: scopes.Scope, request: wire.Request) -> None:
        key = request.parts["key"]
        item = next((item for item in _owned(scope, sort) if item.id == key), None)
        if item is None:
            raise scopes.missing(f"The {_NOUNS[sort]} {key} could not be found")
        if sort == VOLUME and any(cluster.id == item.cluster for cluster in scope.all_clusters()):
            raise wire.CloudError(409, code="conflict", reason=f"The volume {item.name} is attached to a droplet")
        _remove(scope, [item])

    return answer


def add(scope: scopes.Scope, cluster: records.Cluster, *, sort: str, name: str) -> dict[str, Any]:
    """Creates a load balancer, a volume or a snapshot for a cluster's workload."""
    resource = records.Associated(
        id=scopes.new_id(),
        account=scope.account.id,
        region=cluster.region,
        cluster=cluster.id,
        sort=sort,
        name=name,
        created=scope.now,
    )
    scope.state.associated.append(resource)
    return {"id": resource.id, "name": resource.name}


def follow(state: records.State, cluster: records.Cluster, *, sort: str, names: Collection[str], now: float) -> None:
    """Brings the resources that the simulated Kubernetes API created to these names."""
    mine = [item for item in state.associated if item.managed and (item.cluster, item.sort) == (cluster.id, sort)]
    memory.follow(
        state.associated,
        mine,
        names,
        lambda name: records.Associated(
            id=scopes.new_id(),
            account=cluster.account,
            region=cluster.region,
            cluster=cluster.id,
            sort=sort,
            name=name,
            created=now,
            managed=True,
        ),
    )


def listed(scope: scopes.Scope) -> dict[str, list[dict[str, Any]]]:
    """Returns the account's resources by sort."""
    return {
        sort: [{"id": item.id, "name": item.name, "cluster": item.cluster} for item in _owned(scope, sort)] for sort in _NOUNS
    }


def _owned(scope: scopes.Scope, sort: str) -> list[records.Associated]:
    return [item for item in scope.state.associated if item.account == scope.account.id and item.sort == sort]


def _remove(scope: scopes.Scope, chosen: list[records.Associated]) -> None:
    keys = {item.id for item in chosen}
    scope.state.associated[:] = [item for item in scope.state.associated if item.id not in keys]


def _view(scope: scopes.Scope, item: records.Associated) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": item.id,
        "name": item.name,
        "created_at": clock.rfc3339(item.created),
    }
    if item.sort != LOAD_BALANCER:
        body["tags"] = [f"k8s:{item.cluster}"]
    return body | _VIEWS[item.sort](scope, item)


def _load_balancer(scope: scopes.Scope, item: records.Associated) -> dict[str, Any]:
    return {
        "region": lists.region(item.region),
        "ip": "203.0.113.1",
        "type": "REGIONAL",
        "size_unit": 1,
        "status": "active",
        "vpc_uuid": next((cluster.vpc for cluster in scope.all_clusters() if cluster.id == item.cluster), ""),
        "droplet_ids": [],
        "forwarding_rules": [{"entry_protocol": "tcp", "entry_port": 80, "target_protocol": "tcp", "target_port": 30080}],
    }


def _volume(_scope: scopes.Scope, item: records.Associated) -> dict[str, Any]:
    return {
        "region": lists.region(item.region),
        "droplet_ids": [],
        "size_gigabytes": 10,
        "description": "",
        "filesystem_type": "ext4",
        "filesystem_label": "",
    }


def _snapshot(_scope: scopes.Scope, item: records.Associated) -> dict[str, Any]:
    return {
        "regions": [item.region],
        "resource_id": item.cluster,
        "resource_type": "volume",
        "min_disk_size": 10,
        "size_gigabytes": 1.0,
    }


_VIEWS: Mapping[str, Callable[[scopes.Scope, records.Associated], dict[str, Any]]] = {
    LOAD_BALANCER: _load_balancer,
    VOLUME: _volume,
    SNAPSHOT: _snapshot,
}
