"""Resources of the own stack, from the engine or from a state that was read earlier."""

from __future__ import annotations

from typing import Any

import pytest

from planton.modules import own

TYPE = "civo:index/kubernetesCluster:KubernetesCluster"
CLUSTER: dict[str, Any] = {"type": TYPE, "outputs": {"id": "c-1", "name": "dev"}}
OTHER: dict[str, Any] = {"type": "civo:index/network:Network", "outputs": {"id": "n-1"}}
INCOMPLETE: dict[str, Any] = {"type": TYPE}


@pytest.mark.parametrize(
    ("deployment", "outputs"),
    [({"resources": [INCOMPLETE, OTHER, CLUSTER]}, CLUSTER["outputs"]), ({"resources": [OTHER, INCOMPLETE]}, None), ({}, None)],
)
def test_a_state_that_was_read_earlier_is_not_read_again(
    monkeypatch: pytest.MonkeyPatch, deployment: dict[str, Any], outputs: dict[str, Any] | None
) -> None:
    """The engine rewrites the state while the program runs."""
    monkeypatch.setattr(own, "_resources_of", lambda _name: pytest.fail("the state was read"))
    with own.state(deployment):
        assert own.resource(TYPE) == outputs


@pytest.mark.parametrize("failures", [0, 1, 5])
def test_reading_a_half_written_state_is_retried(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    """A standalone project reads the state itself. The number of retries is limited."""
    remaining = [failures]

    def read(_name: str) -> list[dict[str, Any]]:
        remaining[0] -= 1
        if remaining[0] >= 0:
            raise Exception("failed to load checkpoint: EOF")  # noqa: TRY002  # Pulumi raises it
        return [CLUSTER]

    waits: list[float] = []
    monkeypatch.setattr(own, "_resources_of", read)
    with own.state(None):
        assert own.resource(TYPE, wait=waits.append) == CLUSTER["outputs"]
        assert waits == list(own._WAITS[:failures])
        remaining[0] = 99
        with pytest.raises(Exception, match="EOF"):
            own.resource(TYPE, wait=waits.append)
