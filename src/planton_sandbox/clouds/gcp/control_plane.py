"""The endpoints of a cluster's control plane.

GKE has two groups of fields for them: ``controlPlaneEndpointsConfig`` with ``networkConfig.defaultEnablePrivateNodes``, and the older
``masterAuthorizedNetworksConfig`` with ``privateClusterConfig``. Requests may use either one; answers contain both, with the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Settings = dict[str, Any]
_DNS, _IP = "dnsEndpointConfig", "ipEndpointsConfig"


def absorb(settings: Settings) -> None:
    """Moves the values of the newer fields in a cluster's settings to the older fields."""
    network = settings.get("networkConfig") or {}
    if "defaultEnablePrivateNodes" in network:
        nodes = bool(network["defaultEnablePrivateNodes"])
        settings["networkConfig"] = {key: value for key, value in network.items() if key != "defaultEnablePrivateNodes"}
        _private(settings, {"enablePrivateNodes": nodes})
    config = settings.get("controlPlaneEndpointsConfig") or {}
    addresses = config.get(_IP) or {}
    if "authorizedNetworksConfig" in addresses:
        settings["masterAuthorizedNetworksConfig"] = addresses["authorizedNetworksConfig"]
    changes: Settings = {}
    if "enablePublicEndpoint" in addresses:
        changes["enablePrivateEndpoint"] = not addresses["enablePublicEndpoint"]
    if "globalAccess" in addresses:
        changes["masterGlobalAccessConfig"] = {"enabled": bool(addresses["globalAccess"])}
    if addresses.get("privateEndpointSubnetwork"):
        changes["privateEndpointSubnetwork"] = addresses["privateEndpointSubnetwork"]
    _private(settings, changes)
    if config:
        settings["controlPlaneEndpointsConfig"] = {
            _DNS: config.get(_DNS) or {},
            _IP: {"enabled": bool(addresses.get("enabled", True))},
        }


def merge(settings: Settings, desired: Mapping[str, Any]) -> None:
    """Changes the endpoints; values that a request omits stay."""
    old = settings.get("controlPlaneEndpointsConfig") or {}
    settings["controlPlaneEndpointsConfig"] = {
        part: {**(old.get(part) or {}), **(desired.get(part) or {})} for part in (_DNS, _IP)
    }
    absorb(settings)


def view(settings: Mapping[str, Any], *, address: str, domain: str) -> Settings:
    """Returns both groups of fields of a cluster whose Kubernetes API is at an address, or is not built if that is empty."""
    private = dict(settings.get("privateClusterConfig") or {})
    config = settings.get("controlPlaneEndpointsConfig") or {}
    addresses: Settings = {
        "enabled": True,
        **(config.get(_IP) or {}),
        "enablePublicEndpoint": not private.get("enablePrivateEndpoint"),
        "globalAccess": bool((private.get("masterGlobalAccessConfig") or {}).get("enabled")),
        "authorizedNetworksConfig": settings.get("masterAuthorizedNetworksConfig") or {},
    }
    if private.get("privateEndpointSubnetwork"):
        addresses["privateEndpointSubnetwork"] = private["privateEndpointSubnetwork"]
    if address:
        private = {"publicEndpoint": address, "privateEndpoint": address, **private}
        addresses |= {name: private[name] for name in ("publicEndpoint", "privateEndpoint")}
    network = {"defaultEnablePrivateNodes": True} if private.get("enablePrivateNodes") else {}
    return {
        "privateClusterConfig": private,
        "controlPlaneEndpointsConfig": {_DNS: {"endpoint": domain, **(config.get(_DNS) or {})}, _IP: addresses},
        "networkConfig": {**(settings.get("networkConfig") or {}), **network},
    }


def _private(settings: Settings, changes: Mapping[str, Any]) -> None:
    if changes:
        settings["privateClusterConfig"] = {**(settings.get("privateClusterConfig") or {}), **changes}
