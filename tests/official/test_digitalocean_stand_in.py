"""The stand-in for DigitalOcean and the official plugin: equal plans, requests and states."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import comparing, official, steps
from support import digitalocean_manifests as manifests

pytestmark = pytest.mark.official

CLOUD = "digitalocean"
CLUSTERS = "/v2/kubernetes/clusters"
TAINT = {"key": "a", "value": "b", "effect": "NoSchedule"}
DEFAULT = {"size": "s-1vcpu-2gb", "nodeCount": 1}
EXTRA = {"name": "extra", "size": "s-2vcpu-2gb", "nodeCount": 1, "taints": [TAINT], "tags": ["team:b"]}


@dataclasses.dataclass
class World(steps.World):
    """The current manifests of one of the two users."""

    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=dict)
    burst: dict[str, Any] = dataclasses.field(default_factory=lambda: {"autoScale": True, "minNodes": 1, "maxNodes": 5})

    def manifests(self) -> tuple[dict[str, Any], ...]:
        """Returns the current manifests."""
        return (
            manifests.network(**self.network),
            manifests.cluster(**self.cluster),
            manifests.pool(**self.pool),
            manifests.pool("burst", **self.burst),
        )


def change(world: World) -> Any:
    world.network = {"description": "changed"}
    default = DEFAULT | {"nodeCount": 2, "labels": {"of": "default"}}
    world.cluster |= {"defaultNodePool": default, "tags": ["team:a"], "maintenanceWindow": "monday=03:00"}
    world.pool = {"labels": {"tier": "web"}, "taints": [TAINT], "tags": ["Web", "api"], "nodeCount": 5}
    return world.apply()


def remove_fields(world: World) -> Any:
    world.cluster |= {"defaultNodePool": DEFAULT | {"nodeCount": 2}, "tags": [], "controlPlaneFirewallAllowedIps": []}
    world.pool = {"nodeCount": 5}
    return world.apply()


def autoscale(world: World) -> Any:
    world.outside("load", pool="burst", nodes=4)
    world.user.sandbox.control.advance(600)
    before = world.run("drift")
    world.burst |= {"labels": {"tier": "burst"}}
    return before, world.apply()


def upgrade(world: World) -> Any:
    world.cluster |= {"kubernetesVersion": "1.34.0-do.0"}
    return world.apply()


def drift(world: World) -> Any:
    world.outside("scale", pool="workers", count=2)
    world.outside("scale", pool="default", count=3)
    return world.run("drift")


def plan_replacements(world: World) -> Any:
    other = DEFAULT | {"size": "s-2vcpu-2gb"}
    return dataclasses.replace(world, cluster=world.cluster | {"defaultNodePool": other}).run("plan")


def fail_read(world: World) -> Any:
    world.fault("GET", f"{CLUSTERS}/[^/]+$", times=0)
    result = world.run("refresh")
    world.user.sandbox.control.clear_faults()
    return result


def fail_update(world: World) -> Any:
    world.fault("PUT", f"{CLUSTERS}/[^/]+/node_pools/[^/]+$")
    changed = dataclasses.replace(world, pool=world.pool | {"nodeCount": 4})
    return changed.apply(), world.apply()


def lose_pool(world: World) -> Any:
    world.outside("delete-pool", pool="workers")
    return world.run("drift"), world.run("refresh"), world.run("plan")


STEPS: list[Callable[[World], Any]] = [
    steps.create,
    steps.plan_without_changes,
    steps.refresh,
    change,
    steps.refresh,
    remove_fields,
    steps.refresh,
    steps.plan_without_changes,
    autoscale,
    upgrade,
    drift,
    steps.repair,
    plan_replacements,
    fail_read,
    fail_update,
    lose_pool,
    steps.destroy,
]


@pytest.fixture(scope="module")
def worlds(digitalocean_plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """A user with the plugin and one with the stand-in. The steps run in order."""
    with official.pair(tmp_path_factory.mktemp("stand-in"), digitalocean_plugin, cloud=CLOUD) as (real, stand_in):
        yield World(real), World(stand_in)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_stand_in_behaves_like_the_plugin(step: Callable[[World], Any], worlds: tuple[World, World]) -> None:
    """Outputs, requests and states are equal, except for ids, times, addresses and names of nodes."""
    real, stand_in = steps.effects(step, worlds)
    differences = comparing.differences(real, stand_in)
    assert not differences, "\n".join(differences)
