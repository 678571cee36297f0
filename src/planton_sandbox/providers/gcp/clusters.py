"""The requests of the official plugin for GKE's clusters."""

from __future__ import annotations

import contextlib
import re
import typing

from planton_sandbox.providers import listing, package, planning, schema, sessions, values
from planton_sandbox.providers.gcp import api, cluster_changes, cluster_facts, cluster_tables, pool_facts, pools

LIMIT: typing.Final = 5400
_DEFAULT_POOL = "default-pool"
_BROKEN = ("DEGRADED", "ERROR")
_DELETE_LIMIT = 30
_PROTECTED = (
    "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion."
)
_IMPORTS: typing.Final = (
    re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/clusters/(?P<name>[^/]+)"),
    re.compile(r"(?P<project>[^/]+)/(?P<location>[^/]+)/(?P<name>[^/]+)"),
    re.compile(r"(?P<location>[^/]+)/(?P<name>[^/]+)"),
)


def _customize(client: api.Client, data: planning.Data) -> None:
    if data.state.get("project") in (None, values.UNKNOWN) and client.project:
        data.state["project"] = client.project


def _create(client: api.Client, data: planning.Data) -> None:
    """Creates a cluster and deletes its default pool. A cluster whose creation fails stays in the state if it exists."""
    project, location = pools.project_of(client, data), pools.location_of(client, data)
    parent = f"projects/{project}/locations/{location}"
    name = f"{parent}/clusters/{data.get('name')}"
    # The plugin looks for maintenance exclusions, and ignores errors.
    with contextlib.suppress(api.CloudError):
        client.get(name)
    body = cluster_facts.create_body(values.without_unknown(data.state), project=project, location=location)
    operation = client.start("POST", f"{parent}/clusters", {"cluster": body})
    try:
        client.wait(operation, name, "creating GKE cluster", limit=LIMIT)
    except sessions.Fault:
        with contextlib.suppress(api.CloudError):
            client.get(name)
            data.id = name
        raise
    data.id = name
    if data.get("removeDefaultNodePool"):
        _remove_default_pool(client, name)
    _read(client, data)
    state = pools.rest(client, name, limit=LIMIT)
    if state in _BROKEN:
        raise sessions.Fault(f'Cluster {data.get("name")} was created in the error state "{state}"')


def _remove_default_pool(client: api.Client, name: str) -> None:
    try:
        operation = client.start("DELETE", f"{name}/nodePools/{_DEFAULT_POOL}", None)
    except api.CloudError as error:
        if error.missing:
            return
        raise sessions.Fault(f"Error deleting default node pool: {error}") from error
    client.wait(operation, name, "removing default node pool", limit=LIMIT)


def _read(client: api.Client, data: planning.Data) -> None:
    try:
        with api.reading(f'Container Cluster "{data.id.rpartition("/")[2]}"'):
            cluster = client.get(data.id)
    except api.CloudError:
        data.id = ""
        return
    data.set(**cluster_facts.facts(cluster, data.state), project=data.id.split("/")[1])


def _update(client: api.Client, data: planning.Data) -> None:
    """Sends one request for each changed setting. While another operation excludes one, the update fails."""
    pools.rest(client, data.id, limit=LIMIT)
    for method, name, body, activity in cluster_changes.requests(data):
        client.wait(client.start(method, name, body), name, activity, limit=LIMIT)
    if data.changed("removeDefaultNodePool") and data.get("removeDefaultNodePool"):
        _remove_default_pool(client, data.id)
    pools.rest(client, data.id, limit=LIMIT)
    _read(client, data)


def _delete(client: api.Client, data: planning.Data) -> None:
    if data.get("deletionProtection"):
        raise sessions.Fault(_PROTECTED)
    policy = data.get("deletionPolicy")
    if policy == "ABANDON":
        return
    if policy == "PREVENT":
        raise sessions.Fault('Cannot destroy cluster because deletion_policy is set to "PREVENT"')
    try:
        pools.rest(client, data.id, limit=LIMIT)
    except api.CloudError as error:
        if error.missing:
            return
        raise
    with api.explained("Error deleting Cluster: "):
        operation = client.start("DELETE", data.id, None, limit=_DELETE_LIMIT, anything=True)
    client.wait(operation, data.id, "deleting GKE cluster", limit=LIMIT)


def _find(client: api.Client, data: planning.Data) -> None:
    """Reads an import id in one of the plugin's forms, and waits until no operation changes the cluster."""
    matched = next((match for form in _IMPORTS if (match := form.fullmatch(data.id))), None)
    if matched is None:
        listed = [form.pattern for form in _IMPORTS]
        raise sessions.Fault(f'Import id "{data.id}" doesn\'t match any of the accepted formats: {listed}')
    parts = {"project": client.project, **matched.groupdict()}
    identity, data.id = f"projects/{parts['project']}/locations/{parts['location']}/clusters/{parts['name']}", ""
    try:
        pools.rest(client, identity, limit=LIMIT)
    except api.CloudError as error:
        if error.missing:
            return
        raise
    data.id = identity
    data.set(deletionProtection=True, deletionPolicy="DELETE")


def _look(client: api.Client, args: listing.Args) -> listing.Args:
    """Returns a cluster by name; a block of the resource is a list in the function."""
    data = planning.Data(table=cluster_tables.CLUSTER, state=dict(args))
    project, location = pools.project_of(client, data), pools.location_of(client, data)
    data.id = name = f"projects/{project}/locations/{location}/clusters/{args['name']}"
    _read(client, data)
    if not data.id:
        raise sessions.Fault(f"{name} not found")
    lists = {f"{row.name.removesuffix('y')}{'ies' if row.name.endswith('y') else 's'}": row.name for row in _BLOCKS}
    blocks = {plural: [data.state[key]] if data.state.get(key) else [] for plural, key in lists.items()}
    listed = client.get(data.id).get("nodePools") or []
    flat = {row.name: data.state.get(row.name) for row in _FLAT}
    return {"id": data.id, **flat, **blocks, "nodePools": [_listed(pool) for pool in listed], "location": location}


def _listed(pool: planning.State) -> planning.State:
    """Returns a node pool as the function lists it."""
    drained = pool.get("nodeDrainConfig")
    drains = [] if drained is None else [pool_facts.drained(drained)]
    return {"name": pool["name"], "nodeLocations": pool.get("locations") or [], "nodeDrainConfigs": drains}


_BLOCKS = tuple(row for row in cluster_tables.CLUSTER.properties if row.type == schema.OBJECT)
_FLAT = tuple(row for row in cluster_tables.CLUSTER.properties if row.type != schema.OBJECT)
_POOL = (
    schema.out("name"),
    schema.out("nodeLocations", schema.LIST),
    schema.out("nodeDrainConfigs", schema.LIST, (schema.out("pdbTimeoutDuration"),)),
)

CLUSTER = package.Resource(
    table=cluster_tables.CLUSTER,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    customize=_customize,
    find=_find,
    timeouts=dict.fromkeys(("create", "delete", "read", "update"), LIMIT),
    schema_version=2,
)
GET_CLUSTER = package.Function(
    table=schema.Table(
        token="gcp:container/getCluster:getCluster",  # noqa: S106  # a type token
        doc="Finds a cluster.",
        properties=(
            schema.Property(name="name", required=True, doc="The cluster's name."),
            schema.Property(name="location", doc="Its region or zone."),
            schema.Property(name="project", doc="Its project."),
            *(schema.out(row.name, row.type) for row in _FLAT if row.name not in ("name", "location", "project")),
            schema.out("nodePools", schema.LIST, _POOL),
        ),
    ),
    call=_look,
)
