"""DigitalOceanKubernetesNodePool: a node pool outside of its cluster's manifest."""

from __future__ import annotations

from planton.schema import kinds

KIND = kinds.Declaration(
    main="node_pool",
    type="digitalocean:index/kubernetesNodePool:KubernetesNodePool",
    role=kinds.Role.NODE_POOL,
    cloud_name="spec.node_pool_name",
    scope=kinds.Scope.CLUSTER,
    losses=frozenset({kinds.Loss.REPLACE, kinds.Loss.DELETE}),
    is_tagged=True,
    fields={"name": "nodePoolName", "clusterId": "cluster"},
    api_fields={
        "nodePoolName": ("name",),
        "cluster": ("cluster.id",),
        "size": ("platform.size",),
        "nodeCount": ("spec.nodeCount", "default.nodes"),
        "autoScale": ("spec.autoscaling.enabled",),
        "minNodes": ("spec.autoscaling.minNodes",),
        "maxNodes": ("spec.autoscaling.maxNodes",),
        "labels": ("default.labels",),
        "taints": ("spec.taints",),
        "tags": ("platform.tags",),
    },
    replacing=("cluster", "size"),
    shown=(
        "name",
        "clusterId",
        "size",
        "nodeCount",
        "autoScale",
        "minNodes",
        "maxNodes",
        "labels",
        "taints",
        "tags",
    ),
    typical_seconds={"create": 90, "delete": 60},
)
UNSUPPORTED = ()
