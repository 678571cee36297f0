"""Kubernetes clusters of the simulated Civo.

The pools in the request for a new cluster lose their labels and taints, as on the real cloud. The first pool stays the default
pool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from planton_sandbox import pki, wire
from planton_sandbox.clouds.civo import catalogue, firewalls, pools, progress, quota, records, scopes, views

NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")
CNIS = ("flannel", "cilium")
INVALID_VERSION = "database_kubernetes_cluster_invalid_version"
API_PORT = 6443
PER_PAGE = 20


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/kubernetes/clusters`` with one page; most clients read the first page only."""
    page, size = _number(request, "page", default=1), _number(request, "per_page", default=PER_PAGE)
    everything = scope.clusters()
    chosen = everything[(page - 1) * size : page * size]
    items = [views.cluster(item) for item in chosen]
    for item in chosen:
        progress.observe(item)
    return {"page": page, "per_page": size, "pages": max(-(-len(everything) // size), 1), "items": items}


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/kubernetes/clusters/{id}``."""
    cluster = scope.cluster(request.parts["id"])
    body = views.cluster(cluster)
    progress.observe(cluster)
    return body


def list_instances(scope: scopes.Scope, request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET .../instances``: the machines of all pools."""
    cluster = scope.cluster(request.parts["id"])
    body = [node for pool in cluster.pools for node in views.instances(cluster, pool)]
    for pool in cluster.pools:
        progress.observe_pool(pool)
    return body


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/kubernetes/clusters``."""
    body = request.body
    name = _name(scope, str(body.get("name") or ""))
    kind = str(body.get("cluster_type") or "k3s")
    version, cni = _version(body, kind=kind), _cni(body, kind=kind)
    first_pools = _first_pools(body)
    network = scope.network(body["network_id"]) if body.get("network_id") else scope.default_network()
    applications = _applications(scope, str(body.get("applications") or ""))
    quota.require(scope, [quota.machines(item.size, count=item.count) for item in first_pools])
    key = scopes.new_id()
    cluster = records.Cluster(
        id=key,
        account=scope.account.id,
        region=scope.region,
        name=name,
        kind=kind,
        version=version,
        cni=cni,
        network=network.id,
        firewall=_firewall(scope, body, network=network, name=name),
        tags=str(body.get("tags") or "").split(),
        created=scope.now,
        port=scope.reserve_port(),
        credentials=pki.issue(name, hostname=f"{key}.k8s.civo.com"),
        pools=first_pools,
        applications=applications,
        building=scope.pace.timer(scope.now, seconds=catalogue.CLUSTER_SECONDS),
    )
    if scope.state.stuck_next:
        scope.state.stuck_next -= 1
        cluster.stuck = True
    scope.state.clusters.append(cluster)
    for pool in first_pools:
        pools.fill(scope, cluster, pool, seconds=catalogue.CLUSTER_NODE_SECONDS)
    return views.cluster(cluster)


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT /v2/kubernetes/clusters/{id}``; an absent field keeps its value."""
    cluster, body = scope.cluster(request.parts["id"]), request.body
    if body.get("name") and body["name"] != cluster.name:
        cluster.name = _name(scope, str(body["name"]))
    firewall = body.get("firewall_id") or body.get("instance_firewall")
    if firewall and firewall != cluster.firewall:
        cluster.firewall = _existing_firewall(scope, str(firewall), network=cluster.network)
    if body.get("tags") is not None:
        cluster.tags = str(body["tags"]).split()
    if body.get("kubernetes_version"):
        upgrade(scope, cluster, text=str(body["kubernetes_version"]))
    if body.get("applications"):
        cluster.applications += _applications(scope, str(body["applications"]), present=cluster.applications)
    if body.get("pools"):
        pools.replace_all(scope, cluster, body["pools"])
    elif body.get("num_target_nodes"):
        other_pools = sum(item.count for item in cluster.pools[1:])
        pools.change(scope, cluster, cluster.pools[0], {"count": body["num_target_nodes"] - other_pools})
    return views.cluster(cluster)


def delete(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE /v2/kubernetes/clusters/{id}``."""
    begin_delete(scope, scope.cluster(request.parts["id"]))
    return dict(scopes.SUCCESS)


def recycle(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../recycle``: replaces the named node."""
    cluster = scope.cluster(request.parts["id"])
    name = request.body.get("hostname")
    for pool in cluster.pools:
        for node in pool.nodes:
            if node.hostname == name:
                pools.retire(scope, node)
                pools.fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)
                return dict(scopes.SUCCESS)
    raise wire.CloudError(404, code="database_kubernetes_node_not_found", reason=f"There is no node {name!r}")


def begin_delete(scope: scopes.Scope, cluster: records.Cluster) -> None:
    """Begins to delete a cluster; its Kubernetes API closes immediately."""
    if cluster.deleting is None:
        cluster.deleting = scope.pace.timer(
            scope.now, seconds=catalogue.CLUSTER_DELETE_SECONDS, instant_seconds=catalogue.DELETE_INSTANT_SECONDS
        )


def upgrade(scope: scopes.Scope, cluster: records.Cluster, *, text: str) -> None:
    """Begins to upgrade a cluster; an older version, or one of another cluster type, is refused."""
    target = catalogue.version(text)
    if target is None or target.kind != cluster.kind:
        raise _invalid_version(text, kind=cluster.kind)
    if catalogue.order(target.version) < catalogue.order(cluster.version):
        raise wire.CloudError(
            400,
            code=INVALID_VERSION,
            reason=f"The cluster has version {cluster.version} and cannot go back to {target.version}",
        )
    if target.version != cluster.version:
        progress.start_upgrade(cluster, version=target.version, pace=scope.pace, now=scope.now)


def reachable(state: records.State, cluster: records.Cluster, *, client: str) -> bool:
    """Returns whether ``client`` can reach the cluster's Kubernetes API: built, not deleted, and allowed by the firewall."""
    if cluster.built is None or cluster.deleting:
        return False
    firewall = next((item for item in state.firewalls if item.id == cluster.firewall), None)
    return firewall is not None and firewalls.admits(firewall, port=API_PORT, client=client)


def _number(request: wire.Request, name: str, *, default: int) -> int:
    text = request.query.get(name, "")
    return max(int(text), 1) if text.isdigit() else default


def _name(scope: scopes.Scope, name: str) -> str:
    if not NAME.match(name):
        raise wire.CloudError(400, code="kubernetes_cluster_invalid_name", reason=f"{name!r} is not a valid name for a cluster")
    if any(item.name == name for item in scope.clusters()):
        raise wire.CloudError(
            409, code="database_kubernetes_cluster_duplicate", reason=f"A cluster named {name!r} already exists"
        )
    return name


def _version(body: Mapping[str, Any], *, kind: str) -> str:
    if kind not in ("k3s", "talos"):
        raise wire.CloudError(400, code="database_kubernetes_cluster_invalid", reason=f"There is no cluster type {kind!r}")
    text = str(body.get("kubernetes_version") or catalogue.default_version(kind).version)
    version = catalogue.version(text)
    if version is None or version.kind != kind:
        raise _invalid_version(text, kind=kind)
    return version.version


def _cni(body: Mapping[str, Any], *, kind: str) -> str:
    cni = str(body.get("cni_plugin") or "flannel")
    if cni not in CNIS or (kind == "talos" and cni != "flannel"):
        raise wire.CloudError(
            400, code="database_kubernetes_cluster_invalid", reason=f"{cni!r} is not a CNI of the cluster type {kind}"
        )
    return cni


def _first_pools(body: Mapping[str, Any]) -> list[records.Pool]:
    requested = body.get("pools") or []
    if not requested and body.get("target_nodes_size"):
        requested = [{"size": body["target_nodes_size"], "count": body.get("num_target_nodes") or 1}]
    if not requested:
        raise wire.CloudError(400, code="database_kubernetes_cluster_no_pools", reason="A cluster needs at least one pool")
    parsed = [pools.parse(item, bare=True) for item in requested]
    if len({item.id for item in parsed}) < len(parsed):
        raise wire.CloudError(409, code="database_cluster_pool_duplicate", reason="Two pools have the same id")
    return parsed


def _firewall(scope: scopes.Scope, body: Mapping[str, Any], *, network: records.Network, name: str) -> str:
    key = body.get("instance_firewall") or body.get("firewall_id")
    if key:
        return _existing_firewall(scope, str(key), network=network.id)
    firewall = records.Firewall(
        id=scopes.new_id(),
        account=scope.account.id,
        region=scope.region,
        network=network.id,
        name=f"k3s-cluster-{name}-{scopes.new_id()[:8]}",
        hidden=True,
        rules=scopes.default_rules(),
    )
    scope.state.firewalls.append(firewall)
    return firewall.id


def _existing_firewall(scope: scopes.Scope, key: str, *, network: str) -> str:
    firewall = scope.firewall(key)
    if firewall.network != network:
        raise wire.CloudError(
            400, code="database_firewall_mismatch", reason=f"The firewall {firewall.name} is in another network"
        )
    return firewall.id


def _applications(
    scope: scopes.Scope, text: str, *, present: list[records.Application] | None = None
) -> list[records.Application]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    refused = {word[1:].lower() for word in words if word.startswith("-")}
    names = [word.partition(":")[0] for word in words if not word.startswith("-")]
    if present is None:
        names = [item.name for item in catalogue.APPLICATIONS if item.default] + names
    chosen = {item.name.lower(): item for item in present or []}
    added: list[records.Application] = []
    for name in names:
        entry = catalogue.application(name)
        if entry is None:
            raise wire.CloudError(
                404, code="database_kubernetes_application_not_found", reason=f"There is no application {name!r}"
            )
        if entry.name.lower() in chosen or entry.name.lower() in refused:
            continue
        failing = entry.fails or entry.name in scope.state.failing_applications
        record = records.Application(entry.name, entry.version, entry.category, failing=failing)
        chosen[entry.name.lower()] = record
        added.append(record)
    return added


def _invalid_version(text: str, *, kind: str) -> wire.CloudError:
    reason = f"There is no version {text!r} for the cluster type {kind}"
    return wire.CloudError(400, code=INVALID_VERSION, reason=reason)
