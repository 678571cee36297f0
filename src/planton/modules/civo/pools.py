"""A node pool with its size, for CivoKubernetesNodePool and for the additional pools of a cluster."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pulumi
import pulumi_civo

from planton.modules import bounds, labels, own
from planton.modules.civo import cluster_autoscaler, pool_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf import message

    from org.project_planton.provider.civo.civokubernetescluster.v1 import spec_pb2 as cluster_pb2
    from org.project_planton.provider.civo.civokubernetesnodepool.v1 import spec_pb2
    from planton.modules.civo import provider


_TYPE = "civo:index/kubernetesNodePool:KubernetesNodePool"


@dataclasses.dataclass(frozen=True, slots=True)
class Pool:
    """A registered pool.

    Attributes:
        resource: The pool itself.
        size: Its number of nodes, and its nodes.
    """

    resource: pulumi_civo.KubernetesNodePool
    size: pool_size.NodePoolSize


def register(
    spec: spec_pb2.CivoKubernetesNodePoolSpec | cluster_pb2.CivoKubernetesClusterAdditionalNodePool,
    *,
    name: str,
    suffix: str,
    cluster_id: pulumi.Input[str],
    account: provider.Account,
    target: message.Message,
) -> Pool:
    """Registers the resources ``node_pool<suffix>`` and ``node_pool_size<suffix>``.

    The labels of the manifest take precedence over the standard ones. The cluster, name, size and public addresses of a pool
    cannot be changed in place. The plugin does not declare that, so it is declared here.
    """
    pool = pulumi_civo.KubernetesNodePool(
        f"node_pool{suffix}",
        cluster_id=cluster_id,
        label=name,
        node_count=spec.node_count,
        size=spec.size,
        labels={**labels.standard(target), **spec.labels},
        taints=[
            pulumi_civo.KubernetesNodePoolTaintArgs(key=taint.key, value=taint.value, effect=taint.effect)
            for taint in spec.taints
        ],
        public_ip_node_pool=spec.public_ip or None,
        opts=pulumi.ResourceOptions(
            provider=account.provider,
            ignore_changes=["nodeCount"],
            replace_on_changes=["clusterId", "label", "size", "publicIpNodePool"],
            delete_before_replace=own.keeps_name(
                _TYPE, f"node_pool{suffix}", cluster_id=cluster_id, name=name, name_property="label"
            ),
        ),
    )
    size = pool_size.NodePoolSize(
        f"node_pool_size{suffix}",
        # A known id adds no dependency to the state.
        cluster_id=cluster_id if isinstance(cluster_id, str) else pool.cluster_id,
        pool_id=pool.id,
        node_count=None if spec.auto_scale else spec.node_count,
        identity=f"{name} {spec.size} {spec.public_ip}",
        region=account.region,
        endpoint=account.config.api_endpoint,
        token=None if own.has_token() else account.config.api_token,
        opts=pulumi.ResourceOptions(depends_on=[pool]),
    )
    return Pool(pool, size)


def warnings(
    spec: spec_pb2.CivoKubernetesNodePoolSpec | cluster_pb2.CivoKubernetesClusterAdditionalNodePool,
    *,
    name: str,
    path: str,
    target: message.Message,
    has_autoscaler: bool,
) -> list[str]:
    """Returns warnings about autoscaling.

    Args:
        spec: The pool.
        name: The pool's name in the cloud.
        path: The pool's path in the manifest.
        target: The manifest.
        has_autoscaler: Whether the marketplace's autoscaler is installed in the cluster, which then has bounds of its own.
    """
    if not spec.auto_scale:
        return bounds.unused(spec, path=path)
    excessive = bounds.excessive(spec, path=path, target=target)
    if has_autoscaler:
        advice = (
            f"{path}.autoScale: the cluster has the application {cluster_autoscaler.APPLICATION}, which does not read minNodes and maxNodes: set them in "
            f"its Deployment, kube-system/cluster-autoscaler, with --nodes={spec.min_nodes}:{spec.max_nodes}:{name}"
        )
        return [advice, *excessive]
    bounds_of_pool = f"{spec.min_nodes}:{spec.max_nodes}:{name}"
    advice = (
        f"{path}.autoScale: nodeCount {spec.node_count} is only the initial size. planton apply runs the cluster autoscaler in the "
        f"cluster, with the account's token; with plain Pulumi, install it yourself, with --nodes={bounds_of_pool}"
    )
    return [advice, *excessive]


def has_autoscaler(applications: Iterable[str]) -> bool:
    """Returns whether the autoscaler is among the applications of a cluster."""
    return any(application.partition(":")[0].lower() == cluster_autoscaler.APPLICATION for application in applications)
