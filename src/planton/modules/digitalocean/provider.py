"""The one place where a DigitalOcean provider is made, and where facts of the cloud are looked up through it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean

from planton import errors
from planton.modules import lookups, own

if TYPE_CHECKING:
    from org.project_planton.provider.digitalocean import provider_pb2
    from org.project_planton.provider.digitalocean.digitaloceankubernetescluster.v1 import api_pb2

#: How the plugin says that nothing, or more than one thing, has a name.
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
        provider: To be given to every resource.
        lookups: How names are looked up here.
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
    if not config.api_token:
        raise errors.PlantonError(
            "failed to set up the DigitalOcean provider: an API token is missing",
            code=errors.Code.MISSING,
            reason=errors.Reason.CREDENTIAL_MISSING,
            hint="set DIGITALOCEAN_TOKEN, or give a provider config with -p FILE (docs/use/credentials.md)",
        )
    provider = pulumi_digitalocean.Provider(
        "digitalocean",
        token=pulumi.Output.secret(config.api_token),
        api_endpoint=config.api_endpoint or None,
        # The plugin would repeat a creation whose answer was lost, and the cloud make a second cluster of the same name.
        http_retry_max=0,
    )
    return Account(provider)


def vpc_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the network that a field means by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of("network", field, lambda text: pulumi_digitalocean.get_vpc(name=text, opts=of.invoke))


def cluster_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the cluster that a field means by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of("cluster", field, lambda text: pulumi_digitalocean.get_kubernetes_cluster(name=text, opts=of.invoke))


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """A cluster that is there.

    Attributes:
        version: The Kubernetes version that it runs.
        ha: Whether its control plane is highly available.
        closed: Whether the firewall of its control plane is on.
    """

    version: str
    ha: bool
    closed: bool


def running(target: api_pb2.DigitalOceanKubernetesCluster, of: Account) -> Running | None:
    """Returns the stack's cluster, or the one to be imported, as the cloud has it; None where there is none.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    made = own.resource(CLUSTER)
    id_ = str(made["id"]) if made else target.status.outputs.cluster_id
    if not id_:
        return None
    # The plugin looks up by name only, and several clusters may have one: the name is that of the last look, and the id decides.
    name = str(made["name"]) if made else target.spec.cluster_name
    found = of.lookups.find("cluster", name, lambda text: pulumi_digitalocean.get_kubernetes_cluster(name=text, opts=of.invoke))
    if isinstance(found, pulumi_digitalocean.GetKubernetesClusterResult) and found.id == id_:
        return Running(found.version, found.ha, any(firewall.enabled for firewall in found.control_plane_firewalls))
    if made is None:
        return None
    # Another one of this name came first, or it was renamed elsewhere: the state is the best that is known.
    firewall = made.get("controlPlaneFirewall") or {}
    return Running(str(made["version"]), bool(made.get("ha")), bool(firewall.get("enabled")))
