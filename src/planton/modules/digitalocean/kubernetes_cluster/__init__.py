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
        "clusterAutoscalerConfigurations": "autoscaler",
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
    shown=(
        "name",
        "region",
        "version",
        "vpcUuid",
        "ha",
        "autoUpgrade",
        "surgeUpgrade",
        "tags",
        "maintenancePolicy",
        "controlPlaneFirewall",
        "nodePool",
    ),
    fees={
        "highly_available": kinds.Fee(
            text="highly available control plane",
            monthly=40.0,
            source="https://docs.digitalocean.com/products/kubernetes/details/pricing/",
            read="2026-11-30",
        )
    },
    typical_seconds={"create": 300, "delete": 60},
)
UNSUPPORTED = ()
