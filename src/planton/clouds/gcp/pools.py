"""Facts of a GKE node pool that follow from its manifest. Checks, prices and quotas share them."""

from __future__ import annotations

from typing import Any, Final

#: The size in GB of a disk whose size the manifest leaves to GKE.
_USUAL_DISK: Final = 100


def cluster_id(spec: Any) -> str:  # a GcpGkeNodePoolSpec
    """Returns the id of the cluster of a node pool."""
    place = f"projects/{spec.cluster_project_id.value}/locations/{spec.cluster_location.value}"
    return f"{place}/clusters/{spec.cluster_name.value}"


def family(machine_type: str) -> str:
    """Returns the family of a machine type, e.g. ``e2`` for ``e2-standard-4``."""
    return machine_type.partition("-")[0]


def is_reclaimable(spec: Any) -> bool:  # a GcpGkeNodePoolSpec
    """Returns whether the cloud may take the machines of a pool back: Spot VMs and preemptible ones."""
    return bool(spec.spot or spec.preemptible)


def disk_gb(spec: Any) -> int:  # a GcpGkeNodePoolSpec
    """Returns the size of each node's disk in GB."""
    return int(spec.disk_size_gb or _USUAL_DISK)
