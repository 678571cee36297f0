"""Clusters of the simulated GKE: list, read, create, delete, and the server's configuration."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from planton_sandbox import pki, wire
from planton_sandbox.clouds.gcp import (
    catalogue,
    control_plane,
    fields,
    machines,
    operations,
    pool_settings,
    pools,
    records,
    scopes,
    versions,
    views,
)

DEFAULT_POOL = "default-pool"
# What the cloud shows of settings that a request leaves out. The official plugin reads the first two without looking.
DEFAULTS: Mapping[str, Any] = {
    "legacyAbac": {},
    "networkConfig": {"defaultSnatStatus": {}, "datapathProvider": "LEGACY_DATAPATH", "serviceExternalIpsConfig": {}},
    "addonsConfig": {
        "kubernetesDashboard": {"disabled": True},
        "networkPolicyConfig": {"disabled": True},
        "dnsCacheConfig": {"enabled": True},
        "gcePersistentDiskCsiDriverConfig": {"enabled": True},
        "gcsFuseCsiDriverConfig": {},
        "gcpFilestoreCsiDriverConfig": {},
    },
    "loggingService": "logging.googleapis.com/kubernetes",
    "monitoringService": "monitoring.googleapis.com/kubernetes",
    "loggingConfig": {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]}},
    "monitoringConfig": {
        "componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]},
        "managedPrometheusConfig": {"enabled": True},
    },
    "databaseEncryption": {"state": "DECRYPTED", "currentState": "CURRENT_STATE_DECRYPTED"},
    "shieldedNodes": {"enabled": True},
    "autoscaling": {"autoscalingProfile": "BALANCED"},
    "defaultMaxPodsConstraint": {"maxPodsPerNode": "110"},
    "masterAuthorizedNetworksConfig": {},
    "notificationConfig": {"pubsub": {}},
    "securityPostureConfig": {"mode": "BASIC", "vulnerabilityMode": "VULNERABILITY_MODE_UNSPECIFIED"},
    "autopilot": {},
    "releaseChannel": {"channel": "REGULAR"},
    "verticalPodAutoscaling": {},
}


def server_config(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../serverConfig``."""
    scope.project(request.parts["project"])
    _place(request.parts["location"])
    return {
        "defaultClusterVersion": versions.default("REGULAR"),
        "validNodeVersions": list(versions.NODES),
        "defaultImageType": "COS_CONTAINERD",
        "validImageTypes": list(catalogue.IMAGE_TYPES),
        "validMasterVersions": list(versions.MASTERS),
        "channels": [
            {
                "channel": channel,
                "defaultVersion": listed[0],
                "validVersions": list(listed),
                "upgradeTargetVersion": listed[0],
            }
            for channel, listed in versions.CHANNELS.items()
        ],
    }


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../clusters``; the location ``-`` means all."""
    project, location = scope.project(request.parts["project"]), request.parts["location"]
    if location != "-":
        _place(location)
    chosen = [item for item in scope.clusters(project) if location in ("-", item.location)]
    body = {"clusters": [views.cluster(scope, item) for item in chosen]}
    for item in chosen:
        pools.observe(scope, item)
    return body


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../clusters/{cluster}``."""
    cluster = scope.cluster(request)
    body = views.cluster(scope, cluster)
    pools.observe(scope, cluster)
    return body


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../clusters``."""
    project, location = scope.project(request.parts["project"]), request.parts["location"]
    envelope = fields.read(request.body, frozenset(("cluster", "parent", "projectId", "zone")))
    body = fields.read(envelope.get("cluster") or {}, fields.CLUSTER, at="cluster")
    name, zones = pool_settings.name(body, noun="cluster"), _zones(location, body)
    if any((item.location, item.name) == (location, name) for item in scope.clusters(project)):
        raise scopes.refused(409, f"Already exists: projects/{project.id}/locations/{location}/clusters/{name}.")
    requested = {key: fields.setting(key, value) for key, value in body.items() if key in fields.SETTINGS and key != "masterAuth"}
    settings = {**DEFAULTS, **requested}
    settings["networkConfig"] = {**DEFAULTS["networkConfig"], **(body.get("networkConfig") or {})}
    settings["addonsConfig"] = {**DEFAULTS["addonsConfig"], **(body.get("addonsConfig") or {})}
    control_plane.absorb(settings)
    version = master_version(settings, str(body.get("initialClusterVersion") or ""))
    cluster = records.Cluster(
        id=secrets.token_hex(32),
        project=project.id,
        location=location,
        name=name,
        zones=zones,
        version=version,
        initial_version=version,
        network=_last(body.get("network") or "default"),
        subnetwork=_last(body.get("subnetwork") or "default"),
        created=scope.now,
        port=0,
        credentials=pki.issue(name, hostname=f"{name}.gke.invalid"),
        settings=settings,
        labels={str(key): str(text) for key, text in (body.get("resourceLabels") or {}).items()},
        initial=fields.count(body.get("initialNodeCount", 0), "cluster.initial_node_count"),
    )
    _check_network(scope, cluster)
    cluster.pools = _first_pools(cluster, body)
    for pool in cluster.pools:
        pools.check_room(scope, cluster, pool, present=cluster.pools)
    return operations.view(scope, _begin(scope, cluster))


def delete(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``DELETE .../clusters/{cluster}``; its pools are deleted, too."""
    cluster = scope.cluster(request)
    if not cluster.failure:
        operations.require_idle(scope, cluster)
    return operations.view(scope, begin_delete(scope, cluster))


