"""``planton doctor``: what it makes of a machine."""

from __future__ import annotations

import importlib.util
import pathlib
import socket
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
def test_an_account_is_told_with_where_its_token_comes_from(name: str, prefix: str) -> None:
    """And with where requests go, which is not the same in a shell that points at the sandbox."""
    assert _findings(**{f"{prefix}_TOKEN": "secret"})[name] == doctor.Finding(
        name, "ok", f"token from ${prefix}_TOKEN, for the public cloud"
    )
    with socket.create_server(("127.0.0.1", 0)) as served:
        address = f"http://127.0.0.1:{served.getsockname()[1]}"
        local = _findings(**{f"{prefix}_TOKEN": "secret", f"{prefix}_API_URL": f"{address}/"})[name]
    assert local == doctor.Finding(name, "ok", f"token from ${prefix}_TOKEN, for {address}")


@pytest.mark.parametrize(("name", "prefix"), ACCOUNTS)
def test_a_sandbox_that_does_not_run_is_a_fault(name: str, prefix: str) -> None:
    """The shell points at it, so every command that asks the cloud would fail."""
    found = _findings(**{f"{prefix}_TOKEN": "secret", f"{prefix}_API_URL": "http://127.0.0.1:1/"})[name]
    assert (found.state, "http://127.0.0.1:1" in found.detail) == ("missing", True)
    assert "planton sandbox start" in found.advice


def test_the_variable_of_the_clouds_own_tool_counts_too() -> None:
    """The one that goes first is told."""
    found = _findings(DIGITALOCEAN_ACCESS_TOKEN="secret")["DigitalOcean account"]
    assert found.detail == "token from $DIGITALOCEAN_ACCESS_TOKEN, for the public cloud"


@pytest.mark.parametrize(("name", "prefix"), ACCOUNTS)
def test_no_account_is_no_fault(name: str, prefix: str) -> None:
    """Who uses one cloud needs none at the other; what to set is said."""
    found = _findings()[name]
    assert (found.state, found.detail) == ("optional", "no token in the environment")
    assert found.advice.startswith(f"set {prefix}_TOKEN, or: ")


def test_every_cloud_has_an_extra_a_plugin_and_an_account() -> None:
    """A cloud that is added is looked at without a change here."""
    found = _findings()
    for provider in providers.names():
        assert f"extra {provider}" in found
        assert any(name.startswith(f"{provider} plugin ") for name in found)
        assert any(name.lower() == f"{provider} account" for name in found)


@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - {"all"}))
def test_every_extra_is_looked_at_and_told_to_who_begins(extra: str) -> None:
    """By `planton doctor`, and on the page about installing."""
    assert f"extra {extra}" in _findings()
    page = (ROOT / "docs" / "use" / "getting-started.md").read_text("utf-8")
    assert f"`{extra}`" in page.partition("| extra |")[2].partition("\n\n")[0]


def test_a_missing_plugin_is_installed_by_planton(tmp_path: pathlib.Path) -> None:
    """The command line of Pulumi need not be on PATH."""
    found = _findings(PULUMI_HOME=str(tmp_path))["civo plugin 2.4.8"]
    assert (found.state, found.advice) == ("optional", "needed for the real cloud only: planton setup")


@pytest.mark.parametrize(("extra", "package"), [("digitalocean", "pulumi_digitalocean"), ("policy", "cel_expr_python")])
def test_a_missing_extra_is_named_with_what_installs_it(extra: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not needed for everything."""
    real = importlib.util.find_spec

    def hidden(name: str, *arguments: Any) -> Any:
        return None if name == package else real(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    found = _findings()
    assert found[f"extra {extra}"] == doctor.Finding(
        f"extra {extra}", "optional", f"missing: {package}", f"pip install 'project-planton[{extra}]'"
    )
    assert found["extra civo"].state == "ok"


@pytest.mark.parametrize(("mode", "state"), [(0o600, "ok"), (0o644, "missing")])
def test_a_credentials_file_that_others_may_read_is_a_fault(mode: int, state: str, tmp_path: pathlib.Path) -> None:
    """Every command would refuse it."""
    path = tmp_path / "credentials.yaml"
    path.touch(mode)
    path.chmod(mode)
    found = _findings(PLANTON_CREDENTIALS=str(path))["credentials file"]
    assert found.state == state
    assert bool(found.advice) is (state == "missing")


def test_a_context_is_told_with_its_account_and_backend(tmp_path: pathlib.Path) -> None:
    """It goes before a token in the environment; an account that is not there is a fault, because commands would use it."""
    path = tmp_path / "credentials.yaml"
    path.write_text("acme:\n  apiToken: secret\n", "utf-8")
    path.chmod(0o600)
    environ = {"PLANTON_CREDENTIALS": str(path), "PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml")}
    wanted = contexts.Context("dev", "s3://acme", credentials={"civo": "acme", "digitalocean": "other"})
    contexts.write(contexts.Contexts().having(wanted).using("dev"), environ)
    found = _findings(**environ)
    assert (found["context"].state, found["context"].detail) == ("ok", "dev")
    assert found["Civo account"].detail == "credential acme of context dev, for the public cloud"
    assert found["state"].detail == "s3://acme"
    assert (found["DigitalOcean account"].state, "'other'" in found["DigitalOcean account"].detail) == ("missing", True)
    both = _findings(CIVO_TOKEN="x", **environ)["Civo account"].detail
    assert both == "credential acme of context dev ($CIVO_TOKEN is ignored), for the public cloud"
    assert _findings(PLANTON_CONTEXT="nothing", **environ)["context"].state == "missing"
