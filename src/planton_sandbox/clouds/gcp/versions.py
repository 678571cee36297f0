"""The Kubernetes versions of the simulated GKE: release channels, aliases, upgrades and skew."""

from __future__ import annotations

import re

UNSPECIFIED = "UNSPECIFIED"
# The newest comes first. A channel's first version is its default.
CHANNELS = {
    "RAPID": ("1.36.3-gke.1012000", "1.36.2-gke.1408000", "1.35.6-gke.1101000", "1.34.9-gke.1053000"),
    "REGULAR": ("1.35.6-gke.1101000", "1.35.5-gke.1204000", "1.34.9-gke.1053000", "1.33.11-gke.1088000"),
    "STABLE": ("1.34.9-gke.1053000", "1.34.8-gke.1170000", "1.33.11-gke.1088000", "1.32.13-gke.1021000"),
    "EXTENDED": ("1.35.6-gke.1101000", "1.34.9-gke.1053000", "1.33.11-gke.1088000", "1.32.13-gke.1021000"),
}
_OLD_NODES = ("1.31.14-gke.1043000", "1.30.14-gke.1911000")
_NODE_SKEW = 2
_SMALLEST_DISK, _SMALLEST_DISK_SINCE, _LARGER_DISK = 12, (1, 36, 3), 15


def order(version: str) -> tuple[int, ...]:
    """Returns a version as numbers, for comparisons."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def minor(version: str) -> tuple[int, ...]:
    """Returns the first two numbers of a version."""
    return order(version)[:2]


MASTERS = tuple(sorted({item for listed in CHANNELS.values() for item in listed}, key=order, reverse=True))
NODES = (*MASTERS, *_OLD_NODES)


def default(channel: str) -> str:
    """Returns the version of a new cluster in a channel."""
    return CHANNELS.get(channel, CHANNELS["REGULAR"])[0]


def offered(channel: str) -> tuple[str, ...]:
    """Returns the versions of control planes in a channel."""
    return CHANNELS.get(channel, MASTERS)


def find(text: str, listed: tuple[str, ...], *, usual: str) -> str:
    """Returns a version by alias, prefix or name; empty if there is none.

    Args:
        text: ``latest``, ``-`` or empty for ``usual``, a prefix such as ``1.35`` or ``1.35.6``, or a whole version.
        listed: The versions to choose from.
        usual: The default.
    """
    if text in ("", "-"):
        return usual
    if text == "latest":
        return max(listed, key=order)
    matching = [item for item in listed if item == text or item.startswith((f"{text}.", f"{text}-"))]
    return max(matching, key=order, default="")


def node_fits(node: str, master: str) -> bool:
    """Returns whether nodes of a version work with a control plane of another: not newer, and at most two minor versions older."""
    return order(node) <= order(master) and minor(node)[1] >= minor(master)[1] - _NODE_SKEW


def smallest_disk(version: str) -> int:
    """Returns the least GB of a node's boot disk."""
    return _LARGER_DISK if order(version)[:3] >= _SMALLEST_DISK_SINCE else _SMALLEST_DISK


def kubelet(version: str) -> str:
    """Returns a version as nodes report it."""
    return f"v{version}"
