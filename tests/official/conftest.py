"""Fixtures: the official plugin and the cloud's own command line, where this machine has them."""

from __future__ import annotations

import pathlib

import pytest

from support import official


@pytest.fixture(scope="session")
def plugin() -> pathlib.Path:
    """The folder of the official plugin."""
    folder = official.plugin_folder()
    if folder is None:
        pytest.skip(
            f"no official plugin: Pulumi's plugin folder has no {official.PLUGIN}, "
            "and PLANTON_OFFICIAL_PLUGIN_HOME names no Pulumi home that has it"
        )
    return folder


@pytest.fixture(scope="session")
def command_line() -> pathlib.Path:
    """The `civo` command line."""
    executable = official.command_line()
    if executable is None:
        pytest.skip("no civo command line: it is not on PATH, and PLANTON_CIVO_CLI names none")
    return executable
