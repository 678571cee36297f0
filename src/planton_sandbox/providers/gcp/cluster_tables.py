"""The properties of GKE's clusters and of the provider's configuration: what this project uses, and what the cloud sets."""

from __future__ import annotations

import typing

from planton_sandbox.providers import planning, schema, validators, values

_Row = schema.Property
_UNSPECIFIED = "PROVIDER_UNSPECIFIED"
_BOOL, _INT, _OBJECT, _LIST, _SET, _MAP = schema.BOOL, schema.INT, schema.OBJECT, schema.LIST, schema.SET, schema.MAP


def _same_name(name: str) -> schema.Suppressor:
    """Returns whether a path, a link or a name means the same resource as before."""

    def suppress(prior: planning.State, inputs: planning.State) -> bool:
        old, new = prior.get(name), inputs.get(name)
        if not isinstance(old, str) or not isinstance(new, str) or not old:
            return False
        return old.endswith(f"/{new}") or new.endswith(f"/{old}") or old.rsplit("/", 1)[-1] == new.rsplit("/", 1)[-1]

    return suppress


def _same_provider(prior: planning.State, inputs: planning.State) -> bool:
    """Returns whether one provider of network policies is unset, and the other one unspecified."""
    return {prior.get("provider") or "", inputs.get("provider") or ""} == {"", _UNSPECIFIED}


def _block(name: str, fields: tuple[schema.Property, ...], doc: str, **more: typing.Any) -> schema.Property:
    return _Row(name=name, type=_OBJECT, computed=True, fields=fields, doc=doc, **more)


_ENABLED = (_Row(name="enabled", type=_BOOL, required=True, doc="Whether it is on."),)
_DISABLED = (_Row(name="disabled", type=_BOOL, required=True, doc="Whether it is off."),)
ADDONS = {
    "networkPolicyConfig": _DISABLED,
    "httpLoadBalancing": _DISABLED,
    "horizontalPodAutoscaling": _DISABLED,
    "dnsCacheConfig": _ENABLED,
    "gcePersistentDiskCsiDriverConfig": _ENABLED,
    "gcpFilestoreCsiDriverConfig": _ENABLED,
    "gcsFuseCsiDriverConfig": _ENABLED,
    "gkeBackupAgentConfig": _ENABLED,
    "configConnectorConfig": _ENABLED,
}
"""The add-ons that a program can switch, and the field that switches them."""
RANGES = ("clusterSecondaryRangeName", "servicesSecondaryRangeName", "clusterIpv4CidrBlock", "servicesIpv4CidrBlock")
_ALLOCATION = (
    *(_Row(name=name, computed=True, replaces=True, doc="A range of addresses.") for name in RANGES),
    _Row(name="stackType", default="IPV4", replaces=True, doc="IPV4 or IPV4_IPV6."),
)
PRIVATE = (
    _Row(name="enablePrivateNodes", type=_BOOL, computed=True, doc="Whether nodes have internal addresses only."),
    _Row(name="enablePrivateEndpoint", type=_BOOL, computed=True, doc="Whether the API has an internal address only."),
    _Row(name="masterIpv4CidrBlock", computed=True, replaces=True, doc="The addresses of the control plane."),
    _Row(name="privateEndpointSubnetwork", computed=True, replaces=True, doc="The subnetwork of the control plane."),
    _block("masterGlobalAccessConfig", _ENABLED, "Whether other regions reach the internal address."),
    *(schema.out(name) for name in ("peeringName", "privateEndpoint", "publicEndpoint")),
)
_CIDR = (
    _Row(name="cidrBlock", required=True, check=validators.cidr, doc="A range."),
    _Row(name="displayName", doc="Its name."),
)
_AUTHORIZED = (
    _Row(name="cidrBlocks", type=_SET, fields=_CIDR, doc="The ranges that may call the API."),
    _Row(name="gcpPublicCidrsAccessEnabled", type=_BOOL, computed=True, doc="Whether Google's addresses may, too."),
    _Row(name="privateEndpointEnforcementEnabled", type=_BOOL, computed=True, doc="Whether the internal address is closed, too."),
)
_POLICY = (
    _Row(name="enabled", type=_BOOL, required=True, doc="Whether network policies are enforced."),
    _Row(
        name="provider",
        suppress=_same_provider,
        check=validators.one_of(_UNSPECIFIED, "CALICO"),
        doc="Who enforces them.",
    ),
)
_CHANNELS = validators.one_of("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED")
_MASTER_AUTH = (
    _block(
        "clientCertificateConfig",
        (_Row(name="issueClientCertificate", type=_BOOL, required=True, replaces=True, doc="Whether there is one."),),
        "The client certificate.",
        required=True,
    ),
    *(schema.out(name) for name in ("clientCertificate", "clusterCaCertificate")),
    _Row(name="clientKey", output_only=True, computed=True, secret=True, doc="The key of the client certificate."),
)
_LOGGED = (_Row(name="enableComponents", type=_LIST, required=True, doc="What is logged."),)
_MEASURED = (_Row(name="enableComponents", type=_LIST, computed=True, doc="What is measured."),)
_SWITCHES = ("enableFqdnNetworkPolicy", "enableL4IlbSubsetting", "enableLegacyAbac")


def _policy(value: values.Json, path: str) -> schema.Problem:
    return (
        ()
        if value in ("DELETE", "PREVENT", "ABANDON")
        else (f"expected {path} to be one of [DELETE PREVENT ABANDON], got {value}",)
    )


