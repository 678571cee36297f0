"""Existing clusters of GKE, as the specs of their manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.clouds.gcp import client


def spec(cloud: client.Cloud, identity: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Returns the import id of a cluster and the spec of its manifest; None if it does not exist.

    Args:
        cloud: The account.
        identity: ``projectId``, ``location`` and ``clusterName``.

    Raises:
        PlantonError: The cloud cannot be read.
    """
    id_ = "projects/{projectId}/locations/{location}/clusters/{clusterName}".format_map(dict(identity))
    found = cloud.cluster_alone(id_)
    return None if found is None else (id_, _spec(found))


def _spec(found: Mapping[str, Any]) -> dict[str, Any]:
    network, ranges = found.get("networkConfig") or {}, found.get("ipAllocationPolicy") or {}
    private, authorized = found.get("privateClusterConfig") or {}, found.get("masterAuthorizedNetworksConfig") or {}
    channel = (found.get("releaseChannel") or {}).get("channel") or "UNSPECIFIED"
    blocks = authorized.get("cidrBlocks") or () if authorized.get("enabled") else ()
    return {
        "networkSelfLink": network.get("network") or found.get("network"),
        "subnetworkSelfLink": network.get("subnetwork") or found.get("subnetwork"),
        "clusterSecondaryRangeName": ranges.get("clusterSecondaryRangeName"),
        "servicesSecondaryRangeName": ranges.get("servicesSecondaryRangeName"),
        "masterIpv4CidrBlock": private.get("masterIpv4CidrBlock"),
        "enablePublicNodes": not private.get("enablePrivateNodes"),
        "releaseChannel": "NONE" if channel == "UNSPECIFIED" else channel,
        "masterAuthorizedNetworks": sorted(block["cidrBlock"] for block in blocks),
        "disableNetworkPolicy": not (found.get("networkPolicy") or {}).get("enabled"),
        "disableWorkloadIdentity": not (found.get("workloadIdentityConfig") or {}).get("workloadPool"),
    }
