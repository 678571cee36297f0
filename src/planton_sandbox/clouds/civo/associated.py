"""Volumes, load balancers and reserved addresses that belong to the workloads of the simulated Civo's clusters.

The volumes and services of the simulated Kubernetes API create them, and the control endpoint. They outlive their cluster, and a volume blocks
the deletion of its network.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds import memory
from planton_sandbox.clouds.civo import records, scopes

LOAD_BALANCER, VOLUME, ADDRESS = "loadbalancers", "volumes", "ips"
_CODES = {
    LOAD_BALANCER: "database_loadbalancer_not_found",
    VOLUME: "database_volume_not_found",
    ADDRESS: "database_ip_not_found",
}


def listing(sort: str) -> Callable[[scopes.Scope, wire.Request], list[dict[str, Any]]]:
    """Returns the handler that lists the resources of a sort in the region."""

    def answer(scope: scopes.Scope, _request: wire.Request) -> list[dict[str, Any]]:
        return [_view(item) for item in _owned(scope, sort)]

    return answer


def addresses(scope: scopes.Scope, _request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/ips``: the reserved addresses of the region, on one page."""
    balancers = {item.id: item for item in _owned(scope, LOAD_BALANCER)}
    items = [_address(item, balancers.get(item.balancer)) for item in _owned(scope, ADDRESS)]
    return {"page": 1, "per_page": max(len(items), 1), "pages": 1, "items": items}


def _address(item: records.Associated, balancer: records.Associated | None) -> dict[str, Any]:
    body = {"id": item.id, "name": item.name, "ip": "203.0.113.7"}
    if balancer is None:
        return body
    return body | {"assigned_to": {"id": balancer.id, "type": "loadbalancer", "name": balancer.name}}


def delete(sort: str) -> Callable[[scopes.Scope, wire.Request], dict[str, Any]]:
    """Returns the handler that deletes a resource of a sort; a volume is refused while its cluster exists."""

    def answer(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
        item = next((item for item in _owned(scope, sort) if item.id == request.parts["id"]), None)
        if item is None:
            raise wire.CloudError(404, code=_CODES[sort], reason=f"There is no {sort.removesuffix('s')} of this id")
        if sort == VOLUME and any(cluster.id == item.cluster for cluster in scope.clusters()):
            raise wire.CloudError(409, code="database_volume_still_attached", reason=f"The volume {item.name} is attached")
        scope.state.associated.remove(item)
        return dict(scopes.SUCCESS)

    return answer


def add(scope: scopes.Scope, cluster: records.Cluster, *, sort: str, name: str) -> dict[str, Any]:
    """Creates a load balancer, a volume or a reserved address of the first load balancer, for a cluster's workload."""
    balancers = [item.id for item in _owned(scope, LOAD_BALANCER) if item.cluster == cluster.id]
    resource = records.Associated(
        id=scopes.new_id(),
        account=scope.account.id,
        region=scope.region,
        cluster=cluster.id,
        network=cluster.network,
        sort=sort,
        name=name,
        created=scope.now,
        balancer=next(iter(balancers), "") if sort == ADDRESS else "",
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
            network=cluster.network,
            sort=sort,
            name=name,
            created=now,
            managed=True,
        ),
    )


def listed(state: records.State, account: str) -> dict[str, list[dict[str, Any]]]:
    """Returns an account's resources by sort."""
    mine = [item for item in state.associated if item.account == account]
    return {
        sort: [{"id": item.id, "name": item.name, "cluster": item.cluster} for item in mine if item.sort == sort]
        for sort in _CODES
    }


def _owned(scope: scopes.Scope, sort: str) -> list[records.Associated]:
    return [
        item
        for item in scope.state.associated
        if item.account == scope.account.id and item.region == scope.region and item.sort == sort
    ]


def _view(item: records.Associated) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": item.id,
        "name": item.name,
        "cluster_id": item.cluster,
        "network_id": item.network,
        "created_at": clock.rfc3339(item.created),
    }
    if item.sort == VOLUME:
        return body | {"instance_id": "", "mountpoint": "", "status": "attached", "size_gb": 10, "bootable": False}
    return body | {"public_ip": "203.0.113.1", "state": "available", "algorithm": "round_robin", "backends": []}
