"""What a plugin refuses when it checks inputs: as fields of the manifest."""

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


def _text(resource: str, place: str = "", type_: str = "civo:index/network:Network") -> str:
    where = f" Examine values at '{resource}.{place}'." if place else ""
    return f"{type_} resource '{resource}' has a problem: it is wrong.{where}"


@pytest.mark.parametrize(
    ("target", "resource", "place", "path"),
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
        (CLUSTER, "cluster", "nobodyKnows", ""),
        (CLUSTER, "node_pool-web", "label", "spec.additionalNodePools[1].name"),
        (CLUSTER, "node_pool-web", "taints[0].effect", "spec.additionalNodePools[1].taints[0]"),
        (CLUSTER, "node_pool-web", "nobodyKnows", "spec.additionalNodePools[1]"),
        (CLUSTER, "node_pool-other", "label", ""),
        (POOL, "node_pool", "label", "spec.nodePoolName"),
        (POOL, "node_pool", "clusterId", "spec.cluster"),
        (POOL, "node_pool", "", ""),
    ],
)
def test_a_property_is_a_field_of_the_manifest(target: Any, resource: str, place: str, path: str) -> None:
    """Where there is none, the whole manifest is meant; the place is not repeated in the text."""
    assert check_faults.find([_text(resource, place)], target) == (check_faults.Fault(path, "it is wrong."),)


def test_a_property_in_the_engines_line_counts_too() -> None:
    """Plugins that are no bridges name it apart from the text."""
    text = "civo:index/network:Network resource 'network': property label value {a b} has a problem: no spaces"
    assert check_faults.find([text, text], VPC) == (check_faults.Fault("spec.networkName", "no spaces"),)


def test_what_is_refused_when_it_is_compared_is_a_fault_of_the_manifest() -> None:
    """The plugin names no property there."""
    text = (
        "diffing urn:pulumi:dev::planton::civo:index/network:Network::network: 1 error occurred:\n\t* 'cidr_v4' is immutable\n\n"
    )
    assert check_faults.find([text], VPC) == (check_faults.Fault("", "'cidr_v4' is immutable"),)


@pytest.mark.parametrize("text", ["", "boom", _text("civo", "token", "pulumi:providers:civo")])
def test_everything_else_is_no_fault_of_the_manifest(text: str) -> None:
    """The settings of a provider come from the account."""
    assert check_faults.find([text], VPC) == ()


def _explained(text: str) -> explain.OperationError:
    recorder = recorders.Recorder()
    recorder(events.says("error", text, events.urn(events.NETWORK, "network")))
    error = automation_errors.CommandError(automation.CommandResult("", "", 255))
    return explain.operation("plan", error, recorder, target=VPC, interrupted=False, timed_out=None, killed=False, program=None)


def test_a_failed_check_is_an_invalid_manifest() -> None:
    """The same command would fail again."""
    error = _explained(_text("network", "label"))
    assert (error.code, error.reason) == (errors.Code.INVALID, errors.Reason.MANIFEST_INVALID)
    assert error.message == "failed to plan CivoVpc net: spec.networkName: it is wrong."
    assert "again" not in error.hint
    assert [fault.path for fault in error.faults] == ["spec.networkName"]


def test_a_plugin_that_could_not_ask_the_cloud_has_refused_nothing() -> None:
    """It reads the versions when it compares."""
    error = _explained("diffing urn:pulumi:dev::planton::civo:index/network:Network::network: connection refused")
    assert (error.code, error.reason) == (errors.Code.FAILED, errors.Reason.CLOUD_UNREACHABLE)
    assert error.faults == ()
