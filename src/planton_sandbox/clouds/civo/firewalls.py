"""Firewalls and their rules on the simulated Civo.

A firewall is not deleted while a cluster uses it. `admits` also opens and closes the clusters' Kubernetes APIs.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.civo import quota, records, scopes


def listing(scope: scopes.Scope, _request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET /v2/firewalls``."""
    return [view(scope.state, item) for item in scope.firewalls()]


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/firewalls/{id}``."""
    return view(scope.state, scope.firewall(request.parts["id"]))


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/firewalls``; a request without rules opens everything, unless it says ``create_rules: false``."""
    body = request.body
    name = str(body.get("name") or "")
    _check_name(scope, name)
    network = scope.network(body["network_id"]) if body.get("network_id") else scope.default_network()
    requested = [_rule(item) for item in body.get("rules") or []]
    rules = requested if requested or body.get("create_rules") is False else scopes.default_rules()
    quota.require(scope, [{"security_group": 1, "security_group_rule": len(rules)}])
    firewall = records.Firewall(
        id=scopes.new_id(),
        account=scope.account.id,
        region=scope.region,
        network=network.id,
        name=name,
        hidden=name == f"{network.label}-default" and not requested,
        rules=rules,
    )
    scope.state.firewalls.append(firewall)
    return {"id": firewall.id, "name": name, **scopes.SUCCESS}


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT /v2/firewalls/{id}``, which renames the firewall."""
    firewall = scope.firewall(request.parts["id"])
    name = str(request.body.get("name") or firewall.name)
    if name != firewall.name:
        _check_name(scope, name)
        firewall.name = name
    return {"id": firewall.id, "name": name, **scopes.SUCCESS}


def delete(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE /v2/firewalls/{id}``."""
    firewall = scope.firewall(request.parts["id"])
    refuse_in_use(scope.state, firewall)
    scope.state.firewalls.remove(firewall)
    return dict(scopes.SUCCESS)


def refuse_in_use(state: records.State, firewall: records.Firewall) -> None:
    """Raises a conflict if a cluster uses the firewall."""
    users = [item for item in state.clusters if item.firewall == firewall.id]
    if users:
        for item in users:
            # The refusal counts as a read of the cluster, so the next attempt may find it deleted.
            if item.deleting:
                item.deleting.count_read()
        names = ", ".join(item.name for item in users)
        raise wire.CloudError(
            409,
            code="database_firewall_inuse_by_cluster",
            reason=f"The firewall {firewall.name} cannot be deleted while clusters use it: {names}",
        )


def list_rules(scope: scopes.Scope, request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET /v2/firewalls/{id}/rules``."""
    firewall = scope.firewall(request.parts["id"])
    return [_rule_view(firewall, item) for item in firewall.rules]


def create_rule(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/firewalls/{id}/rules``."""
    firewall = scope.firewall(request.parts["id"])
    quota.require(scope, [{"security_group_rule": 1}])
    rule = _rule(request.body)
    firewall.rules.append(rule)
    return _rule_view(firewall, rule)


def delete_rule(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE /v2/firewalls/{id}/rules/{rule}``."""
    firewall = scope.firewall(request.parts["id"])
    rule = next((item for item in firewall.rules if item.id == request.parts["rule"]), None)
    if rule is None:
        raise wire.CloudError(404, code="database_firewall_rules_find", reason="No such rule in this firewall")
    firewall.rules.remove(rule)
    return dict(scopes.SUCCESS)


def view(state: records.State, firewall: records.Firewall) -> dict[str, Any]:
    """Returns a firewall as clients see it."""
    return {
        "id": firewall.id,
        "name": firewall.name,
        "network_id": firewall.network,
        "rules_count": len(firewall.rules),
        "instance_count": 0,
        "loadbalancer_count": 0,
        "cluster_count": sum(item.firewall == firewall.id for item in state.clusters),
        "rules": [_rule_view(firewall, item) for item in firewall.rules],
    }


def admits(firewall: records.Firewall, *, port: int, client: str) -> bool:
    """Returns whether the firewall lets ``client`` (an address) reach a TCP port.

    An ingress rule must allow it and none may deny it. An invalid range matches no client.
    """
    verdicts = [
        rule.action
        for rule in firewall.rules
        if rule.direction == "ingress"
        and rule.protocol.lower() == "tcp"
        and _covers(rule, port=port)
        and any(_contains(cidr, client) for cidr in rule.cidr)
    ]
    return "allow" in verdicts and "deny" not in verdicts


def _covers(rule: records.Rule, *, port: int) -> bool:
    try:
        first = int(rule.start_port or 0)
        return first <= port <= int(rule.end_port or first)
    except ValueError:
        return False


def _contains(cidr: str, client: str) -> bool:
    try:
        return ipaddress.ip_address(client) in ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False


def _check_name(scope: scopes.Scope, name: str) -> None:
    if not name:
        raise wire.CloudError(400, code="parameter_name_invalid", reason="The name must not be empty")
    if any(item.name == name for item in scope.firewalls()):
        raise wire.CloudError(409, code="database_firewall_duplicate_name", reason=f"A firewall named {name!r} already exists")


def _rule(body: Mapping[str, Any]) -> records.Rule:
    ports = str(body.get("ports") or "")
    start, end = str(body.get("start_port") or ""), str(body.get("end_port") or "")
    if ports:
        start, _, end = ports.partition("-")
        end = end or start
    elif start:
        end = end or start
        ports = start if start == end else f"{start}-{end}"
    protocol = str(body.get("protocol") or "tcp")
    rule = records.Rule(
        id=scopes.new_id(),
        protocol=protocol,
        ports=ports,
        start_port=start,
        end_port=end,
        cidr=_cidrs(body.get("cidr")),
        direction=str(body.get("direction") or "ingress"),
        action=str(body.get("action") or "allow"),
        label=str(body.get("label") or ""),
    )
    _check_rule(rule)
    return rule


def _cidrs(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list) and value else ["0.0.0.0/0"]


def _check_rule(rule: records.Rule) -> None:
    problem = ""
    if rule.protocol.lower() not in ("tcp", "udp", "icmp"):
        problem = f"protocol {rule.protocol!r} is not tcp, udp or icmp"
    elif rule.direction not in ("ingress", "egress"):
        problem = f"direction {rule.direction!r} is not ingress or egress"
    elif rule.action not in ("allow", "deny"):
        problem = f"action {rule.action!r} is not allow or deny"
    elif rule.protocol.lower() != "icmp" and not _ports_valid(rule):
        problem = f"ports {rule.ports!r} are not a port or a range of ports from 1 to 65535"
    if problem:
        raise wire.CloudError(400, code="database_firewall_rules_invalid_params", reason=problem)


def _ports_valid(rule: records.Rule) -> bool:
    if not (rule.start_port.isdigit() and rule.end_port.isdigit()):
        return False
    return 1 <= int(rule.start_port) <= int(rule.end_port) <= 65535  # noqa: PLR2004 - the last port


def _rule_view(firewall: records.Firewall, rule: records.Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "firewall_id": firewall.id,
        "protocol": rule.protocol,
        "start_port": rule.start_port,
        "end_port": rule.end_port,
        "ports": rule.ports,
        "cidr": list(rule.cidr),
        "direction": rule.direction,
        "action": rule.action,
        "label": rule.label,
    }
