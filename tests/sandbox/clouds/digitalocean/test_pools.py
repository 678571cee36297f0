"""Node pools of the simulated DigitalOcean, and the autoscaler."""

from __future__ import annotations

from typing import Any

import pytest

from support.digitalocean import CLUSTERS, SMALL, Cloud, nodes, states

SCALED = {"auto_scale": True, "min_nodes": 1, "max_nodes": 4}


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with instant latency."""
    return Cloud()


def _path(key: str, pool: str) -> str:
    return f"{CLUSTERS}/{key}/node_pools/{pool}"


def test_scaling_keeps_the_oldest_nodes(cloud: Cloud) -> None:
    """Pools of 3, 5 and 2 nodes share their first two nodes."""
    key = cloud.cluster()
    names_by_count = {}
    for count in (3, 5, 2):
        cloud.ok("PUT", cloud.first(key), {"name": "main", "count": count})
        names_by_count[count] = nodes(cloud.show(key)["node_pools"][0])
    assert [len(names) for names in names_by_count.values()] == [3, 5, 2]
    assert (names_by_count[5][:3], names_by_count[2]) == (names_by_count[3], names_by_count[3][:2])


def test_an_update_shows_nodes_in_transition(cloud: Cloud) -> None:
    """The response shows nodes that are being added or removed. The next read does not."""
    key = cloud.cluster()
    path = cloud.first(key)
    grown = cloud.ok("PUT", path, {"name": "main", "count": 3})["node_pool"]
    assert states(grown) == ["running", "running", "provisioning"]
    shrunk = cloud.ok("PUT", path, {"name": "main", "count": 1})["node_pool"]
    assert states(shrunk) == ["running", "deleting", "deleting"]
    assert states(cloud.ok("GET", path)["node_pool"]) == ["running"]


def test_keys_of_taints_are_accepted_in_any_case(cloud: Cloud) -> None:
    """The official client sends Key, Value and Effect. Responses are in lower case."""
    key = cloud.cluster()
    taints = [{"Key": "gpu", "Value": "yes", "Effect": "NoExecute"}]
    pool = cloud.add_pool(key, taints=taints)
    assert cloud.pool(key, pool)["taints"] == [{"key": "gpu", "value": "yes", "effect": "NoExecute"}]


def test_removing_a_taint_changes_existing_nodes(cloud: Cloud) -> None:
    """A removed label stays on them."""
    key = cloud.cluster()
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    cloud.ok("PUT", cloud.first(key), {"name": "main", "labels": {"x": "y"}, "taints": [taint]})
    cloud.ok("PUT", cloud.first(key), {"name": "main", "labels": {"z": "1"}, "taints": [], "count": 3})
    existing = cloud.kubernetes(key).nodes
    assert [node.taints for node in existing] == [(), (), ()]
    assert [("x" in node.labels, node.labels["z"]) for node in existing] == [(True, "1"), (True, "1"), (False, "1")]


def test_absent_labels_are_not_changed(cloud: Cloud) -> None:
    """An update without labels keeps them. An empty object removes them from the pool."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, labels={"x": "y"}, tags=["web"])
    cloud.ok("PUT", _path(key, pool), {"name": "extra", "count": 2, "taints": []})
    assert cloud.pool(key, pool)["labels"] == {"x": "y"}
    assert cloud.pool(key, pool)["tags"][-1] == "web"
    cloud.ok("PUT", _path(key, pool), {"name": "extra", "labels": {}, "tags": []})
    assert cloud.pool(key, pool)["labels"] is None
    assert "web" not in cloud.pool(key, pool)["tags"]


def test_the_first_pool_stays_first(cloud: Cloud) -> None:
    """Later pools come after the cluster's first one, even when that one is updated."""
    key = cloud.cluster()
    cloud.add_pool(key, "aaa")
    cloud.ok("PUT", cloud.first(key), {"name": "renamed", "count": 1})
    assert [item["name"] for item in cloud.show(key)["node_pools"]] == ["renamed", "aaa"]


def test_names_are_unique_in_a_cluster(cloud: Cloud) -> None:
    """A name that another pool has is refused, for a new pool and for a renamed one."""
    key = cloud.cluster()
    pool = cloud.add_pool(key)
    body = {"name": "main", "size": SMALL, "count": 1}
    assert cloud.refused("POST", f"{CLUSTERS}/{key}/node_pools", body) == (422, "unprocessable_entity")
    assert cloud.refused("PUT", _path(key, pool), {"name": "main"}) == (422, "unprocessable_entity")
    cloud.ok("PUT", _path(key, pool), {"name": "extra"})


