"""The requests of the official plugin for GKE's clusters."""

from __future__ import annotations

import contextlib
import re
import typing

from planton_sandbox.providers import listing, package, planning, schema, sessions, values
from planton_sandbox.providers.gcp import api, cluster_facts, cluster_tables, pools

LIMIT: typing.Final = 5400
_DEFAULT_POOL = "default-pool"
_PROTECTED = (
    "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion."
)
_IMPORTS: typing.Final = (
    re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/clusters/(?P<name>[^/]+)"),
    re.compile(r"(?P<project>[^/]+)/(?P<location>[^/]+)/(?P<name>[^/]+)"),
    re.compile(r"(?P<location>[^/]+)/(?P<name>[^/]+)"),
)
# The settings that one request changes, by property: the field in it, and its activity.
_SIMPLE: typing.Final = {
    "masterAuthorizedNetworksConfig": (
        "desiredMasterAuthorizedNetworksConfig",
        "updating GKE cluster master authorized networks",
    ),
    "addonsConfig": ("desiredAddonsConfig", "updating GKE cluster addons"),
    "releaseChannel": ("desiredReleaseChannel", "updating Release Channel"),
    "nodeLocations": ("desiredLocations", "updating GKE cluster node locations"),
    "enableShieldedNodes": ("desiredShieldedNodes", "updating GKE cluster shielded nodes"),
    "loggingConfig": ("desiredLoggingConfig", "updating GKE cluster logging config"),
    "monitoringConfig": ("desiredMonitoringConfig", "updating GKE cluster monitoring config"),
    "workloadIdentityConfig": ("desiredWorkloadIdentityConfig", "updating GKE cluster workload identity config"),
    "verticalPodAutoscaling": ("desiredVerticalPodAutoscaling", "updating GKE cluster vertical pod autoscaling"),
    "loggingService": ("desiredLoggingService", "updating GKE cluster logging service"),
    "monitoringService": ("desiredMonitoringService", "updating GKE cluster monitoring service"),
}
_Change = tuple[str, str, planning.State, str]


def _customize(client: api.Client, data: planning.Data) -> None:
    if data.state.get("project") in (None, values.UNKNOWN) and client.project:
        data.state["project"] = client.project


def _create(client: api.Client, data: planning.Data) -> None:
    """Creates a cluster and deletes its default pool. A cluster whose creation fails is deleted."""
    location = pools.location_of(client, data)
    parent = f"projects/{pools.project_of(client, data)}/locations/{location}"
    name = f"{parent}/clusters/{data.get('name')}"
    body = cluster_facts.create_body(values.known_or_null(data.state), location=location)
    operation = client.start("POST", f"{parent}/clusters", {"cluster": body}, limit=LIMIT)
    try:
        client.wait(operation, name, "creating GKE cluster", limit=LIMIT)
    except sessions.Fault:
        with contextlib.suppress(sessions.Fault):
            client.change("DELETE", name, None, "deleting GKE cluster", limit=LIMIT)
            raise
        data.id = name
        raise
    data.id = name
    if data.get("removeDefaultNodePool"):
        _remove_default_pool(client, name)
    _read(client, data)
    state = pools.rest(client, name, limit=LIMIT)
    if state == "ERROR":
        raise sessions.Fault(f'Cluster {data.get("name")} was created in the error state "{state}"')


def _remove_default_pool(client: api.Client, name: str) -> None:
    with api.explained("Error deleting default node pool: "):
        operation = client.start("DELETE", f"{name}/nodePools/{_DEFAULT_POOL}", None, limit=LIMIT)
    client.wait(operation, name, "removing default node pool", limit=LIMIT)


def _read(client: api.Client, data: planning.Data) -> None:
    try:
        cluster = client.get(data.id)
    except api.CloudError as error:
        if not error.missing:
            raise
        data.id = ""
        return
    data.set(**cluster_facts.facts(cluster, data.state), project=data.id.split("/")[1])


def _update(client: api.Client, data: planning.Data) -> None:
    """Sends one request for each changed setting."""
    pools.rest(client, data.id, limit=LIMIT)
    for method, name, body, activity in _changes(data):
        client.change(method, name, body, activity, limit=LIMIT)
    if data.changed("removeDefaultNodePool") and data.get("removeDefaultNodePool"):
        try:
            client.get(f"{data.id}/nodePools/{_DEFAULT_POOL}")
        except api.CloudError as error:
            if not error.missing:
                raise
        else:
            _remove_default_pool(client, data.id)
    pools.rest(client, data.id, limit=LIMIT)
    _read(client, data)


