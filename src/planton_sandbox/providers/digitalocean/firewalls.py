"""The requests of the official plugin for DigitalOcean's firewalls."""

from __future__ import annotations

import typing

from planton_sandbox.providers import package, planning, sessions, values
from planton_sandbox.providers.digitalocean import api, tables

_FIREWALLS = "/v2/firewalls"
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


def _check_rules(_client: api.Client, data: planning.Data) -> None:
    if not any(data.get(name) for name, *_ in _SIDES):
        raise sessions.Fault("At least one rule must be specified")
    for name, wire, *_ in _SIDES:
        for rule in data.get(name) or ():
            if rule.get("protocol") != "icmp" and values.is_empty(rule.get("portRange")):
                direction = wire.partition("_")[0]
                raise sessions.Fault(f"`port_range` of {direction} rules is required if protocol is `tcp` or `udp`")


def _firewall_body(data: planning.Data) -> planning.State:
    """Returns the body with the whole firewall; an empty list is null, except for tags."""
    body: planning.State = {"name": data.get("name")}
    for name, wire, ends, prefix in _SIDES:
        body[wire] = [_rule_body(rule, ends, prefix) for rule in data.get(name) or ()] or None
    return {**body, "droplet_ids": data.get("dropletIds") or None, "tags": data.get("tags") or []}


def _rule_body(rule: planning.State, ends: str, prefix: str) -> planning.State:
    other = {key: values.without_unknown(rule.get(prefix + name)) for key, name in _ENDS.items()}
    parts = {"protocol": rule.get("protocol"), "ports": rule.get("portRange")}
    return {**api.compact(parts), ends: api.compact(other)}


def _rule_state(rule: planning.State, ends: str, prefix: str) -> planning.State:
    """Converts the cloud's rule to a state's rule; in the cloud ``0`` stands for all ports and for none."""
    ports = rule.get("ports") or ""
    if ports == _ALL_PORTS:
        ports = "" if rule.get("protocol") == "icmp" else "all"
    other = rule.get(ends) or {}
    return {
        "protocol": rule.get("protocol", ""),
        "portRange": ports,
        **{prefix + name: other.get(key) or [] for key, name in _ENDS.items()},
    }


def _firewall_facts(firewall: planning.State) -> planning.State:
    changes = firewall.get("pending_changes") or ()
    rules = {name: [_rule_state(rule, ends, prefix) for rule in firewall.get(wire) or ()] for name, wire, ends, prefix in _SIDES}
    return {
        **rules,
        "name": firewall.get("name", ""),
        "status": firewall.get("status", ""),
        "createdAt": firewall.get("created_at", ""),
        "dropletIds": firewall.get("droplet_ids") or [],
        "tags": firewall.get("tags") or [],
        "pendingChanges": [
            {
                "dropletId": change.get("droplet_id", 0),
                "removing": bool(change.get("removing")),
                "status": change.get("status", ""),
            }
            for change in changes
        ],
    }


def read(client: api.Client, data: planning.Data) -> None:
    """Reads a firewall, for the resource and for the function.

    Raises:
        Fault: The cloud refused.
    """
    path = f"{_FIREWALLS}/{data.id}"
    firewall = api.look(data, "Error retrieving firewall: ", lambda: client.get(path, "firewall"))
    if firewall is not None:
        data.set(**_firewall_facts(firewall))


def _create_firewall(client: api.Client, data: planning.Data) -> None:
    with api.explained("Error creating firewall: "):
        data.id = str(client.post(_FIREWALLS, _firewall_body(data), "firewall")["id"])
    read(client, data)


def _update_firewall(client: api.Client, data: planning.Data) -> None:
    with api.explained("Error updating firewall: "):
        client.put(f"{_FIREWALLS}/{data.id}", _firewall_body(data), "firewall")
    read(client, data)


def _delete_firewall(client: api.Client, data: planning.Data) -> None:
    try:
        client.send("DELETE", f"{_FIREWALLS}/{data.id}")
    except api.CloudError as error:
        if "404 Not Found" in str(error):  # the plugin searches the message for this text
            return
        raise sessions.Fault(f"Error deleting firewall: {error}") from error


FIREWALL = package.Resource(
    table=tables.FIREWALL,
    create=_create_firewall,
    read=read,
    update=_update_firewall,
    delete=_delete_firewall,
    customize=_check_rules,
    timeouts={},
)
