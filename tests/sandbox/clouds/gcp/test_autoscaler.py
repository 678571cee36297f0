"""The autoscaler of the simulated GKE follows the pods of a cluster, too."""

from __future__ import annotations

from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.gcp import cloud
from planton_sandbox.kubernetes import actions, reads, simulation

PLACE = "projects/sandbox-project/locations/us-central1"


class Scene:
    """A cluster with an autoscaled pool of two nodes with two cores each, without sockets, at a clock that moves."""

    def __init__(self) -> None:
        """Creates it, ready."""
        self.cloud = cloud.Gcp(pace=clock.Pace(), reserve_port=lambda: 1)
        self.now = 1_800_000_000.0
        zones = ["us-central1-a", "us-central1-b"]
        self.call(f"{PLACE}/clusters", {"cluster": {"name": "c1", "initialNodeCount": 1, "locations": zones}})
        scaling = {"enabled": True, "totalMinNodeCount": 2, "totalMaxNodeCount": 5}
        pool = {"name": "burst", "initialNodeCount": 1, "config": {"labels": {"pool": "burst"}}, "autoscaling": scaling}
        self.call(f"{PLACE}/clusters/c1/nodePools", {"nodePool": pool})
        self.state = simulation.Simulation(first=1)
        self.look()

    def call(self, path: str, body: dict[str, Any]) -> None:
        """Sends a POST and lets its operation end."""
        request = wire.Request(method="POST", path=f"/v1/{path}", query={}, body=body, token="sandbox-token", now=self.now)
        assert self.cloud.handle(request).status == 200
        self.now += 10
        self.cloud.settle(self.now)

    def look(self, seconds: float = 0) -> int:
        """Advances the clock, reads the Kubernetes API, and returns the number of nodes of the pool."""
        self.now += seconds
        self.cloud.settle(self.now)
        cluster = self._cluster()
        self.state.settle(cluster, now=self.now, latency=clock.INSTANT)
        self.cloud.reflect(cluster.id, self.state.workload(), now=self.now)
        return sum(node.pool == "burst" for node in self._cluster().nodes)

    def demand(self, replicas: int) -> None:
        """Creates pods of 1.5 cores for the pool."""
        body = {"name": "batch", "replicas": replicas, "cpu": "1500m", "nodeSelector": {"pool": "burst"}}
        actions.act(reads.View(self._cluster(), self.state, self.now), "demand", body)

    def _cluster(self) -> Any:
        return self.cloud.kubernetes(client="127.0.0.1", now=self.now)[0]


def test_pending_pods_add_nodes_within_the_bounds() -> None:
    """Four pods need four nodes, and there may be five."""
    scene = Scene()
    assert scene.look() == 2
    scene.demand(4)
    scene.look()
    assert scene.look(60) == 4
    scene.demand(9)
    scene.look()
    assert scene.look(60) == 5


def test_an_unneeded_node_is_removed_after_ten_minutes() -> None:
    """One at a time, down to the bound."""
    scene = Scene()
    scene.demand(3)
    scene.look()
    assert scene.look(60) == 3
    scene.demand(0)
    scene.look()
    assert scene.look(590) == 3
    scene.look(20)
    assert scene.look(1) == 2
    scene.look(610)
    assert scene.look(610) == 2
