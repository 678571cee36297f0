"""Fixtures for the official plugins and the clouds' command lines, if they are installed."""

from __future__ import annotations

import pathlib

import pytest

from support import official


def _plugin(cloud: str) -> pathlib.Path:
    folder = official.plugin_folder(cloud)
    if folder is None:
        pytest.skip(
            f"no official plugin: Pulumi's plugin folder has no {official.plugin_name(cloud)}, "
            "and PLANTON_OFFICIAL_PLUGIN_HOME names no Pulumi home that has it"
        )
    return folder


def _command_line(cloud: str) -> pathlib.Path:
    executable = official.command_line(cloud)
    if executable is None:
        name, variable = official.COMMAND_LINES[cloud]
        pytest.skip(f"no {name} command line: it is not on PATH, and {variable} names none")
    return executable


@pytest.fixture(scope="session")
def plugin() -> pathlib.Path:
    """The folder of the official plugin for Civo."""
    return _plugin("civo")


@pytest.fixture(scope="session")
def digitalocean_plugin() -> pathlib.Path:
    """The folder of the official plugin for DigitalOcean."""
    return _plugin("digitalocean")


@pytest.fixture(scope="session")
def gcp_plugin() -> pathlib.Path:
    """The folder of the official plugin for Google Cloud."""
    return _plugin("gcp")


@pytest.fixture(scope="session")
def command_line() -> pathlib.Path:
    """The `civo` command line."""
    return _command_line("civo")


@pytest.fixture(scope="session")
def doctl() -> pathlib.Path:
    """The `doctl` command line."""
    return _command_line("digitalocean")
