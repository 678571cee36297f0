"""Node pools of the simulated Civo, without sockets and with time as an argument."""

from __future__ import annotations

import pytest

from support.civo import CLUSTERS, SMALL, Cloud


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with instant latency."""
    return Cloud()


def test_scaling_down_takes_the_oldest_nodes(cloud: Cloud) -> None:
    """Of pools of 3, 5 and 2 nodes, the last one has the two newest nodes, in the order of their creation."""
    key = cloud.built()
    counts = {}
    for count in (3, 5, 2):
        cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": count, "taints": None})
        assert cloud.show(key)["status"] == "SCALING"
        counts[count] = cloud.nodes(key)
    assert [len(names) for names in counts.values()] == [3, 5, 2]
    assert counts[5][:3] == counts[3]
    assert counts[2] == counts[5][-2:]


def test_the_required_count_changes_before_the_number_of_machines(cloud: Cloud) -> None:
    """While nodes are being removed, required_pools has the new count and pools the old one."""
    key = cloud.built()
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": 1})
    body = cloud.show(key)
    assert (body["required_pools"][0]["count"], body["pools"][0]["count"]) == (1, 2)
    assert {item["status"] for item in body["pools"][0]["instances"]} == {"ACTIVE", "DELETING"}
    assert cloud.ok("GET", f"{CLUSTERS}/{key}/pools/main")["count"] == 1


def test_labels_of_first_pools_are_ignored(cloud: Cloud) -> None:
    """Labels and taints in the request for a new cluster have no effect. A later PUT applies them."""
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    pool = {"id": "main", "count": 1, "size": SMALL, "labels": {"x": "y"}, "taints": [taint]}
    key = cloud.cluster(pools=[pool])
    shown = cloud.show(key)["pools"][0]
    assert "labels" not in shown
    assert "taints" not in shown
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"labels": {"x": "y"}, "taints": [taint]})
    shown = cloud.show(key)["pools"][0]
    assert (shown["labels"], shown["taints"]) == ({"x": "y"}, [taint])


def test_null_taints_and_absent_labels_are_not_changed(cloud: Cloud) -> None:
    """A PUT changes only the fields that it has."""
    key = cloud.built()
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    pool = {"id": "gpu", "count": 1, "size": SMALL, "labels": {"x": "y"}, "taints": [taint]}
    cloud.ok("POST", f"{CLUSTERS}/{key}/pools", pool)
    shown = cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/gpu", {"taints": None})
    assert (shown["labels"], shown["taints"]) == ({"x": "y"}, [taint])


def test_removing_a_taint_does_not_change_existing_nodes(cloud: Cloud) -> None:
    """A removed label is removed from the nodes. New nodes have neither."""
    key = cloud.built()
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"labels": {"x": "y"}, "taints": [taint]})
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"labels": {}, "taints": [], "count": 3})
    nodes = cloud.kubernetes().nodes
    assert [[item.key for item in node.taints] for node in nodes] == [["a"], ["a"], []]
    assert all("x" not in node.labels for node in nodes)


def test_the_default_pool_stays_first(cloud: Cloud) -> None:
    """Later pools come after the default one, in any order of a PUT."""
    key = cloud.built()
    cloud.ok("POST", f"{CLUSTERS}/{key}/pools", {"id": "a", "count": 1, "size": SMALL})
    pools = [{"id": "a", "count": 2, "size": SMALL}, {"id": "main", "count": 3, "size": SMALL}]
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"pools": pools})
    assert [(item["id"], item["count"]) for item in cloud.show(key)["required_pools"]] == [("main", 3), ("a", 2)]


def test_pool_names_are_unique_in_a_cluster(cloud: Cloud) -> None:
    """A second pool with the same name is a conflict."""
    key = cloud.built()
    reply = cloud.ask("POST", f"{CLUSTERS}/{key}/pools", {"id": "main", "count": 1, "size": SMALL})
    assert reply.status == 409


def test_the_size_of_a_pool_cannot_change(cloud: Cloud) -> None:
    """A PUT with another size is refused and changes nothing."""
    key = cloud.built()
    reply = cloud.ask("PUT", f"{CLUSTERS}/{key}/pools/main", {"size": "g4s.kube.large", "count": 5})
    assert reply.status == 400
    assert len(cloud.nodes(key)) == 2


def test_a_deleted_pool_is_missing_after_one_read(cloud: Cloud) -> None:
    """The deletion of the last pool is refused."""
    key = cloud.built()
    cloud.ok("POST", f"{CLUSTERS}/{key}/pools", {"id": "a", "count": 1, "size": SMALL})
    cloud.ok("DELETE", f"{CLUSTERS}/{key}/pools/a")
    assert cloud.ask("GET", f"{CLUSTERS}/{key}/pools/a").status == 200
    missing = cloud.ask("GET", f"{CLUSTERS}/{key}/pools/a")
    assert (missing.status, missing.body["code"]) == (404, "database_cluster_pool_not_found")
    assert cloud.ask("DELETE", f"{CLUSTERS}/{key}/pools/main").status == 400


def test_a_request_above_the_quota_is_refused(cloud: Cloud) -> None:
    """Usage counts existing machines."""
    key = cloud.built()
    cloud.act("quota", instance_count=3)
    reply = cloud.ask("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": 4})
    assert (reply.status, reply.body["code"]) == (403, "quota_limit_reached")
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": 3})
    quota = cloud.ok("GET", "/v2/quota")
    assert (quota["instance_count_limit"], quota["instance_count_usage"]) == (3, 3)
