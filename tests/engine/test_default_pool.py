"""The default pool of a cluster is the one in the state, whatever a cloud lists first."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar

import pytest

from planton.engine import plans
from planton.recovery import default_pool

CIVO, DIGITALOCEAN = "civo:index/kubernetesCluster:KubernetesCluster", "digitalocean:index/kubernetesCluster:KubernetesCluster"
URN = "urn:pulumi:test::planton::{}::cluster"
MINE = {"label": "mine", "nodeCount": 1, "size": "s", "instanceNames": ["a"], "publicIpNodePool": False}


def _state(*, type_: str = CIVO, inputs: Any = None, **outputs: Any) -> dict[str, Any]:
    cluster = {"urn": URN.format(type_), "type": type_, "id": "c", "inputs": inputs or {}, "outputs": outputs}
    stack = {"urn": "s", "type": "pulumi:pulumi:Stack", "outputs": {"node_names": ["?"], "status": "ACTIVE"}}
    return {"resources": [stack, cluster]}


@dataclasses.dataclass
class Cloud:
    """A cloud with one cluster, or none."""

    existing: dict[str, Any] | None
    PROVIDER: ClassVar = "civo"

    def cluster(self, _id: str) -> dict[str, Any] | None:
        """Returns the cluster."""
        return self.existing


def _civo(*pools: str) -> Any:
    listed = [
        {"id": name, "count": 3, "size": "s", "instance_names": [f"{name}-{index}" for index in range(3)]} for name in pools
    ]
    return Cloud({"pools": listed})


def _pool(state: dict[str, Any]) -> default_pool.DefaultPool:
    pool = default_pool.of(state)
    assert pool is not None
    return pool


BEFORE = _state(inputs={"pools": {"nodeCount": 1, "size": "s"}}, pools=MINE)
WRONG = _state(inputs={"pools": {"nodeCount": 3, "size": "s"}}, pools={**MINE, "label": "other", "nodeCount": 3})


@pytest.mark.parametrize(
    ("cloud", "missing"), [(_civo("other"), True), (_civo("other", "mine"), False), (_civo("mine"), False), (Cloud(None), False)]
)
def test_the_default_pool_is_missing_when_its_cluster_exists_without_it(cloud: Any, *, missing: bool) -> None:
    """A missing cluster is not a missing pool."""
    assert default_pool.is_missing(_pool(BEFORE), cloud) is missing


def test_a_recreated_default_pool_at_digitalocean_is_identified_by_its_tag() -> None:
    """The recreated pool has another id, which the next refresh writes into the state."""
    pool = _pool(_state(type_=DIGITALOCEAN, nodePool={"id": "old", "name": "default", "size": "s", "actualNodeCount": 2}))
    tagged: Any = Cloud({"node_pools": [{"id": "new", "tags": ["terraform:default-node-pool"]}]})
    other: Any = Cloud({"node_pools": [{"id": "new", "tags": ["k8s"]}]})
    assert not default_pool.is_missing(pool, tagged)
    assert default_pool.is_missing(pool, other)


def test_a_state_with_another_pool_is_corrected_when_the_default_pool_exists() -> None:
    """Inputs, outputs and stack outputs get the current values of the default pool."""
    corrected = default_pool.bound(_pool(BEFORE), WRONG, _civo("other", "mine"), refreshed=True)
    assert corrected is not None
    stack, cluster = corrected["resources"]
    assert cluster["outputs"]["pools"] == {**MINE, "nodeCount": 3, "instanceNames": ["mine-0", "mine-1", "mine-2"]}
    assert cluster["inputs"]["pools"] == {"nodeCount": 3, "size": "s"}
    assert stack["outputs"] == {"node_names": ["mine-0", "mine-1", "mine-2"], "status": "ACTIVE"}
    assert WRONG["resources"][1]["outputs"]["pools"]["label"] == "other", "the argument is not modified"


def test_a_state_with_another_pool_is_reset_when_the_default_pool_is_missing() -> None:
    """The state keeps only earlier values: the other pool belongs to another manifest."""
    corrected = default_pool.bound(_pool(BEFORE), WRONG, _civo("other"), refreshed=True)
    assert corrected is not None
    assert corrected["resources"][1] == BEFORE["resources"][1]


def test_an_apply_keeps_the_inputs_of_the_program() -> None:
    """Only a refresh writes values of the cloud into the inputs."""
    after = _state(inputs={"pools": {"nodeCount": 3, "size": "s"}}, pools={**MINE, "label": "other"})
    corrected = default_pool.bound(_pool(BEFORE), after, _civo("other", "mine"), refreshed=False)
    assert corrected is not None
    assert corrected["resources"][1]["inputs"] == after["resources"][1]["inputs"]


def test_a_state_of_the_same_pool_or_another_cluster_is_not_corrected() -> None:
    """A replaced cluster has a new default pool."""
    pool = _pool(BEFORE)
    other = _state(pools={**MINE, "label": "new"})
    other["resources"][1]["id"] = "another"
    assert default_pool.bound(pool, BEFORE, _civo("other", "mine"), refreshed=True) is None
    assert default_pool.bound(pool, other, _civo("other", "mine"), refreshed=True) is None


def test_the_request_recreates_the_default_pool_with_all_settings() -> None:
    """Civo gets the old id. DigitalOcean gets the tag by which the plugin finds the default pool."""
    assert default_pool.request(_pool(BEFORE)) == {"id": "mine", "size": "s", "count": 1}
    taint = {"key": "k", "value": None, "effect": "NoSchedule"}
    outputs = {
        "id": "i",
        "name": "default",
        "size": "s",
        "nodeCount": 0,
        "actualNodeCount": 2,
        "tags": ["t"],
        "labels": {"a": "b"},
    }
    scaled = {"autoScale": True, "minNodes": 1, "maxNodes": 4, "taints": [taint]}
    pool = _pool(_state(type_=DIGITALOCEAN, nodePool={**outputs, **scaled}))
    assert default_pool.request(pool) == {
        "name": "default",
        "size": "s",
        "count": 2,
        "tags": ["t", "terraform:default-node-pool"],
        "labels": {"a": "b"},
        "taints": [{"key": "k", "value": "", "effect": "NoSchedule"}],
        "auto_scale": True,
        "min_nodes": 1,
        "max_nodes": 4,
    }


def test_a_default_pool_survives_its_json_record() -> None:
    """A killed operation may have bound another pool: the next one corrects it from the record."""
    pool = _pool(BEFORE)
    assert default_pool.DefaultPool(**json.loads(json.dumps(dataclasses.asdict(pool)))) == pool


def test_differences_of_another_pool_are_not_drift_of_the_default_pool() -> None:
    """Values read from the wrong pool are omitted. A deleted default pool is reported."""
    pool = _pool(BEFORE)
    differences = (plans.Difference("pools.nodeCount", 1, 3), plans.Difference("tags", "a", "b"))
    change = plans.Change(pool.cluster, "cluster", CIVO, plans.Action.UPDATE, differences)
    [deleted, cluster] = default_pool.drift(pool, [change], _civo("other"))
    assert (deleted.name, deleted.noun, deleted.action) == ("default_node_pool", "KubernetesNodePool", plans.Action.DELETE)
    assert [each.path for each in cluster.differences] == ["tags"]
    [own] = default_pool.drift(pool, [change], _civo("other", "mine"))
    assert [(each.path, each.old, each.new) for each in own.differences] == [("tags", "a", "b"), ("pools.nodeCount", 1, 3)]


def _with_pools(state: dict[str, Any], *ids: str) -> dict[str, Any]:
    type_ = "civo:index/kubernetesNodePool:KubernetesNodePool"
    pools = [{"urn": f"u::{id_}", "type": type_, "id": id_, "inputs": {"clusterId": "c"}} for id_ in ids]
    return {"resources": [*state["resources"], *pools]}


def test_the_last_pools_of_a_cluster_are_deleted_with_it() -> None:
    """If the state contains the cluster, its pools need no deletion of their own."""
    state = _with_pools(BEFORE, "x", "y")
    assert default_pool.is_last(state, _civo("x", "y")) == "c"
    assert default_pool.is_last(state, _civo("x", "y", "z")) == ""
    assert default_pool.is_last(state, Cloud(None)) == ""  # type: ignore[arg-type]  # is_last calls only this method
    assert default_pool.without_pools(state, "c") == {"u::x", "u::y"}
    assert default_pool.without_pools(_with_pools({"resources": []}, "x"), "c") == set()
