"""DigitalOceanKubernetesCluster: a managed cluster and its pools."""

from __future__ import annotations

from planton.schema import kinds

KIND = kinds.Declaration(
    main="cluster",
    type="digitalocean:index/kubernetesCluster:KubernetesCluster",
    role=kinds.Role.CLUSTER,
    cloud_name="spec.cluster_name",
    scope=kinds.Scope.REGION,
    losses=frozenset(kinds.Loss),
    is_tagged=True,
    default_pool_name="default",
    fields={
        "name": "clusterName",
        "region": "region",
        "version": "kubernetesVersion",
        "vpcUuid": "vpc",
        "tags": "tags",
        "maintenancePolicy": "maintenanceWindow",
        "controlPlaneFirewall": "controlPlaneFirewallAllowedIps",
        "nodePool": "defaultNodePool",
    },
    api_fields={
        "clusterName": ("name",),
        "region": ("platform.region",),
        "kubernetesVersion": ("spec.release.version", "default.version"),
        "vpc": ("platform.vpcUUID", "default.network"),
        "defaultNodePool.size": ("platform.defaultPool.size",),
        "defaultNodePool.nodeCount": ("platform.defaultPool.nodeCount",),
    },
    replacing=("region", "vpc", "defaultNodePool.size"),
)
UNSUPPORTED = ()
