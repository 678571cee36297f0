"""The toolchain: found where it is, installed where it is not, with programs of this file in place of the real ones."""

from __future__ import annotations

import os
import pathlib
import stat
from typing import Any

import pytest

from planton import errors
from planton.engine import toolchain
from planton.schema import providers

VERSION = toolchain.text(toolchain.VERSION)
LAUNCHER = "pulumi-resource-pulumi-python"


def _program(path: pathlib.Path, text: str) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


def _pulumi(folder: pathlib.Path, version: str = VERSION) -> pathlib.Path:
    # It tells its version, and installs no plugin.
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


def test_nothing_is_found_where_nothing_is(environ: dict[str, str]) -> None:
    """Finding installs nothing."""
    assert toolchain.find(environ) is None
    assert not pathlib.Path(environ["PLANTON_CACHE_DIR"]).exists()


@pytest.mark.parametrize(
    ("version", "fit"),
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
def test_a_pulumi_on_path_is_used_if_its_version_is_fit(
    version: str, environ: dict[str, str], tmp_path: pathlib.Path, *, fit: bool
) -> None:
    """Older ones and another major version are not."""
    pulumi = _pulumi(tmp_path / "path", version)
    assert toolchain.fit_on_path(environ) == (pulumi if fit else None)


def test_a_program_that_fails_tells_no_version(tmp_path: pathlib.Path) -> None:
    """So does one that is not there."""
    assert toolchain.version_of(_program(tmp_path / "pulumi", "exit 3")) is None
    assert toolchain.version_of(tmp_path / "nothing") is None


def test_both_the_program_and_its_launcher_must_be_there(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Dynamic resources need a launcher, beside pulumi or in the cache."""
    pulumi = _pulumi(tmp_path / "path")
    assert toolchain.find(environ) is None
    launcher = _program(tmp_path / "path" / LAUNCHER, "exit 0")
    assert toolchain.find(environ) == toolchain.Toolchain(pulumi, launcher.parent, frozenset())


def test_a_linked_pulumi_has_its_launcher_where_it_really_is(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Package managers link programs into another folder."""
    pulumi = _pulumi(tmp_path / "real")
    launcher = _program(tmp_path / "real" / LAUNCHER, "exit 0")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "pulumi").symlink_to(pulumi)
    found = toolchain.find(environ)
    assert found is not None
    assert found.launcher_folder == launcher.parent


def test_set_up_uses_what_is_on_path_and_writes_the_launcher(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """What it made is found from then on; a plugin that cannot be had is told, and is no error."""
    pulumi = _pulumi(tmp_path / "path")
    told: list[str] = []
    made = toolchain.setup(told.append, environ)
    assert made == toolchain.Toolchain(pulumi, _installed(tmp_path), frozenset())
    launcher = _installed(tmp_path) / LAUNCHER
    assert launcher.read_text("utf-8").splitlines()[1] == 'exec "${PULUMI_PYTHON_CMD:-python3}" -u -m pulumi.dynamic "$@"'
    assert stat.S_IMODE(launcher.stat().st_mode) == 0o755
    assert "installing the official civo plugin 2.4.8" in told
    assert "  not possible here; against the sandbox, its stand-in serves" in told
    assert toolchain.find(environ) == made


def test_set_up_says_nothing_where_all_is_there(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """A second run needs nothing, no network included."""
    _pulumi(tmp_path / "path")
    _program(tmp_path / "path" / LAUNCHER, "exit 0")
    for name, version in providers.plugins().items():
        (tmp_path / "pulumi-home" / "plugins" / f"resource-{name}-v{version}").mkdir(parents=True)
    told: list[str] = []
    assert toolchain.setup(told.append, environ).plugins == frozenset(providers.plugins())
    assert told == []


def test_a_plugin_counts_in_its_version_or_on_path(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Another version in Pulumi's folder is not the one that the modules are written for."""
    plugins = tmp_path / "pulumi-home" / "plugins"
    (plugins / "resource-civo-v1.0.0").mkdir(parents=True)
    assert toolchain.installed_plugins(environ) == frozenset()
    _program(tmp_path / "path" / "pulumi-resource-digitalocean", "exit 0")
    assert toolchain.installed_plugins(environ) == {"digitalocean"}
    (plugins / f"resource-civo-v{providers.plugins()['civo']}").mkdir()
    assert toolchain.installed_plugins(environ) == {"civo", "digitalocean"}


def test_pulumis_plugins_are_in_its_home_else_in_the_users() -> None:
    """The variable goes first."""
    assert toolchain.plugin_folder({"PULUMI_HOME": "/p", "HOME": "/h"}) == pathlib.Path("/p/plugins")


def _way(environ: dict[str, str], works: bool, tried: list[str], name: str) -> Any:
    def install(_progress: Any, given: Any) -> None:
        assert given is environ
        tried.append(name)
        if not works:
            raise OSError(f"{name} is not reached")
        _pulumi(pathlib.Path(environ["PLANTON_CACHE_DIR"]) / f"pulumi-{VERSION}" / "bin")

    return install


@pytest.mark.parametrize(("downloads", "builds", "ways"), [(True, True, ["download"]), (False, True, ["download", "build"])])
def test_the_ways_to_install_are_tried_in_turn(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, ways: list[str], *, downloads: bool, builds: bool
) -> None:
    """The first that works is enough, and each one that does not is told."""
    tried: list[str] = []
    monkeypatch.setattr(toolchain, "_download", _way(environ, downloads, tried, "download"))
    monkeypatch.setattr(toolchain, "_build", _way(environ, builds, tried, "build"))
    told: list[str] = []
    made = toolchain.setup(told.append, environ)
    assert tried == ways
    assert made.pulumi.is_file()
    assert ("  not possible here: download is not reached" in told) is not downloads


def test_no_way_at_all_names_each_with_its_reason(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The user learns what was tried and what would do."""
    tried: list[str] = []
    monkeypatch.setattr(toolchain, "_download", _way(environ, False, tried, "download"))
    monkeypatch.setattr(toolchain, "_build", _way(environ, False, tried, "build"))
    with pytest.raises(errors.PlantonError) as caught:
        toolchain.setup(tried.append, environ)
    assert caught.value.reason is errors.Reason.TOOLCHAIN_MISSING
    assert caught.value.message.endswith("the official download: download is not reached; go build: build is not reached")
    assert VERSION in caught.value.hint


def test_a_published_program_is_whole_and_can_be_started(environ: dict[str, str], tmp_path: pathlib.Path) -> None:
    """It is moved into place with its launcher, over whatever was there."""
    new = tmp_path / "new"
    _pulumi(new).chmod(0o644)
    old = _installed(tmp_path)
    old.mkdir(parents=True)
    (old / "rest").write_text("", "utf-8")
    toolchain._publish(new, environ)
    assert sorted(path.name for path in old.iterdir()) == ["pulumi", LAUNCHER]
    assert all(os.access(path, os.X_OK) for path in old.iterdir())
