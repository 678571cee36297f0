"""Firewalls of the simulated DigitalOcean.

They protect droplets, not control planes. Nothing that the sandbox shows depends on their rules.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.digitalocean import droplets, paging, records, scopes, tags

NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9.-]+$")
PROTOCOLS = ("tcp", "udp", "icmp")
PEERS = ("addresses", "tags", "droplet_ids", "load_balancer_uids", "kubernetes_ids")
_PORTS = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")
_LAST_PORT = 65535
_ALL = "0"


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/firewalls``."""
    return paging.page(request, "firewalls", [_view(item) for item in scope.firewalls()])


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/firewalls/{id}``."""
    return {"firewall": _view(scope.firewall(request.parts["id"]))}


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/firewalls``, which needs at least one rule."""
    firewall = records.Firewall(id=scopes.new_id(), account=scope.account.id, name="", created=scope.now)
    _fill(scope, firewall, request.body)
    scope.state.firewalls.append(firewall)
    return {"firewall": _view(firewall)}


def replace(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT /v2/firewalls/{id}``, which replaces the whole firewall."""
    firewall = scope.firewall(request.parts["id"])
    _fill(scope, firewall, request.body)
    return {"firewall": _view(firewall)}


def delete(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE /v2/firewalls/{id}``."""
    scope.state.firewalls.remove(scope.firewall(request.parts["id"]))


def add_rules(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``POST .../rules``; an existing rule is not added again."""
    firewall = scope.firewall(request.parts["id"])
    inbound, outbound = _rules(scope, request.body)
    firewall.inbound += [item for item in inbound if item not in firewall.inbound]
    firewall.outbound += [item for item in outbound if item not in firewall.outbound]


def remove_rules(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE .../rules``; at least one rule must remain."""
    firewall = scope.firewall(request.parts["id"])
    inbound, outbound = _rules(scope, request.body)
    remaining = (
        [item for item in firewall.inbound if item not in inbound],
        [item for item in firewall.outbound if item not in outbound],
    )
    _require_rule(*remaining)
    firewall.inbound, firewall.outbound = remaining


def add_tags(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``POST .../tags``."""
    firewall = scope.firewall(request.parts["id"])
    firewall.tags = tags.existing(scope, [*firewall.tags, *request.body["tags"]])


def remove_tags(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE .../tags``."""
    firewall = scope.firewall(request.parts["id"])
    firewall.tags = [item for item in firewall.tags if item not in request.body["tags"]]


def add_droplets(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``POST .../droplets``."""
    firewall = scope.firewall(request.parts["id"])
    firewall.droplets = droplets.existing(scope, [*firewall.droplets, *request.body["droplet_ids"]])


def remove_droplets(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE .../droplets``."""
    firewall = scope.firewall(request.parts["id"])
    firewall.droplets = [item for item in firewall.droplets if item not in request.body["droplet_ids"]]


def _fill(scope: scopes.Scope, firewall: records.Firewall, body: Mapping[str, Any]) -> None:
    name = str(body.get("name") or "")
    if not NAME.match(name):
        raise scopes.invalid(f"{name!r} is not a name for a firewall")
    if any(item.name == name and item is not firewall for item in scope.firewalls()):
        raise wire.CloudError(409, code="conflict", reason=f"There is a firewall named {name!r} already")
    inbound, outbound = _rules(scope, body)
    _require_rule(inbound, outbound)
    droplet_ids = droplets.existing(scope, body.get("droplet_ids") or [])
    firewall.tags = tags.existing(scope, body.get("tags") or [])
    firewall.name, firewall.inbound, firewall.outbound, firewall.droplets = name, inbound, outbound, droplet_ids


def _require_rule(inbound: list[records.Rule], outbound: list[records.Rule]) -> None:
    if not inbound and not outbound:
        raise scopes.invalid("A firewall must have at least one inbound or outbound rule")


def _rules(scope: scopes.Scope, body: Mapping[str, Any]) -> tuple[list[records.Rule], list[records.Rule]]:
    inbound = [_rule(scope, item, peers="sources") for item in body.get("inbound_rules") or []]
    outbound = [_rule(scope, item, peers="destinations") for item in body.get("outbound_rules") or []]
    return inbound, outbound


def _rule(scope: scopes.Scope, body: Mapping[str, Any], *, peers: str) -> records.Rule:
    protocol = str(body.get("protocol") or "")
    if protocol not in PROTOCOLS:
        raise scopes.invalid(f"protocol must be one of {', '.join(PROTOCOLS)}")
    named_peers = {name: list(items) for name, items in (body.get(peers) or {}).items() if items and name in PEERS}
    if not named_peers:
        raise scopes.invalid(f"A rule must have {peers}")
    for item in named_peers.get("addresses", []):
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError as error:
            raise scopes.invalid(f"addresses: {error}") from error
    if "tags" in named_peers:
        named_peers["tags"] = tags.existing(scope, named_peers["tags"])
    return records.Rule(protocol=protocol, ports=_ports(protocol, str(body.get("ports") or "")), peers=named_peers)


def _ports(protocol: str, text: str) -> str:
    """Returns ports in the cloud's format, where ``0`` stands for all ports and for a protocol without ports."""
    if protocol == "icmp" or text in ("all", _ALL):
        return _ALL
    matched = _PORTS.match(text)
    if matched is None or not 1 <= int(matched[1]) <= int(matched[2] or matched[1]) <= _LAST_PORT:
        raise scopes.invalid(f"{text!r} is not a port or a range of ports from 1 to {_LAST_PORT}")
    return text


def _view(firewall: records.Firewall) -> dict[str, Any]:
    return {
        "id": firewall.id,
        "name": firewall.name,
        "status": "succeeded",
        "inbound_rules": [_rule_view(item, peers="sources") for item in firewall.inbound],
        "outbound_rules": [_rule_view(item, peers="destinations") for item in firewall.outbound],
        "created_at": clock.rfc3339(firewall.created),
        "droplet_ids": list(firewall.droplets),
        "tags": list(firewall.tags),
        "pending_changes": [],
    }


def _rule_view(rule: records.Rule, *, peers: str) -> dict[str, Any]:
    return {"protocol": rule.protocol, "ports": rule.ports, peers: dict(rule.peers)}
