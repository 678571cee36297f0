"""The bodies of the official plugin's requests for DigitalOcean's Kubernetes clusters."""

from __future__ import annotations

from planton_sandbox.providers import planning, sessions, values
from planton_sandbox.providers.digitalocean import api, pools, tables


def switch(block: planning.State | None) -> planning.State | None:
    """Returns a block that has only the field ``enabled``; an absent block stays absent."""
    return None if block is None else {"enabled": bool(block.get("enabled"))}


def _maintenance_body(data: planning.Data) -> values.Json:
    policy = values.without_unknown(data.get("maintenancePolicy"))
    if not policy:
        return None
    day = str(policy.get("day") or "").lower()
    if day not in tables.DAYS:
        raise sessions.Fault(f'Error setting Kubernetes maintenance policy : unknown day: "{day}"')
    return {"start_time": policy.get("startTime") or "", "duration": "", "day": day}


def _firewall_body(data: planning.Data) -> planning.State:
    block = values.without_unknown(data.get("controlPlaneFirewall")) or {}
    return {"enabled": block.get("enabled"), "allowed_addresses": block.get("allowedAddresses") or None}


def _sso_body(data: planning.Data) -> values.Json:
    blocks = values.without_unknown(data.get("ssos"))
    if not blocks:
        return None
    switches = {key: bool(blocks[0].get(key)) for key in ("enabled", "required")}
    texts = {"issuer_url": blocks[0].get("issuerUrl"), "client_id": blocks[0].get("clientId")}
    return {**switches, **api.compact(texts)}


def _scaling_body(blocks: list[planning.State] | None, before: list[planning.State] | None = None) -> planning.State:
    """Returns the autoscaler's settings; a setting that was removed is zero, any other unset one is null."""
    block, old = (items[0] if items else None for items in (values.without_unknown(blocks), before))
    now = _scaling_values(block) if block else {}
    zero: planning.State = {"scale_down_utilization_threshold": 0, "scale_down_unneeded_time": "", "expanders": []}
    was = _scaling_values(old) if old else {}
    return {key: now.get(key, empty if was.get(key) else None) for key, empty in zero.items()}


def _scaling_values(block: planning.State) -> planning.State:
    return {
        "scale_down_utilization_threshold": block.get("scaleDownUtilizationThreshold") or 0,
        "scale_down_unneeded_time": block.get("scaleDownUnneededTime") or "",
        "expanders": block.get("expanders") or [],
    }


def create(data: planning.Data) -> planning.State:
    """Returns the body that creates a cluster, without unset fields."""
    switches = {key: switch(values.without_unknown(data.get(name))) for name, key in tables.SWITCHES.items()}
    scaling = data.get("clusterAutoscalerConfigurations")
    optional = {
        "name": data.get("name"),
        "region": data.spellings.get("region") or data.get("region"),
        "version": data.get("version"),
        "tags": data.get("tags"),
        "vpc_uuid": data.get("vpcUuid"),
        "worker_subnet_uuid": data.get("workerSubnetUuid"),
        "cluster_subnet": data.get("clusterSubnet"),
        "service_subnet": data.get("serviceSubnet"),
        "control_plane_firewall": _firewall_body(data) if data.get("controlPlaneFirewall") else None,
        "cluster_autoscaler_configuration": _scaling_body(scaling) if scaling else None,
        "sso": _sso_body(data),
        **switches,
    }
    return {
        **api.compact(optional),
        **({} if data.get("ha") is None else {"ha": data.get("ha")}),
        "node_pools": [pools.create_body(data.get("nodePool"), pools.DEFAULT_TAG)],
        "maintenance_policy": _maintenance_body(data),
        "auto_upgrade": bool(data.get("autoUpgrade")),
        "surge_upgrade": bool(data.get("surgeUpgrade")),
    }


def update(data: planning.Data) -> planning.State:
    """Returns the body that updates a cluster. It has the whole cluster; unset blocks are objects of nulls, empty fields are left out."""
    switches = {key: switch(values.without_unknown(data.get(name))) or {"enabled": None} for name, key in tables.SWITCHES.items()}
    optional = {
        "name": data.get("name"),
        "tags": data.get("tags"),
        "maintenance_policy": _maintenance_body(data),
        "surge_upgrade": data.get("surgeUpgrade"),
        "sso": _sso_body(data),
    }
    before = (data.prior or {}).get("clusterAutoscalerConfigurations")
    return {
        **api.compact(optional),
        "auto_upgrade": bool(data.get("autoUpgrade")),
        "control_plane_firewall": _firewall_body(data),
        "cluster_autoscaler_configuration": _scaling_body(data.get("clusterAutoscalerConfigurations"), before),
        **switches,
        "ha": bool(data.get("ha")),
    }
