"""Progress messages about the events of the engine."""

from __future__ import annotations

import pytest

from planton.cli import render
from planton.schema import references
from support import events

KEY = references.Key("CivoVpc", "dev", "dev-network")


@pytest.mark.parametrize(
    ("op", "expected_text"),
    [
        ("create", "failed creating network"),
        ("delete", "deleting network was not seen to end"),
        ("delete-replaced", "deleting the old network was not seen to end"),
    ],
)
def test_an_unfinished_deletion_is_not_reported_as_failed(
    op: str, expected_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plugin stopped waiting, and the cloud often reports the resource as deleted."""
    report = render.Reporter()
    report(KEY, events.begins(op, events.NETWORK, "network", old={}))
    report(KEY, events.failed(op, events.NETWORK, "network"))
    assert capsys.readouterr().err == f"  dev-network: {expected_text} (0.0 s)\n"
