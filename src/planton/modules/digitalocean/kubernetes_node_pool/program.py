"""The program of DigitalOceanKubernetesNodePool: a node pool outside of its cluster's manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from planton.modules import lookups
from planton.modules.digitalocean import pools, provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi_digitalocean

    from org.project_planton.provider.digitalocean.digitaloceankubernetesnodepool.v1 import stack_input_pb2


def resources(stack_input: stack_input_pb2.DigitalOceanKubernetesNodePoolStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the pool and returns its outputs.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``; ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in pools.warnings(spec, path="spec", target=target):
        pulumi.log.warn(warning)
    account = provider.account(stack_input.provider_config)
    pool = pools.register(
        spec,
        name=spec.node_pool_name,
        suffix="",
        cluster_id=provider.cluster_id(lookups.Field(spec.cluster, "spec.cluster", target.metadata), account),
        account=account,
        target=target,
    )
    return {
        "node_pool_id": pool.id,
        "node_ids": pool.nodes.apply(_ids),
        "node_names": pool.nodes.apply(pools.node_names),
        "node_count": pool.actual_node_count,
    }


def _ids(nodes: Sequence[pulumi_digitalocean.outputs.KubernetesNodePoolNode] | None) -> list[str]:
    return [str(node.id) for node in nodes or [] if node.id]
