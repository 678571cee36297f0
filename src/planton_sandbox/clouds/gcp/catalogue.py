"""What the simulated Google Cloud offers: zones, machine types, accelerators, limits, durations.

This file holds constants and look-ups, and no customer's resources. The lists are a plausible selection, not the cloud's
current catalogue.
"""

from __future__ import annotations

import dataclasses
import re

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - a public constant of the sandbox
TOKEN_PREFIX = "sandbox-"  # noqa: S105 - a public prefix
DEFAULT_PROJECT = "sandbox-project"
PROJECT_PREFIX = "sandbox-"

# Seconds in realistic latency, from the documentation and reports of users.
CLUSTER_SECONDS = 360.0
CLUSTER_DELETE_SECONDS = 240.0
CLUSTER_UPDATE_SECONDS = 60.0
MASTER_UPGRADE_SECONDS = 300.0
POOL_SECONDS = 90.0
POOL_DELETE_SECONDS = 120.0
POOL_UPDATE_SECONDS = 20.0
NODE_SECONDS = 60.0
NODE_DELETE_SECONDS = 30.0
NODE_UPGRADE_SECONDS = 150.0
STOCKOUT_SECONDS = 1800.0
PENDING_SECONDS = 2.0
SCALE_UP_SECONDS = 30.0
SCALE_DOWN_SECONDS = 600.0
# In instant latency an operation ends without any read, after these seconds.
OPERATION_INSTANT_SECONDS = 0.2

ACCESS_TOKEN_SECONDS = 3600
OPERATIONS_PER_CLUSTER = 5
NODES_PER_ZONE = 1000
NODES_PER_CLUSTER = 15_000
NAME_LIMIT = 40
POD_PREFIX = 24  # of each node's block of addresses for pods
RESERVED_ADDRESSES = 4  # of each subnetwork
LABELS_LIMIT = 1024  # characters of all of a pool's labels
SURGE_LIMIT = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """A machine type: memory in MB.

    Attributes:
        zones: Regular expression of the zones that have it.
        gpu: The accelerator that is part of it; empty for none.
        arm: Whether it has the ARM architecture.
    """

    name: str
    cpu: int
    memory: int
    zones: str = ""
    gpu: str = ""
    gpus: int = 0
    arm: bool = False

    @property
    def family(self) -> str:
        """The machine family, such as ``n1``."""
        return self.name.partition("-")[0]


@dataclasses.dataclass(frozen=True, slots=True)
class Accelerator:
    """An accelerator type: the most of them in one machine, and a regular expression of its zones."""

    name: str
    most: int
    zones: str
    quota: str


REGIONS = {
    "us-central1": "abcf",
    "us-east1": "bcd",
    "us-west1": "abc",
    "europe-west1": "bcd",
    "europe-west3": "abc",
    "europe-west4": "abc",
    "europe-west10": "abc",
    "asia-northeast1": "abc",
    "asia-southeast1": "abc",
}
_NEW_ZONES = r"(us-central1|us-east1|us-west1|europe-west[134]|asia-southeast1)-[a-c]"
_GB = 1024


def _series(family: str, sizes: tuple[int, ...], *, ratio: float, kind: str = "standard", **more: object) -> list[Machine]:
    return [Machine(f"{family}-{kind}-{cpu}", cpu, int(cpu * ratio * _GB), **more) for cpu in sizes]  # type: ignore[arg-type]


