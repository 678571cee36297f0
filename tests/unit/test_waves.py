"""Upgrades in waves: how many clusters at a time, and how long between two waves. The time is an argument."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib

import pytest

from planton import errors
from planton.clouds import entries
from planton.deploy import apply, approve, loading, plan, planning, waves
from support import offers, world

CONSENT = approve.Consent(changes=True)
OLD, NEW = "1.30.2-k3s1", "1.30.5-k3s1"
MANIFEST = """\
apiVersion: civo.project-planton.org/v1
kind: CivoKubernetesCluster
metadata: {{name: {name}, env: dev}}
spec:
  clusterName: {name}
  region: lon1
  kubernetesVersion: {version}  # keep
  network: {{value: net}}
  apiServerAllowedCidrs: [127.0.0.1/32]
  defaultNodePool: {{size: small, nodeCount: 1}}
"""


class Scene:
    """Applied clusters, with a record of what their upgrade does.

    Attributes:
        log: What happened, in its order: updates, looks at clusters, waits.
        unhealthy: Cluster → the number of looks at which it is not healthy.
    """

    def __init__(self, folder: pathlib.Path, *names: str) -> None:
        self.folder = folder
        self.civo = world.World(folder / "data")
        cloud = offers.Cloud({"network": [entries.Entry("n1", "net", "lon1")]})
        self.run = dataclasses.replace(self.civo.run, open_cloud=lambda *_arguments: cloud)
        self.log: list[str] = []
        self.unhealthy: dict[str, int] = {}
        self.seconds = itertools.count()
        for name in names:
            (folder / f"{name}.yaml").write_text(MANIFEST.format(name=name, version=OLD), "utf-8")
        self.resources = loading.load([folder / f"{name}.yaml" for name in names])
        planned = planning.make(tuple(self.resources), plan.Options(), self.run)
        apply.apply(approve.Approved(planned, CONSENT))
        self.civo.updates.clear()

    def upgrade(self, parallel: int = 1, pause: float = 0.0) -> list[tuple[str, errors.PlantonError | None]]:
        """Upgrades the clusters, and returns each with its error."""
        upgrade = waves.make(self.resources, NEW, self.run)
        pace = waves.Pace(parallel, pause, wait=lambda seconds: self.log.append(f"wait {seconds:g}"), clock=self._clock)
        done = waves.run_waves(upgrade, CONSENT, self.run, pace, problems=self._problems)
        return [(target.key.name, problem) for target, problem in done]

    def _clock(self) -> float:
        return float(next(self.seconds))

    def _problems(self, target: waves.Target, _run: object) -> list[str]:
        name = target.key.name
        self.log += [f"update {each}" for each in self.civo.updates if f"update {each}" not in self.log]
        self.log.append(f"look {name}")
        remaining = self.unhealthy.get(name, 0)
        self.unhealthy[name] = remaining - 1
        return ["a node is not ready"] if remaining > 0 else []

    def version(self, name: str) -> str:
        """Returns the line with the version in the manifest of a cluster."""
        lines = (self.folder / f"{name}.yaml").read_text("utf-8").splitlines()
        return next(line.strip() for line in lines if "kubernetesVersion" in line)


def test_by_default_one_cluster_follows_the_other_without_a_pause(tmp_path: pathlib.Path) -> None:
    """Each is healthy before the next one is changed. Comments stay."""
    scene = Scene(tmp_path, "one", "two")
    assert scene.upgrade() == [("one", None), ("two", None)]
    assert scene.log == ["update one", "look one", "update two", "look two"]
    assert scene.version("two") == f"kubernetesVersion: {NEW}  # keep"


def test_so_many_clusters_are_upgraded_at_a_time_with_a_pause_after_a_healthy_wave(tmp_path: pathlib.Path) -> None:
    """No pause follows the last wave."""
    scene = Scene(tmp_path, "one", "two", "three")
    scene.upgrade(parallel=2, pause=90.0)
    assert sorted(scene.log[:2]) == ["update one", "update two"]
    assert scene.log[2:] == ["look one", "look two", "wait 90", "update three", "look three"]


def test_a_cluster_that_is_not_healthy_yet_is_awaited(tmp_path: pathlib.Path) -> None:
    """The next wave starts when it is."""
    scene = Scene(tmp_path, "one", "two")
    scene.unhealthy["one"] = 2
    scene.upgrade(pause=90.0)
    waits = [entry for entry in scene.log if entry.startswith("wait")]
    assert waits == ["wait 5", "wait 5", "wait 90"]


def test_a_cluster_that_stays_unhealthy_ends_the_upgrade(tmp_path: pathlib.Path) -> None:
    """Clusters of later waves are not changed, in their manifests neither."""
    scene = Scene(tmp_path, "one", "two")
    scene.unhealthy["one"] = 10_000_000
    [(name, problem)] = scene.upgrade(pause=90.0)
    assert name == "one"
    assert problem is not None
    assert problem.reason is errors.Reason.CLOUD_STUCK
    assert "a node is not ready" in problem.message
    assert "wait 90" not in scene.log
    assert scene.version("two") == f"kubernetesVersion: {OLD}  # keep"


def test_a_version_that_is_not_offered_changes_nothing(tmp_path: pathlib.Path) -> None:
    """The error lists those that are, and has the exit code of a plan."""
    scene = Scene(tmp_path, "one")
    with pytest.raises(errors.PlantonError) as caught:
        waves.make(scene.resources, "1.99.0", scene.run)
    assert (caught.value.reason, caught.value.code) == (errors.Reason.NOT_OFFERED, errors.Code.INVALID)
    assert NEW in caught.value.message
