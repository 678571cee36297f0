"""Inputs that a plugin refuses in its check, reported as fields of the manifest."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import errors as automation_errors

from planton import errors
from planton.engine import check_faults, explain, recorders
from support import events, mocks

VPC = mocks.target("CivoVpc", {"networkName": "a b"}, name="net")
DO_VPC = mocks.target("DigitalOceanVpc", {}, name="net")
FIREWALL = mocks.target("CivoFirewall", {"name": "a b"}, name="web")
CLUSTER = mocks.target(
    "CivoKubernetesCluster",
    {"clusterName": "prod", "additionalNodePools": [{"name": "x"}, {"name": "web"}]},
    name="prod",
)
POOL = mocks.target("CivoKubernetesNodePool", {"nodePoolName": "w"}, name="w")


def _text(resource: str, property_path: str = "", type_: str = "civo:index/network:Network") -> str:
    hint = f" Examine values at '{resource}.{property_path}'." if property_path else ""
    return f"{type_} resource '{resource}' has a problem: it is wrong.{hint}"


@pytest.mark.parametrize(
    ("target", "resource", "property_path", "path"),
    [
        (VPC, "network", "label", "spec.networkName"),
        (VPC, "network", "cidrV4", "spec.ipRangeCidr"),
        (DO_VPC, "network", "name", "metadata.name"),
        (DO_VPC, "network", "ipRange", "spec.ipRangeCidr"),
        (FIREWALL, "firewall", "ingressRules[2].protocol", "spec.inboundRules[2]"),
        (FIREWALL, "firewall", "networkId", "spec.networkId"),
        (CLUSTER, "firewall", "name", "spec.clusterName"),
        (CLUSTER, "firewall", "egressRules[0].protocol", ""),
        (CLUSTER, "cluster", "name", "spec.clusterName"),
        (CLUSTER, "cluster", "pools.nodeCount", "spec.defaultNodePool.nodeCount"),
        (CLUSTER, "cluster", "pools.label", "spec.defaultNodePool"),
        (CLUSTER, "cluster", "unknownProperty", ""),
        (CLUSTER, "node_pool-web", "label", "spec.additionalNodePools[1].name"),
        (CLUSTER, "node_pool-web", "taints[0].effect", "spec.additionalNodePools[1].taints[0]"),
        (CLUSTER, "node_pool-web", "unknownProperty", "spec.additionalNodePools[1]"),
        (CLUSTER, "node_pool-other", "label", ""),
        (POOL, "node_pool", "label", "spec.nodePoolName"),
        (POOL, "node_pool", "clusterId", "spec.cluster"),
        (POOL, "node_pool", "", ""),
    ],
)
def test_a_refused_property_is_reported_as_a_field_of_the_manifest(
    target: Any, resource: str, property_path: str, path: str
) -> None:
    """Without a matching field the fault is about the whole manifest. The text does not repeat the property."""
    assert check_faults.find([_text(resource, property_path)], target) == (check_faults.Fault(path, "it is wrong."),)


def test_a_property_in_the_engines_line_is_reported_as_a_field() -> None:
    """Plugins that are not bridged name the property outside of the text."""
    text = "civo:index/network:Network resource 'network': property label value {a b} has a problem: no spaces"
    assert check_faults.find([text, text], VPC) == (check_faults.Fault("spec.networkName", "no spaces"),)


def test_an_input_refused_in_the_diff_is_a_fault_of_the_manifest() -> None:
    """The plugin names no property in a diff."""
    text = (
        "diffing urn:pulumi:dev::planton::civo:index/network:Network::network: 1 error occurred:\n\t* 'cidr_v4' is immutable\n\n"
    )
    assert check_faults.find([text], VPC) == (check_faults.Fault("", "'cidr_v4' is immutable"),)


@pytest.mark.parametrize("text", ["", "boom", _text("civo", "token", "pulumi:providers:civo")])
def test_other_errors_are_not_faults_of_the_manifest(text: str) -> None:
    """Settings of a provider, for example, come from the account."""
    assert check_faults.find([text], VPC) == ()


def _explained(text: str) -> explain.OperationError:
    recorder = recorders.Recorder()
    recorder(events.says("error", text, events.urn(events.NETWORK, "network")))
    error = automation_errors.CommandError(automation.CommandResult("", "", 255))
    return explain.operation("plan", error, recorder, target=VPC, ending=explain.Ending())


def test_a_failed_check_is_an_invalid_manifest() -> None:
    """The hint does not suggest a retry: the same command would fail again."""
    error = _explained(_text("network", "label"))
    assert (error.code, error.reason) == (errors.Code.INVALID, errors.Reason.MANIFEST_INVALID)
    assert error.message == "failed to plan CivoVpc net: spec.networkName: it is wrong."
    assert "again" not in error.hint
    assert [fault.path for fault in error.faults] == ["spec.networkName"]


def test_an_unreachable_cloud_in_the_diff_is_not_a_fault_of_the_manifest() -> None:
    """The plugin reads the cloud's versions during a diff."""
    error = _explained("diffing urn:pulumi:dev::planton::civo:index/network:Network::network: connection refused")
    assert (error.code, error.reason) == (errors.Code.FAILED, errors.Reason.CLOUD_UNREACHABLE)
    assert error.faults == ()
