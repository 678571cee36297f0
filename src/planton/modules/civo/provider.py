"""The one place where a Civo provider is made, and where facts of the cloud are looked up through it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_civo

from org.project_planton.provider.civo import region_pb2
from planton import errors
from planton.modules import lookups, own
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
        provider: To be given to every resource.
        config: The credentials.
        region: The cloud's code, upper case.
    """

    provider: pulumi_civo.Provider
    config: provider_pb2.CivoProviderConfig
    region: str

    @property
    def lookups(self) -> lookups.Lookups:
        """How names are looked up here."""
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
    missing = "an API token" if not config.api_token else "" if code else "a region"
    if missing:
        raise errors.PlantonError(
            f"failed to set up the Civo provider: {missing} is missing",
            code=errors.Code.MISSING,
            reason=errors.Reason.CREDENTIAL_MISSING,
            hint="set CIVO_TOKEN and CIVO_REGION, or give a provider config with -p FILE (docs/use/credentials.md)",
        )
    provider = pulumi_civo.Provider(
        "civo",
        token=pulumi.Output.secret(config.api_token),
        region=code,
        api_endpoint=config.api_endpoint or None,
    )
    return Account(provider, config, code)


def network_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the network that a field means by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of(
        "network", field, lambda text: pulumi_civo.get_network(label=text, region=of.region, opts=of.invoke), name="label"
    )


def firewall_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the firewall that a field means by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    return of.lookups.id_of("firewall", field, lambda text: pulumi_civo.get_firewall(name=text, region=of.region, opts=of.invoke))


def cluster_id(field: lookups.Field, of: Account) -> str:
    """Returns the id of the cluster that a field means by id or by name.

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
    found = of.lookups.find(
        "cluster", cluster, lambda text: pulumi_civo.get_kubernetes_cluster(id=text, region=of.region, opts=of.invoke)
    )
    installed = [] if isinstance(found, str) else getattr(found, "installed_applications")  # noqa: B009  # typed as object
    return [str(each.application) for each in installed or []]


def own_cluster() -> Mapping[str, Any] | None:
    """Returns the properties of the stack's cluster from the state; None if it has no cluster."""
    return own.resource("civo:index/kubernetesCluster:KubernetesCluster")


def running_version(target: api_pb2.CivoKubernetesCluster, of: Account) -> str:
    """Returns the Kubernetes version that the stack's cluster, or the one to be imported, runs; empty where there is none.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    made = own_cluster()
    id_ = str(made["id"]) if made else target.status.outputs.cluster_id
    if not id_:
        return ""
    found = of.lookups.find(
        "cluster", id_, lambda text: pulumi_civo.get_kubernetes_cluster(id=text, region=of.region, opts=of.invoke)
    )
    if isinstance(found, str) or getattr(found, "id") != id_:  # noqa: B009  # typed as object
        # The plugin reads one page of the list. The state has the version of the last refresh.
        return str(made.get("kubernetesVersion") or "") if made else ""
    return getattr(found, "kubernetes_version") or ""  # noqa: B009
