"""The stand-in for Civo and the official plugin: equal plans, requests and states."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import comparing, official, steps
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
class World(steps.World):
    """The current manifests of one of the two users."""

    firewall: dict[str, Any] = dataclasses.field(default_factory=dict)
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=dict)

    def manifests(self) -> tuple[dict[str, Any], ...]:
        """Returns the current manifests."""
        return (
            manifests.network(),
            manifests.firewall(**self.firewall),
            manifests.cluster(**self.cluster),
            manifests.pool(**self.pool),
        )


def change(world: World) -> Any:
    world.firewall = {"name": "renamed", "inboundRules": TWO_RULES}
    world.cluster |= {"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 3}, "tags": ["team:a"], "clusterName": "develop"}
    world.pool = {"labels": {"tier": "web"}, "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}], "nodeCount": 5}
    return world.apply()


def drift(world: World) -> Any:
    world.outside("scale", cluster="develop", pool="workers", count=2)
    return world.run("drift")


def plan_replacements(world: World) -> Any:
    pool = world.pool | {"size": "g4s.kube.small"}
    return dataclasses.replace(world, cluster=world.cluster | {"cni": "cilium"}, pool=pool).run("plan")


def fail_read(world: World) -> Any:
    world.fault("GET", "/v2/kubernetes/clusters/[^/]+$", times=0)
    result = world.run("refresh")
    world.user.sandbox.control.clear_faults()
    return result


def fail_update(world: World) -> Any:
    world.fault("PUT", "/v2/kubernetes/clusters/[^/]+$")
    default = {"size": "g4s.kube.small", "nodeCount": 4}
    changed = dataclasses.replace(world, cluster=world.cluster | {"defaultNodePool": default})
    return changed.apply(), world.apply()


def lose_pool(world: World) -> Any:
    world.outside("delete-pool", cluster="develop", pool="workers")
    world.user.sandbox.control.advance(600)
    return world.run("drift"), world.run("refresh"), world.run("plan")


STEPS: list[Callable[[World], Any]] = [
    steps.create,
    steps.plan_without_changes,
    steps.refresh,
    change,
    drift,
    steps.repair,
    plan_replacements,
    fail_read,
    fail_update,
    lose_pool,
    steps.destroy,
]


@pytest.fixture(scope="module")
def worlds(plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """A user with the plugin and one with the stand-in. The steps run in order."""
    with official.pair(tmp_path_factory.mktemp("stand-in"), plugin) as (real, stand_in):
        yield World(real), World(stand_in)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_stand_in_behaves_like_the_plugin(step: Callable[[World], Any], worlds: tuple[World, World]) -> None:
    """Outputs, requests and states are equal, except for ids, times and addresses."""
    real, stand_in = steps.effects(step, worlds)
    differences = comparing.differences(real, stand_in)
    assert not differences, "\n".join(differences)
