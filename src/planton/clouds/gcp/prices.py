"""List prices of the nodes of Google Cloud in US dollars per month. Its lists of machine types have none.

`prices.csv` has the prices of each region: a GB of disk per month, a vCPU and a GiB of memory per hour by machine family. A
machine costs their sum. `PROVIDER.prices` says where they come from. To update: replace the file and the day there. Prices of
other families, spot machines, which change from month to month, and accelerators are unknown.
"""

from __future__ import annotations

import csv
import functools
import pathlib
import re
from typing import TYPE_CHECKING, Any, Final

from planton.clouds.gcp import PROVIDER, pools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HOURS: Final = 730
_MACHINE: Final = re.compile(r"[a-z]\d[a-z]?-(standard|highmem|highcpu)-(\d+)")
#: GiB of memory for each vCPU: that of most families, then those that differ.
_MEMORY: Final[dict[str, float]] = {"standard": 4, "highmem": 8, "highcpu": 1}
_OTHER_MEMORY: Final[dict[str, dict[str, float]]] = {
    "n1": {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9},
    "n4": {"highcpu": 2},
    "c3": {"highcpu": 2},
}
#: Machine types that are no multiples of a vCPU: processors and GiB of memory as they are billed.
_SINGLE: Final[dict[str, tuple[float, float]]] = {
    "e2-micro": (0.25, 1),
    "e2-small": (0.5, 2),
    "e2-medium": (1, 4),
    "n2-highmem-128": (128, 864),
}


def machine(name: str, location: str) -> float | None:
    """Returns the list price of a machine type without disk; None if it is unknown.

    Args:
        name: The machine type, e.g. ``e2-standard-4``.
        location: Its region or zone.
    """
    family, cpus, memory = _parts(name)
    prices = _table().get(PROVIDER.region_of(location), {})
    cpu, gib = prices.get(f"{family} vcpu"), prices.get(f"{family} gib")
    return None if cpu is None or gib is None else round((cpus * cpu + memory * gib) * _HOURS, 2)


def _parts(name: str) -> tuple[str, float, float]:
    """Returns the family of a machine type, and its billed processors and GiB of memory; an empty family if it is unknown."""
    if name in _SINGLE:
        return (pools.family(name), *_SINGLE[name])
    match = _MACHINE.fullmatch(name)
    if match is None:
        return "", 0, 0
    family, sort, cpus = pools.family(name), match[1], int(match[2])
    return family, cpus, cpus * (_MEMORY | _OTHER_MEMORY.get(family, {}))[sort]


def node(spec: Any) -> Iterator[tuple[str, float | None]]:  # a GcpGkeNodePoolSpec
    """Yields what a node of a pool consists of, for messages, with the list price of each; None if it is unknown."""
    location = spec.cluster_location.value
    if pools.is_reclaimable(spec):
        yield f"spot size {spec.machine_type}", None
    else:
        yield f"size {spec.machine_type}", machine(spec.machine_type, location)
    disk = _table().get(PROVIDER.region_of(location), {}).get(spec.disk_type)
    yield f"disk {spec.disk_type}", None if disk is None else disk * pools.disk_gb(spec)
    for each in spec.accelerators:
        yield f"accelerator {each.type}", None


@functools.cache
def _table() -> Mapping[str, Mapping[str, float]]:
    """Returns the prices of each region: column → price. A price that a region does not have is missing."""
    with pathlib.Path(__file__).with_name("prices.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["region"]: {name: float(text) for name, text in row.items() if name != "region" and text}
            for row in csv.DictReader(file)
        }
