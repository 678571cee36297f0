"""The stand-in beside the official plugin: the same commands give the same plans, requests and states."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import comparing, official
from support import planton as manifests

pytestmark = pytest.mark.official

EXTRA = {
    "name": "extra-pool",
    "size": "g4s.kube.small",
    "nodeCount": 1,
    "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
}
TWO_RULES = [
    {"protocol": "tcp", "portRange": "6443", "cidrs": ["127.0.0.1/32"], "label": "api"},
    {"protocol": "udp", "portRange": "53-54", "cidrs": ["10.0.0.0/8", "192.0.2.0/24"]},
]


@dataclasses.dataclass
class World:
    """What one of the two users wants at the moment."""

    user: official.User
    firewall: dict[str, Any] = dataclasses.field(default_factory=dict)
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=dict)

    def run(self, *arguments: str) -> tuple[int, Any]:
        """Run a command on all manifests and return its exit code and the JSON document, or else the text, that it prints."""
        wanted = (
            manifests.network(),
            manifests.firewall(**self.firewall),
            manifests.cluster(**self.cluster),
            manifests.pool(**self.pool),
        )
        file = self.user.write("all.yaml", *wanted)
        done = self.user.run(*arguments, "-f", file, "--output", "json", code=None)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def creation(world: World) -> Any:
    return world.run("apply", "--yes")


def nothing(world: World) -> Any:
    return world.run("plan")


def refresh(world: World) -> Any:
    return world.run("refresh")


def changes(world: World) -> Any:
    world.firewall = {"name": "renamed", "inboundRules": TWO_RULES}
    world.cluster |= {"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 3}, "tags": ["team:a"], "clusterName": "develop"}
    world.pool = {"labels": {"tier": "web"}, "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}], "nodeCount": 5}
    return world.run("apply", "--yes")


def drift(world: World) -> Any:
    world.user.sandbox.control.outside("scale", cluster="develop", pool="workers", count=2)
    return world.run("drift")


def repair(world: World) -> Any:
    return world.run("apply", "--yes", "--refresh")


def replacements(world: World) -> Any:
    changed = World(world.user, world.firewall, world.cluster | {"cni": "cilium"}, world.pool | {"size": "g4s.kube.small"})
    return changed.run("plan")


def failed_read(world: World) -> Any:
    world.user.sandbox.control.fault(method="GET", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500, times=0)
    done = world.run("refresh")
    world.user.sandbox.control.clear_faults()
    return done


def failed_update(world: World) -> Any:
    world.user.sandbox.control.fault(method="PUT", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500)
    before = world.cluster
    world.cluster = before | {"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 4}}
    done = world.run("apply", "--yes")
    world.cluster = before
    return done, world.run("apply", "--yes")


def lost_pool(world: World) -> Any:
    world.user.sandbox.control.outside("delete-pool", cluster="develop", pool="workers")
    world.user.sandbox.control.advance(600)
    return world.run("drift"), world.run("refresh"), world.run("plan")


def destruction(world: World) -> Any:
    return world.run("destroy", "--yes")


STEPS: list[Callable[[World], Any]] = [
    creation,
    nothing,
    refresh,
    changes,
    drift,
    repair,
    replacements,
    failed_read,
    failed_update,
    lost_pool,
    destruction,
]


@pytest.fixture(scope="module")
def worlds(plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """A user with the plugin and one with the stand-in; the steps follow one another."""
    folder = tmp_path_factory.mktemp("stand-in")
    with official.using(folder / "official", plugin) as real, official.using(folder / "stand-in", None) as stand_in:
        yield World(real), World(stand_in)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_stand_in_does_what_the_plugin_does(step: Callable[[World], Any], worlds: tuple[World, World]) -> None:
    """Documents printed, requests made and states left are the same but for ids, times and addresses."""
    real, stand_in = (comparing.effects(world.user, functools.partial(step, world)) for world in worlds)
    found = comparing.differences(real, stand_in)
    assert not found, "\n".join(found)
