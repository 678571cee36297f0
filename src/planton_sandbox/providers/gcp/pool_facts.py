"""Conversion of node pools between the plugin's properties and the API's bodies."""

from __future__ import annotations

from planton_sandbox.providers import planning, sessions, values
from planton_sandbox.providers.gcp import api

_SURGE = ("maxSurge", "maxUnavailable")
_COUNTS = ("minNodeCount", "maxNodeCount", "totalMinNodeCount", "totalMaxNodeCount")
_PLAIN = ("machineType", "diskSizeGb", "diskType", "bootDiskKmsKey", "imageType", "oauthScopes", "serviceAccount", "metadata")
_PLAIN_TOO = ("labels", "resourceLabels", "tags", "spot", "preemptible", "localSsdCount", "minCpuPlatform")
_BOOT = ("diskType", "sizeGb", "provisionedIops", "provisionedThroughput")


def create_body(state: planning.State) -> planning.State:
    """Returns the body that creates a pool; ``state`` has no unknown values."""
    management = state.get("management")
    scaling = state.get("autoscaling")
    placement = state.get("placementPolicy")
    body = {
        "name": state.get("name"),
        "initialNodeCount": state.get("initialNodeCount") or state.get("nodeCount"),
        "config": _config(state["nodeConfig"]) if state.get("nodeConfig") else {"oauthScopes": list(api.SCOPES)},
        "locations": state.get("nodeLocations"),
        "version": state.get("version"),
        "autoscaling": autoscaling(scaling) if scaling else None,
        "maxPodsConstraint": api.compact({"maxPodsPerNode": _text(state.get("maxPodsPerNode"))}),
        "management": api.compact(management) if management else None,
        "upgradeSettings": upgrade(state.get("upgradeSettings") or {}, {}),
        "placementPolicy": api.compact(placement or {}),
        "nodeDrainConfig": drain(state.get("nodeDrainConfigs")),
    }
    return {**api.compact(body), "networkConfig": network(state.get("networkConfig"))}


def autoscaling(block: planning.State | None, *, forced: tuple[str, ...] = _COUNTS) -> planning.State:
    """Returns the bounds of the autoscaler for a request; those that are forced are sent although they are zero."""
    if not block:
        return {}
    return {**api.compact({"enabled": True, **block}), **{name: block.get(name) or 0 for name in forced}}


def network(block: planning.State | None) -> planning.State:
    """Returns the addresses of nodes for a request."""
    if not block:
        return {}
    return {**api.compact(block), "enablePrivateNodes": bool(block.get("enablePrivateNodes"))}


def upgrade(block: planning.State, prior: planning.State) -> planning.State:
    """Returns upgrade settings for a request.

    Raises:
        Fault: The settings belong to the other strategy.
    """
    if not block:
        return {}
    strategy = block.get("strategy") or "SURGE"
    body: planning.State = {"strategy": strategy}
    if any((block.get(name) or 0) != (prior.get(name) or 0) for name in _SURGE):
        if strategy != "SURGE":
            raise sessions.Fault("Surge upgrade settings may not be changed when surge strategy is not enabled")
        body |= api.compact({name: block.get(name) for name in _SURGE})
    blue = block.get("blueGreenSettings")
    if blue and blue != prior.get("blueGreenSettings"):
        if strategy != "BLUE_GREEN":
            raise sessions.Fault("Blue-green upgrade settings may not be changed when blue-green strategy is not enabled")
        rollout = api.compact(blue.get("standardRolloutPolicy") or {})
        body["blueGreenSettings"] = api.compact({**blue, "standardRolloutPolicy": rollout})
    return body


def drain(blocks: list[planning.State] | None) -> planning.State:
    """Returns the settings of drains for a request."""
    return api.compact((blocks or [{}])[0])


def config_update(name: str, pool: str, old: planning.State, new: planning.State) -> planning.State:
    """Returns the body that changes a group of the settings of machines.

    Args:
        name: the first setting of the group.
        pool: the pool's name.
        old: the settings of before.
        new: the settings of after.
    """
    if name == "workloadMetadataConfig":
        return {"nodePoolId": pool, name: new.get(name) or {}}
    return {"name": pool, **(_machine_update(old, new) if name == "machineType" else _setting_update(name, new.get(name)))}


