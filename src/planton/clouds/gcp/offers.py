"""What the zones of a node pool offer: machine types and accelerators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.clouds import entries
from planton.clouds.gcp import PROVIDER, fitting, pools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planton.clouds.gcp import client


def refusals(cloud: client.Cloud, target: Any) -> Iterator[entries.Refusal]:  # a manifest of GcpGkeNodePool
    """Yields what the zones of a node pool do not offer, and what does not fit its cluster.

    Args:
        cloud: The project.
        target: The manifest, with references resolved.

    Raises:
        PlantonError: The cloud cannot be read.
    """
    spec = target.spec
    yield from fitting.refusals(cloud, spec)
    if spec.zones:
        places = {row["size"]: row["regions"] for row in cloud.sizes()}.get(spec.machine_type, [])
        absent = [zone for zone in spec.zones if zone not in places]
        # Without any place the machine type itself is unknown, which is reported elsewhere.
        if places and absent:
            yield _refused("spec.machineType", spec.machine_type, absent, list(filter(PROVIDER.is_zone, places)))
    if not spec.accelerators:
        return
    zones = list(spec.zones) or _zones_of_cluster(cloud, spec)
    offered = cloud.accelerators()
    for index, each in enumerate(spec.accelerators):
        places = [zone for zone, types in offered.items() if each.type in types]
        absent = [zone for zone in zones if zone not in places]
        if absent:
            yield _refused(f"spec.accelerators[{index}].type", each.type, absent, places)
            continue
        most = min((offered[zone][each.type] for zone in zones), default=0)
        if zones and each.count > most:
            text = f"{each.count} accelerators {each.type!r} do not fit into one machine; at most {most} do"
            hint = f"write a count of at most {most}, and more nodes"
            yield entries.Refusal(f"spec.accelerators[{index}].count", text, hint)


def _zones_of_cluster(cloud: client.Cloud, spec: Any) -> list[str]:
    location = spec.cluster_location.value
    if PROVIDER.is_zone(location):
        return [location]
    return list((cloud.cluster_alone(pools.cluster_id(spec)) or {}).get("locations") or ())


def _refused(path: str, name: str, absent: list[str], places: list[str]) -> entries.Refusal:
    listed = ", ".join(sorted(places)) or "no zone"
    text = f"{name!r} is not offered in {', '.join(absent)}; it is in: {listed}"
    return entries.Refusal(path, text, "choose zones that offer it (spec.zones), or another type")
