"""The program of CivoVpc: a private network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_civo

from planton.modules import own, unsupported
from planton.modules.civo import provider, vpc

if TYPE_CHECKING:
    from org.project_planton.provider.civo.civovpc.v1 import spec_pb2, stack_input_pb2


def resources(stack_input: stack_input_pb2.CivoVpcStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the network and returns its outputs.

    ``created_at_rfc3339`` is empty: the cloud does not report when a network was created.

    Raises:
        PlantonError: ``UNSUPPORTED_FIELD``; ``CREDENTIAL_MISSING``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in [*unsupported.warnings(target, vpc.UNSUPPORTED), *_warnings_about_nameservers(spec)]:
        pulumi.log.warn(warning)
    # civo_credential_id has done its work when the provider config was chosen.
    account = provider.account(stack_input.provider_config, region=spec.region)
    network = pulumi_civo.Network(
        "network",
        label=spec.network_name,
        region=account.region,
        cidr_v4=spec.ip_range_cidr or None,
        nameservers_v4s=list(spec.nameservers) or None,
        opts=pulumi.ResourceOptions(
            provider=account.provider,
            # The plugin answers a changed range with an error instead of a replacement; two networks cannot share a label.
            replacement_trigger=spec.ip_range_cidr,
            delete_before_replace=True,
        ),
    )
    return {"network_id": network.id, "cidr_block": network.cidr_v4, "created_at_rfc3339": ""}


def _warnings_about_nameservers(spec: spec_pb2.CivoVpcSpec) -> list[str]:
    # The plugin treats a missing list as equal to any list.
    before = own.applied().get("nameservers") or []
    if spec.nameservers or not before:
        return []
    warning = (
        f"spec.nameservers: removed from the manifest, but the plugin cannot clear them, so the cloud keeps {', '.join(before)}; "
        "write the desired ones"
    )
    return [warning]
