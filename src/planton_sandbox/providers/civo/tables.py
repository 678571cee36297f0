"""The properties of Civo's resources and of the provider's configuration, with their validation."""

from __future__ import annotations

import re
import typing
import uuid

from planton_sandbox.providers import schema, validators, values

_Row = schema.Property
_LONGEST_NAME = 63
_LABEL: typing.Final = re.compile(r"[a-zA-Z0-9\-_.]+")
_DEPRECATED = "This field will be deprecated in the next major release, please use the 'pools' field instead"


def _name(value: values.Json, _path: str) -> schema.Problem:
    return (f"name cannot contain whitespace. Got {value}",) if re.search(r"\s", value) else ()


def _short_name(value: values.Json, path: str) -> schema.Problem:
    wrong = _name(value, path)
    size = len(value.encode())
    too_long = (f"the len of the name has to be less than 63. Got {size}",) if size > _LONGEST_NAME else ()
    return wrong or too_long


def _label(value: values.Json, _path: str) -> schema.Problem:
    problems: list[str] = []
    if re.search(r"\s", value):
        problems.append(f"cannot contain whitespace. name cannot contain whitespace. Got {value}")
    if not _LABEL.fullmatch(value):
        allowed = "name can only contain alphanumeric characters, hyphens, underscores and dots"
        problems.append(f"alphanumeric characters. {allowed}. Got {value}")
    return tuple(problems)


def _uuid(value: values.Json, path: str) -> schema.Problem:
    try:
        uuid.UUID(value)
    except ValueError:
        return (f'"{path}" must be a valid UUID',)
    return ()


def _cni(value: values.Json, _path: str) -> schema.Problem:
    if re.search(r"\s", value):
        return (f"CNI cannot contain whitespace. Got {value}",)
    return () if value in ("flannel", "cilium") else ("CNI plugin provided isn't valid/supported",)


def _cluster_type(value: values.Json, _path: str) -> schema.Problem:
    choose = "The specified cluster type is invalid. Please choose either 'k3s' or 'talos'."
    return () if value in ("k3s", "talos") else (f"Invalid Cluster Type. {choose}",)


_TAINT = (
    _Row(name="key", required=True, doc="The taint's key."),
    _Row(name="value", required=True, doc="The taint's value."),
    _Row(name="effect", required=True, check=validators.EFFECTS, doc="NoSchedule, PreferNoSchedule or NoExecute."),
)
_POOL = (
    _Row(name="label", computed=True, check=_label, doc="The pool's name, which is its id."),
    _Row(name="nodeCount", type=schema.INT, required=True, check=validators.at_least(1), doc="The number of nodes."),
    _Row(name="size", required=True, doc="The size of each node."),
    _Row(name="instanceNames", type=schema.LIST, computed=True, output_only=True, doc="The nodes' names."),
    _Row(name="publicIpNodePool", type=schema.BOOL, computed=True, doc="Whether each node has a public address."),
    _Row(name="labels", type=schema.MAP, doc="Labels of the nodes."),
    _Row(name="taints", wire="taint", type=schema.SET, fields=_TAINT, doc="Taints of the nodes."),
)
_CLUSTER_ID = _Row(name="clusterId", required=True, check=validators.not_empty, doc="The cluster that the pool belongs to.")
NODE_POOL = schema.Table(
    token="civo:index/kubernetesNodePool:KubernetesNodePool",  # noqa: S106  # a type token
    doc="An additional node pool of a cluster.",
    properties=(_CLUSTER_ID, *_POOL),
)

