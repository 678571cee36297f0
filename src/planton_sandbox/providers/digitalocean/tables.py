"""The properties of DigitalOcean's resources and of the provider's configuration, with their validation."""

from __future__ import annotations

import re
import typing

from planton_sandbox.providers import planning, schema, validators, values

_Row = schema.Property
_TAG: typing.Final = re.compile(r"[a-zA-Z0-9:\-_]{1,255}")
_TAG_RULE = (
    "tags may contain lowercase letters, numbers, colons, dashes, and underscores; there is a limit of 255 characters per tag"
)
_LONGEST_DESCRIPTION = 255


def _tag(value: values.Json, _path: str) -> schema.Problem:
    return () if _TAG.fullmatch(str(value)) else (_TAG_RULE,)


def _description(value: values.Json, path: str) -> schema.Problem:
    fits = len(value.encode()) <= _LONGEST_DESCRIPTION
    return () if fits else (f"expected length of {path} to be in the range (0 - {_LONGEST_DESCRIPTION}), got {value}",)


def _equals_actual_count(prior: planning.State, inputs: planning.State) -> bool:
    """Returns whether the desired count equals the actual one, which is no change whatever count the state desired."""
    count = inputs.get("nodeCount")
    desired = prior.get("nodeCount") if count is None else count
    return bool((desired or 0) == (prior.get("actualNodeCount") or 0))


def _tags(name: str = "tags", wire: str = "", doc: str = "Tags; case does not matter.") -> schema.Property:
    return _Row(name=name, wire=wire, type=schema.SET, fold=True, check=_tag, doc=doc)


VPC = schema.Table(
    token="digitalocean:index/vpc:Vpc",  # noqa: S106  # a type token
    doc="A private network.",
    properties=(
        _Row(name="name", autoname=True, check=validators.not_zero, doc="The network's name."),
        _Row(name="region", required=True, replaces=True, check=validators.not_zero, doc="The region."),
        _Row(name="description", check=_description, doc="Its description."),
        _Row(name="ipRange", computed=True, replaces=True, check=validators.cidr, doc="The range of addresses."),
        _Row(name="vpcUrn", wire="urn", computed=True, output_only=True, doc="Its uniform resource name."),
        _Row(name="default", type=schema.BOOL, computed=True, output_only=True, doc="Whether it is its region's default."),
        _Row(name="createdAt", computed=True, output_only=True, doc="The time of its creation."),
    ),
)

_PROTOCOLS = validators.one_of("tcp", "udp", "icmp")


def _rule(prefix: str) -> tuple[schema.Property, ...]:
    """Returns a rule's properties; ``prefix`` names the other end."""
    return (
        _Row(name="protocol", required=True, check=_PROTOCOLS, doc="tcp, udp or icmp."),
        _Row(name="portRange", check=validators.not_zero, doc="A port, a range of ports, or all."),
        _Row(name=f"{prefix}Addresses", type=schema.SET, check=validators.not_zero, doc="Addresses."),
        _Row(name=f"{prefix}DropletIds", type=schema.SET, items=schema.INT, doc="Droplets."),
        _Row(name=f"{prefix}LoadBalancerUids", type=schema.SET, check=validators.not_zero, doc="Load balancers."),
        _Row(name=f"{prefix}KubernetesIds", type=schema.SET, check=validators.not_zero, doc="Clusters."),
        _tags(f"{prefix}Tags", doc="Tags of droplets."),
    )


INBOUND, OUTBOUND = _rule("source"), _rule("destination")
PENDING = (schema.out("dropletId", schema.INT), schema.out("removing", schema.BOOL), schema.out("status"))
FIREWALL = schema.Table(
    token="digitalocean:index/firewall:Firewall",  # noqa: S106  # a type token
    doc="A firewall of droplets, clusters' nodes included.",
    properties=(
        _Row(name="name", autoname=True, check=validators.not_zero, doc="The firewall's name."),
        _Row(name="dropletIds", type=schema.SET, items=schema.INT, doc="The droplets that it protects."),
        _Row(name="inboundRules", wire="inbound_rule", type=schema.SET, fields=INBOUND, doc="The rules for inbound traffic."),
        _Row(name="outboundRules", wire="outbound_rule", type=schema.SET, fields=OUTBOUND, doc="The rules for outbound traffic."),
        _tags(doc="The tags of the droplets that it protects."),
        _Row(name="status", computed=True, output_only=True, doc="Its state."),
        _Row(name="createdAt", computed=True, output_only=True, doc="The time of its creation."),
        _Row(
            name="pendingChanges",
            type=schema.LIST,
            computed=True,
            output_only=True,
            fields=PENDING,
            doc="The changes in progress.",
        ),
    ),
)

