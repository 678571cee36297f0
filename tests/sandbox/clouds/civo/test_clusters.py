"""Clusters of the simulated Civo, without sockets and with time as an argument."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import cloud as civo
from support.civo import CLUSTERS, SMALL, TOKEN, Cloud


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with instant latency."""
    return Cloud()


def test_the_first_read_of_a_new_cluster_shows_building(cloud: Cloud) -> None:
    """The second read shows ACTIVE, with a kubeconfig."""
    key = cloud.cluster()
    first = cloud.show(key)
    assert first["status"] == "BUILDING"
    assert "kubeconfig" not in first
    second = cloud.show(key)
    assert (second["status"], second["ready"]) == ("ACTIVE", True)
    assert second["kubeconfig"].startswith("apiVersion: v1")
    assert second["api_endpoint"] == "https://127.0.0.1:20000"


def test_an_unread_cluster_stays_building(cloud: Cloud) -> None:
    """Instant latency waits for a read, however long that takes."""
    key = cloud.cluster()
    cloud.now += 10_000
    assert cloud.show(key)["status"] == "BUILDING"


def test_an_upgrade_proceeds_node_by_node(cloud: Cloud) -> None:
    """Each read shows one more node with the new version."""
    key = cloud.built()
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.31.2-k3s1"})
    steps = []
    for _ in range(3):
        status = cloud.show(key)["status"]
        versions = [node.version for node in cloud.kubernetes().nodes]
        steps.append((status, versions.count("v1.31.2+k3s1")))
    assert steps == [("UPGRADING", 0), ("UPGRADING", 1), ("ACTIVE", 2)]
    assert cloud.show(key)["kubernetes_version"] == "1.31.2-k3s1"


def test_an_upgrade_ends_without_reads(cloud: Cloud) -> None:
    """Time alone ends an upgrade."""
    key = cloud.built()
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.31.2-k3s1"})
    for _ in range(2):
        cloud.now += 1
        cloud.cloud.settle(cloud.now)
    assert cloud.show(key)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "c1"}, 409, "database_kubernetes_cluster_duplicate"),
        ({"name": "bad name"}, 400, "kubernetes_cluster_invalid_name"),
        ({"kubernetes_version": "1.2.3-k3s1"}, 400, "database_kubernetes_cluster_invalid_version"),
        ({"kubernetes_version": "talos-v1.5.0"}, 400, "database_kubernetes_cluster_invalid_version"),
        ({"network_id": "none"}, 404, "database_network_not_found"),
        ({"instance_firewall": "none"}, 404, "database_firewall_not_found"),
        ({"pools": []}, 400, "database_kubernetes_cluster_no_pools"),
        ({"pools": [{"count": 1, "size": "huge"}]}, 400, "database_size_not_found"),
        ({"pools": [{"count": 0, "size": SMALL}]}, 400, "database_kubernetes_cluster_invalid"),
        ({"pools": [{"id": "a", "count": 1, "size": SMALL}] * 2}, 409, "database_cluster_pool_duplicate"),
        ({"applications": "nothing-like-it"}, 404, "database_kubernetes_application_not_found"),
        ({"cni_plugin": "weave"}, 400, "database_kubernetes_cluster_invalid"),
        ({"region": "XXX1"}, 400, "region_unavailable"),
    ],
)
def test_an_invalid_new_cluster_is_refused(cloud: Cloud, body: dict[str, Any], status: int, code: str) -> None:
    """The response has the cloud's error code."""
    cloud.cluster()
    valid = {"name": "c2", "pools": [{"id": "main", "count": 1, "size": SMALL}]}
    request = wire.Request(method="POST", path=CLUSTERS, query={}, body={**valid, **body}, token=TOKEN, now=cloud.now)
    reply = cloud.cloud.handle(request)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert isinstance(reply.body["reason"], str)


def test_a_downgrade_is_refused(cloud: Cloud) -> None:
    """The cluster keeps its version."""
    key = cloud.built()
    reply = cloud.ask("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.29.0-k3s1"})
    assert (reply.status, reply.body["code"]) == (400, "database_kubernetes_cluster_invalid_version")


def test_a_deleted_cluster_is_missing_after_one_read(cloud: Cloud) -> None:
    """The first read shows DELETING, the next one is a 404. Its Kubernetes API closes immediately."""
    key = cloud.built()
    cloud.ok("DELETE", f"{CLUSTERS}/{key}")
    assert not cloud.kubernetes().open
    assert cloud.show(key)["status"] == "DELETING"
    missing = cloud.ask("GET", f"{CLUSTERS}/{key}")
    assert (missing.status, missing.body["code"]) == (404, "database_kubernetes_cluster_not_found")


