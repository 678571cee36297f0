"""The program of GcpGkeNodePool: a node pool of a GKE cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pulumi
from pulumi_gcp import container

from planton import errors
from planton.modules import labels, lookups, own
from planton.modules.gcp import existing, gke_node_pool, provider, zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from org.project_planton.provider.gcp.gcpgkenodepool.v1 import api_pb2, spec_pb2, stack_input_pb2

#: All keys and values of a pool's labels together.
_MOST_LABEL_CHARACTERS = 1024
#: GKE's default of the drain timeout.
_USUAL_DRAIN_SECONDS = 3600
#: Google's own defaults; without them, nodes cannot write logs and metrics.
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def resources(stack_input: stack_input_pb2.GcpGkeNodePoolStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the pool and returns its outputs.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``; ``CREDENTIAL_INVALID``; ``REFERENCE_UNRESOLVED``; ``UNSUPPORTED_FIELD``: the total
            is not a multiple of the number of zones.
    """
    target = stack_input.target
    spec = target.spec
    project = _literal(target, "cluster_project_id", "spec.clusterProjectId")
    location = _literal(target, "cluster_location", "spec.clusterLocation")
    cluster = _literal(target, "cluster_name", "spec.clusterName")
    account = provider.provider(stack_input.provider_config, project=project, location=location)
    is_autoscaled = spec.HasField("autoscaling")
    pool = container.NodePool(
        "node_pool",
        name=spec.node_pool_name,
        project=project,
        location=location,
        # Its name, not its id: an import records the name, and the other form would replace the pool.
        cluster=cluster,
        node_count=None if is_autoscaled else _nodes_per_zone(spec, account),
        initial_node_count=_initial_per_zone(spec, account) if is_autoscaled else None,
        autoscaling=_autoscaling(spec) if is_autoscaled else None,
        node_locations=sorted(spec.zones) or None,
        node_config=_node_config(target),
        management=container.NodePoolManagementArgs(
            auto_repair=not spec.management.disable_auto_repair, auto_upgrade=not spec.management.disable_auto_upgrade
        ),
        upgrade_settings=_upgrade(spec),
        node_drain_configs=_drain(spec, account),
        version=spec.kubernetes_version or None,
        # The plugin would read the groups of each zone with each pool, to compare a number that only the autoscaler decides.
        ignore_node_count_changes=True if is_autoscaled else None,
        opts=pulumi.ResourceOptions(
            provider=account,
            # A resize by hand changes the initial number, which would replace the pool. So would the scopes of an imported pool.
            ignore_changes=["initialNodeCount", "nodeConfig.oauthScopes", *(["nodeCount"] if is_autoscaled else [])],
            # Two pools of a cluster cannot share a name.
            delete_before_replace=own.keeps_name(provider.NODE_POOL, "node_pool", cluster_id=cluster, name=spec.node_pool_name),
        ),
    )
    return _outputs(pool, spec)


def _outputs(pool: container.NodePool, spec: spec_pb2.GcpGkeNodePoolSpec) -> dict[str, pulumi.Input[object]]:
    is_autoscaled = spec.HasField("autoscaling")
    groups = pool.instance_group_urls
    total = pulumi.Output.all(pool.node_count, groups).apply(lambda both: str(int(both[0] or 0) * len(both[1] or ())))
    return {
        "node_pool_name": pool.name,
        "instance_group_urls": groups,
        "min_nodes": groups.apply(lambda urls: str(_bound(spec, "min_nodes", urls))) if is_autoscaled else total,
        "max_nodes": groups.apply(lambda urls: str(_bound(spec, "max_nodes", urls))) if is_autoscaled else total,
        "current_node_count": "" if is_autoscaled else total,
        "node_pool_id": pool.id,
        "kubernetes_version": pool.version,
    }


def _literal(target: api_pb2.GcpGkeNodePool, field: str, path: str) -> str:
    return lookups.Field(getattr(target.spec, field), path, target.metadata).literal()


def _bound(spec: spec_pb2.GcpGkeNodePoolSpec, name: str, groups: Sequence[str] | None) -> int:
    total: int = getattr(spec.autoscaling, f"total_{name}")
    return total or getattr(spec.autoscaling, name) * len(groups or ())


def _nodes_per_zone(spec: spec_pb2.GcpGkeNodePoolSpec, account: pulumi.ProviderResource) -> int:
    if not spec.HasField("total_node_count"):
        return spec.node_count
    total = spec.total_node_count
    number = zones.number(spec, account)
    if total % number:
        below = total - total % number
        raise errors.unsupported_field(
            f"spec.totalNodeCount: {total} nodes cannot be spread evenly over {number} zones; possible are {below} and "
            f"{below + number}",
            hint=f"write totalNodeCount: {below + number}, or choose other zones",
            metadata={"fields": "spec.totalNodeCount"},
        )
    return total // number