def _setting_update(name: str, value: values.Json) -> planning.State:
    if name == "loggingVariant":
        return {"loggingConfig": {"variantConfig": {"variant": value}}}
    if name == "tags":
        return {name: api.compact({name: value})}
    if name == "taints":
        return {name: api.compact({name: [api.compact(taint) for taint in value or ()]})}
    # The plugin sends no empty map: the cloud keeps the last labels.
    return {name: {"labels": value}} if value else {}


def _machine_update(old: planning.State, new: planning.State) -> planning.State:
    """Returns the machine type and the disk; of the disk, which the API has twice, only what changes."""
    body = {"machineType": new.get("machineType"), "diskType": new.get("diskType"), "diskSizeGb": _text(new.get("diskSizeGb"))}
    boot, before = new.get("bootDisk"), old.get("bootDisk") or {}
    if not boot:
        return api.compact(body)
    for name in ("diskType", "diskSizeGb"):
        if old.get(name) == new.get(name):
            body[name] = None
    kept = {name for name in ("diskType", "sizeGb") if before.get(name) == boot.get(name)}
    sizes = {name: _text(boot.get(name)) for name in _BOOT if name != "diskType"}
    disk = {name: item for name, item in {"diskType": boot.get("diskType"), **sizes}.items() if name not in kept}
    return {**api.compact(body), "bootDisk": api.compact(disk)}


def facts(pool: planning.State, state: planning.State, groups: list[planning.State]) -> planning.State:
    """Returns the properties of a pool that a read records.

    Args:
        pool: the API's answer.
        state: the properties of before, for what the API does not tell.
        groups: the instance groups, unless their sizes are not read.
    """
    scaling, upgrading = pool.get("autoscaling") or {}, pool.get("upgradeSettings") or {}
    management, placement, draining = pool.get("management") or {}, pool.get("placementPolicy"), pool.get("nodeDrainConfig")
    urls = [group["url"] for group in groups] if groups else pool.get("instanceGroupUrls") or []
    properties: planning.State = {
        "name": pool.get("name", ""),
        "namePrefix": _null_if_unknown(state.get("namePrefix")) or "",
        "initialNodeCount": pool.get("initialNodeCount") or 0,
        "nodeLocations": pool.get("locations") or [],
        "instanceGroupUrls": urls,
        "managedInstanceGroupUrls": [group["instanceGroup"] for group in groups],
        "version": pool.get("version", ""),
        "maxPodsPerNode": int((pool.get("maxPodsConstraint") or {}).get("maxPodsPerNode") or 0),
        "autoscaling": _scaling(scaling) if scaling.get("enabled") else None,
        "management": {name: bool(management.get(name)) for name in ("autoRepair", "autoUpgrade")},
        "upgradeSettings": {
            "maxSurge": upgrading.get("maxSurge") or 0,
            "maxUnavailable": upgrading.get("maxUnavailable") or 0,
            "strategy": upgrading.get("strategy", ""),
            "blueGreenSettings": _blue_green(upgrading.get("blueGreenSettings")),
        },
        "networkConfig": _network(pool.get("networkConfig") or {}, state),
        "nodeConfig": node_config(pool.get("config") or {}, state.get("nodeConfig")),
        # What the API does not return stays.
        "nodeDrainConfigs": [drained(draining)] if draining is not None else _null_if_unknown(state.get("nodeDrainConfigs")),
        "placementPolicy": placement or _null_if_unknown(state.get("placementPolicy")),
        "ignoreNodeCountChanges": bool(_null_if_unknown(state.get("ignoreNodeCountChanges"))),
    }
    if groups:
        properties["nodeCount"] = sum(int(group.get("targetSize") or 0) for group in groups) // len(groups)
    elif not properties["ignoreNodeCountChanges"]:
        properties["nodeCount"] = 0
    elif _null_if_unknown(state.get("nodeCount")) is None:
        properties["nodeCount"] = properties["initialNodeCount"]
    return properties


def drained(block: planning.State) -> planning.State:
    """Returns the settings of drains from the API's answer."""
    return {
        **{name: block.get(name, "") for name in ("graceTerminationDuration", "pdbTimeoutDuration")},
        "respectPdbDuringNodePoolDeletion": bool(block.get("respectPdbDuringNodePoolDeletion")),
    }


