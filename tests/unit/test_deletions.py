"""What a run deletes: dependants that stay, dependants that go too, and what must not be deleted. No engine runs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from planton import errors
from planton.cli import render
from planton.deploy import graph, protection, prune, referrers, steps
from planton.engine import stacks
from planton.manifest import load, origins
from planton.schema import references
from planton.state import inventory
from support import mocks


def _applied(kind: str, spec: dict[str, Any], *, name: str, outputs: dict[str, str], **metadata: Any) -> inventory.Applied:
    manifest = mocks.target(kind, spec, name=name, env="dev", **metadata)
    for field, value in outputs.items():
        setattr(manifest.status.outputs, field, value)
    return inventory.Applied(references.key(manifest), stacks.name_of(manifest), manifest, 1, "", "", "folder")


NETWORK = _applied("CivoVpc", {"networkName": "net"}, name="net", outputs={"network_id": "n-1"})


def _firewall(name: str, network: dict[str, Any] | None = None) -> load.Resource:
    manifest = mocks.target("CivoFirewall", {"name": name, "networkId": network or {"value": "n-1"}}, name=name, env="dev")
    return load.Resource(manifest, None, f"{name}.yaml")


class _Inventory:
    """An inventory with a fixed list of applied resources."""

    def __init__(self, *applied: inventory.Applied) -> None:
        """Stores the applied resources."""
        self._applied = applied

    def all(self) -> list[inventory.Applied]:
        """Returns the applied resources."""
        return list(self._applied)


def _outside(deleted: inventory.Applied, *applied: inventory.Applied) -> dict[str, list[references.Key]]:
    step = steps.Step(deleted.key, str(deleted.stack), applied=deleted)
    resources = prune.of_applied([deleted])
    return {key.name: users for key, users in referrers.outside([step], applied, resources).items()}


def test_dependants_of_a_pruned_resource_are_those_after_the_apply() -> None:
    """A manifest of the run replaces the applied one: a firewall moved to another network is no longer a dependant."""
    firewalls = [_applied("CivoFirewall", {"networkId": {"value": "n-1"}}, name=name, outputs={}) for name in ("a", "b", "c")]
    applied: Any = _Inventory(NETWORK, *(dataclasses.replace(each, origin="") for each in firewalls))
    resources = graph.of([_firewall("b"), _firewall("c", {"value": "n-2"})])
    pruned = prune.select(prune.Pruning(("folder",)), resources, applied)
    assert pruned.order == (NETWORK.key,)
    step = steps.Step(NETWORK.key, "", applied=NETWORK)
    users = referrers.outside([step], applied.all(), pruned, replacing=resources)
    assert [user.name for user in users[NETWORK.key]] == ["a", "b"]


CLUSTER = _applied("CivoKubernetesCluster", {"clusterName": "dev"}, name="dev", outputs={"cluster_id": "c-1"})
PROTECTED = {"project-planton.org/deletion-protection": "true"}


def _pool(*, cluster: str = "c-1", **metadata: Any) -> inventory.Applied:
    pool = _applied("CivoKubernetesNodePool", {"cluster": {"value": "dev"}}, name="web", outputs={}, **metadata)
    return dataclasses.replace(pool, cluster=cluster)


def _refused(applied: inventory.Applied, *other_resources: inventory.Applied, loaded: inventory.Applied | None = None) -> str:
    manifests = {} if loaded is None else {loaded.key: load.Resource(loaded.manifest, None, "loaded.yaml", origin=loaded.origin)}
    refusal = protection.refusal(applied, "delete", manifests=manifests, everything=lambda: [applied, *other_resources])
    assert refusal is None or refusal.reason is errors.Reason.PROTECTED
    return "" if refusal is None else refusal.message


def test_a_protected_node_pool_keeps_its_cluster() -> None:
    """Deleting the cluster would delete the pool, by whatever name the manifest refers to it. Pools of other clusters do not count."""
    pool = _pool(annotations=PROTECTED)
    assert "has the node pool CivoKubernetesNodePool/web (env dev), which is protected" in _refused(CLUSTER, pool)
    assert _refused(CLUSTER, _pool()) == ""
    assert _refused(CLUSTER, _pool(cluster="c-2", annotations=PROTECTED)) == ""
    assert _refused(NETWORK, pool) == ""


def test_a_protected_manifest_or_applied_resource_is_enough() -> None:
    """Neither of them overrides the protection of the other."""
    plain, protected = _pool(), _pool(annotations=PROTECTED)
    assert _refused(plain) == _refused(plain, loaded=plain) == ""
    assert _refused(protected, loaded=plain) == _refused(plain, loaded=protected) != ""
    assert _refused(CLUSTER, plain, loaded=protected) != ""


def test_a_resource_of_the_api_is_protected_by_its_current_manifest() -> None:
    """The API has decided about the deletion, and a removed protection may never have been applied."""
    plain, protected = (dataclasses.replace(_pool(annotations=own), origin=origins.NODE_POOL_API) for own in ({}, PROTECTED))
    assert _refused(protected, loaded=plain) == _refused(CLUSTER, protected, loaded=plain) == ""
    assert _refused(plain, loaded=protected) != ""
    assert _refused(protected) != ""
    assert _refused(dataclasses.replace(protected, origin="folder"), loaded=plain) != ""


def test_node_pools_are_reported_as_deleted_with_their_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    """The state relates a pool to a cluster that the manifest refers to by name. Nothing else is reported as staying."""
    step = steps.Step(CLUSTER.key, "", applied=CLUSTER)
    render.echo_users(referrers.outside([step], [CLUSTER, _pool()], prune.of_applied([CLUSTER])))
    output = capsys.readouterr().err
    assert "CivoKubernetesNodePool/web (env dev) refer to CivoKubernetesCluster/dev (env dev) and are deleted with it" in output
    assert "are kept" not in output


def test_a_label_distinguishes_two_stacks_of_one_name() -> None:
    """A dependant of one network is not a dependant of the other."""
    labels = {"pulumi.project-planton.org/stack.fqdn": "organization/shop/net"}
    other = _applied("CivoVpc", {"networkName": "net"}, name="net", outputs={"network_id": "n-2"}, labels=labels)
    user = _applied("CivoFirewall", {"networkId": {"value": "n-1"}}, name="fw", outputs={})
    assert _outside(NETWORK, NETWORK, other, user) == {"net": [user.key]}
    assert _outside(other, NETWORK, other, user) == {}
