"""The lists of the simulated Civo: its offers, and all machines of an account.

Nothing here changes state, except that listing machines counts as a read.
"""

from __future__ import annotations

from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.civo import catalogue, progress, scopes, views

PER_PAGE = 20


def ping(_scope: scopes.Scope, _request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/ping``."""
    return dict(scopes.SUCCESS)


def nothing(_scope: scopes.Scope, _request: wire.Request) -> list[Any]:
    """Answers with an empty list, for resources that the sandbox does not have."""
    return []


def regions(_scope: scopes.Scope, _request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET /v2/regions``."""
    features = {
        "iaas": True,
        "kubernetes": True,
        "object_store": False,
        "loadbalancer": False,
        "gpu": True,
        "dbaas": False,
        "volume": False,
        "paas": False,
        "kfaas": False,
        "public_ip_node_pools": True,
    }
    return [
        {
            "code": item.code,
            "name": item.name,
            "type": "civostack",
            "country": item.country,
            "country_name": item.country_name,
            "out_of_capacity": False,
            "default": item.code == catalogue.DEFAULT_REGION,
            "features": features,
        }
        for item in catalogue.REGIONS
    ]


def sizes(_scope: scopes.Scope, _request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET /v2/sizes``."""
    return [
        {
            "type": "Kubernetes" if ".kube." in item.name else "Instance",
            "name": item.name,
            "nice_name": item.title,
            "description": item.title,
            "cpu_cores": item.cpu,
            "ram_mb": item.memory,
            "disk_gb": item.disk,
            "gpu_count": item.gpus,
            "gpu_type": item.gpu,
            "transfer_tb": 1,
            "selectable": True,
        }
        for item in catalogue.SIZES
    ]


def accounts(scope: scopes.Scope, _request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/accounts`` with the token's own account."""
    account = scope.account
    items = [{"id": account.id, "email_address": account.email, "label": account.email}]
    return {"page": 1, "per_page": PER_PAGE, "pages": 1, "items": items}


def versions(_scope: scopes.Scope, _request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET /v2/kubernetes/versions``."""
    return [
        {
            "label": item.label,
            "version": item.version,
            "type": item.maturity,
            "default": item.default,
            "clusterType": item.kind,
        }
        for item in catalogue.VERSIONS
    ]


def applications(_scope: scopes.Scope, _request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET /v2/kubernetes/applications``."""
    return [
        {
            "name": item.name,
            "title": item.name,
            "version": item.version,
            "default": item.default,
            "dependencies": [],
            "maintainer": "sandbox@sandbox.invalid",
            "description": "",
            "post_install": "",
            "url": "",
            "category": item.category,
            "plans": [{"label": plan, "configuration": {}} for plan in item.plans],
        }
        for item in catalogue.APPLICATIONS
    ]


def instances(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/instances`` with the machines of the account's clusters."""
    everything = _machines(scope)
    page = int(request.query["page"]) if request.query.get("page", "").isdigit() else 1
    size = int(request.query["per_page"]) if request.query.get("per_page", "").isdigit() else PER_PAGE
    page, size = max(page, 1), max(size, 1)
    items = everything[(page - 1) * size : page * size]
    for cluster in scope.clusters():
        for pool in cluster.pools:
            progress.observe_pool(pool)
    return {"page": page, "per_page": size, "pages": max(-(-len(everything) // size), 1), "items": items}


def instance(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/instances/{id}``."""
    machine = next((item for item in _machines(scope) if item["id"] == request.parts["id"]), None)
    if machine is None:
        raise wire.CloudError(404, code="database_instance_find", reason="There is no such instance")
    return machine


def _machines(scope: scopes.Scope) -> list[dict[str, Any]]:
    return [node for cluster in scope.clusters() for pool in cluster.pools for node in views.instances(cluster, pool)]
