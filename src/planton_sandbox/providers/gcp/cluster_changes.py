"""The requests of the official plugin that change a cluster: one for each setting, in the plugin's order."""

from __future__ import annotations

import re
import typing

from planton_sandbox.providers import planning, values
from planton_sandbox.providers.gcp import api, cluster_facts

_Change = tuple[str, str, planning.State, str]
_ENDPOINTS = ("enablePrivateEndpoint", "masterGlobalAccessConfig")


def requests(data: planning.Data) -> typing.Iterator[_Change]:
    """Returns each request: method, path, body, and what its operation does."""
    state = values.without_unknown(data.state)
    yield from _endpoints(data, state)
    if data.changed("addonsConfig"):
        yield _put(data, "AddonsConfig", cluster_facts.addons(state.get("addonsConfig")), "GKE cluster addons")
    if data.changed("enableShieldedNodes"):
        yield _put(data, "ShieldedNodes", {"enabled": bool(state.get("enableShieldedNodes"))}, "GKE shielded nodes")
    if data.changed("releaseChannel"):
        yield _put(data, "ReleaseChannel", state.get("releaseChannel"), "Release Channel")
    yield from _zones(data, state)
    if data.changed("enableLegacyAbac"):
        enabled = {"enabled": bool(state.get("enableLegacyAbac"))}
        yield "POST", f"{data.id}:setLegacyAbac", enabled, "updating GKE legacy ABAC"
    if data.changed("monitoringService") or data.changed("loggingService"):
        services = {f"desired{name[0].upper()}{name[1:]}": state.get(name) for name in ("monitoringService", "loggingService")}
        yield "PUT", data.id, {"update": services}, "updating GKE logging+monitoring service"
    if data.changed("networkPolicy"):
        body = {"networkPolicy": cluster_facts.policy(state.get("networkPolicy"))}
        yield "POST", f"{data.id}:setNetworkPolicy", body, "updating GKE cluster network policy"
    yield from _version(data, state)
    yield from _blocks(data, state)
    labels = _labels(data, state)
    # After an import, the cloud may have the program's labels already.
    if data.changed("resourceLabels") and labels["resourceLabels"] != (data.prior or {}).get("effectiveLabels"):
        yield "POST", f"{data.id}:setResourceLabels", labels, "updating GKE resource labels"


def _endpoints(data: planning.Data, state: planning.State) -> typing.Iterator[_Change]:
    old, new = ((each or {}).get("privateClusterConfig") or {} for each in (data.prior, state))
    rows = {row.name: row for row in data.table.by_name["privateClusterConfig"].fields}
    moved = any(not planning.same(rows[name], old.get(name), new.get(name)) for name in _ENDPOINTS)
    if moved or data.changed("masterAuthorizedNetworksConfig"):
        yield _put(data, "ControlPlaneEndpointsConfig", cluster_facts.endpoints(state), "GKE control plane endpoints config")
    nodes = bool(new.get("enablePrivateNodes"))
    if bool(old.get("enablePrivateNodes")) != nodes:
        yield _put(data, "DefaultEnablePrivateNodes", nodes, "default enable private nodes")


def _zones(data: planning.Data, state: planning.State) -> typing.Iterator[_Change]:
    """Adds zones, then removes others: one request cannot do both."""
    if not data.changed("nodeLocations"):
        return
    location = str(state.get("location"))
    own = {location} if cluster_facts.is_zone(location) else set()
    new = own | set(state.get("nodeLocations") or ())
    both = new | set((data.prior or {}).get("nodeLocations") or ())
    for zones in [both] if both == new else [both, new]:
        yield _put(data, "Locations", sorted(zones), "GKE cluster node locations")


def _version(data: planning.Data, state: planning.State) -> typing.Iterator[_Change]:
    """Upgrades an older control plane; a newer one has at least the version, too."""
    version = str(state.get("minMasterVersion") or "")
    if data.changed("minMasterVersion") and version and _order(str((data.prior or {}).get("masterVersion"))) < _order(version):
        yield _put(data, "MasterVersion", version, "GKE master version")


def _order(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _blocks(data: planning.Data, state: planning.State) -> typing.Iterator[_Change]:
    if data.changed("verticalPodAutoscaling"):
        block = state.get("verticalPodAutoscaling")
        yield _put(data, "VerticalPodAutoscaling", block or {}, "GKE cluster vertical pod autoscaling")
    if data.changed("workloadIdentityConfig"):
        block = api.compact(state.get("workloadIdentityConfig") or {})
        yield _put(data, "WorkloadIdentityConfig", block, "GKE cluster workload identity config")
    if data.changed("loggingConfig"):
        yield _put(data, "LoggingConfig", cluster_facts.components(state.get("loggingConfig")), "GKE cluster logging config")
    if data.changed("monitoringConfig"):
        block = cluster_facts.components(state.get("monitoringConfig"))
        yield _put(data, "MonitoringConfig", block, "GKE cluster monitoring config")


def _put(data: planning.Data, field: str, value: values.Json, noun: str) -> _Change:
    return "PUT", data.id, {"update": {f"desired{field}": value}}, f"updating {noun}"


def _labels(data: planning.Data, state: planning.State) -> planning.State:
    """Returns the labels for a request: those of others stay."""
    prior = data.prior or {}
    mine = prior.get("resourceLabels") or {}
    others = {key: text for key, text in (prior.get("effectiveLabels") or {}).items() if key not in mine}
    return {"resourceLabels": others | (state.get("resourceLabels") or {}), "labelFingerprint": prior.get("labelFingerprint")}
