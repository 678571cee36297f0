"""What the simulated DigitalOcean offers: regions, sizes, versions, limits, durations.

This file holds constants and look-ups, and no customer's resources. The lists are a plausible selection, not the cloud's
current catalogue.
"""

from __future__ import annotations

import dataclasses
import re

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - a public constant of the sandbox
TOKEN_PREFIX = "sandbox-"  # noqa: S105 - a public prefix

# Seconds in realistic latency, from the documentation and reports of users.
CLUSTER_SECONDS = 300.0
CLUSTER_NODE_SECONDS = 280.0
CLUSTER_DELETE_SECONDS = 60.0
NODE_SECONDS = 90.0
NODE_DELETE_SECONDS = 30.0
CONTROL_PLANE_UPGRADE_SECONDS = 240.0
NODE_UPGRADE_SECONDS = 150.0
SCALE_UP_SECONDS = 30.0
SCALE_DOWN_SECONDS = 600.0
# In instant latency an upgrade or a deletion ends without any read, after these seconds.
UPGRADE_STEP_INSTANT_SECONDS = 0.2
DELETE_INSTANT_SECONDS = 2.0

DROPLET_LIMIT = 100
CLUSTER_NODE_LIMIT = 512
SURGE_NODES = 10
REQUEST_LIMIT = 5000
REQUEST_LIMIT_SECONDS = 3600
CREDENTIALS_SECONDS = 7 * 24 * 3600
# From this minor version on, a control plane is highly available by default.
HA_BY_DEFAULT = (1, 36)


@dataclasses.dataclass(frozen=True, slots=True)
class Region:
    """A region."""

    slug: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """A droplet size: memory in MB, disk in GB, transfer in TB, price in US dollars per month.

    Attributes:
        kubernetes: Whether nodes can have this size.
        regions: Where it is available; empty for everywhere.
    """

    slug: str
    family: str
    cpu: int
    memory: int
    disk: int
    transfer: float
    price: float
    kubernetes: bool = True
    gpus: int = 0
    gpu: str = ""
    vram: int = 0
    regions: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A Kubernetes version that can be installed."""

    slug: str
    kubernetes: str


REGIONS = (
    Region("nyc1", "New York 1"),
    Region("nyc2", "New York 2"),
    Region("nyc3", "New York 3"),
    Region("ams3", "Amsterdam 3"),
    Region("sfo2", "San Francisco 2"),
    Region("sfo3", "San Francisco 3"),
    Region("sgp1", "Singapore 1"),
    Region("lon1", "London 1"),
    Region("fra1", "Frankfurt 1"),
    Region("tor1", "Toronto 1"),
    Region("blr1", "Bangalore 1"),
    Region("syd1", "Sydney 1"),
    Region("atl1", "Atlanta 1"),
)
_GPU_REGIONS = ("nyc2", "tor1", "atl1")

SIZES = (
    Size("s-1vcpu-512mb-10gb", "Basic", 1, 512, 10, 0.5, 4, kubernetes=False),
    Size("s-1vcpu-1gb", "Basic", 1, 1024, 25, 1, 6, kubernetes=False),
    Size("s-1vcpu-2gb", "Basic", 1, 2048, 50, 2, 12),
    Size("s-2vcpu-2gb", "Basic", 2, 2048, 60, 3, 18),
    Size("s-2vcpu-4gb", "Basic", 2, 4096, 80, 4, 24),
    Size("s-4vcpu-8gb", "Basic", 4, 8192, 160, 5, 48),
    Size("s-8vcpu-16gb", "Basic", 8, 16384, 320, 6, 96),
    Size("c-2", "CPU-Optimized", 2, 4096, 25, 4, 42),
    Size("c-4", "CPU-Optimized", 4, 8192, 50, 5, 84),
    Size("c-8", "CPU-Optimized", 8, 16384, 100, 6, 168),
    Size("c-16", "CPU-Optimized", 16, 32768, 200, 7, 336),
    Size("g-2vcpu-8gb", "General Purpose", 2, 8192, 25, 4, 63),
    Size("g-4vcpu-16gb", "General Purpose", 4, 16384, 50, 5, 126),
    Size("g-8vcpu-32gb", "General Purpose", 8, 32768, 100, 6, 252),
    Size("g-16vcpu-64gb", "General Purpose", 16, 65536, 200, 7, 504),
    Size("m-2vcpu-16gb", "Memory-Optimized", 2, 16384, 50, 4, 84),
    Size("m-4vcpu-32gb", "Memory-Optimized", 4, 32768, 100, 6, 168),
    Size("m-8vcpu-64gb", "Memory-Optimized", 8, 65536, 200, 7, 336),
    Size("so-2vcpu-16gb", "Storage-Optimized", 2, 16384, 300, 4, 131),
    Size("gpu-l40sx1-48gb", "L40S GPU - 1X", 8, 65536, 500, 5, 1168, True, 1, "nvidia_l40s", 48, _GPU_REGIONS),
    Size("gpu-h100x1-80gb", "H100 GPU - 1X", 20, 245760, 720, 15, 2522, True, 1, "nvidia_h100", 80, _GPU_REGIONS),
    Size("gpu-h100x8-640gb", "H100 GPU - 8X", 160, 1966080, 2046, 60, 17796, True, 8, "nvidia_h100", 640, _GPU_REGIONS),
)

VERSIONS = tuple(Version(f"1.{minor}.{patch}-do.0", f"1.{minor}.{patch}") for minor in (36, 35, 34, 33, 32) for patch in (1, 0))
FEATURES = ("cluster-autoscaler", "docr-integration", "ha-control-plane", "token-authentication")


def region(slug: str) -> Region | None:
    """Returns the region with this slug."""
    return next((item for item in REGIONS if item.slug == slug), None)


def size(slug: str) -> Size | None:
    """Returns the size with this slug."""
    return next((item for item in SIZES if item.slug == slug), None)


def places(item: Size) -> tuple[str, ...]:
    """Returns the slugs of the regions where a size is available."""
    return item.regions or tuple(region.slug for region in REGIONS)


def version(text: str) -> str:
    """Returns the full slug of a version.

    Args:
        text: A slug such as ``1.33.1-do.0``, a minor version such as ``1.33`` for its
            newest patch, or ``latest``.

    Returns:
        The slug, or an empty string for an unknown version.
    """
    slugs = [item.slug for item in VERSIONS]
    if text == "latest":
        return max(slugs, key=order)
    if re.fullmatch(r"\d+\.\d+", text):
        return max((slug for slug in slugs if slug.startswith(f"{text}.")), key=order, default="")
    return text if text in slugs else ""


def order(slug: str) -> tuple[int, ...]:
    """Returns a version as numbers, for comparisons."""
    return tuple(int(number) for number in re.findall(r"\d+", slug))


def minor(slug: str) -> tuple[int, ...]:
    """Returns the first two numbers of a version."""
    return order(slug)[:2]


def upgrades(current: str) -> list[Version]:
    """Returns the versions that a cluster can be upgraded to.

    These are the newer patches of its minor version. If there are none, they are the patches of the next minor version.
    """
    patches = [item for item in VERSIONS if minor(item.slug) == minor(current) and order(item.slug) > order(current)]
    major, number = minor(current)
    return patches or [item for item in VERSIONS if minor(item.slug) == (major, number + 1)]


def newest_patch(current: str) -> str:
    """Returns the newest patch of the same minor version."""
    return max((item.slug for item in VERSIONS if minor(item.slug) == minor(current)), key=order, default=current)
