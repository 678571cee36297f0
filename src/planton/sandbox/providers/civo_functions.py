"""Civo's functions that programs call: one thing by id or name, or a list that is filtered and sorted."""

from __future__ import annotations

import re
import time
import typing

from planton.sandbox.providers import civo_client, civo_cluster, civo_network, package, schema, sessions, values

_Row = schema.Property
_Args = dict[str, values.Json]
_REGION = _Row(name="region", doc="Where to look; the provider's region if unset.")
_FILTER = (
    _Row(name="key", required=True, doc="The field to look at."),
    _Row(name="values", type=schema.LIST, required=True, doc="What it may be."),
    _Row(name="all", type=schema.BOOL, default=False, doc="Whether all the values must match."),
    _Row(name="matchBy", default="exact", doc="exact, re or substring."),
)
_SORT = (
    _Row(name="key", required=True, doc="The field to sort by."),
    _Row(name="direction", doc="asc or desc."),
)
_MATCHES: typing.Final[dict[str, typing.Callable[[str, str], bool]]] = {
    "exact": lambda value, wanted: value.casefold() == wanted.casefold(),
    "substring": lambda value, wanted: wanted in value,
    "re": lambda value, wanted: re.search(wanted, value) is not None,
}


def _out(name: str, kind: str = schema.STRING, fields: tuple[schema.Property, ...] = ()) -> schema.Property:
    return _Row(name=name, type=kind, fields=fields, output_only=True, computed=True)


def _by(*keys: str) -> tuple[schema.Property, ...]:
    return (*(_Row(name=key, doc=f"The {key} to look for.") for key in keys), _REGION)


def _one_of(args: _Args, *keys: str) -> str:
    """Returns the value of the first key given, where exactly one may be.

    Raises:
        Rejected: None or several are given.
    """
    given = [key for key in keys if args.get(key)]
    listed = ",".join(keys)
    if len(given) == 1:
        return str(args[given[0]])
    if not given:
        raise sessions.Rejected(f'Invalid combination of arguments. "{keys[0]}": one of `{listed}` must be specified')
    several = f"only one of `{listed}` can be specified, but `{listed}` were specified."
    raise sessions.Rejected(f'Invalid combination of arguments. "{keys[0]}": {several}')


def _network(client: civo_client.Client, args: _Args) -> _Args:
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


def _firewall(client: civo_client.Client, args: _Args) -> _Args:
    wanted = _one_of(args, "id", "name")
    client.use_region(args.get("region"))
    try:
        found = civo_network.find_firewall(client, wanted)
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive firewall: {error}") from error
    return {
        "id": found.get("id", ""),
        "name": found.get("name", ""),
        "networkId": found.get("network_id", ""),
        "region": client.region,
    }


def _cluster(client: civo_client.Client, args: _Args) -> _Args:
    wanted = _one_of(args, "id", "name")
    client.use_region(args.get("region"))
    try:
        found = civo_cluster.find_cluster(client, wanted)
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to retrive kubernetes cluster: {error}") from error
    shared = civo_cluster.facts(found, region=client.region)
    for resource_only in ("networkId", "clusterType", "firewallId"):
        del shared[resource_only]
    return {
        **shared,
        "id": found.get("id", ""),
        "tags": found.get("tags") or [],
        "applications": "",
        "kubeconfig": found.get("kubeconfig", ""),
        "pools": [civo_cluster.pool_facts(pool) for pool in found.get("pools") or ()],
    }


def _listing(
    path: str, result: str, trouble: str, flatten: typing.Callable[[_Args], _Args | None], columns: dict[str, str]
) -> typing.Callable[[typing.Any, _Args], _Args]:
    """Makes the call of a function that lists; ``flatten`` returns nothing for what is not shown."""

    def call(client: civo_client.Client, args: _Args) -> _Args:
        filters, sorts = args.get("filters") or [], args.get("sorts") or []
        for name, items in (("filter", filters), ("sort", sorts)):
            for index, item in enumerate(items):
                if item["key"] not in columns:
                    listed = " ".join(f'"{column}"' for column in columns)
                    raise sessions.Rejected(f"expected {name}.{index}.key to be one of [{listed}], got {item['key']}")
        try:
            found = client.get(path) or ()
        except civo_client.CloudError as error:
            raise sessions.Fault(f"Unable to load records: [ERR] error retrieving {trouble}: {error}") from error
        rows = [row for row in map(flatten, found) if row is not None]
        rows = [row for row in rows if all(_passes(row, columns, one) for one in filters)]
        for one in reversed(sorts):
            rows.sort(key=lambda row, at=columns[one["key"]]: row[at], reverse=one.get("direction") == "desc")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        results: _Args = {"id": f"terraform-{time.time_ns()}", result: rows}
        for name, items in (("filters", filters), ("sorts", sorts)):
            if items:
                results[name] = [{key: value for key, value in item.items() if key != "__defaults"} for item in items]
        return results

    return call


