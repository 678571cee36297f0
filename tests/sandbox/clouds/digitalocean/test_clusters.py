"""Clusters of the simulated DigitalOcean, without sockets and with time as an argument."""

from __future__ import annotations

import ipaddress
import itertools
import json
from typing import Any

import pytest

from planton_sandbox import clock
from planton_sandbox.clouds.digitalocean import cloud as digitalocean
from support.digitalocean import CLUSTERS, SMALL, VERSION, Cloud, states

POOL = {"name": "main", "size": SMALL, "count": 2}


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with instant latency."""
    return Cloud()


@pytest.fixture
def slow() -> Cloud:
    """A cloud with realistic latency."""
    return Cloud("realistic")


def test_a_new_cluster_is_running_at_the_next_read(cloud: Cloud) -> None:
    """The response to the create shows provisioning. The next read shows all nodes running."""
    body = {"name": "c1", "region": "fra1", "version": VERSION, "node_pools": [POOL]}
    created = cloud.ok("POST", CLUSTERS, body)["kubernetes_cluster"]
    assert created["status"] == {"state": "provisioning"}
    assert (created["endpoint"], states(created["node_pools"][0])) == ("", ["provisioning"] * 2)
    shown = cloud.show(created["id"])
    assert shown["status"] == {"state": "running"}
    assert (shown["endpoint"], states(shown["node_pools"][0])) == ("https://127.0.0.1:20000", ["running"] * 2)


def test_a_realistic_create_takes_minutes(slow: Cloud) -> None:
    """A cluster takes five minutes, a pool one and a half."""
    key = slow.cluster()
    slow.pass_time(299)
    assert slow.show(key)["status"]["state"] == "provisioning"
    slow.pass_time(1)
    assert slow.show(key)["status"]["state"] == "running"
    pool = slow.add_pool(key)
    slow.pass_time(89)
    assert states(slow.pool(key, pool)) == ["provisioning"]
    slow.pass_time(1)
    assert states(slow.pool(key, pool)) == ["running"]


def test_absent_fields_have_the_clouds_defaults(cloud: Cloud) -> None:
    """Unset blocks are null."""
    shown = cloud.show(cloud.cluster())
    assert (shown["ha"], shown["auto_upgrade"], shown["surge_upgrade"], shown["registry_enabled"]) == (False,) * 4
    assert shown["maintenance_policy"] == {"start_time": "04:00", "duration": "4h0m0s", "day": "any"}
    assert shown["control_plane_firewall"] is None
    assert shown["cluster_autoscaler_configuration"] is None
    assert shown["vpc_uuid"] == next(item["id"] for item in cloud.ok("GET", "/v2/vpcs")["vpcs"] if item["name"] == "default-fra1")


def test_the_clouds_own_tags_are_added_once(cloud: Cloud) -> None:
    """The cloud adds tags to clusters and pools. A request with these tags does not add them again."""
    key = cloud.cluster(tags=["prod", "PROD"])
    assert cloud.show(key)["tags"] == ["k8s", f"k8s:{key}", "prod"]
    pool = cloud.show(key)["node_pools"][0]
    assert pool["tags"] == ["k8s", f"k8s:{key}", "k8s:worker"]
    cloud.ok("PUT", cloud.first(key), {"tags": [*pool["tags"], "terraform:default-node-pool"]})
    assert cloud.show(key)["node_pools"][0]["tags"] == [*pool["tags"], "terraform:default-node-pool"]


def test_a_tags_only_update_of_a_pool_changes_nothing_else(cloud: Cloud) -> None:
    """The official plugin tags an imported pool. Count, labels and taints stay."""
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    key = cloud.cluster(node_pools=[{**POOL, "labels": {"x": "y"}, "taints": [taint]}])
    before = cloud.show(key)["node_pools"][0]
    cloud.ok("PUT", cloud.first(key), {"tags": ["t"]})
    after = cloud.show(key)["node_pools"][0]
    assert {**after, "tags": before["tags"]} == before


def test_absent_surge_upgrade_is_false(cloud: Cloud) -> None:
    """Clients omit surge_upgrade to turn it off. Absent tags stay."""
    key = cloud.cluster(surge_upgrade=True, tags=["prod"], auto_upgrade=True)
    assert cloud.show(key)["surge_upgrade"] is True
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"name": "c2"})
    shown = cloud.show(key)
    assert (shown["name"], shown["surge_upgrade"], shown["auto_upgrade"]) == ("c2", False, True)
    assert "prod" in shown["tags"]
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"tags": []})
    assert (cloud.show(key)["name"], "prod" in cloud.show(key)["tags"]) == ("c2", False)
    assert cloud.refused("PUT", f"{CLUSTERS}/{key}", {"name": "bad name"}) == (422, "unprocessable_entity")


def test_blocks_of_nulls_are_ignored(cloud: Cloud) -> None:
    """The official client sends blocks of nulls for unset settings."""
    key = cloud.cluster()
    before = cloud.show(key)
    cloud.ok(
        "PUT",
        f"{CLUSTERS}/{key}",
        {
            "name": "c1",
            "auto_upgrade": False,
            "ha": False,
            "control_plane_firewall": {"enabled": None, "allowed_addresses": None},
            "cluster_autoscaler_configuration": {"scale_down_utilization_threshold": None, "expanders": None},
            "routing_agent": {"enabled": None},
            "something_newer": {"enabled": None},
            "maintenance_policy": {"start_time": "04:00", "duration": "", "day": "any"},
        },
    )
    assert cloud.show(key) == before


def test_setting_blocks_are_returned_as_sent(cloud: Cloud) -> None:
    """The exception is the duration of a maintenance window, which the cloud sets."""
    key = cloud.cluster()
    cloud.ok(
        "PUT",
        f"{CLUSTERS}/{key}",
        {
            "name": "c1",
            "maintenance_policy": {"start_time": "15:30", "duration": "", "day": "sunday"},
            "cluster_autoscaler_configuration": {"scale_down_utilization_threshold": 0.65, "expanders": ["random"]},
            "routing_agent": {"enabled": True},
        },
    )
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"name": "c1", "cluster_autoscaler_configuration": {"expanders": []}})
    shown = cloud.show(key)
    assert shown["maintenance_policy"] == {"start_time": "15:30", "duration": "4h0m0s", "day": "sunday"}
    assert shown["cluster_autoscaler_configuration"] == {"scale_down_utilization_threshold": 0.65, "expanders": []}
    assert shown["routing_agent"] == {"enabled": True}


def test_high_availability_cannot_be_undone(cloud: Cloud) -> None:
    """It can be turned on, but not off. It is the default from 1.36 on."""
    key = cloud.cluster()
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"name": "c1", "ha": True})
    assert cloud.refused("PUT", f"{CLUSTERS}/{key}", {"name": "c2", "ha": False}) == (422, "unprocessable_entity")
    assert (cloud.show(key)["ha"], cloud.show(key)["name"]) == (True, "c1")
    assert cloud.show(cloud.cluster("new", version="1.36.0-do.0"))["ha"] is True
    assert cloud.show(cloud.cluster("plain", version="1.36.0-do.0", ha=False))["ha"] is False


@pytest.mark.parametrize(("version", "slug"), [("latest", "1.36.1-do.0"), ("1.33", "1.33.1-do.0"), ("1.33.0-do.0",) * 2])
def test_versions_are_resolved(cloud: Cloud, version: str, slug: str) -> None:
    """``latest`` and a minor version stand for the newest version."""
    assert cloud.show(cloud.cluster(version=version))["version"] == slug


@pytest.mark.parametrize(
    "body",
    [
        {"name": "bad name"},
        {"region": "fra9"},
        {"version": "1.2.3-do.0"},
        {"version": "1.31"},
        {"vpc_uuid": "none"},
        {"node_pools": []},
        {"node_pools": [{**POOL, "size": "huge"}]},
        {"node_pools": [{**POOL, "size": "s-1vcpu-1gb"}]},
        {"node_pools": [{**POOL, "size": "gpu-h100x1-80gb"}]},
        {"node_pools": [{**POOL, "count": 0}]},
        {"node_pools": [{**POOL, "count": 1000}]},
        {"node_pools": [POOL, POOL]},
        {"node_pools": [{**POOL, "taints": [{"key": "a", "value": "", "effect": "Never"}]}]},
        {"node_pools": [{**POOL, "auto_scale": True, "min_nodes": 3, "max_nodes": 2}]},
        {"tags": ["no spaces"]},
        {"maintenance_policy": {"day": "someday"}},
        {"maintenance_policy": {"start_time": "25:00"}},
        {"control_plane_firewall": {"enabled": True, "allowed_addresses": ["everywhere"]}},
        {"cluster_autoscaler_configuration": {"expanders": ["price"]}},
        {"cluster_subnet": "10.100.0.0/16"},
        {"service_subnet": "8.8.8.0/24"},
        {"isolated_workers": True},
        {"worker_subnet_uuid": "none"},
    ],
)
def test_an_invalid_new_cluster_is_refused(cloud: Cloud, body: dict[str, Any]) -> None:
    """No cluster is created."""
    cloud.ok("GET", "/v2/account")
    requested = {"name": "c1", "region": "fra1", "version": VERSION, "node_pools": [POOL], **body}
    assert cloud.refused("POST", CLUSTERS, requested) == (422, "unprocessable_entity")
    assert cloud.act("resources")["clusters"] == []


def test_names_are_not_unique(cloud: Cloud) -> None:
    """A repeated request creates a second cluster. Their networks do not overlap."""
    created = [cloud.show(cloud.cluster(node_pools=[{**POOL, "count": 1}])) for _ in range(13)]
    assert len({item["id"] for item in created}) == 13
    texts = [item[name] for item in created for name in ("cluster_subnet", "service_subnet")]
    subnets = [ipaddress.ip_network(text) for text in texts]
    assert not any(first.overlaps(second) for first, second in itertools.combinations(subnets, 2))


def test_a_deleted_cluster_blocks_its_vpc_for_a_while(slow: Cloud) -> None:
    """Clients get 404 for the cluster while its VPC still has members. Later the VPC can be deleted."""
    vpc = slow.ok("POST", "/v2/vpcs", {"name": "v1", "region": "fra1"})["vpc"]["id"]
    key = slow.cluster(vpc_uuid=vpc)
    slow.pass_time(300)
    assert slow.ask("DELETE", f"{CLUSTERS}/{key}").status == 204
    assert slow.refused("GET", f"{CLUSTERS}/{key}") == (404, "not_found")
    assert slow.refused("DELETE", f"{CLUSTERS}/{key}") == (404, "not_found")
    assert slow.ok("GET", CLUSTERS)["kubernetes_clusters"] == []
    reply = slow.ask("DELETE", f"/v2/vpcs/{vpc}")
    assert (reply.status, reply.body["message"]) == (403, "Can not delete VPC with members")
    assert slow.act("resources")["clusters"][0]["status"] == "deleting"
    slow.pass_time(60)
    assert slow.ask("DELETE", f"/v2/vpcs/{vpc}").status == 204


def test_the_vpc_of_a_deleted_cluster_is_refused_once(cloud: Cloud) -> None:
    """The official plugin retries its deletion."""
    vpc = cloud.ok("POST", "/v2/vpcs", {"name": "v1", "region": "fra1"})["vpc"]["id"]
    cloud.ok("DELETE", f"{CLUSTERS}/{cloud.cluster(vpc_uuid=vpc)}")
    assert [cloud.ask("DELETE", f"/v2/vpcs/{vpc}").status for _ in range(2)] == [403, 204]


def test_a_deletion_ends_without_reads(cloud: Cloud) -> None:
    """Time alone ends a deletion."""
    cloud.ok("DELETE", f"{CLUSTERS}/{cloud.cluster()}")
    assert len(cloud.act("resources")["clusters"]) == 1
    cloud.pass_time(2)
    assert cloud.act("resources")["clusters"] == []


def test_no_cluster_has_the_state_deleting(slow: Cloud) -> None:
    """The official client cannot read the state "deleting". A stuck or failed cluster has other states."""
    key = slow.cluster()
    slow.act("stuck", cluster=key)
    slow.pass_time(10_000)
    assert slow.show(key)["status"]["state"] == "provisioning"
    slow.act("unstuck")
    slow.act("fail", cluster="c1", message="out of capacity")
    assert slow.show(key)["status"] == {"state": "error", "message": "out of capacity"}
    slow.act("fail", cluster="c1")
    assert slow.show(key)["status"] == {"state": "running"}


def test_new_clusters_can_be_stuck(cloud: Cloud) -> None:
    """The next clusters can be made to stay in provisioning."""
    cloud.act("stuck", count=1)
    assert [cloud.show(cloud.cluster(name))["status"]["state"] for name in ("a", "b")] == ["provisioning", "running"]


def test_a_saved_state_is_restored(cloud: Cloud) -> None:
    """The restored cloud gives the same responses."""
    key = cloud.cluster(control_plane_firewall={"enabled": True, "allowed_addresses": ["127.0.0.1"]}, auto_upgrade=True)
    cloud.add_pool(key, auto_scale=True, min_nodes=1, max_nodes=4, labels={"x": "y"})
    cloud.ok("GET", f"{CLUSTERS}/{key}/credentials")
    before, side = cloud.show(key), cloud.kubernetes(key)
    saved = json.loads(json.dumps(cloud.cloud.save()))
    cloud.cloud = digitalocean.DigitalOcean(pace=clock.Pace("instant"), reserve_port=lambda: 1, saved=saved)
    assert cloud.show(key) == before
    assert cloud.kubernetes(key) == side
