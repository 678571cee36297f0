"""Applied resources, read from a folder where several stacks have the same kind, environment and name."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.config import settings
from planton.engine import stacks, state_errors, toolchain
from planton.schema import references, resource_names
from planton.state import inventory

KEY = references.Key("CivoVpc", "dev", "net")
DERIVED = stacks.StackName("planton", "dev.CivoVpc.net")
TOOLS = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())
LABELLED = stacks.StackName("shop", "net")


class Backend:
    """A backend that is a folder, without Pulumi."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.settings = settings.Settings(environ={"PLANTON_DATA_DIR": str(folder)})
        self.stacks = folder / "state" / ".pulumi" / "stacks"

    def put(self, name: stacks.StackName, *, env: str = "dev", **outputs: str) -> None:
        """Writes the state of a network."""
        manifest = {"kind": "CivoVpc", "metadata": {"name": "net", "env": env}}
        stack_outputs: dict[str, Any] = {"manifest": json.dumps(manifest), **outputs}
        latest = {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": stack_outputs}]}
        path = self.stacks / name.project / f"{name.stack}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}), "utf-8")

    @property
    def inventory(self) -> inventory.Inventory:
        """Returns an inventory that has not read anything yet."""
        return inventory.Inventory(self.settings, TOOLS)

    def get(self, env: str | None = None, stack: str = "") -> str:
        """Returns the stack of the resource, or the error with its hint."""
        try:
            return str(self.inventory.get(resource_names.parse("CivoVpc/net"), env, stack).stack)
        except errors.PlantonError as error:
            return f"{error.message} / {error.hint}"

    def find(self) -> str:
        """Returns the stack that a reference resolves to, or an empty string."""
        applied = self.inventory.find(KEY)
        return "" if applied is None else str(applied.stack)


@pytest.fixture
def backend(tmp_path: pathlib.Path) -> Backend:
    """An empty backend."""
    return Backend(tmp_path)


def test_an_ambiguous_name_lists_environments_and_stacks(backend: Backend) -> None:
    """The hint names the option that resolves it."""
    backend.put(DERIVED, network_id="1")
    backend.put(stacks.StackName("planton", "prod.CivoVpc.net"), env="prod", network_id="2")
    both = "CivoVpc/net is ambiguous: env dev, stack planton/dev.CivoVpc.net; env prod, stack planton/prod.CivoVpc.net"
    assert backend.get() == f"{both} / add --env ENV"
    backend.put(LABELLED, network_id="3")
    both = "CivoVpc/net is ambiguous: env dev, stack planton/dev.CivoVpc.net; env dev, stack shop/net"
    assert backend.get("dev") == f"{both} / add --stack PROJECT/STACK"


@pytest.mark.parametrize("stack", ["shop/net", "organization/shop/net"])
def test_a_stack_resolves_an_ambiguous_name(backend: Backend, stack: str) -> None:
    """The default organization is optional. An unknown organization is an error."""
    backend.put(DERIVED, network_id="1")
    backend.put(LABELLED, network_id="2")
    assert backend.get(stack=stack) == "shop/net"
    assert backend.get("dev", "dev.CivoVpc.net") == "planton/dev.CivoVpc.net"
    assert backend.get("dev", "acme/shop/net").startswith("CivoVpc/net (env dev, stack acme/shop/net) has not been applied")


def test_a_reference_resolves_to_the_stack_whose_apply_finished(backend: Backend) -> None:
    """Stack names do not matter. Without a finished one, any of them is reported."""
    backend.put(LABELLED, network_id="1")
    assert backend.find() == "shop/net"
    backend.put(DERIVED)
    assert backend.find() == "shop/net"
    backend.put(LABELLED)
    backend.put(DERIVED, network_id="1")
    assert backend.find() == "planton/dev.CivoVpc.net"


def test_an_ambiguous_reference_is_an_error(backend: Backend) -> None:
    """Choosing one of them would be a guess."""
    backend.put(DERIVED, network_id="1")
    backend.put(LABELLED, network_id="2")
    with pytest.raises(errors.PlantonError, match=r"env dev, stack planton/dev\.CivoVpc\.net; env dev, stack shop/net") as caught:
        backend.find()
    assert (caught.value.code, caught.value.reason) == (errors.Code.USAGE, errors.Reason.RESOURCE_AMBIGUOUS)


class _Recording(inventory.Inventory):
    """An inventory that records the stacks whose state it reads."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend.settings, TOOLS)
        self.records: list[str] = []

    def understand(self, name: stacks.StackName, state: dict[str, Any]) -> inventory.Applied | None:
        """Records the stack."""
        self.records.append(str(name))
        return super().understand(name, state)


def test_a_reference_reads_no_stack_whose_name_is_of_another_resource(backend: Backend) -> None:
    """A folder may contain thousands of stacks."""
    backend.put(DERIVED, network_id="1")
    backend.put(stacks.StackName("planton", "prod.CivoVpc.net"), env="prod", network_id="2")
    backend.put(stacks.StackName("shop", "other"), env="other", network_id="3")
    resources = _Recording(backend)
    applied = resources.find(KEY)
    assert applied is not None
    assert str(applied.stack) == "planton/dev.CivoVpc.net"
    assert resources.records == ["planton/dev.CivoVpc.net", "shop/other"]


DAMAGED = ["", "{", "[]", '{"version": 3}', '{"checkpoint": {"latest": {"resources": [1]}}}', '{"checkpoint": []}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_state_does_not_stop_commands_on_other_stacks(backend: Backend, content: str) -> None:
    """The damaged state is reported once, with its path. Commands on that stack fail."""
    messages: list[str] = []
    backend.settings = dataclasses.replace(backend.settings, progress=messages.append)
    backend.put(DERIVED, network_id="1")
    path = backend.stacks / "planton" / "prod.CivoVpc.other.json"
    path.write_text(content, "utf-8")
    resources = backend.inventory
    assert [applied.stack for applied in resources.all()] == [DERIVED]
    network = resources.find(KEY)
    assert network is not None
    assert resources.get(resource_names.parse("CivoVpc/net"), None).stack == DERIVED
    (line,) = messages
    assert str(path) in line
    for call in (
        lambda: resources.get(resource_names.parse("CivoVpc/other"), None),
        lambda: resources.get(resource_names.parse("CivoVpc/other"), "prod"),
        lambda: resources.find(references.Key("CivoVpc", "prod", "other")),
    ):
        with pytest.raises(state_errors.StateDamagedError, match=r"prod\.CivoVpc\.other\.json is damaged") as caught:
            call()
        assert "restore" in caught.value.hint
    assert backend.get("dev") == str(DERIVED)


def test_a_damaged_state_names_its_backup_only_if_that_is_readable(backend: Backend) -> None:
    """Restoring a damaged backup would not help."""
    backend.put(DERIVED, network_id="1")
    path = backend.stacks / DERIVED.project / f"{DERIVED.stack}.json"
    backup = path.with_name(path.name + ".bak")
    backup.write_text(path.read_text("utf-8"), "utf-8")
    path.write_text("", "utf-8")
    assert f"cp {backup} {path}" in backend.get()
    backup.write_text("", "utf-8")
    assert "cp " not in backend.get()


@pytest.mark.parametrize("manifest", ["{", "[]", '{"kind": "CivoVpc", "spec": 3}'])
def test_a_state_with_an_unreadable_manifest_is_damaged(backend: Backend, manifest: str) -> None:
    """Commands on other stacks still work."""
    backend.put(LABELLED, manifest=manifest)
    assert backend.inventory.all() == []
    with pytest.raises(state_errors.StateDamagedError, match="holds a manifest that cannot be read"):
        backend.inventory.read(LABELLED)


def test_a_later_stack_is_among_the_resources_that_are_listed_again(backend: Backend) -> None:
    """The command that looked for a reference before has created it since."""
    backend.put(DERIVED, network_id="1")
    opened = backend.inventory
    assert [each.stack for each in opened.all()] == [DERIVED]
    backend.put(LABELLED, env="prod", network_id="2")
    assert [each.stack for each in opened.all()] == [DERIVED, LABELLED]
