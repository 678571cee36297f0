"""``planton versions``, ``sizes`` and ``regions``, for each cloud, asked of the simulated ones."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from planton import cli
from planton.schema import kinds
from planton_sandbox.clouds.civo import catalogue as civo_catalogue
from planton_sandbox.clouds.digitalocean import catalogue as digitalocean_catalogue
from support import sandbox as support

HEADERS = {
    "versions": ["VERSION", "TYPE", "CHANNEL", "DEFAULT"],
    "sizes": ["SIZE", "CPUS", "MEMORY (MiB)", "DISK (GiB)", "REGIONS"],
    "regions": ["REGION", "NAME", "COUNTRY", "FULL"],
}
KEYS = {
    "versions": ["version", "type", "channel", "default"],
    "sizes": ["size", "cpus", "memory", "disk", "regions"],
    "regions": ["region", "name", "country", "full"],
}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the shell of a user of a sandbox has set."""
    folder = pathlib.Path(tmp_path_factory.mktemp("offers"))
    with support.running(folder / "sandbox") as served:
        yield {**served.env, "PLANTON_DATA_DIR": str(folder / "data")}


@pytest.fixture
def shell(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """That shell."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def _asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.main([*arguments, "--output", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("command", list(HEADERS))
@pytest.mark.parametrize("provider", ["civo", "digitalocean"])
def test_a_list_has_one_form_for_every_cloud(provider: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same columns and keys, as a table and as JSON, of the same rows."""
    rows = _asked(capsys, command, "--provider", provider)
    assert rows
    assert {tuple(row) for row in rows} == {tuple(KEYS[command])}
    assert cli.main([command, "--provider", provider]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.split("  ")[0] == HEADERS[command][0]
    assert [name for name in HEADERS[command] if name not in first] == []
    assert [line.split()[0] for line in lines] == [str(row[KEYS[command][0]]) for row in rows]


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("provider", "version", "size", "region"),
    [("civo", "1.30.5-k3s1", "g4s.kube.small", "LON1"), ("digitalocean", "1.33.1-do.0", "s-2vcpu-4gb", "fra1")],
)
def test_what_is_listed_can_be_written_into_a_manifest(
    provider: str, version: str, size: str, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the cloud's own spelling; one version is the default, and of sizes only those that nodes may have are there."""
    versions, sizes, regions = (_asked(capsys, name, "--provider", provider) for name in HEADERS)
    assert version in {row["version"] for row in versions}
    assert [row["default"] for row in versions if row["type"] in ("k3s", "doks")].count(True) == 1
    assert size in {row["size"] for row in sizes}
    assert not {"s-1vcpu-1gb", "g4s.small"} & {row["size"] for row in sizes}
    assert region in {row["region"] for row in regions}


@pytest.mark.usefixtures("shell")
def test_a_size_says_where_it_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    """DigitalOcean has graphics cards in few regions; Civo does not say, so nothing is left out."""
    regions = {row["size"]: row["regions"] for row in _asked(capsys, "sizes", "--provider", "digitalocean")}
    assert regions["gpu-h100x1-80gb"] == ["atl1", "nyc2", "tor1"]
    for region, there in (("fra1", False), ("tor1", True), ("TOR1", True)):
        rows = _asked(capsys, "sizes", "--provider", "digitalocean", "--region", region)
        assert ("gpu-h100x1-80gb" in {row["size"] for row in rows}) is there
        assert "s-2vcpu-4gb" in {row["size"] for row in rows}
    assert cli.main(["sizes", "--provider", "digitalocean", "--region", "tor1"]) == 0
    assert "atl1,nyc2,tor1" in capsys.readouterr().out
    everywhere = _asked(capsys, "sizes", "--provider", "civo")
    assert _asked(capsys, "sizes", "--provider", "civo", "--region", "lon1") == everywhere


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("provider", ["civo", "digitalocean"])
def test_sizes_of_a_region_that_is_not_there_are_refused(provider: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list would read as if the region had no sizes."""
    assert cli.main(["sizes", "--provider", provider, "--region", "lon11"]) == 2
    said = capsys.readouterr().err
    assert "no region 'lon11'" in said
    assert "lon1" in said.lower().replace("lon11", "")


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("provider", "offered"),
    [
        ("civo", {region.code.lower() for region in civo_catalogue.REGIONS}),
        ("digitalocean", {region.slug for region in digitalocean_catalogue.REGIONS}),
    ],
)
def test_every_region_that_is_listed_can_be_written_into_a_manifest(
    provider: str, offered: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the cloud has besides is said beside the list."""
    accepted = kinds.regions(provider)
    assert {row["region"].lower() for row in _asked(capsys, "regions", "--provider", provider)} == offered & accepted
    assert cli.main(["regions", "--provider", provider]) == 0
    said = capsys.readouterr().err
    assert [region for region in offered - accepted if region not in said.lower()] == []
    assert ("cannot name: " in said) is bool(offered - accepted)


@pytest.mark.parametrize(
    ("provider", "variables"),
    [("civo", ["CIVO_TOKEN"]), ("digitalocean", ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"])],
)
def test_without_a_token_the_variable_to_set_is_named(
    provider: str, variables: list[str], shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is asked of the cloud."""
    for name in variables:
        shell.delenv(name, raising=False)
    assert cli.main(["versions", "--provider", provider]) == 8
    assert variables[0] in capsys.readouterr().err