_NODE = tuple(schema.out(name) for name in ("id", "name", "status", "dropletId", "createdAt", "updatedAt"))
_TAINT = (
    _Row(name="key", required=True, doc="The taint's key."),
    _Row(name="value", required=True, doc="The taint's value."),
    _Row(name="effect", required=True, check=validators.EFFECTS, doc="NoSchedule, PreferNoSchedule or NoExecute."),
)
_POOL = (
    _Row(name="size", required=True, replaces=True, check=validators.not_zero, doc="The size of each node."),
    _Row(name="actualNodeCount", type=schema.INT, computed=True, output_only=True, doc="The actual number of nodes."),
    _Row(name="nodeCount", type=schema.INT, suppress=_equals_actual_count, doc="The desired number of nodes."),
    _Row(name="autoScale", type=schema.BOOL, default=False, quiet=True, doc="Whether the pool is autoscaled."),
    _Row(name="minNodes", type=schema.INT, doc="The minimum number of nodes with autoscaling."),
    _Row(name="maxNodes", type=schema.INT, doc="The maximum number of nodes with autoscaling."),
    _tags(),
    _Row(name="labels", type=schema.MAP, doc="Labels of the nodes."),
    _Row(name="nodes", type=schema.LIST, fields=_NODE, computed=True, output_only=True, doc="The nodes."),
    _Row(name="taints", wire="taint", type=schema.SET, fields=_TAINT, doc="Taints of the nodes."),
)
_DEFAULT_POOL = (
    schema.out("id"),
    _Row(name="name", required=True, check=validators.not_zero, doc="The pool's name."),
    *_POOL,
)
NODE_POOL = schema.Table(
    token="digitalocean:index/kubernetesNodePool:KubernetesNodePool",  # noqa: S106  # a type token
    doc="An additional node pool of a cluster.",
    properties=(
        _Row(name="clusterId", required=True, replaces=True, check=validators.not_zero, doc="The pool's cluster."),
        _Row(name="name", autoname=True, check=validators.not_zero, doc="The pool's name."),
        *_POOL,
    ),
)

