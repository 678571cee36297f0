"""What the official plugin sends, and makes of the answers, for Civo's networks and firewalls."""

from __future__ import annotations

import json
import re
import typing

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.civo import client as civo_client
from planton_sandbox.providers.civo import tables

_NETWORKS = "/v2/networks"
_FIREWALLS = "/v2/firewalls"
_KEYS = ("name", "id")
_VLAN = {
    "vlan_id": "vlanId",
    "physical_interface": "vlanPhysicalInterface",
    "cidr_v4": "vlanCidrV4",
    "gateway_ipv4": "vlanGatewayIpV4",
    "allocation_pool_v4_start": "vlanAllocationPoolV4Start",
    "allocation_pool_v4_end": "vlanAllocationPoolV4End",
}


def default_network(client: civo_client.Client) -> str:
    """Returns the id of the account's default network.

    Raises:
        Fault: There is none, or the list cannot be had.
    """
    for network in client.get(_NETWORKS) or ():
        if network.get("default"):
            return str(network["id"])
    raise sessions.Fault("no default network found")


def find_firewall(client: civo_client.Client, wanted: str) -> dict[str, values.Json]:
    """Finds a firewall by id or name, or a part of one.

    Raises:
        CloudError: None or several match, or the list cannot be had.
    """
    return civo_client.find(client.get(_FIREWALLS) or [], wanted, keys=_KEYS)


def _network_body(client: civo_client.Client, **given: values.Json) -> dict[str, values.Json]:
    empty: dict[str, values.Json] = {
        "label": "",
        "default": "",
        "ipv4_enabled": None,
        "nameservers_v4": None,
        "cidr_v4": "",
        "ipv6_enabled": None,
        "nameservers_v6": None,
        "region": client.region,
    }
    return {**empty, **given}


def _immutable_range(_client: civo_client.Client, data: planning.Data) -> None:
    if data.id and data.changed("cidrV4"):
        raise sessions.Fault("the 'cidr_v4' field is immutable")