MACHINES = (
    Machine("e2-micro", 2, 1 * _GB),
    Machine("e2-small", 2, 2 * _GB),
    Machine("e2-medium", 2, 4 * _GB),
    *_series("e2", (2, 4, 8, 16, 32), ratio=4),
    *_series("e2", (2, 4, 8, 16), ratio=8, kind="highmem"),
    *_series("e2", (2, 4, 8, 16, 32), ratio=1, kind="highcpu"),
    *_series("n1", (1, 2, 4, 8, 16, 32), ratio=3.75),
    *_series("n1", (2, 4, 8, 16), ratio=6.5, kind="highmem"),
    *_series("n2", (2, 4, 8, 16, 32), ratio=4),
    *_series("n2", (2, 4, 8, 16), ratio=8, kind="highmem"),
    *_series("n2d", (2, 4, 8, 16, 32), ratio=4),
    *_series("t2d", (1, 2, 4, 8, 16), ratio=4, zones=_NEW_ZONES),
    *_series("c2", (4, 8, 16, 30), ratio=4, zones=_NEW_ZONES),
    *_series("c3", (4, 8, 22, 44), ratio=4, zones=_NEW_ZONES),
    *_series("n4", (2, 4, 8, 16, 32), ratio=4, zones=_NEW_ZONES),
    *_series("c4", (2, 4, 8, 16, 32), ratio=3.75, zones=_NEW_ZONES),
    *_series("t2a", (1, 2, 4, 8, 16), ratio=4, zones=r"(us-central1-[abf]|europe-west4-[abc])", arm=True),
    *_series("c4a", (1, 2, 4, 8, 16), ratio=4, zones=_NEW_ZONES, arm=True),
    Machine("a2-highgpu-1g", 12, 85 * _GB, r"(us-central1|europe-west4)-[abc]", "nvidia-tesla-a100", 1),
    Machine("a2-highgpu-2g", 24, 170 * _GB, r"(us-central1|europe-west4)-[abc]", "nvidia-tesla-a100", 2),
    Machine("g2-standard-4", 4, 16 * _GB, r"(us-central1|us-east1|europe-west4)-[abc]", "nvidia-l4", 1),
    Machine("g2-standard-8", 8, 32 * _GB, r"(us-central1|us-east1|europe-west4)-[abc]", "nvidia-l4", 1),
    Machine("g2-standard-24", 24, 96 * _GB, r"(us-central1|us-east1|europe-west4)-[abc]", "nvidia-l4", 2),
)
ACCELERATORS = (
    Accelerator("nvidia-tesla-t4", 4, r"(us-central1-[abf]|us-east1-[cd]|europe-west4-[bc]|asia-southeast1-[abc])", "NVIDIA_T4"),
    Accelerator("nvidia-tesla-v100", 8, r"(us-central1-[abf]|us-west1-[ab]|europe-west4-[abc])", "NVIDIA_V100"),
    Accelerator("nvidia-tesla-p100", 4, r"(us-central1-[cf]|us-west1-[ab]|europe-west1-[bd]|europe-west4-a)", "NVIDIA_P100"),
    Accelerator("nvidia-tesla-p4", 4, r"(us-central1-[ac]|europe-west4-[bc])", "NVIDIA_P4"),
    Accelerator("nvidia-tesla-a100", 16, r"(us-central1|europe-west4)-[abc]", "NVIDIA_A100"),
    Accelerator("nvidia-l4", 8, r"(us-central1|us-east1|europe-west4)-[abc]", "NVIDIA_L4"),
)
DISK_TYPES = ("pd-standard", "pd-balanced", "pd-ssd", "pd-extreme", "hyperdisk-balanced", "hyperdisk-extreme")
IMAGE_TYPES = ("COS_CONTAINERD", "UBUNTU_CONTAINERD", "WINDOWS_LTSC_CONTAINERD")
# Families with only hyperdisks, and those that may have one.
_HYPERDISK_ONLY = ("n4", "c4", "c4a")
_HYPERDISK = (*_HYPERDISK_ONLY, "c3")

# The regional limits of a new project, by metric.
LIMITS = {
    "CPUS": 200.0,
    "N2_CPUS": 200.0,
    "N2D_CPUS": 200.0,
    "C2_CPUS": 100.0,
    "C3_CPUS": 100.0,
    "T2D_CPUS": 200.0,
    "T2A_CPUS": 32.0,
    "A2_CPUS": 24.0,
    "PREEMPTIBLE_CPUS": 0.0,
    "IN_USE_ADDRESSES": 200.0,
    "INSTANCES": 500.0,
    "DISKS_TOTAL_GB": 81_920.0,
    "SSD_TOTAL_GB": 40_960.0,
    "HDB_TOTAL_GB": 40_960.0,
    "INSTANCE_GROUP_MANAGERS": 100.0,
    **{f"{item.quota}_GPUS": 4.0 for item in ACCELERATORS},
    **{f"PREEMPTIBLE_{item.quota}_GPUS": 4.0 for item in ACCELERATORS},
}


def zones_of(location: str) -> tuple[str, ...]:
    """Returns the zones of a region, or a zone itself; empty for an unknown location."""
    if location in REGIONS:
        return tuple(f"{location}-{letter}" for letter in REGIONS[location])
    region, _, letter = location.rpartition("-")
    return (location,) if letter and letter in REGIONS.get(region, "") else ()


def region_of(location: str) -> str:
    """Returns the region of a location, which is a region or a zone."""
    return location if location in REGIONS else location.rpartition("-")[0]


def all_zones() -> list[str]:
    """Returns all zones."""
    return [zone for region in REGIONS for zone in zones_of(region)]


def machine(name: str) -> Machine | None:
    """Returns the machine type with this name."""
    return next((item for item in MACHINES if item.name == name), None)


def machine_in(item: Machine, zone: str) -> bool:
    """Returns whether a zone has a machine type."""
    return not item.zones or re.fullmatch(item.zones, zone) is not None


def accelerator(name: str) -> Accelerator | None:
    """Returns the accelerator type with this name."""
    return next((item for item in ACCELERATORS if item.name == name), None)


def accelerator_in(item: Accelerator, zone: str) -> bool:
    """Returns whether a zone has an accelerator type."""
    return re.fullmatch(item.zones, zone) is not None


def disk_fits(disk: str, family: str) -> bool:
    """Returns whether machines of a family can boot from a disk type."""
    return family in _HYPERDISK if disk.startswith("hyperdisk-") else family not in _HYPERDISK_ONLY


def default_disk(family: str) -> str:
    """Returns the type of a boot disk that a request does not choose."""
    return "hyperdisk-balanced" if family in _HYPERDISK_ONLY else "pd-balanced"


def cpu_metric(family: str) -> str:
    """Returns the quota metric of a family's processors."""
    specific = f"{family.upper()}_CPUS"
    return specific if specific in LIMITS else "CPUS"


def disk_metric(disk: str) -> str:
    """Returns the quota metric of a disk type's size."""
    return "DISKS_TOTAL_GB" if disk == "pd-standard" else "HDB_TOTAL_GB" if disk == "hyperdisk-balanced" else "SSD_TOTAL_GB"
