"""The settings of clusters on the simulated DigitalOcean.

The official client sends blocks of nulls for unset settings. Such a block counts as absent.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from planton_sandbox.clouds.digitalocean import autoscaler, catalogue, progress, records, scopes

DEFAULT_WINDOW = records.Window(day="any", start="04:00")
# Other blocks; they are kept and shown, and have no effect.
BLOCKS = (
    "routing_agent",
    "sso",
    "coredns_autoscaler",
    "p2p_oci_registry_plugin",
    "nfs_csi_plugin",
    "rdma_shared_dev_plugin",
    "amd_gpu_device_plugin",
    "amd_gpu_device_metrics_exporter_plugin",
    "amd_gpu_dra_driver",
    "nvidia_gpu_device_plugin",
    "nvidia_gpu_dra_driver",
)
_TIME = re.compile(r"^([01]?\d|2[0-3]):[0-5]\d$")
_EXPANDERS = ("random", "priority", "least_waste")
# The second numbers of the ranges 10.x.0.0/16 for pods and services; VPCs get other ones.
_SECOND_NUMBERS = (*range(244, 255), *range(243, 200, -1))
_PREFIXES = {"cluster_subnet": 16, "service_subnet": 19}


def apply(cluster: records.Cluster, body: Mapping[str, Any], *, now: float) -> None:
    """Applies the settings in a request; an absent or null block keeps its value."""
    window = _window(body.get("maintenance_policy"))
    guard = _guard(body.get("control_plane_firewall"))
    autoscaler = _autoscaler(body.get("cluster_autoscaler_configuration"), present=cluster.autoscaler)
    if body.get("ha") is False and cluster.ha:
        raise scopes.invalid("validation error: a highly available control plane cannot be made a simple one again")
    if window and window != cluster.window:
        cluster.window, cluster.watched = window, now
    if body.get("auto_upgrade") is not None and body["auto_upgrade"] != cluster.auto_upgrade:
        cluster.auto_upgrade, cluster.watched = bool(body["auto_upgrade"]), now
    cluster.ha = cluster.ha or bool(body.get("ha"))
    cluster.guard = guard or cluster.guard
    cluster.autoscaler = autoscaler
    for name in BLOCKS:
        block = _set_fields(body.get(name))
        if block:
            cluster.blocks[name] = cluster.blocks.get(name, {}) | block


def ha(body: Mapping[str, Any], *, version: str) -> bool:
    """Returns whether a new cluster's control plane is highly available; if unset, the version decides."""
    requested = body.get("ha")
    return catalogue.minor(version) >= catalogue.HA_BY_DEFAULT if requested is None else bool(requested)


def subnets(scope: scopes.Scope, body: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the ranges of a new cluster's pods and services; the cloud chooses those that are unset."""
    taken = [item.ip_range for item in scope.vpcs()]
    taken += [text for item in scope.all_clusters() for text in (item.cluster_subnet, item.service_subnet)]
    chosen = []
    for name, prefix in _PREFIXES.items():
        text = str(body.get(name) or "") or _free(taken, prefix=prefix)
        subnet = scopes.network(text)
        other = next((item for item in taken if scopes.network(item).overlaps(subnet)), None)
        if other:
            raise scopes.invalid(f"validation error: {name} {text} overlaps with {other}, which is in use")
        taken.append(text)
        chosen.append(text)
    return chosen[0], chosen[1]


def admits(guard: records.Guard | None, *, client: str) -> bool:
    """Returns whether the firewall of a control plane lets a client in."""
    if guard is None or not guard.enabled:
        return True
    return any(ipaddress.ip_address(client) in ipaddress.ip_network(item, strict=False) for item in guard.addresses)


def _set_fields(block: Any) -> dict[str, Any]:
    return {key: value for key, value in (block or {}).items() if value is not None}


def _window(block: Any) -> records.Window | None:
    fields = _set_fields(block)
    if not fields:
        return None
    day, start = str(fields.get("day") or "any").lower(), str(fields.get("start_time") or DEFAULT_WINDOW.start)
    if day != "any" and day not in progress.DAYS:
        raise scopes.invalid(f"validation error: {day!r} is not a day for a maintenance policy")
    if not _TIME.match(start):
        raise scopes.invalid(f"validation error: start_time {start!r} is not a time such as 04:00")
    return records.Window(day=day, start=start)


def _guard(block: Any) -> records.Guard | None:
    fields = _set_fields(block)
    if not fields:
        return None
    addresses = [str(item) for item in fields.get("allowed_addresses", [])]
    for item in addresses:
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError as error:
            raise scopes.invalid(f"validation error: allowed_addresses: {error}") from error
    return records.Guard(enabled=bool(fields.get("enabled")), addresses=addresses)


def _autoscaler(block: Any, *, present: dict[str, Any] | None) -> dict[str, Any] | None:
    fields = _set_fields(block)
    if not fields:
        return present
    for name in fields.get("expanders", []):
        if name not in _EXPANDERS:
            raise scopes.invalid(f"validation error: there is no expander {name!r}")
    threshold, unneeded = fields.get("scale_down_utilization_threshold"), fields.get("scale_down_unneeded_time")
    if threshold is not None and not 0 <= float(threshold) <= 1:
        raise scopes.invalid(f"validation error: scale_down_utilization_threshold {threshold} must be between 0 and 1")
    if unneeded:
        try:
            autoscaler.seconds(str(unneeded))
        except ValueError as error:
            raise scopes.invalid(f"validation error: scale_down_unneeded_time: {error}") from error
    return (present or {}) | fields


def _free(taken: list[str], *, prefix: int) -> str:
    used = [scopes.network(item) for item in taken]
    for number in _SECOND_NUMBERS:
        for candidate in ipaddress.IPv4Network(f"10.{number}.0.0/16").subnets(new_prefix=prefix):
            if not any(candidate.overlaps(item) for item in used):
                return str(candidate)
    raise scopes.invalid("The account has no free range of private addresses left")
