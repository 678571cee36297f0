"""DigitalOcean's functions for programs: versions, regions, sizes, and look-ups of existing resources."""

from __future__ import annotations

import hashlib
import json
import time
import typing

from planton_sandbox.providers import listing, package, planning, schema, sessions, validators, values
from planton_sandbox.providers.digitalocean import api, clusters, firewalls, pools, tables, vpcs

_Row = schema.Property
_REGION = (
    *(schema.out(name) for name in ("slug", "name")),
    *(schema.out(name, schema.SET) for name in ("sizes", "features")),
    schema.out("available", schema.BOOL),
)
_SIZE = (
    schema.out("slug"),
    schema.out("available", schema.BOOL),
    *(schema.out(name, schema.FLOAT) for name in ("transfer", "priceMonthly", "priceHourly")),
    *(schema.out(name, schema.INT) for name in ("memory", "vcpus", "disk")),
    schema.out("regions", schema.SET),
)


def _token(name: str) -> str:
    return f"digitalocean:index/{name}:{name}"


def _unique() -> str:
    return f"terraform-{time.time_ns()}"


def _versions(client: api.Client, args: listing.Args) -> listing.Args:
    with api.explained("Error retrieving Kubernetes options: "):
        options = client.get("/v2/kubernetes/options", "options")
    prefix = args.get("versionPrefix") or ""
    valid = [version["slug"] for version in options.get("versions") or () if version.get("slug", "").startswith(prefix)]
    return {
        "id": _unique(),
        "versionPrefix": args.get("versionPrefix"),
        "validVersions": valid,
        "latestVersion": valid[0] if valid else "",
    }


def _all_regions(client: api.Client) -> list[values.Json]:
    with api.explained("Error retrieving regions: "):
        return list(client.pages("/v2/regions", "regions", first=1))


def _all_sizes(client: api.Client) -> list[values.Json]:
    with api.explained("Error retrieving sizes: "):
        return list(client.pages("/v2/sizes", "sizes", first=1))


def _flat_region(region: listing.Args) -> listing.Args:
    texts = {name: region.get(name, "") for name in ("slug", "name")}
    sets = {name: region.get(name) or [] for name in ("sizes", "features")}
    return {**texts, **sets, "available": bool(region.get("available"))}


def _flat_size(size: listing.Args) -> listing.Args:
    return {
        "slug": size.get("slug", ""),
        "available": bool(size.get("available")),
        "regions": size.get("regions") or [],
        **{row.name: float(size.get(row.path) or 0) for row in _SIZE if row.type == schema.FLOAT},
        **{row.name: size.get(row.path) or 0 for row in _SIZE if row.type == schema.INT},
    }


def _hashed(result: str) -> typing.Callable[[list[listing.Args]], str]:
    def identify(rows: list[listing.Args]) -> str:
        digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).digest()
        return f"{result}/{int.from_bytes(digest[:8])}"

    return identify


def _region(client: api.Client, args: listing.Args) -> listing.Args:
    try:
        regions = _all_regions(client)
    except sessions.Fault as fault:
        raise sessions.Fault(f"Unable to load regions: {fault}") from fault
    for region in regions:
        if region.get("slug") == args["slug"]:
            return {"id": _unique(), **_flat_region(region)}
    raise sessions.Fault(f"Region does not exist: {args['slug']}")


def _vpc(client: api.Client, args: listing.Args) -> listing.Args:
    key = listing.exactly_one(args, "id", "name", "region")
    try:
        vpc = client.get(f"{vpcs.VPCS}/{args['id']}", "vpc") if key == "id" else _listed_vpc(client, key, args)
    except sessions.Fault as fault:
        raise sessions.Fault(f"Error retrieving VPC: {fault}") from fault
    return {"id": vpc.get("id", ""), **vpcs.facts(vpc), "urn": vpc.get("urn", "")}


def _listed_vpc(client: api.Client, key: str, args: listing.Args) -> listing.Args:
    """Returns the only network with a name, or a region's default network."""
    with api.explained("Error retrieving VPCs: "):
        listed = list(client.pages(vpcs.VPCS, "vpcs", first=1))
    value = args[key]
    matching = [vpc for vpc in listed if vpc.get(key) == value and (key == "name" or vpc.get("default"))]
    if len(matching) == 1:
        return dict(matching[0])
    if key == "region":
        raise sessions.Fault(f"unable to find default VPC in {value} region")
    if not matching:
        raise sessions.Fault(f"no VPCs found with name {value}")
    raise sessions.Fault(f"too many VPCs found with name {value} (found {len(matching)}, expected 1)")


