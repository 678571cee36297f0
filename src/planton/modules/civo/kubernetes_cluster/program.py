"""The program of CivoKubernetesCluster: a managed cluster, its firewall and its pools."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pulumi
import pulumi_civo

from org.project_planton.provider.civo import region_pb2
from planton.modules import labels, lookups, own, texts, unsupported
from planton.modules.civo import firewall, kubernetes_cluster, pools, provider, versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2, spec_pb2, stack_input_pb2

_K3S_DEFAULT_CNI = "flannel"


def resources(stack_input: stack_input_pb2.CivoKubernetesClusterStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the cluster, its additional pools and, if the manifest names none, its firewall; returns the outputs.

    Raises:
        PlantonError: ``UNSUPPORTED_FIELD``; ``CREDENTIAL_MISSING``; ``NOT_FOUND``; ``NOT_OFFERED``; ``REFERENCE_UNRESOLVED``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in [*unsupported.warnings(target, kubernetes_cluster.UNSUPPORTED), *_warnings(target)]:
        pulumi.log.warn(warning)
    account = provider.account(stack_input.provider_config, region=_region(spec))
    network_id = provider.network_id(lookups.Field(spec.network, "spec.network", target.metadata), account)
    firewall_id = _firewall_id(target, account, network_id)
    cluster = pulumi_civo.KubernetesCluster(
        "cluster",
        name=spec.cluster_name,
        region=account.region,
        kubernetes_version=versions.offered(target, account),
        network_id=network_id,
        firewall_id=firewall_id,
        cluster_type=spec.cluster_type,
        cni=spec.cni or None,
        applications=",".join(sorted(spec.applications)) or None,
        tags=" ".join(_tags(target)),
        pools=pulumi_civo.KubernetesClusterPoolsArgs(
            label=_default_pool_label(target), size=spec.default_node_pool.size, node_count=spec.default_node_pool.node_count
        ),
        write_kubeconfig=True,
        opts=pulumi.ResourceOptions(
            provider=account.provider,
            # The plugin fails at a change of these, or ignores it. They need a new cluster, and the old one has its name.
            replacement_trigger=[
                account.region,
                network_id,
                spec.cluster_type,
                spec.cni or _K3S_DEFAULT_CNI,
                sorted(spec.applications),
                spec.default_node_pool.size,
            ],
            delete_before_replace=True,
        ),
    )
    for pool in sorted(spec.additional_node_pools, key=lambda pool: pool.name):
        pools.register(pool, name=pool.name, suffix=f"-{pool.name}", cluster_id=cluster.id, account=account, target=target)
    if provider.own_cluster() is not None:
        # The plugin reads the applications of a new cluster before they are installed.
        cluster.installed_applications.apply(lambda installed: _report_failed(installed, spec.applications))
    return _outputs(cluster, spec)


def _outputs(cluster: pulumi_civo.KubernetesCluster, spec: spec_pb2.CivoKubernetesClusterSpec) -> dict[str, pulumi.Input[object]]:
    kubeconfig: pulumi.Output[str] = pulumi.Output.secret(cluster.kubeconfig)
    return {
        "cluster_id": cluster.id,
        "kubeconfig_b64": kubeconfig.apply(texts.base64_of),
        "api_server_endpoint": cluster.api_endpoint,
        "created_at_rfc3339": cluster.created_at.apply(rfc3339),
        "status": cluster.status,
        "kubernetes_version": cluster.kubernetes_version,
        "node_names": cluster.pools.apply(lambda pool: list(pool.instance_names or [])),
        "firewall_id": cluster.firewall_id,
        "node_count": cluster.pools.apply(lambda pool: pool.node_count),
        "node_pools": cluster.pools.apply(
            lambda pool: [pool.label or "", *sorted(each.name for each in spec.additional_node_pools)]
        ),
    }


def _default_pool_label(target: api_pb2.CivoKubernetesCluster) -> str | None:
    # The label of a pool is its id, so an existing pool keeps the one that it has.
    label = kubernetes_cluster.KIND.default_pool_name
    applied = provider.own_cluster()
    if applied is not None:
        return label if (applied.get("pools") or {}).get("label") == label else None
    return None if target.status.outputs.cluster_id else label


def _region(spec: spec_pb2.CivoKubernetesClusterSpec) -> str:
    return region_pb2.CivoRegion.Name(spec.region)


def _firewall_id(target: api_pb2.CivoKubernetesCluster, account: provider.Account, network_id: str) -> pulumi.Input[str]:
    spec = target.spec
    if spec.HasField("firewall"):
        return provider.firewall_id(lookups.Field(spec.firewall, "spec.firewall", target.metadata), account)
    created = pulumi_civo.Firewall(
        "firewall",
        name=f"{spec.cluster_name}-firewall",
        network_id=network_id,
        region=account.region,
        create_default_rules=False,
        ingress_rules=[
            _allow("6443", list(spec.api_server_allowed_cidrs) or [firewall.ANYWHERE], "kubernetes-api"),
            _allow("80", [firewall.ANYWHERE], "http"),
            _allow("443", [firewall.ANYWHERE], "https"),
        ],
        egress_rules=[
            pulumi_civo.FirewallEgressRuleArgs(
                action="allow",
                protocol=protocol,
                port_range=None if protocol == "icmp" else "1-65535",
                cidrs=[firewall.ANYWHERE],
                label=f"all-{protocol}",
            )
            for protocol in ("tcp", "udp", "icmp")
        ],
        opts=pulumi.ResourceOptions(provider=account.provider, delete_before_replace=True),
    )
    return created.id


def _allow(port: str, cidrs: list[str], label: str) -> pulumi_civo.FirewallIngressRuleArgs:
    return pulumi_civo.FirewallIngressRuleArgs(action="allow", protocol="tcp", port_range=port, cidrs=cidrs, label=label)


def _tags(target: api_pb2.CivoKubernetesCluster) -> list[str]:
    # The cloud separates tags by spaces and removes duplicates.
    standard = [f"{key}:{value}" for key, value in labels.standard(target).items()]
    user = ["-".join(tag.split()) for tag in target.spec.tags]
    creation = own.creation_tags(provider.CLUSTER, "cluster")
    return list(dict.fromkeys(tag for tag in [*standard, *user, *creation] if tag))


def _warnings(target: api_pb2.CivoKubernetesCluster) -> list[str]:
    spec = target.spec
    listed = []
    if not spec.HasField("firewall") and not spec.api_server_allowed_cidrs:
        listed.append(
            "spec.apiServerAllowedCidrs: not set, so the Kubernetes API server (port 6443) is open to anywhere; "
            "list your networks, or name a firewall in spec.firewall"
        )
    if spec.cni:
        listed.append(f"spec.cni: {spec.cni} cannot be changed later; another one needs a new cluster")
    for index, pool in enumerate(spec.additional_node_pools):
        listed += pools.warnings(
            pool,
            name=pool.name,
            path=f"spec.additionalNodePools[{index}]",
            target=target,
            has_autoscaler=pools.has_autoscaler(spec.applications),
        )
    return listed


def _report_failed(
    applications: Sequence[pulumi_civo.outputs.KubernetesClusterInstalledApplication] | None, requested: Iterable[str]
) -> None:
    # No apply waits for what the cloud installs by itself, so that the state may say that it is missing.
    names = {name.partition(":")[0].lower() for name in requested}
    for application in applications or []:
        if application.installed is False and str(application.application).lower() in names:
            pulumi.log.warn(texts.not_installed(str(application.application)))


def rfc3339(text: str | None) -> str:
    """Returns a time of the plugin, such as ``2026-11-21 07:02:38 +0000 UTC``, as RFC 3339; empty for an empty one.

    A time in RFC 3339 stays as it is.
    """
    if not text or " " not in text:
        return text or ""
    date, clock, offset, *_ = text.split(" ")
    moment = datetime.datetime.strptime(f"{date} {clock.partition('.')[0]} {offset}", "%Y-%m-%d %H:%M:%S %z")
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
