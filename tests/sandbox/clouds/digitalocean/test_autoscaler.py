"""The autoscaler of the simulated DigitalOcean follows the pods of a cluster, not a number that somebody sets."""

from __future__ import annotations

from typing import Any

import pytest

from planton_sandbox.kubernetes import actions, reads, simulation
from support.digitalocean import CLUSTERS, SMALL, Cloud, states

#: A node of SMALL has two cores.
SCALED = {"auto_scale": True, "min_nodes": 1, "max_nodes": 4}


class Scene:
    """A cluster with an autoscaled pool of one node, `burst`, beside a fixed one."""

    def __init__(self, latency: str = "instant", **settings: Any) -> None:
        """Creates it, ready."""
        self.cloud = Cloud(latency)
        self.key = self.cloud.cluster(**({"cluster_autoscaler_configuration": settings} if settings else {}))
        self.cloud.pass_time(1000)
        self.pool = self.cloud.add_pool(self.key, "burst", labels={"pool": "burst"}, **SCALED)
        self.cloud.pass_time(1000)
        self.state = simulation.Simulation(first=1)
        self.look()

    def look(self, seconds: float = 0) -> int:
        """Advances the clock, reads the Kubernetes API, and returns the number of nodes of the pool."""
        self.cloud.pass_time(seconds)
        self.state.settle(self.cloud.kubernetes(self.key), now=self.cloud.now, latency=self.cloud.pace.latency)
        self.cloud.cloud.reflect(self.key, self.state.workload(), now=self.cloud.now)
        return int(self.cloud.pool(self.key, self.pool)["count"])

    def demand(self, replicas: int, cpu: str = "1500m", **more: Any) -> None:
        """Creates pods for the pool."""
        view = reads.View(self.cloud.kubernetes(self.key), self.state, self.cloud.now)
        body = {"name": "batch", "replicas": replicas, "cpu": cpu, "nodeSelector": {"pool": "burst"}, **more}
        actions.act(view, "demand", body)


def test_it_adds_the_nodes_that_pending_pods_need_once() -> None:
    """Three pods of 1.5 cores need three nodes, also while the new ones come up."""
    scene = Scene("realistic")
    scene.demand(3)
    scene.look()
    assert scene.look(29) == 1
    assert scene.look(2) == 3
    for _ in range(5):
        assert scene.look(20) == 3
    assert states(scene.cloud.pool(scene.key, scene.pool)) == ["running"] * 3
    assert all(node.ready for node in scene.cloud.kubernetes(scene.key).nodes)


def test_it_stays_within_the_bounds() -> None:
    """Nine pods need nine nodes, and there may be four."""
    scene = Scene()
    scene.demand(9)
    scene.look()
    for _ in range(5):
        scene.look(60)
    assert scene.look() == 4


@pytest.mark.parametrize("odd", [{"cpu": "3"}, {"nodeSelector": {"pool": "other"}}])
def test_pods_that_a_new_node_could_not_run_add_none(odd: dict[str, Any]) -> None:
    """They stay pending."""
    scene = Scene()
    scene.demand(2, **odd)
    scene.look()
    assert scene.look(60) == 1


def test_it_removes_an_unneeded_node_after_the_unneeded_time() -> None:
    """By default after ten minutes below half of its CPU and memory, one at a time."""
    scene = Scene()
    scene.demand(3)
    scene.look()
    assert scene.look(60) == 3
    scene.demand(0)
    scene.look()
    assert scene.look(590) == 3
    assert scene.look(20) == 2
    scene.look()
    assert scene.look(610) == 1
    scene.look()
    assert scene.look(3600) == 1


def test_the_settings_of_the_cluster_count() -> None:
    """A node whose pods request 37 % is unneeded below 0.4, and not below 0.3; the time is the cluster's, too."""
    for threshold, size in ((0.4, 1), (0.3, 2)):
        scene = Scene(scale_down_utilization_threshold=threshold, scale_down_unneeded_time="1m0s")
        scene.demand(2)
        scene.look()
        assert scene.look(60) == 2
        scene.demand(0)
        scene.look()
        scene.demand(2, cpu="740m")
        scene.look()
        assert scene.look(50) == 2
        assert scene.look(20) == size


def test_a_node_whose_pods_fit_nowhere_else_stays() -> None:
    """However little it is used."""
    scene = Scene(scale_down_utilization_threshold=1.0, scale_down_unneeded_time="1s")
    scene.demand(2, cpu="1100m")
    scene.look()
    assert scene.look(60) == 2
    assert scene.look(3600) == 2


@pytest.mark.parametrize(
    "settings",
    [{"scale_down_utilization_threshold": 1.5}, {"scale_down_unneeded_time": "soon"}, {"expanders": ["cheapest"]}],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    """By the API, before anything is created."""
    body = {"name": "c1", "region": "fra1", "version": "1.33.1-do.0", "node_pools": [{"name": "a", "size": SMALL, "count": 1}]}
    assert Cloud().refused("POST", CLUSTERS, body | {"cluster_autoscaler_configuration": settings})[0] == 422
