"""Autoscaled pools of the API: under load, and without it, with a server, controllers, Pulumi and the sandbox."""

from __future__ import annotations

import pathlib

import pytest

from support import controllers, waiting

#: Cores of a node.
CORES = {"civo": 1, "digitalocean": 2}


@pytest.mark.parametrize("cloud", controllers.SIZES)
def test_the_controller_follows_load_pending_pods_and_bounds(tmp_path: pathlib.Path, cloud: str) -> None:
    """One autoscaler works on the pool: neither the cloud's nor one in the cluster."""
    scaled = {
        "enabled": True,
        "minNodes": 1,
        "maxNodes": 3,
        "targetCPUUtilization": 50,
        "scaleUpDelay": "1s",
        "scaleDownDelay": "2s",
    }
    with controllers.world(tmp_path, cloud, "--with-controllers") as world:
        cluster = world.create_cluster()
        pool = world.create_pool(cluster, nodeCount=1, autoscaling=scaled)
        path = f"/nodepools/{pool}"
        world.until_ready(path)

        world.control.outside("load", cloud=cloud, cluster="production", pool="workers", cpu=str(CORES[cloud] * 0.9))
        waiting.until(lambda: len(world.nodes("nodepool=workers")) == 2, "a second node under load")
        active = world.until(path, lambda _: world.conditions(path)["ScalingActive"][0] == "True", "an active autoscaler")
        assert active["status"]["phase"] == "Ready"

        world.control.outside("load", cloud=cloud, cluster="production", pool="workers")
        waiting.until(lambda: len(world.nodes("nodepool=workers")) == 1, "one node without load")

        demand = {"name": "batch", "replicas": 5, "cpu": f"{CORES[cloud] * 600}m", "nodeSelector": {"nodepool": "workers"}}
        world.control.outside("demand", cloud=cloud, cluster="production", **demand)
        waiting.until(lambda: len(world.nodes("nodepool=workers")) == 3, "nodes for pending pods, up to the bound")
        world.until(path, lambda _: world.conditions(path)["ScalingLimited"][:2] == ("True", "TooManyReplicas"), "the limit")

        world.control.outside("demand", cloud=cloud, cluster="production", name="batch", replicas=0)
        world.update_pool(pool, nodeCount=1, autoscaling={**scaled, "maxNodes": 2, "scaleDownDelay": "24h"})
        waiting.until(lambda: len(world.nodes("nodepool=workers")) == 2, "the new bound, without the delay")
        [entry] = [each for each in world.clusters()[0]["pools"] if "workers" in (each.get("id"), each.get("name"))]
        assert not entry.get("auto_scale")
