"""The requests of the official plugin for Civo's firewalls."""

from __future__ import annotations

import typing

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.civo import api, networks, tables

_SUCCESS = waiting.Target(state="success", pending=("failed",), delay=3, shortest=3)


def find(client: api.Client, key: str) -> dict[str, values.Json]:
    """Returns the firewall with this id or name, or a part of one.

    Raises:
        CloudError: No firewall or several firewalls match, or the cloud refused the list.
    """
    return api.find(client.get(api.FIREWALLS) or [], key, keys=("name", "id"))


def _check_rules(_client: api.Client, data: planning.Data) -> None:
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
    return {**body, **api.compact(optional)}


def _create_firewall(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    ingress, egress = data.get("ingressRules") or [], data.get("egressRules") or []
    if not data.get("createDefaultRules") and not ingress and not egress:
        need = "if you set create_default_rules to false you need to define at least one ingress or egress rule"
        raise sessions.Fault(need)
    try:
        network = data.get("networkId") or networks.default_network(client)
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
        **api.compact({"rules": rules}),
    }
    _until_success(client, lambda: client.post(api.FIREWALLS, body), f"create {name}")
    try:
        data.id = str(find(client, name)["id"])
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] error retrieving firewall: {name}, err: {error}") from error
    _read_firewall(client, data)


def _until_success(client: api.Client, attempt: typing.Callable[[], values.Json], operation: str) -> None:
    """Repeats a request until the cloud reports success; the plugin repeats creations, too."""
    verb, name = operation.split(" ", 1)
    try:
        waiting.await_state(client.timing, lambda: str(attempt().get("result", "")), _SUCCESS)
    except sessions.Fault as fault:
        created = f"[ERR] failed to create a new firewall: {name}, err: {fault}"
        deleted = f"error waiting for firewall ({name}) to be deleted: {fault}"
        raise sessions.Fault(created if verb == "create" else deleted) from fault


def _read_firewall(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        firewall = find(client, data.id)
    except api.CloudError:
        data.id = ""
        return
    data.set(
        name=firewall.get("name", ""),
        networkId=firewall.get("network_id", ""),
        region=client.region,
        createDefaultRules=bool(data.get("createDefaultRules")),
    )
    rules = firewall.get("rules") or []
    for direction, name in (("ingress", "ingressRules"), ("egress", "egressRules")):
        # Removing the last rule of a direction leaves the state unchanged: the official plugin does the same.
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


def _update_firewall(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    if data.changed("name") and data.get("name"):
        body = {"name": data.get("name"), "region": client.region, "network_id": ""}
        try:
            client.put(f"{api.FIREWALLS}/{data.id}", body)
        except api.CloudError as error:
            text = f"an error occurred while trying to rename the firewall {data.id}"
            raise sessions.Fault(f"[WARN] {text}, {error}") from error
    if data.changed("ingressRules") or data.changed("egressRules"):
        _replace_rules(client, data)
    _read_firewall(client, data)


def _replace_rules(client: api.Client, data: planning.Data) -> None:
    path = f"{api.FIREWALLS}/{data.id}/rules"
    planned = {"ingress": data.get("ingressRules") or [], "egress": data.get("egressRules") or []}
    planned_ids = {rule.get("id") for rules in planned.values() for rule in rules}
    try:
        present = client.get(path) or ()
    except api.CloudError as error:
        text = f"[ERR] an error occurred while trying to list the firewall rules, {error}"
        raise sessions.Fault(text) from error
    for rule in present:
        if rule.get("id") not in planned_ids:
            direction = "ingress" if rule.get("direction") == "ingress" else "egress"
            try:
                client.delete(f"{path}/{rule['id']}")
            except api.CloudError as error:
                text = f"an error occurred while trying to delete the {direction} rule {rule['id']}"
                raise sessions.Fault(f"[WARN] {text}, {error}") from error
    for direction, rules in planned.items():
        for rule in (rule for rule in rules if rule.get("id") in (None, "", values.UNKNOWN)):
            body = {"firewall_id": data.id, "region": client.region, **_rule_body(rule, direction)}
            try:
                client.post(path, body)
            except api.CloudError as error:
                text = f"an error occurred while trying to create the {direction} rule {body.get('label', '')}"
                raise sessions.Fault(f"[WARN] {text}, {error}") from error


def _delete_firewall(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        find(client, data.id)
    except api.CloudError:
        return  # counts as deleted, whatever the error was
    _until_success(client, lambda: client.delete(f"{api.FIREWALLS}/{data.id}"), f"delete {data.id}")


FIREWALL = package.Resource(
    table=tables.FIREWALL,
    create=_create_firewall,
    read=_read_firewall,
    update=_update_firewall,
    delete=_delete_firewall,
    customize=_check_rules,
)
