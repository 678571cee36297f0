"""Bodies of requests to the simulated GKE: unknown fields are refused, numbers of enums become names.

Some clients send enums as numbers; the cloud takes both.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from planton_sandbox.clouds.gcp import scopes


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PATH = _names("projectId zone clusterId nodePoolId name parent")
NODE_CONFIG = _names(
    "machineType diskSizeGb diskType bootDisk imageType oauthScopes serviceAccount metadata labels taints tags spot preemptible "
    "accelerators minCpuPlatform workloadMetadataConfig shieldedInstanceConfig localSsdCount kubeletConfig linuxNodeConfig "
    "nodeGroup reservationAffinity bootDiskKmsKey sandboxConfig gcfsConfig gvnic advancedMachineFeatures confidentialNodes "
    "fastSocket resourceLabels loggingConfig windowsNodeConfig ephemeralStorageLocalSsdConfig localNvmeSsdBlockConfig "
    "soleTenantConfig containerdConfig resourceManagerTags enableConfidentialStorage secondaryBootDisks storagePools "
    "effectiveCgroupMode maxRunDuration localSsdEncryptionMode flexStart consolidationDelay hostMaintenancePolicy "
    "ephemeralStorageConfig secondaryBootDiskUpdateStrategy taintConfig"
)
NODE_POOL = _names(
    "name config initialNodeCount locations networkConfig version autoscaling management maxPodsConstraint upgradeSettings "
    "placementPolicy queuedProvisioning bestEffortProvisioning nodeDrainConfig maintenancePolicy status statusMessage etag "
    "selfLink instanceGroupUrls conditions podIpv4CidrSize updateInfo autopilotConfig"
)
# The settings of a cluster that have no effect here: they are kept and shown.
SETTINGS = _names(
    "addonsConfig authenticatorGroupsConfig autoscaling binaryAuthorization confidentialNodes controlPlaneEndpointsConfig "
    "costManagementConfig databaseEncryption enterpriseConfig fleet identityServiceConfig loggingConfig "
    "loggingService maintenancePolicy meshCertificates monitoringConfig monitoringService nodePoolAutoConfig "
    "nodePoolDefaults notificationConfig rbacBindingConfig secretManagerConfig securityPostureConfig shieldedNodes "
    "verticalPodAutoscaling workloadIdentityConfig networkPolicy masterAuthorizedNetworksConfig releaseChannel "
    "privateClusterConfig legacyAbac masterAuth ipAllocationPolicy networkConfig defaultMaxPodsConstraint description "
    "enableKubernetesAlpha enableTpu autopilot resourceUsageExportConfig compliancePostureConfig podAutoscaling "
    "anonymousAuthenticationConfig userManagedKeysConfig clusterTelemetry podSecurityPolicyConfig protectConfig "
    "workloadAltsConfig workloadCertificates tpuConfig rollbackSafeUpgrade gkeAutoUpgradeConfig enableK8sBetaApis"
)
_TEXTS = _names("loggingService monitoringService description")
_SWITCHES = _names("enableKubernetesAlpha enableTpu")
CLUSTER = SETTINGS | _names(
    "name initialNodeCount nodeConfig nodePools locations network subnetwork clusterIpv4Cidr resourceLabels "
    "initialClusterVersion zone location etag"
)
UPDATE_POOL = _PATH | _names(
    "nodeVersion imageType locations workloadMetadataConfig upgradeSettings tags taints labels linuxNodeConfig kubeletConfig "
    "nodeNetworkConfig gcfsConfig confidentialNodes gvnic etag fastSocket loggingConfig resourceLabels windowsNodeConfig "
    "accelerators machineType diskType diskSizeGb bootDisk resourceManagerTags containerdConfig queuedProvisioning "
    "storagePools maxRunDuration flexStart consolidationDelay nodeDrainConfig maintenancePolicy taintConfig"
)
# The fields that are texts wherever they occur, and those that are maps of texts.
_TEXT_KEYS = _names(
    "acceleratorType channel cidrBlock clusterSecondaryRangeName diskType effect imageType initialClusterVersion key "
    "locationPolicy machineType name network nodePoolSoakDuration nodeVersion podRange servicesSecondaryRangeName strategy "
    "subnetwork value version"
)
_MAP_KEYS = _names("labels metadata resourceLabels")
_ENUMS = {
    "effect": ("EFFECT_UNSPECIFIED", "NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"),
    "locationPolicy": ("LOCATION_POLICY_UNSPECIFIED", "BALANCED", "ANY"),
    "provider": ("PROVIDER_UNSPECIFIED", "CALICO"),
    "channel": ("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED"),
    "strategy": {0: "NODE_POOL_UPDATE_STRATEGY_UNSPECIFIED", 2: "BLUE_GREEN", 3: "SURGE", 5: "SHORT_LIVED"},
    "datapathProvider": ("DATAPATH_PROVIDER_UNSPECIFIED", "LEGACY_DATAPATH", "ADVANCED_DATAPATH"),
    "mode": ("MODE_UNSPECIFIED", "GCE_METADATA", "GKE_METADATA"),
    "stackType": ("STACK_TYPE_UNSPECIFIED", "IPV4", "IPV4_IPV6"),
}


def read(body: Mapping[str, Any], allowed: frozenset[str], *, at: str = "") -> dict[str, Any]:
    """Returns the set fields of a body, with the names of enums; an unknown field is refused."""
    for key in body:
        if key not in allowed:
            place = f" at '{at}'" if at else ""
            raise scopes.invalid(f'Invalid JSON payload received. Unknown name "{key}"{place}: Cannot find field.')
    return {key: named(value, key) for key, value in body.items() if value is not None}


def named(value: Any, key: str = "") -> Any:
    """Returns a JSON value with the names of enums in place of their numbers; a text or map of another type is refused."""
    if key in _TEXT_KEYS and isinstance(value, Mapping | list):
        raise scopes.invalid(f"Invalid value at '{key}': {value!r}")
    if isinstance(value, Mapping):
        if key in _MAP_KEYS and not all(isinstance(item, str | Mapping) for item in value.values()):
            raise scopes.invalid(f"Invalid value at '{key}': {value!r}")
        return {name: named(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [named(item, key) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and key in _ENUMS:
        try:
            return _ENUMS[key][value]  # type: ignore[index]
        except (KeyError, IndexError) as error:
            raise scopes.invalid(f"Invalid value at '{key}': {value}") from error
    if value is not None and ((key in _TEXT_KEYS and not isinstance(value, str)) or key in _MAP_KEYS):
        raise scopes.invalid(f"Invalid value at '{key}': {value!r}")
    return value


def setting(name: str, value: Any) -> Any:  # a block of JSON, a text or a switch
    """Returns a setting of a cluster; one of another type, or with an invalid range of addresses, is refused."""
    expected: Any = str if name in _TEXTS else bool if name in _SWITCHES else dict
    if not isinstance(value, expected):
        raise scopes.invalid(f"Invalid value at '{name}': {value!r}")
    networks = value if name == "masterAuthorizedNetworksConfig" else {}
    if name == "controlPlaneEndpointsConfig":
        networks = (value.get("ipEndpointsConfig") or {}).get("authorizedNetworksConfig") or {}
        name = f"{name}.ipEndpointsConfig.authorizedNetworksConfig"
    for block in networks.get("cidrBlocks") or []:
        try:
            ipaddress.ip_network(block.get("cidrBlock"), strict=False)
        except ValueError as error:
            raise scopes.invalid(f"Invalid value at '{name}.cidrBlocks': {error}") from error
    return value


def count(value: Any, name: str) -> int:
    """Returns a number that is not negative; 64-bit numbers may be texts."""
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise scopes.invalid(f"Invalid value at '{name}': {value!r}")
    return number
