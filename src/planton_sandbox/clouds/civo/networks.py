"""Networks of the simulated Civo.

Deleting a network deletes the hidden firewall that clients create with it. A network with a cluster, a volume or another
firewall cannot be deleted.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import catalogue, quota, records, scopes


def listing(scope: scopes.Scope, _request: wire.Request) -> list[dict[str, Any]]:
    """Answers ``GET /v2/networks``."""
    return [_seen(item) for item in scope.networks()]


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/networks/{id}``."""
    return _seen(scope.network(request.parts["id"]))


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/networks``."""
    label = str(request.body.get("label") or "")
    _check_label(scope, label)
    quota.require(scope, [{"network_count": 1, "subnet_count": 1}])
    key = scopes.new_id()
    network = records.Network(
        id=key,
        account=scope.account.id,
        region=scope.region,
        label=label,
        name=f"cust-{label}-{key[:8]}",
        default=False,
        cidr=_cidr(str(request.body.get("cidr_v4") or "")) or scopes.free_cidr(scope),
        nameservers=[str(item) for item in request.body.get("nameservers_v4") or ["8.8.8.8", "1.1.1.1"]],
        created=scope.now,
        building=scope.pace.timer(scope.now, seconds=catalogue.NETWORK_SECONDS),
    )
    scope.state.networks.append(network)
    return {"id": network.id, "label": label, **scopes.SUCCESS}


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT /v2/networks/{id}``, which changes the label and the name servers."""
    network = scope.network(request.parts["id"])
    label = str(request.body.get("label") or network.label)
    if label != network.label:
        _check_label(scope, label)
        network.label = label
    if request.body.get("nameservers_v4") is not None:
        network.nameservers = [str(item) for item in request.body["nameservers_v4"]]
    return {"id": network.id, "label": label, **scopes.SUCCESS}


def delete(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE /v2/networks/{id}``; a repeated request succeeds while the deletion is in progress."""
    network = scope.network(request.parts["id"])
    if network.default:
        raise wire.CloudError(400, code="network_delete_default", reason="The default network cannot be deleted")
    refuse_in_use(scope.state, network)
    if network.deleting is None:
        remove(scope.state, network, pace=scope.pace, now=scope.now)
    return dict(scopes.SUCCESS)


def refuse_in_use(state: records.State, network: records.Network) -> None:
    """Raises a conflict if the network has a cluster, a volume or a visible firewall."""
    users = [item for item in state.clusters if item.network == network.id]
    if users:
        for item in users:
            # The refusal counts as a read of the cluster, so the next attempt may find it deleted.
            if item.deleting:
                item.deleting.count_read()
        raise wire.CloudError(
            409,
            code="database_network_delete_with_instance",
            reason=f"The network {network.label} cannot be deleted while Kubernetes clusters use it",
        )
    volumes = [item.name for item in state.associated if item.network == network.id and item.sort == "volumes"]
    if volumes:
        raise wire.CloudError(
            409,
            code="database_network_inuse_by_volumes",
            reason=f"The network {network.label} cannot be deleted while volumes are in it: {', '.join(volumes)}",
        )
    names = [item.name for item in state.firewalls if item.network == network.id and not item.hidden]
    if names:
        raise wire.CloudError(
            409,
            code="database_network_inuse_by_firewalls",
            reason=f"The network {network.label} cannot be deleted while firewalls are in it: {', '.join(names)}",
        )


def remove(state: records.State, network: records.Network, *, pace: clock.Pace, now: float) -> None:
    """Begins to delete a network; in instant latency it is deleted immediately."""
    if pace.latency == clock.REALISTIC:
        network.deleting = pace.timer(now, seconds=catalogue.NETWORK_DELETE_SECONDS)
    else:
        drop(state, network)


def drop(state: records.State, network: records.Network) -> None:
    """Removes a network and its firewalls from the state."""
    state.networks.remove(network)
    state.firewalls[:] = [item for item in state.firewalls if item.network != network.id]


def settle(state: records.State, *, now: float) -> bool:
    """Ends the changes that are due at ``now`` and returns whether there were any."""
    changed = False
    for network in list(state.networks):
        if network.building and network.building.is_over(now):
            network.building, changed = None, True
        if network.deleting and network.deleting.is_over(now):
            drop(state, network)
            changed = True
    return changed


def _seen(network: records.Network) -> dict[str, Any]:
    body = {
        "id": network.id,
        "name": network.name,
        "label": network.label,
        "default": network.default,
        "cidr": network.cidr,
        "nameservers_v4": list(network.nameservers),
        "status": _status(network),
        "ipv4_enabled": True,
        "ipv6_enabled": False,
        "vlan_id": 0,
        "gateway_ipv4": "",
        "allocation_pool_v4_start": "",
        "allocation_pool_v4_end": "",
    }
    if network.building:
        network.building.count_read()
    return body


def _status(network: records.Network) -> str:
    if network.deleting:
        return "Deleting"
    return "Building" if network.building else "Active"


def _check_label(scope: scopes.Scope, label: str) -> None:
    if not label or any(character.isspace() for character in label):
        raise wire.CloudError(400, code="parameter_label_invalid", reason="The label must not be empty or have spaces")
    if any(item.label == label for item in scope.networks()):
        raise wire.CloudError(409, code="database_network_exists", reason=f"A network with the label {label!r} already exists")


def _cidr(text: str) -> str:
    if not text:
        return ""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise wire.CloudError(400, code="database_network_create", reason=f"cidr_v4: {error}") from error