def _firewall(client: api.Client, args: listing.Args) -> listing.Args:
    data = planning.Data(table=tables.FIREWALL, id=str(args["firewallId"]))
    firewalls.read(client, data)
    return {"id": data.id, "firewallId": args["firewallId"], **data.state}


def _cluster(client: api.Client, args: listing.Args) -> listing.Args:
    """Returns the cluster on the first page with this name; a block of the resource is a list in the function."""
    try:
        answer = client.get(pools.CLUSTERS)
    except api.CloudError as error:
        if error.missing:
            raise sessions.Fault("No clusters found") from error
        raise sessions.Fault(f"Error listing Kubernetes clusters: {error}") from error
    named = (item for item in answer.get("kubernetes_clusters") or () if item.get("name") == args["name"])
    cluster = next(named, None)
    if cluster is None:
        raise sessions.Fault(f"Unable to find cluster with name: {args['name']}")
    facts = clusters.facts(cluster)
    firewall, maintenance = facts.pop("controlPlaneFirewall"), facts.pop("maintenancePolicy")
    default_pools = clusters.default_pools(cluster)
    seconds = args.get("kubeconfigExpireSeconds")
    kubeconfigs = clusters.kubeconfigs(client, cluster, seconds or 0)
    return {
        **facts,
        "id": cluster["id"],
        "urn": clusters.urn(cluster),
        "controlPlaneFirewalls": [firewall] if firewall else [],
        "maintenancePolicies": [maintenance],
        "kubeconfigExpireSeconds": seconds,
        "kubeConfigs": kubeconfigs,
        "nodePools": [{"id": pool.get("id", ""), **pools.facts(pool), "nodeCount": 0} for _, pool in default_pools[-1:]],
    }


_CLUSTER_FACTS = (
    *(row for row in tables.CLUSTER.properties if row.output_only and row.name != "clusterUrn"),
    *(schema.out(name) for name in ("region", "version", "vpcUuid", "workerSubnetUuid", "clusterSubnet", "serviceSubnet", "urn")),
    *(schema.out(name, schema.BOOL) for name in ("ha", "autoUpgrade", "surgeUpgrade")),
    *(schema.out(name, schema.LIST) for name in ("controlPlaneFirewalls", "maintenancePolicies", "nodePools")),
)
_CLUSTER_SETTINGS = tuple(
    row
    for row in tables.CLUSTER.properties
    if row.name in ("tags", "kubeconfigExpireSeconds", "clusterAutoscalerConfigurations", "ssos", *tables.SWITCHES)
)


def _single_result(
    name: str,
    doc: str,
    call: typing.Callable[[typing.Any, listing.Args], listing.Args],
    *rows: schema.Property,
) -> package.Function:
    return package.Function(table=schema.Table(token=_token(name), doc=doc, properties=rows), call=call)


def _by(name: str) -> schema.Property:
    return _Row(name=name, check=validators.not_zero, doc=f"The {name} to look for.")


FUNCTIONS = (
    _single_result(
        "getKubernetesVersions",
        "Lists the versions for new clusters, the newest first.",
        _versions,
        _Row(name="versionPrefix", doc="The prefix of the versions."),
        schema.out("latestVersion"),
        schema.out("validVersions", schema.LIST),
    ),
    _single_result(
        "getRegion", "Finds a region.", _region, _Row(name="slug", required=True, doc="Its name in the API."), *_REGION[1:]
    ),
    _single_result(
        "getVpc",
        "Finds a network.",
        _vpc,
        *(_by(name) for name in ("id", "name", "region")),
        *(schema.out(name) for name in ("description", "ipRange", "urn", "createdAt")),
        schema.out("default", schema.BOOL),
    ),
    _single_result(
        "getFirewall",
        "Finds a firewall.",
        _firewall,
        _Row(name="firewallId", required=True, doc="Its id."),
        *(row for row in tables.FIREWALL.properties if row.name != "name"),
        schema.out("name"),
    ),
    _single_result(
        "getKubernetesCluster",
        "Finds a cluster.",
        _cluster,
        _Row(name="name", required=True, check=validators.not_zero, doc="Its name."),
        *_CLUSTER_SETTINGS,
        *_CLUSTER_FACTS,
    ),
    *(
        listing.Listing(
            token=_token(f"get{result.capitalize()}"),
            result=result,
            rows=rows,
            fetch=fetch,
            flatten=flatten,
            identify=_hashed(result),
        ).function()
        for result, rows, fetch, flatten in (
            ("regions", _REGION, _all_regions, _flat_region),
            ("sizes", _SIZE, _all_sizes, _flat_size),
        )
    ),
)
