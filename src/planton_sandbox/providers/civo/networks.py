"""The requests of the official plugin for Civo's networks."""

from __future__ import annotations

import json
import re

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.civo import api, tables

_DELETED = waiting.Target(state="deleted", pending=("deleting", "exists"), delay=5, shortest=3)
_VLAN = {
    "vlan_id": "vlanId",
    "physical_interface": "vlanPhysicalInterface",
    "cidr_v4": "vlanCidrV4",
    "gateway_ipv4": "vlanGatewayIpV4",
    "allocation_pool_v4_start": "vlanAllocationPoolV4Start",
    "allocation_pool_v4_end": "vlanAllocationPoolV4End",
}


def default_network(client: api.Client) -> str:
    """Returns the id of the account's default network.

    Raises:
        Fault: There is none, or the cloud refused the list.
    """
    for network in client.get(api.NETWORKS) or ():
        if network.get("default"):
            return str(network["id"])
    raise sessions.Fault("no default network found")


def _network_body(client: api.Client, **fields: values.Json) -> dict[str, values.Json]:
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
    return {**empty, **fields}


def _immutable_range(_client: api.Client, data: planning.Data) -> None:
    if data.id and data.changed("cidrV4"):
        raise sessions.Fault("the 'cidr_v4' field is immutable")


def _create_network(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    label = data.get("label")
    body = _network_body(client, label=label, cidr_v4=data.get("cidrV4") or "", nameservers_v4=data.get("nameserversV4s") or None)
    if data.get("vlanId"):
        vlan = {key: data.get(name) or "" for key, name in _VLAN.items()}
        body["vlan_connect"] = {key: value for key, value in vlan.items() if value or key != "physical_interface"}
    try:
        network = client.post(api.NETWORKS, body)
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to create network: {_unwrapped(error)}") from error
    data.id = str(network["id"])
    hidden = {"name": f"{network.get('label', '')}-default", "region": client.region, "network_id": data.id}
    try:
        client.post(api.FIREWALLS, hidden)
    except api.CloudError as error:
        text = f"[ERR] failed to create a new firewall for the network {label}: {error}"
        raise sessions.Fault(text) from error
    _read_network(client, data)


def _unwrapped(error: api.CloudError) -> str:
    """Returns code and reason only, if the error's text contains the cloud's answer."""
    matched = re.search(r"\{.*\}", str(error))
    try:
        answer = json.loads(matched[0]) if matched else None
    except ValueError:
        answer = None
    return f"{answer.get('code', '')} - {answer.get('reason', '')}" if isinstance(answer, dict) else str(error)


def _read_network(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        networks = client.get(api.NETWORKS) or ()
    except api.CloudError:
        data.id = ""
        return
    # A network that is missing from the list reads as empty: the official plugin does the same.
    shown: planning.State = next((network for network in networks if network.get("id") == data.id), {})
    data.set(
        name=shown.get("name", ""),
        region=client.region,
        label=shown.get("label", ""),
        default=bool(shown.get("default")),
        cidrV4=shown.get("cidr", ""),
        nameserversV4s=shown.get("nameservers_v4") or [],
    )


def _update_network(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    path = f"{api.NETWORKS}/{data.id}"
    if data.changed("label"):
        try:
            client.put(path, _network_body(client, label=data.get("label")))
        except api.CloudError as error:
            raise sessions.Fault(f"[ERR] An error occurred while renaming the network {data.id}") from error
    if data.changed("nameserversV4s"):
        try:
            client.put(path, _network_body(client, nameservers_v4=data.get("nameserversV4s") or None))
        except api.CloudError as error:
            action = f"updating the nameservers for the network {data.id}"
            raise sessions.Fault(f"[ERR] An error occurred while {action}: {error}") from error
    _read_network(client, data)


def _delete_network(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    path = f"{api.NETWORKS}/{data.id}"

    def attempt() -> str:
        if client.delete(path).get("result") != "success":
            return "exists"
        try:
            client.get(path)
        except api.CloudError as error:
            if error.code == "database_network_not_found":
                return "deleted"
            raise
        return "deleting"

    try:
        waiting.await_state(client.timing, attempt, _DELETED)
    except sessions.Fault as fault:
        raise sessions.Fault(f"error waiting for network ({data.id}) to be deleted: {fault}") from fault


NETWORK = package.Resource(
    table=tables.NETWORK,
    create=_create_network,
    read=_read_network,
    update=_update_network,
    delete=_delete_network,
    customize=_immutable_range,
)