def node_config(config: planning.State, declared: values.Json) -> planning.State:
    """Returns the settings of machines; of the taints only those that the program declares."""
    declared = declared if isinstance(declared, dict) else {}
    taints = [{name: taint.get(name) or "" for name in ("key", "value", "effect")} for taint in config.get("taints") or ()]
    own = {taint.get("key") for taint in declared.get("taints") or () if isinstance(taint, dict)}
    shielded, boot = config.get("shieldedInstanceConfig") or {}, config.get("bootDisk") or {}
    zeros: planning.State = {"localSsdCount": 0, "spot": False, "preemptible": False, "oauthScopes": [], "tags": []}
    zeros |= {"labels": {}, "metadata": {}, "resourceLabels": {}}
    return {
        **{name: config.get(name, zeros.get(name, "")) for name in (*_PLAIN, *_PLAIN_TOO)},
        "taints": [taint for taint in taints if taint["key"] in own],
        "effectiveTaints": taints,
        "bootDisk": {name: boot.get(name, "") if name == "diskType" else int(boot.get(name) or 0) for name in _BOOT},
        "guestAccelerators": [_accelerator(item) for item in config.get("accelerators") or ()],
        "loggingVariant": ((config.get("loggingConfig") or {}).get("variantConfig") or {}).get("variant") or "DEFAULT",
        "shieldedInstanceConfig": {name: bool(shielded.get(name)) for name in ("enableSecureBoot", "enableIntegrityMonitoring")},
        "workloadMetadataConfig": config.get("workloadMetadataConfig"),
    }


def _config(config: planning.State) -> planning.State:
    accelerators = [
        api.compact(
            {
                "acceleratorType": item["type"],
                "acceleratorCount": _text(item["count"]),
                "gpuPartitionSize": item.get("gpuPartitionSize"),
                "gpuDriverInstallationConfig": item.get("gpuDriverInstallationConfig"),
            }
        )
        for item in config.get("guestAccelerators") or ()
        if item.get("count")
    ]
    boot = api.compact({key: item if key == "diskType" else _text(item) for key, item in (config.get("bootDisk") or {}).items()})
    body = {
        **{name: config.get(name) for name in (*_PLAIN, *_PLAIN_TOO)},
        "taints": [api.compact(taint) for taint in config.get("taints") or ()],
        "bootDisk": boot,
        "accelerators": accelerators,
        "shieldedInstanceConfig": config.get("shieldedInstanceConfig"),
        "workloadMetadataConfig": config.get("workloadMetadataConfig"),
    }
    # The plugin sends it although it is empty.
    return {**api.compact(body), "loggingConfig": {"variantConfig": api.compact({"variant": config.get("loggingVariant")})}}


def _accelerator(item: planning.State) -> planning.State:
    return {
        "type": item.get("acceleratorType", ""),
        "count": int(item.get("acceleratorCount") or 0),
        "gpuPartitionSize": item.get("gpuPartitionSize", ""),
        "gpuDriverInstallationConfig": item.get("gpuDriverInstallationConfig"),
    }


def _scaling(block: planning.State) -> planning.State:
    return {**{name: block.get(name) or 0 for name in _COUNTS}, "locationPolicy": block.get("locationPolicy", "")}


def _blue_green(block: planning.State | None) -> planning.State | None:
    if not block:
        return None
    rollout = block.get("standardRolloutPolicy")
    return {
        "nodePoolSoakDuration": block.get("nodePoolSoakDuration", ""),
        "standardRolloutPolicy": rollout
        and {
            "batchPercentage": rollout.get("batchPercentage") or 0,
            "batchNodeCount": rollout.get("batchNodeCount") or 0,
            "batchSoakDuration": rollout.get("batchSoakDuration", ""),
        },
    }


def _network(block: planning.State, state: planning.State) -> planning.State:
    before = _null_if_unknown(state.get("networkConfig")) or {}
    return {
        # The API does not return it.
        "createPodRange": bool(_null_if_unknown(before.get("createPodRange"))),
        "enablePrivateNodes": bool(block.get("enablePrivateNodes")),
        "podRange": block.get("podRange", ""),
        "podIpv4CidrBlock": block.get("podIpv4CidrBlock", ""),
        "subnetwork": block.get("subnetwork", ""),
    }


def _null_if_unknown(value: values.Json) -> values.Json:
    return None if value is values.UNKNOWN else value


def _text(number: values.Json) -> str:
    return str(number) if number else ""
