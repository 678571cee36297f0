"""GcpGkeNodePool: a node pool of a GKE cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Collection

    from org.project_planton.provider.gcp.gcpgkenodepool.v1 import spec_pb2

#: The number of zones that GKE chooses for a cluster in a region.
USUAL_ZONES = 3
#: The properties whose change replaces the machines of a pool, which stays.
_ROLLING = (
    "nodeConfig.machineType",
    "nodeConfig.diskSizeGb",
    "nodeConfig.diskType",
    "nodeConfig.imageType",
    "version",
)


def _counts(spec: spec_pb2.GcpGkeNodePoolSpec) -> tuple[int, int]:
    """Returns the number of nodes and the largest number, of all zones; of a pool without zones of its own, in the usual number."""
    is_zonal = providers.get("gcp").is_zone(spec.cluster_location.value)
    zones = len(spec.zones) or (1 if is_zonal else USUAL_ZONES)
    if spec.HasField("autoscaling"):
        bounds = spec.autoscaling
        least = bounds.initial_nodes or bounds.total_min_nodes or bounds.min_nodes * zones
        return least, bounds.total_max_nodes or bounds.max_nodes * zones
    count = spec.total_node_count or spec.node_count * zones
    return count, count


def _surge(spec: spec_pb2.GcpGkeNodePoolSpec, properties: Collection[str]) -> int:
    """Returns the nodes that GKE adds while it replaces those of a pool: some of them, or all for a blue-green upgrade."""
    if not any(name.startswith(_ROLLING) for name in properties):
        return 0
    if not spec.HasField("upgrade"):
        return 1
    return spec.upgrade.max_surge if spec.upgrade.strategy == "SURGE" else _counts(spec)[0]


KIND = kinds.Declaration(
    main="node_pool",
    type="gcp:container/nodePool:NodePool",
    role=kinds.Role.NODE_POOL,
    cloud_name="spec.node_pool_name",
    longest_name=40,
    scope=kinds.Scope.CLUSTER,
    id_output="node_pool_id",
    id_pattern=r"projects/[^/]+/locations/[^/]+/clusters/[^/]+/nodePools/[^/]+",
    region_field="cluster_location",
    count_field="total_node_count",
    counts=_counts,
    size_field="machine_type",
    cluster_id="projects/{cluster_project_id}/locations/{cluster_location}/clusters/{cluster_name}",
    cluster_property="cluster",
    cluster_id_of_state="projects/{project}/locations/{location}/clusters/{cluster}",
    account_fields={"default_project": "spec.cluster_project_id"},
    losses=frozenset({kinds.Loss.REPLACE, kinds.Loss.DELETE}),
    fields={
        "name": "nodePoolName",
        "cluster": "clusterName",
        "location": "clusterLocation",
        "project": "clusterProjectId",
        "nodeLocations": "zones",
        "nodeDrainConfigs": "drainTimeoutSeconds",
        "upgradeSettings": "upgrade",
        "size": "machineType",
        "diskSize": "diskSizeGb",
        "image": "imageType",
        "labels": "nodeLabels",
        "version": "kubernetesVersion",
        "count": "nodeCount",
        "bounds": "autoscaling",
    },
    api_fields={
        "nodePoolName": ("name",),
        "clusterProjectId": ("cluster.projectID",),
        "clusterName": ("cluster.name",),
        "clusterLocation": ("cluster.zone", "cluster.region"),
        "machineType": ("platform.machineType",),
        "diskSizeGb": ("platform.diskSize",),
        "diskType": ("platform.diskType",),
        "spot": ("platform.spot",),
        "preemptible": ("platform.preemptible",),
        "accelerators": ("platform.accelerators",),
        "zones": ("platform.zones",),
        "autoscaling.totalMinNodes": ("bounds.minNodes",),
        "autoscaling.totalMaxNodes": ("bounds.maxNodes",),
        "autoscaling.initialNodes": ("bounds.nodeCount",),
        "totalNodeCount": ("spec.nodeCount", "default.nodes"),
        "nodeLabels": ("default.labels",),
        "taints": ("spec.taints",),
    },
    node_price="planton.clouds.gcp.prices:node",
    needs="planton.clouds.gcp.quotas:of_node",
    surge=_surge,
    offers="planton.clouds.gcp.offers:refusals",
    replacing=(
        "clusterProjectId",
        "clusterName",
        "clusterLocation",
        "nodePoolName",
        "serviceAccount",
        "spot",
        "preemptible",
        "accelerators",
    ),
    shown=("name", "cluster", "location", "nodeCount", "autoscaling", "nodeLocations", "nodeConfig", "version"),
    typical_seconds={"create": 120, "update": 120, "delete": 180},
)
UNSUPPORTED = ()
