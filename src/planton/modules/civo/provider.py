"""The one place where a Civo provider is made, and where facts of the cloud are looked up through it."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING

import pulumi
import pulumi_civo

from org.project_planton.provider.civo import region_pb2
from planton import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from org.project_planton.provider.civo import provider_pb2
    from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
    from org.project_planton.shared.metadata_pb2 import CloudResourceMetadata

#: How the plugin says that nothing, or several parts of names, match.
_NO_MATCH = ("ZeroMatchesError", "MultipleMatchesError")


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
    def options(self) -> pulumi.ResourceOptions:
        """The options that bind a resource to this account."""
        return pulumi.ResourceOptions(provider=self.provider)

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
            hint="set CIVO_TOKEN and CIVO_REGION, or give a provider config with -p FILE (docs/credentials.md)",
        )
    provider = pulumi_civo.Provider(
        "civo",
        token=pulumi.Output.secret(config.api_token),
        region=code,
        api_endpoint=config.api_endpoint or None,
    )
    return Account(provider, config, code)


def is_id(text: str) -> bool:
    """Returns whether a literal is an id of the cloud (a UUID) rather than a name."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def literal(ref: foreign_key_pb2.StringValueOrRef, *, field: str, metadata: CloudResourceMetadata) -> str:
    """Returns the literal of a reference.

    Raises:
        PlantonError: ``REFERENCE_UNRESOLVED``: it is still a ``valueFrom``, which a module cannot look up.
    """
    if ref.HasField("value_from"):
        raise errors.PlantonError(
            f"{field} of {metadata.name!r} refers to {ref.value_from.name!r}, and references are resolved before a module runs",
            code=errors.Code.INVALID,
            reason=errors.Reason.REFERENCE_UNRESOLVED,
            hint="write a stack input with the reference resolved: planton stack-input -f MANIFEST --show-secrets > stack-input.yaml",
            metadata={"from": metadata.name, "to": ref.value_from.name, "field": field},
        )
    return ref.value


def network_id(ref: foreign_key_pb2.StringValueOrRef, of: Account, *, field: str, metadata: CloudResourceMetadata) -> str:
    """Returns the id of the network that a field means by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    text = literal(ref, field=field, metadata=metadata)
    if is_id(text):
        return text
    return _look_up("network", text, lambda: pulumi_civo.get_network(label=text, region=of.region, opts=of.invoke), "label", of)


def firewall_id(ref: foreign_key_pb2.StringValueOrRef, of: Account, *, field: str, metadata: CloudResourceMetadata) -> str:
    """Returns the id of the firewall that a field means by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    text = literal(ref, field=field, metadata=metadata)
    if is_id(text):
        return text
    return _look_up("firewall", text, lambda: pulumi_civo.get_firewall(name=text, region=of.region, opts=of.invoke), "name", of)


def cluster_id(ref: foreign_key_pb2.StringValueOrRef, of: Account, *, field: str, metadata: CloudResourceMetadata) -> str:
    """Returns the id of the cluster that a field means by id or by name.

    Raises:
        PlantonError: ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    text = literal(ref, field=field, metadata=metadata)
    if is_id(text):
        return text
    return _look_up(
        "cluster", text, lambda: pulumi_civo.get_kubernetes_cluster(name=text, region=of.region, opts=of.invoke), "name", of
    )


def _look_up(what: str, text: str, call: Callable[[], object], name_field: str, of: Account) -> str:
    # The plugin also takes a part of a name for a match, so what it found is compared.
    cause = ""
    try:
        found = call()
        if text in (getattr(found, name_field), getattr(found, "id")):  # noqa: B009  # typed as object: five result classes
            return str(getattr(found, "id"))  # noqa: B009
    except Exception as error:  # noqa: BLE001  # pulumi raises a bare Exception for a failed function call
        cause = f": {_one_line(error)}"
    if cause and not any(known in cause for known in _NO_MATCH):
        raise errors.PlantonError(
            f"failed to look up the {what} {text!r} in region {of.region}{cause}",
            code=errors.Code.FAILED,
            reason=errors.Reason.CLOUD_AUTH if "authentication" in cause.lower() else errors.Reason.CLOUD_UNREACHABLE,
            hint="check the token, the region and the network, then run the same command again",
            metadata={"name": text, "region": of.region},
        )
    several = "; several have it as a part of their name" if "MultipleMatchesError" in cause else ""
    raise errors.PlantonError(
        f"no {what} has the name or id {text!r} in region {of.region}{several}",
        code=errors.Code.INVALID,
        reason=errors.Reason.NOT_FOUND,
        hint=f"write the id of a {what}, or the exact name of one in this region and account",
        metadata={"what": what, "name": text, "region": of.region},
    )


def _one_line(error: Exception) -> str:
    # The plugin's own text stands on the last of several lines.
    return " ".join(str(error).split())
