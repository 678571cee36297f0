"""The program of GcpGkeCluster: a GKE Standard cluster without a default pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_gcp import container

from org.project_planton.provider.gcp.gcpgkecluster.v1 import spec_pb2
from planton.modules import labels, lookups, own, unsupported
from planton.modules.gcp import existing, gke_cluster, provider
from planton.schema import deletion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from org.project_planton.provider.gcp.gcpgkecluster.v1 import api_pb2, stack_input_pb2

_ANYWHERE = "0.0.0.0/0"


def resources(stack_input: stack_input_pb2.GcpGkeClusterStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the cluster and returns its outputs.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``; ``CREDENTIAL_INVALID``; ``REFERENCE_UNRESOLVED``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in [*unsupported.warnings(target, gke_cluster.UNSUPPORTED), *_warnings(target)]:
        pulumi.log.warn(warning)
    project = _literal(target, "project_id", "spec.projectId")
    account = provider.provider(stack_input.provider_config, project=project, location=spec.location)
    before = _before(spec, project, account)
    cluster = container.Cluster(
        "cluster",
        name=spec.cluster_name,
        project=project,
        location=spec.location,
        network=_literal(target, "network_self_link", "spec.networkSelfLink"),
        subnetwork=_literal(target, "subnetwork_self_link", "spec.subnetworkSelfLink"),
        ip_allocation_policy=container.ClusterIpAllocationPolicyArgs(
            cluster_secondary_range_name=_literal(target, "cluster_secondary_range_name", "spec.clusterSecondaryRangeName"),
            services_secondary_range_name=_literal(target, "services_secondary_range_name", "spec.servicesSecondaryRangeName"),
        ),
        private_cluster_config=container.ClusterPrivateClusterConfigArgs(
            enable_private_nodes=not spec.enable_public_nodes,
            enable_private_endpoint=False,
            master_ipv4_cidr_block=spec.master_ipv4_cidr_block,
        ),
        release_channel=container.ClusterReleaseChannelArgs(channel=_channel(spec)),
        min_master_version=spec.kubernetes_version or None,
        node_locations=sorted(spec.node_zones) or None,
        master_authorized_networks_config=_authorized_networks(spec, before),
        addons_config=container.ClusterAddonsConfigArgs(
            network_policy_config=container.ClusterAddonsConfigNetworkPolicyConfigArgs(disabled=spec.disable_network_policy)
        ),
        network_policy=container.ClusterNetworkPolicyArgs(
            enabled=not spec.disable_network_policy, provider=None if spec.disable_network_policy else "CALICO"
        ),
        workload_identity_config=_workload_identity(spec, project, before),
        resource_labels=resource_labels(target),
        # Node pools are resources of their own. The plugin creates one node, and deletes it again.
        remove_default_node_pool=True,
        initial_node_count=1,
        deletion_protection=deletion.is_protected(target),
        opts=pulumi.ResourceOptions(
            provider=account,
            # They are of the creation. In an imported cluster, one would delete the default pool with its workloads, and the other
            # would replace the cluster.
            ignore_changes=["removeDefaultNodePool", "initialNodeCount"],
            # Two clusters of a location cannot share a name.
            delete_before_replace=True,
        ),
    )
    return _outputs(cluster, spec, project)


def _outputs(cluster: container.Cluster, spec: spec_pb2.GcpGkeClusterSpec, project: str) -> dict[str, pulumi.Input[object]]:
    return {
        "endpoint": cluster.endpoint,
        # The plugin marks the whole block as secret, because of a client's key in it.
        "cluster_ca_certificate": pulumi.Output.unsecret(cluster.master_auth.cluster_ca_certificate),
        "workload_identity_pool": "" if spec.disable_workload_identity else f"{project}.svc.id.goog",
        "cluster_id": cluster.id,
        "kubernetes_version": cluster.master_version,
    }


def resource_labels(target: api_pb2.GcpGkeCluster) -> dict[str, str]:
    """Returns the standard labels in the form of Google's resource labels: lower case, with ``_`` for ``.``."""
    return {key: value.lower().replace(".", "_") for key, value in labels.standard(target).items()}


def _literal(target: api_pb2.GcpGkeCluster, field: str, path: str) -> str:
    return lookups.Field(getattr(target.spec, field), path, target.metadata).literal()


def _before(spec: spec_pb2.GcpGkeClusterSpec, project: str, account: pulumi.ProviderResource) -> Mapping[str, Any]:
    """Returns the blocks that the plugin keeps if they are omitted: of the state, or of the cluster that is imported."""
    before = own.resource(provider.CLUSTER)
    if before is not None or not own.is_imported(gke_cluster.KIND.main):
        return before or {}
    cluster = existing.cluster(spec.cluster_name, project=project, location=spec.location, account=account)
    if cluster is None:
        return {}
    return {
        "masterAuthorizedNetworksConfig": cluster.master_authorized_networks_configs,
        "workloadIdentityConfig": cluster.workload_identity_configs,
    }


def _channel(spec: spec_pb2.GcpGkeClusterSpec) -> str:
    name = spec_pb2.GkeReleaseChannel.Name(spec.release_channel)
    return "UNSPECIFIED" if name == "NONE" else name


def _authorized_networks(
    spec: spec_pb2.GcpGkeClusterSpec, before: Mapping[str, Any]
) -> container.ClusterMasterAuthorizedNetworksConfigArgs | None:
    networks = sorted(spec.master_authorized_networks)
    if not networks and before.get("masterAuthorizedNetworksConfig"):
        # The plugin keeps the networks of a cluster if the block is omitted.
        networks = [_ANYWHERE]
    if not networks:
        return None
    blocks = [container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=each) for each in networks]
    return container.ClusterMasterAuthorizedNetworksConfigArgs(cidr_blocks=blocks)


def _workload_identity(
    spec: spec_pb2.GcpGkeClusterSpec, project: str, before: Mapping[str, Any]
) -> container.ClusterWorkloadIdentityConfigArgs | None:
    if not spec.disable_workload_identity:
        return container.ClusterWorkloadIdentityConfigArgs(workload_pool=f"{project}.svc.id.goog")
    # The plugin keeps the pool of a cluster if the block is omitted.
    return container.ClusterWorkloadIdentityConfigArgs(workload_pool="") if before.get("workloadIdentityConfig") else None


def _warnings(target: api_pb2.GcpGkeCluster) -> list[str]:
    spec = target.spec
    listed = []
    if not spec.master_authorized_networks:
        listed.append(
            "spec.masterAuthorizedNetworks: not set, so the Kubernetes API server is open to anywhere; list your networks"
        )
    return listed
