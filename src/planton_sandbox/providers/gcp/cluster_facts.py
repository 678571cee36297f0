"""Conversion of clusters between the plugin's properties and the API's bodies."""

from __future__ import annotations

from planton_sandbox.providers import planning, values
from planton_sandbox.providers.gcp import api, cluster_tables

_SWITCHES = ("privateEndpointSubnetwork", "privateEndpoint", "publicEndpoint")
_OLDER = ("peeringName", "masterIpv4CidrBlock")
_FLAGS = ("gcpPublicCidrsAccessEnabled", "privateEndpointEnforcementEnabled")
_DNS = ("allowExternalTraffic", "enableK8sTokensViaDns", "enableK8sCertsViaDns")
_NETWORK = ("datapathProvider", "enableFqdnNetworkPolicy", "enableMultiNetworking")


def is_zone(location: str) -> bool:
    """Returns whether a location is a zone, such as ``europe-west1-b``, and not a region."""
    return location.count("-") > 1


def create_body(state: planning.State, *, project: str, location: str) -> planning.State:
    """Returns the body that creates a cluster; ``state`` has no unknown values."""
    zones = list(state.get("nodeLocations") or ())
    zonal = is_zone(location)
    if zones and zonal:
        zones.append(location)
    policy, private = state.get("ipAllocationPolicy") or {}, state.get("privateClusterConfig") or {}
    place = f"projects/{project}/regions/{location.rpartition('-')[0] if zonal else location}/subnetworks"
    body = {
        "name": state.get("name"),
        "description": state.get("description"),
        "initialNodeCount": state.get("initialNodeCount"),
        "initialClusterVersion": state.get("minMasterVersion"),
        "network": _link(f"projects/{project}/global/networks", state.get("network")),
        "subnetwork": _link(place, state.get("subnetwork")),
        "locations": zones,
        "resourceLabels": state.get("resourceLabels"),
        "releaseChannel": state.get("releaseChannel"),
        "addonsConfig": addons(state.get("addonsConfig")),
        "workloadIdentityConfig": api.compact(state.get("workloadIdentityConfig") or {}),
        "ipAllocationPolicy": {"useIpAliases": True, **api.compact(policy)} if policy else None,
        "privateClusterConfig": _private_body(private),
        "loggingConfig": components(state.get("loggingConfig")),
        "monitoringConfig": components(state.get("monitoringConfig")),
        "loggingService": state.get("loggingService"),
        "monitoringService": state.get("monitoringService"),
        "verticalPodAutoscaling": state.get("verticalPodAutoscaling"),
    }
    return {**api.compact(body), **_always(state, private)}


def _always(state: planning.State, private: planning.State) -> planning.State:
    """Returns what a creation sends although the program does not set it."""
    network = {
        **{name: state.get(name) for name in _NETWORK},
        "enableL4ilbSubsetting": state.get("enableL4IlbSubsetting"),
        "defaultEnablePrivateNodes": private.get("enablePrivateNodes"),
    }
    return {
        "autopilot": {"enabled": bool(state.get("enableAutopilot"))},
        "autoscaling": {"enableNodeAutoprovisioning": False},
        "binaryAuthorization": {"enabled": False},
        "controlPlaneEndpointsConfig": endpoints(state),
        "legacyAbac": {"enabled": bool(state.get("enableLegacyAbac"))},
        "maintenancePolicy": {"window": {}},
        "networkConfig": api.compact(network),
        "networkPolicy": policy(state.get("networkPolicy")),
        "nodeConfig": {"oauthScopes": list(api.SCOPES)},
        "notificationConfig": {"pubsub": {}},
        "shieldedNodes": {"enabled": bool(state.get("enableShieldedNodes"))},
    }


