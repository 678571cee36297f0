"""Runs over several resources, without an engine."""

from __future__ import annotations

import pathlib

import pytest

from planton import errors, flow
from planton.engine import inventory, journal, settings, stacks, toolchain
from planton.runs import run
from support import mocks


@pytest.fixture
def chosen(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    """The settings of a machine on which nothing is applied."""
    monkeypatch.setattr(inventory.Inventory, "is_applied", lambda *_given: False)
    return settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})


def _left(chosen: settings.Settings) -> tuple[run.Run, journal.Journal]:
    manifest = mocks.target("CivoVpc", {"networkName": "net"}, name="net", env="dev")
    records = journal.Journal(chosen.data, chosen.backend_url, stacks.name_of(manifest))
    records.write(journal.Record("destroy", 1.0))
    tools = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())
    return run.Run([flow.Wanted(manifest, None, "net.yaml")], chosen, tools), records


def test_a_destroy_of_what_is_gone_leaves_no_record(chosen: settings.Settings) -> None:
    """The one before was killed after its last deletion; nothing is left that could be recovered."""
    destroying, records = _left(chosen)
    assert destroying.plan_destroy() == []
    assert records.read() is None


def test_the_record_of_a_first_apply_that_goes_on_stays(chosen: settings.Settings) -> None:
    """Its stack may not be in the backend yet."""
    destroying, records = _left(chosen)
    with records.hold("apply", chosen), pytest.raises(errors.PlantonError, match="apply by"):
        destroying.plan_destroy()
    assert records.read() is not None
