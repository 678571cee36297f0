"""CivoKubernetesCluster: a managed cluster, its firewall and its pools."""

from __future__ import annotations

from planton.modules import unsupported
from planton.schema import kinds

KIND = kinds.Declaration(
    main="cluster",
    type="civo:index/kubernetesCluster:KubernetesCluster",
    role=kinds.Role.CLUSTER,
    cloud_name="spec.cluster_name",
    scope=kinds.Scope.REGION,
    losses=frozenset(kinds.Loss),
    is_tagged=True,
    default_pool_name="default-pool",
    own_firewall="{}-firewall",
    fields={
        "name": "clusterName",
        "region": "region",
        "kubernetesVersion": "kubernetesVersion",
        "networkId": "network",
        "firewallId": "firewall",
        "tags": "tags",
        "applications": "applications",
        "cni": "cni",
        "clusterType": "clusterType",
        "pools": "defaultNodePool",
    },
    own_firewall_fields={"name": "spec.clusterName", "ingressRules": "spec.apiServerAllowedCidrs"},
    api_fields={
        "clusterName": ("name",),
        "region": ("platform.region",),
        "kubernetesVersion": ("spec.release.version", "default.version"),
        "network": ("platform.networkID", "default.network"),
        "firewall": ("platform.firewallID",),
        "cni": ("platform.cni",),
        "defaultNodePool.size": ("platform.defaultPool.size",),
        "defaultNodePool.nodeCount": ("platform.defaultPool.nodeCount",),
    },
    replacing=("region", "network", "cni", "clusterType", "applications", "defaultNodePool.size"),
    shown=(
        "name",
        "region",
        "kubernetesVersion",
        "networkId",
        "firewallId",
        "cni",
        "applications",
        "tags",
        "pools.size",
        "pools.nodeCount",
    ),
    typical_seconds={"create": 100, "delete": 75},
)
UNSUPPORTED = (
    unsupported.Unsupported(
        "spec.highly_available", unsupported.Level.REFUSE, "Civo's API has no choice of a highly available control plane"
    ),
    unsupported.Unsupported(
        "spec.auto_upgrade", unsupported.Level.REFUSE, "Civo does not upgrade by itself; change kubernetesVersion instead"
    ),
    unsupported.Unsupported(
        "spec.disable_surge_upgrade", unsupported.Level.REFUSE, "Civo upgrades one node after another and offers no choice"
    ),
)
