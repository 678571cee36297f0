"""Clusters that the cloud has, and their node pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi_gcp import container

from planton.modules import lookups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from org.project_planton.provider.gcp.gcpgkenodepool.v1 import spec_pb2

_LOOKUPS: Final = lookups.Lookups(where="in this project", region="", no_match=("not found", "Not found", "notFound", "404"))


def cluster(name: str, *, project: str, location: str, account: pulumi.ProviderResource) -> container.GetClusterResult | None:
    """Returns a cluster, or None if it does not exist.

    Args:
        name: The cluster's name.
        project: Its project.
        location: Its region or zone.
        account: The provider for the look-up.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``.
    """
    options = pulumi.InvokeOptions(provider=account)
    result = _LOOKUPS.find(
        "cluster", name, lambda text: container.get_cluster(name=text, location=location, project=project, opts=options)
    )
    return result if isinstance(result, container.GetClusterResult) else None


def cluster_of(spec: spec_pb2.GcpGkeNodePoolSpec, account: pulumi.ProviderResource) -> container.GetClusterResult | None:
    """Returns the cluster of a node pool, or None if it does not exist; raises like `cluster`."""
    project, location = spec.cluster_project_id.value, spec.cluster_location.value
    return cluster(spec.cluster_name.value, project=project, location=location, account=account)


def pool(owner: container.GetClusterResult, name: str) -> Mapping[str, Any] | None:
    """Returns a node pool of a cluster, or None if it has none with this name."""
    return next((each for each in owner.node_pools or () if each["name"] == name), None)
