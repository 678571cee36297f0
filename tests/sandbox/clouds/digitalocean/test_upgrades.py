"""Upgrades of the simulated DigitalOcean's clusters, without sockets and with time as an argument."""

from __future__ import annotations

import pytest

from support.digitalocean import CLUSTERS, SMALL, Cloud, nodes, states

HOUR = 3600
DAY = 24 * HOUR
POOL = {"name": "main", "size": SMALL, "count": 2}


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with instant latency."""
    return Cloud()


@pytest.fixture
def slow() -> Cloud:
    """A cloud with realistic latency."""
    return Cloud("realistic")


@pytest.mark.parametrize(
    ("current", "version", "status"),
    [
        ("1.33.0-do.0", "1.33.1-do.0", 202),
        ("1.33.0-do.0", "1.33", 202),
        ("1.33.1-do.0", "1.34.1-do.0", 202),
        ("1.33.1-do.0", "1.34", 202),
        ("1.33.1-do.0", "1.33.0-do.0", 422),
        ("1.33.1-do.0", "1.33.1-do.0", 422),
        ("1.33.1-do.0", "1.35.1-do.0", 422),
        ("1.33.1-do.0", "latest", 422),
        ("1.33.0-do.0", "1.34.1-do.0", 422),
        ("1.33.1-do.0", "1.99.0-do.0", 422),
        ("1.33.1-do.0", "", 422),
    ],
)
def test_an_upgrade_may_not_skip_a_version(cloud: Cloud, current: str, version: str, status: int) -> None:
    """A cluster is upgraded to the newest patch first, then to the next minor version."""
    key = cloud.cluster(version=current)
    assert cloud.ask("POST", f"{CLUSTERS}/{key}/upgrade", {"version": version}).status == status


def test_available_upgrades_are_the_accepted_versions(cloud: Cloud) -> None:
    """The list is null for the newest version."""
    possible = {}
    for version in ("1.33.0-do.0", "1.33.1-do.0", "1.36.1-do.0"):
        upgrades = cloud.ok("GET", f"{CLUSTERS}/{cloud.cluster(version=version)}/upgrades")["available_upgrade_versions"]
        possible[version] = upgrades and [item["slug"] for item in upgrades]
    assert possible == {
        "1.33.0-do.0": ["1.33.1-do.0"],
        "1.33.1-do.0": ["1.34.1-do.0", "1.34.0-do.0"],
        "1.36.1-do.0": None,
    }


def test_only_a_running_cluster_is_upgraded(slow: Cloud) -> None:
    """During a create or an upgrade, another upgrade is refused."""
    key = slow.cluster()
    upgrade = {"version": "1.34.1-do.0"}
    assert slow.refused("POST", f"{CLUSTERS}/{key}/upgrade", upgrade) == (412, "precondition_failed")


def test_an_upgrade_replaces_nodes_one_by_one(slow: Cloud) -> None:
    """Without surge a node is removed before its replacement is added. Count and labels stay."""
    key = slow.cluster(node_pools=[{**POOL, "labels": {"x": "y"}}])
    slow.pass_time(300)
    before = nodes(slow.show(key)["node_pools"][0])
    slow.ok("POST", f"{CLUSTERS}/{key}/upgrade", {"version": "1.34.1-do.0"})
    steps = []
    for seconds in (0, 240, 150, 150):
        slow.pass_time(seconds)
        shown = slow.show(key)
        pool = shown["node_pools"][0]
        steps.append((shown["status"]["state"], states(pool), [name in before for name in nodes(pool)]))
    assert steps == [
        ("upgrading", ["running", "running"], [True, True]),
        ("upgrading", ["draining", "running"], [True, True]),
        ("upgrading", ["draining", "running"], [True, False]),
        ("running", ["running", "running"], [False, False]),
    ]
    assert slow.show(key)["version"] == "1.34.1-do.0"
    side = slow.kubernetes(key)
    assert [node.version for node in side.nodes] == ["v1.34.1", "v1.34.1"]
    assert [node.labels["x"] for node in side.nodes] == ["y", "y"]


def test_a_surge_adds_new_nodes_before_old_ones_are_deleted(slow: Cloud) -> None:
    """With surge the replacements are added while the old nodes are being drained."""
    key = slow.cluster(surge_upgrade=True)
    slow.pass_time(300)
    slow.ok("POST", f"{CLUSTERS}/{key}/upgrade", {"version": "1.34.1-do.0"})
    slow.pass_time(240)
    pool = slow.show(key)["node_pools"][0]
    assert (states(pool), pool["count"]) == (["draining"] * 2 + ["provisioning"] * 2, 2)
    slow.pass_time(150)
    assert states(slow.show(key)["node_pools"][0]) == ["running"] * 2
    assert slow.show(key)["status"]["state"] == "running"


def test_a_surge_respects_the_droplet_limit(slow: Cloud) -> None:
    """Without room for more droplets the upgrade continues without surge."""
    key = slow.cluster(surge_upgrade=True)
    slow.pass_time(300)
    slow.act("quota", droplet_limit=2)
    slow.ok("POST", f"{CLUSTERS}/{key}/upgrade", {"version": "1.34.1-do.0"})
    slow.pass_time(240)
    assert states(slow.show(key)["node_pools"][0]) == ["draining", "running"]


def test_each_read_advances_an_upgrade(cloud: Cloud) -> None:
    """This holds for instant latency. Time alone ends the upgrade, too."""
    key = cloud.cluster()
    cloud.ok("POST", f"{CLUSTERS}/{key}/upgrade", {"version": "1.34.1-do.0"})
    assert [cloud.show(key)["status"]["state"] for _ in range(4)] == ["upgrading", "upgrading", "upgrading", "running"]
    cloud.ok("POST", f"{CLUSTERS}/{key}/upgrade", {"version": "1.35.1-do.0"})
    for _ in range(3):
        cloud.pass_time(0.2)
    assert cloud.show(key)["status"]["state"] == "running"


def test_a_pool_can_be_scaled_during_an_upgrade(slow: Cloud) -> None:
    """It ends with the requested count and the new version."""
    key = slow.cluster(surge_upgrade=True)
    slow.pass_time(300)
    slow.ok("POST", f"{CLUSTERS}/{key}/upgrade", {"version": "1.34.1-do.0"})
    slow.pass_time(240)
    slow.ok("PUT", slow.first(key), {"name": "main", "count": 3})
    slow.pass_time(10 * 60)
    shown = slow.show(key)
    assert (shown["status"]["state"], states(shown["node_pools"][0])) == ("running", ["running"] * 3)
    assert {node.version for node in slow.kubernetes(key).nodes} == {"v1.34.1"}


def test_an_automatic_upgrade_waits_for_the_window(slow: Cloud) -> None:
    """When the window opens, the cluster is upgraded to the newest patch of its minor version only."""
    window = {"day": "wednesday", "start_time": "02:00"}
    key = slow.cluster(version="1.33.0-do.0", auto_upgrade=True, maintenance_policy=window)
    slow.pass_time(2 * DAY + 2 * HOUR - 1)
    assert slow.show(key)["version"] == "1.33.0-do.0"
    slow.pass_time(1)
    assert (slow.show(key)["version"], slow.show(key)["status"]["state"]) == ("1.33.1-do.0", "upgrading")
    slow.pass_time(60 * DAY)
    assert (slow.show(key)["version"], slow.show(key)["status"]["state"]) == ("1.33.1-do.0", "running")


def test_an_automatic_upgrade_ignores_earlier_windows(slow: Cloud) -> None:
    """A window before auto_upgrade was turned on has no effect."""
    key = slow.cluster(version="1.33.0-do.0")
    slow.pass_time(3 * DAY)
    slow.ok("PUT", f"{CLUSTERS}/{key}", {"name": "c1", "auto_upgrade": True})
    assert slow.show(key)["version"] == "1.33.0-do.0"
    slow.pass_time(4 * HOUR)
    assert slow.show(key)["version"] == "1.33.1-do.0"


def test_a_skipped_window_starts_the_upgrade(cloud: Cloud) -> None:
    """The clock may move past a window in one step."""
    key = cloud.cluster(version="1.33.0-do.0", auto_upgrade=True)
    assert cloud.show(key)["version"] == "1.33.0-do.0"
    cloud.pass_time(DAY)
    assert cloud.show(key)["version"] == "1.33.1-do.0"
