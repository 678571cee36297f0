"""The program of CivoKubernetesNodePool: a node pool outside of its cluster's manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from planton.modules import lookups, unsupported
from planton.modules.civo import kubernetes_node_pool, pools, provider

if TYPE_CHECKING:
    from org.project_planton.provider.civo.civokubernetesnodepool.v1 import stack_input_pb2


def resources(stack_input: stack_input_pb2.CivoKubernetesNodePoolStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the pool and returns its outputs.

    Raises:
        PlantonError: ``UNSUPPORTED_FIELD``; ``CREDENTIAL_MISSING``; ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in unsupported.warnings(target, kubernetes_node_pool.UNSUPPORTED):
        pulumi.log.warn(warning)
    account = provider.account(stack_input.provider_config)
    cluster_id = provider.cluster_id(lookups.Field(spec.cluster, "spec.cluster", target.metadata), account)
    scaled = spec.auto_scale and pools.has_autoscaler(provider.applications(cluster_id, account))
    for warning in pools.warnings(spec, name=spec.node_pool_name, path="spec", target=target, has_autoscaler=scaled):
        pulumi.log.warn(warning)
    pool = pools.register(
        spec,
        name=spec.node_pool_name,
        suffix="",
        cluster_id=cluster_id,
        account=account,
        target=target,
    )
    return {
        "node_pool_id": pool.resource.id,
        "node_ids": pool.size.node_ids,
        "node_names": pool.size.node_names,
        "node_count": pool.size.actual_node_count,
    }
