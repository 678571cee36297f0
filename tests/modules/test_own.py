"""What a stack has: as the engine says, or who has read the state before."""

from __future__ import annotations

from typing import Any

import pytest

from planton.modules import own

TYPE = "civo:index/kubernetesCluster:KubernetesCluster"
CLUSTER: dict[str, Any] = {"type": TYPE, "outputs": {"id": "c-1", "name": "dev"}}
OTHER: dict[str, Any] = {"type": "civo:index/network:Network", "outputs": {"id": "n-1"}}
UNMADE: dict[str, Any] = {"type": TYPE}


@pytest.mark.parametrize(
    ("deployment", "found"),
    [({"resources": [UNMADE, OTHER, CLUSTER]}, CLUSTER["outputs"]), ({"resources": [OTHER, UNMADE]}, None), ({}, None)],
)
def test_what_was_read_before_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, deployment: dict[str, Any], found: dict[str, Any] | None
) -> None:
    """The engine writes the state while the program runs."""
    monkeypatch.setattr(own, "_resources_of", lambda _name: pytest.fail("asked"))
    with own.state(deployment):
        assert own.resource(TYPE) == found


@pytest.mark.parametrize("failures", [0, 1, 5])
def test_half_a_state_is_read_again(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    """Where nobody has read it, as in a project of the user's own; for a moment, and not for ever."""
    left = [failures]

    def ask(_name: str) -> list[dict[str, Any]]:
        left[0] -= 1
        if left[0] >= 0:
            raise Exception("failed to load checkpoint: EOF")  # noqa: TRY002  # so does Pulumi
        return [CLUSTER]

    waited: list[float] = []
    monkeypatch.setattr(own, "_resources_of", ask)
    with own.state(None):
        assert own.resource(TYPE, wait=waited.append) == CLUSTER["outputs"]
        assert waited == list(own._WAITS[:failures])
        left[0] = 99
        with pytest.raises(Exception, match="EOF"):
            own.resource(TYPE, wait=waited.append)
