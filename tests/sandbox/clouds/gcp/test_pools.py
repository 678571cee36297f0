"""Node pools of the simulated GKE with the official Python client."""

from __future__ import annotations

from typing import Any

import pytest

from planton_sandbox import launch
from support.gcp import PLACE, PROJECT, REGION, ZONES, Gke, refused

DONE = "DONE"


@pytest.fixture
def cluster(gke: Gke) -> str:
    """The path of a cluster with no release channel, whose pools may do without automatic upgrades."""
    return gke.cluster(release_channel={"channel": "UNSPECIFIED"}, initial_cluster_version="1.35")


def _sizes(gke: Gke) -> dict[str, int]:
    sizes = {}
    for zone in ZONES:
        listed = gke.get(f"/compute/beta/projects/{PROJECT}/zones/{zone}/instanceGroupManagers").get("items", [])
        sizes[zone] = sum(item["targetSize"] for item in listed if "workers" in item["name"])
    return sizes


def _nodes(gke: Gke, name: str = "workers") -> list[str]:
    clusters = gke.sandbox.control.resources("gcp")["clusters"]
    return next(pool["nodes"] for item in clusters for pool in item["pools"] if pool["name"] == name)


def test_a_pool_is_created_with_all_defaults(gke: Gke, cluster: str) -> None:
    """Its instance groups are in Compute Engine, one for each zone."""
    shown = gke.api.get_node_pool(name=gke.pool(cluster))
    assert (shown.status, shown.initial_node_count, list(shown.locations)) == ("RUNNING", 1, ZONES)
    config = shown.config
    assert (config.machine_type, config.disk_size_gb, config.disk_type) == ("e2-medium", 100, "pd-balanced")
    assert (config.image_type, config.service_account) == ("COS_CONTAINERD", "default")
    assert (shown.upgrade_settings.max_surge, shown.management.auto_repair) == (1, True)
    assert len(shown.instance_group_urls) == 2
    assert _sizes(gke) == {"us-central1-a": 1, "us-central1-b": 1}
    url = shown.instance_group_urls[0]
    assert url.startswith(f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/us-central1-a/instanceGroupManagers/")
    group = gke.get(f"/compute/v1/{url.partition('/compute/v1/')[2]}")
    assert (group["targetSize"], group["name"].endswith("-grp")) == (1, True)


def test_a_fixed_pool_scales_in_place_by_zone(gke: Gke, cluster: str) -> None:
    """The count is per zone, the initial count follows it, and the nodes of before stay."""
    path = gke.pool(cluster)
    before = set(_nodes(gke))
    gke.wait(gke.api.set_node_pool_size({"name": path, "node_count": 3}))
    assert _sizes(gke) == {"us-central1-a": 3, "us-central1-b": 3}
    assert gke.api.get_node_pool(name=path).initial_node_count == 3
    assert before < set(_nodes(gke))
    gke.wait(gke.api.set_node_pool_size({"name": path, "node_count": 0}))
    assert _nodes(gke) == []


def test_total_bounds_hold_for_all_zones(gke: Gke, cluster: str) -> None:
    """The autoscaler spreads the nodes over the zones, and leaves the initial count alone."""
    bounds = {"enabled": True, "total_min_node_count": 2, "total_max_node_count": 5}
    path = gke.pool(cluster, autoscaling=bounds)
    control = gke.sandbox.control
    control.outside("load", cloud="gcp", cluster="c1", pool="workers", nodes=9)
    control.advance(1)
    assert _sizes(gke) == {"us-central1-a": 3, "us-central1-b": 2}
    control.outside("load", cloud="gcp", cluster="c1", pool="workers", nodes=0)
    control.advance(1)
    assert _sizes(gke) == {"us-central1-a": 1, "us-central1-b": 1}
    shown = gke.api.get_node_pool(name=path)
    assert (shown.initial_node_count, shown.autoscaling.location_policy) == (1, "BALANCED")
    update = {"desired_node_pool_id": "workers", "desired_node_pool_autoscaling": {"enabled": True, "max_node_count": 4}}
    gke.wait(gke.api.update_cluster(name=cluster, update=update))
    assert gke.api.get_node_pool(name=path).autoscaling.max_node_count == 4
    gke.wait(gke.api.set_node_pool_autoscaling({"name": path, "autoscaling": {"enabled": False}}))
    assert not gke.api.get_node_pool(name=path).autoscaling.enabled


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "-x"}, "node_pool.name"),
        ({"config": {"machine_type": "n9-standard-4"}}, 'Machine type "n9-standard-4"'),
        ({"config": {"disk_size_gb": 11}}, "between 12 and"),
        ({"config": {"disk_type": "hyperdisk-balanced"}}, 'Disk type "hyperdisk-balanced" is not supported'),
        ({"config": {"image_type": "COS"}}, "image type"),
        ({"config": {"labels": {"k": "v" * 1024}}}, "1024 characters"),
        ({"config": {"spot": True, "preemptible": True}}, "spot and preemptible"),
        ({"config": {"accelerators": [{"accelerator_type": "x", "accelerator_count": 1}]}}, 'Accelerator type "x"'),
        ({"locations": ["us-east1-b"]}, "us-east1-b"),
        ({"version": "1.36"}, "cannot be greater than current master version"),
        ({"version": "1.32"}, "within two minor versions"),
        ({"initial_node_count": 1001}, "1000 nodes per zone"),
        ({"autoscaling": {"enabled": True, "min_node_count": 3, "max_node_count": 2}}, "not below the minimum"),
        ({"upgrade_settings": {"max_surge": 0, "max_unavailable": 21}}, "max_surge"),
        ({"upgrade_settings": {"strategy": "BLUE_GREEN", "max_surge": 1}}, "blue-green"),
    ],
)
def test_an_invalid_pool_is_refused(gke: Gke, cluster: str, change: dict[str, Any], text: str) -> None:
    """The error names the value."""
    with refused(400, text):
        gke.pool(cluster, **{"initial_node_count": 1, "name": "workers", **change})


