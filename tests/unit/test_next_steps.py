"""``planton`` without a command: the situation in a folder, and the commands to run next."""

from __future__ import annotations

import pathlib

import pytest

from planton import cli
from planton.cli import group, next_steps

NETWORK = """apiVersion: civo.project-planton.org/v1
kind: CivoVpc
metadata: {name: net}
spec: {civoCredentialId: default, networkName: net, region: lon1}
"""
START = ["planton sandbox start", 'eval "$(planton sandbox env)"']


@pytest.fixture
def environ(tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment without contexts, accounts and states."""
    return {"PLANTON_DATA_DIR": str(tmp_path / "data"), "PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml")}


def _steps(folder: pathlib.Path, environ: dict[str, str]) -> tuple[str, list[str]]:
    first, *others = next_steps.lines(next_steps.look(folder, environ))
    return first, [line[2:36].strip() for line in others if line.startswith("  ")]


def test_an_empty_folder_begins_with_init(tmp_path: pathlib.Path, environ: dict[str, str]) -> None:
    """Files of other programs are no manifests."""
    (tmp_path / "deployment.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\n", "utf-8")
    (tmp_path / "notes.json").write_text('{"see": "civo.project-planton.org/v1"}', "utf-8")
    assert _steps(tmp_path, environ) == ("No manifests here.", ["planton init", *START])


def test_an_invalid_manifest_is_validated_first(tmp_path: pathlib.Path, environ: dict[str, str]) -> None:
    """An account would not help."""
    (tmp_path / "net.yaml").write_text(NETWORK.replace("networkName: net, ", ""), "utf-8")
    first, steps = _steps(tmp_path, environ | {"CIVO_TOKEN": "t"})
    assert (first, steps) == ("1 file with manifests here, 1 problem.", ["planton validate ."])


def test_a_valid_manifest_needs_an_account(tmp_path: pathlib.Path, environ: dict[str, str]) -> None:
    """The clouds are those of the manifests."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "net.yaml").write_text(NETWORK, "utf-8")
    first, steps = _steps(tmp_path, environ)
    assert first == "1 file with manifests here, valid; no account for civo."
    assert steps == [*START, "export CIVO_TOKEN=…"]


def test_with_manifests_and_an_account_comes_the_plan(tmp_path: pathlib.Path, environ: dict[str, str]) -> None:
    """What has been applied can be listed."""
    (tmp_path / "net.yaml").write_text(NETWORK, "utf-8")
    account = environ | {"CIVO_TOKEN": "t"}
    assert _steps(tmp_path, account)[1] == ["planton plan -f .", "planton apply -f ."]
    stacks = tmp_path / "data" / "state" / ".pulumi" / "stacks" / "planton"
    stacks.mkdir(parents=True)
    (stacks / "dev.CivoVpc.net.json").write_text("{}", "utf-8")
    assert _steps(tmp_path, account)[1][-1] == "planton get"


def test_without_a_command_the_next_steps_are_shown(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no error, and the help is named."""
    monkeypatch.chdir(tmp_path)
    assert cli.main([]) == 0
    assert capsys.readouterr().out.endswith("All commands: planton --help\n")


def test_the_help_has_every_command_once_in_a_group() -> None:
    """The five most used ones come first."""
    listed = [name for names in cli.GROUPS.values() for name in names]
    assert sorted(listed) == sorted(cli.COMMANDS)
    heading, first = next(iter(cli.GROUPS.items()))
    assert (heading, len(first)) == ("Most used", 5)
    text = group.cli.get_help(group.click.Context(group.cli, info_name="planton"))
    assert [line[:-1] for line in text.splitlines() if line.endswith(":") and line[:-1] in cli.GROUPS] == list(cli.GROUPS)
