"""What a run deletes: who is left behind, who goes with it, and what may not go. Without an engine."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from planton import errors
from planton.cli import render
from planton.deploy import graph, protection, prune, referrers, steps
from planton.engine import stacks
from planton.manifest import load
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
    """Applied resources."""

    def __init__(self, *applied: inventory.Applied) -> None:
        """Keeps them."""
        self._applied = applied

    def all(self) -> list[inventory.Applied]:
        """Returns them."""
        return list(self._applied)


def _outside(deleted: inventory.Applied, *applied: inventory.Applied) -> dict[str, list[references.Key]]:
    step = steps.Step(deleted.key, str(deleted.stack), applied=deleted)
    known = prune.of_applied([deleted])
    return {key.name: users for key, users in referrers.outside([step], applied, known).items()}


def test_the_users_of_a_pruned_resource_are_those_after_the_apply() -> None:
    """A manifest of the run replaces the applied one: a firewall that changed to another network is no user any more."""
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
    made = _applied("CivoKubernetesNodePool", {"cluster": {"value": "dev"}}, name="web", outputs={}, **metadata)
    return dataclasses.replace(made, cluster=cluster)


def _refused(applied: inventory.Applied, *others: inventory.Applied, given: inventory.Applied | None = None) -> str:
    wanted = {} if given is None else {given.key: load.Resource(given.manifest, None, "given.yaml")}
    found = protection.refusal(applied, "delete", manifests=wanted, everything=lambda: [applied, *others])
    assert found is None or found.reason is errors.Reason.PROTECTED
    return "" if found is None else found.message


def test_a_protected_node_pool_keeps_its_cluster() -> None:
    """The cluster would take it along, whatever its manifest calls the cluster; a pool of another cluster does not matter."""
    pool = _pool(annotations=PROTECTED)
    assert "has the node pool CivoKubernetesNodePool/web (env dev), which is protected" in _refused(CLUSTER, pool)
    assert _refused(CLUSTER, _pool()) == ""
    assert _refused(CLUSTER, _pool(cluster="c-2", annotations=PROTECTED)) == ""
    assert _refused(NETWORK, pool) == ""


def test_a_manifest_protects_before_it_is_applied_and_until_another_one_was() -> None:
    """Neither what was applied nor what is given is overruled by the other."""
    plain, kept = _pool(), _pool(annotations=PROTECTED)
    assert _refused(plain) == _refused(plain, given=plain) == ""
    assert _refused(kept, given=plain) == _refused(plain, given=kept) != ""
    assert _refused(CLUSTER, plain, given=kept) != ""


def test_node_pools_are_reported_to_go_with_their_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    """A pool that names its cluster by name is known by its state; nothing is reported to stay behind that does not."""
    step = steps.Step(CLUSTER.key, "", applied=CLUSTER)
    render.echo_users(referrers.outside([step], [CLUSTER, _pool()], prune.of_applied([CLUSTER])))
    said = capsys.readouterr().err
    assert "CivoKubernetesNodePool/web (env dev) refer to CivoKubernetesCluster/dev (env dev) and go with it" in said
    assert "are kept" not in said


def test_a_label_identifies_one_of_two_stacks() -> None:
    """Of two networks of one name, the users of the one are none of the other."""
    labels = {"pulumi.project-planton.org/stack.fqdn": "organization/shop/net"}
    other = _applied("CivoVpc", {"networkName": "net"}, name="net", outputs={"network_id": "n-2"}, labels=labels)
    user = _applied("CivoFirewall", {"networkId": {"value": "n-1"}}, name="fw", outputs={})
    assert _outside(NETWORK, NETWORK, other, user) == {"net": [user.key]}
    assert _outside(other, NETWORK, other, user) == {}