def test_a_deletion_ends_without_reads(cloud: Cloud) -> None:
    """A firewall of a cluster that is being deleted is refused once. Time alone ends the deletion."""
    firewall = cloud.ok("POST", "/v2/firewalls", {"name": "f"})["id"]
    key = cloud.built(instance_firewall=firewall)
    cloud.ok("DELETE", f"{CLUSTERS}/{key}")
    assert [cloud.ask("DELETE", f"/v2/firewalls/{firewall}").status for _ in range(2)] == [409, 200]
    key = cloud.built()
    cloud.ok("DELETE", f"{CLUSTERS}/{key}")
    cloud.now += 3
    assert cloud.ask("GET", f"{CLUSTERS}/{key}").status == 404


def test_applications_are_installed_independently(cloud: Cloud) -> None:
    """Defaults are installed unless excluded. A failing application fails alone."""
    key = cloud.built(applications="Redis,sandbox-broken,-metrics-server,PostgreSQL:5GB")
    installed = {item["name"]: item["installed"] for item in cloud.show(key)["installed_applications"]}
    assert installed == {"Redis": True, "sandbox-broken": False, "PostgreSQL": True}
    assert cloud.show(key)["status"] == "ACTIVE"


def test_a_stuck_cluster_stays_in_building(cloud: Cloud) -> None:
    """It stays in BUILDING until it is released, while other clusters become active."""
    cloud.act("stuck")
    key = cloud.cluster()
    assert [cloud.show(key)["status"] for _ in range(3)] == ["BUILDING"] * 3
    cloud.built("c2")
    cloud.act("unstuck")
    assert cloud.show(key)["status"] == "ACTIVE"


def test_regions_and_accounts_are_separate(cloud: Cloud) -> None:
    """A cluster is found only with its account's token and in its region."""
    key = cloud.built()
    assert cloud.ask("GET", f"{CLUSTERS}/{key}", region="NYC1").status == 404
    assert cloud.ask("GET", f"{CLUSTERS}/{key}", token="sandbox-other").status == 404
    assert cloud.ok("GET", CLUSTERS, region="NYC1")["items"] == []
    assert cloud.ok("POST", CLUSTERS, {"name": "c1", "pools": [{"count": 1, "size": SMALL}]}, token="sandbox-other")


def test_realistic_latency_has_the_documented_durations() -> None:
    """A cluster takes 100 seconds, a node 60, the removal of a node 30."""
    cloud = Cloud("realistic")
    key = cloud.cluster()
    cloud.now += 99
    assert cloud.show(key)["status"] == "BUILDING"
    cloud.now += 1
    assert cloud.show(key)["status"] == "ACTIVE"
    for count, seconds in ((3, 60), (2, 30)):
        cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": count})
        cloud.now += seconds - 1
        assert cloud.show(key)["status"] == "SCALING"
        cloud.now += 1
        assert cloud.show(key)["status"] == "ACTIVE"


def test_a_realistic_upgrade_is_spread_over_the_nodes() -> None:
    """A minor upgrade of two nodes takes 750 seconds, half of it for each node."""
    cloud = Cloud("realistic")
    key = cloud.cluster()
    cloud.now += 100
    cloud.show(key)
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.31.2-k3s1"})
    cloud.now += 375
    cloud.show(key)
    versions = [node.version for node in cloud.kubernetes().nodes]
    assert versions == ["v1.31.2+k3s1", "v1.30.5+k3s1"]
    cloud.now += 375
    assert cloud.show(key)["status"] == "ACTIVE"


def test_a_saved_state_is_restored(cloud: Cloud) -> None:
    """The restored cloud saves the same state again."""
    cloud.built()
    saved = json.loads(json.dumps(cloud.cloud.save()))
    restored = civo.Civo(pace=clock.Pace(), reserve_port=lambda: 1, saved=saved)
    assert restored.save() == saved


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_an_invalid_token_is_refused(cloud: Cloud, token: str) -> None:
    """The response is a 401 in the cloud's format."""
    reply = cloud.ask("GET", "/v2/networks", token=token)
    assert (reply.status, reply.body["result"]) == (401, "requires_authentication")
