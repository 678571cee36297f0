"""States as such: what is read from a file, what is shown, and what does not fit."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.config import settings
from planton.engine import stacks, states, toolchain
from planton.state import deployments, inventory, migration, stores

NAME = stacks.StackName("planton", "dev.CivoVpc.net")
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def _resource(
    name: str, type_: str = "civo:index/network:Network", stack: stacks.StackName = NAME, **more: Any
) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:{stack.stack}::{stack.project}::{type_}::{name}", "type": type_, "custom": True, **more}


def test_what_is_exported_is_read_again() -> None:
    """Nothing is lost, whatever Pulumi adds to its format."""
    deployment = {"manifest": {"time": "2025-06-03T09:12:44Z"}, "resources": [_resource("network", id="1", new="x")]}
    assert deployments.parse(deployments.text(deployment)) == deployment


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"version": 3}', '{"version": 3, "deployment": []}', '{"version": 3, "deployment": {"resources": [{}]}}'],
)
def test_a_file_that_is_no_state_is_refused(content: str) -> None:
    """Before anything is replaced by it."""
    with pytest.raises(errors.PlantonError, match="the file is no exported state") as caught:
        deployments.parse(content)
    assert (caught.value.reason, caught.value.code) == (errors.Reason.STATE_UNFIT, errors.Code.REFUSED)


def test_a_state_of_a_format_to_come_is_refused() -> None:
    """It could mean anything."""
    with pytest.raises(errors.PlantonError, match="the state has format 4; this release understands 3"):
        deployments.parse('{"version": 4, "deployment": {"resources": []}}')


def test_a_state_of_another_stack_is_refused() -> None:
    """The error says of which."""
    other = stacks.StackName("planton", "prod.CivoVpc.net")
    deployments.check(NAME, {"resources": [_resource("network")]})
    with pytest.raises(errors.PlantonError, match=r"one of planton/prod\.CivoVpc\.net, not of planton/dev\.CivoVpc\.net"):
        deployments.check(NAME, {"resources": [_resource("network"), _resource("network", stack=other)]})


def test_what_is_shown_holds_no_secret() -> None:
    """However deep it is, and nothing of what plugins keep for themselves."""
    shown = deployments.redacted({"a": SECRET, "b": [{"c": SECRET, "__defaults": []}], "d": "e"})
    assert shown == {"a": "[redacted]", "b": [{"c": "[redacted]"}], "d": "e"}


@pytest.fixture
def chosen(tmp_path: pathlib.Path) -> settings.Settings:
    """Settings of a user with an empty data folder."""
    return settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path), "PULUMI_CONFIG_PASSPHRASE": "old"})


@pytest.fixture
def known(chosen: settings.Settings) -> stores.Stores:
    """The states of a backend that is a folder, without a Pulumi."""
    return stores.Stores(chosen, toolchain.Toolchain(pathlib.Path("pulumi"), chosen.data, frozenset()))


def _put(known: stores.Stores, *resources: dict[str, Any], name: stacks.StackName = NAME) -> None:
    path = (
        pathlib.Path(known.settings.backend_url.removeprefix("file://"))
        / ".pulumi"
        / "stacks"
        / name.project
        / f"{name.stack}.json"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    latest = {"manifest": {"time": "2025-06-03T09:12:44Z"}, "resources": list(resources)}
    path.write_text(json.dumps({"version": 3, "checkpoint": {"stack": name.stack, "latest": latest}}), "utf-8")


def test_stacks_of_others_are_listed_too(known: stores.Stores) -> None:
    """They have no kind and no name of ours."""
    _put(known, _resource("network", id="1"), _resource("stack", "pulumi:pulumi:Stack"))
    (found,) = known.all()
    assert (found.name, found.key, found.resources, found.updated) == (NAME, None, 1, "2025-06-03T09:12:44Z")
    assert found.clean


def test_an_operation_that_did_not_end_shows_in_the_list(known: stores.Stores) -> None:
    """As far as the state says; such a stack is neither renamed nor moved."""
    _put(known, _resource("network", id="1", initErrors=["boom"]))
    assert not known.look(NAME).clean
    with pytest.raises(errors.PlantonError, match="did not finish") as caught:
        known.require_clean(NAME)
    assert caught.value.reason is errors.Reason.STATE_UNFIT


def test_what_depends_on_a_resource_is_forgotten_with_it(known: stores.Stores) -> None:
    """By its name in the stack or by its URN; another name is an error that lists those that there are."""
    network = _resource("network", id="1")
    _put(known, network, _resource("firewall", "civo:index/firewall:Firewall", id="2", dependencies=[network["urn"]]))
    for named in ("network", network["urn"]):
        left, gone = known.forgotten(NAME, named)
        assert (left["resources"], gone) == ([], ["network", "firewall"])
    assert known.forgotten(NAME, "firewall")[1] == ["firewall"]
    with pytest.raises(errors.PlantonError, match="has no resource 'cluster'; it has: network, firewall"):
        known.forgotten(NAME, "cluster")


def test_the_cluster_of_a_node_pool_is_in_its_state() -> None:
    """Whether the manifest gave its name, its id or a reference."""
    pool = _resource("node_pool", "civo:index/kubernetesNodePool:KubernetesNodePool", inputs={"clusterId": "c-1"})
    assert states.cluster({"resources": [_resource("stack", "pulumi:pulumi:Stack"), pool]}) == "c-1"
    assert states.cluster({"resources": [_resource("network", inputs={"label": "x"})]}) == ""
    assert states.cluster({}) == ""


def test_a_resource_whose_first_apply_failed_half_way_is_known(known: stores.Stores) -> None:
    """The record that every stack begins with says whose it is; there are no outputs yet."""
    manifest = {"apiVersion": "civo.project-planton.org/v1", "kind": "CivoVpc", "metadata": {"name": "net", "env": "dev"}}
    record = _resource("manifest", "planton:index:Manifest", inputs={"manifest": json.dumps(manifest), "origin": "here"})
    _put(known, _resource("stack", "pulumi:pulumi:Stack"), record, _resource("network", id="1"))
    found = known.inventory.read(NAME)
    assert found is not None
    assert (str(found.key), found.complete, found.origin) == ("CivoVpc/net (env dev)", False, "here")
    assert known.look(NAME).resources == 1
    with pytest.raises(errors.PlantonError, match="its apply did not finish") as caught:
        inventory.require_complete(found)
    assert caught.value.reason is errors.Reason.STACK_NOT_FOUND


def test_a_new_passphrase_goes_before_that_of_the_environment(chosen: settings.Settings, tmp_path: pathlib.Path) -> None:
    """The old one still opens the source."""
    new = tmp_path / "new"
    new.write_text("new", "utf-8")
    target = migration.target(chosen, backend="", secrets_provider="", passphrase_file=str(new))
    assert target.passphrase() == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(new)}
    assert target.backend_url == chosen.backend_url
    assert chosen.passphrase() == {"PULUMI_CONFIG_PASSPHRASE": "old"}


def test_a_migration_that_changes_nothing_is_a_mistake(chosen: settings.Settings) -> None:
    """Also one to where the states are already."""
    for backend in ("", chosen.backend_url):
        with pytest.raises(errors.PlantonError, match="in this backend already") as caught:
            migration.target(chosen, backend=backend, secrets_provider="", passphrase_file="")
        assert caught.value.code == errors.Code.USAGE
    with pytest.raises(errors.PlantonError, match="must begin with one of"):
        migration.target(chosen, backend="", secrets_provider="rot13://", passphrase_file="")


@pytest.mark.parametrize(
    ("state", "empty"),
    [
        ({"latest": {"manifest": {"time": "2025-06-03T09:12:44Z"}}}, True),
        ({"latest": {"resources": [_resource("other", "pulumi:pulumi:Stack")]}}, False),
        ({"latest": {"pending_operations": [{"type": "creating", "resource": _resource("network")}]}}, False),
    ],
)
def test_a_stack_in_which_nothing_was_made_is_empty(tmp_path: pathlib.Path, state: dict[str, Any], *, empty: bool) -> None:
    """Plans of older releases left such, and so does an apply without consent; one where something is under way is none."""
    folder = tmp_path / ".pulumi" / "stacks" / NAME.project
    folder.mkdir(parents=True)
    (folder / f"{NAME.stack}.json").write_text(json.dumps({"checkpoint": state}), "utf-8")
    chosen = settings.Settings(backend=tmp_path.as_uri(), environ={"PLANTON_DATA_DIR": str(tmp_path)})
    [found] = stores.Stores(chosen, toolchain.Toolchain(pathlib.Path("pulumi"), tmp_path, frozenset())).all()
    assert (found.name, found.empty) == (NAME, empty)
