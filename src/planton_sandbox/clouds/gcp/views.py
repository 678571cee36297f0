"""Clusters and pools of the simulated GKE, as answers show them.

These functions only read; callers count the reads.
"""

from __future__ import annotations

import hashlib
from typing import Any

from planton_sandbox import clock, pki
from planton_sandbox.clouds.gcp import catalogue, control_plane, machines, operations, records, scopes

ADDRESS = "127.0.0.1"
_PROVISIONING, _RUNNING, _RECONCILING, _STOPPING = "PROVISIONING", "RUNNING", "RECONCILING", "STOPPING"
_ERROR, _RUNNING_WITH_ERROR, _DEGRADED = "ERROR", "RUNNING_WITH_ERROR", "DEGRADED"


def etag(*parts: object) -> str:
    """Returns a text that changes with each of its parts."""
    return hashlib.sha256(":".join(str(part) for part in parts).encode()).hexdigest()[:16]


def cluster_etag(item: records.Cluster) -> str:
    """Returns a cluster's etag, which changes with each change of the cluster or of a pool."""
    return etag(item.id, item.revision, *(part for pool in item.pools for part in (pool.name, pool.revision)))


def pool_etag(owner: records.Cluster, item: records.Pool) -> str:
    """Returns a pool's etag."""
    return etag(owner.id, item.name, item.revision)


def cluster_status(state: records.State, item: records.Cluster) -> str:
    """Returns a cluster's state."""
    if item.failure:
        return _ERROR
    kinds = {operation.kind for operation in operations.running(state, item)}
    if records.DELETE_CLUSTER in kinds:
        return _STOPPING
    if records.CREATE_CLUSTER in kinds:
        return _PROVISIONING
    if kinds:
        return _RECONCILING
    return _DEGRADED if item.degraded else _RUNNING


def pool_status(state: records.State, owner: records.Cluster, item: records.Pool) -> str:
    """Returns a pool's state."""
    kinds = {operation.kind for operation in operations.running(state, owner) if operation.pool in ("", item.name)}
    if kinds & {records.DELETE_CLUSTER, records.DELETE_POOL}:
        return _STOPPING
    if kinds & {records.CREATE_CLUSTER, records.CREATE_POOL}:
        return _PROVISIONING
    if any(operation.pool == item.name for operation in operations.running(state, owner)):
        return _RECONCILING
    if item.failure:
        return _ERROR
    if item.shortages:
        return _RUNNING_WITH_ERROR if item.nodes else _ERROR
    return _RUNNING


def endpoint(state: records.State, item: records.Cluster) -> str:
    """Returns the host and port of a cluster's Kubernetes API; empty until the cluster is built."""
    return f"{ADDRESS}:{item.port}" if cluster_status(state, item) != _PROVISIONING else ""


def group_url(owner: records.Cluster, item: records.Pool, zone: str) -> str:
    """Returns the URL of a pool's instance group in a zone."""
    name = machines.group_name(owner, item, zone)
    return f"{scopes.COMPUTE}/v1/projects/{owner.project}/zones/{zone}/instanceGroupManagers/{name}"


def cluster(scope: scopes.Scope, item: records.Cluster) -> dict[str, Any]:
    """Returns a cluster."""
    state, subnetwork = scope.state, _subnetwork(scope, item)
    pools = [pool(scope, item, each) for each in item.pools]
    body: dict[str, Any] = {
        **item.settings,
        "name": item.name,
        "id": item.id,
        "network": item.network,
        "subnetwork": item.subnetwork,
        "initialClusterVersion": item.initial_version,
        "currentMasterVersion": item.version,
        "currentNodeVersion": min((each.version for each in item.pools), default=item.version),
        "currentNodeCount": sum(len(each.nodes) for each in item.pools),
        "nodePools": pools,
        "instanceGroupUrls": [url for each in pools for url in each["instanceGroupUrls"]],
        "locations": item.zones,
        "location": item.location,
        "zone": item.location,
        "createTime": clock.rfc3339(item.created),
        "status": cluster_status(state, item),
        "resourceLabels": dict(item.labels),
        "labelFingerprint": etag(*sorted(item.labels.items()))[:8],
        "masterAuth": {
            "clusterCaCertificate": pki.encoded(item.credentials.authority),
            "clientCertificateConfig": {},
        },
        "selfLink": f"{scopes.HOST}/{scope.version}/{scopes.path(item)}",
        "etag": cluster_etag(item),
        "ipAllocationPolicy": _ranges(item, subnetwork),
    }
    if item.initial:
        body["initialNodeCount"] = item.initial
    if pools:
        body["nodeConfig"] = pools[0]["config"]
    body["clusterIpv4Cidr"] = body["ipAllocationPolicy"].get("clusterIpv4CidrBlock", "")
    body["servicesIpv4Cidr"] = body["ipAllocationPolicy"].get("servicesIpv4CidrBlock", "")
    address = endpoint(state, item)
    domain = f"gke-{item.id[:12]}.{catalogue.region_of(item.location)}.gke.invalid"
    body |= control_plane.view(item.settings, address=address, domain=domain)
    body["networkConfig"] |= {
        "network": f"projects/{item.project}/global/networks/{item.network}",
        "subnetwork": f"projects/{item.project}/regions/{catalogue.region_of(item.location)}/subnetworks/{item.subnetwork}",
    }
    if address:
        body["endpoint"] = address
    conditions = [condition for each in pools for condition in each.get("conditions", [])]
    if item.degraded:
        conditions.append(item.degraded)
    if conditions:
        body["conditions"] = conditions
    if item.failure:
        body["statusMessage"] = item.failure
    return body