def test_the_smallest_disk_depends_on_the_version(gke: Gke) -> None:
    """From 1.36.3 on, it has 15 GB."""
    path = gke.cluster(release_channel={"channel": "RAPID"})
    with refused(400, "between 15 and"):
        gke.pool(path, config={"disk_size_gb": 14})


def test_a_release_channel_needs_automatic_upgrades(gke: Gke) -> None:
    """Clusters have a channel unless they ask for none."""
    path = gke.cluster()
    with refused(400, "Auto_upgrade cannot be false when release_channel REGULAR is set"):
        gke.pool(path, management={"auto_repair": True})


def test_labels_and_taints_reach_the_present_nodes(gke: Gke, cluster: str) -> None:
    """No node is replaced."""
    path = gke.pool(cluster, config={"labels": {"a": "b"}})
    before = _nodes(gke)
    taint = {"key": "k", "value": "v", "effect": "NO_SCHEDULE"}
    gke.wait(gke.api.update_node_pool({"name": path, "labels": {"labels": {"c": "d"}}, "taints": {"taints": [taint]}}))
    config = gke.api.get_node_pool(name=path).config
    assert dict(config.labels) == {"c": "d"}
    assert [(item.key, item.value, item.effect) for item in config.taints] == [("k", "v", "NO_SCHEDULE")]
    assert _nodes(gke) == before


def test_another_machine_type_replaces_the_nodes_in_batches(gke: Gke, cluster: str) -> None:
    """With surge, the pool never has fewer nodes than desired."""
    path = gke.pool(cluster, initial_node_count=2)
    before = set(_nodes(gke))
    gke.sandbox.control.latency("realistic")
    operation = gke.api.update_node_pool({"name": path, "machine_type": "e2-standard-4", "disk_size_gb": 50})
    counts = []
    while gke.api.get_operation(name=f"{PLACE}/operations/{operation.name}").status != DONE:
        gke.sandbox.control.advance(30)
        counts.append(len(_nodes(gke)))
    assert (min(counts), max(counts)) == (4, 5)
    assert len(counts) * 30 >= 4 * 150
    assert not before & set(_nodes(gke))
    config = gke.api.get_node_pool(name=path).config
    assert (config.machine_type, config.disk_size_gb) == ("e2-standard-4", 50)


