"""Creates the DigitalOcean provider of a stack, and looks up resources of the cloud through it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean

from planton.modules import accounts, lookups, own

if TYPE_CHECKING:
    from org.project_planton.provider.digitalocean import provider_pb2
    from org.project_planton.provider.digitalocean.digitaloceankubernetescluster.v1 import api_pb2

#: The errors of the plugin if no resource, or several resources, have a name.
_LOOKUPS = lookups.Lookups(
    where="in this account",
    region="",
    no_match=("no VPCs found", "Unable to find cluster", "No clusters found"),
    several="too many",
    limits={"cluster": "the plugin reads only the first 20 clusters of the account"},
)


#: The Pulumi type of a cluster.
CLUSTER = "digitalocean:index/kubernetesCluster:KubernetesCluster"


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """An explicit provider with the facts that look-ups need.

    Attributes:
        provider: The provider of every resource.
        lookups: The look-ups of names in the account.
    """

    provider: pulumi_digitalocean.Provider
    lookups: lookups.Lookups = _LOOKUPS

    @property
    def invoke(self) -> pulumi.InvokeOptions:
        """The options that bind a look-up to this account."""
        return pulumi.InvokeOptions(provider=self.provider)


def account(config: provider_pb2.DigitalOceanProviderConfig) -> Account:
    """Returns the account of a stack; DigitalOcean's accounts and tokens know no region.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``: no token.
    """
    accounts.require(config)
    provider = pulumi_digitalocean.Provider(
        "digitalocean",
        token=pulumi.Output.secret(config.api_token),
        api_endpoint=config.api_endpoint or None,
        # The plugin would retry a creation whose answer was lost, and the cloud would create a second cluster with the name.
        http_retry_max=0,
    )
    return Account(provider)


def vpc_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the network that a field identifies by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of("network", field, lambda text: pulumi_digitalocean.get_vpc(name=text, opts=of.invoke))


def cluster_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the cluster that a field identifies by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of("cluster", field, lambda text: pulumi_digitalocean.get_kubernetes_cluster(name=text, opts=of.invoke))


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """A cluster in the cloud.

    Attributes:
        version: The Kubernetes version that it runs.
        ha: Whether its control plane is highly available.
        closed: Whether the firewall of its control plane is on.
    """

    version: str
    ha: bool
    closed: bool


def running(target: api_pb2.DigitalOceanKubernetesCluster, of: Account) -> Running | None:
    """Returns the stack's cluster, or the one to be imported, from the cloud; None if there is none.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    applied = own.resource(CLUSTER)
    id_ = str(applied["id"]) if applied else target.status.outputs.cluster_id
    if not id_:
        return None
    # The plugin looks up by name only, and several clusters may have the name. The id decides.
    name = str(applied["name"]) if applied else target.spec.cluster_name
    result = of.lookups.find("cluster", name, lambda text: pulumi_digitalocean.get_kubernetes_cluster(name=text, opts=of.invoke))
    if isinstance(result, pulumi_digitalocean.GetKubernetesClusterResult) and result.id == id_:
        return Running(result.version, result.ha, any(firewall.enabled for firewall in result.control_plane_firewalls))
    if applied is None:
        return None
    # Another cluster with the name came first, or the cluster was renamed. The state has the values of the last refresh.
    firewall = applied.get("controlPlaneFirewall") or {}
    return Running(str(applied["version"]), bool(applied.get("ha")), bool(firewall.get("enabled")))
