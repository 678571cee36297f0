"""The requests of the official plugin for GKE's node pools."""

from __future__ import annotations

import re
import typing

from planton_sandbox.providers import package, planning, sessions, values
from planton_sandbox.providers.gcp import api, pool_facts, pool_tables

LIMIT: typing.Final = 7200
_CLUSTER: typing.Final = re.compile(r"projects/([^/]+)/locations/([^/]+)/clusters/([^/]+)")
_IMPORTS: typing.Final = (
    re.compile(
        r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/clusters/(?P<cluster>[^/]+)/nodePools/(?P<name>[^/]+)"
    ),
    re.compile(r"(?P<project>[^/]+)/(?P<location>[^/]+)/(?P<cluster>[^/]+)/(?P<name>[^/]+)"),
    re.compile(r"(?P<location>[^/]+)/(?P<cluster>[^/]+)/(?P<name>[^/]+)"),
)
_PENDING = ("PROVISIONING", "RECONCILING", "STOPPING", "STATUS_UNSPECIFIED")
_BROKEN = ("ERROR", "RUNNING_WITH_ERROR")
_UPDATING = "updating GKE node pool"
# The groups of machine settings that travel in one request, in the plugin's order, and what its errors call them.
_GROUPS: typing.Final = (
    (("loggingVariant",), "logging_variant"),
    (("machineType", "diskSizeGb", "diskType", "bootDisk"), "disk_size_gb/disk_type/machine_type/storage_pools/boot_disk"),
    (("taints",), "taints"),
    (("tags",), "tags"),
    (("resourceLabels",), "resource labels"),
    (("labels",), "labels"),
    (("imageType",), ""),
    (("workloadMetadataConfig",), "workload_metadata_config"),
)


def parent(client: api.Client, data: planning.Data) -> str:
    """Returns the path of a pool's cluster.

    Raises:
        Fault: Neither the resource nor the provider names a project or a location.
    """
    cluster = str(data.get("cluster") or "")
    match = _CLUSTER.search(cluster)
    if match:
        return match.group()
    return f"projects/{project_of(client, data)}/locations/{location_of(client, data)}/clusters/{cluster}"


def project_of(client: api.Client, data: planning.Data) -> str:
    """Returns the project of a resource; raises like `parent`."""
    project = data.get("project") or client.project
    if not project:
        raise sessions.Fault("project: required field is not set")
    return str(project)


def location_of(client: api.Client, data: planning.Data) -> str:
    """Returns the location of a resource; raises like `parent`."""
    location = data.get("location") or client.location
    if not location:
        raise sessions.Fault(
            'Cannot determine location: set "location" in this resource, or set either "region" or "zone" at the provider level'
        )
    return str(location)


def rest(client: api.Client, name: str, *, limit: float) -> str:
    """Waits until no operation changes a pool or cluster, and returns its state; raises like `api.Client.get`."""
    pause, spent = 0.5, 0.0
    while True:
        state = str(client.get(name).get("status"))
        if state not in _PENDING or spent > limit:
            return state
        client.timing.pause(pause)
        spent += pause
        pause = min(pause * 2, api.POLL)


def _customize(client: api.Client, data: planning.Data) -> None:
    """Fills in the provider's project."""
    if data.state.get("project") in (None, values.UNKNOWN) and client.project:
        data.state["project"] = client.project


def _create(client: api.Client, data: planning.Data) -> None:
    """Creates a pool. One whose operation fails stays in the state if it exists."""
    cluster = parent(client, data)
    name = f"{cluster}/nodePools/{data.get('name')}"
    body = pool_facts.create_body(values.without_unknown(data.state))
    try:
        client.get(name)
    except api.CloudError as error:
        if not error.missing:
            raise
    else:
        raise sessions.Fault(f"resource - {name} - already exists")
    with api.explained("error creating NodePool: "):
        operation = client.start("POST", f"{cluster}/nodePools", {"nodePool": body}, limit=LIMIT)
    try:
        client.wait(operation, name, "creating GKE NodePool", limit=LIMIT)
    except sessions.Fault as fault:
        try:
            client.get(name)
        except api.CloudError:
            raise fault from None
    data.id = name
    _read(client, data)
    state = rest(client, name, limit=LIMIT)
    if state in _BROKEN:
        raise sessions.Fault(f'NodePool {data.get("name")} was created in the error state "{state}"')


def _read(client: api.Client, data: planning.Data) -> None:
    cluster, _, name = data.id.rpartition("/nodePools/")
    try:
        with api.reading(f'NodePools from cluster "{cluster.rpartition("/")[2]}"'):
            listed = client.get(f"{cluster}/nodePools").get("nodePools") or []
    except api.CloudError:
        listed = []
    pool = next((item for item in listed if item.get("name") == name), None)
    if pool is None:
        data.id = ""
        return
    groups = [] if data.get("ignoreNodeCountChanges") else _groups(client, pool)
    data.set(**pool_facts.facts(pool, data.state, groups))
    data.set(project=cluster.split("/")[1], location=cluster.split("/")[3])


