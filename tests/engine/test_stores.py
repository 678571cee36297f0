"""Exported states: reading, redaction, and the checks before an import."""

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


def test_an_exported_state_can_be_parsed() -> None:
    """Unknown fields of newer Pulumi releases are kept."""
    deployment = {"manifest": {"time": "2025-06-03T09:12:44Z"}, "resources": [_resource("network", id="1", new="x")]}
    assert deployments.parse(deployments.text(deployment)) == deployment


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"version": 3}', '{"version": 3, "deployment": []}', '{"version": 3, "deployment": {"resources": [{}]}}'],
)
def test_a_file_that_is_not_a_state_is_refused(content: str) -> None:
    """The check runs before any state is replaced."""
    with pytest.raises(errors.PlantonError, match="the file is no exported state") as caught:
        deployments.parse(content)
    assert (caught.value.reason, caught.value.code) == (errors.Reason.STATE_UNFIT, errors.Code.REFUSED)


def test_a_state_of_a_newer_format_is_refused() -> None:
    """Its fields may have another meaning."""
    with pytest.raises(errors.PlantonError, match="the state has format 4; this release understands 3"):
        deployments.parse('{"version": 4, "deployment": {"resources": []}}')


def test_a_state_of_another_stack_is_refused() -> None:
    """The error names both stacks."""
    other = stacks.StackName("planton", "prod.CivoVpc.net")
    deployments.check(NAME, {"resources": [_resource("network")]})
    with pytest.raises(errors.PlantonError, match=r"one of planton/prod\.CivoVpc\.net, not of planton/dev\.CivoVpc\.net"):
        deployments.check(NAME, {"resources": [_resource("network"), _resource("network", stack=other)]})


def test_displayed_states_contain_no_secrets() -> None:
    """Nested secrets are redacted, and internal properties of plugins are removed."""
    redacted = deployments.redacted({"a": SECRET, "b": [{"c": SECRET, "__defaults": []}], "d": "e"})
    assert redacted == {"a": "[redacted]", "b": [{"c": "[redacted]"}], "d": "e"}


@pytest.fixture
def config(tmp_path: pathlib.Path) -> settings.Settings:
    """Settings of a user with an empty data folder."""
    return settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path), "PULUMI_CONFIG_PASSPHRASE": "old"})


@pytest.fixture
def backend(config: settings.Settings) -> stores.Stores:
    """The states of a backend that is a folder, without Pulumi."""
    return stores.Stores(config, toolchain.Toolchain(pathlib.Path("pulumi"), config.data, frozenset()))


