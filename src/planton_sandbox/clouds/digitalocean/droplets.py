"""Droplets of the simulated DigitalOcean: the nodes of clusters, and no others.

They are read-only; node pools create and delete them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.digitalocean import catalogue, lists, paging, records, scopes, views

_PUBLIC = ipaddress.IPv4Network("203.0.113.0/24")


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/droplets``; droplets with a GPU are listed only with ``type=gpus``."""
    query = request.query
    gpus = query.get("type") == "gpus"
    chosen = []
    for cluster, pool, node in _machines(scope):
        size = catalogue.size(pool.size)
        tagged_so = query.get("tag_name", "") in ("", *views.pool_tags(cluster, pool))
        if tagged_so and query.get("name", "") in ("", node.name) and bool(size and size.gpus) is gpus:
            chosen.append(_view(cluster, pool, node))
    return paging.page(request, "droplets", chosen)


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/droplets/{id}``."""
    for cluster, pool, node in _machines(scope):
        if str(node.droplet) == request.parts["id"]:
            return {"droplet": _view(cluster, pool, node)}
    raise scopes.missing(f"The droplet {request.parts['id']} could not be found")


def tagged(scope: scopes.Scope, name: str) -> list[int]:
    """Returns the ids of the droplets that have a tag."""
    return [node.droplet for cluster, pool, node in _machines(scope) if name in views.pool_tags(cluster, pool)]


def existing(scope: scopes.Scope, keys: list[Any]) -> list[int]:
    """Returns droplet ids without duplicates; an unknown id is refused."""
    present = {node.droplet for _, _, node in _machines(scope)}
    for key in keys:
        if key not in present:
            raise scopes.invalid(f"There is no droplet {key}")
    return list(dict.fromkeys(keys))


def _machines(scope: scopes.Scope) -> Iterator[tuple[records.Cluster, records.Pool, records.Node]]:
    for cluster in scope.all_clusters():
        for pool in cluster.pools:
            for node in pool.nodes:
                yield cluster, pool, node


def _view(cluster: records.Cluster, pool: records.Pool, node: records.Node) -> dict[str, Any]:
    size = catalogue.size(pool.size)
    described = lists.size(size) if size else {}
    return {
        "id": node.droplet,
        "name": node.name,
        "memory": described.get("memory", 0),
        "vcpus": described.get("vcpus", 0),
        "disk": described.get("disk", 0),
        "disk_info": described.get("disk_info", []),
        "locked": False,
        "status": "new" if node.building else "active",
        "created_at": clock.rfc3339(node.created),
        "features": ["private_networking"],
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": [],
        "volume_ids": [],
        "image": _image(node.version),
        "size": described,
        "size_slug": pool.size,
        "networks": {"v4": _networks(node), "v6": []},
        "region": lists.region(cluster.region),
        "tags": views.pool_tags(cluster, pool),
        "vpc_uuid": cluster.vpc,
    }


def _image(version: str) -> dict[str, Any]:
    return {
        "id": 100_000_000,
        "name": f"do-kube-{version}",
        "distribution": "Debian",
        "slug": None,
        "public": False,
        "regions": [],
        "created_at": "2026-01-01T00:00:00Z",
        "min_disk_size": 10,
        "type": "admin",
        "size_gigabytes": 5.0,
        "description": "",
        "tags": [],
        "status": "available",
    }


def _networks(node: records.Node) -> list[dict[str, Any]]:
    private = {"ip_address": node.private_ip, "netmask": "255.255.240.0", "gateway": "", "type": "private"}
    gateway = str(_PUBLIC[1])
    return [private, {"ip_address": node.public_ip, "netmask": str(_PUBLIC.netmask), "gateway": gateway, "type": "public"}]
