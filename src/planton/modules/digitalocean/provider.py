"""The one place where a DigitalOcean provider is made, and where facts of the cloud are looked up through it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean

from planton import errors
from planton.modules import lookups

if TYPE_CHECKING:
    from org.project_planton.provider.digitalocean import provider_pb2

#: How the plugin says that nothing, or more than one thing, has a name.
_LOOKUPS = lookups.Lookups(
    where="in this account",
    region="",
    no_match=("no VPCs found", "Unable to find cluster", "No clusters found"),
    several="too many",
)


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
            hint="set DIGITALOCEAN_TOKEN, or give a provider config with -p FILE (docs/credentials.md)",
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


def running(name: str, of: Account) -> pulumi_digitalocean.GetKubernetesClusterResult | None:
    """Returns the cluster of a name as the cloud has it, or None.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    found = of.lookups.find("cluster", name, lambda text: pulumi_digitalocean.get_kubernetes_cluster(name=text, opts=of.invoke))
    return found if isinstance(found, pulumi_digitalocean.GetKubernetesClusterResult) else None
