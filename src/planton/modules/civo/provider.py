"""Creates the Civo provider of a stack, and looks up resources of the cloud through it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_civo

from org.project_planton.provider.civo import region_pb2
from planton.modules import accounts, lookups, own
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from org.project_planton.provider.civo import provider_pb2
    from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2


#: The Pulumi type of a cluster.
CLUSTER = "civo:index/kubernetesCluster:KubernetesCluster"


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """An explicit provider with the facts that look-ups need.

    Attributes:
        provider: The provider of every resource.
        config: The credentials.
        region: The cloud's code, upper case.
    """

    provider: pulumi_civo.Provider
    config: provider_pb2.CivoProviderConfig
    region: str

    @property
    def lookups(self) -> lookups.Lookups:
        """The look-ups of names in the region."""
        return lookups.Lookups(
            f"in region {self.region}",
            self.region,
            ("ZeroMatchesError",),
            parts="MultipleMatchesError",
            limits={"cluster": "the plugin reads only the first 20 clusters of the region"},
        )

    @property
    def invoke(self) -> pulumi.InvokeOptions:
        """The options that bind a look-up to this account."""
        return pulumi.InvokeOptions(provider=self.provider)


def account(config: provider_pb2.CivoProviderConfig, *, region: str = "") -> Account:
    """Returns the account of a stack, in a region or else in the provider config's.

    One provider per region: the plugin shares one client between resources, whose region the last call sets.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``: no token, or no region.
    """
    code = region.upper()
    if not code and config.default_region:
        code = region_pb2.CivoRegion.Name(config.default_region).upper()
    accounts.require(config, also_missing=() if code else ("region",))
    provider = pulumi_civo.Provider(
        "civo",
        token=pulumi.Output.secret(config.api_token),
        region=code,
        api_endpoint=config.api_endpoint or None,
    )
    return Account(provider, config, code)


def network_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the network that a field identifies by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of(
        "network", field, lambda text: pulumi_civo.get_network(label=text, region=of.region, opts=of.invoke), name="label"
    )


def firewall_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the firewall that a field identifies by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of("firewall", field, lambda text: pulumi_civo.get_firewall(name=text, region=of.region, opts=of.invoke))


def cluster_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the cluster that a field identifies by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of(
        "cluster", field, lambda text: pulumi_civo.get_kubernetes_cluster(name=text, region=of.region, opts=of.invoke)
    )


def applications(cluster: str, of: Account) -> list[str]:
    """Returns the applications of a cluster from the cloud; none for a planned cluster.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    if references.is_unknown(cluster):
        return []
    cloud_cluster = _cluster(cluster, of)
    return [] if cloud_cluster is None else [str(each.application) for each in cloud_cluster.installed_applications or []]


def _cluster(id_: str, of: Account) -> pulumi_civo.GetKubernetesClusterResult | None:
    # The plugin reads one page of the list, and also takes a part of a name for a match.
    result = of.lookups.find(
        "cluster", id_, lambda text: pulumi_civo.get_kubernetes_cluster(id=text, region=of.region, opts=of.invoke)
    )
    return result if isinstance(result, pulumi_civo.GetKubernetesClusterResult) and result.id == id_ else None


def own_cluster() -> Mapping[str, Any] | None:
    """Returns the properties of the stack's cluster from the state; None if it has no cluster."""
    return own.resource("civo:index/kubernetesCluster:KubernetesCluster")


def running_version(target: api_pb2.CivoKubernetesCluster, of: Account) -> str:
    """Returns the Kubernetes version that the stack's cluster, or the one to be imported, runs; empty where there is none.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    applied = own_cluster()
    id_ = str(applied["id"]) if applied else target.status.outputs.cluster_id
    if not id_:
        return ""
    running = _cluster(id_, of)
    if running is None:
        # The state has the version of the last refresh.
        return str(applied.get("kubernetesVersion") or "") if applied else ""
    return running.kubernetes_version or ""
