"""The requests of the official plugin for DigitalOcean's VPCs."""

from __future__ import annotations

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.digitalocean import api, tables

VPCS = "/v2/vpcs"
_STILL_USED = (403, 409)
_LONGEST_DELETION = 120
_DELETED = waiting.Target(state="deleted", pending=("used",), delay=0, shortest=0.5, timeout=_LONGEST_DELETION)


def facts(vpc: planning.State) -> planning.State:
    """Returns the properties of a network that the resource and the function share."""
    return {
        "name": vpc.get("name", ""),
        "region": vpc.get("region", ""),
        "description": vpc.get("description", ""),
        "ipRange": vpc.get("ip_range", ""),
        "default": bool(vpc.get("default")),
        "createdAt": values.go_time(vpc.get("created_at")),
    }


def _create_vpc(client: api.Client, data: planning.Data) -> None:
    optional = {"description": data.get("description"), "ip_range": data.get("ipRange")}
    body = {"name": data.get("name"), "region": data.get("region"), **api.compact(optional)}
    with client.locks[data.get("region")]:
        with api.explained("Error creating VPC: "):
            data.id = str(client.post(VPCS, body, "vpc")["id"])
        _read_vpc(client, data)


def _read_vpc(client: api.Client, data: planning.Data) -> None:
    vpc = api.look(data, "Error reading VPC: ", lambda: client.get(f"{VPCS}/{data.id}", "vpc"))
    if vpc is not None:
        data.id = str(vpc.get("id", ""))
        data.set(**facts(vpc), vpcUrn=vpc.get("urn", ""))


def _update_vpc(client: api.Client, data: planning.Data) -> None:
    if data.changed("name") or data.changed("description"):
        texts = api.compact({"name": data.get("name"), "description": data.get("description")})
        with api.explained("Error updating VPC : "):
            client.put(f"{VPCS}/{data.id}", {**texts, "default": bool(data.get("default"))}, "vpc")
    _read_vpc(client, data)


def _delete_vpc(client: api.Client, data: planning.Data) -> None:
    """Retries for two minutes while the network is in use; a lost connection crashes the plugin."""
    refusals: list[api.CloudError] = []

    def attempt() -> str:
        try:
            client.send("DELETE", f"{VPCS}/{data.id}")
        except api.CloudError as error:
            if not error.status:
                raise sessions.Crash from error
            if error.status not in _STILL_USED:
                raise sessions.Fault(f"Error deleting VPC: {error}") from error
            refusals.append(error)
            return "used"
        return "deleted"

    try:
        waiting.await_state(client.timing, attempt, _DELETED)
    except waiting.WaitError as error:
        raise sessions.Fault(str(refusals[-1])) from error


VPC = package.Resource(
    table=tables.VPC,
    create=_create_vpc,
    read=_read_vpc,
    update=_update_vpc,
    delete=_delete_vpc,
    timeouts={"delete": _LONGEST_DELETION},
)
