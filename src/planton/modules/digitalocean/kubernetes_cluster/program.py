"""The program of DigitalOceanKubernetesCluster: a managed cluster and its pools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean

from org.project_planton.provider.digitalocean import region_pb2
from planton import errors
from planton.modules import labels, lookups, own, texts, upgrades
from planton.modules.digitalocean import pools, provider
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from org.project_planton.provider.digitalocean.digitaloceankubernetescluster.v1 import api_pb2, spec_pb2, stack_input_pb2

_VERSION = "spec.kubernetesVersion"
#: A complete version. The cloud completes a short one, which the plugin then takes for lower, so that it replaces the cluster.
_SLUG = re.compile(r"\d+\.\d+\.\d+-do\.\d+")
_DEFAULT_POOL = "default"


def resources(stack_input: stack_input_pb2.DigitalOceanKubernetesClusterStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the cluster and its additional pools, and returns the outputs.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``; ``NOT_FOUND``; ``NOT_OFFERED``; ``UPGRADE_REFUSED``; ``UNSUPPORTED_FIELD``;
            ``REFERENCE_UNRESOLVED``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in _warnings(target):
        pulumi.log.warn(warning)
    account = provider.account(stack_input.provider_config)
    vpc_id = provider.vpc_id(lookups.Field(spec.vpc, "spec.vpc", target.metadata), account)
    running = provider.running(target, account)
    _check_control_plane(spec, running)
    cluster = pulumi_digitalocean.KubernetesCluster(
        "cluster",
        name=spec.cluster_name,
        region=region_pb2.DigitalOceanRegion.Name(spec.region),
        version=_version(spec, running, account),
        vpc_uuid=vpc_id,
        ha=spec.highly_available,
        auto_upgrade=spec.auto_upgrade,
        surge_upgrade=not spec.disable_surge_upgrade,
        maintenance_policy=_maintenance(spec),
        registry_integration=spec.registry_integration,
        cluster_autoscaler_configurations=_autoscaler(spec),
        control_plane_firewall=_control_plane_firewall(spec, running),
        tags=_tags(target),
        node_pool=pulumi_digitalocean.KubernetesClusterNodePoolArgs(
            name=_DEFAULT_POOL,
            taints=[
                pulumi_digitalocean.KubernetesClusterNodePoolTaintArgs(key=taint.key, value=taint.value, effect=taint.effect)
                for taint in spec.default_node_pool.taints
            ]
            or None,
            **pools.arguments(spec.default_node_pool, target),
        ),
        opts=pulumi.ResourceOptions(
            provider=account.provider,
            ignore_changes=_ignored(spec, running),
            # Two clusters of an account should not share a name.
            delete_before_replace=True,
        ),
    )
    for pool in sorted(spec.additional_node_pools, key=lambda pool: pool.name):
        pools.register(pool, name=pool.name, suffix=f"-{pool.name}", cluster_id=cluster.id, account=account, target=target)
    return _outputs(cluster, spec)


def _outputs(
    cluster: pulumi_digitalocean.KubernetesCluster, spec: spec_pb2.DigitalOceanKubernetesClusterSpec
) -> dict[str, pulumi.Input[object]]:
    kubeconfig: pulumi.Output[str] = pulumi.Output.secret(cluster.kube_configs.apply(_kubeconfig))
    return {
        "cluster_id": cluster.id,
        "kubeconfig": kubeconfig,
        "api_server_endpoint": cluster.endpoint,
        "status": cluster.status,
        "kubernetes_version": cluster.version,
        "node_names": cluster.node_pool.apply(lambda pool: pools.node_names(pool.nodes)),
        "node_count": cluster.node_pool.apply(lambda pool: pool.actual_node_count or 0),
        "node_pools": [_DEFAULT_POOL, *sorted(pool.name for pool in spec.additional_node_pools)],
    }


def _version(
    spec: spec_pb2.DigitalOceanKubernetesClusterSpec, running: provider.Running | None, account: provider.Account
) -> str:
    upgrade = _upgrade(spec, running)
    version = spec.kubernetes_version
    # The plugin takes another spelling for another version, and replaces the cluster.
    if upgrade.is_ahead or version == upgrade.running:
        return version
    offered = pulumi_digitalocean.get_kubernetes_versions(opts=account.invoke).valid_versions
    if version not in offered:
        raise upgrades.not_offered(version, offered, where="by DigitalOcean", path=_VERSION, provider="digitalocean")
    note = upgrade.check(offered, path=_VERSION)
    if note:
        pulumi.log.warn(note)
    return version


def _upgrade(spec: spec_pb2.DigitalOceanKubernetesClusterSpec, running: provider.Running | None) -> upgrades.Upgrade:
    return upgrades.Upgrade(
        running.version if running is not None else "",
        spec.kubernetes_version,
        is_automatic=spec.auto_upgrade and _SLUG.fullmatch(spec.kubernetes_version) is not None,
        patch_first=providers.get("digitalocean").requires_newest_patch,
    )


def _ignored(spec: spec_pb2.DigitalOceanKubernetesClusterSpec, running: provider.Running | None) -> list[str]:
    version = ["version"] if _upgrade(spec, running).is_ahead else []
    return [*version, *(["nodePool.nodeCount"] if spec.default_node_pool.auto_scale else [])]


def _maintenance(
    spec: spec_pb2.DigitalOceanKubernetesClusterSpec,
) -> pulumi_digitalocean.KubernetesClusterMaintenancePolicyArgs | None:
    day, _, time = spec.maintenance_window.partition("=")
    return pulumi_digitalocean.KubernetesClusterMaintenancePolicyArgs(day=day, start_time=time) if day else None


def _autoscaler(
    spec: spec_pb2.DigitalOceanKubernetesClusterSpec,
) -> list[pulumi_digitalocean.KubernetesClusterClusterAutoscalerConfigurationArgs] | None:
    settings = spec.autoscaler
    threshold = settings.scale_down_utilization_threshold
    if not threshold and not settings.scale_down_unneeded_time:
        return None
    return [
        pulumi_digitalocean.KubernetesClusterClusterAutoscalerConfigurationArgs(
            scale_down_utilization_threshold=threshold / 100 if threshold else None,
            scale_down_unneeded_time=texts.go_duration(settings.scale_down_unneeded_time) or None,
        )
    ]


def _control_plane_firewall(
    spec: spec_pb2.DigitalOceanKubernetesClusterSpec, running: provider.Running | None
) -> pulumi_digitalocean.KubernetesClusterControlPlaneFirewallArgs | None:
    addresses = list(spec.control_plane_firewall_allowed_ips)
    closed = running is not None and running.closed
    if not addresses and not closed:
        # Unset: the cloud may omit the block from its answers, and every plan would show a difference.
        return None
    return pulumi_digitalocean.KubernetesClusterControlPlaneFirewallArgs(enabled=bool(addresses), allowed_addresses=addresses)


def _check_control_plane(spec: spec_pb2.DigitalOceanKubernetesClusterSpec, running: provider.Running | None) -> None:
    if running is not None and running.ha and not spec.highly_available:
        raise errors.unsupported_field(
            f"spec.highlyAvailable: the control plane of {spec.cluster_name!r} is highly available, and DigitalOcean cannot "
            "switch that off",
            hint="write highlyAvailable: true, or create a new cluster with another name",
            metadata={"fields": "spec.highlyAvailable"},
        )


def _tags(target: api_pb2.DigitalOceanKubernetesCluster) -> list[str]:
    # The cloud allows fewer characters in a tag than Kubernetes in a label.
    standard = [re.sub(r"[^A-Za-z0-9:_-]", "-", f"{key}:{value}") for key, value in labels.standard(target).items()]
    return pools.unique_tags([*standard, *target.spec.tags, *own.creation_tags(provider.CLUSTER, "cluster")])


def _warnings(target: api_pb2.DigitalOceanKubernetesCluster) -> list[str]:
    spec = target.spec
    listed = []
    if not spec.control_plane_firewall_allowed_ips:
        listed.append(
            "spec.controlPlaneFirewallAllowedIps: not set, so the Kubernetes API server is open to anywhere; list your networks"
        )
    window = str(own.applied().get("maintenanceWindow") or "")
    if window and not spec.maintenance_window:
        # The plugin treats a missing policy as equal to any policy.
        listed.append(
            f"spec.maintenanceWindow: removed from the manifest, but the plugin cannot clear it, so the cloud keeps {window}; "
            "write the desired one, such as any=04:00"
        )
    is_scaled = spec.default_node_pool.auto_scale or any(pool.auto_scale for pool in spec.additional_node_pools)
    if spec.HasField("autoscaler") and not is_scaled:
        listed.append("spec.autoscaler: no pool of this manifest has autoScale: true; it holds for pools of other manifests only")
    listed += pools.warnings(spec.default_node_pool, path="spec.defaultNodePool", target=target)
    for index, pool in enumerate(spec.additional_node_pools):
        listed += pools.warnings(pool, path=f"spec.additionalNodePools[{index}]", target=target)
    return listed


def _kubeconfig(configs: Sequence[pulumi_digitalocean.outputs.KubernetesClusterKubeConfig] | None) -> str:
    return texts.base64_of(configs[0].raw_config if configs else None)