def pool(scope: scopes.Scope, owner: records.Cluster, item: records.Pool) -> dict[str, Any]:
    """Returns a pool."""
    body: dict[str, Any] = {
        **item.extra,
        "name": item.name,
        "config": item.config,
        "locations": item.zones,
        "networkConfig": {"podRange": item.pod_range, **item.network} if item.pod_range else item.network,
        "selfLink": f"{scopes.HOST}/{scope.version}/{scopes.path(owner)}/nodePools/{item.name}",
        "version": item.version,
        "instanceGroupUrls": [group_url(owner, item, zone) for zone in item.zones],
        "status": pool_status(scope.state, owner, item),
        "management": item.management,
        "maxPodsConstraint": {"maxPodsPerNode": str(item.max_pods)},
        "podIpv4CidrSize": catalogue.POD_PREFIX,
        "upgradeSettings": item.upgrade,
        "etag": pool_etag(owner, item),
    }
    # The cloud leaves a zero out.
    if item.initial:
        body["initialNodeCount"] = item.initial
    if item.autoscaling:
        body["autoscaling"] = item.autoscaling
    if item.shortages:
        body["conditions"] = [operations.condition(code, owner, zone) for zone, code in item.shortages.items()]
        body["statusMessage"] = "; ".join(condition["message"] for condition in body["conditions"])
    elif item.failure:
        body["statusMessage"] = item.failure
    return body


def summary(scope: scopes.Scope) -> dict[str, Any]:
    """Returns the resources of an account in a few words."""
    own = [(project, item) for project in scope.own_projects() for item in scope.clusters(project)]
    return {
        "projects": [item.id for item in scope.own_projects()],
        "clusters": [
            {
                "id": item.id,
                "project": project.id,
                "location": item.location,
                "name": item.name,
                "version": item.version,
                "status": cluster_status(scope.state, item),
                "pools": [
                    {
                        "name": pool.name,
                        "status": pool_status(scope.state, item, pool),
                        "version": pool.version,
                        "targets": pool.targets,
                        "labels": pool.config.get("labels", {}),
                        "nodes": [node.name for node in pool.nodes],
                    }
                    for pool in item.pools
                ],
            }
            for project, item in own
        ],
        **{sort: [item.name for item in scope.state.associated if item.sort == sort] for sort in ("disks", "forwardingRules")},
    }


def _subnetwork(scope: scopes.Scope, item: records.Cluster) -> records.Subnetwork | None:
    region = catalogue.region_of(item.location)
    listed = scope.subnetworks(scope.project(item.project))
    return next((each for each in listed if (each.region, each.name) == (region, item.subnetwork)), None)


def _ranges(item: records.Cluster, subnetwork: records.Subnetwork | None) -> dict[str, Any]:
    policy: dict[str, Any] = {"useIpAliases": True, "stackType": "IPV4", **(item.settings.get("ipAllocationPolicy") or {})}
    ranges = subnetwork.ranges if subnetwork else {}
    for prefix in ("cluster", "services"):
        cidr = ranges.get(policy.get(f"{prefix}SecondaryRangeName", ""))
        if cidr:
            policy[f"{prefix}Ipv4Cidr"] = policy[f"{prefix}Ipv4CidrBlock"] = cidr
    return policy