def test_a_blue_green_upgrade_has_both_sets_of_nodes(gke: Gke, cluster: str) -> None:
    """It can be completed before its soaking ends, and rolled back."""
    settings = {"strategy": "BLUE_GREEN", "blue_green_settings": {"node_pool_soak_duration": "1000s"}}
    path = gke.pool(cluster, upgrade_settings=settings)
    blue = set(_nodes(gke))
    gke.sandbox.control.latency("realistic")
    gke.api.update_node_pool({"name": path, "machine_type": "e2-standard-4"})
    gke.sandbox.control.advance(600)
    assert blue < set(_nodes(gke))
    assert len(_nodes(gke)) == 4
    rolled_back = gke.api.rollback_node_pool_upgrade(name=path)
    gke.sandbox.control.latency("instant")
    gke.sandbox.control.advance(2000)
    gke.wait(rolled_back)
    assert gke.api.get_node_pool(name=path).config.machine_type == "e2-medium"
    assert set(_nodes(gke)) == blue
    operation = gke.api.update_node_pool({"name": path, "machine_type": "e2-standard-4"})
    gke.wait(operation)
    assert not blue & set(_nodes(gke))


def test_other_zones_move_the_nodes(gke: Gke, cluster: str) -> None:
    """Nodes of a zone that stays are kept."""
    path = gke.pool(cluster)
    kept = _nodes(gke)
    labels = {"labels": {"a": "b"}}
    gke.wait(gke.api.update_node_pool({"name": path, "locations": ["us-central1-b", "us-central1-c"], "labels": labels}))
    gke.sandbox.control.advance(1)
    shown = gke.api.get_node_pool(name=path)
    assert (list(shown.locations), dict(shown.config.labels)) == (["us-central1-b", "us-central1-c"], {"a": "b"})
    assert len(_nodes(gke)) == 2
    assert len(set(kept) & set(_nodes(gke))) == 1


def test_pools_change_in_parallel_and_each_alone(gke: Gke, cluster: str) -> None:
    """At most five operations of a cluster run at a time."""
    gke.sandbox.control.latency("realistic")
    body = {"initial_node_count": 1}
    for number in range(5):
        gke.api.create_node_pool(parent=cluster, node_pool={"name": f"p{number}", **body})
    with refused(400, "incompatible operation"):
        gke.api.set_node_pool_size({"name": f"{cluster}/nodePools/p0", "node_count": 2})
    with refused(429, "concurrent operations quota 5"):
        gke.api.create_node_pool(parent=cluster, node_pool={"name": "p5", **body})
    with refused(400, "incompatible operation"):
        gke.api.delete_cluster(name=cluster)


def test_a_stockout_fails_the_operation_and_keeps_the_pool(gke: Gke, cluster: str) -> None:
    """The pool has an error and a condition until the zone has machines again."""
    control = gke.sandbox.control
    control.outside("stockout", cloud="gcp", zone="us-central1-b")
    operation = gke.wait(gke.api.create_node_pool(parent=cluster, node_pool={"name": "workers", "initial_node_count": 1}))
    assert "[GCE_STOCKOUT]" in operation.status_message
    assert operation.nodepool_conditions[0].code == "GCE_STOCKOUT"
    path = f"{cluster}/nodePools/workers"
    shown = gke.api.get_node_pool(name=path)
    assert shown.status == "RUNNING_WITH_ERROR"
    assert shown.conditions[0].code == "GCE_STOCKOUT"
    assert len(_nodes(gke)) == 1
    control.outside("in-stock", cloud="gcp", zone="us-central1-b")
    control.advance(1)
    assert gke.api.get_node_pool(name=path).status == "RUNNING"
    assert len(_nodes(gke)) == 2