def _passes(row: _Args, columns: dict[str, str], one: _Args) -> bool:
    value = row[columns[one["key"]]]
    if isinstance(value, bool):
        hits = [value == (str(wanted).lower() in ("true", "t", "1")) for wanted in one["values"]]
    elif isinstance(value, int):
        hits = [str(value) == str(wanted) for wanted in one["values"]]
    else:
        matches = _MATCHES[one.get("matchBy") or "exact"]
        hits = [matches(str(value), str(wanted)) for wanted in one["values"]]
    return all(hits) if one.get("all") else any(hits)


def _region_row(item: _Args) -> _Args:
    texts = {key: item.get(key, "") for key in ("code", "name", "country")}
    return {**texts, "default": bool(item.get("default"))}


def _version_row(item: _Args) -> _Args:
    version = item.get("version", "")
    kind = item.get("clusterType", "")
    return {"version": version, "label": f"v{version}", "type": kind, "default": bool(item.get("default"))}


def _size_row(item: _Args) -> _Args | None:
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
    flatten: typing.Callable[[_Args], _Args | None],
    rows: tuple[schema.Property, ...],
) -> package.Function:
    settings = (
        _Row(name="filters", wire="filter", type=schema.SET, fields=_FILTER, doc="What to keep."),
        _Row(name="sorts", wire="sort", type=schema.LIST, fields=_SORT, doc="The order."),
    )
    table = schema.Table(
        token=f"civo:index/{name}:{name}",
        doc=f"Lists {result}.",
        properties=(*settings, _out(result, schema.LIST, rows)),
    )
    columns = {row.path: row.name for row in rows}
    return package.Function(table=table, call=_listing(path, result, trouble, flatten, columns))


_POOL = (
    _out("label"),
    _out("nodeCount", schema.INT),
    _out("size"),
    _out("instanceNames", schema.LIST),
    _out("publicIpNodePool", schema.BOOL),
    _out("labels", schema.MAP),
    _out("taints", schema.SET, (_out("key"), _out("value"), _out("effect"))),
)
_APPLICATION = (_out("application"), _out("version"), _out("installed", schema.BOOL), _out("category"))
_CLUSTER = (
    _out("numTargetNodes", schema.INT),
    *(_out(name) for name in ("targetNodesSize", "kubernetesVersion", "cni", "applications", "status", "kubeconfig")),
    *(_out(name) for name in ("apiEndpoint", "masterIp", "dnsEntry", "createdAt")),
    _out("tags", schema.SET),
    _out("ready", schema.BOOL),
    _out("pools", schema.LIST, _POOL),
    _out("installedApplications", schema.LIST, _APPLICATION),
)


def _one(name: str, doc: str, rows: tuple[schema.Property, ...]) -> schema.Table:
    return schema.Table(token=f"civo:index/{name}:{name}", doc=doc, properties=rows)


FUNCTIONS = (
    package.Function(
        table=_one("getNetwork", "Finds a network.", (*_by("id", "label"), _out("name"), _out("default", schema.BOOL))),
        call=_network,
    ),
    package.Function(table=_one("getFirewall", "Finds a firewall.", (*_by("id", "name"), _out("networkId"))), call=_firewall),
    package.Function(table=_one("getKubernetesCluster", "Finds a cluster.", (*_by("id", "name"), *_CLUSTER)), call=_cluster),
    _list_function(
        "getKubernetesVersion",
        path="/v2/kubernetes/versions",
        result="versions",
        trouble="all versions",
        flatten=_version_row,
        rows=(_out("version"), _out("label"), _out("type"), _out("default", schema.BOOL)),
    ),
    _list_function(
        "getSize",
        path="/v2/sizes",
        result="sizes",
        trouble="sizes",
        flatten=_size_row,
        rows=(
            *(_out(name) for name in ("name", "type", "description", "gpuType")),
            *(_out(name, schema.INT) for name in ("cpu", "ram", "disk", "gpu")),
            _out("selectable", schema.BOOL),
        ),
    ),
    _list_function(
        "getRegion",
        path="/v2/regions",
        result="regions",
        trouble="regions",
        flatten=_region_row,
        rows=(_out("code"), _out("name"), _out("country"), _out("default", schema.BOOL)),
    ),
)
