"""Changes of node pools on the simulated GKE.

Labels, taints and tags reach the present nodes. Another machine, disk, image or version replaces them, batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.gcp import (
    catalogue,
    fields,
    machines,
    operations,
    pool_settings,
    pools,
    quotas,
    records,
    scopes,
    views,
)

# The fields of nodes that are changed in place, by their field in a request, and the field in it with the new value.
_IN_PLACE = {"labels": "labels", "taints": "taints", "tags": "tags", "resourceLabels": "labels"}
_REPLACING = (
    "machineType",
    "diskType",
    "diskSizeGb",
    "bootDisk",
    "imageType",
    "accelerators",
    "workloadMetadataConfig",
    "linuxNodeConfig",
    "kubeletConfig",
    "gcfsConfig",
    "confidentialNodes",
    "gvnic",
    "fastSocket",
    "loggingConfig",
    "windowsNodeConfig",
    "containerdConfig",
    "storagePools",
    "maxRunDuration",
    "flexStart",
)
_KEPT = ("queuedProvisioning", "nodeDrainConfig", "maintenancePolicy")


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT .../nodePools/{pool}``; an absent field keeps its value."""
    cluster, pool = _named(scope, request)
    body = fields.read(request.body, fields.UPDATE_POOL)
    _require_etag(cluster, pool, body)
    operations.require_idle(scope, cluster, pool.name)
    zones = pools.locations(cluster.location, body["locations"]) if body.get("locations") else pool.zones
    config, replacing = _config(pool, body)
    version = pools.node_version(cluster, str(body["nodeVersion"])) if body.get("nodeVersion") else pool.version
    pool_settings.check(config, version=version, zones=zones)
    if "upgradeSettings" in body:
        pool.upgrade = pool_settings.upgrade(body["upgradeSettings"], present=pool.upgrade)
    pool.extra |= {key: body[key] for key in _KEPT if key in body}
    pool.network |= body.get("nodeNetworkConfig") or {}
    if zones != pool.zones:
        _relocate(scope, cluster, pool, zones)
    if replacing or version != pool.version:
        return operations.view(scope, begin_upgrade(scope, cluster, pool, config=config, version=version))
    olds, pool.config = pool.config, config
    machines.relabel(pool, olds=olds)
    return _change(scope, cluster, pool, records.UPDATE_CLUSTER)


