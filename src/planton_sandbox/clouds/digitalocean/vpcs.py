"""VPCs of the simulated DigitalOcean.

Each region has a default VPC, which cannot be deleted. A VPC with members cannot be deleted, even while its members are being
deleted.
"""

from __future__ import annotations

import re
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.digitalocean import catalogue, paging, records, scopes

NAME = re.compile(r"^[a-zA-Z0-9\-.]+$")
LONGEST_DESCRIPTION = 255
LARGEST, SMALLEST = 16, 28


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/vpcs``."""
    return paging.page(request, "vpcs", [_view(item) for item in scope.vpcs()])


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/vpcs/{id}``."""
    return {"vpc": _view(scope.vpc(request.parts["id"]))}


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/vpcs``; without a range the cloud chooses one."""
    body = request.body
    region = str(body.get("region") or "")
    if catalogue.region(region) is None:
        raise scopes.invalid(f"There is no region {region!r}")
    vpc = records.Vpc(
        id=scopes.new_id(),
        account=scope.account.id,
        region=region,
        name=_name(scope, str(body.get("name") or "")),
        ip_range=_range(scope, str(body.get("ip_range") or "")),
        created=scope.now,
        description=_description(str(body.get("description") or "")),
    )
    scope.state.vpcs.append(vpc)
    return {"vpc": _view(vpc)}


def replace(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT /v2/vpcs/{id}``, which requires the name; another absent field keeps its value."""
    if not request.body.get("name"):
        raise scopes.invalid("name must be given")
    return update(scope, request)


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PATCH /v2/vpcs/{id}``; a default VPC stays the default until another VPC becomes it."""
    vpc, body = scope.vpc(request.parts["id"]), request.body
    description = vpc.description if body.get("description") is None else _description(str(body["description"]))
    if body.get("name") and body["name"] != vpc.name:
        vpc.name = _name(scope, str(body["name"]))
    vpc.description = description
    if body.get("default"):
        scope.default_vpc(vpc.region).default = False
        vpc.default = True
    return {"vpc": _view(vpc)}


def delete(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE /v2/vpcs/{id}``."""
    vpc = scope.vpc(request.parts["id"])
    if vpc.default:
        raise wire.CloudError(403, code="forbidden", reason="Can not delete default VPCs")
    users = [item for item in scope.all_clusters() if item.vpc == vpc.id]
    for item in users:
        # The refusal counts as a read of the cluster, so the next attempt may find it deleted.
        if item.deleting:
            item.deleting.count_read()
    if users:
        raise wire.CloudError(403, code="forbidden", reason="Can not delete VPC with members")
    scope.state.vpcs.remove(vpc)


def members(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/vpcs/{id}/members`` with clusters and their droplets."""
    vpc = scope.vpc(request.parts["id"])
    kind = request.query.get("resource_type", "")
    items = [item for item in _members(scope, vpc) if kind in ("", item["urn"].split(":")[1])]
    return paging.page(request, "members", items)


def _members(scope: scopes.Scope, vpc: records.Vpc) -> list[dict[str, Any]]:
    members = []
    for cluster in scope.all_clusters():
        if cluster.vpc == vpc.id:
            members.append(_member("kubernetes", cluster.id, cluster.name, cluster.created))
            nodes = [node for pool in cluster.pools for node in pool.nodes]
            members += [_member("droplet", str(node.droplet), node.name, node.created) for node in nodes]
    return members


def _member(kind: str, key: str, name: str, created: float) -> dict[str, Any]:
    return {"urn": f"do:{kind}:{key}", "name": name, "created_at": clock.rfc3339(created)}


def _view(vpc: records.Vpc) -> dict[str, Any]:
    return {
        "id": vpc.id,
        "urn": f"do:vpc:{vpc.id}",
        "name": vpc.name,
        "description": vpc.description,
        "region": vpc.region,
        "ip_range": vpc.ip_range,
        "created_at": clock.rfc3339(vpc.created),
        "default": vpc.default,
    }


def _name(scope: scopes.Scope, name: str) -> str:
    if not NAME.match(name):
        raise scopes.invalid(f"{name!r} is not a name for a VPC: only letters, digits, dashes and periods")
    if any(item.name == name for item in scope.vpcs()):
        raise scopes.invalid(f"There is a VPC named {name!r} already")
    return name


def _description(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION:
        raise scopes.invalid(f"description must have at most {LONGEST_DESCRIPTION} characters")
    return text


def _range(scope: scopes.Scope, text: str) -> str:
    if not text:
        return scopes.free_range(scope.vpcs())
    requested = scopes.network(text)
    if not LARGEST <= requested.prefixlen <= SMALLEST:
        raise scopes.invalid(f"ip_range must not be larger than /{LARGEST} nor smaller than /{SMALLEST}")
    other = next((item for item in scope.vpcs() if scopes.network(item.ip_range).overlaps(requested)), None)
    if other:
        raise scopes.invalid(f"{text} overlaps with the range {other.ip_range} of the VPC {other.name}")
    return text
