"""CivoKubernetesNodePool: a node pool outside of its cluster's manifest."""

from __future__ import annotations

from planton.modules import unsupported
from planton.schema import kinds

KIND = kinds.Declaration(
    main="node_pool",
    type="civo:index/kubernetesNodePool:KubernetesNodePool",
    role=kinds.Role.NODE_POOL,
    cloud_name="spec.node_pool_name",
    scope=kinds.Scope.CLUSTER,
    losses=frozenset({kinds.Loss.REPLACE, kinds.Loss.DELETE}),
    is_imported_by_cluster=True,
    # The resource node_pool_size sets the number of nodes.
    ignored_inputs=("nodeCount",),
    fields={"label": "nodePoolName", "clusterId": "cluster"},
    api_fields={
        "nodePoolName": ("name",),
        "cluster": ("cluster.id",),
        "size": ("platform.size",),
        "nodeCount": ("spec.nodeCount", "default.nodes"),
        "labels": ("default.labels",),
        "taints": ("spec.taints",),
    },
    replacing=("nodePoolName", "cluster", "size", "publicIp"),
    shown=("label", "clusterId", "size", "nodeCount", "labels", "taints", "publicIpNodePool"),
    typical_seconds={"create": 60, "delete": 30},
)
UNSUPPORTED = (unsupported.Unsupported("spec.tags", unsupported.Level.WARN, "Civo node pools have no tags; use labels"),)
