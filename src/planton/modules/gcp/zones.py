"""The zones of a node pool, because GKE counts nodes per zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.modules.gcp import existing, gke_node_pool
from planton.schema import providers

if TYPE_CHECKING:
    import pulumi

    from org.project_planton.provider.gcp.gcpgkenodepool.v1 import spec_pb2


def number(spec: spec_pb2.GcpGkeNodePoolSpec, account: pulumi.ProviderResource) -> int:
    """Returns the number of zones of a pool.

    They are those of its spec, else those that it has, else those of its cluster. A cluster that is planned has the usual number.

    Args:
        spec: The pool, with resolved references.
        account: The provider for the look-up.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    if spec.zones:
        return len(spec.zones)
    is_zone = providers.get("gcp").is_zone(spec.cluster_location.value)
    cluster = existing.cluster_of(spec, account)
    if cluster is None:
        return gke_node_pool.USUAL_ZONES if not is_zone else 1
    # A pool whose spec no longer lists zones keeps them.
    own = (existing.pool(cluster, spec.node_pool_name) or {}).get("node_locations")
    if own:
        return len(own)
    zones = list(cluster.node_locations or ())
    return len(zones) + 1 if is_zone else len(zones) or gke_node_pool.USUAL_ZONES