def begin_delete(scope: scopes.Scope, cluster: records.Cluster) -> records.Operation:
    """Begins to delete a cluster."""
    return operations.begin(scope, cluster, records.DELETE_CLUSTER, seconds=catalogue.CLUSTER_DELETE_SECONDS)


def master_version(settings: Mapping[str, Any], text: str) -> str:
    """Returns a version for a control plane; one that its channel does not have is refused."""
    channel = (settings.get("releaseChannel") or {}).get("channel") or versions.UNSPECIFIED
    listed = versions.offered(channel)
    version = versions.find(text, listed, usual=versions.default(channel))
    if version:
        return version
    if channel in versions.CHANNELS and versions.find(text, versions.MASTERS, usual=""):
        raise scopes.invalid(f'Master version must be one of "{channel}" channel supported versions [{", ".join(listed)}].')
    if text.count(".") < 2:  # noqa: PLR2004 - a prefix
        raise scopes.invalid(f'No valid versions with the prefix "{text}" found.')
    raise scopes.invalid(f'Master version "{text}" is unsupported.')


def _begin(scope: scopes.Scope, cluster: records.Cluster) -> records.Operation:
    cluster.port = scope.reserve_port()
    if scope.state.stuck_next:
        scope.state.stuck_next -= 1
        cluster.stuck = True
    scope.state.clusters.append(cluster)
    for pool in cluster.pools:
        machines.fill(scope, cluster, pool, seconds=catalogue.CLUSTER_SECONDS)
    short = any(pool.shortages for pool in cluster.pools)
    seconds = catalogue.STOCKOUT_SECONDS if short else catalogue.CLUSTER_SECONDS
    return operations.begin(scope, cluster, records.CREATE_CLUSTER, seconds=seconds)


def _first_pools(cluster: records.Cluster, body: Mapping[str, Any]) -> list[records.Pool]:
    listed = body.get("nodePools") or []
    if listed and (cluster.initial or body.get("nodeConfig")):
        raise scopes.invalid("Only one of node_pools and initial_node_count with node_config can be set.")
    if not listed:
        if not cluster.initial:
            raise scopes.invalid("Cluster.initial_node_count must be greater than zero.")
        config = body.get("nodeConfig") or {}
        listed = [{"name": DEFAULT_POOL, "initialNodeCount": cluster.initial, "config": config}]
    return [pools.parse(cluster, item) for item in listed]


def _check_network(scope: scopes.Scope, cluster: records.Cluster) -> None:
    region = catalogue.region_of(cluster.location)
    present = [item for item in scope.subnetworks(scope.project(cluster.project)) if item.network == cluster.network]
    if not present:
        raise scopes.invalid(f'Network "{cluster.network}" does not exist.')
    subnetwork = next((item for item in present if (item.region, item.name) == (region, cluster.subnetwork)), None)
    if subnetwork is None:
        raise scopes.invalid(f'Subnetwork "{cluster.subnetwork}" does not exist in region "{region}".')
    policy = cluster.settings.get("ipAllocationPolicy") or {}
    for key in ("clusterSecondaryRangeName", "servicesSecondaryRangeName"):
        if policy.get(key) and policy[key] not in subnetwork.ranges:
            raise scopes.invalid(f'Secondary range "{policy[key]}" does not exist in subnetwork "{subnetwork.name}".')


def _zones(location: str, body: Mapping[str, Any]) -> list[str]:
    usual = _place(location)
    listed = pools.locations(location, body.get("locations") or list(usual[:3]))
    if len(usual) == 1 and location not in listed:
        raise scopes.invalid(f'Locations must contain the zone of the cluster, "{location}".')
    return listed


def _place(location: str) -> tuple[str, ...]:
    zones = catalogue.zones_of(location)
    if not zones:
        raise scopes.invalid(f'Location "{location}" does not exist.')
    return zones


def _last(path: object) -> str:
    return str(path).rsplit("/", maxsplit=1)[-1]
