"""The program of DigitalOceanVpc: a private network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_digitalocean

from org.project_planton.provider.digitalocean import region_pb2
from planton.modules import own, unsupported
from planton.modules.digitalocean import provider, vpc

if TYPE_CHECKING:
    from org.project_planton.provider.digitalocean.digitaloceanvpc.v1 import spec_pb2, stack_input_pb2


def resources(stack_input: stack_input_pb2.DigitalOceanVpcStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the network and returns its outputs.

    Raises:
        PlantonError: ``UNSUPPORTED_FIELD``; ``CREDENTIAL_MISSING``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in unsupported.warnings(target, vpc.UNSUPPORTED):
        pulumi.log.warn(warning)
    account = provider.account(stack_input.provider_config)
    network = pulumi_digitalocean.Vpc(
        "network",
        name=target.metadata.name,
        region=region_pb2.DigitalOceanRegion.Name(spec.region),
        ip_range=spec.ip_range_cidr or None,
        description=_description(spec) or None,
        opts=pulumi.ResourceOptions(
            provider=account.provider,
            # Two networks of an account cannot share a name.
            delete_before_replace=True,
        ),
    )
    return {"vpc_id": network.id}


def _description(spec: spec_pb2.DigitalOceanVpcSpec) -> str:
    network = own.resource("digitalocean:index/vpc:Vpc") or {}
    remaining = "" if spec.description else str(network.get("description") or "")
    if remaining:
        # The plugin does not send an empty text, so every plan would show the removal.
        pulumi.log.warn(
            f"spec.description: removed from the manifest, but the plugin cannot clear it, so the cloud keeps {remaining!r}; "
            "write another text, or clear it in the dashboard and run planton refresh"
        )
    return spec.description or remaining
