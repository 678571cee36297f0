"""Changes of clusters on the simulated GKE: ``PUT`` with one desired change, and the verbs.

Most settings have no effect here; they are kept and shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.gcp import (
    catalogue,
    clusters,
    control_plane,
    fields,
    operations,
    pool_updates,
    pools,
    records,
    scopes,
    versions,
    views,
)

_PREFIX = "desired"
# Changes that are kept in a block of another name.
_PRIVATE = {"desiredDefaultEnablePrivateNodes": "enablePrivateNodes", "desiredEnablePrivateEndpoint": "enablePrivateEndpoint"}
_NETWORK = {
    "desiredDatapathProvider": "datapathProvider",
    "desiredDnsConfig": "dnsConfig",
    "desiredGatewayApiConfig": "gatewayApiConfig",
    "desiredDefaultSnatStatus": "defaultSnatStatus",
    "desiredServiceExternalIpsConfig": "serviceExternalIpsConfig",
    "desiredEnableFqdnNetworkPolicy": "enableFqdnNetworkPolicy",
    "desiredEnableMultiNetworking": "enableMultiNetworking",
    "desiredInTransitEncryptionConfig": "inTransitEncryptionConfig",
}
_RENAMED = {"desiredClusterAutoscaling": "autoscaling"}
Desired = dict[str, Any]
Handler = Callable[[scopes.Scope, wire.Request], dict[str, Any]]


def update(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``PUT .../clusters/{cluster}``."""
    cluster = scope.cluster(request)
    desired: Desired = fields.named(request.body.get("update") or {})
    if not desired:
        raise scopes.invalid("Must specify a field to update.")
    if desired.get("etag") and desired["etag"] != views.cluster_etag(cluster):
        raise scopes.refused(409, f"The etag of cluster {cluster.name} does not match.", "ABORTED")
    if "desiredNodePoolAutoscaling" in desired:
        pool = scope.pool(cluster, _pool_name(cluster, desired))
        return pool_updates.autoscale(scope, cluster, pool, desired["desiredNodePoolAutoscaling"])
    if "desiredMasterVersion" in desired:
        operations.require_idle(scope, cluster)
        return operations.view(scope, begin_master_upgrade(scope, cluster, text=str(desired["desiredMasterVersion"])))
    if "desiredNodeVersion" in desired or "desiredImageType" in desired:
        return _update_nodes(scope, cluster, desired)
    operations.require_idle(scope, cluster)
    if "desiredReleaseChannel" in desired:
        _check_channel(cluster, desired["desiredReleaseChannel"])
    if "desiredLocations" in desired:
        cluster.zones = pools.locations(cluster.location, desired["desiredLocations"])
    for key, value in desired.items():
        _set(cluster, key, value)
    return _change(scope, cluster)


def begin_master_upgrade(scope: scopes.Scope, cluster: records.Cluster, *, text: str) -> records.Operation:
    """Begins to upgrade a control plane: one minor version at a time, and never to an older minor version."""
    version = clusters.master_version(cluster.settings, text)
    before, after = versions.minor(cluster.version), versions.minor(version)
    if after[1] > before[1] + 1:
        raise scopes.invalid(
            f'Master cannot be upgraded to "{version}": cannot upgrade the master more than one minor version at a time. '
            f'The master is at "{cluster.version}".'
        )
    if after < before:
        raise scopes.invalid(f'Master cannot be downgraded from "{cluster.version}" to "{version}".')
    old = next((pool for pool in cluster.pools if not versions.node_fits(pool.version, version)), None)
    if old is not None:
        raise scopes.invalid(
            f'Node version "{old.version}" of node pool "{old.name}" must be within two minor versions of master version '
            f'"{version}".'
        )
    cluster.version = version
    cluster.revision += 1
    return operations.begin(scope, cluster, records.UPGRADE_MASTER, seconds=catalogue.MASTER_UPGRADE_SECONDS)


def _update_nodes(scope: scopes.Scope, cluster: records.Cluster, desired: Desired) -> dict[str, Any]:
    pool = scope.pool(cluster, _pool_name(cluster, desired))
    operations.require_idle(scope, cluster, pool.name)
    text = str(desired.get("desiredNodeVersion") or "")
    version = pools.node_version(cluster, text) if text else pool.version
    image = str(desired.get("desiredImageType") or pool.config["imageType"]).upper()
    config = {**pool.config, "imageType": image}
    return operations.view(scope, pool_updates.begin_upgrade(scope, cluster, pool, config=config, version=version))


