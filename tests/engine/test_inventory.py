"""What has been applied, read from a folder: one of several stacks that hold the same kind, environment and name."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.config import settings
from planton.engine import stacks, state_errors, toolchain
from planton.schema import kinds, references
from planton.state import inventory

KEY = references.Key("CivoVpc", "dev", "net")
DERIVED = stacks.StackName("planton", "dev.CivoVpc.net")
LABELLED = stacks.StackName("shop", "net")


class Backend:
    """A backend that is a folder, without a Pulumi."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.settings = settings.Settings(environ={"PLANTON_DATA_DIR": str(folder)})
        self.stacks = folder / "state" / ".pulumi" / "stacks"

    def put(self, name: stacks.StackName, *, env: str = "dev", **outputs: str) -> None:
        """Write the state of a network."""
        manifest = {"kind": "CivoVpc", "metadata": {"name": "net", "env": env}}
        said: dict[str, Any] = {"manifest": json.dumps(manifest), **outputs}
        latest = {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": said}]}
        path = self.stacks / name.project / f"{name.stack}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}), "utf-8")

    @property
    def known(self) -> inventory.Inventory:
        """What is read anew."""
        return inventory.Inventory(self.settings, toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset()))

    def get(self, env: str | None = None, stack: str = "") -> str:
        """Return the stack of what is found, or why nothing is."""
        try:
            return str(self.known.get(kinds.get("CivoVpc"), "net", env, stack).stack)
        except errors.PlantonError as error:
            return f"{error.message} / {error.hint}"

    def find(self) -> str:
        """Return the stack of what a reference finds."""
        found = self.known.find(KEY)
        return "" if found is None else str(found.stack)


@pytest.fixture
def backend(tmp_path: pathlib.Path) -> Backend:
    """An empty one."""
    return Backend(tmp_path)


def test_candidates_are_told_apart_by_environment_or_else_by_stack(backend: Backend) -> None:
    """The hint names the option that helps."""
    backend.put(DERIVED, network_id="1")
    backend.put(stacks.StackName("planton", "prod.CivoVpc.net"), env="prod", network_id="2")
    both = "CivoVpc/net is ambiguous: env dev, stack planton/dev.CivoVpc.net; env prod, stack planton/prod.CivoVpc.net"
    assert backend.get() == f"{both} / add --env ENV"
    backend.put(LABELLED, network_id="3")
    both = "CivoVpc/net is ambiguous: env dev, stack planton/dev.CivoVpc.net; env dev, stack shop/net"
    assert backend.get("dev") == f"{both} / add --stack PROJECT/STACK"


@pytest.mark.parametrize("stack", ["shop/net", "organization/shop/net"])
def test_a_stack_says_which_is_meant(backend: Backend, stack: str) -> None:
    """With or without the owner that there is where there are none; one that there is not is an error."""
    backend.put(DERIVED, network_id="1")
    backend.put(LABELLED, network_id="2")
    assert backend.get(stack=stack) == "shop/net"
    assert backend.get("dev", "dev.CivoVpc.net") == "planton/dev.CivoVpc.net"
    assert backend.get("dev", "acme/shop/net").startswith("CivoVpc/net (env dev, stack acme/shop/net) has not been applied")


def test_a_reference_finds_the_one_whose_apply_came_to_its_end(backend: Backend) -> None:
    """Wherever it is; of those that did not, any tells what is wrong."""
    backend.put(LABELLED, network_id="1")
    assert backend.find() == "shop/net"
    backend.put(DERIVED)
    assert backend.find() == "shop/net"
    backend.put(LABELLED)
    backend.put(DERIVED, network_id="1")
    assert backend.find() == "planton/dev.CivoVpc.net"


def test_a_reference_that_could_mean_two_is_an_error(backend: Backend) -> None:
    """Which of them would be chance."""
    backend.put(DERIVED, network_id="1")
    backend.put(LABELLED, network_id="2")
    with pytest.raises(errors.PlantonError, match=r"env dev, stack planton/dev\.CivoVpc\.net; env dev, stack shop/net") as caught:
        backend.find()
    assert caught.value.reason is errors.Reason.AMBIGUOUS


def test_a_reference_reads_no_stack_that_another_resource_is_named_in(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may have thousands."""
    backend.put(DERIVED, network_id="1")
    backend.put(stacks.StackName("planton", "prod.CivoVpc.net"), env="prod", network_id="2")
    backend.put(stacks.StackName("shop", "other"), env="other", network_id="3")
    read: list[str] = []
    whole = inventory.Inventory.read
    monkeypatch.setattr(inventory.Inventory, "read", lambda self, name: (read.append(str(name)), whole(self, name))[1])
    assert backend.find() == "planton/dev.CivoVpc.net"
    assert read == ["planton/dev.CivoVpc.net", "shop/other"]


DAMAGED = ["", "{", "[]", '{"version": 3}', '{"checkpoint": {"latest": {"resources": [1]}}}', '{"checkpoint": []}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_state_stops_no_command_on_another_stack(backend: Backend, content: str) -> None:
    """It is reported once, with its path; whoever means the damaged one gets the error."""
    said: list[str] = []
    backend.settings = dataclasses.replace(backend.settings, progress=said.append)
    backend.put(DERIVED, network_id="1")
    path = backend.stacks / "planton" / "prod.CivoVpc.other.json"
    path.write_text(content, "utf-8")
    known = backend.known
    assert [applied.stack for applied in known.all()] == [DERIVED]
    found = known.find(KEY)
    assert found is not None
    assert known.get(kinds.get("CivoVpc"), "net", None).stack == DERIVED
    (line,) = said
    assert str(path) in line
    for call in (
        lambda: known.get(kinds.get("CivoVpc"), "other", None),
        lambda: known.get(kinds.get("CivoVpc"), "other", "prod"),
        lambda: known.find(references.Key("CivoVpc", "prod", "other")),
    ):
        with pytest.raises(state_errors.StateDamagedError, match=r"prod\.CivoVpc\.other\.json is damaged") as caught:
            call()
        assert "restore" in caught.value.hint
    assert backend.get("dev") == str(DERIVED)


def test_a_damaged_state_names_its_copy_only_where_that_is_whole(backend: Backend) -> None:
    """A copy that is damaged too would not help."""
    backend.put(DERIVED, network_id="1")
    path = backend.stacks / DERIVED.project / f"{DERIVED.stack}.json"
    copy = path.with_name(path.name + ".bak")
    copy.write_text(path.read_text("utf-8"), "utf-8")
    path.write_text("", "utf-8")
    assert f"cp {copy} {path}" in backend.get()
    copy.write_text("", "utf-8")
    assert "cp " not in backend.get()


@pytest.mark.parametrize("manifest", ["{", "[]", '{"kind": "CivoVpc", "spec": 3}'])
def test_a_state_with_a_manifest_that_cannot_be_read_is_damaged_too(backend: Backend, manifest: str) -> None:
    """It is not the end of every command."""
    backend.put(LABELLED, manifest=manifest)
    assert backend.known.all() == []
    with pytest.raises(state_errors.StateDamagedError, match="holds a manifest that cannot be read"):
        backend.known.read(LABELLED)