def set_size(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../nodePools/{pool}:setSize``; the count is per zone."""
    cluster, pool = _named(scope, request)
    count = fields.count(request.body.get("nodeCount", 0), "node_count")
    operations.require_idle(scope, cluster, pool.name)
    return operations.view(scope, begin_resize(scope, cluster, pool, count=count))


def set_autoscaling(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../nodePools/{pool}:setAutoscaling``."""
    cluster, pool = _named(scope, request)
    return autoscale(scope, cluster, pool, request.body.get("autoscaling") or {})


def set_management(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../nodePools/{pool}:setManagement``."""
    cluster, pool = _named(scope, request)
    operations.require_idle(scope, cluster, pool.name)
    # An absent field is false, so that an empty body turns both off.
    pool.management = pool_settings.management(cluster, {"autoUpgrade": False, **(request.body.get("management") or {})})
    return _change(scope, cluster, pool, records.SET_MANAGEMENT)


def rollback(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../nodePools/{pool}:rollback``: ends an upgrade in progress and returns to the previous nodes."""
    cluster, pool = _named(scope, request)
    _require_etag(cluster, pool, request.body)
    for operation in operations.running(scope.state, cluster, pool=pool.name):
        if operation.kind == records.UPGRADE_NODES:
            operations.end(operation, now=scope.now, error="Operation was aborted by a rollback.")
    operations.require_idle(scope, cluster, pool.name)
    if not pool.previous:
        return _change(scope, cluster, pool, records.UPGRADE_NODES)
    previous = pool.previous
    pool.previous = {}
    pool.config, pool.version, pool.template = previous["config"], previous["version"], previous["template"]
    for node in pool.nodes:
        node.draining = False
    return operations.view(scope, _begin_replacing(scope, cluster, pool))


def complete_upgrade(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../nodePools/{pool}:completeUpgrade``: ends the soaking of a blue-green upgrade."""
    cluster, pool = _named(scope, request)
    for operation in operations.running(scope.state, cluster, pool=pool.name):
        if operation.kind == records.UPGRADE_NODES and pool.upgrade.get("strategy") == "BLUE_GREEN":
            operation.timer = operations.timer(scope, seconds=0)
            return {}
    raise scopes.busy(f"Node pool {pool.name} has no blue-green upgrade in progress.")


def begin_resize(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, count: int) -> records.Operation:
    """Begins to scale a pool to ``count`` nodes in each zone."""
    targets = dict.fromkeys(pool.zones, count)
    pools.check_size(targets, present=[item for item in cluster.pools if item is not pool])
    quotas.require(scope, cluster, pool, more=max(sum(targets.values()) - len(machines.remaining(pool)), 0))
    pool.initial = count
    pool.revision += 1
    machines.resize(scope, cluster, pool, targets)
    seconds = catalogue.STOCKOUT_SECONDS if pool.shortages else catalogue.NODE_SECONDS
    return operations.begin(scope, cluster, records.RESIZE_POOL, seconds=seconds, pool=pool.name)


def begin_upgrade(
    scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, config: dict[str, Any], version: str
) -> records.Operation:
    """Begins to replace the nodes of a pool by others."""
    pool.previous = {"config": pool.config, "version": pool.version, "template": pool.template}
    pool.config, pool.version = config, version
    pool.template += 1
    pool.revision += 1
    return _begin_replacing(scope, cluster, pool)


def autoscale(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Changes the bounds of a pool and returns the operation."""
    operations.require_idle(scope, cluster, pool.name)
    spot = bool(pool.config.get("spot") or pool.config.get("preemptible"))
    pool.autoscaling = pool_settings.autoscaling(settings, spot=spot)
    if not pool.autoscaling:
        pool.load = None
    return _change(scope, cluster, pool, records.UPDATE_CLUSTER)


def _begin_replacing(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool) -> records.Operation:
    return operations.begin(scope, cluster, records.UPGRADE_NODES, seconds=0, pool=pool.name)


def _named(scope: scopes.Scope, request: wire.Request) -> tuple[records.Cluster, records.Pool]:
    cluster = scope.cluster(request)
    return cluster, scope.pool(cluster, request.parts["pool"])


def _require_etag(cluster: records.Cluster, pool: records.Pool, body: Mapping[str, Any]) -> None:
    if body.get("etag") and body["etag"] != views.pool_etag(cluster, pool):
        raise scopes.refused(409, f"The etag of node pool {pool.name} does not match.", "ABORTED")


def _config(pool: records.Pool, body: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Returns the machines after a request, and whether that replaces the nodes."""
    config = dict(pool.config)
    for key, inner in _IN_PLACE.items():
        if key in body:
            config[key] = (body[key] or {}).get(inner) or ({} if key.endswith("abels") else [])
    config["resourceLabels"] = {
        **{key: text for key, text in (pool.config.get("resourceLabels") or {}).items() if key.startswith("goog-")},
        **(config.get("resourceLabels") or {}),
    }
    for key in _REPLACING:
        if key in body:
            config[key] = fields.count(body[key], key) if key == "diskSizeGb" else body[key]
    boot = body.get("bootDisk") or {}
    config["diskType"] = boot.get("diskType") or config["diskType"]
    config["diskSizeGb"] = fields.count(boot.get("sizeGb") or config["diskSizeGb"], "diskSizeGb")
    config["bootDisk"] = {**(config.get("bootDisk") or {}), "diskType": config["diskType"], "sizeGb": str(config["diskSizeGb"])}
    config["imageType"] = str(config["imageType"]).upper()
    config["taints"] = pool_settings.taints(config, config.get("taints") or [])
    config = {key: value for key, value in config.items() if value not in ([], {}, None)}
    return config, any(config.get(key) != pool.config.get(key) for key in _REPLACING)


def _relocate(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, zones: list[str]) -> None:
    each = max(pool.targets.values(), default=0)
    pool.zones = zones
    machines.resize(scope, cluster, pool, dict.fromkeys(zones, each))
    pool.groups = {zone: key for zone, key in pool.groups.items() if zone in zones}


def _change(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, kind: str) -> dict[str, Any]:
    """Records a change that is done already, and returns its operation."""
    pool.revision += 1
    operation = operations.begin(scope, cluster, kind, seconds=catalogue.POOL_UPDATE_SECONDS, pool=pool.name)
    return operations.view(scope, operation)


VERBS: Mapping[str, Callable[[scopes.Scope, wire.Request], dict[str, Any]]] = {
    "setSize": set_size,
    "setAutoscaling": set_autoscaling,
    "setManagement": set_management,
    "rollback": rollback,
    "completeUpgrade": complete_upgrade,
}