def _create_network(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    label = data.get("label")
    body = _network_body(client, label=label, cidr_v4=data.get("cidrV4") or "", nameservers_v4=data.get("nameserversV4s") or None)
    if data.get("vlanId"):
        vlan = {key: data.get(name) or "" for key, name in _VLAN.items()}
        body["vlan_connect"] = {key: value for key, value in vlan.items() if value or key != "physical_interface"}
    try:
        network = client.post(_NETWORKS, body)
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to create network: {_unwrapped(error)}") from error
    data.id = str(network["id"])
    hidden = {"name": f"{network.get('label', '')}-default", "region": client.region, "network_id": data.id}
    try:
        client.post(_FIREWALLS, hidden)
    except civo_client.CloudError as error:
        failed = f"[ERR] failed to create a new firewall for the network {label}: {error}"
        raise sessions.Fault(failed) from error
    _read_network(client, data)


def _unwrapped(error: civo_client.CloudError) -> str:
    """Shows just code and reason where the error's text contains the cloud's answer."""
    found = re.search(r"\{.*\}", str(error))
    try:
        answer = json.loads(found[0]) if found else None
    except ValueError:
        answer = None
    return f"{answer.get('code', '')} - {answer.get('reason', '')}" if isinstance(answer, dict) else str(error)


def _read_network(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        networks = client.get(_NETWORKS) or ()
    except civo_client.CloudError:
        data.id = ""
        return
    # A network that is not in the list reads as empty: so does the official plugin.
    found: planning.State = next((network for network in networks if network.get("id") == data.id), {})
    data.set(
        name=found.get("name", ""),
        region=client.region,
        label=found.get("label", ""),
        default=bool(found.get("default")),
        cidrV4=found.get("cidr", ""),
        nameserversV4s=found.get("nameservers_v4") or [],
    )


def _update_network(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    path = f"{_NETWORKS}/{data.id}"
    if data.changed("label"):
        try:
            client.put(path, _network_body(client, label=data.get("label")))
        except civo_client.CloudError as error:
            raise sessions.Fault(f"[ERR] An error occurred while renaming the network {data.id}") from error
    if data.changed("nameserversV4s"):
        try:
            client.put(path, _network_body(client, nameservers_v4=data.get("nameserversV4s") or None))
        except civo_client.CloudError as error:
            doing = f"updating the nameservers for the network {data.id}"
            raise sessions.Fault(f"[ERR] An error occurred while {doing}: {error}") from error
    _read_network(client, data)


def _delete_network(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    path = f"{_NETWORKS}/{data.id}"

    def attempt() -> str:
        if client.delete(path).get("result") != "success":
            return "exists"
        try:
            client.get(path)
        except civo_client.CloudError as error:
            if error.code == "database_network_not_found":
                return "deleted"
            raise
        return "deleting"

    try:
        pending = ("deleting", "exists")
        waiting.await_state(client.patience, attempt, target="deleted", pending=pending, delay=5, least=3)
    except sessions.Fault as fault:
        raise sessions.Fault(f"error waiting for network ({data.id}) to be deleted: {fault}") from fault


def _possible_rules(_client: civo_client.Client, data: planning.Data) -> None:
    directions = {name: data.get(f"{name}Rules") or [] for name in ("ingress", "egress")}
    if data.changed("createDefaultRules") and data.get("createDefaultRules") and any(directions.values()):
        conflict = "create_default_rules can't be true when ingress_rule or egress_rule is specified"
        raise sessions.Fault(conflict)
    for direction, rules in directions.items():
        for rule in rules:
            if rule.get("protocol") != "icmp" and values.is_empty(rule.get("portRange")):
                raise sessions.Fault(f"ports of {direction} rules is required if protocol is tcp or udp")


def _rule_body(rule: dict[str, values.Json], direction: str) -> dict[str, values.Json]:
    body: dict[str, values.Json] = {
        "protocol": rule.get("protocol") or "",
        "start_port": "",
        "end_port": "",
        "cidr": rule.get("cidrs") or [],
        "direction": direction,
        "action": rule.get("action") or "",
    }
    optional = {"label": rule.get("label"), "ports": rule.get("portRange")}
    return {**body, **civo_client.compact(optional)}


def _create_firewall(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    ingress, egress = data.get("ingressRules") or [], data.get("egressRules") or []
    if not data.get("createDefaultRules") and not ingress and not egress:
        need = "if you set create_default_rules to false you need to define at least one ingress or egress rule"
        raise sessions.Fault(need)
    try:
        network = data.get("networkId") or default_network(client)
    except sessions.Fault as fault:
        building = "[ERR] an error occurred while trying to build the firewall request"
        raise sessions.Fault(f"{building}, [ERR] failed to get the default network: {fault}") from fault
    name = data.get("name")
    rules = [_rule_body(rule, "ingress") for rule in ingress] + [_rule_body(rule, "egress") for rule in egress]
    body = {
        "name": name,
        "region": client.region,
        "network_id": network,
        "create_rules": bool(data.get("createDefaultRules")),
        **civo_client.compact({"rules": rules}),
    }
    _until_success(client, lambda: client.post(_FIREWALLS, body), f"create {name}")
    try:
        data.id = str(find_firewall(client, name)["id"])
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] error retrieving firewall: {name}, err: {error}") from error
    _read_firewall(client, data)


def _until_success(client: civo_client.Client, attempt: typing.Callable[[], values.Json], what: str) -> None:
    """Repeats an attempt until the cloud calls it a success, which here is also how creations are repeated."""
    verb, name = what.split(" ", 1)
    try:
        waiting.await_state(
            client.patience,
            lambda: str(attempt().get("result", "")),
            target="success",
            pending=("failed",),
            delay=3,
            least=3,
        )
    except sessions.Fault as fault:
        created = f"[ERR] failed to create a new firewall: {name}, err: {fault}"
        deleted = f"error waiting for firewall ({name}) to be deleted: {fault}"
        raise sessions.Fault(created if verb == "create" else deleted) from fault


def _read_firewall(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        found = find_firewall(client, data.id)
    except civo_client.CloudError:
        data.id = ""
        return
    data.set(
        name=found.get("name", ""),
        networkId=found.get("network_id", ""),
        region=client.region,
        createDefaultRules=bool(data.get("createDefaultRules")),
    )
    rules = found.get("rules") or []
    for direction, name in (("ingress", "ingressRules"), ("egress", "egressRules")):
        # The last rule of a direction that goes leaves the state as it was: so does the official plugin.
        mine = [_rule_state(rule) for rule in rules if (rule.get("direction") == "ingress") == (direction == "ingress")]
        if mine:
            data.set(**{name: mine})


def _rule_state(rule: dict[str, values.Json]) -> dict[str, values.Json]:
    return {
        "id": rule.get("id", ""),
        "label": rule.get("label", ""),
        "protocol": rule.get("protocol", ""),
        "portRange": rule.get("ports", ""),
        "action": rule.get("action", ""),
        "cidrs": rule.get("cidr") or [],
    }


def _update_firewall(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    if data.changed("name") and data.get("name"):
        body = {"name": data.get("name"), "region": client.region, "network_id": ""}
        try:
            client.put(f"{_FIREWALLS}/{data.id}", body)
        except civo_client.CloudError as error:
            doing = f"an error occurred while trying to rename the firewall {data.id}"
            raise sessions.Fault(f"[WARN] {doing}, {error}") from error
    if data.changed("ingressRules") or data.changed("egressRules"):
        _replace_rules(client, data)
    _read_firewall(client, data)


def _replace_rules(client: civo_client.Client, data: planning.Data) -> None:
    path = f"{_FIREWALLS}/{data.id}/rules"
    planned = {"ingress": data.get("ingressRules") or [], "egress": data.get("egressRules") or []}
    kept = {rule.get("id") for rules in planned.values() for rule in rules}
    try:
        present = client.get(path) or ()
    except civo_client.CloudError as error:
        failed = f"[ERR] an error occurred while trying to list the firewall rules, {error}"
        raise sessions.Fault(failed) from error
    for rule in present:
        if rule.get("id") not in kept:
            direction = "ingress" if rule.get("direction") == "ingress" else "egress"
            try:
                client.delete(f"{path}/{rule['id']}")
            except civo_client.CloudError as error:
                doing = f"an error occurred while trying to delete the {direction} rule {rule['id']}"
                raise sessions.Fault(f"[WARN] {doing}, {error}") from error
    for direction, rules in planned.items():
        for rule in (rule for rule in rules if rule.get("id") in (None, "", values.UNKNOWN)):
            body = {"firewall_id": data.id, "region": client.region, **_rule_body(rule, direction)}
            try:
                client.post(path, body)
            except civo_client.CloudError as error:
                doing = f"an error occurred while trying to create the {direction} rule {body.get('label', '')}"
                raise sessions.Fault(f"[WARN] {doing}, {error}") from error


def _delete_firewall(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        find_firewall(client, data.id)
    except civo_client.CloudError:
        return  # taken for gone, whatever the error was
    _until_success(client, lambda: client.delete(f"{_FIREWALLS}/{data.id}"), f"delete {data.id}")


NETWORK = package.Resource(
    table=tables.NETWORK,
    create=_create_network,
    read=_read_network,
    update=_update_network,
    delete=_delete_network,
    customize=_immutable_range,
)
FIREWALL = package.Resource(
    table=tables.FIREWALL,
    create=_create_firewall,
    read=_read_firewall,
    update=_update_firewall,
    delete=_delete_firewall,
    customize=_possible_rules,
)
