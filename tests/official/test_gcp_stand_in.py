"""The stand-in for Google Cloud and the official plugin: equal plans, requests and states."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import comparing, official, steps
from support import gcp_manifests as manifests

pytestmark = pytest.mark.official

CLOUD = "gcp"
TAINT = {"key": "dedicated", "value": "web", "effect": "NoSchedule"}
BATCH = {
    "spot": True,
    "taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}],
    "autoscaling": {"totalMinNodes": 2, "totalMaxNodes": 8},
}
# The plugin repeats requests after some other states for a minute and a half.
FAILURE = {"status": 400, "times": 0}
GPU = {"machineType": "n1-standard-4", "accelerators": [{"type": "nvidia-tesla-t4", "count": 1}]}


@dataclasses.dataclass
class World(steps.World):
    """The current manifests of one of the two users."""

    cluster: dict[str, Any] = dataclasses.field(default_factory=dict)
    pool: dict[str, Any] = dataclasses.field(default_factory=dict)
    batch: dict[str, Any] = dataclasses.field(default_factory=lambda: dict(BATCH))
    gpu: dict[str, Any] = dataclasses.field(default_factory=lambda: dict(GPU))

    def manifests(self) -> tuple[dict[str, Any], ...]:
        """Returns the current manifests."""
        return (
            manifests.cluster(**self.cluster),
            manifests.pool(**self.pool),
            manifests.pool("batch", **self.batch),
            manifests.pool("gpu", **self.gpu),
        )


def scale(world: World) -> Any:
    world.pool |= {"nodeCount": 3}
    return world.apply()


def change_machines(world: World) -> Any:
    world.pool |= {"machineType": "e2-standard-4", "diskSizeGb": 50, "diskType": "pd-ssd", "imageType": "UBUNTU_CONTAINERD"}
    return world.apply()


def change_labels_and_taints(world: World) -> Any:
    world.pool |= {"nodeLabels": {"tier": "web"}, "taints": [TAINT]}
    world.batch |= {"taints": [TAINT], "nodeLabels": {"tier": "batch"}}
    return world.apply()


def remove_labels_and_taints(world: World) -> Any:
    del world.pool["nodeLabels"], world.pool["taints"], world.batch["taints"]
    return world.apply()


def change_upgrades(world: World) -> Any:
    world.pool |= {"upgrade": {"strategy": "SURGE", "maxSurge": 2, "maxUnavailable": 1}, "drainTimeoutSeconds": 600}
    world.batch |= {"upgrade": {"strategy": "BLUE_GREEN", "batchNodeCount": 2, "batchSoakSeconds": 60, "soakSeconds": 120}}
    return world.apply()


def change_upgrades_back(world: World) -> Any:
    del world.pool["upgrade"], world.pool["drainTimeoutSeconds"], world.batch["upgrade"]
    return world.apply()


def move(world: World) -> Any:
    world.pool |= {"zones": ["us-central1-a", "us-central1-f"]}
    return world.apply()


def move_back(world: World) -> Any:
    world.pool |= {"zones": manifests.ZONES}
    return world.apply()


def autoscale(world: World) -> Any:
    world.outside("load", pool="batch", nodes=6)
    world.user.sandbox.control.advance(600)
    before = world.run("drift")
    world.batch |= {"autoscaling": {"totalMinNodes": 2, "totalMaxNodes": 10, "locationPolicy": "ANY"}}
    return before, world.apply()


def switch_autoscaling(world: World) -> Any:
    world.pool |= {"autoscaling": {"minNodes": 1, "maxNodes": 4}}
    world.pool.pop("nodeCount")
    return world.apply()


def switch_autoscaling_off(world: World) -> Any:
    del world.pool["autoscaling"]
    world.pool |= {"nodeCount": 2}
    return world.apply()


def fail_management(world: World) -> Any:
    changed = dataclasses.replace(world, pool=world.pool | {"management": {"disableAutoRepair": True}})
    return changed.apply(), world.apply()


def change_cluster(world: World) -> Any:
    world.cluster |= {
        "masterAuthorizedNetworks": ["127.0.0.0/8", "10.0.0.0/8"],
        "disableNetworkPolicy": True,
        "disableWorkloadIdentity": True,
        "enablePublicNodes": True,
    }
    return world.apply()


def change_cluster_back(world: World) -> Any:
    world.cluster = {"masterAuthorizedNetworks": []}
    return world.apply()


def change_channel(world: World) -> Any:
    world.cluster |= {"releaseChannel": "STABLE"}
    return world.apply()


def add_zone(world: World) -> Any:
    world.cluster |= {"nodeZones": [*manifests.ZONES, "us-central1-f"]}
    return world.apply()


def upgrade(world: World) -> Any:
    world.cluster |= {"kubernetesVersion": "1.34.9-gke.1053000"}
    return world.apply()


def upgrade_pool(world: World) -> Any:
    world.pool |= {"kubernetesVersion": "1.34.9-gke.1053000"}
    return world.apply()


def drift(world: World) -> Any:
    world.outside("scale", pool="workers", count=3)
    world.outside("relabel", pool="gpu", labels={"by": "hand"})
    return world.run("drift")


def plan_replacements(world: World) -> Any:
    changed = dataclasses.replace(
        world,
        pool=world.pool | {"spot": True},
        batch=world.batch | {"spot": False},
        gpu=world.gpu | {"accelerators": [{"type": "nvidia-tesla-t4", "count": 2}]},
    )
    return changed.run("plan")


def replace(world: World) -> Any:
    world.batch |= {"spot": False, "preemptible": True}
    return world.apply("--allow-replace", "gcpgkenodepool/batch")


def fail_read(world: World) -> Any:
    world.fault("GET", "/clusters/dev$", **FAILURE)
    result = world.run("refresh")
    world.user.sandbox.control.clear_faults()
    return result


def repeat_read(world: World) -> Any:
    world.fault("GET", "/clusters/dev$", times=2)
    return world.run("refresh")


def fail_update(world: World) -> Any:
    world.fault("POST", ":setSize$", **FAILURE)
    result = dataclasses.replace(world, pool=world.pool | {"nodeCount": 4}).apply()
    world.user.sandbox.control.clear_faults()
    return result, world.apply()


def run_out_of_machines(world: World) -> Any:
    world.outside("stockout", zone="us-central1-b")
    world.pool |= {"nodeCount": 5}
    result = world.apply()
    world.outside("in-stock", zone="us-central1-b")
    world.user.sandbox.control.advance(3600)
    return result, world.apply()


def lose_pool(world: World) -> Any:
    world.outside("delete-pool", pool="workers")
    return world.run("drift"), world.run("refresh"), world.run("plan")


def import_all(world: World) -> Any:
    for path in (world.user.folder / "data" / "state").rglob("*.json*"):
        path.unlink()
    names = ("workers", "batch", "gpu")
    results = [
        world.run("import", "gcpgkecluster/dev", "projects/sandbox-project/locations/us-central1/clusters/dev", "--yes"),
        *(world.run("import", f"gcpgkenodepool/{name}", name, "--yes") for name in names),
    ]
    return results, world.run("plan")


STEPS: list[Callable[[World], Any]] = [
    steps.create,
    steps.plan_without_changes,
    steps.refresh,
    scale,
    change_machines,
    change_labels_and_taints,
    steps.refresh,
    remove_labels_and_taints,
    steps.refresh,
    change_upgrades,
    steps.refresh,
    change_upgrades_back,
    steps.refresh,
    move,
    move_back,
    autoscale,
    switch_autoscaling,
    switch_autoscaling_off,
    fail_management,
    change_cluster,
    steps.refresh,
    change_cluster_back,
    steps.refresh,
    change_channel,
    add_zone,
    upgrade,
    upgrade_pool,
    steps.refresh,
    steps.plan_without_changes,
    drift,
    steps.repair,
    plan_replacements,
    replace,
    fail_read,
    repeat_read,
    fail_update,
    run_out_of_machines,
    lose_pool,
    steps.create,
    import_all,
    steps.destroy,
]


@pytest.fixture(scope="module")
def worlds(gcp_plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """A user with the plugin and one with the stand-in. The steps run in order."""
    with official.pair(tmp_path_factory.mktemp("stand-in"), gcp_plugin, cloud=CLOUD) as (real, stand_in):
        yield World(real), World(stand_in)


def _comparable(effects: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Returns effects without the properties that the stand-in does not have, and without repeated reads."""
    for stack, resources in effects["states"].items():
        for resource, other in zip(resources, others["states"].get(stack, resources), strict=False):
            resource.get("outputs", {}).pop("__pulumi_raw_state_delta", None)
            resource["outputs"] = comparing.without_others(resource.get("outputs"), other.get("outputs"))
    # The plugin reads the instance groups and the pools of a cluster once in five minutes.
    return effects | {"requests": [line for line in effects["requests"] if '"GET"' not in line]}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_stand_in_behaves_like_the_plugin(step: Callable[[World], Any], worlds: tuple[World, World]) -> None:
    """Outputs, changing requests and states are equal, except for ids, times, addresses and names of nodes."""
    real, stand_in = steps.effects(step, worlds)
    differences = comparing.differences(_comparable(real, stand_in), _comparable(stand_in, real))
    assert not differences, "\n".join(differences)
