"""Conversion of clusters between the plugin's properties and the API's bodies."""

from __future__ import annotations

from planton_sandbox.providers import planning, values
from planton_sandbox.providers.gcp import api, cluster_tables

_SWITCHES = ("privateEndpointSubnetwork", "peeringName", "privateEndpoint", "publicEndpoint", "masterIpv4CidrBlock")


def create_body(state: planning.State, *, location: str) -> planning.State:
    """Returns the body that creates a cluster; ``state`` has no unknown values."""
    zones = list(state.get("nodeLocations") or ())
    if zones and location.count("-") > 1:
        zones.append(location)
    policy, private = state.get("ipAllocationPolicy") or {}, state.get("privateClusterConfig") or {}
    shielded = {"enabled": bool(state.get("enableShieldedNodes"))}
    body = {
        "name": state.get("name"),
        "description": state.get("description"),
        "initialNodeCount": state.get("initialNodeCount"),
        "initialClusterVersion": state.get("minMasterVersion"),
        "network": state.get("network"),
        "subnetwork": state.get("subnetwork"),
        "locations": zones,
        "resourceLabels": state.get("resourceLabels"),
        "releaseChannel": state.get("releaseChannel"),
        "addonsConfig": api.compact(state.get("addonsConfig") or {}),
        "networkPolicy": api.compact(state.get("networkPolicy") or {}),
        "workloadIdentityConfig": api.compact(state.get("workloadIdentityConfig") or {}),
        "ipAllocationPolicy": {"useIpAliases": True, **api.compact(policy)} if policy else None,
        "privateClusterConfig": _private_body(private),
        "masterAuthorizedNetworksConfig": authorized(state.get("masterAuthorizedNetworksConfig")),
        "loggingConfig": components(state.get("loggingConfig")),
        "monitoringConfig": components(state.get("monitoringConfig")),
        "loggingService": state.get("loggingService"),
        "monitoringService": state.get("monitoringService"),
        "verticalPodAutoscaling": state.get("verticalPodAutoscaling"),
        "autopilot": {"enabled": True} if state.get("enableAutopilot") else None,
    }
    # The library sends these although they are empty.
    return {**api.compact(body), "legacyAbac": {"enabled": bool(state.get("enableLegacyAbac"))}, "shieldedNodes": shielded}


def authorized(block: planning.State | None) -> planning.State:
    """Returns the authorized networks for a request; the block alone closes the API for everybody outside."""
    if block is None:
        return {}
    blocks = [api.compact(item) for item in block.get("cidrBlocks") or ()]
    return api.compact({"enabled": True, **block, "cidrBlocks": blocks})


def components(block: planning.State | None) -> planning.State:
    """Returns what is logged or measured for a request."""
    return {"componentConfig": block} if block and block.get("enableComponents") is not None else {}


def facts(cluster: planning.State, state: planning.State) -> planning.State:
    """Returns the properties of a cluster that a read records; ``state`` has those of before."""
    labels = cluster.get("resourceLabels") or {}
    own = state.get("resourceLabels")
    declared = own if isinstance(own, dict) else {}
    network, policy = cluster.get("networkConfig"), cluster.get("ipAllocationPolicy") or {}
    if network is None or "legacyAbac" not in cluster:
        raise api.CloudError("unexpected response: networkConfig or legacyAbac is missing")
    zonal = cluster.get("location", "").count("-") > 1
    pods = cluster.get("defaultMaxPodsConstraint") or {}
    return {
        **{name: cluster.get(name, "") for name in ("name", "location", "description", "endpoint", "selfLink")},
        **{
            name: cluster.get(name, "") for name in ("labelFingerprint", "loggingService", "monitoringService", "clusterIpv4Cidr")
        },
        "network": network.get("network", ""),
        "subnetwork": network.get("subnetwork", ""),
        "nodeLocations": [zone for zone in cluster.get("locations") or () if not (zonal and zone == cluster["location"])],
        "initialNodeCount": cluster.get("initialNodeCount") or 0,
        "masterVersion": cluster.get("currentMasterVersion", ""),
        "nodeVersion": cluster.get("currentNodeVersion", ""),
        "servicesIpv4Cidr": cluster.get("servicesIpv4Cidr", ""),
        "resourceLabels": {key: labels[key] for key in declared if key in labels},
        "effectiveLabels": labels,
        "pulumiLabels": {key: labels[key] for key in declared if key in labels},
        "ipAllocationPolicy": {
            **{name: policy.get(name, "") for name in cluster_tables.RANGES},
            "stackType": policy.get("stackType", "IPV4"),
        },
        "networkingMode": "VPC_NATIVE" if policy.get("useIpAliases") else "ROUTES",
        "datapathProvider": network.get("datapathProvider", ""),
        "defaultMaxPodsPerNode": int(pods.get("maxPodsPerNode") or 0),
        **_blocks(cluster),
        **_switches(cluster, network),
        "operation": "",
    }


