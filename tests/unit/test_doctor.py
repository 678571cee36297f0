"""``planton doctor``: the findings about a machine."""

from __future__ import annotations

import importlib.util
import pathlib
import socket
import sys
import tomllib
from typing import Any

import pytest

from planton.cli import doctor
from planton.config import contexts
from planton.schema import providers

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


def _findings(**environ: str) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine({"PATH": "/usr/bin:/bin", **environ})}


ACCOUNTS = [("Civo account", "CIVO"), ("DigitalOcean account", "DIGITALOCEAN")]


@pytest.mark.parametrize(("name", "prefix"), ACCOUNTS)
def test_an_account_finding_shows_the_source_of_the_token(name: str, prefix: str) -> None:
    """It also shows the endpoint, which differs in a shell that uses the sandbox."""
    assert _findings(**{f"{prefix}_TOKEN": "secret"})[name] == doctor.Finding(
        name, "ok", f"token from ${prefix}_TOKEN, for the public cloud"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        local = _findings(**{f"{prefix}_TOKEN": "secret", f"{prefix}_API_URL": f"{address}/"})[name]
    assert local == doctor.Finding(name, "ok", f"token from ${prefix}_TOKEN, for {address}")


@pytest.mark.parametrize(("name", "prefix"), ACCOUNTS)
def test_a_stopped_sandbox_is_reported_as_missing(name: str, prefix: str) -> None:
    """The shell uses its address, so every command that needs the cloud would fail."""
    finding = _findings(**{f"{prefix}_TOKEN": "secret", f"{prefix}_API_URL": "http://127.0.0.1:1/"})[name]
    assert (finding.state, "http://127.0.0.1:1" in finding.detail) == ("missing", True)
    assert "planton sandbox start" in finding.advice


def test_the_variable_of_the_clouds_own_tool_is_recognized() -> None:
    """The finding names the variable with precedence."""
    finding = _findings(DIGITALOCEAN_ACCESS_TOKEN="secret")["DigitalOcean account"]
    assert finding.detail == "token from $DIGITALOCEAN_ACCESS_TOKEN, for the public cloud"


@pytest.mark.parametrize(("name", "prefix"), ACCOUNTS)
def test_a_missing_account_is_optional(name: str, prefix: str) -> None:
    """A user may use one cloud only. The advice says what to set."""
    finding = _findings()[name]
    assert (finding.state, finding.detail) == ("optional", "no token in the environment")
    assert finding.advice.startswith(f"set {prefix}_TOKEN, or: ")


def test_every_cloud_has_an_extra_a_plugin_and_an_account() -> None:
    """The findings come from the declarations of the clouds."""
    findings = _findings()
    for provider in providers.names():
        assert f"extra {provider}" in findings
        assert any(name.startswith(f"{provider} plugin ") for name in findings)
        assert f"{providers.get(provider).spoken} account" in findings


@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - {"all"}))
def test_every_extra_has_a_finding_and_is_documented(extra: str) -> None:
    """The page about installing lists it."""
    assert f"extra {extra}" in _findings()
    page = (ROOT / "docs" / "use" / "getting-started.md").read_text("utf-8")
    assert f"`{extra}`" in page.partition("| extra |")[2].partition("\n\n")[0]


def test_a_missing_plugin_is_installed_by_planton(tmp_path: pathlib.Path) -> None:
    """Pulumi's command line need not be on PATH."""
    finding = _findings(PULUMI_HOME=str(tmp_path))["civo plugin 2.4.8"]
    assert (finding.state, finding.advice) == ("optional", "needed for the real cloud only: planton setup")


@pytest.mark.parametrize(("extra", "package"), [("digitalocean", "pulumi_digitalocean"), ("policy", "cel_expr_python")])
def test_a_missing_extra_is_reported_with_its_install_command(extra: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra is optional."""
    find_spec = importlib.util.find_spec

    def find_spec_without_package(name: str, *arguments: Any) -> Any:
        return None if name == package else find_spec(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec_without_package)
    findings = _findings()
    assert findings[f"extra {extra}"] == doctor.Finding(
        f"extra {extra}", "optional", f"missing: {package}", f"pip install 'project-planton[{extra}]'"
    )
    assert findings["extra civo"].state == "ok"


@pytest.mark.parametrize(("mode", "state"), [(0o600, "ok"), (0o644, "missing")])
def test_a_readable_credentials_file_is_reported_as_missing(mode: int, state: str, tmp_path: pathlib.Path) -> None:
    """Every command would refuse a file that other users can read."""
    path = tmp_path / "credentials.yaml"
    path.touch(mode)
    path.chmod(mode)
    finding = _findings(PLANTON_CREDENTIALS=str(path))["credentials file"]
    assert finding.state == state
    assert bool(finding.advice) is (state == "missing")


def test_a_context_is_shown_with_its_account_and_backend(tmp_path: pathlib.Path) -> None:
    """It takes precedence over a token variable. An account missing from the credentials file is a fault: commands would use it."""
    path = tmp_path / "credentials.yaml"
    path.write_text("acme:\n  apiToken: secret\n", "utf-8")
    path.chmod(0o600)
    environ = {"PLANTON_CREDENTIALS": str(path), "PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml")}
    context = contexts.Context("dev", "s3://acme", credentials={"civo": "acme", "digitalocean": "other"})
    contexts.write(contexts.Contexts().having(context).using("dev"), environ)
    findings = _findings(**environ)
    assert (findings["context"].state, findings["context"].detail) == ("ok", "dev")
    assert findings["Civo account"].detail == "credential acme of context dev, for the public cloud"
    assert findings["state"].detail == "s3://acme"
    assert (findings["DigitalOcean account"].state, "'other'" in findings["DigitalOcean account"].detail) == ("missing", True)
    both = _findings(CIVO_TOKEN="x", **environ)["Civo account"].detail
    assert both == "credential acme of context dev ($CIVO_TOKEN is ignored), for the public cloud"
    assert _findings(PLANTON_CONTEXT="nothing", **environ)["context"].state == "missing"


def test_another_planton_on_path_is_reported(tmp_path: pathlib.Path) -> None:
    """Both would use one state. Without any on PATH, the advice says which folder to add."""
    assert _findings()["command"].advice.startswith("export PATH=")
    program = tmp_path / "planton"
    program.touch(0o755)
    program.chmod(0o755)
    finding = _findings(PATH=str(tmp_path))["command"]
    assert (finding.state, finding.advice) == ("optional", "remove one of them")
    assert str(program) in finding.detail
    assert "command" not in _findings(PATH=str(pathlib.Path(sys.executable).parent))


def test_the_folder_of_the_link_is_to_be_added_to_path(tmp_path: pathlib.Path) -> None:
    """pipx and uv link the program into a folder that has no other programs of its environment."""
    link = tmp_path / "planton"
    link.symlink_to(pathlib.Path(sys.executable).with_name("planton"))
    listed = {finding.name: finding for finding in doctor.examine({"PATH": "/usr/bin:/bin"}, invoked=str(link))}
    assert listed["command"].advice == f'export PATH="{tmp_path}:$PATH"'


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: pathlib.Path) -> None:
    """Pulumi is installed into it."""
    assert "cache" not in _findings(PLANTON_CACHE_DIR=str(tmp_path))
    (tmp_path / "file").touch()
    finding = _findings(PLANTON_CACHE_DIR=str(tmp_path / "file" / "planton"))["cache"]
    assert (finding.state, finding.advice) == ("missing", "set PLANTON_CACHE_DIR to a folder that can be written")
