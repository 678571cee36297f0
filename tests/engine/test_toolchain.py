"""The toolchain: lookup and installation, with small scripts in place of the real programs."""

from __future__ import annotations

import os
import pathlib
import stat
from typing import Any

import pytest

from planton import errors
from planton.engine import installing, toolchain
from planton.schema import providers

VERSION = installing.text(installing.VERSION)
LAUNCHER = "pulumi-resource-pulumi-python"
HOST = "pulumi-language-python"


def _program(path: pathlib.Path, text: str) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


def _pulumi(folder: pathlib.Path, version: str = VERSION) -> pathlib.Path:
    # It reports its version, and fails to install plugins.
    return _program(folder / "pulumi", f'if [ "$1" = version ]; then echo v{version}; else echo "no plugin" >&2; exit 1; fi')


@pytest.fixture
def environ(tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment with empty folders for programs, cache, plugins and home."""
    return {
        "PATH": str(tmp_path / "path"),
        "PLANTON_CACHE_DIR": str(tmp_path / "cache"),
        "PULUMI_HOME": str(tmp_path / "pulumi-home"),
        "HOME": str(tmp_path / "home"),
    }


def _installed(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "cache" / f"pulumi-{VERSION}" / "bin"


def test_without_an_installation_no_toolchain_is_found(environ: dict[str, str]) -> None:
    """The lookup installs nothing."""
    assert toolchain.find(environ) is None
    assert not pathlib.Path(environ["PLANTON_CACHE_DIR"]).exists()


@pytest.mark.parametrize(
    ("version", "is_supported"),
    [
        (VERSION, True),
        ("3.999.0", True),
        ("3.259.1-alpha.1", True),
        ("3.258.9", False),
        ("4.0.0", False),
        ("2.99.0", False),
        ("unknown", False),
    ],
)
def test_a_pulumi_on_path_is_used_if_its_version_is_supported(
    version: str, environ: dict[str, str], tmp_path: pathlib.Path, *, is_supported: bool
) -> None:
    """Older releases and other major versions are not supported."""
    pulumi = _pulumi(tmp_path / "path", version)
    assert toolchain.fit_on_path(environ) == (pulumi if is_supported else None)


def test_a_failing_or_missing_program_has_no_version(tmp_path: pathlib.Path) -> None:
    """Neither is an error: the lookup continues."""
    assert toolchain.version_of(_program(tmp_path / "pulumi", "exit 3")) is None
    assert toolchain.version_of(tmp_path / "missing") is None


def test_the_lookup_needs_the_program_and_its_launcher(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Dynamic resources need a launcher, next to pulumi or in the cache."""
    pulumi = _pulumi(tmp_path / "path")
    assert toolchain.find(environ) is None
    launcher = _program(tmp_path / "path" / LAUNCHER, "exit 0")
    assert toolchain.find(environ) == toolchain.Toolchain(pulumi, launcher.parent, frozenset())


def test_the_launcher_of_a_linked_pulumi_is_next_to_the_link_target(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Package managers link programs into another folder."""
    pulumi = _pulumi(tmp_path / "real")
    launcher = _program(tmp_path / "real" / LAUNCHER, "exit 0")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "pulumi").symlink_to(pulumi)
    tools = toolchain.find(environ)
    assert tools is not None
    assert tools.launcher_folder == launcher.parent


def test_setup_uses_pulumi_on_path_and_writes_the_launcher(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """The next lookup finds both. A plugin that cannot be installed is reported, but is not an error."""
    pulumi = _pulumi(tmp_path / "path")
    messages: list[str] = []
    tools = toolchain.setup(messages.append, environ)
    host = _installed(tmp_path) / HOST
    assert tools == toolchain.Toolchain(pulumi, _installed(tmp_path), frozenset(), host)
    assert host.read_text("utf-8").splitlines()[-1] == 'exec "$python" -u -m planton.engine.language_host "$@"'
    launcher = _installed(tmp_path) / LAUNCHER
    assert launcher.read_text("utf-8").splitlines()[1] == 'exec "${PULUMI_PYTHON_CMD:-python3}" -u -m pulumi.dynamic "$@"'
    assert stat.S_IMODE(launcher.stat().st_mode) == 0o755
    assert "installing the official civo plugin 2.4.8" in messages
    assert "  not possible here; against the sandbox, its stand-in serves" in messages
    assert toolchain.find(environ) == tools


def test_setup_is_silent_if_everything_is_installed(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A second run does not even need the network."""
    _pulumi(tmp_path / "path")
    _program(tmp_path / "path" / LAUNCHER, "exit 0")
    for name, version in providers.plugins().items():
        (tmp_path / "pulumi-home" / "plugins" / f"resource-{name}-v{version}").mkdir(parents=True)
    messages: list[str] = []
    assert toolchain.setup(messages.append, environ).plugins == frozenset(providers.plugins())
    assert messages == []


def test_a_plugin_is_installed_in_its_exact_version_or_on_path(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """The modules are written for that version."""
    plugins = tmp_path / "pulumi-home" / "plugins"
    (plugins / "resource-civo-v1.0.0").mkdir(parents=True)
    assert toolchain.installed_plugins(environ) == frozenset()
    _program(tmp_path / "path" / "pulumi-resource-digitalocean", "exit 0")
    assert toolchain.installed_plugins(environ) == {"digitalocean"}
    (plugins / f"resource-civo-v{providers.plugins()['civo']}").mkdir()
    assert toolchain.installed_plugins(environ) == {"civo", "digitalocean"}


def test_the_plugin_folder_follows_pulumi_home() -> None:
    """The variable overrides HOME."""
    assert toolchain.plugin_folder({"PULUMI_HOME": "/p", "HOME": "/h"}) == pathlib.Path("/p/plugins")


def _ways(environ: dict[str, str], works: dict[str, bool], attempts: list[str]) -> dict[str, installing.Way]:
    """Returns ways to install that work or not, and note that they were tried."""

    def way(name: str) -> installing.Way:
        def install(_progress: Any, received: Any) -> None:
            assert received is environ
            attempts.append(name)
            if not works[name]:
                raise OSError(f"{name} is not reached")
            _pulumi(pathlib.Path(environ["PLANTON_CACHE_DIR"]) / f"pulumi-{VERSION}" / "bin")

        return install

    return {name: way(name) for name in works}


@pytest.mark.parametrize(("downloads", "builds", "expected"), [(True, True, ["download"]), (False, True, ["download", "build"])])
def test_installation_falls_back_from_download_to_build(
    environ: dict[str, str], expected: list[str], *, downloads: bool, builds: bool
) -> None:
    """The first success ends it. Each failure is reported."""
    attempts: list[str] = []
    works = {"download": downloads, "build": builds}
    messages: list[str] = []
    tools = toolchain.setup(messages.append, environ, ways=_ways(environ, works, attempts))
    assert attempts == expected
    assert tools.pulumi.is_file()
    assert ("  not possible here: download is not reached" in messages) is not downloads


def test_the_ways_to_install_are_the_download_and_a_build() -> None:
    """The download needs no Go, so it is tried first."""
    assert list(installing.WAYS) == ["the official download", "go build"]


def test_a_failed_installation_names_each_attempt_with_its_reason(environ: dict[str, str]) -> None:
    """The hint contains the required version."""
    ways = _ways(environ, {"download": False, "build": False}, [])
    with pytest.raises(errors.PlantonError) as caught:
        toolchain.setup(str, environ, ways=ways)
    assert caught.value.reason is errors.Reason.TOOLCHAIN_MISSING
    assert caught.value.message.endswith("download: download is not reached; build: build is not reached")
    assert VERSION in caught.value.hint


def test_a_language_host_of_the_official_distribution_stays(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """It is adjacent to the command line."""
    _pulumi(tmp_path / "path")
    own = _program(tmp_path / "path" / HOST, "exit 0")
    assert toolchain.setup(str, environ).language_host == own
    assert not (_installed(tmp_path) / HOST).exists()


def test_a_published_program_is_executable_and_replaces_the_old_folder(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """It is moved into place together with its launcher."""
    new = tmp_path / "new"
    _pulumi(new).chmod(0o644)
    old = _installed(tmp_path)
    old.mkdir(parents=True)
    (old / "leftover").write_text("", "utf-8")
    installing.publish(new, environ)
    assert sorted(path.name for path in old.iterdir()) == ["pulumi", HOST, LAUNCHER]
    assert all(os.access(path, os.X_OK) for path in old.iterdir())
