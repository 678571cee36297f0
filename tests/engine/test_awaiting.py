"""Waiting for a cloud, in a time of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from planton import errors
from planton.base import interruption
from planton.clouds.civo import views as civo
from planton.clouds.digitalocean import views as digitalocean
from planton.clouds.views import Views
from planton.config import settings
from planton.engine import plans
from planton.recovery import awaiting
from support import mocks

TARGET = mocks.target("CivoKubernetesCluster", {"clusterName": "dev", "applications": ["Redis:5GB", "-Traefik"]}, name="dev")


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        """Begins at zero."""
        self.now = 0.0

    @property
    def timing(self) -> awaiting.Timing:
        """How to wait in it."""
        return awaiting.Timing(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        """Moves on."""
        self.now += seconds


def _civo(status: str, *nodes: str, count: int = 2) -> dict[str, Any]:
    return {
        "status": status,
        "kubernetes_version": "1.31.2-k3s1",
        "required_pools": [{"id": "a", "count": count}],
        "pools": [{"id": "a", "count": len(nodes), "instances": [{"status": node} for node in nodes]}],
    }


def _digitalocean(state: str, *nodes: str, count: int = 2) -> dict[str, Any]:
    pool = {"id": "a", "count": count, "nodes": [{"status": {"state": node}} for node in nodes]}
    return {"status": {"state": state}, "version": "1.34.1-do.0", "node_pools": [pool]}


@pytest.mark.parametrize(
    ("views", "cluster", "text", "settled"),
    [
        (civo, _civo("ACTIVE", "ACTIVE", "ACTIVE"), "ACTIVE, 2 of 2 nodes active", True),
        (civo, _civo("UPGRADING", "ACTIVE", "ACTIVE"), "UPGRADING, 2 of 2 nodes active", False),
        (civo, _civo("ACTIVE", "ACTIVE", "BUILDING"), "ACTIVE, 1 of 2 nodes active", False),
        (civo, _civo("ACTIVE", "ACTIVE"), "ACTIVE, 1 of 2 nodes active", False),
        (civo, _civo("ACTIVE", "ACTIVE", "ACTIVE", "DELETING"), "ACTIVE, 2 of 2 nodes active", False),
        (digitalocean, _digitalocean("running", "running", "running"), "running, 2 of 2 nodes active", True),
        (digitalocean, _digitalocean("upgrading", "running", "running"), "upgrading, 2 of 2 nodes active", False),
        (digitalocean, _digitalocean("running", "running", "provisioning"), "running, 1 of 2 nodes active", False),
        (digitalocean, _digitalocean("running", "running"), "running, 1 of 2 nodes active", False),
    ],
)
def test_a_cluster_is_settled_when_it_and_all_its_nodes_are_active(
    views: Views, cluster: dict[str, Any], text: str, *, settled: bool
) -> None:
    """The state of the cluster does not include the states of its nodes."""
    seen = views.condition(cluster)
    assert (str(seen), seen.settled) == (text, settled)


def _look(*clusters: dict[str, Any] | None) -> Callable[[], dict[str, Any] | None]:
    left = list(clusters)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_each_change_of_the_condition_is_reported_once() -> None:
    """A wait of ten minutes is a few lines."""
    lines: list[str] = []
    time, chosen = Time(), settings.Settings(environ={}, progress=lines.append)
    slow, slower = _civo("UPGRADING", "ACTIVE", "BUILDING"), _civo("UPGRADING", "ACTIVE", "ACTIVE")
    awaiting.until_settled(_look(slow, slow, slower, _civo("ACTIVE", "ACTIVE", "ACTIVE")), chosen, TARGET, timing=time.timing)
    assert [line.strip().partition(";")[0] for line in lines] == [
        "dev: UPGRADING, 1 of 2 nodes active",
        "dev: UPGRADING, 2 of 2 nodes active",
    ]


def test_a_cluster_that_is_gone_is_not_awaited() -> None:
    """The next plan says that it is gone."""
    awaiting.until_settled(_look(_civo("UPGRADING", "ACTIVE"), None), settings.Settings(environ={}), TARGET, timing=Time().timing)


def test_a_wait_ends_with_the_timeout() -> None:
    """What the cloud does not finish is said to be stuck."""
    time, chosen = Time(), settings.Settings(environ={}, timeout=300)
    with pytest.raises(errors.PlantonError) as caught:
        awaiting.until_settled(_look(_civo("UPGRADING", "ACTIVE")), chosen, TARGET, timing=time.timing)
    assert caught.value.reason is errors.Reason.CLOUD_STUCK
    assert 300 < time.now < 310


def test_a_wait_can_be_interrupted() -> None:
    """What was done is saved, and the cloud goes on."""
    interrupted = interruption.Interruption()
    time, chosen = Time(), settings.Settings(environ={}, interruption=interrupted)
    timing = awaiting.Timing(lambda: time.now, lambda _seconds: interrupted.ask())
    with pytest.raises(errors.PlantonError) as caught:
        awaiting.until_settled(_look(_civo("SCALING", "ACTIVE")), chosen, TARGET, timing=timing)
    assert caught.value.reason is errors.Reason.INTERRUPTED
    assert "SCALING, 1 of 2 nodes active" in caught.value.message


def _applications(**installed: bool) -> dict[str, Any]:
    return {"installed_applications": [{"name": name, "installed": done} for name, done in installed.items()]}


def test_applications_are_awaited_for_some_minutes() -> None:
    """The cloud never says that one has failed; only those that the manifest asks for are named."""
    time, chosen = Time(), settings.Settings(environ={})
    awaited = awaiting.until_installed(
        _look(_applications(Redis=False), _applications(Redis=True)), chosen, TARGET, timing=time.timing
    )
    assert awaited == []
    failing = _look(_applications(Redis=False, Traefik=False, Longhorn=False))
    assert awaiting.until_installed(failing, chosen, TARGET, timing=time.timing) == ["Redis"]
    assert awaiting.APPLICATION_SECONDS < time.now < awaiting.APPLICATION_SECONDS + 20


@pytest.mark.parametrize(
    ("type_", "action", "path", "slow"),
    [
        ("civo:index/kubernetesCluster:KubernetesCluster", plans.Action.UPDATE, "kubernetesVersion", True),
        ("civo:index/kubernetesCluster:KubernetesCluster", plans.Action.UPDATE, "pools.nodeCount", True),
        ("civo:index/kubernetesCluster:KubernetesCluster", plans.Action.UPDATE, "tags", False),
        ("civo:index/kubernetesCluster:KubernetesCluster", plans.Action.CREATE, "kubernetesVersion", False),
        ("digitalocean:index/kubernetesCluster:KubernetesCluster", plans.Action.UPDATE, "version", True),
        ("digitalocean:index/kubernetesCluster:KubernetesCluster", plans.Action.UPDATE, "nodePool.nodeCount", True),
        ("digitalocean:index/kubernetesNodePool:KubernetesNodePool", plans.Action.UPDATE, "nodeCount", False),
    ],
)
def test_what_takes_time_after_the_plugin_has_ended(type_: str, action: plans.Action, path: str, *, slow: bool) -> None:
    """Upgrades and the number of nodes of the default pool; all else is awaited by the plugin, or done at once."""
    change = plans.Change("urn", "x", type_, action, (plans.Difference(path, 1, 2),))
    assert awaiting.takes_time(change) is slow
