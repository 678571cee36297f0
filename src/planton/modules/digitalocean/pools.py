"""Node pools at DigitalOcean: standalone ones and the additional ones of a cluster are registered the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pulumi
import pulumi_digitalocean

from planton.modules import bounds, labels, own

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf import message

    from org.project_planton.provider.digitalocean.digitaloceankubernetescluster.v1 import spec_pb2 as cluster_pb2
    from org.project_planton.provider.digitalocean.digitaloceankubernetesnodepool.v1 import spec_pb2
    from planton.modules.digitalocean import provider

    Node: TypeAlias = (
        pulumi_digitalocean.outputs.KubernetesNodePoolNode | pulumi_digitalocean.outputs.KubernetesClusterNodePoolNode
    )
    Pool = (
        spec_pb2.DigitalOceanKubernetesNodePoolSpec
        | cluster_pb2.DigitalOceanKubernetesClusterAdditionalNodePool
        | cluster_pb2.DigitalOceanKubernetesClusterDefaultNodePool
    )

_TYPE = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"


def arguments(
    spec: Pool, target: message.Message, creation_tags: Iterable[str] = ()
) -> dict[str, Any]:  # arguments of two classes
    """Returns the arguments that all three forms of a pool share: all except for names, sizes and taints.

    The labels of the manifest take precedence over the standard ones. The bounds are set only for autoscaled pools.
    """
    scaled = {"min_nodes": spec.min_nodes, "max_nodes": spec.max_nodes} if spec.auto_scale else {}
    return {
        "size": spec.size,
        "node_count": spec.node_count,
        # Also set when it is off: after a refresh, the plugin would leave it on.
        "auto_scale": spec.auto_scale,
        "labels": {**labels.standard(target), **spec.labels},
        "tags": unique_tags([*spec.tags, *creation_tags]) or None,
        **scaled,
    }


def unique_tags(tags: Iterable[str]) -> list[str]:
    """Returns the tags without duplicates, each in its last spelling, because the cloud ignores case.

    They are sorted, as a refresh writes them. In another order, every plan would show a change.
    """
    return sorted({tag.lower(): tag for tag in tags}.values())


def register(
    spec: spec_pb2.DigitalOceanKubernetesNodePoolSpec | cluster_pb2.DigitalOceanKubernetesClusterAdditionalNodePool,
    *,
    name: str,
    suffix: str,
    cluster_id: pulumi.Input[str],
    account: provider.Account,
    target: message.Message,
) -> pulumi_digitalocean.KubernetesNodePool:
    """Registers the resource ``node_pool<suffix>``."""
    resource = f"node_pool{suffix}"
    creation = own.creation_tags(_TYPE, resource)
    applied = own.resource(_TYPE, resource) or {}
    remaining = [] if spec.tags or creation else list(applied.get("tags") or [])
    if remaining:
        # The plugin does not send an empty list, so the removal would be planned forever.
        pulumi.log.warn(
            f"tags of node pool {name}: removed from the manifest, but the plugin cannot remove the last one, so the cloud keeps "
            f"{', '.join(remaining)}; write another tag, or remove them in the dashboard and run planton refresh"
        )
    return pulumi_digitalocean.KubernetesNodePool(
        resource,
        cluster_id=cluster_id,
        name=name,
        taints=[
            pulumi_digitalocean.KubernetesNodePoolTaintArgs(key=taint.key, value=taint.value, effect=taint.effect)
            for taint in spec.taints
        ]
        or None,
        opts=pulumi.ResourceOptions(
            provider=account.provider,
            # The manifest sets the initial number. After that, the autoscaler decides.
            ignore_changes=["nodeCount"] if spec.auto_scale else None,
            # Two pools of a cluster cannot share a name.
            delete_before_replace=own.keeps_name(_TYPE, resource, cluster_id=cluster_id, name=name),
        ),
        **{**arguments(spec, target, creation), **({"tags": remaining} if remaining else {})},
    )


def node_names(nodes: Iterable[Node] | None) -> list[str]:
    """Returns the names of a pool's nodes, without those that have none yet."""
    return [str(node.name) for node in nodes or [] if node.name]


def warnings(spec: Pool, *, path: str, target: message.Message) -> list[str]:
    """Returns the warnings about autoscaling."""
    return [*bounds.unused(spec, path=path), *bounds.excessive(spec, path=path, target=target)]
