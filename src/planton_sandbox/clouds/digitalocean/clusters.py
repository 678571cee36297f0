"""Kubernetes clusters of the simulated DigitalOcean.

Clients no longer see a deleted cluster. Its VPC counts it as a member until the deletion has ended. Two clusters may have the
same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from planton_sandbox import pki, wire
from planton_sandbox.clouds.digitalocean import (
    catalogue,
    machines,
    paging,
    pools,
    progress,
    records,
    scopes,
    settings,
    tags,
    views,
)

NAME = re.compile(r"^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,61}[a-zA-Z0-9])?$")


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/kubernetes/clusters``."""
    body = paging.page(request, "kubernetes_clusters", [views.cluster(item) for item in scope.clusters()])
    for item in scope.clusters():
        progress.observe(item)
    return body


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/kubernetes/clusters/{id}``."""
    cluster = scope.cluster(request.parts["id"])
    body = {"kubernetes_cluster": views.cluster(cluster)}
    progress.observe(cluster)
    return body


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/kubernetes/clusters``."""
    body, key = request.body, scopes.new_id()
    name, region, version = _name(body), _region(body), _version(str(body.get("version") or ""))
    vpc = _vpc(scope, body, region=region)
    _refuse_unknown_networks(body)
    first_pools = _first_pools(scope, body, cluster=key, region=region)
    pools.check_room(scope, vpc, first_pools)
    cluster_subnet, service_subnet = settings.subnets(scope, body)
    cluster = records.Cluster(
        id=key,
        account=scope.account.id,
        region=region,
        name=name,
        version=version,
        vpc=vpc.id,
        cluster_subnet=cluster_subnet,
        service_subnet=service_subnet,
        tags=pools.own_tags(scope, body.get("tags") or [], cluster=key),
        created=scope.now,
        updated=scope.now,
        port=0,
        credentials=pki.issue(name, hostname=f"{key}.k8s.ondigitalocean.com"),
        ha=settings.ha(body, version=version),
        auto_upgrade=bool(body.get("auto_upgrade")),
        surge_upgrade=bool(body.get("surge_upgrade")),
        window=settings.DEFAULT_WINDOW,
        watched=scope.now,
        pools=first_pools,
        building=scope.pace.timer(scope.now, seconds=catalogue.CLUSTER_SECONDS, instant_seconds=0),
    )
    settings.apply(cluster, body, now=scope.now)
    _begin(scope, cluster)
    return {"kubernetes_cluster": views.cluster(cluster)}


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT /v2/kubernetes/clusters/{id}``.

    An absent field keeps its value. This includes ``name``, which doctl omits although the documentation requires it. The
    exception is ``surge_upgrade``: clients omit it to turn it off.
    """
    cluster, body = scope.cluster(request.parts["id"]), request.body
    name = _name(body) if body.get("name") else cluster.name
    settings.apply(cluster, body, now=scope.now)
    cluster.name = name
    cluster.surge_upgrade = bool(body.get("surge_upgrade"))
    if body.get("tags") is not None:
        cluster.tags = pools.own_tags(scope, body["tags"], cluster=cluster.id)
    cluster.updated = scope.now
    return {"kubernetes_cluster": views.cluster(cluster)}


def delete(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE /v2/kubernetes/clusters/{id}``; its workloads' volumes and load balancers are kept."""
    begin_delete(scope, scope.cluster(request.parts["id"]))


def upgrade(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``POST .../upgrade``."""
    begin_upgrade(scope, scope.cluster(request.parts["id"]), text=str(request.body.get("version") or ""))


def begin_upgrade(scope: scopes.Scope, cluster: records.Cluster, *, text: str) -> None:
    """Begins to upgrade a cluster; a version that is not among its upgrades is refused."""
    target = _version(text)
    possible = [item.slug for item in catalogue.upgrades(cluster.version)]
    if target not in possible:
        listed = ", ".join(possible) or "nothing newer"
        raise scopes.invalid(
            f"validation error: {cluster.version} cannot be upgraded to {target}; it can be upgraded to: {listed}"
        )
    if progress.status(cluster) != records.RUNNING:
        raise wire.CloudError(412, code="precondition_failed", reason=f"The cluster {cluster.name} is not running")
    progress.start_upgrade(scope, cluster, version=target, start=scope.now)


def begin_delete(scope: scopes.Scope, cluster: records.Cluster) -> None:
    """Begins to delete a cluster; its Kubernetes API closes immediately."""
    cluster.deleting = scope.pace.timer(
        scope.now, seconds=catalogue.CLUSTER_DELETE_SECONDS, instant_seconds=catalogue.DELETE_INSTANT_SECONDS
    )


def reachable(cluster: records.Cluster, *, client: str) -> bool:
    """Returns whether ``client`` can reach the cluster's Kubernetes API: built, not deleted, and allowed by the firewall."""
    built = cluster.built is not None and cluster.deleting is None
    return built and settings.admits(cluster.guard, client=client)


def _begin(scope: scopes.Scope, cluster: records.Cluster) -> None:
    cluster.port = scope.reserve_port()
    tags.ensure(scope, ["k8s", f"k8s:{cluster.id}", "k8s:worker"])
    if scope.state.stuck_next:
        scope.state.stuck_next -= 1
        cluster.stuck = True
    scope.state.clusters.append(cluster)
    for pool in cluster.pools:
        machines.fill(scope, cluster, pool, seconds=catalogue.CLUSTER_NODE_SECONDS)


def _name(body: Mapping[str, Any]) -> str:
    name = str(body.get("name") or "")
    if not NAME.match(name):
        raise scopes.invalid(f"validation error: {name!r} is not a name for a cluster")
    return name


def _region(body: Mapping[str, Any]) -> str:
    region = str(body.get("region") or "")
    if catalogue.region(region) is None:
        raise scopes.invalid(f"validation error: invalid region {region!r}")
    return region


def _version(text: str) -> str:
    slug = catalogue.version(text)
    if not slug:
        raise scopes.invalid(f"validation error: invalid version slug {text!r}")
    return slug


def _vpc(scope: scopes.Scope, body: Mapping[str, Any], *, region: str) -> records.Vpc:
    key = body.get("vpc_uuid")
    vpc = next((item for item in scope.vpcs() if item.id == key), None) if key else scope.default_vpc(region)
    if vpc is None or vpc.region != region:
        raise scopes.invalid(f"validation error: there is no VPC {key} in {region}")
    return vpc


def _refuse_unknown_networks(body: Mapping[str, Any]) -> None:
    if body.get("worker_subnet_uuid"):
        raise scopes.invalid("validation error: there is no such subnet; the sandbox has none")
    if body.get("isolated_workers"):
        raise scopes.invalid("validation error: the VPC has no NAT gateway, which isolated workers need")


def _first_pools(scope: scopes.Scope, body: Mapping[str, Any], *, cluster: str, region: str) -> list[records.Pool]:
    parsed = [pools.parse(scope, item, cluster=cluster, region=region) for item in body.get("node_pools") or []]
    if not parsed:
        raise scopes.invalid("validation error: a cluster needs at least one node pool")
    if len({item.name for item in parsed}) < len(parsed):
        raise scopes.invalid("validation error: two node pools have the same name")
    return parsed
