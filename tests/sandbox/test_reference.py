"""docs/reference/sandbox.md lists every action and fault of the control endpoint."""

from __future__ import annotations

import pathlib
import re

import pytest

from planton_sandbox import faults
from planton_sandbox.clouds.civo import outside as civo
from planton_sandbox.clouds.digitalocean import outside as digitalocean
from planton_sandbox.clouds.gcp import outside as gcp
from planton_sandbox.kubernetes import actions

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference" / "sandbox.md").read_text("utf-8")
ROWS = [
    line.split(" | ") for line in PAGE.partition("## Actions")[2].partition("\n## ")[0].splitlines() if line.startswith("| `")
]
CLOUDS = {"Civo": civo.ACTIONS, "DigitalOcean": digitalocean.ACTIONS, "GKE": gcp.ACTIONS}


def _listed(cloud: str) -> set[str]:
    """Returns the actions of rows that name a cloud or all clouds."""
    return {name for row in ROWS if "all" in row[1] or cloud in row[1] for name in re.findall(r"`([a-z-]+)`", row[0])}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_action_of_a_cloud_is_listed(cloud: str) -> None:
    """Its row names the cloud."""
    assert {*CLOUDS[cloud], *actions.ACTIONS} - _listed(cloud) == set()


def test_every_listed_action_exists() -> None:
    """Some cloud has it."""
    names = {name for row in ROWS for name in re.findall(r"`([a-z-]+)`", row[0])}
    assert names - {"nodes"} == {*actions.ACTIONS}.union(*CLOUDS.values())


@pytest.mark.parametrize("action", faults.ACTIONS)
def test_every_fault_is_listed(action: str) -> None:
    """The row of `action` explains it."""
    assert f"`{action}`:" in PAGE
