"""The requests of the official plugin for DigitalOcean's Kubernetes clusters."""

from __future__ import annotations

import datetime as dt

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.digitalocean import api, cluster_bodies, kubeconfig, pools, tables, versions

_CLUSTERS = pools.CLUSTERS
_REGISTRY = "/v2/kubernetes/registry"
_STATES = ("provisioning", "running", "degraded", "error", "deleted", "upgrading", "invalid")
_PLAIN = {
    "name": "name",
    "region": "region",
    "version": "version",
    "clusterSubnet": "cluster_subnet",
    "serviceSubnet": "service_subnet",
    "ipv4Address": "ipv4",
    "endpoint": "endpoint",
    "vpcUuid": "vpc_uuid",
    "workerSubnetUuid": "worker_subnet_uuid",
}
_IN_PUT = (
    *("name", "tags", "autoUpgrade", "surgeUpgrade", "maintenancePolicy", "ha", "controlPlaneFirewall"),
    *("clusterAutoscalerConfigurations", "ssos"),
    *tables.SWITCHES,
)


def get(client: api.Client, identity: str) -> planning.State:
    """Returns a cluster.

    Raises:
        CloudError: The cloud refused, or the client library does not know the cluster's state or day.
    """
    return _validated(client.get(f"{_CLUSTERS}/{identity}", "kubernetes_cluster"))


def _validated(cluster: planning.State) -> planning.State:
    state = (cluster.get("status") or {}).get("state", "")
    if state and state.lower() not in _STATES:
        raise api.CloudError(f'unknown cluster state "{state}"')
    day = (cluster.get("maintenance_policy") or {}).get("day", "any")
    if day.lower() not in tables.DAYS:
        raise api.CloudError(f'unknown day: "{day}"')
    return cluster


def facts(cluster: planning.State) -> planning.State:
    """Returns the properties of a cluster that the resource and the function share; an absent block is ``None``."""
    status, maintenance = cluster.get("status"), cluster.get("maintenance_policy")
    if status is None or maintenance is None:
        raise sessions.Crash  # the plugin reads both without checking for their absence
    firewall, sso = cluster.get("control_plane_firewall"), cluster.get("sso")
    scaling = cluster.get("cluster_autoscaler_configuration")
    return {
        **{name: cluster.get(key) or "" for name, key in _PLAIN.items()},
        **{name: bool(cluster.get(key)) for name, key in (("surgeUpgrade", "surge_upgrade"), ("autoUpgrade", "auto_upgrade"))},
        **{name: cluster_bodies.switch(cluster.get(key)) for name, key in tables.SWITCHES.items()},
        "ha": bool(cluster.get("ha")),
        "tags": pools.own_tags(cluster.get("tags")),
        "status": (status.get("state") or "invalid").lower(),
        "createdAt": values.go_time(cluster.get("created_at")),
        "updatedAt": values.go_time(cluster.get("updated_at")),
        "controlPlaneFirewall": firewall
        and {**(cluster_bodies.switch(firewall) or {}), "allowedAddresses": firewall.get("allowed_addresses") or []},
        "maintenancePolicy": {
            "day": (maintenance.get("day") or "any").lower(),
            "startTime": maintenance.get("start_time", ""),
            "duration": maintenance.get("duration", ""),
        },
        "clusterAutoscalerConfigurations": [_scaling(scaling)] if scaling is not None else [],
        "ssos": [_sso(sso)] if sso is not None else [],
    }


def urn(cluster: planning.State) -> str:
    """Returns a cluster's uniform resource name."""
    return f"do:kubernetes:{cluster.get('id', '')}"


def kubeconfigs(client: api.Client, cluster: planning.State, seconds: int) -> list[values.Json]:
    """Fetches the credentials of a cluster and returns a kubeconfig with them.

    Raises:
        Fault: The cloud refused.
    """
    with api.explained("Unable to fetch Kubernetes credentials: "):
        credentials = client.get(f"{_CLUSTERS}/{cluster['id']}/credentials?expiry_seconds={seconds}")
    return [kubeconfig.describe(cluster.get("name", ""), cluster.get("region", ""), credentials)]


def default_pools(cluster: planning.State) -> list[tuple[int, planning.State]]:
    """Returns the pools with the default pool's tag, and their indexes in the list."""
    listed = enumerate(cluster.get("node_pools") or ())
    return [(place, pool) for place, pool in listed if pools.DEFAULT_TAG in (pool.get("tags") or ())]


def _scaling(block: planning.State) -> planning.State:
    return {
        "scaleDownUtilizationThreshold": block.get("scale_down_utilization_threshold") or 0,
        "scaleDownUnneededTime": block.get("scale_down_unneeded_time") or "",
        "expanders": block.get("expanders") or [],
    }


def _sso(block: planning.State) -> planning.State:
    switches = {"enabled": bool(block.get("enabled")), "required": bool(block.get("required"))}
    return {**switches, "issuerUrl": block.get("issuer_url", ""), "clientId": block.get("client_id", "")}


