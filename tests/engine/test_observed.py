"""A state compared with lists of a cloud: changes, missing resources, and the number of requests."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from planton.clouds import answers
from planton.recovery import observed
from support import events

DO = "digitalocean:index"
POOL = {"id": "w", "size": "small", "count": 2, "labels": {"a": "b"}, "taints": [], "instances": [{"id": "i1"}, {"id": "i2"}]}
DEFAULT = {"id": "d", "size": "small", "count": 1, "instance_names": ["n1"]}
CIVO_CLUSTER = {
    "id": "c",
    "name": "dev",
    "status": "ACTIVE",
    "kubernetes_version": "1.30.5-k3s1",
    "firewall_id": "f",
    "network_id": "n",
    "tags": ["b", "A"],
    "pools": [POOL, DEFAULT],
}
DO_POOL = {
    "id": "p",
    "name": "w",
    "size": "s",
    "count": 1,
    "labels": {},
    "tags": ["k8s", "K8S:worker", "x"],
    "nodes": [{"id": "1"}],
}
DO_CLUSTER = {
    "id": "c",
    "name": "dev",
    "version": "1.33.1-do.0",
    "status": {"state": "running"},
    "tags": ["k8s:c", "x"],
    "maintenance_policy": {"day": "any", "start_time": "04:00", "duration": "4h"},
    "control_plane_firewall": {"enabled": True, "allowed_addresses": ["b", "a"]},
    "node_pools": [{"id": "other", "name": "o", "size": "l", "count": 9}, DO_POOL],
}


CIVO_TYPE = "civo:index/kubernetesCluster:KubernetesCluster"
DO_TYPE = "digitalocean:index/kubernetesCluster:KubernetesCluster"


@dataclasses.dataclass
class Cloud:
    """A cloud that records its requests."""

    lists: dict[str, list[dict[str, Any]]]
    requests: list[str] = dataclasses.field(default_factory=list)
    answers: Any = None
    PROVIDER: str = "civo"

    def raw_list(self, noun: str) -> list[dict[str, Any]]:
        return self.answers.get((id(self.lists), noun), lambda: self._send(noun))

    def _send(self, noun: str) -> list[dict[str, Any]]:
        self.requests.append(noun)
        return self.lists.get(noun, [])


def _lists() -> observed.Lists:
    return observed.Lists(answers.Answers())


def _resource(type_: str, id_: str, outputs: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    return {"type": type_, "id": id_, "inputs": inputs, "outputs": outputs}


CIVO_STATE = {
    "name": "dev",
    "kubernetesVersion": "1.30.5-k3s1",
    "firewallId": "f",
    "networkId": "n",
    "status": "ACTIVE",
    "tags": "a b",
    "pools": {"label": "d", "size": "small", "nodeCount": 1, "instanceNames": ["n1"]},
}
DO_STATE = {
    "name": "dev",
    "version": "1.33.1-do.0",
    "status": "running",
    "tags": ["X"],
    "maintenancePolicy": {"day": "any", "startTime": "04:00"},
    "controlPlaneFirewall": {"enabled": True, "allowedAddresses": ["a", "b"]},
    "nodePool": {"id": "p", "name": "w", "size": "s", "actualNodeCount": 1, "labels": {}, "tags": ["x"], "nodes": [{"id": "1"}]},
}


@pytest.mark.parametrize(
    ("entry", "changed"),
    [
        ({}, False),
        ({"kubernetes_version": "1.31.2-k3s1"}, True),
        ({"status": "UPGRADING"}, True),
        ({"tags": ["a"]}, True),
        ({"pools": [POOL, DEFAULT | {"count": 2}]}, True),
        ({"pools": [POOL]}, True),
        ({"pools": [DEFAULT]}, False),
    ],
)
def test_a_civo_cluster_is_compared_with_its_entry_and_its_own_default_pool(entry: dict[str, Any], *, changed: bool) -> None:
    """The state names the default pool. Its position in the list and other pools do not matter."""
    cloud: Any = Cloud({CIVO_TYPE: [CIVO_CLUSTER | entry]})
    assert observed.is_changed(_resource(events.CLUSTER, "c", CIVO_STATE), cloud, _lists()) is changed


@pytest.mark.parametrize(
    ("entry", "changed"),
    [
        ({}, False),
        ({"version": "1.33.2-do.0"}, True),
        ({"control_plane_firewall": {"enabled": False, "allowed_addresses": []}}, True),
        ({"maintenance_policy": {"day": "monday", "start_time": "04:00"}}, True),
        ({"node_pools": [DO_POOL | {"count": 3}]}, True),
        ({"node_pools": []}, True),
    ],
)
def test_a_digitalocean_cluster_is_compared_with_its_entry(entry: dict[str, Any], *, changed: bool) -> None:
    """The cloud's own tags, and the order of unordered lists, are not differences."""
    cloud: Any = Cloud({DO_TYPE: [DO_CLUSTER | entry]})
    resource = _resource(f"{DO}/kubernetesCluster:KubernetesCluster", "c", DO_STATE)
    assert observed.is_changed(resource, cloud, _lists()) is changed


