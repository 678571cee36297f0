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
    cluster = cloud.cluster_alone(id_)
    return None if cluster is None else (id_, _spec(cluster))


def _spec(cluster: Mapping[str, Any]) -> dict[str, Any]:
    network, ranges = cluster.get("networkConfig") or {}, cluster.get("ipAllocationPolicy") or {}
    private, authorized = cluster.get("privateClusterConfig") or {}, cluster.get("masterAuthorizedNetworksConfig") or {}
    channel = (cluster.get("releaseChannel") or {}).get("channel") or "UNSPECIFIED"
    blocks = authorized.get("cidrBlocks") or () if authorized.get("enabled") else ()
    return {
        "networkSelfLink": network.get("network") or cluster.get("network"),
        "subnetworkSelfLink": network.get("subnetwork") or cluster.get("subnetwork"),
        "clusterSecondaryRangeName": ranges.get("clusterSecondaryRangeName"),
        "servicesSecondaryRangeName": ranges.get("servicesSecondaryRangeName"),
        "masterIpv4CidrBlock": private.get("masterIpv4CidrBlock"),
        "enablePublicNodes": not private.get("enablePrivateNodes"),
        "releaseChannel": "NONE" if channel == "UNSPECIFIED" else channel,
        "masterAuthorizedNetworks": sorted(block["cidrBlock"] for block in blocks),
        "disableNetworkPolicy": not (cluster.get("networkPolicy") or {}).get("enabled"),
        "disableWorkloadIdentity": not (cluster.get("workloadIdentityConfig") or {}).get("workloadPool"),
    }