def _customize(_client: api.Client, data: planning.Data) -> None:
    before, after = (data.prior or {}).get("version"), data.get("version")
    data.replace = bool(data.id and before and after and versions.is_lower(after, before))


def _create(client: api.Client, data: planning.Data) -> None:
    """Creates a cluster. One that does not become ready is lost from the state: the official plugin does the same."""
    try:
        created = client.post(_CLUSTERS, cluster_bodies.create(data), "kubernetes_cluster")
        _wait_until_running(client, str(created["id"]))
    except (api.CloudError, waiting.WaitError) as error:
        raise sessions.Fault(f"Error creating Kubernetes cluster: {error}") from error
    data.id = str(created["id"])
    if data.get("registryIntegration"):
        _registry(client, "POST", data.id, "enabling")
    _read(client, data)


def _wait_until_running(client: api.Client, identity: str) -> None:
    def running() -> bool:
        try:
            status = get(client, identity).get("status")
        except api.CloudError as error:
            raise waiting.WaitError(f"Error trying to read cluster state: {error}") from error
        if status is None:
            raise sessions.Crash
        if status.get("state") == "error":
            raise waiting.WaitError(status.get("message", ""))
        return bool(status.get("state") == "running")

    if not waiting.tick(client.timing, running, every=pools.TICK, limit=pools.LONGEST):
        raise waiting.WaitError("Timeout waiting to create cluster")


def _registry(client: api.Client, method: str, identity: str, verb: str) -> None:
    with api.explained(f"Error {verb} registry integration: "):
        client.send(method, _REGISTRY, {"cluster_uuids": [identity]})


def _read(client: api.Client, data: planning.Data) -> None:
    cluster = api.look(data, "Error retrieving Kubernetes cluster: ", lambda: get(client, data.id))
    if cluster is None:
        return
    data.set(**facts(cluster), clusterUrn=urn(cluster))
    for place, pool in default_pools(cluster):
        # Only the first pool of the list keeps its desired count: the plugin looks for the pool at that index.
        desired = (data.get("nodePool") or {}).get("nodeCount") if place == 0 else None
        count = pool.get("count", 0) if desired and desired is not values.UNKNOWN else 0
        data.set(nodePool={"id": pool.get("id", ""), **pools.facts(pool), "nodeCount": count})
    if not kubeconfig.is_current(data.get("kubeConfigs"), dt.datetime.now(dt.UTC)):
        data.set(kubeConfigs=kubeconfigs(client, cluster, data.get("kubeconfigExpireSeconds") or 0))


def _update(client: api.Client, data: planning.Data) -> None:
    path = f"{_CLUSTERS}/{data.id}"
    if any(data.changed(name) for name in _IN_PUT):
        try:
            client.put(path, cluster_bodies.update(data), "kubernetes_cluster")
        except api.CloudError as error:
            if error.missing:
                data.id = ""
                return
            raise sessions.Fault(f"Unable to update cluster: {error}") from error
    if data.changed("nodePool"):
        pool = ((data.prior or {}).get("nodePool") or {}).get("id") or ""
        pools.update(client, data.get("nodePool"), data.id, pool, pools.DEFAULT_TAG)
    if data.changed("version"):
        with api.explained("Unable to upgrade cluster version: "):
            client.send("POST", f"{path}/upgrade", {"version": data.get("version")})
    if data.changed("registryIntegration"):
        enabled = bool(data.get("registryIntegration"))
        _registry(client, "POST" if enabled else "DELETE", data.id, "enabling" if enabled else "disabling")
    _read(client, data)


def _delete(client: api.Client, data: planning.Data) -> None:
    path = f"{_CLUSTERS}/{data.id}"
    if data.get("destroyAllAssociatedResources"):
        path += "/destroy_with_associated_resources"
        with api.explained("Failed to list associated resources: "):
            client.get(path)
        path += "/dangerous"
    try:
        client.send("DELETE", path)
    except api.CloudError as error:
        if not error.missing:
            raise sessions.Fault(f"Unable to delete cluster: {error}") from error


def _find(client: api.Client, data: planning.Data) -> None:
    """Tags the default pool if it is not tagged, in previews, too; an error counts as "not found"."""
    identity, data.id = data.id, ""
    try:
        cluster = get(client, identity)
        listed, tagged = cluster.get("node_pools") or [], default_pools(cluster)
        if not tagged and len(listed) == 1:
            tags = [*(listed[0].get("tags") or ()), pools.DEFAULT_TAG]
            client.put(f"{_CLUSTERS}/{cluster['id']}/node_pools/{listed[0]['id']}", {"tags": tags}, "node_pool")
        elif len(tagged) != 1:
            return
    except api.CloudError:
        return
    data.id = identity


CLUSTER = package.Resource(
    table=tables.CLUSTER,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    customize=_customize,
    find=_find,
    timeouts={"create": pools.LONGEST},
    schema_version=3,
)
