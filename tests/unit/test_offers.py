"""``planton versions``, ``sizes``, and ``regions`` for each cloud, with the simulated clouds."""

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
    "sizes": ["SIZE", "CPUS", "MEMORY (MiB)", "DISK (GiB)", "USD/MONTH", "REGIONS"],
    "regions": ["REGION", "NAME", "COUNTRY", "FULL"],
}
KEYS = {
    "versions": ["version", "type", "channel", "default"],
    "sizes": ["size", "cpus", "memory", "disk", "price", "regions"],
    "regions": ["region", "name", "country", "full"],
}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Returns the environment variables of a user of the sandbox."""
    folder = pathlib.Path(tmp_path_factory.mktemp("offers"))
    with support.running(folder / "sandbox") as sandbox:
        yield {**sandbox.env, "PLANTON_DATA_DIR": str(folder / "data")}


@pytest.fixture
def shell(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Sets these variables."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.main([*arguments, "--output", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("command", list(HEADERS))
@pytest.mark.parametrize("provider", ["civo", "digitalocean"])
def test_a_list_has_the_same_columns_for_every_cloud(provider: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table and the JSON output have the same rows."""
    rows = _json(capsys, command, "--provider", provider)
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
def test_listed_values_can_be_written_in_a_manifest(
    provider: str, version: str, size: str, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They have the cloud's spelling. One version is the default, and all sizes are sizes of nodes."""
    versions, sizes, regions = (_json(capsys, name, "--provider", provider) for name in HEADERS)
    assert version in {row["version"] for row in versions}
    assert [row["default"] for row in versions if row["type"] in ("k3s", "doks")].count(True) == 1
    assert size in {row["size"] for row in sizes}
    assert not {"s-1vcpu-1gb", "g4s.small"} & {row["size"] for row in sizes}
    assert region in {row["region"] for row in regions}


@pytest.mark.usefixtures("shell")
def test_a_size_is_listed_for_the_regions_that_offer_it(capsys: pytest.CaptureFixture[str]) -> None:
    """DigitalOcean has GPU sizes in few regions. Civo does not report regions, so every size is listed."""
    regions = {row["size"]: row["regions"] for row in _json(capsys, "sizes", "--provider", "digitalocean")}
    assert regions["gpu-h100x1-80gb"] == ["atl1", "nyc2", "tor1"]
    for region, is_offered in (("fra1", False), ("tor1", True), ("TOR1", True)):
        rows = _json(capsys, "sizes", "--provider", "digitalocean", "--region", region)
        assert ("gpu-h100x1-80gb" in {row["size"] for row in rows}) is is_offered
        assert "s-2vcpu-4gb" in {row["size"] for row in rows}
    assert cli.main(["sizes", "--provider", "digitalocean", "--region", "tor1"]) == 0
    assert "atl1,nyc2,tor1" in capsys.readouterr().out
    everywhere = _json(capsys, "sizes", "--provider", "civo")
    assert _json(capsys, "sizes", "--provider", "civo", "--region", "lon1") == everywhere


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("provider", ["civo", "digitalocean"])
def test_sizes_of_an_unknown_region_are_a_usage_error(provider: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list would look like a region without sizes."""
    assert cli.main(["sizes", "--provider", provider, "--region", "lon11"]) == 2
    output = capsys.readouterr().err
    assert "no region 'lon11'" in output
    assert "lon1" in output.lower().replace("lon11", "")


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("provider", "offered"),
    [
        ("civo", {region.code.lower() for region in civo_catalogue.REGIONS}),
        ("digitalocean", {region.slug for region in digitalocean_catalogue.REGIONS}),
    ],
)
def test_every_listed_region_can_be_written_in_a_manifest(
    provider: str, offered: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A note names the cloud's other regions."""
    accepted = kinds.regions(provider)
    assert {row["region"].lower() for row in _json(capsys, "regions", "--provider", provider)} == offered & accepted
    assert cli.main(["regions", "--provider", provider]) == 0
    output = capsys.readouterr().err
    assert [region for region in offered - accepted if region not in output.lower()] == []
    assert ("cannot name: " in output) is bool(offered - accepted)


@pytest.mark.parametrize(
    ("provider", "variables"),
    [("civo", ["CIVO_TOKEN"]), ("digitalocean", ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"])],
)
def test_a_missing_token_is_an_error_with_the_variable_to_set(
    provider: str, variables: list[str], shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cloud is not called."""
    for name in variables:
        shell.delenv(name, raising=False)
    assert cli.main(["versions", "--provider", provider]) == 8
    assert variables[0] in capsys.readouterr().err