def _put(backend: stores.Stores, *resources: dict[str, Any], name: stacks.StackName = NAME) -> None:
    path = (
        pathlib.Path(backend.settings.backend_url.removeprefix("file://"))
        / ".pulumi"
        / "stacks"
        / name.project
        / f"{name.stack}.json"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    latest = {"manifest": {"time": "2025-06-03T09:12:44Z"}, "resources": list(resources)}
    path.write_text(json.dumps({"version": 3, "checkpoint": {"stack": name.stack, "latest": latest}}), "utf-8")


def test_stacks_of_other_programs_are_listed(backend: stores.Stores) -> None:
    """They have no kind and no manifest name."""
    _put(backend, _resource("network", id="1"), _resource("stack", "pulumi:pulumi:Stack"))
    (summary,) = backend.all()
    assert (summary.name, summary.key, summary.resources, summary.updated) == (NAME, None, 1, "2025-06-03T09:12:44Z")
    assert summary.clean


def test_an_unfinished_operation_is_shown_in_the_list(backend: stores.Stores) -> None:
    """The state reveals it. Such a stack can be neither renamed nor moved."""
    _put(backend, _resource("network", id="1", initErrors=["boom"]))
    assert not backend.look(NAME).clean
    with pytest.raises(errors.PlantonError, match="did not finish") as caught:
        backend.require_clean(NAME)
    assert caught.value.reason is errors.Reason.STATE_UNFIT


def test_a_resource_is_removed_from_the_state_with_its_dependants(backend: stores.Stores) -> None:
    """It is named by its name in the stack or its URN. An unknown name is an error that lists the names."""
    network = _resource("network", id="1")
    _put(backend, network, _resource("firewall", "civo:index/firewall:Firewall", id="2", dependencies=[network["urn"]]))
    for name_or_urn in ("network", network["urn"]):
        remaining, removed = backend.forgotten(NAME, name_or_urn)
        assert (remaining["resources"], removed) == ([], ["network", "firewall"])
    assert backend.forgotten(NAME, "firewall")[1] == ["firewall"]
    with pytest.raises(errors.PlantonError, match="has no resource 'cluster'; it has: network, firewall"):
        backend.forgotten(NAME, "cluster")


def test_the_cluster_of_a_node_pool_is_read_from_its_state() -> None:
    """The manifest may name the cluster by name, id or reference."""
    pool = _resource("node_pool", "civo:index/kubernetesNodePool:KubernetesNodePool", inputs={"clusterId": "c-1"})
    assert states.cluster({"resources": [_resource("stack", "pulumi:pulumi:Stack"), pool]}) == "c-1"
    assert states.cluster({"resources": [_resource("network", inputs={"label": "x"})]}) == ""
    assert states.cluster({}) == ""


def test_a_resource_whose_first_apply_failed_is_identified(backend: stores.Stores) -> None:
    """Every stack starts with a record of its manifest. There are no outputs yet."""
    manifest = {"apiVersion": "civo.project-planton.org/v1", "kind": "CivoVpc", "metadata": {"name": "net", "env": "dev"}}
    record = _resource("manifest", "planton:index:Manifest", inputs={"manifest": json.dumps(manifest), "origin": "here"})
    _put(backend, _resource("stack", "pulumi:pulumi:Stack"), record, _resource("network", id="1"))
    applied = backend.inventory.read(NAME)
    assert applied is not None
    assert (str(applied.key), applied.complete, applied.origin) == ("CivoVpc/net (env dev)", False, "here")
    assert backend.look(NAME).resources == 1
    with pytest.raises(errors.PlantonError, match="its apply did not finish") as caught:
        inventory.require_complete(applied)
    assert caught.value.reason is errors.Reason.STACK_NOT_FOUND


def test_a_new_passphrase_overrides_the_one_of_the_environment(config: settings.Settings, tmp_path: pathlib.Path) -> None:
    """The old passphrase still decrypts the source."""
    new = tmp_path / "new"
    new.write_text("new", "utf-8")
    target = migration.target(config, backend="", secrets_provider="", passphrase_file=str(new))
    assert target.passphrase() == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(new)}
    assert target.backend_url == config.backend_url
    assert config.passphrase() == {"PULUMI_CONFIG_PASSPHRASE": "old"}


def test_a_migration_without_changes_is_a_usage_error(config: settings.Settings) -> None:
    """This includes a migration to the current backend."""
    for backend in ("", config.backend_url):
        with pytest.raises(errors.PlantonError, match="in this backend already") as caught:
            migration.target(config, backend=backend, secrets_provider="", passphrase_file="")
        assert caught.value.code == errors.Code.USAGE
    with pytest.raises(errors.PlantonError, match="must begin with one of"):
        migration.target(config, backend="", secrets_provider="rot13://", passphrase_file="")


@pytest.mark.parametrize(
    ("state", "empty"),
    [
        ({"latest": {"manifest": {"time": "2025-06-03T09:12:44Z"}}}, True),
        ({"latest": {"resources": [_resource("other", "pulumi:pulumi:Stack")]}}, False),
        ({"latest": {"pending_operations": [{"type": "creating", "resource": _resource("network")}]}}, False),
    ],
)
def test_a_stack_without_resources_is_empty(tmp_path: pathlib.Path, state: dict[str, Any], *, empty: bool) -> None:
    """Plans of older releases and cancelled applies leave such stacks. Pending operations make a stack non-empty."""
    folder = tmp_path / ".pulumi" / "stacks" / NAME.project
    folder.mkdir(parents=True)
    (folder / f"{NAME.stack}.json").write_text(json.dumps({"checkpoint": state}), "utf-8")
    config = settings.Settings(backend=tmp_path.as_uri(), environ={"PLANTON_DATA_DIR": str(tmp_path)})
    [summary] = stores.Stores(config, toolchain.Toolchain(pathlib.Path("pulumi"), tmp_path, frozenset())).all()
    assert (summary.name, summary.empty) == (NAME, empty)
