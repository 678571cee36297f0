"""Options of a command in combination: stack inputs with a provider config, with assignments, and with a redacted token."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.cli import complete
from planton.config import contexts, settings
from planton.deploy import identify
from planton.engine import toolchain
from planton.manifest import selection, stack_input
from planton.state import inventory
from support import mocks

TOOLS = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())


def _resource(
    folder: pathlib.Path, *, token: str = "own", config: dict[str, str] | None = None, settings: tuple[str, ...] = ()
) -> Any:
    target = mocks.target("CivoVpc", {"civoCredentialId": "default", "networkName": "a", "region": "lon1"}, name="a")
    target.api_version, target.kind = "civo.project-planton.org/v1", "CivoVpc"
    binary_input = mocks.stack_input(target, apiToken=token, defaultRegion="lon1")
    file = folder / "input.json"
    file.write_text(json.dumps(stack_input.file_dict(binary_input, show_secrets=True)), "utf-8")
    account = folder / "account.json"
    account.write_text(json.dumps(config or {}), "utf-8")
    (resource,) = selection.Selection((), (str(file),), str(account) if config else "", settings, "", "").read()
    return resource


def test_a_provider_config_overrides_that_of_a_stack_input(tmp_path: pathlib.Path) -> None:
    """Fields that `-p` omits are taken from the stack input."""
    resource = _resource(tmp_path, config={"apiToken": "other"})
    assert resource.config.api_token == "other"
    assert resource.config.default_region == _resource(tmp_path).config.default_region


def test_a_redacted_token_is_ignored(tmp_path: pathlib.Path) -> None:
    """The token comes from the credential or the environment, so the output of `planton stack-input` can be applied."""
    assert not _resource(tmp_path, token=stack_input.REDACTED).config.api_token


@pytest.mark.parametrize("suffix", [".binpb", ".bin", ".pb"])
def test_a_binary_stack_input_can_be_applied(tmp_path: pathlib.Path, suffix: str) -> None:
    """`planton convert` writes it. A binary manifest is refused."""
    spec = {"civoCredentialId": "default", "networkName": "a", "region": "lon1"}
    binary_input = mocks.stack_input(mocks.target("CivoVpc", spec, name="a"), apiToken="own", defaultRegion="lon1")
    file = tmp_path / f"input{suffix}"
    file.write_bytes(binary_input.SerializeToString())
    (resource,) = selection.Selection((), (str(file),), "", (), "", "").read()
    assert (resource.manifest.spec.network_name, resource.config.api_token) == ("a", "own")
    file.write_bytes(binary_input.target.SerializeToString())
    with pytest.raises(errors.PlantonError, match="is a manifest, not a stack input"):
        selection.Selection((), (str(file),), "", (), "", "").read()


def test_assignments_change_the_manifest_of_a_stack_input(tmp_path: pathlib.Path) -> None:
    """An unknown field is an error."""
    assert _resource(tmp_path, settings=("spec.networkName=b",)).manifest.spec.network_name == "b"
    with pytest.raises(errors.PlantonError) as caught:
        _resource(tmp_path, settings=("spec.nonsense=b",))
    assert caught.value.reason is errors.Reason.USAGE


@pytest.mark.parametrize(
    ("env", "selector", "expected_text"),
    [
        ("prod", (), "has the environment 'prod'; there are: (none), dev"),
        ("prod", (("tier", "web"),), "has the environment 'prod'"),
        (None, (("tier", "wbe"),), "has the labels tier=wbe; there are: tier=db, tier=web"),
        ("dev", (("tier", "db"),), "has the labels tier=db; there are: tier=db, tier=web"),
        (None, (("tire", "web"),), "has the labels tire=web; there are: none"),
    ],
)
def test_filters_that_exclude_every_manifest_are_an_error(
    env: str | None, selector: tuple[tuple[str, str], ...], expected_text: str, tmp_path: pathlib.Path
) -> None:
    """Otherwise a typo in a pipeline would look like a cloud without changes. A prune allows an empty selection."""
    spec = "spec: {civoCredentialId: default, networkName: net, region: lon1}\n"
    for name, metadata in (("a", "{name: a, env: dev, labels: {tier: web}}"), ("b", "{name: b, labels: {tier: db}}")):
        head = f"apiVersion: civo.project-planton.org/v1\nkind: CivoVpc\nmetadata: {metadata}\n"
        (tmp_path / f"{name}.yaml").write_text(head + spec, "utf-8")
    manifests = selection.Selection((str(tmp_path),), (), "", (), "", "", env, selector)
    with pytest.raises(errors.PlantonError) as caught:
        manifests.read()
    assert caught.value.code is errors.Code.USAGE
    assert expected_text in caught.value.message
    assert manifests.read(none=True) == []


def test_kinds_and_contexts_are_completed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case of letters is ignored. An unreadable contexts file gives no completions and no error."""
    monkeypatch.setenv("PLANTON_CONTEXTS", str(tmp_path / "contexts.yaml"))
    stored = contexts.Contexts().having(contexts.Context("staging")).having(contexts.Context("production"))
    contexts.write(stored, {"PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml")})
    command: Any = None
    assert complete.resource(command, command, "civok") == ["civokubernetesclusters/", "civokubernetesnodepools/"]
    assert complete.resource(command, command, "CivoK") == ["CivoKubernetesCluster/", "CivoKubernetesNodePool/"]
    assert complete.resource(command, command, "c")[-1] == "clusters/"
    assert complete.context(command, command, "") == ["default", "production", "staging"]
    assert complete.context(command, command, "s") == ["staging"]
    (tmp_path / "contexts.yaml").write_text("[", "utf-8")
    assert complete.context(command, command, "") == []


def test_a_stack_without_a_resource_is_a_usage_error(tmp_path: pathlib.Path) -> None:
    """A manifest already implies its stack."""
    manifests = selection.Selection((str(tmp_path),), (), "", (), "", "", stack="shop/net")
    with pytest.raises(errors.PlantonError, match="needs a KIND/NAME") as caught:
        identify.resources((), inventory.Inventory(settings.Settings(environ={}), TOOLS), manifests, env=None)
    assert caught.value.code is errors.Code.USAGE


@pytest.mark.parametrize("prune", [True, False])
def test_a_folder_without_manifests_cannot_be_pruned(tmp_path: pathlib.Path, *, prune: bool) -> None:
    """The folder may be a mistake. The hint names the command that deletes everything."""
    with pytest.raises(errors.PlantonError, match=r"has no \.yaml") as caught:
        selection.Selection((str(tmp_path),), (), "", (), "", "").read(none=prune)
    assert ("planton destroy" in caught.value.hint) is prune