def _groups(client: api.Client, pool: planning.State) -> list[planning.State]:
    """Returns the instance groups of a pool, each with its URL; those that no longer exist are left out."""
    groups = []
    for url in pool.get("instanceGroupUrls") or ():
        path = url.partition("/projects/")[2]
        project, _, zone, _, name = path.split("/")
        with api.reading(f'InstanceGroupManagers for node pool "{pool.get("name")}"'):
            listed = list(client.compute_pages(f"projects/{project}/zones/{zone}/instanceGroupManagers"))
        groups += [{**item, "url": url} for item in listed if item.get("name") == name]
    return groups


def _update(client: api.Client, data: planning.Data) -> None:
    """Sends one request for each group of changes, in the plugin's order."""
    rest(client, data.id, limit=LIMIT)
    cluster = data.id.rpartition("/nodePools/")[0]
    for method, name, body, activity in _changes(data, cluster):
        client.change(method, name, body, activity, limit=LIMIT)
    rest(client, cluster, limit=LIMIT)
    rest(client, data.id, limit=LIMIT)
    _read(client, data)


_Change = tuple[str, str, planning.State, str]


def _changes(data: planning.Data, cluster: str) -> typing.Iterator[_Change]:
    state = values.without_unknown(data.state)
    identity = {"nodePoolId": state["name"]}
    if data.changed("autoscaling"):
        bounds = pool_facts.autoscaling(state.get("autoscaling"), forced=("minNodeCount", "totalMinNodeCount"))
        body = {"update": {"desiredNodePoolId": state["name"], "desiredNodePoolAutoscaling": bounds}}
        yield "PUT", cluster, body, _UPDATING
    yield from _config_changes(data, state, cluster)
    if data.changed("nodeCount"):
        yield "POST", f"{data.id}:setSize", api.compact({"nodeCount": state.get("nodeCount")}), f"{_UPDATING} size"
    if data.changed("management"):
        yield "POST", f"{data.id}:setManagement", {"management": state["management"]}, f"{_UPDATING} management"
    if data.changed("version"):
        yield "PUT", data.id, {**identity, "nodeVersion": state["version"]}, f"{_UPDATING} version"
    if data.changed("nodeLocations"):
        yield "PUT", data.id, {"locations": state["nodeLocations"]}, f"{_UPDATING} node locations"
    if data.changed("upgradeSettings"):
        prior = (data.prior or {}).get("upgradeSettings") or {}
        body = {"upgradeSettings": pool_facts.upgrade(state["upgradeSettings"], prior)}
        yield "PUT", data.id, body, f"{_UPDATING} upgrade settings"
    if data.changed("networkConfig"):
        body = {**identity, "nodeNetworkConfig": pool_facts.network(state.get("networkConfig"))}
        yield "PUT", data.id, body, f"{_UPDATING} network_config"
    if data.changed("nodeDrainConfigs"):
        body = {"nodeDrainConfig": pool_facts.drain(state.get("nodeDrainConfigs"))}
        yield "PUT", data.id, body, f"{_UPDATING} node_drain_config"


def _config_changes(data: planning.Data, state: planning.State, cluster: str) -> typing.Iterator[_Change]:
    rows = {row.name: row for row in pool_tables.NODE_CONFIG}
    old, new = (data.prior or {}).get("nodeConfig") or {}, state.get("nodeConfig") or {}
    for group, noun in _GROUPS:
        if all(planning.same(rows[name], old.get(name), new.get(name)) for name in group):
            continue
        if group == ("imageType",):
            update = {"desiredNodePoolId": state["name"], "desiredImageType": new.get("imageType")}
            yield "PUT", cluster, {"update": update}, _UPDATING
        else:
            yield "PUT", data.id, pool_facts.config_update(group[0], str(state["name"]), old, new), f"{_UPDATING} {noun}"


def _delete(client: api.Client, data: planning.Data) -> None:
    policy = data.get("deletionPolicy")
    if policy == "ABANDON":
        return
    if policy == "PREVENT":
        raise sessions.Fault('Cannot destroy node pool because deletion_policy is set to "PREVENT"')
    try:
        rest(client, data.id, limit=LIMIT)
    except api.CloudError as error:
        if error.missing:
            return
        raise
    with api.explained("Error deleting NodePool: "):
        operation = client.start("DELETE", data.id, None, limit=LIMIT)
    client.wait(operation, data.id, "deleting GKE NodePool", limit=LIMIT)


def _find(client: api.Client, data: planning.Data) -> None:
    """Reads an import id in one of the plugin's forms, and waits until no operation changes the cluster and the pool."""
    matched = next((match for form in _IMPORTS if (match := form.fullmatch(data.id))), None)
    if matched is None:
        raise sessions.Fault(
            f'Import id "{data.id}" doesn\'t match any of the accepted formats: {[form.pattern for form in _IMPORTS]}'
        )
    parts = {"project": client.project, **matched.groupdict()}
    cluster = f"projects/{parts['project']}/locations/{parts['location']}/clusters/{parts['cluster']}"
    identity, data.id = f"{cluster}/nodePools/{parts['name']}", ""
    try:
        rest(client, cluster, limit=LIMIT)
        rest(client, identity, limit=LIMIT)
    except api.CloudError as error:
        if error.missing:
            return
        raise
    data.id = identity
    data.set(cluster=parts["cluster"], deletionPolicy="DELETE")


NODE_POOL = package.Resource(
    table=pool_tables.NODE_POOL,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    customize=_customize,
    find=_find,
    timeouts=dict.fromkeys(("create", "delete", "update"), LIMIT),
    schema_version=1,
)
