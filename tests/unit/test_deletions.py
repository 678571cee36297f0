"""What a run deletes: who is left behind, and what may not go. Without an engine."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest

from planton import flow, references
from planton.engine import inventory, settings, stacks, toolchain
from planton.runs import run
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


def _firewall(name: str, network: dict[str, Any] | None = None) -> flow.Wanted:
    manifest = mocks.target("CivoFirewall", {"name": name, "networkId": network or {"value": "n-1"}}, name=name, env="dev")
    return flow.Wanted(manifest, None, f"{name}.yaml")


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
