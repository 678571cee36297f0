"""Nodes that leave: by a replacement, a lower number, a failure or a deletion, with a server, controllers, Pulumi and the sandbox."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from planton import clouds
from planton.clouds import kubeconfigs, kubernetes
from planton.config import credentials
from planton.recovery import observed
from support import controllers, waiting
from support.kubernetes import APPS, POLICY, deployment

#: Each test takes minutes: `make matrix` runs them.
pytestmark = pytest.mark.matrix

CLOUDS = ("civo", "digitalocean")
#: Deletions in the cloud: a node, and a pool.
REMOVALS = "/(instances|nodes)/"


def _api(world: controllers.World) -> kubernetes.Api:
    config = credentials.from_environment(world.cloud, world.user.environ)
    [cluster] = world.clusters()
    credential = clouds.of(config, controllers.REGIONS[world.cloud]).credential(cluster["id"])
    assert credential is not None
    return kubernetes.Api(kubeconfigs.parse(credential.kubeconfig))


def _deploy(api: kubernetes.Api, replicas: int, **spec: Any) -> None:
    body = deployment("web", replicas, nodeSelector={"nodepool": "workers"}, **spec)
    api.create(f"{APPS}/deployments", body)


def _running(api: kubernetes.Api) -> list[str]:
    """Returns the nodes of the pods that are ready and not being deleted."""
    return [pod["spec"]["nodeName"] for pod in api.list("/api/v1/namespaces/default/pods") if _is_ready(pod)]


def _is_ready(pod: Any) -> bool:
    listed = pod.get("status", {}).get("conditions", ())
    is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in listed)
    return is_ready and "deletionTimestamp" not in pod["metadata"]


def _nodes(world: controllers.World) -> list[str]:
    return [name.removeprefix("node/") for name in world.nodes("nodepool=workers")]


def _pools(world: controllers.World) -> dict[str, tuple[str, int]]:
    """Returns the pools of the cluster: name → size and number of nodes."""
    config = credentials.from_environment(world.cloud, world.user.environ)
    [cluster] = clouds.of(config, controllers.REGIONS[world.cloud]).clusters()
    return {str(each.get("name") or each["id"]): (each["size"], int(each["count"])) for each in observed.pools_of(cluster)}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_another_machine_size_replaces_nodes_one_by_one(tmp_path: pathlib.Path, cloud: str) -> None:
    """The budget that blocks is named, workloads keep running, and the new pool is the pool: it scales, and goes in the end."""
    with controllers.world(tmp_path, cloud, "--with-controllers") as world:
        cluster = world.create_cluster()
        pool = world.create_pool(cluster)
        path = f"/nodepools/{pool}"
        world.until_ready(path)
        before = set(_nodes(world))
        api = _api(world)
        _deploy(api, 2)
        waiting.until(lambda: len(_running(api)) == 2, "the pods")
        budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}}
        api.create(f"{POLICY}/poddisruptionbudgets", budget)

        world.update_pool(pool, size=controllers.OTHER_SIZES[cloud])
        blocked = "the disruption budget default/web needs 2 healthy pods and has 2: default/web-"
        world.until(path, lambda _: blocked in world.conditions(path)["Progressing"][2], "the budget that blocks")
        assert "step 2 of 3: 1 of 2 nodes are replaced" in world.conditions(path)["Progressing"][2]
        assert len(_running(api)) == 2
        api.merge(f"{POLICY}/poddisruptionbudgets/web", {"spec": {"minAvailable": 1}})
        world.until_ready(path, generation=2)
        waiting.until(lambda: len(_nodes(world)) == 2 and not before & set(_nodes(world)), "the old nodes to go")
        after = set(_nodes(world))
        waiting.until(lambda: set(_running(api)) <= after and len(_running(api)) == 2, "the pods on the new nodes")
        assert _pools(world)["workers-r2"] == (controllers.OTHER_SIZES[cloud], 2)
        assert "workers" not in _pools(world)

        world.update_pool(pool, size=controllers.OTHER_SIZES[cloud], nodeCount=3)
        world.until_ready(path, generation=3)
        waiting.until(lambda: _pools(world)["workers-r2"] == (controllers.OTHER_SIZES[cloud], 3), "three nodes of the new pool")
        # Its budget would hold the last pod, and so the deletion, for as long as a drain may last.
        api.merge(f"{POLICY}/poddisruptionbudgets/web", {"spec": {"minAvailable": 0}})
        world.server.call("DELETE", path)
        world.until_gone(path)
        assert not any(name.startswith("workers") for name in _pools(world))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_fewer_nodes_drain_the_emptiest_first_and_take_exactly_that_one(tmp_path: pathlib.Path, cloud: str) -> None:
    """Whatever the cloud would choose by itself. The state agrees afterwards: nothing is left to do."""
    with controllers.world(tmp_path, cloud, "--with-controllers") as world:
        cluster = world.create_cluster()
        pool = world.create_pool(cluster, nodeCount=3)
        path = f"/nodepools/{pool}"
        world.until_ready(path)
        api = _api(world)
        _deploy(api, 2, cpu="600m", affinity=_apart())
        waiting.until(lambda: len(set(_running(api))) == 2, "the pods on two nodes")
        busy = set(_running(api))
        mark = world.control.mark()
        world.update_pool(pool, nodeCount=2)
        world.until_ready(path, generation=2)
        waiting.until(lambda: set(_nodes(world)) == busy, "the empty node to go")
        removals = [each for each in world.control.requests(mark, cloud) if each["method"] == "DELETE"]
        assert len(removals) == 1
        assert set(_running(api)) == busy


def _apart() -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_a_node_that_is_not_ready_is_replaced(tmp_path: pathlib.Path) -> None:
    """One that was lost; the others stay, and the count does."""
    # The times of the cluster and of the controllers are compared.
    with controllers.world(tmp_path, "civo", "--with-controllers", speed=1) as world:
        cluster = world.create_cluster()
        pool = world.create_pool(cluster, nodeCount=3, lifecycle={"unhealthyAfter": "1s", "rollout": {"drainTimeout": "1s"}})
        path = f"/nodepools/{pool}"
        world.until_ready(path)
        before = _nodes(world)
        world.control.outside("node", cloud="civo", cluster="production", node=before[0], ready=False, unreachable=True)
        world.until(path, lambda _: "Remediating" in json.dumps(world.conditions(path)), "the remediation")

        def healed() -> bool:
            names = _nodes(world)
            return len(names) == 3 and before[0] not in names and set(before[1:]) < set(names)

        waiting.until(healed, "a new node in its place")
        world.until_ready(path)
