"""Creates the Google Cloud provider of a stack."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp
from pulumi_gcp import container

from planton import errors
from planton.modules import accounts
from planton.schema import providers

if TYPE_CHECKING:
    from org.project_planton.provider.gcp import provider_pb2

#: pulumi_gcp loads `container` at its first use, without a lock: two pools at once could see half of it. An import has a lock.
LOADED = (container.Cluster, container.NodePool)
CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"


def provider(config: provider_pb2.GcpProviderConfig, *, project: str, location: str) -> pulumi_gcp.Provider:
    """Returns the provider of every resource of a stack.

    Args:
        config: The account.
        project: The project of the resources.
        location: Their region or zone.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``; ``CREDENTIAL_INVALID``.
    """
    accounts.require(config)
    key, token, endpoint = config.service_account_key_base64, config.access_token, config.api_endpoint
    return pulumi_gcp.Provider(
        "gcp",
        project=project,
        # With a region, the plugin lists the regions of the real cloud, and sends it the credentials of the other endpoint.
        # Each resource has its location.
        region=None if endpoint else providers.get("gcp").region_of(location),
        credentials=pulumi.Output.secret(_json(key)) if key and not token else None,
        access_token=pulumi.Output.secret(token) if token else None,
        # The plugin removes the version, and calls v1beta1.
        container_custom_endpoint=f"{endpoint}/v1beta1/" if endpoint else None,
        compute_custom_endpoint=f"{endpoint}/compute/beta/" if endpoint else None,
        # The plugin would add a label to each resource, which every other tool reports as a change.
        add_pulumi_attribution_label=False,
    )


def _json(key: str) -> str:
    try:
        return base64.b64decode(key, validate=True).decode()
    except (binascii.Error, ValueError):
        raise errors.credential_invalid(
            "the service-account key for gcp is not base64 of a text",
            hint="encode the JSON file of the key: base64 -w0 key.json",
        ) from None
