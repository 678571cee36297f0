"""What the official plugin sends, and makes of the answers, for DigitalOcean's networks and firewalls."""

from __future__ import annotations

import typing

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.digitalocean import client as digitalocean_client
from planton_sandbox.providers.digitalocean import tables

VPCS = "/v2/vpcs"
_FIREWALLS = "/v2/firewalls"
_STILL_USED = (403, 409)
_LONGEST_DELETION = 120
_ALL_PORTS = "0"
_SIDES: typing.Final = (
    ("inboundRules", "inbound_rules", "sources", "source"),
    ("outboundRules", "outbound_rules", "destinations", "destination"),
)
_ENDS: typing.Final = {
    "addresses": "Addresses",
    "tags": "Tags",
    "droplet_ids": "DropletIds",
    "load_balancer_uids": "LoadBalancerUids",
    "kubernetes_ids": "KubernetesIds",
}


def vpc_facts(found: planning.State) -> planning.State:
    """Returns what both the resource and the function show of a network."""
    return {
        "name": found.get("name", ""),
        "region": found.get("region", ""),
        "description": found.get("description", ""),
        "ipRange": found.get("ip_range", ""),
        "default": bool(found.get("default")),
        "createdAt": values.go_time(found.get("created_at")),
    }


def _create_vpc(client: digitalocean_client.Client, data: planning.Data) -> None:
    optional = {"description": data.get("description"), "ip_range": data.get("ipRange")}
    body = {"name": data.get("name"), "region": data.get("region"), **digitalocean_client.compact(optional)}
    with client.locks[data.get("region")]:
        with digitalocean_client.explained("Error creating VPC: "):
            data.id = str(client.post(VPCS, body, "vpc")["id"])
        _read_vpc(client, data)


def _read_vpc(client: digitalocean_client.Client, data: planning.Data) -> None:
    found = digitalocean_client.look(data, "Error reading VPC: ", lambda: client.get(f"{VPCS}/{data.id}", "vpc"))
    if found is not None:
        data.id = str(found.get("id", ""))
        data.set(**vpc_facts(found), vpcUrn=found.get("urn", ""))


def _update_vpc(client: digitalocean_client.Client, data: planning.Data) -> None:
    if data.changed("name") or data.changed("description"):
        texts = digitalocean_client.compact({"name": data.get("name"), "description": data.get("description")})
        with digitalocean_client.explained("Error updating VPC : "):
            client.put(f"{VPCS}/{data.id}", {**texts, "default": bool(data.get("default"))}, "vpc")
    _read_vpc(client, data)


def _delete_vpc(client: digitalocean_client.Client, data: planning.Data) -> None:
    """Bears for two minutes with a network that is still in use; without any answer the plugin dies."""
    refusals: list[digitalocean_client.CloudError] = []

    def attempt() -> str:
        try:
            client.send("DELETE", f"{VPCS}/{data.id}")
        except digitalocean_client.CloudError as error:
            if not error.status:
                raise sessions.Crash from error
            if error.status not in _STILL_USED:
                raise sessions.Fault(f"Error deleting VPC: {error}") from error
            refusals.append(error)
            return "used"
        return "deleted"

    try:
        waiting.await_state(
            client.patience,
            attempt,
            target="deleted",
            pending=("used",),
            delay=0,
            least=0.5,
            timeout=_LONGEST_DELETION,
        )
    except waiting.WaitError as error:
        raise sessions.Fault(str(refusals[-1])) from error


def _possible_rules(_client: digitalocean_client.Client, data: planning.Data) -> None:
    if not any(data.get(name) for name, *_ in _SIDES):
        raise sessions.Fault("At least one rule must be specified")
    for name, wire, *_ in _SIDES:
        for rule in data.get(name) or ():
            if rule.get("protocol") != "icmp" and values.is_empty(rule.get("portRange")):
                direction = wire.partition("_")[0]
                raise sessions.Fault(f"`port_range` of {direction} rules is required if protocol is `tcp` or `udp`")


