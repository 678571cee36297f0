"""The machines of pools on the simulated GKE: they are created, removed and relabelled here."""

from __future__ import annotations

import secrets
from typing import Any

from planton_sandbox.clouds.gcp import addresses, catalogue, quotas, records, scopes

_LETTERS = "bcdfghjklmnpqrstvwxz0123456789"
_NAME_PART = 20  # characters of the names of cluster and pool in the name of a machine
_FIRST_HOST = 2
_PUBLIC_HOSTS = 253


def remaining(pool: records.Pool, zone: str = "") -> list[records.Node]:
    """Returns the nodes of a pool, or of one of its zones, without those that are being deleted or drained."""
    return [item for item in pool.nodes if item.deleting is None and not item.draining and zone in ("", item.zone)]


def target(pool: records.Pool) -> int:
    """Returns the desired number of a pool's nodes."""
    return sum(pool.targets.values())


def spread(pool: records.Pool, total: int) -> dict[str, int]:
    """Returns a number of nodes by zone: balanced, or in the first zones with the policy ``ANY``."""
    if pool.autoscaling.get("locationPolicy") == "ANY":
        return {zone: total if index == 0 else 0 for index, zone in enumerate(pool.zones)}
    share, rest = divmod(total, len(pool.zones))
    return {zone: share + (1 if index < rest else 0) for index, zone in enumerate(pool.zones)}


def resize(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, targets: dict[str, int]) -> None:
    """Scales a pool by zone: adds nodes, or removes cordoned nodes, then the newest."""
    pool.targets = targets
    for zone in {*targets, *(node.zone for node in pool.nodes)}:
        for node in sorted(remaining(pool, zone), key=lambda node: node.cordoned)[targets.get(zone, 0) :]:
            retire(scope, node)
    fill(scope, cluster, pool)


def retire(scope: scopes.Scope, node: records.Node) -> None:
    """Begins to delete a node."""
    node.building = None
    node.deleting = scope.pace.timer(scope.now, seconds=catalogue.NODE_DELETE_SECONDS, instant_seconds=0)


def fill(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, seconds: float = catalogue.NODE_SECONDS) -> None:
    """Adds the missing nodes of a pool, and records which zones lack machines or quota."""
    pool.shortages = {}
    for zone, count in pool.targets.items():
        lacking = count - len(remaining(pool, zone))
        if lacking > 0:
            add(scope, cluster, pool, zone=zone, count=lacking, seconds=seconds)


def add(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, zone: str, count: int, seconds: float) -> int:
    """Adds nodes in a zone and returns how many there was room for; in realistic latency each is ready after ``seconds``."""
    project = scope.project(cluster.project)
    if {zone, f"{zone}/{pool.config['machineType']}"} & set(project.stockouts):
        pool.shortages[zone] = records.STOCKOUT
        return 0
    granted, free = quotas.room(scope, cluster, pool), addresses.room(scope, cluster, pool.pod_range)
    possible = min(count, granted, free)
    if possible < count:
        pool.shortages[zone] = records.QUOTA if granted <= free else records.ADDRESSES
    for _ in range(possible):
        pool.nodes.append(_node(scope, cluster, pool, zone=zone, seconds=seconds))
    return possible


def relabel(pool: records.Pool, *, olds: dict[str, Any]) -> None:
    """Gives a pool's labels and taints to its nodes; those that the pool no longer has are removed."""
    for node in pool.nodes:
        kept = {key: text for key, text in node.labels.items() if key not in (olds.get("labels") or {})}
        node.labels = kept | dict(pool.config.get("labels") or {})
        node.taints = list(pool.config.get("taints") or [])


def group_name(cluster: records.Cluster, pool: records.Pool, zone: str) -> str:
    """Returns the name of a pool's instance group in a zone."""
    key = pool.groups.setdefault(zone, secrets.token_hex(4))
    return f"gke-{cluster.name[:_NAME_PART].rstrip('-')}-{pool.name[:_NAME_PART].rstrip('-')}-{key}-grp"


def _node(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, zone: str, seconds: float) -> records.Node:
    scope.state.last_number += 1
    number = scope.state.last_number
    private = addresses.are_private(cluster, pool)
    stem = group_name(cluster, pool, zone).removesuffix("-grp")
    return records.Node(
        id=scopes.new_id(),
        name=f"{stem}-{''.join(secrets.choice(_LETTERS) for _ in range(4))}",
        zone=zone,
        template=pool.template,
        version=pool.version,
        machine=pool.config["machineType"],
        disk=pool.config["diskSizeGb"],
        private_ip=_address(scope, cluster),
        public_ip="" if private else f"203.0.113.{number % _PUBLIC_HOSTS + 2}",
        created=scope.now,
        labels=dict(pool.config.get("labels") or {}),
        taints=list(pool.config.get("taints") or []),
        building=scope.pace.timer(scope.now, seconds=seconds, instant_seconds=0) if seconds else None,
    )


def _address(scope: scopes.Scope, cluster: records.Cluster) -> str:
    subnetwork = addresses.subnetwork(scope, cluster)
    if subnetwork is None:
        return ""
    hosts = addresses.hosts(subnetwork)
    return str(hosts[_FIRST_HOST + scope.state.last_number % (hosts.num_addresses - 2 * _FIRST_HOST)])
