"""The stand-in for DigitalOcean and the official plugin: equal plans, requests and states."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import comparing, official
from support import digitalocean_manifests as manifests

pytestmark = pytest.mark.official

CLOUD = "digitalocean"
CLUSTERS = "/v2/kubernetes/clusters"
TAINT = {"key": "a", "value": "b", "effect": "NoSchedule"}
DEFAULT = {"size": "s-1vcpu-2gb", "nodeCount": 1}
EXTRA = {"name": "extra", "size": "s-2vcpu-2gb", "nodeCount": 1, "taints": [TAINT], "tags": ["team:b"]}


@dataclasses.dataclass
class World:
    """The current manifests of one of the two users."""

    user: official.User
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=dict)
    burst: dict[str, Any] = dataclasses.field(default_factory=lambda: {"autoScale": True, "minNodes": 1, "maxNodes": 5})

    def run(self, *arguments: str) -> tuple[int, Any]:
        """Runs a command on all manifests, and returns exit code and JSON output, or else stderr."""
        environment = (
            manifests.network(**self.network),
            manifests.cluster(**self.cluster),
            manifests.pool(**self.pool),
            manifests.pool("burst", **self.burst),
        )
        file = self.user.write("all.yaml", *environment)
        completed = self.user.run(*arguments, "-f", file, "--output", "json", code=None)
        return completed.returncode, json.loads(completed.stdout) if completed.stdout else completed.stderr

    def outside(self, action: str, **body: Any) -> None:
        """Changes the cluster outside of planton."""
        self.user.sandbox.control.outside(action, cloud=CLOUD, cluster="dev", **body)

    def fault(self, method: str, path: str, *, times: int = 1) -> None:
        """Lets requests of the cloud fail."""
        self.user.sandbox.control.fault(method=method, path=path, action="status", status=500, times=times)


def create(world: World) -> Any:
    return world.run("apply", "--yes")


def plan_without_changes(world: World) -> Any:
    return world.run("plan")


def refresh(world: World) -> Any:
    return world.run("refresh")


def change(world: World) -> Any:
    world.network = {"description": "changed"}
    default = DEFAULT | {"nodeCount": 2, "labels": {"of": "default"}}
    world.cluster |= {"defaultNodePool": default, "tags": ["team:a"], "maintenanceWindow": "monday=03:00"}
    world.pool = {"labels": {"tier": "web"}, "taints": [TAINT], "tags": ["Web", "api"], "nodeCount": 5}
    return world.run("apply", "--yes")


def remove_fields(world: World) -> Any:
    world.cluster |= {"defaultNodePool": DEFAULT | {"nodeCount": 2}, "tags": [], "controlPlaneFirewallAllowedIps": []}
    world.pool = {"nodeCount": 5}
    return world.run("apply", "--yes")


def autoscale(world: World) -> Any:
    world.outside("load", pool="burst", nodes=4)
    world.user.sandbox.control.advance(600)
    before = world.run("drift")
    world.burst |= {"labels": {"tier": "burst"}}
    return before, world.run("apply", "--yes")


def upgrade(world: World) -> Any:
    world.cluster |= {"kubernetesVersion": "1.34.0-do.0"}
    return world.run("apply", "--yes")


def drift(world: World) -> Any:
    world.outside("scale", pool="workers", count=2)
    world.outside("scale", pool="default", count=3)
    return world.run("drift")


def repair(world: World) -> Any:
    return world.run("apply", "--yes", "--refresh")


def plan_replacements(world: World) -> Any:
    other = DEFAULT | {"size": "s-2vcpu-2gb"}
    changed = World(world.user, world.network, world.cluster | {"defaultNodePool": other}, world.pool, world.burst)
    return changed.run("plan")


def fail_read(world: World) -> Any:
    world.fault("GET", f"{CLUSTERS}/[^/]+$", times=0)
    result = world.run("refresh")
    world.user.sandbox.control.clear_faults()
    return result


def fail_update(world: World) -> Any:
    world.fault("PUT", f"{CLUSTERS}/[^/]+/node_pools/[^/]+$")
    before = world.pool
    world.pool = before | {"nodeCount": 4}
    result = world.run("apply", "--yes")
    world.pool = before
    return result, world.run("apply", "--yes")


def lose_pool(world: World) -> Any:
    world.outside("delete-pool", pool="workers")
    return world.run("drift"), world.run("refresh"), world.run("plan")


def destroy(world: World) -> Any:
    return world.run("destroy", "--yes")


STEPS: list[Callable[[World], Any]] = [
    create,
    plan_without_changes,
    refresh,
    change,
    refresh,
    remove_fields,
    refresh,
    plan_without_changes,
    autoscale,
    upgrade,
    drift,
    repair,
    plan_replacements,
    fail_read,
    fail_update,
    lose_pool,
    destroy,
]


@pytest.fixture(scope="module")
def worlds(digitalocean_plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """A user with the plugin and one with the stand-in. The steps run in order."""
    with official.pair(tmp_path_factory.mktemp("stand-in"), digitalocean_plugin, cloud=CLOUD) as (real, stand_in):
        yield World(real), World(stand_in)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_stand_in_behaves_like_the_plugin(step: Callable[[World], Any], worlds: tuple[World, World]) -> None:
    """Outputs, requests and states are equal, except for ids, times, addresses and names of nodes."""
    real, stand_in = (comparing.effects(world.user, functools.partial(step, world)) for world in worlds)
    differences = comparing.differences(real, stand_in)
    assert not differences, "\n".join(differences)
