"""What the options of a command mean together: stack inputs with a provider config, with settings, with a redacted token."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.cli import options
from planton.config import contexts, settings
from planton.deploy import identify
from planton.engine import toolchain
from planton.manifest import selection, stack_input
from planton.state import inventory
from support import mocks

TOOLS = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())


def _wanted(
    folder: pathlib.Path, *, token: str = "own", config: dict[str, str] | None = None, settings: tuple[str, ...] = ()
) -> Any:
    target = mocks.target("CivoVpc", {"civoCredentialId": "default", "networkName": "a", "region": "lon1"}, name="a")
    target.api_version, target.kind = "civo.project-planton.org/v1", "CivoVpc"
    given = mocks.stack_input(target, apiToken=token, defaultRegion="lon1")
    file = folder / "input.json"
    file.write_text(json.dumps(stack_input.file_dict(given, show_secrets=True)), "utf-8")
    account = folder / "account.json"
    account.write_text(json.dumps(config or {}), "utf-8")
    (found,) = selection.Selection((), (str(file),), str(account) if config else "", settings, "", "").read()
    return found


def test_the_provider_config_goes_before_that_of_a_stack_input(tmp_path: pathlib.Path) -> None:
    """`-p` gives the account of a stack input too; what it leaves out stays."""
    found = _wanted(tmp_path, config={"apiToken": "other"})
    assert found.config.api_token == "other"
    assert found.config.default_region == _wanted(tmp_path).config.default_region


def test_a_redacted_token_counts_as_none(tmp_path: pathlib.Path) -> None:
    """What `planton stack-input` prints can be applied: the token comes from the credential or the environment."""
    assert not _wanted(tmp_path, token=stack_input.REDACTED).config.api_token


@pytest.mark.parametrize("suffix", [".binpb", ".bin", ".pb"])
def test_a_binary_stack_input_is_one(tmp_path: pathlib.Path, suffix: str) -> None:
    """What `planton convert` writes can be applied; a manifest in binary form is told apart."""
    spec = {"civoCredentialId": "default", "networkName": "a", "region": "lon1"}
    given = mocks.stack_input(mocks.target("CivoVpc", spec, name="a"), apiToken="own", defaultRegion="lon1")
    file = tmp_path / f"input{suffix}"
    file.write_bytes(given.SerializeToString())
    (found,) = selection.Selection((), (str(file),), "", (), "", "").read()
    assert (found.manifest.spec.network_name, found.config.api_token) == ("a", "own")
    file.write_bytes(given.target.SerializeToString())
    with pytest.raises(errors.PlantonError, match="is a manifest, not a stack input"):
        selection.Selection((), (str(file),), "", (), "", "").read()


def test_settings_change_a_stack_input(tmp_path: pathlib.Path) -> None:
    """`--set` changes the manifest in a stack input; a field that it does not have is an error, not dropped."""
    assert _wanted(tmp_path, settings=("spec.networkName=b",)).manifest.spec.network_name == "b"
    with pytest.raises(errors.PlantonError) as caught:
        _wanted(tmp_path, settings=("spec.nonsense=b",))
    assert caught.value.reason is errors.Reason.USAGE


@pytest.mark.parametrize(
    ("env", "selector", "said"),
    [
        ("prod", (), "has the environment 'prod'; there are: (none), dev"),
        ("prod", (("tier", "web"),), "has the environment 'prod'"),
        (None, (("tier", "wbe"),), "has the labels tier=wbe; there are: tier=db, tier=web"),
        ("dev", (("tier", "db"),), "has the labels tier=db; there are: tier=db, tier=web"),
        (None, (("tire", "web"),), "has the labels tire=web; there are: none"),
    ],
)
def test_filters_that_exclude_every_manifest_are_an_error(
    env: str | None, selector: tuple[tuple[str, str], ...], said: str, tmp_path: pathlib.Path
) -> None:
    """A typo in a pipeline would pass for a cloud without changes; where the last resource is pruned it is meant."""
    spec = "spec: {civoCredentialId: default, networkName: net, region: lon1}\n"
    for name, metadata in (("a", "{name: a, env: dev, labels: {tier: web}}"), ("b", "{name: b, labels: {tier: db}}")):
        head = f"apiVersion: civo.project-planton.org/v1\nkind: CivoVpc\nmetadata: {metadata}\n"
        (tmp_path / f"{name}.yaml").write_text(head + spec, "utf-8")
    given = selection.Selection((str(tmp_path),), (), "", (), "", "", env, selector)
    with pytest.raises(errors.PlantonError) as caught:
        given.read()
    assert caught.value.code is errors.Code.USAGE
    assert said in caught.value.message
    assert given.read(none=True) == []


def test_kinds_and_contexts_complete(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any case; where the contexts file cannot be used, nothing is offered, and no error shown."""
    monkeypatch.setenv("PLANTON_CONTEXTS", str(tmp_path / "contexts.yaml"))
    known = contexts.Contexts().having(contexts.Context("staging")).having(contexts.Context("production"))
    contexts.write(known, {"PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml")})
    command: Any = None
    assert options.complete_resource(command, command, "civok") == ["CivoKubernetesCluster/", "CivoKubernetesNodePool/"]
    assert options.complete_context(command, command, "") == ["production", "staging"]
    assert options.complete_context(command, command, "s") == ["staging"]
    (tmp_path / "contexts.yaml").write_text("[", "utf-8")
    assert options.complete_context(command, command, "") == []


def test_a_stack_without_a_resource_is_not_ignored(tmp_path: pathlib.Path) -> None:
    """A manifest says itself which stack it means."""
    given = selection.Selection((str(tmp_path),), (), "", (), "", "", stack="shop/net")
    with pytest.raises(errors.PlantonError, match="needs a KIND/NAME") as caught:
        identify.resources((), inventory.Inventory(settings.Settings(environ={}), TOOLS), given, env=None)
    assert caught.value.code is errors.Code.USAGE


@pytest.mark.parametrize("prune", [True, False])
def test_a_folder_without_manifests_is_not_pruned(tmp_path: pathlib.Path, *, prune: bool) -> None:
    """It could be there by mistake; who means it is told of the command that deletes."""
    with pytest.raises(errors.PlantonError, match=r"has no \.yaml") as caught:
        selection.Selection((str(tmp_path),), (), "", (), "", "").read(none=prune)
    assert ("planton destroy" in caught.value.hint) is prune