def test_the_node_count_of_a_civo_pool_is_read_from_the_resource_that_scales_it() -> None:
    """The pool resource keeps the count of its creation."""
    cloud: Any = Cloud({CIVO_TYPE: [CIVO_CLUSTER]})
    outputs = {"label": "w", "size": "small", "nodeCount": 5, "labels": {"a": "b"}, "taints": [], "instanceNames": []}
    assert observed.is_changed(_resource(events.POOL, "w", outputs, clusterId="c"), cloud, _lists()) is False
    sizes = {"cluster_id": "c", "pool_id": "w", "actual_node_count": 2, "node_ids": ["i1", "i2"]}
    assert observed.is_changed(_resource(events.SIZE, "x", sizes), cloud, _lists()) is False
    assert observed.is_changed(_resource(events.SIZE, "x", sizes | {"node_ids": ["i1", "i3"]}), cloud, _lists()) is True
    assert observed.is_changed(_resource(events.SIZE, "x", sizes | {"pool_id": "missing"}), cloud, _lists()) is None


def test_a_node_that_the_cloud_deletes_is_no_node_of_its_pool() -> None:
    """A list taken a moment after another user has removed a node still counts it."""
    sizes = {"cluster_id": "c", "pool_id": "w", "actual_node_count": 2, "node_ids": ["i1", "i2"]}
    instances = [{"id": "i1", "status": "DELETING"}, {"id": "i2", "status": "ACTIVE"}]
    cloud: Any = Cloud({CIVO_TYPE: [{"id": "c", "pools": [{"id": "w", "count": 2, "instances": instances}]}]})
    differences = observed.drift(_resource(events.SIZE, "x", sizes), cloud, _lists())
    assert differences is not None
    assert [(each.path, each.old, each.new) for each in differences] == [
        ("actual_node_count", 2, 1),
        ("node_ids", ["i1", "i2"], ["i2"]),
    ]


@pytest.mark.parametrize(
    "resource",
    [
        _resource(events.NETWORK, "n", {"label": "net"}),
        _resource(events.CLUSTER, "other", CIVO_STATE),
        _resource(events.POOL, "w", {"label": "w"}, clusterId="missing"),
    ],
)
def test_a_resource_in_no_list_is_missing(resource: dict[str, Any]) -> None:
    """A pool is missing with its cluster."""
    cloud: Any = Cloud({CIVO_TYPE: [CIVO_CLUSTER]})
    assert observed.is_changed(resource, cloud, _lists()) is None


def test_one_list_serves_all_resources_of_an_account_and_a_kind() -> None:
    """Pools are part of the list of clusters. Another account has its own lists."""
    first: Any = Cloud({CIVO_TYPE: [CIVO_CLUSTER]})
    second: Any = Cloud({})
    lists = _lists()
    for _ in range(3):
        for resource in (_resource(events.CLUSTER, "c", CIVO_STATE), _resource(events.POOL, "w", {}, clusterId="c")):
            observed.is_changed(resource, first, lists)
            observed.is_changed(resource, second, lists)
    assert (first.requests, second.requests) == ([CIVO_TYPE], [CIVO_TYPE])
