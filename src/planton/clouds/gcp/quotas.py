"""What the nodes of GKE take from the quotas of their region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from planton.clouds import entries
from planton.clouds.gcp import pools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Google's metric → the subject of a quota.
SUBJECTS: Final = {"INSTANCES": "nodes"}
#: The machine families that the general quota of processors counts. Others have quotas of their own.
_GENERAL: Final = ("e2", "n1", "f1", "g1")
_DISKS: Final = {
    "pd-standard": "DISKS_TOTAL_GB",
    "pd-balanced": "SSD_TOTAL_GB",
    "pd-ssd": "SSD_TOTAL_GB",
    "hyperdisk-balanced": "HDB_TOTAL_GB",
}
#: Public addresses in use. Nodes with internal addresses only take none.
_ADDRESSES: Final = "IN_USE_ADDRESSES"
#: What GKE uses for the first nodes of a cluster, which no manifest describes: processors of an e2-medium, type and size of the disk.
_FIRST_CPUS, _FIRST_DISK, _FIRST_GB = 2, "pd-balanced", 100


def of_first_node(spec: Any) -> Iterator[tuple[str, int]]:  # a GcpGkeClusterSpec
    """Yields the quotas that each node counts in with which GKE creates a cluster, and how much of each."""
    yield "nodes", 1
    yield _cpu_metric("e2"), _FIRST_CPUS
    yield _DISKS[_FIRST_DISK], _FIRST_GB
    if spec.enable_public_nodes:
        yield _ADDRESSES, 1


def of_node(spec: Any, size: Mapping[str, Any], quotas: Mapping[str, entries.Quota], cluster: Any) -> Iterator[tuple[str, int]]:
    """Yields the quotas that a node counts in, and how much of each.

    Machines that the cloud may take back count in quotas of their own if the project has some, else in the usual ones.

    Args:
        spec: The spec of a GcpGkeNodePool.
        size: The row of its machine type.
        quotas: The quotas of the region.
        cluster: The manifest of its cluster, or else the cluster's entry; None if neither is known.
    """
    yield "nodes", 1
    if _has_public_nodes(cluster):
        yield _ADDRESSES, 1
    is_spot = pools.is_reclaimable(spec)
    cpus = _cpu_metric(pools.family(spec.machine_type))
    yield _granted("PREEMPTIBLE_CPUS", cpus, quotas) if is_spot else cpus, int(size.get("cpus") or 0)
    if spec.disk_type in _DISKS:
        yield _DISKS[spec.disk_type], pools.disk_gb(spec)
    accelerators = {each.type: each.count for each in spec.accelerators} or size.get("accelerators") or {}
    for name, count in accelerators.items():
        metric = _accelerator_metric(name)
        yield _granted(f"PREEMPTIBLE_{metric}", metric, quotas) if is_spot else metric, count


def _has_public_nodes(cluster: Any) -> bool:
    if isinstance(cluster, entries.Entry):
        return cluster.has_public_nodes
    return cluster is not None and bool(cluster.spec.enable_public_nodes)


def _granted(own: str, usual: str, quotas: Mapping[str, entries.Quota]) -> str:
    return own if own in quotas and quotas[own].limit else usual


def _cpu_metric(family: str) -> str:
    return "CPUS" if family in _GENERAL else f"{family.upper()}_CPUS"


def _accelerator_metric(name: str) -> str:
    """Returns the metric of an accelerator type, e.g. ``NVIDIA_T4_GPUS`` for ``nvidia-tesla-t4``."""
    model = name.removeprefix("nvidia-").removeprefix("tesla-").upper().replace("-", "_")
    # The quota of the H100 has no size of memory, unlike that of the A100.
    return f"NVIDIA_{'H100' if model == 'H100_80GB' else model}_GPUS"
