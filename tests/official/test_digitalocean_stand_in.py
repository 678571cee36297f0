"""The stand-in for DigitalOcean beside the official plugin: the same commands give the same plans, requests and states."""

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
    """What one of the two users wants at the moment."""

    user: official.User
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=dict)
    burst: dict[str, Any] = dataclasses.field(default_factory=lambda: {"autoScale": True, "minNodes": 1, "maxNodes": 5})

    def run(self, *arguments: str) -> tuple[int, Any]:
        """Run a command on all manifests and return its exit code and the JSON document, or else the text, that it prints."""
        wanted = (
            manifests.network(**self.network),
            manifests.cluster(**self.cluster),
            manifests.pool(**self.pool),
            manifests.pool("burst", **self.burst),
        )
        file = self.user.write("all.yaml", *wanted)
        done = self.user.run(*arguments, "-f", file, "--output", "json", code=None)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def outside(self, action: str, **body: Any) -> None:
        """Let the outside world act on the cluster."""
        self.user.sandbox.control.outside(action, cloud=CLOUD, cluster="dev", **body)

    def fault(self, method: str, path: str, *, times: int = 1) -> None:
        """Let the cloud fail."""
        self.user.sandbox.control.fault(method=method, path=path, action="status", status=500, times=times)


def creation(world: World) -> Any:
    return world.run("apply", "--yes")


def nothing(world: World) -> Any:
    return world.run("plan")


def refresh(world: World) -> Any:
    return world.run("refresh")


def changes(world: World) -> Any:
    world.network = {"description": "changed"}
    default = DEFAULT | {"nodeCount": 2, "labels": {"of": "default"}}
    world.cluster |= {"defaultNodePool": default, "tags": ["team:a"], "maintenanceWindow": "monday=03:00"}
    world.pool = {"labels": {"tier": "web"}, "taints": [TAINT], "tags": ["Web", "api"], "nodeCount": 5}
    return world.run("apply", "--yes")


def removals(world: World) -> Any:
    world.cluster |= {"defaultNodePool": DEFAULT | {"nodeCount": 2}, "tags": [], "controlPlaneFirewallAllowedIps": []}
    world.pool = {"nodeCount": 5}
    return world.run("apply", "--yes")


def autoscaling(world: World) -> Any:
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


def replacements(world: World) -> Any:
    other = DEFAULT | {"size": "s-2vcpu-2gb"}
    changed = World(world.user, world.network, world.cluster | {"defaultNodePool": other}, world.pool, world.burst)
    return changed.run("plan")


def failed_read(world: World) -> Any:
    world.fault("GET", f"{CLUSTERS}/[^/]+$", times=0)
    done = world.run("refresh")
    world.user.sandbox.control.clear_faults()
    return done


def failed_update(world: World) -> Any:
    world.fault("PUT", f"{CLUSTERS}/[^/]+/node_pools/[^/]+$")
    before = world.pool
    world.pool = before | {"nodeCount": 4}
    done = world.run("apply", "--yes")
    world.pool = before
    return done, world.run("apply", "--yes")


def lost_pool(world: World) -> Any:
    world.outside("delete-pool", pool="workers")
    return world.run("drift"), world.run("refresh"), world.run("plan")


def destruction(world: World) -> Any:
    return world.run("destroy", "--yes")


STEPS: list[Callable[[World], Any]] = [
    creation,
    nothing,
    refresh,
    changes,
    refresh,
    removals,
    refresh,
    nothing,
    autoscaling,
    upgrade,
    drift,
    repair,
    replacements,
    failed_read,
    failed_update,
    lost_pool,
    destruction,
]


@pytest.fixture(scope="module")
def worlds(digitalocean_plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """A user with the plugin and one with the stand-in; the steps follow one another."""
    folder = tmp_path_factory.mktemp("stand-in")
    with (
        official.using(folder / "official", digitalocean_plugin, cloud=CLOUD) as real,
        official.using(folder / "stand-in", None, cloud=CLOUD) as stand_in,
    ):
        yield World(real), World(stand_in)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_stand_in_does_what_the_plugin_does(step: Callable[[World], Any], worlds: tuple[World, World]) -> None:
    """Documents printed, requests made and states left are the same but for ids, times, addresses and names of nodes."""
    real, stand_in = (comparing.effects(world.user, functools.partial(step, world)) for world in worlds)
    found = comparing.differences(real, stand_in)
    assert not found, "\n".join(found)
