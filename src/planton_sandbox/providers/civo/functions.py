"""Civo's functions for programs: look-ups by id or name, and filtered, sorted lists."""

from __future__ import annotations

import time
import typing

from planton_sandbox.providers import listing, package, schema, sessions, values
from planton_sandbox.providers.civo import api, cluster_facts, firewalls

_Row = schema.Property
_REGION = _Row(name="region", doc="The region to search; the provider's region if unset.")


def _by(*keys: str) -> tuple[schema.Property, ...]:
    return (*(_Row(name=key, doc=f"The {key} to look for.") for key in keys), _REGION)


def _network(client: api.Client, args: listing.Args) -> listing.Args:
    client.use_region(args.get("region"))
    key = args.get("id") or args.get("label")
    if not key:
        if not args.get("region"):
            missing = 'Missing required argument. "id": one of `id,label,region` must be specified'
            raise sessions.Rejected(missing)
        raise sessions.Crash  # a region alone passes the check, and then the plugin finds nothing
    try:
        network = api.find(client.get(api.NETWORKS) or [], key, keys=("name", "id", "label"))
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive network: {error}") from error
    return {
        "id": network.get("id", ""),
        "name": network.get("name", ""),
        "label": network.get("label", ""),
        "region": client.region,
        "default": bool(network.get("default")),
    }


def _firewall(client: api.Client, args: listing.Args) -> listing.Args:
    key = str(args[listing.exactly_one(args, "id", "name")])
    client.use_region(args.get("region"))
    try:
        firewall = firewalls.find(client, key)
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive firewall: {error}") from error
    return {
        "id": firewall.get("id", ""),
        "name": firewall.get("name", ""),
        "networkId": firewall.get("network_id", ""),
        "region": client.region,
    }


def _cluster(client: api.Client, args: listing.Args) -> listing.Args:
    key = str(args[listing.exactly_one(args, "id", "name")])
    client.use_region(args.get("region"))
    try:
        cluster = cluster_facts.find(client, key)
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive kubernetes cluster: {error}") from error
    shared = cluster_facts.facts(cluster, region=client.region)
    for resource_only in ("networkId", "clusterType", "firewallId"):
        del shared[resource_only]
    return {
        **shared,
        "id": cluster.get("id", ""),
        "tags": cluster.get("tags") or [],
        "applications": "",
        "kubeconfig": cluster.get("kubeconfig", ""),
        "pools": [cluster_facts.pool_facts(pool) for pool in cluster.get("pools") or ()],
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


def _fetcher(path: str, noun: str) -> typing.Callable[[api.Client], list[values.Json]]:
    """Returns the function that lists the items at a path; ``noun`` names them in errors."""

    def fetch(client: api.Client) -> list[values.Json]:
        try:
            return client.get(path) or []
        except api.CloudError as error:
            raise sessions.Fault(f"[ERR] error retrieving {noun}: {error}") from error

    return fetch


def _identify(_rows: list[listing.Args]) -> str:
    return f"terraform-{time.time_ns()}"


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


def _token(name: str) -> str:
    return f"civo:index/{name}:{name}"


def _single_result(name: str, doc: str, rows: tuple[schema.Property, ...]) -> schema.Table:
    return schema.Table(token=_token(name), doc=doc, properties=rows)


FUNCTIONS = (
    package.Function(
        table=_single_result(
            "getNetwork", "Finds a network.", (*_by("id", "label"), schema.out("name"), schema.out("default", schema.BOOL))
        ),
        call=_network,
    ),
    package.Function(
        table=_single_result("getFirewall", "Finds a firewall.", (*_by("id", "name"), schema.out("networkId"))), call=_firewall
    ),
    package.Function(
        table=_single_result("getKubernetesCluster", "Finds a cluster.", (*_by("id", "name"), *_CLUSTER)), call=_cluster
    ),
    listing.Listing(
        token=_token("getKubernetesVersion"),
        result="versions",
        rows=(schema.out("version"), schema.out("label"), schema.out("type"), schema.out("default", schema.BOOL)),
        fetch=_fetcher("/v2/kubernetes/versions", "all versions"),
        flatten=_version_row,
        identify=_identify,
    ).function(),
    listing.Listing(
        token=_token("getSize"),
        result="sizes",
        rows=(
            *(schema.out(name) for name in ("name", "type", "description", "gpuType")),
            *(schema.out(name, schema.INT) for name in ("cpu", "ram", "disk", "gpu")),
            schema.out("selectable", schema.BOOL),
        ),
        fetch=_fetcher("/v2/sizes", "sizes"),
        flatten=_size_row,
        identify=_identify,
    ).function(),
    listing.Listing(
        token=_token("getRegion"),
        result="regions",
        rows=(schema.out("code"), schema.out("name"), schema.out("country"), schema.out("default", schema.BOOL)),
        fetch=_fetcher("/v2/regions", "regions"),
        flatten=_region_row,
        identify=_identify,
    ).function(),
)
