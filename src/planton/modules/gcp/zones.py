"""The zones of a node pool, because GKE counts nodes per zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi_gcp import container

from planton.modules import lookups
from planton.modules.gcp import gke_node_pool
from planton.schema import providers

if TYPE_CHECKING:
    from org.project_planton.provider.gcp.gcpgkenodepool.v1 import spec_pb2

_LOOKUPS = lookups.Lookups(where="in this project", region="", no_match=("not found", "Not found", "notFound", "404"))


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
    project, location, name = spec.cluster_project_id.value, spec.cluster_location.value, spec.cluster_name.value
    is_zone = providers.get("gcp").is_zone(location)
    options = pulumi.InvokeOptions(provider=account)
    cluster = _LOOKUPS.find(
        "cluster", name, lambda text: container.get_cluster(name=text, location=location, project=project, opts=options)
    )
    if isinstance(cluster, str):
        return gke_node_pool.USUAL_ZONES if not is_zone else 1
    # A pool whose spec no longer lists zones keeps them.
    pools = getattr(cluster, "node_pools") or ()  # noqa: B009  # typed as object
    own = next((pool["node_locations"] for pool in pools if pool["name"] == spec.node_pool_name), ())
    if own:
        return len(own)
    zones = list(getattr(cluster, "node_locations") or ())  # noqa: B009  # typed as object
    return len(zones) + 1 if is_zone else len(zones) or gke_node_pool.USUAL_ZONES
