"""Waiting for a cloud, with a clock of the test."""

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
    """A clock that advances when the code under test sleeps."""

    def __init__(self) -> None:
        """Starts at zero."""
        self.now = 0.0

    @property
    def timing(self) -> awaiting.Timing:
        """Returns clock and sleep for the code under test."""
        return awaiting.Timing(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        """Advances the clock."""
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
    condition = views.condition(cluster)
    assert (str(condition), condition.settled) == (text, settled)


def _polls(*clusters: dict[str, Any] | None) -> Callable[[], dict[str, Any] | None]:
    remaining = list(clusters)
    return lambda: remaining.pop(0) if len(remaining) > 1 else remaining[0]


def test_each_change_of_the_condition_is_reported_once() -> None:
    """A wait of ten minutes prints a few lines."""
    lines: list[str] = []
    time, config = Time(), settings.Settings(environ={}, progress=lines.append)
    slow, slower = _civo("UPGRADING", "ACTIVE", "BUILDING"), _civo("UPGRADING", "ACTIVE", "ACTIVE")
    awaiting.until_settled(_polls(slow, slow, slower, _civo("ACTIVE", "ACTIVE", "ACTIVE")), config, TARGET, timing=time.timing)
    assert [line.strip().partition(";")[0] for line in lines] == [
        "dev: UPGRADING, 1 of 2 nodes active",
        "dev: UPGRADING, 2 of 2 nodes active",
    ]


def test_a_missing_cluster_is_not_awaited() -> None:
    """The next plan reports it as missing."""
    awaiting.until_settled(
        _polls(_civo("UPGRADING", "ACTIVE"), None), settings.Settings(environ={}), TARGET, timing=Time().timing
    )


def test_a_wait_ends_with_the_timeout() -> None:
    """An operation that the cloud does not finish is reported as stuck."""
    time, config = Time(), settings.Settings(environ={}, timeout=300)
    with pytest.raises(errors.PlantonError) as caught:
        awaiting.until_settled(_polls(_civo("UPGRADING", "ACTIVE")), config, TARGET, timing=time.timing)
    assert caught.value.reason is errors.Reason.CLOUD_STUCK
    assert 300 < time.now < 310


def test_a_wait_can_be_interrupted() -> None:
    """The state is saved, and the cloud continues on its own."""
    interrupt = interruption.Interruption()
    time, config = Time(), settings.Settings(environ={}, interruption=interrupt)
    timing = awaiting.Timing(lambda: time.now, lambda _seconds: interrupt.ask())
    with pytest.raises(errors.PlantonError) as caught:
        awaiting.until_settled(_polls(_civo("SCALING", "ACTIVE")), config, TARGET, timing=timing)
    assert caught.value.reason is errors.Reason.INTERRUPTED
    assert "SCALING, 1 of 2 nodes active" in caught.value.message


def _applications(**statuses: bool) -> dict[str, Any]:
    return {"installed_applications": [{"name": name, "installed": is_installed} for name, is_installed in statuses.items()]}


def test_applications_are_awaited_for_some_minutes() -> None:
    """The cloud never reports a failed one. Only applications of the manifest are named."""
    time, config = Time(), settings.Settings(environ={})
    pending = awaiting.until_installed(
        _polls(_applications(Redis=False), _applications(Redis=True)), config, TARGET, timing=time.timing
    )
    assert pending == []
    failing = _polls(_applications(Redis=False, Traefik=False, Longhorn=False))
    assert awaiting.until_installed(failing, config, TARGET, timing=time.timing) == ["Redis"]
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
def test_only_changes_that_continue_after_the_plugin_are_awaited(
    type_: str, action: plans.Action, path: str, *, slow: bool
) -> None:
    """These are upgrades and node counts of default pools. The plugin itself awaits other changes."""
    change = plans.Change("urn", "x", type_, action, (plans.Difference(path, 1, 2),))
    assert awaiting.takes_time(change) is slow
