"""Names in the cloud that two manifests, or two fields, must not both claim."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.deploy import cloud_names
from planton.manifest import load
from planton.schema import kinds, references
from support import mocks

NET = {"networkName": "net", "region": "lon1"}
CLUSTER = {"clusterName": "dev", "region": "lon1", "network": {"valueFrom": {"name": "net"}}}
IN_DEV = {"cluster": {"valueFrom": {"name": "dev"}}}


def _messages(*declarations: tuple[str, str, dict[str, Any]], env: str = "dev") -> list[str]:
    manifests = [mocks.target(kind, spec, name=name, env=env) for kind, name, spec in declarations]
    resources = [load.Resource(manifest, None, f"{manifest.metadata.name}.yaml") for manifest in manifests]
    return [f"{each.file}: {each.path}: {each.message}" for each in _violations(resources)]


def _violations(resources: list[load.Resource]) -> list[errors.Violation]:
    return cloud_names.violations({references.key(entry.manifest): entry for entry in resources})


def _expected(noun: str, name: str, path: str, owner: str, place: str) -> str:
    return f"{noun} {name!r} is also {path} of {owner} ({place}): one resource, two owners"


def test_two_pools_of_one_name_in_one_cluster_are_refused() -> None:
    """The message has both places; pools in two clusters are two pools."""
    first = ("CivoKubernetesNodePool", "a", {"nodePoolName": "web", **IN_DEV})
    second = ("CivoKubernetesNodePool", "b", {"nodePoolName": "web", **IN_DEV})
    other = ("CivoKubernetesNodePool", "c", {"nodePoolName": "web", "cluster": {"valueFrom": {"name": "other"}}})
    expected = _expected("node pool", "web", "spec.nodePoolName", "CivoKubernetesNodePool/a (env dev)", "a.yaml")
    assert _messages(first, second, other) == [f"b.yaml: spec.nodePoolName: {expected}"]


@pytest.mark.parametrize(
    ("kind", "cluster"),
    [("CivoKubernetes", CLUSTER), ("DigitalOceanKubernetes", {"clusterName": "dev", "region": "fra1"})],
)
@pytest.mark.parametrize("target", [{"valueFrom": {"name": "dev"}}, {"value": "dev"}])
def test_a_pool_and_an_additional_pool_of_its_cluster_collide(kind: str, cluster: dict[str, Any], target: dict[str, Any]) -> None:
    """The reference and the literal name of the cluster are equivalent."""
    cluster_manifest = (f"{kind}Cluster", "dev", {**cluster, "additionalNodePools": [{"name": "web"}]})
    pool = (f"{kind}NodePool", "web", {"nodePoolName": "web", "cluster": target})
    expected = _expected("node pool", "web", "spec.additionalNodePools[0].name", f"{kind}Cluster/dev (env dev)", "dev.yaml")
    assert _messages(cluster_manifest, pool) == [f"web.yaml: spec.nodePoolName: {expected}"]


def test_the_default_pool_has_a_name_too() -> None:
    """DigitalOcean's default pool always has the same name."""
    cluster = ("DigitalOceanKubernetesCluster", "dev", {"clusterName": "dev", "region": "fra1"})
    pool = ("DigitalOceanKubernetesNodePool", "p", {"nodePoolName": "default", **IN_DEV})
    assert [text.partition(" is also ")[2] for text in _messages(cluster, pool)] == [
        "spec.defaultNodePool of DigitalOceanKubernetesCluster/dev (env dev) (dev.yaml): one resource, two owners"
    ]


def test_networks_and_clusters_of_one_name_are_refused_within_a_region_and_an_account() -> None:
    """Another region or another account may use the name again."""
    assert len(_messages(("CivoVpc", "a", NET), ("CivoVpc", "b", NET))) == 1
    assert _messages(("CivoVpc", "a", NET), ("CivoVpc", "b", NET | {"region": "fra1"})) == []
    assert _messages(("CivoVpc", "a", NET), ("CivoVpc", "b", NET | {"civoCredentialId": "other"})) == []
    assert len(_messages(("CivoVpc", "a", NET), ("CivoVpc", "b", NET | {"civoCredentialId": "default"}))) == 1
    twins = _messages(("CivoKubernetesCluster", "a", CLUSTER), ("CivoKubernetesCluster", "b", CLUSTER))
    assert [text.split(": ")[1] for text in twins] == ["spec.clusterName", "spec.clusterName"], "the cluster and its firewall"


def test_a_firewall_and_the_default_firewall_of_a_cluster_collide() -> None:
    """A cluster with its own firewall creates no default one."""
    rules = ("CivoFirewall", "fw", {"name": "dev-firewall", "networkId": {"valueFrom": {"name": "net"}}})
    network = ("CivoVpc", "net", NET)
    assert len(_messages(network, ("CivoKubernetesCluster", "dev", CLUSTER), rules)) == 1
    named = CLUSTER | {"firewall": {"value": "11111111-1111-1111-1111-111111111111"}}
    assert _messages(network, ("CivoKubernetesCluster", "dev", named), rules) == []


def test_two_accounts_of_stack_inputs_may_use_one_name() -> None:
    """There the token identifies the account, not the manifest."""
    resources = []
    for name in ("a", "b"):
        manifest = mocks.target("CivoKubernetesCluster", CLUSTER, name=name, env="dev")
        config = kinds.get("CivoKubernetesCluster").provider_config(api_token=f"token-of-{name}")
        resources.append(load.Resource(manifest, config, f"{name}.yaml"))
    assert _violations(resources) == []
    assert len(_violations([resources[0], load.Resource(resources[1].manifest, resources[0].config, "b.yaml")])) == 2
