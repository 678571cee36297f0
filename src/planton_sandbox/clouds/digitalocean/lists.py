"""The lists of the simulated DigitalOcean: the account and the cloud's offers."""

from __future__ import annotations

from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.digitalocean import catalogue, paging, scopes

_HOURS = 672  # per month, in the cloud's price lists
_FLOATING_IP_LIMIT = 3


def account(scope: scopes.Scope, _request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/account``."""
    owner = scope.account
    return {
        "account": {
            "droplet_limit": owner.droplet_limit,
            "floating_ip_limit": _FLOATING_IP_LIMIT,
            "email": owner.email,
            "name": "Sandbox",
            "uuid": owner.id,
            "email_verified": True,
            "status": "active",
            "status_message": "",
            "team": {"uuid": owner.id, "name": "Sandbox"},
        }
    }


def regions(_scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/regions``."""
    return paging.page(request, "regions", [region(item.slug) for item in catalogue.REGIONS])


def sizes(_scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/sizes``."""
    return paging.page(request, "sizes", [size(item) for item in catalogue.SIZES])


def options(_scope: scopes.Scope, _request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/kubernetes/options``."""
    return {
        "options": {
            "regions": [{"name": item.name, "slug": item.slug} for item in catalogue.REGIONS],
            "versions": [version(item) for item in catalogue.VERSIONS],
            "sizes": [{"name": item.slug, "slug": item.slug} for item in catalogue.SIZES if item.kubernetes],
        }
    }


def region(slug: str) -> dict[str, Any]:
    """Returns a region as clients see it."""
    offered = catalogue.region(slug)
    return {
        "name": offered.name if offered else slug,
        "slug": slug,
        "features": ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"],
        "available": True,
        "sizes": [item.slug for item in catalogue.SIZES if slug in catalogue.places(item)],
    }


def size(item: catalogue.Size) -> dict[str, Any]:
    """Returns a size as clients see it."""
    body: dict[str, Any] = {
        "slug": item.slug,
        "memory": item.memory,
        "vcpus": item.cpu,
        "disk": item.disk,
        "transfer": item.transfer,
        "price_monthly": item.price,
        "price_hourly": round(item.price / _HOURS, 5),
        "regions": list(catalogue.places(item)),
        "available": True,
        "description": item.family,
        "disk_info": [{"type": "local", "size": {"amount": item.disk, "unit": "gib"}}],
    }
    if item.gpus:
        body["gpu_info"] = {"count": item.gpus, "model": item.gpu, "vram": {"amount": item.vram * item.gpus, "unit": "gib"}}
    return body


def version(item: catalogue.Version) -> dict[str, Any]:
    """Returns a Kubernetes version as clients see it."""
    return {"slug": item.slug, "kubernetes_version": item.kubernetes, "supported_features": list(catalogue.FEATURES)}
