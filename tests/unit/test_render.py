"""Progress: what is said of the engine's events."""

from __future__ import annotations

import pytest

from planton.cli import render
from planton.schema import references
from support import events

KEY = references.Key("CivoVpc", "dev", "dev-network")


@pytest.mark.parametrize(
    ("op", "said"),
    [
        ("create", "failed creating network"),
        ("delete", "deleting network was not seen to end"),
        ("delete-replaced", "deleting the old network was not seen to end"),
    ],
)
def test_a_deletion_that_a_plugin_gives_up_is_not_said_to_have_failed(
    op: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cloud, which is asked next, mostly says that the resource is gone."""
    report = render.Reporter()
    report(KEY, events.begins(op, events.NETWORK, "network", old={}))
    report(KEY, events.failed(op, events.NETWORK, "network"))
    assert capsys.readouterr().err == f"  dev-network: {said} (0.0 s)\n"
