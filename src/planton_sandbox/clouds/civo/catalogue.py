"""What the simulated Civo offers: regions, sizes, versions, applications, limits, durations.

This file holds constants and look-ups, and no customer's resources. The lists are a plausible selection, not the cloud's
current catalogue.
"""

from __future__ import annotations

import dataclasses
import re

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - a public constant of the sandbox
TOKEN_PREFIX = "sandbox-"  # noqa: S105 - a public prefix
DEFAULT_REGION = "LON1"

# Seconds in realistic latency, from the documentation.
NETWORK_SECONDS = 7.0
NETWORK_DELETE_SECONDS = 6.0
CLUSTER_SECONDS = 100.0
CLUSTER_NODE_SECONDS = 90.0
CLUSTER_DELETE_SECONDS = 75.0
APPLICATION_SECONDS = 60.0
NODE_SECONDS = 60.0
NODE_DELETE_SECONDS = 30.0
PATCH_UPGRADE_SECONDS = 450.0
MINOR_UPGRADE_SECONDS = 750.0
# In instant latency an upgrade or a deletion ends without any read, after these seconds.
UPGRADE_STEP_INSTANT_SECONDS = 0.2
DELETE_INSTANT_SECONDS = 2.0

LIMITS = {
    "instance_count": 200,
    "cpu_core": 1000,
    "ram_mb": 4_000_000,
    "disk_gb": 50_000,
    "disk_volume_count": 100,
    "disk_snapshot_count": 30,
    "public_ip_address": 200,
    "subnet_count": 50,
    "network_count": 50,
    "security_group": 100,
    "security_group_rule": 1000,
    "port_count": 400,
    "loadbalancer_count": 20,
    "objectstore_gb": 1000,
    "database_count": 10,
    "database_snapshot_count": 10,
    "database_cpu_core": 40,
    "database_ram_mb": 160_000,
    "database_disk_gb": 1000,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Region:
    """A region; resources are never shared between regions."""

    code: str
    name: str
    country: str
    country_name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """A machine size: memory in MB, disk in GB."""

    name: str
    title: str
    cpu: int
    memory: int
    disk: int
    gpus: int = 0
    gpu: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A Kubernetes version that can be installed."""

    version: str
    label: str
    kubernetes: str
    kind: str
    maturity: str = "stable"
    default: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Application:
    """A marketplace application; one that ``fails`` is never installed."""

    name: str
    version: str
    category: str
    default: bool = False
    fails: bool = False
    plans: tuple[str, ...] = ()


REGIONS = (
    Region("LON1", "London 1", "uk", "United Kingdom"),
    Region("NYC1", "New York 1", "us", "United States"),
    Region("FRA1", "Frankfurt 1", "de", "Germany"),
    Region("PHX1", "Phoenix 1", "us", "United States"),
    Region("MUM1", "Mumbai 1", "in", "India"),
)

SIZES = (
    Size("g4s.kube.xsmall", "Extra Small - Standard", 1, 1024, 30),
    Size("g4s.kube.small", "Small - Standard", 1, 2048, 40),
    Size("g4s.kube.medium", "Medium - Standard", 2, 4096, 50),
    Size("g4s.kube.large", "Large - Standard", 4, 8192, 60),
    Size("g4p.kube.small", "Small - Performance", 4, 16384, 60),
    Size("g4p.kube.medium", "Medium - Performance", 8, 32768, 80),
    Size("g4p.kube.large", "Large - Performance", 16, 65536, 120),
    Size("g4p.kube.xlarge", "Extra Large - Performance", 32, 131072, 180),
    Size("g4c.kube.small", "Small - CPU optimized", 8, 16384, 60),
    Size("g4c.kube.medium", "Medium - CPU optimized", 16, 32768, 80),
    Size("g4c.kube.large", "Large - CPU optimized", 32, 65536, 120),
    Size("g4c.kube.xlarge", "Extra Large - CPU optimized", 64, 131072, 180),
    Size("g4m.kube.small", "Small - RAM optimized", 2, 16384, 60),
    Size("g4m.kube.medium", "Medium - RAM optimized", 4, 32768, 80),
    Size("g4m.kube.large", "Large - RAM optimized", 8, 65536, 120),
    Size("g4m.kube.xlarge", "Extra Large - RAM optimized", 16, 131072, 180),
    Size("g4g.kube.small", "Small - GPU A100 40GB", 8, 65536, 200, 1, "NVIDIA A100 40GB"),
    Size("g4g.kube.medium", "Medium - GPU A100 40GB", 16, 131072, 400, 2, "NVIDIA A100 40GB"),
    Size("g4g.kube.large", "Large - GPU A100 40GB", 32, 261120, 800, 4, "NVIDIA A100 40GB"),
    Size("g4s.xsmall", "Extra Small", 1, 1024, 25),
    Size("g4s.small", "Small", 1, 2048, 25),
    Size("g4s.medium", "Medium", 2, 4096, 50),
    Size("g4s.large", "Large", 4, 8192, 100),
)


def _k3s(version: str, *, maturity: str = "stable", default: bool = False) -> Version:
    name, _, build = version.partition("-")
    return Version(version, f"v{version}", f"v{name}+{build}", "k3s", maturity, default)


def _talos(talos: str, kubernetes: str, *, default: bool = False) -> Version:
    return Version(f"talos-v{talos}", f"talos-v{talos}", f"v{kubernetes}", "talos", "stable", default)


VERSIONS = (
    _k3s("1.28.7-k3s1", maturity="legacy"),
    _k3s("1.28.15-k3s1"),
    _k3s("1.29.0-k3s1"),
    _k3s("1.29.1-k3s1"),
    _k3s("1.29.8-k3s1"),
    _k3s("1.30.2-k3s1"),
    _k3s("1.30.5-k3s1", default=True),
    _k3s("1.31.2-k3s1"),
    _k3s("1.31.4-k3s1", maturity="development"),
    _talos("1.5.0", "1.27.0", default=True),
    _talos("1.6.7", "1.29.3"),
)

APPLICATIONS = (
    Application("metrics-server", "v0.7.2", "architecture", default=True),
    Application("Traefik-v2-nodeport", "2.11.0", "architecture"),
    Application("Nginx", "1.11.2", "architecture"),
    Application("cert-manager", "v1.15.3", "architecture"),
    Application("civo-cluster-autoscaler", "1.30.0", "architecture"),
    Application("Helm", "3.15.4", "management"),
    Application("Rancher", "2.9.1", "management"),
    Application("Longhorn", "1.7.0", "storage"),
    Application("MariaDB", "11.4", "database", plans=("5GB", "10GB", "20GB")),
    Application("PostgreSQL", "16.4", "database", plans=("5GB", "10GB", "20GB")),
    Application("Redis", "7.2", "database"),
    Application("Prometheus-operator", "0.76.0", "monitoring"),
    Application("sandbox-broken", "0.0.1", "testing", fails=True),
)


def region(code: str) -> Region | None:
    """Returns the region with exactly this code."""
    return next((item for item in REGIONS if item.code == code), None)


def size(name: str) -> Size | None:
    """Returns the size with this name."""
    return next((item for item in SIZES if item.name == name), None)


def version(text: str) -> Version | None:
    """Returns the version that ``text`` names, with or without a leading ``v``."""
    return next((item for item in VERSIONS if text in (item.version, item.label)), None)


def default_version(kind: str) -> Version:
    """Returns the default version of a cluster type."""
    return next(item for item in VERSIONS if item.kind == kind and item.default)


def application(name: str) -> Application | None:
    """Returns the application with this name; case does not matter."""
    return next((item for item in APPLICATIONS if item.name.lower() == name.lower()), None)


def order(text: str) -> tuple[int, ...]:
    """Returns a version as numbers, for comparisons."""
    return tuple(int(number) for number in re.findall(r"\d+", text.replace("k3s", "-")))


def upgrade_for(current: str) -> str:
    """Returns the newest stable version of the same type above ``current``, or an empty string."""
    present = version(current)
    if present is None:
        return ""
    newer = [
        item.version
        for item in VERSIONS
        if item.kind == present.kind and item.maturity == "stable" and order(item.version) > order(current)
    ]
    return max(newer, key=order, default="")