CLUSTER = schema.Table(
    token="gcp:container/cluster:Cluster",  # noqa: S106  # a type token
    doc="A GKE cluster.",
    properties=(
        _Row(name="name", autoname=True, replaces=True, doc="The cluster's name."),
        _Row(name="project", computed=True, replaces=True, doc="The project."),
        _Row(name="location", computed=True, replaces=True, doc="The region or zone."),
        _Row(name="description", replaces=True, doc="Its description."),
        _Row(name="network", default="default", replaces=True, suppress=_same_name("network"), doc="The network."),
        _Row(name="subnetwork", computed=True, replaces=True, suppress=_same_name("subnetwork"), doc="The subnetwork."),
        _Row(name="nodeLocations", type=_SET, computed=True, doc="The zones of nodes; of a zonal cluster the additional ones."),
        _Row(name="initialNodeCount", type=_INT, replaces=True, doc="The nodes per zone of the default pool."),
        _Row(name="removeDefaultNodePool", type=_BOOL, doc="Whether the default pool is deleted after the creation."),
        _Row(name="minMasterVersion", doc="The least version of the control plane."),
        _Row(name="nodeVersion", computed=True, doc="The version of the nodes of the default pool."),
        _Row(name="deletionProtection", type=_BOOL, default=True, doc="Whether deletion is refused."),
        _Row(
            name="deletionPolicy", computed=True, default="DELETE", quiet=True, check=_policy, doc="DELETE, PREVENT or ABANDON."
        ),
        _Row(name="resourceLabels", type=_MAP, doc="Labels; other ones are left alone."),
        _block("releaseChannel", (_Row(name="channel", required=True, check=_CHANNELS, doc="The channel."),), "The channel."),
        _block(
            "addonsConfig",
            tuple(_block(name, fields, "An add-on.") for name, fields in ADDONS.items()),
            "The add-ons.",
        ),
        _block("networkPolicy", _POLICY, "Network policies."),
        _block(
            "workloadIdentityConfig",
            (_Row(name="workloadPool", doc="The pool of identities."),),
            "The identities of workloads.",
        ),
        _block("ipAllocationPolicy", _ALLOCATION, "The addresses of pods and services.", replaces=True),
        _block("privateClusterConfig", PRIVATE, "Internal addresses."),
        _block("masterAuthorizedNetworksConfig", _AUTHORIZED, "Who may call the API."),
        _block("masterAuth", _MASTER_AUTH, "Access."),
        _block("loggingConfig", _LOGGED, "What is logged."),
        _block("monitoringConfig", _MEASURED, "What is measured."),
        _block("verticalPodAutoscaling", _ENABLED, "Whether requests of pods are adapted."),
        _Row(name="loggingService", computed=True, doc="Where logs go."),
        _Row(name="monitoringService", computed=True, doc="Where metrics go."),
        *(_Row(name=name, type=_BOOL, default=False, quiet=True, doc="A switch.") for name in _SWITCHES),
        _Row(name="enableShieldedNodes", type=_BOOL, default=True, doc="Whether nodes are verified."),
        _Row(
            name="enableKubernetesAlpha",
            type=_BOOL,
            default=False,
            quiet=True,
            replaces=True,
            doc="Whether it has alpha features.",
        ),
        _Row(
            name="enableMultiNetworking",
            type=_BOOL,
            default=False,
            quiet=True,
            replaces=True,
            doc="Whether pods have several networks.",
        ),
        _Row(name="enableAutopilot", type=_BOOL, replaces=True, doc="Whether the cloud manages the nodes."),
        _Row(name="networkingMode", computed=True, replaces=True, doc="VPC_NATIVE or ROUTES."),
        _Row(name="datapathProvider", computed=True, replaces=True, doc="The data plane."),
        _Row(name="defaultMaxPodsPerNode", type=_INT, computed=True, replaces=True, doc="The pods of a node."),
        _Row(name="clusterIpv4Cidr", computed=True, replaces=True, doc="The addresses of pods."),
        _Row(name="ignoreNodeCountChanges", type=_BOOL, doc="Whether the number of nodes is not read."),
        _Row(name="skipNodePoolRefresh", type=_BOOL, doc="Whether pools are not read."),
        *(
            schema.out(name)
            for name in ("endpoint", "labelFingerprint", "masterVersion", "operation", "selfLink", "servicesIpv4Cidr")
        ),
        *(schema.out(name, _MAP) for name in ("effectiveLabels", "pulumiLabels")),
    ),
)

CONFIG = (
    _Row(name="project", doc="The project of resources that name none."),
    _Row(name="region", doc="Their region."),
    _Row(name="zone", doc="Their zone."),
    _Row(name="credentials", secret=True, doc="The key file of a service account, or its path."),
    _Row(name="accessToken", secret=True, doc="An access token."),
    _Row(name="containerCustomEndpoint", doc="The address of the Kubernetes Engine API."),
    _Row(name="computeCustomEndpoint", doc="The address of the Compute Engine API."),
    _Row(name="pollInterval", doc="The time between polls of an operation."),
    _Row(name="addPulumiAttributionLabel", type=_BOOL, doc="Whether resources get a label of Pulumi."),
    _Row(name="userProjectOverride", type=_BOOL, doc="Whether the resource's project is billed for requests."),
    _Row(name="billingProject", doc="The project that is billed for requests."),
)
