"""What a run deletes: who is left behind, who goes with it, and what may not go. Without an engine."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.cli import render
from planton.config import settings
from planton.deploy import protection, run
from planton.engine import stacks, toolchain
from planton.manifest import load
from planton.schema import references
from planton.state import inventory
from support import mocks


@pytest.fixture
def chosen(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    """The settings of a user with an empty data folder."""
    return settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})


def _applied(kind: str, spec: dict[str, Any], *, name: str, outputs: dict[str, str], **metadata: Any) -> inventory.Applied:
    manifest = mocks.target(kind, spec, name=name, env="dev", **metadata)
    for field, value in outputs.items():
        setattr(manifest.status.outputs, field, value)
    return inventory.Applied(references.key(manifest), stacks.name_of(manifest), manifest, 1, "", "", "folder")


NETWORK = _applied("CivoVpc", {"networkName": "net"}, name="net", outputs={"network_id": "n-1"})
TOOLS = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())


def _firewall(name: str, network: dict[str, Any] | None = None) -> load.Resource:
    manifest = mocks.target("CivoFirewall", {"name": name, "networkId": network or {"value": "n-1"}}, name=name, env="dev")
    return load.Resource(manifest, None, f"{name}.yaml")


def _backend(monkeypatch: pytest.MonkeyPatch, *applied: inventory.Applied) -> None:
    by_stack = {found.stack: found for found in applied}
    monkeypatch.setattr(inventory.Inventory, "all", lambda _self: list(applied))
    monkeypatch.setattr(inventory.Inventory, "read", lambda _self, name: by_stack.get(name))


def test_who_is_left_behind_by_a_pruning_is_who_refers_to_it_after_the_apply(
    chosen: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is given stands for what was applied: one that has turned to another network is no user any more."""
    users = [_applied("CivoFirewall", {"networkId": {"value": "n-1"}}, name=name, outputs={}) for name in ("a", "b", "c")]
    _backend(monkeypatch, NETWORK, *(dataclasses.replace(user, origin="") for user in users))
    given = run.Run([_firewall("b"), _firewall("c", {"value": "n-2"})], chosen, TOOLS)
    pruning = given.pruning(["folder"], lambda _manifest: True)
    assert pruning.order == [NETWORK.key]
    assert {key: [user.name for user in left] for key, left in pruning.users_outside(pruning.order).items()} == {
        NETWORK.key: ["a", "b"]
    }


CLUSTER = _applied("CivoKubernetesCluster", {"clusterName": "dev"}, name="dev", outputs={"cluster_id": "c-1"})
PROTECTED = {"project-planton.org/deletion-protection": "true"}


def _pool(*, cluster: str = "c-1", **metadata: Any) -> inventory.Applied:
    made = _applied("CivoKubernetesNodePool", {"cluster": {"value": "dev"}}, name="web", outputs={}, **metadata)
    return dataclasses.replace(made, cluster=cluster)


def _refused(applied: inventory.Applied, *others: inventory.Applied, given: inventory.Applied | None = None) -> str:
    wanted = {} if given is None else {given.key: load.Resource(given.manifest, None, "given.yaml")}
    found = protection.refusal(applied, "delete", given=wanted, everything=lambda: [applied, *others])
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


def test_node_pools_are_told_to_go_with_their_cluster(
    chosen: settings.Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that gives the cluster by name is known by its state; nothing is said to stay behind that does not."""
    _backend(monkeypatch, CLUSTER, _pool())
    users = run.Run([load.Resource(CLUSTER.manifest, None, "")], chosen, TOOLS).users_outside([CLUSTER.key])
    render.echo_users(users)
    said = capsys.readouterr().err
    assert "CivoKubernetesNodePool/web (env dev) refer to CivoKubernetesCluster/dev (env dev) and go with it" in said
    assert "stay behind" not in said


def test_a_label_says_which_of_two_stacks_is_meant(chosen: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two networks of one name, the users of the one are none of the other."""
    labels = {"pulumi.project-planton.org/stack.fqdn": "organization/shop/net"}
    other = _applied("CivoVpc", {"networkName": "net"}, name="net", outputs={"network_id": "n-2"}, labels=labels)
    user = _applied("CivoFirewall", {"networkId": {"value": "n-1"}}, name="fw", outputs={})
    _backend(monkeypatch, NETWORK, other, user)
    found = [
        run.Run([load.Resource(meant.manifest, None, "")], chosen, TOOLS).users_outside([NETWORK.key])
        for meant in (NETWORK, other)
    ]
    assert found == [{NETWORK.key: [user.key]}, {}]
