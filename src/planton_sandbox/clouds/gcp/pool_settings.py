"""The settings of pools on the simulated GKE: defaults, and what GKE refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from planton_sandbox.clouds.gcp import catalogue, fields, records, scopes, versions

NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
DEFAULT_SCOPES = (
    "https://www.googleapis.com/auth/devstorage.read_only",
    "https://www.googleapis.com/auth/logging.write",
    "https://www.googleapis.com/auth/monitoring",
    "https://www.googleapis.com/auth/service.management.readonly",
    "https://www.googleapis.com/auth/servicecontrol",
    "https://www.googleapis.com/auth/trace.append",
)
_EFFECTS = ("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE")
_LARGEST_DISK = 65_536
_RESERVED_LABELS = ("cloud.google.com/gke-nodepool", "cloud.google.com/gke-os-distribution", "kubernetes.io/hostname")
_GPU = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
_ARM = {"key": "kubernetes.io/arch", "value": "arm64", "effect": "NO_SCHEDULE"}


def name(body: Mapping[str, Any], *, noun: str) -> str:
    """Returns the name in a body; an invalid one is refused."""
    text = str(body.get("name") or "")
    if not NAME.fullmatch(text) or len(text) > catalogue.NAME_LIMIT:
        raise scopes.invalid(
            f'Invalid value for field "{noun}.name": "{text}". Must be a match of regex \'(?:[a-z](?:[-a-z0-9]{{0,38}}[a-z0-9])?)\'.'
        )
    return text


def config(cluster: records.Cluster, body: Mapping[str, Any], *, version: str, zones: list[str]) -> dict[str, Any]:
    """Returns the machines that a request describes, with all defaults."""
    requested = fields.read(body, fields.NODE_CONFIG, at="node_pool.config")
    boot = requested.get("bootDisk") or {}
    machine = requested.get("machineType") or "e2-medium"
    disk = requested.get("diskType") or boot.get("diskType") or catalogue.default_disk(machine.partition("-")[0])
    size = fields.count(requested.get("diskSizeGb") or boot.get("sizeGb") or 100, "node_pool.config.disk_size_gb")
    spot = bool(requested.get("spot") or requested.get("preemptible"))
    filled: dict[str, Any] = {
        "oauthScopes": list(DEFAULT_SCOPES),
        "serviceAccount": "default",
        "metadata": {},
        "shieldedInstanceConfig": {"enableIntegrityMonitoring": True},
        "effectiveCgroupMode": "EFFECTIVE_CGROUP_MODE_V2",
        "loggingConfig": {"variantConfig": {"variant": "DEFAULT"}},
        **({"workloadMetadataConfig": {"mode": "GKE_METADATA"}} if cluster.settings.get("workloadIdentityConfig") else {}),
        **requested,
        "machineType": machine,
        "diskType": disk,
        "diskSizeGb": size,
        "bootDisk": {**boot, "diskType": disk, "sizeGb": str(size)},
        "imageType": str(requested.get("imageType") or "COS_CONTAINERD").upper(),
    }
    filled["metadata"] = {"disable-legacy-endpoints": "true", **filled["metadata"]}
    model = "spot" if requested.get("spot") else "preemptible" if spot else "on-demand"
    filled["resourceLabels"] = {"goog-gke-node-pool-provisioning-model": model, **(requested.get("resourceLabels") or {})}
    check(filled, version=version, zones=zones)
    filled["taints"] = taints(filled, requested.get("taints") or [])
    return {key: value for key, value in filled.items() if value not in ([], {}, None)}


def taints(settings: Mapping[str, Any], listed: list[dict[str, str]]) -> list[dict[str, str]]:
    """Returns taints with those that the cloud adds for accelerators and for ARM, and with every value set."""
    machine = catalogue.machine(settings["machineType"])
    own = [_GPU] if settings.get("accelerators") or (machine and machine.gpus) else []
    own += [_ARM] if machine and machine.arm else []
    whole = []
    for item in listed:
        if item.get("effect") not in _EFFECTS or not item.get("key"):
            raise scopes.invalid(f"Invalid value at 'taints': {item!r}; a taint needs a key and an effect.")
        whole.append({"key": item["key"], "value": item.get("value") or "", "effect": item["effect"]})
    return [*whole, *(item for item in own if item["key"] not in {each["key"] for each in whole})]


def check(settings: Mapping[str, Any], *, version: str, zones: list[str]) -> None:
    """Refuses machines that the zones or the version do not have."""
    machine = catalogue.machine(settings["machineType"])
    for zone in zones:
        if machine is None or not catalogue.machine_in(machine, zone):
            raise scopes.invalid(f'Machine type "{settings["machineType"]}" is not available in zone "{zone}".')
    if settings["imageType"] not in catalogue.IMAGE_TYPES:
        listed = ", ".join(catalogue.IMAGE_TYPES)
        raise scopes.invalid(f'Invalid image type "{settings["imageType"]}". Valid image types are: {listed}.')
    assert machine is not None
    if settings["diskType"] not in catalogue.DISK_TYPES or not catalogue.disk_fits(settings["diskType"], machine.family):
        raise scopes.invalid(f'Disk type "{settings["diskType"]}" is not supported by machine type "{machine.name}".')
    least = versions.smallest_disk(version)
    if not least <= settings["diskSizeGb"] <= _LARGEST_DISK:
        raise scopes.invalid(f"Disk size must be between {least} and {_LARGEST_DISK} GB, but is {settings['diskSizeGb']} GB.")
    _check_accelerators(settings, machine, zones)
    labels = settings.get("labels") or {}
    if sum(len(key) + len(str(text)) for key, text in labels.items()) > catalogue.LABELS_LIMIT:
        raise scopes.invalid(f"Node labels must have at most {catalogue.LABELS_LIMIT} characters in total.")
    for key in labels:
        if key in _RESERVED_LABELS:
            raise scopes.invalid(f'Node label "{key}" is reserved and cannot be set.')
    if settings.get("spot") and settings.get("preemptible"):
        raise scopes.invalid("Only one of spot and preemptible can be set.")


def _check_accelerators(settings: Mapping[str, Any], machine: catalogue.Machine, zones: list[str]) -> None:
    for item in settings.get("accelerators") or []:
        kind = catalogue.accelerator(str(item.get("acceleratorType") or ""))
        number = fields.count(item.get("acceleratorCount"), "accelerators.accelerator_count")
        for zone in zones:
            if kind is None or not catalogue.accelerator_in(kind, zone):
                raise scopes.invalid(f'Accelerator type "{item.get("acceleratorType")}" does not exist in zone {zone}.')
        if machine.gpu and (machine.gpu != item["acceleratorType"] or machine.gpus != number):
            raise scopes.invalid(f'Machine type "{machine.name}" has {machine.gpus} of "{machine.gpu}" and no others.')
        if not machine.gpu and machine.family != "n1":
            raise scopes.invalid(f'Machine type "{machine.name}" does not support accelerators.')
        assert kind is not None
        if not 1 <= number <= kind.most:
            raise scopes.invalid(f'"{kind.name}" can be attached from 1 to {kind.most} times, but not {number} times.')


def autoscaling(body: Mapping[str, Any], *, spot: bool) -> dict[str, Any]:
    """Returns the bounds of a pool that is scaled automatically; empty for another pool."""
    requested = fields.named(dict(body))
    if not requested.get("enabled"):
        return {}
    totals = {key: requested[key] for key in ("totalMinNodeCount", "totalMaxNodeCount") if requested.get(key)}
    zonal = {key: requested[key] for key in ("minNodeCount", "maxNodeCount") if requested.get(key)}
    if totals and zonal:
        raise scopes.invalid("Only one of total and per-zone node count limits can be set.")
    chosen = totals or zonal
    least, most = ("totalMinNodeCount", "totalMaxNodeCount") if totals else ("minNodeCount", "maxNodeCount")
    for key in (least, most):
        fields.count(chosen.get(key, 0), key)
    if chosen.get(most, 0) < 1 or chosen.get(least, 0) > chosen.get(most, 0):
        raise scopes.invalid(
            f"Invalid autoscaling: the maximum ({chosen.get(most, 0)}) must be at least 1, and not below the minimum "
            f"({chosen.get(least, 0)})."
        )
    policy = requested.get("locationPolicy") or ("ANY" if spot else "BALANCED")
    return {"enabled": True, **chosen, "locationPolicy": policy}


def upgrade(body: Mapping[str, Any], *, present: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the upgrade settings after a request; surge settings exclude blue-green upgrades."""
    requested = fields.named(dict(body))
    strategy = requested.get("strategy") or present.get("strategy") or "SURGE"
    if strategy == "BLUE_GREEN":
        if requested.get("maxSurge") or requested.get("maxUnavailable"):
            raise scopes.invalid("Surge settings cannot be set for the blue-green upgrade strategy.")
        blue = requested.get("blueGreenSettings") or present.get("blueGreenSettings") or {}
        policy = {"batchPercentage": 1.0, "batchSoakDuration": "0s"}
        return {
            "strategy": strategy,
            "blueGreenSettings": {"standardRolloutPolicy": policy, "nodePoolSoakDuration": "3600s", **blue},
        }
    # The cloud leaves a zero out.
    if "maxSurge" in requested or "maxUnavailable" in requested:
        surge = fields.count(requested.get("maxSurge", 0), "maxSurge")
        lost = fields.count(requested.get("maxUnavailable", 0), "maxUnavailable")
    else:
        surge, lost = present.get("maxSurge", 0 if present.get("maxUnavailable") else 1), present.get("maxUnavailable", 0)
    if not 1 <= surge + lost <= catalogue.SURGE_LIMIT:
        raise scopes.invalid(
            f"The sum of max_surge ({surge}) and max_unavailable ({lost}) must be from 1 to {catalogue.SURGE_LIMIT}."
        )
    return {
        "strategy": "SURGE",
        **({"maxSurge": surge} if surge else {}),
        **({"maxUnavailable": lost} if lost else {}),
    }


def management(cluster: records.Cluster, body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the management of a pool; a release channel needs automatic upgrades and repairs."""
    channel = (cluster.settings.get("releaseChannel") or {}).get("channel") or versions.UNSPECIFIED
    requested = {key: bool(body[key]) for key in ("autoUpgrade", "autoRepair") if body.get(key) is not None}
    if channel != versions.UNSPECIFIED:
        for key, text in (("autoUpgrade", "Auto_upgrade"), ("autoRepair", "Auto_repair")):
            if not requested.get(key, not body):
                raise scopes.invalid(f"{text} cannot be false when release_channel {channel} is set.")
        return {"autoUpgrade": True, "autoRepair": True}
    usual = {"autoUpgrade": True, "autoRepair": True} if not body else {}
    return {key: value for key, value in (usual | requested).items() if value}
