"""Resources of the own stack, from the engine or from a state that was read earlier."""

from __future__ import annotations

from typing import Any

import pytest

from planton.modules import own
from support import mocks

TYPE = "civo:index/kubernetesCluster:KubernetesCluster"
CLUSTER: dict[str, Any] = {"type": TYPE, "outputs": {"id": "c-1", "name": "dev"}}
OTHER: dict[str, Any] = {"type": "civo:index/network:Network", "outputs": {"id": "n-1"}}
INCOMPLETE: dict[str, Any] = {"type": TYPE}


class _Reading(mocks.Civo):
    """A cloud whose engine has a cluster in its state, and fails so many reads of it."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def own_cluster(self) -> dict[str, Any] | None:
        """Returns the properties of the cluster, or fails."""
        self.failures -= 1
        if self.failures >= 0:
            raise mocks.FailedCallError("failed to load checkpoint: EOF")
        return {"id": "c-1", "name": "dev"}


@pytest.mark.parametrize(
    ("deployment", "outputs"),
    [({"resources": [INCOMPLETE, OTHER, CLUSTER]}, CLUSTER["outputs"]), ({"resources": [OTHER, INCOMPLETE]}, None), ({}, None)],
)
def test_a_state_that_was_read_earlier_is_not_read_again(deployment: dict[str, Any], outputs: dict[str, Any] | None) -> None:
    """The engine rewrites the state while the program runs. No engine answers here."""
    with own.state(deployment):
        assert own.resource(TYPE) == outputs


@pytest.mark.parametrize("failures", [0, 1, 5])
def test_reading_a_half_written_state_is_retried(failures: int) -> None:
    """A standalone project reads the state itself. The number of retries is limited."""
    waits: list[float] = []
    results: list[Any] = []
    mocks.record(lambda: results.append(own.resource(TYPE, wait=waits.append)), cloud=_Reading(failures))
    assert results == [CLUSTER["outputs"]]
    assert waits == list(own.WAITS[:failures])
    with pytest.raises(Exception, match="EOF"):
        mocks.record(lambda: results.append(own.resource(TYPE, wait=waits.append)), cloud=_Reading(len(own.WAITS) + 1))