def test_a_stockout_holds_the_pool_for_half_an_hour(gke: Gke, cluster: str) -> None:
    """Its operation cannot be cancelled."""
    gke.sandbox.control.outside("stockout", cloud="gcp", zone="us-central1-b", machineType="e2-medium")
    gke.sandbox.control.latency("realistic")
    operation = gke.api.create_node_pool(parent=cluster, node_pool={"name": "workers", "initial_node_count": 1})
    gke.sandbox.control.advance(1700)
    name = f"{PLACE}/operations/{operation.name}"
    assert gke.api.get_operation(name=name).status == "RUNNING"
    with refused(400, "cannot be cancelled"):
        gke.api.cancel_operation(name=name)
    gke.sandbox.control.advance(101)
    assert gke.api.get_operation(name=name).status == DONE


def test_quotas_refuse_nodes_and_limit_the_autoscaler(gke: Gke, cluster: str) -> None:
    """The refusal has all numbers; the autoscaler leaves a condition."""
    control = gke.sandbox.control
    control.outside("quota", cloud="gcp", region=REGION, CPUS=8)
    text = "\"CPUS\": request requires '12.0' and is short '8.0'. project has a quota of '8.0' with '4.0' available"
    with refused(403, text):
        gke.pool(cluster, initial_node_count=3)
    path = gke.pool(cluster, autoscaling={"enabled": True, "total_max_node_count": 9})
    control.outside("load", cloud="gcp", cluster="c1", pool="workers", nodes=9)
    control.advance(1)
    shown = gke.api.get_node_pool(name=path)
    assert shown.conditions[0].code == "GCE_QUOTA_EXCEEDED"
    quotas = {item["metric"]: item for item in gke.get(f"/compute/v1/projects/{PROJECT}/regions/{REGION}")["quotas"]}
    assert (quotas["CPUS"]["limit"], quotas["CPUS"]["usage"]) == (8, 8)


@pytest.mark.parametrize(
    ("of_cluster", "of_pool", "used"), [(False, None, 4), (False, True, 2), (True, None, 0), (True, False, 2), (False, False, 4)]
)
def test_nodes_with_public_addresses_use_a_quota(gke: Gke, *, of_cluster: bool, of_pool: bool | None, used: int) -> None:
    """The setting of a pool counts, or else that of its cluster."""
    cluster = gke.cluster("c2", private_cluster_config={"enable_private_nodes": of_cluster})
    gke.pool(cluster, **({} if of_pool is None else {"network_config": {"enable_private_nodes": of_pool}}))
    assert _usage(gke)["IN_USE_ADDRESSES"] == used


def test_the_first_nodes_of_a_cluster_need_quotas(gke: Gke) -> None:
    """One in each zone, with a disk of 100 GB, although the official plugin deletes them again. A hyperdisk has a quota of its own."""
    gke.sandbox.control.outside("quota", cloud="gcp", region=REGION, SSD_TOTAL_GB=250)
    with refused(403, "\"SSD_TOTAL_GB\": request requires '300.0' and is short '50.0'"):
        gke.cluster("c2", locations=["us-central1-a", "us-central1-b", "us-central1-c"])
    cluster = gke.cluster("c2")
    gke.pool(cluster, config={"machine_type": "n4-standard-2"})
    assert (_usage(gke)["SSD_TOTAL_GB"], _usage(gke)["HDB_TOTAL_GB"]) == (200, 200)


def _usage(gke: Gke) -> dict[str, float]:
    return {item["metric"]: item["usage"] for item in gke.get(f"/compute/v1/projects/{PROJECT}/regions/{REGION}")["quotas"]}


