"""Civo's functions that programs call: one thing by id or name, or a list that is filtered and sorted."""

from __future__ import annotations

import time
import typing

from planton_sandbox.providers import listing, package, schema, sessions, values
from planton_sandbox.providers.civo import client as civo_client
from planton_sandbox.providers.civo import cluster, network

_Row = schema.Property
_REGION = _Row(name="region", doc="Where to look; the provider's region if unset.")


def _by(*keys: str) -> tuple[schema.Property, ...]:
    return (*(_Row(name=key, doc=f"The {key} to look for.") for key in keys), _REGION)


def _network(client: civo_client.Client, args: listing.Args) -> listing.Args:
    client.use_region(args.get("region"))
    wanted = args.get("id") or args.get("label")
    if not wanted:
        if not args.get("region"):
            missing = 'Missing required argument. "id": one of `id,label,region` must be specified'
            raise sessions.Rejected(missing)
        raise sessions.Crash  # a region alone passes the check, and then there is nothing to look at
    try:
        found = civo_client.find(client.get("/v2/networks") or [], wanted, keys=("name", "id", "label"))
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive network: {error}") from error
    return {
        "id": found.get("id", ""),
        "name": found.get("name", ""),
        "label": found.get("label", ""),
        "region": client.region,
        "default": bool(found.get("default")),
    }


def _firewall(client: civo_client.Client, args: listing.Args) -> listing.Args:
    wanted = str(args[listing.exactly_one(args, "id", "name")])
    client.use_region(args.get("region"))
    try:
        found = network.find_firewall(client, wanted)
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive firewall: {error}") from error
    return {
        "id": found.get("id", ""),
        "name": found.get("name", ""),
        "networkId": found.get("network_id", ""),
        "region": client.region,
    }


def _cluster(client: civo_client.Client, args: listing.Args) -> listing.Args:
    wanted = str(args[listing.exactly_one(args, "id", "name")])
    client.use_region(args.get("region"))
    try:
        found = cluster.find_cluster(client, wanted)
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive kubernetes cluster: {error}") from error
    shared = cluster.facts(found, region=client.region)
    for resource_only in ("networkId", "clusterType", "firewallId"):
        del shared[resource_only]
    return {
        **shared,
        "id": found.get("id", ""),
        "tags": found.get("tags") or [],
        "applications": "",
        "kubeconfig": found.get("kubeconfig", ""),
        "pools": [cluster.pool_facts(pool) for pool in found.get("pools") or ()],
    }


def _region_row(item: listing.Args) -> listing.Args:
    texts = {key: item.get(key, "") for key in ("code", "name", "country")}
    return {**texts, "default": bool(item.get("default"))}


def _version_row(item: listing.Args) -> listing.Args:
    version = item.get("version", "")
    kind = item.get("clusterType", "")
    return {"version": version, "label": f"v{version}", "type": kind, "default": bool(item.get("default"))}


def _size_row(item: listing.Args) -> listing.Args | None:
    if not item.get("selectable"):
        return None
    return {
        "name": item.get("name", ""),
        "type": str(item.get("type", "")).lower(),
        "cpu": item.get("cpu_cores", 0),
        "ram": item.get("ram_mb", 0),
        "disk": item.get("disk_gb", 0),
        "gpu": item.get("gpu_count", 0),
        "gpuType": item.get("gpu_type", ""),
        "description": item.get("description", ""),
        "selectable": True,
    }


def _list_function(  # a row of a table
    name: str,
    *,
    path: str,
    result: str,
    trouble: str,
    flatten: typing.Callable[[listing.Args], listing.Args | None],
    rows: tuple[schema.Property, ...],
) -> package.Function:
    def fetch(client: civo_client.Client) -> list[values.Json]:
        try:
            return client.get(path) or []
        except civo_client.CloudError as error:
            raise sessions.Fault(f"[ERR] error retrieving {trouble}: {error}") from error

    return listing.Listing(
        token=f"civo:index/{name}:{name}",
        result=result,
        rows=rows,
        fetch=fetch,
        flatten=flatten,
        identify=lambda _rows: f"terraform-{time.time_ns()}",
    ).function()


_POOL = (
    schema.out("label"),
    schema.out("nodeCount", schema.INT),
    schema.out("size"),
    schema.out("instanceNames", schema.LIST),
    schema.out("publicIpNodePool", schema.BOOL),
    schema.out("labels", schema.MAP),
    schema.out("taints", schema.SET, (schema.out("key"), schema.out("value"), schema.out("effect"))),
)
_APPLICATION = (schema.out("application"), schema.out("version"), schema.out("installed", schema.BOOL), schema.out("category"))
_CLUSTER = (
    schema.out("numTargetNodes", schema.INT),
    *(schema.out(name) for name in ("targetNodesSize", "kubernetesVersion", "cni", "applications", "status", "kubeconfig")),
    *(schema.out(name) for name in ("apiEndpoint", "masterIp", "dnsEntry", "createdAt")),
    schema.out("tags", schema.SET),
    schema.out("ready", schema.BOOL),
    schema.out("pools", schema.LIST, _POOL),
    schema.out("installedApplications", schema.LIST, _APPLICATION),
)


def _one(name: str, doc: str, rows: tuple[schema.Property, ...]) -> schema.Table:
    return schema.Table(token=f"civo:index/{name}:{name}", doc=doc, properties=rows)


FUNCTIONS = (
    package.Function(
        table=_one(
            "getNetwork", "Finds a network.", (*_by("id", "label"), schema.out("name"), schema.out("default", schema.BOOL))
        ),
        call=_network,
    ),
    package.Function(
        table=_one("getFirewall", "Finds a firewall.", (*_by("id", "name"), schema.out("networkId"))), call=_firewall
    ),
    package.Function(table=_one("getKubernetesCluster", "Finds a cluster.", (*_by("id", "name"), *_CLUSTER)), call=_cluster),
    _list_function(
        "getKubernetesVersion",
        path="/v2/kubernetes/versions",
        result="versions",
        trouble="all versions",
        flatten=_version_row,
        rows=(schema.out("version"), schema.out("label"), schema.out("type"), schema.out("default", schema.BOOL)),
    ),
    _list_function(
        "getSize",
        path="/v2/sizes",
        result="sizes",
        trouble="sizes",
        flatten=_size_row,
        rows=(
            *(schema.out(name) for name in ("name", "type", "description", "gpuType")),
            *(schema.out(name, schema.INT) for name in ("cpu", "ram", "disk", "gpu")),
            schema.out("selectable", schema.BOOL),
        ),
    ),
    _list_function(
        "getRegion",
        path="/v2/regions",
        result="regions",
        trouble="regions",
        flatten=_region_row,
        rows=(schema.out("code"), schema.out("name"), schema.out("country"), schema.out("default", schema.BOOL)),
    ),
)
