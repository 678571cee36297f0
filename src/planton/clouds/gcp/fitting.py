"""Whether the zones, the version and the disk of a node pool fit its cluster and its machine type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from planton.clouds import entries
from planton.clouds.gcp import PROVIDER, pools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planton.clouds.gcp import client

_RULE: Final = "cloud.fits_cluster"
#: The smallest disk in GB from a version of nodes on. The schema refuses what is too small for all.
_DISK, _DISK_VERSION = 15, (1, 36, 3)
#: The minor versions that nodes may be behind the control plane.
_SKEW: Final = 2
#: The machine families without hyperdisks to boot from, and those with no other disk.
_NO_HYPERDISK: Final = frozenset({"c2", "c2d", "e2", "f1", "g1", "n1", "n2", "n2d", "t2a", "t2d"})
_ONLY_HYPERDISK: Final = frozenset({"c4", "c4a", "c4d", "n4", "n4a", "n4d"})


def numbers(version: str) -> tuple[int, ...]:
    """Returns the numbers of a version, e.g. 1, 33, 4 and 1172000 for ``1.33.4-gke.1172000``."""
    return tuple(int(part) for part in version.replace("-gke.", ".").split(".") if part.isdecimal()) or (0,)


def refusals(cloud: client.Cloud, spec: Any) -> Iterator[entries.Refusal]:  # a GcpGkeNodePoolSpec
    """Yields the values of a node pool that GKE would refuse.

    Raises:
        PlantonError: The cloud cannot be read.
    """
    yield from _zones(spec)
    yield from _disk_type(spec)
    is_small = 0 < spec.disk_size_gb < _DISK
    if not spec.kubernetes_version and not is_small:
        return
    cluster = cloud.cluster_alone(pools.cluster_id(spec))
    if cluster is None:
        return
    version = spec.kubernetes_version or str(cluster.get("currentMasterVersion") or "")
    if is_small and numbers(version)[:3] >= _DISK_VERSION:
        text = f"{spec.disk_size_gb} GB is too small for nodes of version {version}, which need at least {_DISK}"
        yield entries.Refusal("spec.diskSizeGb", text, f"write at least {_DISK}", _RULE)
    if spec.kubernetes_version:
        yield from _version(spec, cluster, cloud.node_versions(spec.cluster_location.value))


def _zones(spec: Any) -> Iterator[entries.Refusal]:
    region = PROVIDER.region_of(spec.cluster_location.value)
    elsewhere = [zone for zone in spec.zones if PROVIDER.region_of(zone) != region]
    if elsewhere:
        text = f"the cluster is in {region}, and {', '.join(elsewhere)} in another region"
        yield entries.Refusal("spec.zones", text, f"write zones of {region}, or none for those of the cluster", _RULE)


def _disk_type(spec: Any) -> Iterator[entries.Refusal]:
    family = pools.family(spec.machine_type)
    is_hyperdisk = spec.disk_type.startswith("hyperdisk-")
    if family in (_NO_HYPERDISK if is_hyperdisk else _ONLY_HYPERDISK):
        text = f"machines of the family {family} do not boot from {spec.disk_type}"
        other = "pd-balanced" if is_hyperdisk else "hyperdisk-balanced"
        yield entries.Refusal("spec.diskType", text, f"write diskType: {other}, or choose another machine type", _RULE)


def _version(spec: Any, cluster: Mapping[str, Any], offered: list[str]) -> Iterator[entries.Refusal]:
    version, running = spec.kubernetes_version, str(cluster.get("currentMasterVersion") or "")
    own = [pool.get("version") for pool in cluster.get("node_pools") or () if pool.get("name") == spec.node_pool_name]
    if version in own:
        return
    nodes, control_plane = numbers(version), numbers(running)
    text, hint = "", "write the version of the control plane, or none"
    if nodes > control_plane:
        text, hint = f"nodes of version {version} are newer than the control plane ({running})", "upgrade the cluster first"
    elif nodes[0] != control_plane[0] or control_plane[1] - nodes[1] > _SKEW:
        text = f"nodes of version {version} are more than {_SKEW} minor versions behind the control plane ({running})"
    elif version not in offered:
        text = f"version {version} is not offered for nodes there; offered: {', '.join(offered[:5]) or 'none'}"
    if text:
        yield entries.Refusal("spec.kubernetesVersion", text, hint, _RULE)