def _blocks(cluster: planning.State) -> planning.State:
    private, auth = cluster.get("privateClusterConfig") or {}, cluster.get("masterAuth")
    if auth is None:
        raise api.CloudError("unexpected response: masterAuth is missing")
    addons = cluster.get("addonsConfig") or {}
    networks = cluster.get("masterAuthorizedNetworksConfig") or {}
    policy = cluster.get("networkPolicy") or {}
    return {
        "addonsConfig": {
            name: {fields[0].name: bool(addons[name].get(fields[0].name))} if addons.get(name) else None
            for name, fields in cluster_tables.ADDONS.items()
        },
        "networkPolicy": {
            "enabled": bool(policy.get("enabled")),
            "provider": policy.get("provider") or "PROVIDER_UNSPECIFIED",
        },
        "releaseChannel": {"channel": (cluster.get("releaseChannel") or {}).get("channel") or "UNSPECIFIED"},
        "workloadIdentityConfig": cluster.get("workloadIdentityConfig") or None,
        "privateClusterConfig": {
            **{name: private.get(name, "") for name in _SWITCHES},
            **{name: bool(private.get(name)) for name in ("enablePrivateNodes", "enablePrivateEndpoint")},
            "masterGlobalAccessConfig": {"enabled": bool((private.get("masterGlobalAccessConfig") or {}).get("enabled"))},
        },
        "masterAuthorizedNetworksConfig": _networks(networks) if networks.get("enabled") else None,
        "masterAuth": {
            "clientCertificateConfig": {"issueClientCertificate": False},
            "clientCertificate": auth.get("clientCertificate", ""),
            "clientKey": auth.get("clientKey", ""),
            "clusterCaCertificate": auth.get("clusterCaCertificate", ""),
        },
        **{name: _components(cluster.get(name) or {}) for name in ("loggingConfig", "monitoringConfig")},
        "verticalPodAutoscaling": cluster.get("verticalPodAutoscaling") or None,
    }


def _switches(cluster: planning.State, network: planning.State) -> planning.State:
    return {
        "enableFqdnNetworkPolicy": bool(network.get("enableFqdnNetworkPolicy")),
        "enableL4IlbSubsetting": bool(network.get("enableL4ilbSubsetting")),
        "enableMultiNetworking": bool(network.get("enableMultiNetworking")),
        "enableLegacyAbac": bool(cluster["legacyAbac"].get("enabled")),
        "enableShieldedNodes": bool((cluster.get("shieldedNodes") or {}).get("enabled")),
        "enableKubernetesAlpha": bool(cluster.get("enableKubernetesAlpha")),
        "enableAutopilot": bool((cluster.get("autopilot") or {}).get("enabled")),
    }


def _private_body(block: planning.State) -> planning.State:
    settable = {row.name for row in cluster_tables.PRIVATE if not row.output_only}
    return api.compact({name: value for name, value in block.items() if name in settable})


def _networks(block: planning.State) -> planning.State:
    return {
        "cidrBlocks": [
            {"cidrBlock": item.get("cidrBlock", ""), "displayName": item.get("displayName", "")}
            for item in block.get("cidrBlocks") or ()
        ],
        "gcpPublicCidrsAccessEnabled": bool(block.get("gcpPublicCidrsAccessEnabled")),
        "privateEndpointEnforcementEnabled": bool(block.get("privateEndpointEnforcementEnabled")),
    }


def _components(block: planning.State) -> planning.State:
    listed: values.Json = (block.get("componentConfig") or {}).get("enableComponents") or []
    return {"enableComponents": listed}