_APPLICATION = (
    _Row(name="application", computed=True, output_only=True, doc="The application's name."),
    _Row(name="version", computed=True, output_only=True, doc="Its version."),
    _Row(name="installed", type=schema.BOOL, computed=True, output_only=True, doc="Whether it is installed."),
    _Row(name="category", computed=True, output_only=True, doc="Its category."),
)
_CLUSTER_FACTS = (
    _Row(
        name="installedApplications",
        type=schema.LIST,
        fields=_APPLICATION,
        computed=True,
        output_only=True,
        doc="The installed applications.",
    ),
    _Row(name="status", computed=True, output_only=True, doc="The cluster's state."),
    _Row(name="ready", type=schema.BOOL, computed=True, output_only=True, doc="Whether it can be used."),
    _Row(name="apiEndpoint", computed=True, output_only=True, doc="The Kubernetes API's address."),
    _Row(name="masterIp", computed=True, output_only=True, doc="The control plane's address."),
    _Row(name="dnsEntry", computed=True, output_only=True, doc="The cluster's host name."),
    _Row(name="createdAt", computed=True, output_only=True, doc="The time of its creation."),
)
CLUSTER = schema.Table(
    token="civo:index/kubernetesCluster:KubernetesCluster",  # noqa: S106  # a type token
    doc="A Kubernetes cluster with its default pool.",
    properties=(
        _Row(name="name", computed=True, autoname=True, check=_short_name, doc="The cluster's name."),
        _Row(name="region", computed=True, doc="The region; the provider's region if unset."),
        _Row(name="networkId", computed=True, check=_uuid, doc="Its network; the default one if unset."),
        _Row(name="numTargetNodes", type=schema.INT, computed=True, check=validators.at_least(1), deprecated=_DEPRECATED),
        _Row(name="targetNodesSize", computed=True, deprecated=_DEPRECATED),
        _Row(name="kubernetesVersion", computed=True, doc="The Kubernetes version."),
        _Row(name="cni", computed=True, check=_cni, doc="flannel or cilium."),
        _Row(name="tags", doc="Tags, separated by spaces."),
        _Row(name="applications", doc="Applications to install, separated by commas."),
        _Row(name="firewallId", required=True, check=_uuid, doc="The cluster's firewall."),
        _Row(name="clusterType", computed=True, check=_cluster_type, doc="k3s or talos."),
        _Row(name="pools", type=schema.OBJECT, required=True, fields=_POOL, doc="The default pool."),
        _Row(name="kubeconfig", computed=True, output_only=True, secret=True, doc="The admin kubeconfig."),
        _Row(name="writeKubeconfig", type=schema.BOOL, default=False, doc="Whether to keep the kubeconfig."),
        *_CLUSTER_FACTS,
    ),
)

NETWORK = schema.Table(
    token="civo:index/network:Network",  # noqa: S106  # a type token
    doc="A private network.",
    properties=(
        _Row(name="label", required=True, check=_name, doc="The network's label."),
        _Row(name="region", computed=True, replaces=True, doc="The region; the provider's region if unset."),
        _Row(name="cidrV4", wire="cidr_v4", computed=True, doc="The range of addresses."),
        _Row(name="nameserversV4s", wire="nameservers_v4", type=schema.LIST, computed=True, doc="Name servers."),
        _Row(name="name", computed=True, output_only=True, doc="The cloud's own name for it."),
        _Row(name="default", type=schema.BOOL, computed=True, output_only=True, doc="Whether it is the default."),
        _Row(name="vlanId", type=schema.INT, doc="The VLAN to connect."),
        _Row(name="vlanCidrV4", wire="vlan_cidr_v4", doc="The VLAN's range of addresses."),
        _Row(name="vlanGatewayIpV4", wire="vlan_gateway_ip_v4", doc="The VLAN's gateway."),
        _Row(name="vlanPhysicalInterface", doc="The interface under the VLAN."),
        _Row(
            name="vlanAllocationPoolV4Start",
            wire="vlan_allocation_pool_v4_start",
            doc="The first address of the allocation pool.",
        ),
        _Row(name="vlanAllocationPoolV4End", wire="vlan_allocation_pool_v4_end", doc="The last address of the allocation pool."),
    ),
)

_PROTOCOLS = validators.one_of("tcp", "udp", "icmp")
_RULE = (
    _Row(name="id", computed=True, output_only=True, doc="The rule's id."),
    _Row(name="label", check=validators.not_empty, doc="The rule's name."),
    _Row(name="protocol", default="tcp", check=_PROTOCOLS, doc="tcp, udp or icmp."),
    _Row(name="portRange", doc="A port, or a range of ports."),
    _Row(name="cidrs", wire="cidr", type=schema.SET, required=True, doc="The other end's addresses."),
    _Row(name="action", required=True, check=validators.one_of("allow", "deny"), doc="allow or deny."),
)
FIREWALL = schema.Table(
    token="civo:index/firewall:Firewall",  # noqa: S106  # a type token
    doc="A firewall of a network.",
    properties=(
        _Row(name="name", autoname=True, check=_name, doc="The firewall's name."),
        _Row(name="networkId", computed=True, replaces=True, check=_uuid, doc="Its network; the default if unset."),
        _Row(name="region", computed=True, doc="The region; the provider's region if unset."),
        _Row(
            name="createDefaultRules",
            type=schema.BOOL,
            default=True,
            replaces=True,
            doc="Whether to create rules that open everything.",
        ),
        _Row(
            name="ingressRules", wire="ingress_rule", type=schema.SET, computed=True, fields=_RULE, doc="The rules for ingress."
        ),
        _Row(name="egressRules", wire="egress_rule", type=schema.SET, computed=True, fields=_RULE, doc="The rules for egress."),
    ),
)

CONFIG = (
    _Row(name="token", doc="The API key."),
    _Row(name="credentialsFile", doc="A file with API keys."),
    _Row(name="region", doc="The region of resources that name none."),
    _Row(name="apiEndpoint", doc="The API's address."),
)