def test_a_pool_of_fixed_size_has_no_bounds(cloud: Cloud) -> None:
    """Without autoscaling the bounds are 0, and the count must be at least one."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, auto_scale=False, min_nodes=2, max_nodes=5, count=3)
    shown = cloud.pool(key, pool)
    assert (shown["count"], shown["min_nodes"], shown["max_nodes"]) == (3, 0, 0)
    for body in ({"count": 0}, {"count": -1}, {"count": True}, {"count": "many"}):
        assert cloud.refused("PUT", _path(key, pool), {"name": "extra", **body}) == (422, "unprocessable_entity")


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"min_nodes": 2, "max_nodes": 4}, 2),
        ({"min_nodes": 0, "max_nodes": 4}, 1),
        ({"min_nodes": 1, "max_nodes": 4, "count": 3}, 3),
        ({"min_nodes": 1, "max_nodes": 4, "count": 9}, 4),
        ({"min_nodes": 2, "max_nodes": 4, "count": 1}, 2),
    ],
)
def test_the_first_count_of_an_autoscaled_pool_is_within_its_bounds(cloud: Cloud, body: dict[str, Any], count: int) -> None:
    """Without a count it starts with its minimum, at least one node."""
    key = cloud.cluster()
    pool = cloud.ok("POST", f"{CLUSTERS}/{key}/node_pools", {"name": "burst", "size": SMALL, "auto_scale": True, **body})
    assert pool["node_pool"]["count"] == count


def test_a_missing_lower_bound_is_one(cloud: Cloud) -> None:
    """The official client omits 0 from the request for a new pool."""
    key = cloud.cluster()
    scaled = {"name": "burst", "size": SMALL, "auto_scale": True, "max_nodes": 4}
    assert cloud.ok("POST", f"{CLUSTERS}/{key}/node_pools", scaled)["node_pool"]["min_nodes"] == 1


def test_the_autoscaler_follows_the_load(cloud: Cloud) -> None:
    """The pool has as many nodes as the workload needs, within its bounds."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, "burst", **SCALED)
    for load, count in ((3, 3), (9, 4), (0, 1)):
        cloud.act("load", cluster="c1", pool="burst", nodes=load)
        shown = cloud.pool(key, pool)
        assert (shown["count"], states(shown)) == (count, ["running"] * count)


def test_the_autoscaler_can_scale_to_zero(cloud: Cloud) -> None:
    """A pool with the minimum 0 scales down to no node, and up again."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, "burst", auto_scale=True, min_nodes=0, max_nodes=2)
    counts = []
    for load in (0, 2):
        cloud.act("load", cluster="c1", pool="burst", nodes=load)
        counts.append(len(cloud.pool(key, pool)["nodes"]))
    assert counts == [0, 2]


def test_a_stale_count_does_not_last(cloud: Cloud) -> None:
    """An update with an old count removes nodes. The autoscaler adds them again."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, "burst", **SCALED)
    cloud.act("load", cluster="c1", pool="burst", nodes=3)
    response = cloud.ok("PUT", _path(key, pool), {"name": "burst", "count": 1, "taints": [], **SCALED})
    assert response["node_pool"]["count"] == 1
    assert cloud.pool(key, pool)["count"] == 3


def test_the_autoscaler_follows_new_bounds(cloud: Cloud) -> None:
    """A pool whose load exceeds its bounds follows new bounds. Without autoscaling the count stays."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, "burst", **SCALED)
    cloud.act("load", cluster="c1", pool="burst", nodes=9)
    cloud.ok("PUT", _path(key, pool), {"name": "burst", "auto_scale": True, "min_nodes": 1, "max_nodes": 6})
    assert cloud.pool(key, pool)["count"] == 6
    fixed = {"name": "burst", "count": 2, "auto_scale": False, "min_nodes": 0, "max_nodes": 0}
    cloud.ok("PUT", _path(key, pool), fixed)
    assert cloud.pool(key, pool)["count"] == 2
    with pytest.raises(Exception, match="not autoscaled"):
        cloud.act("load", cluster="c1", pool="burst", nodes=5)


def test_autoscaling_takes_time(cloud: Cloud) -> None:
    """In realistic latency the autoscaler scales up after half a minute and down after ten minutes."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, "burst", **SCALED)
    cloud.pace.latency = "realistic"
    cloud.show(key)
    cloud.act("load", cluster="c1", pool="burst", nodes=2)
    cloud.pass_time(29)
    assert cloud.pool(key, pool)["count"] == 1
    cloud.pass_time(1)
    assert (cloud.pool(key, pool)["count"], states(cloud.pool(key, pool))) == (2, ["running", "provisioning"])
    cloud.pass_time(90)
    cloud.act("load", cluster="c1", pool="burst", nodes=1)
    cloud.pass_time(599)
    assert cloud.pool(key, pool)["count"] == 2
    cloud.pass_time(1)
    assert cloud.pool(key, pool)["count"] == 1


def test_pools_cannot_exceed_the_droplet_limit(cloud: Cloud) -> None:
    """This holds for fixed and autoscaled pools. The autoscaler stops at the limit."""
    key = cloud.cluster()
    pool = cloud.add_pool(key, "burst", **SCALED)
    cloud.act("quota", droplet_limit=4)
    assert cloud.ok("GET", "/v2/account")["account"]["droplet_limit"] == 4
    assert cloud.refused("PUT", cloud.first(key), {"name": "main", "count": 4}) == (422, "unprocessable_entity")
    extra = {"name": "more", "size": SMALL, "auto_scale": True, "min_nodes": 1, "max_nodes": 2}
    reply = cloud.ask("POST", f"{CLUSTERS}/{key}/node_pools", extra)
    assert (reply.status, "max nodes exceed" in reply.body["message"]) == (422, True)
    cloud.act("load", cluster="c1", pool="burst", nodes=4)
    assert cloud.pool(key, pool)["count"] == 2
    cloud.ok("PUT", _path(key, pool), {"name": "burst", "labels": {"a": "b"}})