def endpoints(state: planning.State) -> planning.State:
    """Returns the endpoints of the control plane for a request."""
    private = state.get("privateClusterConfig") or {}
    addresses = {
        "enabled": True,
        "enablePublicEndpoint": not private.get("enablePrivateEndpoint"),
        "privateEndpointSubnetwork": private.get("privateEndpointSubnetwork") or "",
        "globalAccess": bool((private.get("masterGlobalAccessConfig") or {}).get("enabled")),
        "authorizedNetworksConfig": authorized(state.get("masterAuthorizedNetworksConfig")),
    }
    return {"dnsEndpointConfig": dict.fromkeys(_DNS, False), "ipEndpointsConfig": addresses}


def authorized(block: planning.State | None) -> planning.State:
    """Returns the authorized networks for a request; the block alone closes the API for everybody outside."""
    if block is None:
        return {}
    blocks = [api.compact(item) for item in block.get("cidrBlocks") or ()]
    flags = {name: block[name] for name in _FLAGS if block.get(name) is not None}
    return {"enabled": True, **api.compact({"cidrBlocks": blocks}), **flags}


def addons(block: planning.State | None) -> planning.State:
    """Returns the add-ons for a request."""
    return api.compact(block or {})


def policy(block: planning.State | None) -> planning.State:
    """Returns the enforcement of network policies for a request; without it, their provider is left out."""
    return api.compact(block) if block and block.get("enabled") else {}


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
    zonal = is_zone(cluster.get("location", ""))
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
    }


def _blocks(cluster: planning.State) -> planning.State:
    private, auth = cluster.get("privateClusterConfig") or {}, cluster.get("masterAuth")
    if auth is None:
        raise api.CloudError("unexpected response: masterAuth is missing")
    switched = cluster.get("addonsConfig") or {}
    addresses = (cluster.get("controlPlaneEndpointsConfig") or {}).get("ipEndpointsConfig") or {}
    networks = addresses.get("authorizedNetworksConfig") or {}
    enforced, pods = cluster.get("networkPolicy") or {}, cluster.get("verticalPodAutoscaling")
    identities = cluster.get("workloadIdentityConfig")
    return {
        "addonsConfig": {
            name: {fields[0].name: bool(switched[name].get(fields[0].name))} if switched.get(name) is not None else None
            for name, fields in cluster_tables.ADDONS.items()
        },
        "networkPolicy": {
            "enabled": bool(enforced.get("enabled")),
            "provider": enforced.get("provider", "") if "networkPolicy" in cluster else "PROVIDER_UNSPECIFIED",
        },
        "releaseChannel": {"channel": (cluster.get("releaseChannel") or {}).get("channel") or "UNSPECIFIED"},
        "workloadIdentityConfig": None if identities is None else {"workloadPool": identities.get("workloadPool", "")},
        "privateClusterConfig": {
            **{name: private.get(name, "") for name in _OLDER},
            **{name: addresses.get(name, "") for name in _SWITCHES},
            "enablePrivateNodes": bool(cluster["networkConfig"].get("defaultEnablePrivateNodes")),
            "enablePrivateEndpoint": not addresses.get("enablePublicEndpoint"),
            "masterGlobalAccessConfig": {"enabled": bool(addresses.get("globalAccess"))},
        },
        "masterAuthorizedNetworksConfig": _networks(networks) if networks.get("enabled") else None,
        "masterAuth": {
            "clientCertificateConfig": {"issueClientCertificate": False},
            "clientCertificate": auth.get("clientCertificate", ""),
            "clientKey": auth.get("clientKey", ""),
            "clusterCaCertificate": auth.get("clusterCaCertificate", ""),
        },
        **{name: _components(cluster.get(name) or {}) for name in ("loggingConfig", "monitoringConfig")},
        "verticalPodAutoscaling": None if pods is None else {"enabled": bool(pods.get("enabled"))},
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
    if not block.get("masterIpv4CidrBlock"):
        return {}
    return api.compact({name: block.get(name) for name in ("masterIpv4CidrBlock", "enablePrivateNodes")})


def _link(place: str, name: values.Json) -> str:
    """Returns the path of a network or subnetwork that a program names by name, path or link."""
    text = str(name or "")
    return "" if not text else text[text.index("projects/") :] if "projects/" in text else f"{place}/{text}"


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
