"""GcpGkeCluster: a GKE Standard cluster without a default pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.modules import unsupported
from planton.modules.gcp import gke_node_pool
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from org.project_planton.provider.gcp.gcpgkecluster.v1 import spec_pb2


def _place(location: str) -> dict[str, str]:
    """Returns the region of a location, and its zone: the location itself, or none for a cluster of a region."""
    cloud = providers.get("gcp")
    return {"platform.region": cloud.region_of(location), "platform.zone": location if cloud.is_zone(location) else ""}


def _zones(spec: spec_pb2.GcpGkeClusterSpec) -> int:
    """Returns the number of zones of a cluster: those of its spec with its own, else GKE's choice."""
    if providers.get("gcp").is_zone(spec.location):
        return len({spec.location, *spec.node_zones})
    return len(spec.node_zones) or gke_node_pool.USUAL_ZONES


KIND = kinds.Declaration(
    main="cluster",
    type="gcp:container/cluster:Cluster",
    role=kinds.Role.CLUSTER,
    cloud_name="spec.cluster_name",
    longest_name=40,
    scope=kinds.Scope.REGION,
    id_output="cluster_id",
    id_pattern=r"projects/[^/]+/locations/[^/]+/clusters/[^/]+",
    reference="spec.cluster_name",
    region_field="location",
    account_fields={"default_project": "spec.project_id"},
    losses=frozenset(kinds.Loss),
    state_inputs=("deletionProtection",),
    # The plugin copies the resource labels.
    ignored_inputs=("pulumiLabels",),
    fields={
        "name": "clusterName",
        "location": "location",
        "network": "networkSelfLink",
        "subnetwork": "subnetworkSelfLink",
        "minMasterVersion": "kubernetesVersion",
        "channel": "releaseChannel",
        "version": "kubernetesVersion",
        "zones": "nodeZones",
        "privateNodes": "enablePublicNodes",
        "networkPolicy": "disableNetworkPolicy",
        "workloadPool": "disableWorkloadIdentity",
        "authorizedNetworks": "masterAuthorizedNetworks",
    },
    api_fields={
        "clusterName": ("name",),
        "projectId": ("platform.projectID",),
        "location": ("platform.zone", "platform.region"),
        "networkSelfLink": ("platform.network", "existing.networkSelfLink"),
        "subnetworkSelfLink": ("platform.subnet", "existing.subnetworkSelfLink"),
        "clusterSecondaryRangeName": ("platform.podsRange", "existing.clusterSecondaryRangeName"),
        "servicesSecondaryRangeName": ("platform.servicesRange", "existing.servicesSecondaryRangeName"),
        "masterIpv4CidrBlock": ("platform.masterCIDR", "existing.masterIpv4CidrBlock"),
        "enablePublicNodes": ("platform.publicNodes", "existing.enablePublicNodes"),
        "releaseChannel": ("platform.releaseChannel", "existing.releaseChannel"),
        "masterAuthorizedNetworks": ("platform.authorizedNetworks", "existing.masterAuthorizedNetworks"),
        "kubernetesVersion": ("spec.release.version",),
        "disableNetworkPolicy": ("existing.disableNetworkPolicy",),
        "disableWorkloadIdentity": ("existing.disableWorkloadIdentity",),
    },
    api_place=_place,
    existing="planton.clouds.gcp.existing:spec",
    first_nodes=kinds.FirstNodes(
        count=_zones,
        needs="planton.clouds.gcp.quotas:of_first_node",
        path="spec.nodeZones",
        hint="ask the cloud for a higher quota, or list fewer zones in nodeZones: GKE creates a cluster with a node in each zone, "
        "and the plugin deletes them",
    ),
    replacing=(
        "projectId",
        "networkSelfLink",
        "location",
        "subnetworkSelfLink",
        "clusterSecondaryRangeName",
        "servicesSecondaryRangeName",
        "masterIpv4CidrBlock",
        "clusterName",
    ),
    shown=(
        "name",
        "location",
        "network",
        "subnetwork",
        "minMasterVersion",
        "releaseChannel",
        "nodeLocations",
        "privateClusterConfig",
        "networkPolicy",
        "masterAuthorizedNetworksConfig",
        "resourceLabels",
    ),
    fee=kinds.Fee(
        # $0.10 per hour since 2020-06-06, also for zonal clusters, of which the credit of an account pays one.
        text="management of the cluster",
        monthly=73.0,
        source="https://cloud.google.com/kubernetes-engine/pricing",
        read="2026-12-01",
    ),
    typical_seconds={"create": 480, "delete": 240},
)
UNSUPPORTED = (
    unsupported.Unsupported(
        "spec.router_nat_name",
        unsupported.Level.WARN,
        "the network's router applies the NAT, not the cluster; a reference here only creates it first",
    ),
)