def _pool_name(cluster: records.Cluster, desired: Desired) -> str:
    if desired.get("desiredNodePoolId"):
        return str(desired["desiredNodePoolId"])
    if len(cluster.pools) != 1:
        raise scopes.invalid("desired_node_pool_id must be specified when the cluster has more than one node pool.")
    return cluster.pools[0].name


def _check_channel(cluster: records.Cluster, channel: Mapping[str, Any]) -> None:
    name = channel.get("channel") or versions.UNSPECIFIED
    if name == versions.UNSPECIFIED:
        return
    for pool in cluster.pools:
        for key, text in (("autoUpgrade", "Auto_upgrade"), ("autoRepair", "Auto_repair")):
            if not pool.management.get(key):
                raise scopes.invalid(f"{text} cannot be false when release_channel {name} is set.")


def _set(cluster: records.Cluster, key: str, value: Any) -> None:
    settings = cluster.settings
    if key in _PRIVATE:
        settings["privateClusterConfig"] = {**(settings.get("privateClusterConfig") or {}), _PRIVATE[key]: value}
    elif key == "desiredControlPlaneEndpointsConfig":
        control_plane.merge(settings, fields.setting("controlPlaneEndpointsConfig", value))
    elif key in _NETWORK:
        settings["networkConfig"] = {**settings["networkConfig"], _NETWORK[key]: value}
    elif key == "desiredAddonsConfig":
        settings["addonsConfig"] = {**settings["addonsConfig"], **value}
    elif key not in ("desiredLocations", "etag"):
        name = _RENAMED.get(key) or _lower(key.removeprefix(_PREFIX))
        if name not in fields.SETTINGS:
            raise scopes.invalid(f"Invalid JSON payload received. Unknown name \"{key}\" at 'update': Cannot find field.")
        settings[name] = fields.setting(name, value)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _change(scope: scopes.Scope, cluster: records.Cluster, kind: str = records.UPDATE_CLUSTER) -> dict[str, Any]:
    cluster.revision += 1
    return operations.view(scope, operations.begin(scope, cluster, kind, seconds=catalogue.CLUSTER_UPDATE_SECONDS))


def _verb(kind: str, change: Callable[[records.Cluster, Mapping[str, Any]], None]) -> Handler:
    def handle(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
        cluster = scope.cluster(request)
        operations.require_idle(scope, cluster)
        change(cluster, fields.named(request.body))
        return _change(scope, cluster, kind)

    return handle


def _keep(field: str) -> Callable[[records.Cluster, Mapping[str, Any]], None]:
    def change(cluster: records.Cluster, body: Mapping[str, Any]) -> None:
        cluster.settings[field] = fields.setting(field, body.get(field) or {})

    return change


def _labels(cluster: records.Cluster, body: Mapping[str, Any]) -> None:
    if body.get("labelFingerprint") != views.etag(*sorted(cluster.labels.items()))[:8]:
        raise scopes.refused(409, "Labels could not be set due to fingerprint mismatch.", "ABORTED")
    cluster.labels = {str(key): str(text) for key, text in (body.get("resourceLabels") or {}).items()}


def _legacy_abac(cluster: records.Cluster, body: Mapping[str, Any]) -> None:
    cluster.settings["legacyAbac"] = {"enabled": True} if body.get("enabled") else {}


def _addons(cluster: records.Cluster, body: Mapping[str, Any]) -> None:
    cluster.settings["addonsConfig"] = {**cluster.settings["addonsConfig"], **(body.get("addonsConfig") or {})}


def _locations(cluster: records.Cluster, body: Mapping[str, Any]) -> None:
    cluster.zones = pools.locations(cluster.location, body.get("locations") or [])


def _update_master(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    cluster = scope.cluster(request)
    operations.require_idle(scope, cluster)
    return operations.view(scope, begin_master_upgrade(scope, cluster, text=str(request.body.get("masterVersion") or "")))


VERBS: Mapping[str, Handler] = {
    "setNetworkPolicy": _verb("SET_NETWORK_POLICY", _keep("networkPolicy")),
    "setMaintenancePolicy": _verb("SET_MAINTENANCE_POLICY", _keep("maintenancePolicy")),
    "setLogging": _verb(records.UPDATE_CLUSTER, _keep("loggingService")),
    "setMonitoring": _verb(records.UPDATE_CLUSTER, _keep("monitoringService")),
    "setResourceLabels": _verb("SET_LABELS", _labels),
    "setLegacyAbac": _verb(records.UPDATE_CLUSTER, _legacy_abac),
    "setAddons": _verb(records.UPDATE_CLUSTER, _addons),
    "setLocations": _verb(records.UPDATE_CLUSTER, _locations),
    "updateMaster": _update_master,
}