def _changes(data: planning.Data) -> typing.Iterator[_Change]:
    state = values.known_or_null(data.state)

    def put(field: str, value: values.Json, activity: str) -> _Change:
        return "PUT", data.id, {"update": {field: value}}, activity

    for name, (field, activity) in _SIMPLE.items():
        if data.changed(name):
            yield put(field, _BODIES[name](state), activity)
    if data.changed("minMasterVersion") and state.get("minMasterVersion"):
        yield put("desiredMasterVersion", state["minMasterVersion"], "updating GKE master version")
    if data.changed("enableLegacyAbac"):
        enabled = {"enabled": bool(state.get("enableLegacyAbac"))}
        yield "POST", f"{data.id}:setLegacyAbac", enabled, "updating GKE legacy ABAC"
    if data.changed("networkPolicy"):
        body = {"networkPolicy": api.compact(state.get("networkPolicy") or {})}
        yield "POST", f"{data.id}:setNetworkPolicy", body, "updating GKE cluster network policy"
    yield from _private_changes(data, put)
    if data.changed("resourceLabels"):
        yield "POST", f"{data.id}:setResourceLabels", _labels(data, state), "updating GKE resource labels"


def _private_changes(data: planning.Data, put: typing.Callable[..., _Change]) -> typing.Iterator[_Change]:
    old, new = ((state or {}).get("privateClusterConfig") or {} for state in (data.prior, data.state))
    if bool(old.get("enablePrivateNodes")) != bool(new.get("enablePrivateNodes")):
        yield put("desiredDefaultEnablePrivateNodes", bool(new.get("enablePrivateNodes")), "updating GKE cluster private nodes")
    if bool(old.get("enablePrivateEndpoint")) != bool(new.get("enablePrivateEndpoint")):
        yield put("desiredEnablePrivateEndpoint", bool(new.get("enablePrivateEndpoint")), "updating enable private endpoint")


def _zones(state: planning.State) -> list[values.Json]:
    zones = list(state.get("nodeLocations") or ())
    return [*zones, state["location"]] if str(state.get("location")).count("-") > 1 else zones


def _whole(name: str) -> typing.Callable[[planning.State], values.Json]:
    return lambda state: state.get(name) or {}


_BODIES: typing.Final[dict[str, typing.Callable[[planning.State], values.Json]]] = {
    **{name: _whole(name) for name in _SIMPLE},
    "masterAuthorizedNetworksConfig": lambda state: cluster_facts.authorized(state.get("masterAuthorizedNetworksConfig")),
    "addonsConfig": lambda state: api.compact(state.get("addonsConfig") or {}),
    "nodeLocations": _zones,
    "enableShieldedNodes": lambda state: {"enabled": bool(state.get("enableShieldedNodes"))},
    "loggingConfig": lambda state: cluster_facts.components(state.get("loggingConfig")),
    "monitoringConfig": lambda state: cluster_facts.components(state.get("monitoringConfig")),
}


def _labels(data: planning.Data, state: planning.State) -> planning.State:
    """Returns the labels for a request: those of others stay."""
    prior = data.prior or {}
    mine = prior.get("resourceLabels") or {}
    others = {key: text for key, text in (prior.get("effectiveLabels") or {}).items() if key not in mine}
    return {"resourceLabels": others | (state.get("resourceLabels") or {}), "labelFingerprint": prior.get("labelFingerprint")}


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
        client.change("DELETE", data.id, None, "deleting GKE cluster", limit=LIMIT)
    except api.CloudError as error:
        if not error.missing:
            raise


def _find(client: api.Client, data: planning.Data) -> None:
    """Reads an import id in one of the plugin's forms, and waits until no operation changes the cluster."""
    matched = next((found for form in _IMPORTS if (found := form.fullmatch(data.id))), None)
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
    own = {"nodePools": [{"name": pool["name"], "nodeLocations": pool.get("locations") or []} for pool in listed]}
    return {"id": data.id, **{row.name: data.state.get(row.name) for row in _FLAT}, **blocks, **own, "location": location}


_BLOCKS = tuple(row for row in cluster_tables.CLUSTER.properties if row.type == schema.OBJECT)
_FLAT = tuple(row for row in cluster_tables.CLUSTER.properties if row.type != schema.OBJECT)

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
            schema.out("nodePools", schema.LIST, (schema.out("name"), schema.out("nodeLocations", schema.LIST))),
        ),
    ),
    call=_look,
)