def _firewall_body(data: planning.Data) -> planning.State:
    """Writes the whole firewall; what there is none of is null, but tags are a list."""
    body: planning.State = {"name": data.get("name")}
    for name, wire, ends, prefix in _SIDES:
        body[wire] = [_rule_body(rule, ends, prefix) for rule in data.get(name) or ()] or None
    return {**body, "droplet_ids": data.get("dropletIds") or None, "tags": data.get("tags") or []}


def _rule_body(rule: planning.State, ends: str, prefix: str) -> planning.State:
    other = {key: values.known_or_null(rule.get(prefix + name)) for key, name in _ENDS.items()}
    parts = {"protocol": rule.get("protocol"), "ports": rule.get("portRange")}
    return {**digitalocean_client.compact(parts), ends: digitalocean_client.compact(other)}


def _rule_state(rule: planning.State, ends: str, prefix: str) -> planning.State:
    """Turns a rule of the cloud into one of a state; the cloud writes 0 for all ports, and for none."""
    ports = rule.get("ports") or ""
    if ports == _ALL_PORTS:
        ports = "" if rule.get("protocol") == "icmp" else "all"
    other = rule.get(ends) or {}
    return {
        "protocol": rule.get("protocol", ""),
        "portRange": ports,
        **{prefix + name: other.get(key) or [] for key, name in _ENDS.items()},
    }


def _firewall_facts(found: planning.State) -> planning.State:
    changes = found.get("pending_changes") or ()
    rules = {name: [_rule_state(rule, ends, prefix) for rule in found.get(wire) or ()] for name, wire, ends, prefix in _SIDES}
    return {
        **rules,
        "name": found.get("name", ""),
        "status": found.get("status", ""),
        "createdAt": found.get("created_at", ""),
        "dropletIds": found.get("droplet_ids") or [],
        "tags": found.get("tags") or [],
        "pendingChanges": [
            {
                "dropletId": change.get("droplet_id", 0),
                "removing": bool(change.get("removing")),
                "status": change.get("status", ""),
            }
            for change in changes
        ],
    }


def read_firewall(client: digitalocean_client.Client, data: planning.Data) -> None:
    """Reads a firewall, for the resource and for the function.

    Raises:
        Fault: The cloud refused.
    """
    path = f"{_FIREWALLS}/{data.id}"
    found = digitalocean_client.look(data, "Error retrieving firewall: ", lambda: client.get(path, "firewall"))
    if found is not None:
        data.set(**_firewall_facts(found))


def _create_firewall(client: digitalocean_client.Client, data: planning.Data) -> None:
    with digitalocean_client.explained("Error creating firewall: "):
        data.id = str(client.post(_FIREWALLS, _firewall_body(data), "firewall")["id"])
    read_firewall(client, data)


def _update_firewall(client: digitalocean_client.Client, data: planning.Data) -> None:
    with digitalocean_client.explained("Error updating firewall: "):
        client.put(f"{_FIREWALLS}/{data.id}", _firewall_body(data), "firewall")
    read_firewall(client, data)


def _delete_firewall(client: digitalocean_client.Client, data: planning.Data) -> None:
    try:
        client.send("DELETE", f"{_FIREWALLS}/{data.id}")
    except digitalocean_client.CloudError as error:
        if "404 Not Found" in str(error):  # which takes a cloud that says so in its message
            return
        raise sessions.Fault(f"Error deleting firewall: {error}") from error


VPC = package.Resource(
    table=tables.VPC,
    create=_create_vpc,
    read=_read_vpc,
    update=_update_vpc,
    delete=_delete_vpc,
    timeouts={"delete": _LONGEST_DELETION},
)
FIREWALL = package.Resource(
    table=tables.FIREWALL,
    create=_create_firewall,
    read=read_firewall,
    update=_update_firewall,
    delete=_delete_firewall,
    customize=_possible_rules,
    timeouts={},
)