def test_accelerators_and_arm_bring_their_own_taints(gke: Gke, cluster: str) -> None:
    """Machine types with an accelerator need none of their own."""
    gpu = {"accelerator_type": "nvidia-tesla-t4", "accelerator_count": 1}
    first = gke.pool(cluster, "gpus", config={"machine_type": "n1-standard-4", "accelerators": [gpu]})
    second = gke.pool(cluster, "arm", config={"machine_type": "t2a-standard-1"})
    assert gke.api.get_node_pool(name=first).config.taints[0].key == "nvidia.com/gpu"
    assert gke.api.get_node_pool(name=second).config.taints[0].key == "kubernetes.io/arch"


def test_a_pool_that_was_deleted_is_gone(gke: Gke, cluster: str) -> None:
    """Before that, it is STOPPING."""
    path = gke.pool(cluster)
    gke.sandbox.control.latency("realistic")
    operation = gke.api.delete_node_pool(name=path)
    assert gke.api.get_node_pool(name=path).status == "STOPPING"
    gke.sandbox.control.advance(120)
    gke.wait(operation)
    with refused(404, "Not found: .*nodePools/workers"):
        gke.api.get_node_pool(name=path)


def test_an_old_etag_is_refused(gke: Gke, cluster: str) -> None:
    """Each change has another etag."""
    path = gke.pool(cluster)
    old = gke.api.get_node_pool(name=path).etag
    gke.wait(gke.api.update_node_pool({"name": path, "tags": {"tags": ["web"]}, "etag": old}))
    with refused(409, "etag"):
        gke.api.update_node_pool({"name": path, "tags": {"tags": []}, "etag": old})


def test_a_preempted_machine_is_replaced(gke: Gke, cluster: str) -> None:
    """Only Spot and preemptible machines can be taken away."""
    gke.pool(cluster, config={"spot": True})
    gone = _nodes(gke)[0]
    gke.sandbox.control.outside("preempt", cloud="gcp", cluster="c1", node=gone)
    assert gone not in _nodes(gke)
    assert len(_nodes(gke)) == 2
    kept = _nodes(gke, "default-pool")[0]
    with pytest.raises(launch.LaunchError, match="neither Spot nor preemptible"):
        gke.sandbox.control.outside("preempt", cloud="gcp", cluster="c1", node=kept)


def test_a_subnetwork_without_addresses_keeps_nodes_away(gke: Gke, cluster: str) -> None:
    """Each node takes a block of the range for pods. Other clusters of the subnetwork can free some."""
    control = gke.sandbox.control
    control.outside("addresses", cloud="gcp", cluster="c1", free=1)
    operation = gke.wait(gke.api.create_node_pool(parent=cluster, node_pool={"name": "workers", "initial_node_count": 1}))
    exhausted = "IP space of 'projects/sandbox-project/regions/us-central1/subnetworks/default' is exhausted."
    assert f"[IP_SPACE_EXHAUSTED]: Instance creation failed: {exhausted}" in operation.status_message
    shown = gke.api.get_node_pool(name=f"{cluster}/nodePools/workers")
    assert shown.status == "RUNNING_WITH_ERROR"
    assert exhausted in shown.status_message
    assert len(_nodes(gke)) == 1
    control.outside("addresses", cloud="gcp", cluster="c1")
    control.advance(1)
    assert len(_nodes(gke)) == 2


def test_a_small_range_for_pods_has_room_for_few_nodes(gke: Gke) -> None:
    """A range of 512 addresses is enough for two nodes."""
    ranges = {"pods": "10.250.0.0/23", "services": "10.251.0.0/24"}
    gke.sandbox.control.outside(
        "subnetwork", cloud="gcp", region="us-central1", name="small", cidr="10.252.0.0/24", ranges=ranges
    )
    policy = {"use_ip_aliases": True, "cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"}
    name = gke.cluster("small", subnetwork="small", initial_node_count=1, ip_allocation_policy=policy)
    assert len(_nodes(gke, "default-pool")) == 2
    operation = gke.wait(gke.api.set_node_pool_size({"name": f"{name}/nodePools/default-pool", "node_count": 2}))
    assert "IP_SPACE_EXHAUSTED" in operation.status_message
    assert len(_nodes(gke, "default-pool")) == 2