def test_a_small_vpc_runs_out_of_addresses(cloud: Cloud) -> None:
    """The range of the VPC limits the number of nodes."""
    vpc = cloud.ok("POST", "/v2/vpcs", {"name": "v", "region": "fra1", "ip_range": "10.10.0.0/28"})["vpc"]["id"]
    key = cloud.cluster(vpc_uuid=vpc)
    assert cloud.refused("PUT", cloud.first(key), {"name": "main", "count": 12}) == (422, "unprocessable_entity")
    cloud.ok("PUT", cloud.first(key), {"name": "main", "count": 11})
    addresses = {node.internal_ip for node in cloud.kubernetes(key).nodes}
    assert addresses == {f"10.10.0.{number}" for number in range(4, 15)}


def test_a_pool_is_deleted_with_its_nodes(cloud: Cloud) -> None:
    """The deletion of the last pool is refused, that of the first one is not."""
    key = cloud.cluster()
    pool = cloud.add_pool(key)
    first = cloud.first(key)
    assert cloud.ask("DELETE", first).status == 204
    assert cloud.refused("GET", first) == (404, "not_found")
    assert cloud.refused("DELETE", _path(key, pool)) == (422, "unprocessable_entity")
    assert len(cloud.kubernetes(key).nodes) == 1


def test_a_pool_is_readable_while_it_is_deleted(cloud: Cloud) -> None:
    """In realistic latency the pool can be read while its nodes are being deleted."""
    key = cloud.cluster()
    pool = cloud.add_pool(key)
    cloud.pace.latency = "realistic"
    cloud.ok("DELETE", _path(key, pool))
    assert states(cloud.pool(key, pool)) == ["deleting"]
    cloud.pass_time(30)
    assert cloud.refused("GET", _path(key, pool)) == (404, "not_found")


@pytest.mark.parametrize(("replace", "count"), [(0, 1), (1, 2)])
def test_deleting_a_node_reduces_the_count(cloud: Cloud, replace: int, count: int) -> None:
    """With `replace` the count stays."""
    key = cloud.cluster()
    path = cloud.first(key)
    deleted, other = (item["id"] for item in cloud.ok("GET", path)["node_pool"]["nodes"])
    assert cloud.ask("DELETE", f"{path}/nodes/{deleted}", skip_drain=1, replace=replace).status == 202
    shown = cloud.ok("GET", path)["node_pool"]
    ids = [item["id"] for item in shown["nodes"]]
    assert (shown["count"], len(ids), ids[0], deleted in ids) == (count, count, other, False)
    assert cloud.refused("DELETE", f"{path}/nodes/{deleted}") == (404, "not_found")


def test_the_last_node_of_a_fixed_pool_stays(cloud: Cloud) -> None:
    """It can be replaced, but not deleted."""
    key = cloud.cluster(node_pools=[{"name": "main", "size": SMALL, "count": 1}])
    path = cloud.first(key)
    (node,) = (item["id"] for item in cloud.ok("GET", path)["node_pool"]["nodes"])
    assert cloud.refused("DELETE", f"{path}/nodes/{node}") == (422, "unprocessable_entity")
    cloud.ok("POST", f"{path}/recycle", {"nodes": [node]})
    assert [item["id"] == node for item in cloud.ok("GET", path)["node_pool"]["nodes"]] == [False]


def test_nodes_have_the_clouds_labels(cloud: Cloud) -> None:
    """They also have provider ids. GPU nodes have a taint."""
    key = cloud.cluster(region="tor1")
    pool = cloud.add_pool(key, "gpu", size="gpu-h100x1-80gb")
    shown = cloud.pool(key, pool)["nodes"][0]
    node = next(item for item in cloud.kubernetes(key).nodes if item.uid == shown["id"])
    assert node.provider_id == f"digitalocean://{shown['droplet_id']}"
    assert node.labels["doks.digitalocean.com/node-pool"] == "gpu"
    assert node.labels["doks.digitalocean.com/node-pool-id"] == pool
    assert node.labels["doks.digitalocean.com/node-id"] == shown["id"]
    assert node.labels["topology.kubernetes.io/region"] == "tor1"
    assert (node.gpus, [item.key for item in node.taints]) == (1, ["nvidia.com/gpu"])


def test_a_node_can_be_not_ready(cloud: Cloud) -> None:
    """An out-of-band change makes a node not ready, and ready again."""
    key = cloud.cluster()
    name = nodes(cloud.show(key)["node_pools"][0])[0]
    ready = []
    for state in (False, True):
        cloud.act("node", cluster="c1", node=name, ready=state)
        ready.append([node.ready for node in cloud.kubernetes(key).nodes])
    assert ready == [[False, True], [True, True]]