DAYS: typing.Final = ("any", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = validators.one_of(*DAYS, fold=True)
_MAINTENANCE = (
    _Row(name="day", computed=True, check=_DAY, doc="A day of the week, or any."),
    _Row(name="startTime", computed=True, doc="The start of the window, in UTC."),
    schema.out("duration"),
)
_AUTOSCALER = (
    _Row(name="scaleDownUtilizationThreshold", type=schema.FLOAT, doc="The utilization below which a node may be removed."),
    _Row(name="scaleDownUnneededTime", doc="How long a node must be unneeded before it is removed."),
    _Row(name="expanders", type=schema.LIST, doc="The strategies that select a pool to scale up."),
)
_SSO = (
    _Row(name="enabled", type=schema.BOOL, required=True, doc="Whether it is enabled."),
    _Row(name="required", type=schema.BOOL, doc="Whether single sign-on is the only way to sign in."),
    _Row(name="issuerUrl", doc="The issuer."),
    _Row(name="clientId", doc="The client."),
)
_SWITCH = (_Row(name="enabled", type=schema.BOOL, required=True, doc="Whether it is enabled."),)
_CONTROL_PLANE_FIREWALL = (
    *_SWITCH,
    _Row(name="allowedAddresses", type=schema.LIST, required=True, doc="The addresses that may reach the control plane."),
)
SWITCHES: typing.Final = {
    "routingAgent": "routing_agent",
    "p2pOciRegistryPlugin": "p2p_oci_registry_plugin",
    "amdGpuDevicePlugin": "amd_gpu_device_plugin",
    "amdGpuDeviceMetricsExporterPlugin": "amd_gpu_device_metrics_exporter_plugin",
    "nvidiaGpuDevicePlugin": "nvidia_gpu_device_plugin",
    "rdmaSharedDevicePlugin": "rdma_shared_dev_plugin",
    "corednsAutoscaler": "coredns_autoscaler",
}
"""A cluster's blocks that have only the field ``enabled``, and their names in the API."""
_KUBECONFIG_FIELDS = ("rawConfig", "host", "clusterCaCertificate", "clientKey", "clientCertificate", "token", "expiresAt")
KUBECONFIG = tuple(schema.out(name) for name in _KUBECONFIG_FIELDS)
"""The fields of a kubeconfig; the whole kubeconfig is a secret."""


def _block(name: str, fields: tuple[schema.Property, ...], doc: str) -> schema.Property:
    return _Row(name=name, type=schema.OBJECT, computed=True, fields=fields, doc=doc)


CLUSTER = schema.Table(
    token="digitalocean:index/kubernetesCluster:KubernetesCluster",  # noqa: S106  # a type token
    doc="A Kubernetes cluster with its default pool.",
    properties=(
        _Row(name="name", autoname=True, check=validators.not_zero, doc="The cluster's name."),
        _Row(name="region", required=True, replaces=True, check=validators.not_zero, normalize=str.lower, doc="The region."),
        _Row(name="version", required=True, check=validators.not_zero, doc="The Kubernetes version, in full."),
        _Row(name="nodePool", type=schema.OBJECT, required=True, fields=_DEFAULT_POOL, doc="The default pool."),
        _tags(),
        _Row(name="ha", type=schema.BOOL, computed=True, doc="Whether the control plane is highly available."),
        _Row(name="autoUpgrade", type=schema.BOOL, doc="Whether patch versions are installed automatically."),
        _Row(name="surgeUpgrade", type=schema.BOOL, default=True, doc="Whether upgrades add nodes before they remove nodes."),
        _Row(
            name="registryIntegration", type=schema.BOOL, default=False, quiet=True, doc="Whether it may pull from the registry."
        ),
        _Row(
            name="destroyAllAssociatedResources",
            type=schema.BOOL,
            default=False,
            quiet=True,
            doc="Whether deleting it also deletes volumes and load balancers.",
        ),
        _Row(name="kubeconfigExpireSeconds", type=schema.INT, check=validators.at_least(0), doc="How long a kubeconfig lasts."),
        _Row(name="vpcUuid", computed=True, replaces=True, doc="Its network; the region's default if unset."),
        _Row(name="workerSubnetUuid", computed=True, replaces=True, doc="Its nodes' subnet."),
        _Row(name="clusterSubnet", computed=True, replaces=True, check=validators.cidr, doc="The pods' addresses."),
        _Row(name="serviceSubnet", computed=True, replaces=True, check=validators.cidr, doc="The services' addresses."),
        _block("maintenancePolicy", _MAINTENANCE, "The maintenance window."),
        _block("controlPlaneFirewall", _CONTROL_PLANE_FIREWALL, "The firewall of the control plane."),
        *(_block(name, _SWITCH, "A plugin of the cluster.") for name in SWITCHES),
        _Row(
            name="clusterAutoscalerConfigurations",
            wire="cluster_autoscaler_configuration",
            type=schema.LIST,
            fields=_AUTOSCALER,
            doc="The settings of the autoscaler.",
        ),
        _Row(name="ssos", wire="sso", type=schema.LIST, computed=True, fields=_SSO, doc="Single sign-on."),
        _Row(name="clusterUrn", wire="urn", computed=True, output_only=True, doc="Its uniform resource name."),
        _Row(
            name="kubeConfigs",
            wire="kube_config",
            type=schema.LIST,
            fields=KUBECONFIG,
            computed=True,
            output_only=True,
            secret=True,
            doc="The kubeconfigs.",
        ),
        *(schema.out(name) for name in ("ipv4Address", "endpoint", "status", "createdAt", "updatedAt")),
    ),
)

CONFIG = (
    _Row(name="token", secret=True, doc="The API key."),
    _Row(name="apiEndpoint", doc="The API's address."),
    _Row(name="spacesEndpoint", doc="The object storage's address."),
    _Row(name="spacesAccessId", secret=True, doc="The object storage's key."),
    _Row(name="spacesSecretKey", secret=True, doc="The object storage's secret."),
    _Row(name="requestsPerSecond", type=schema.FLOAT, doc="The maximum number of requests per second."),
    _Row(name="httpRetryMax", type=schema.INT, doc="The maximum number of retries."),
    _Row(name="httpRetryWaitMin", type=schema.FLOAT, doc="The seconds before the first retry."),
    _Row(name="httpRetryWaitMax", type=schema.FLOAT, doc="The maximum seconds before a retry."),
)
