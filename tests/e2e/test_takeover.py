"""What one machine was killed at, another one finishes: they share the backend, and no folder."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

import pytest

from support import controllers, machines, matrix_world, waiting
from support import planton as support

#: The path of requests that create node pools.
POOLS = {"civo": "/pools$", "digitalocean": "/node_pools$"}


@pytest.mark.parametrize("cloud", ["civo", "digitalocean"])
def test_an_apply_that_was_killed_in_a_create_call_is_finished_by_another_machine(tmp_path: pathlib.Path, cloud: str) -> None:
    """The second machine proves from the state that the cluster is the interrupted apply's, and adopts it."""
    world = matrix_world.CLOUDS[cloud]
    with support.using(tmp_path / "user") as user:
        first, second = (machines.Machine(name, user) for name in ("machine-a", "machine-b"))
        network, cluster = user.write("network.yaml", world.network), user.write("cluster.yaml", world.cluster)
        first.run("apply", "-f", network, "--yes")
        user.sandbox.control.fault(action="hold", cloud=cloud, method="POST", path="/kubernetes/clusters$")
        running = first.start("apply", "-f", cluster, "--yes")
        waiting.until(user.sandbox.control.struck, "the request to be held")
        machines.fail(first, running)
        user.sandbox.control.clear_faults()
        waiting.until(lambda: user.sandbox.control.resources(cloud)["clusters"], "the cloud to create the cluster")
        [created] = user.sandbox.control.resources(cloud)["clusters"]

        name = f"planton/dev.{world.cluster['kind']}.dev"
        second.run("state", "unlock", "--stack", name, "--yes")
        done = second.run("apply", "-f", cluster, "--yes")
        assert f"adopting {created['id']}" in done.stderr
        assert [each["id"] for each in user.sandbox.control.resources(cloud)["clusters"]] == [created["id"]]
        assert "no changes" in second.run("plan", "-f", cluster).stdout
        # The first machine comes back: what it knew proves nothing any longer.
        back = first.run("plan", "-f", cluster)
        assert "no changes" in back.stdout
        assert "looking at the cloud" not in back.stderr


@contextlib.contextmanager
def _controller(world: controllers.World, machine: machines.Machine) -> Iterator[None]:
    log = world.user.folder / f"{machine.name}.log"
    with log.open("w", encoding="utf-8") as file:
        running = machine.start("controller", "run", "--server", world.server.url, "--interval", "2", stderr=file)
    try:
        yield
    finally:
        machines.fail(machine, running)


@pytest.mark.parametrize("cloud", ["civo", "digitalocean"])
def test_a_controller_that_was_killed_in_a_create_call_is_continued_on_another_machine(
    tmp_path: pathlib.Path, cloud: str
) -> None:
    """Its lock in the backend is removed, because the lease has ended; the pool is adopted, and there is only one."""
    with controllers.world(tmp_path, cloud) as world:
        first, second = (machines.Machine(name, world.user) for name in ("machine-a", "machine-b"))
        with _controller(world, first):
            cluster = world.create_cluster()
            world.until_ready(f"/clusters/{cluster}")
            world.control.fault(action="hold", cloud=cloud, method="POST", path=POOLS[cloud])
            path = f"/nodepools/{world.create_pool(cluster)}"
            waiting.until(world.control.struck, "the request to be held")
        world.control.clear_faults()
        with _controller(world, second):
            world.until_ready(path)
            assert len(world.nodes("nodepool=workers")) == 2
            requests = [each for each in world.control.requests(0, cloud) if each["method"] == "POST"]
            assert sum(each["path"].partition("?")[0].endswith(POOLS[cloud].rstrip("$")) for each in requests) == 1
        assert "CONFLICT" not in (world.user.folder / "machine-b.log").read_text("utf-8")