def _initial_per_zone(spec: spec_pb2.GcpGkeNodePoolSpec, account: pulumi.ProviderResource) -> int:
    bounds = spec.autoscaling
    total = bounds.initial_nodes or bounds.total_min_nodes
    if not total:
        return bounds.min_nodes
    number = zones.number(spec, account)
    most = bounds.total_max_nodes or bounds.max_nodes * number
    if not bounds.total_max_nodes and not bounds.min_nodes * number <= total <= most:
        raise errors.unsupported_field(
            f"spec.autoscaling.initialNodes: {total} nodes of all zones are outside of the bounds of {number} zones: minNodes "
            f"({bounds.min_nodes}) and maxNodes ({bounds.max_nodes}) of each, {bounds.min_nodes * number} to {most} together",
            hint="write initialNodes within these bounds, or none for the minimum",
            metadata={"fields": "spec.autoscaling.initialNodes"},
        )
    rounded_up = -(-total // number)
    return rounded_up if rounded_up * number <= most else total // number


def _autoscaling(spec: spec_pb2.GcpGkeNodePoolSpec) -> container.NodePoolAutoscalingArgs:
    bounds = spec.autoscaling
    if bounds.total_max_nodes:
        return container.NodePoolAutoscalingArgs(
            total_min_node_count=bounds.total_min_nodes,
            total_max_node_count=bounds.total_max_nodes,
            location_policy=bounds.location_policy,
        )
    return container.NodePoolAutoscalingArgs(
        min_node_count=bounds.min_nodes, max_node_count=bounds.max_nodes, location_policy=bounds.location_policy
    )


def _node_config(target: api_pb2.GcpGkeNodePool) -> container.NodePoolNodeConfigArgs:
    spec = target.spec
    return container.NodePoolNodeConfigArgs(
        machine_type=spec.machine_type,
        disk_size_gb=spec.disk_size_gb or None,
        disk_type=spec.disk_type,
        image_type=spec.image_type,
        service_account=spec.service_account or None,
        oauth_scopes=_SCOPES,
        spot=spec.spot or None,
        preemptible=spec.preemptible or None,
        labels=_labels(target),
        taints=[
            container.NodePoolNodeConfigTaintArgs(key=taint.key, value=taint.value, effect=_effect(taint.effect))
            for taint in spec.taints
        ]
        or None,
        guest_accelerators=[
            container.NodePoolNodeConfigGuestAcceleratorArgs(type=each.type, count=each.count) for each in spec.accelerators
        ]
        or None,
    )


def _labels(target: api_pb2.GcpGkeNodePool) -> dict[str, str]:
    merged = {**labels.standard(target), **target.spec.node_labels}
    size = sum(len(key) + len(value) for key, value in merged.items())
    if size > _MOST_LABEL_CHARACTERS:
        raise errors.unsupported_field(
            f"spec.nodeLabels: the labels of the nodes have {size} characters with the standard ones, and GKE accepts "
            f"{_MOST_LABEL_CHARACTERS}",
            hint="remove labels, or shorten their keys and values",
            metadata={"fields": "spec.nodeLabels"},
        )
    return merged


def _effect(name: str) -> str:
    """Returns an effect of Kubernetes in Google's spelling, e.g. ``NO_SCHEDULE``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def _upgrade(spec: spec_pb2.GcpGkeNodePoolSpec) -> container.NodePoolUpgradeSettingsArgs | None:
    settings = spec.upgrade
    if not spec.HasField("upgrade"):
        return container.NodePoolUpgradeSettingsArgs(strategy="SURGE", max_surge=1, max_unavailable=0)
    if settings.strategy == "SURGE":
        return container.NodePoolUpgradeSettingsArgs(
            strategy="SURGE", max_surge=settings.max_surge, max_unavailable=settings.max_unavailable
        )
    return container.NodePoolUpgradeSettingsArgs(
        strategy="BLUE_GREEN",
        blue_green_settings=container.NodePoolUpgradeSettingsBlueGreenSettingsArgs(
            standard_rollout_policy=container.NodePoolUpgradeSettingsBlueGreenSettingsStandardRolloutPolicyArgs(
                batch_node_count=settings.batch_node_count or 1, batch_soak_duration=f"{settings.batch_soak_seconds}s"
            ),
            node_pool_soak_duration=f"{settings.soak_seconds or 3600}s",
        ),
    )


def _drain(
    spec: spec_pb2.GcpGkeNodePoolSpec, account: pulumi.ProviderResource
) -> list[container.NodePoolNodeDrainConfigArgs] | None:
    seconds = spec.drain_timeout_seconds
    if not seconds and _has_drain_timeout(spec, account):
        # The plugin keeps the timeout of a pool if the block is omitted.
        seconds = _USUAL_DRAIN_SECONDS
    return [container.NodePoolNodeDrainConfigArgs(pdb_timeout_duration=f"{seconds}s")] if seconds else None


def _has_drain_timeout(spec: spec_pb2.GcpGkeNodePoolSpec, account: pulumi.ProviderResource) -> bool:
    before = own.resource(provider.NODE_POOL, gke_node_pool.KIND.main)
    if before is not None or not own.is_imported(gke_node_pool.KIND.main):
        return any(each.get("pdbTimeoutDuration") for each in (before or {}).get("nodeDrainConfigs") or ())
    cluster = existing.cluster_of(spec, account)
    pool = None if cluster is None else existing.pool(cluster, spec.node_pool_name)
    return any(each["pdb_timeout_duration"] for each in (pool or {}).get("node_drain_configs") or ())
