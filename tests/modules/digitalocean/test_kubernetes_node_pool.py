"""DigitalOceanKubernetesNodePool: the requested resources."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.modules import own
from planton.modules.digitalocean import pools
from support import mocks

SPEC = {"nodePoolName": "workers", "cluster": {"value": mocks.CLUSTER_ID}, "size": "s-2vcpu-4gb", "nodeCount": 3}
STANDARD = {
    "planton-resource": "true",
    "planton-resource-name": "dev",
    "planton-resource-kind": "DigitalOceanKubernetesNodePool",
}


def _plan(metadata: dict[str, Any] | None = None, cloud: mocks.DigitalOcean | None = None, **spec: Any) -> mocks.Planned:
    manifest = mocks.target("DigitalOceanKubernetesNodePool", {**SPEC, **spec}, **(metadata or {}))
    return mocks.plan(mocks.stack_input(manifest), cloud=cloud)


def _pool(metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return _plan(metadata, **spec).resources["node_pool"].inputs


def test_a_pool_has_only_the_fields_of_the_manifest() -> None:
    """Unset taints, tags and bounds are not sent, not even as empty lists. The node count is not ignored."""
    planned = _plan()
    assert planned.resources["node_pool"] == mocks.Recorded(
        "digitalocean:index/kubernetesNodePool:KubernetesNodePool",
        {
            "clusterId": mocks.CLUSTER_ID,
            "name": "workers",
            "size": "s-2vcpu-4gb",
            "nodeCount": 3,
            "autoScale": False,
            "labels": STANDARD,
        },
        {"provider": "digitalocean", "delete_before_replace": True},
    )
    assert planned.resources.keys() == {"digitalocean", "node_pool"}
    assert planned.warnings == []


def test_the_outputs_are_the_pool_and_its_nodes() -> None:
    """They come from the cloud."""
    assert _plan().outputs == {
        "node_pool_id": "id-of-node_pool",
        "node_ids": ["n-1", "n-2"],
        "node_names": ["node_pool-1", "node_pool-2"],
        "node_count": 2,
    }


def test_user_labels_override_standard_labels() -> None:
    """Standard labels with a known value are set. Invalid characters are replaced."""
    metadata = {"name": "dev pool!", "org": "acme corp", "env": "dev", "id": "-id-"}
    assert _pool(metadata, labels={"role": "web", "planton-environment": "mine"})["labels"] == {
        "planton-resource": "true",
        "planton-resource-name": "dev-pool",
        "planton-resource-kind": "DigitalOceanKubernetesNodePool",
        "planton-organization": "acme-corp",
        "planton-environment": "mine",
        "planton-resource-id": "id",
        "role": "web",
    }


def test_taints_keep_their_order_and_an_unset_value_is_empty() -> None:
    """The plugin requires all three fields."""
    taints = [{"key": "nvidia.com/gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "spot", "effect": "NoExecute"}]
    assert _pool(taints=taints)["taints"] == [
        {"key": "nvidia.com/gpu", "value": "yes", "effect": "NoSchedule"},
        {"key": "spot", "value": "", "effect": "NoExecute"},
    ]


@pytest.mark.parametrize("min_nodes", [0, 2])
def test_an_autoscaled_pool_has_its_bounds_and_keeps_only_its_initial_count(min_nodes: int) -> None:
    """Zero is a valid bound. The plugin would reset the count, so changes of it are ignored."""
    pool = _plan(autoScale=True, minNodes=min_nodes, maxNodes=5).resources["node_pool"]
    assert {name: pool.inputs[name] for name in ("autoScale", "minNodes", "maxNodes", "nodeCount")} == {
        "autoScale": True,
        "minNodes": min_nodes,
        "maxNodes": 5,
        "nodeCount": 3,
    }
    assert pool.options["ignore_changes"] == ["nodeCount"]


def test_bounds_without_autoscaling_are_a_warning_and_are_not_sent() -> None:
    """The cloud accepts bounds only for autoscaled pools. The manifest is valid, but they have no effect.

    `autoScale: false` is sent: without it the plugin leaves the autoscaler on.
    """
    planned = _plan(minNodes=1, maxNodes=5)
    assert not {"minNodes", "maxNodes"} & planned.resources["node_pool"].inputs.keys()
    assert planned.resources["node_pool"].inputs["autoScale"] is False
    assert planned.warnings == ["spec.minNodes, spec.maxNodes: no effect while autoScale is off (ignored)"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [([], []), (["web"], ["web"]), (["web", "team:a", "WEB", "api"], ["WEB", "api", "team:a"])],
)
def test_tags_are_unique_regardless_of_case(tags: list[str], expected: list[str]) -> None:
    """The cloud ignores the case of tags. They are sorted as a refresh sorts them."""
    assert pools.unique_tags(tags) == expected
    assert _pool(tags=tags).get("tags", []) == expected


def test_a_cluster_is_found_by_its_exact_name() -> None:
    """A name is looked up. A UUID needs no look-up."""
    planned = _plan(cluster={"value": "old-cluster"})
    assert planned.resources["node_pool"].inputs["clusterId"] == mocks.CLUSTER_ID
    assert planned.calls == [("digitalocean:index/getKubernetesCluster:getKubernetesCluster", {"name": "old-cluster"})]
    assert _plan().calls == []
    with pytest.raises(errors.PlantonError, match="no cluster has the name or id 'old' in this account") as caught:
        _plan(cluster={"value": "old"})
    assert caught.value.reason is errors.Reason.NOT_FOUND


def test_an_unresolved_reference_names_both_ends() -> None:
    """A module cannot read manifests, so the hint names the command that writes a resolved stack input."""
    with pytest.raises(errors.PlantonError, match=r"spec\.cluster of 'dev' refers to 'main'") as caught:
        _plan(cluster={"valueFrom": {"name": "main"}})
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


@pytest.mark.parametrize(
    ("name", "cluster", "deleted_first"),
    [("workers", mocks.CLUSTER_ID, True), ("older", mocks.CLUSTER_ID, False), ("older", "another", True)],
)
def test_a_renamed_pool_is_created_before_the_old_one_is_deleted(name: str, cluster: str, *, deleted_first: bool) -> None:
    """With the same name, or in another cluster, the old pool is deleted first: it may be missing already."""
    outputs = {"id": "x", "name": name, "clusterId": cluster}
    type_ = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
    with own.state({"resources": [{"urn": "urn::node_pool", "type": type_, "outputs": outputs}]}):
        options = _plan().resources["node_pool"].options
    assert options.get("delete_before_replace", False) is deleted_first


def test_removed_tags_stay_and_are_a_warning() -> None:
    """The plugin does not send an empty list, so the same update would be planned forever."""
    type_ = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
    outputs = {"id": "x", "name": "workers", "clusterId": mocks.CLUSTER_ID, "tags": ["team:a"]}
    with own.state({"resources": [{"urn": "urn::node_pool", "type": type_, "outputs": outputs}]}):
        unset, changed = _plan(), _plan(tags=["team:b"])
    assert unset.resources["node_pool"].inputs["tags"] == ["team:a"]
    assert ["tags of node pool workers" in warning for warning in unset.warnings] == [True]
    assert (changed.resources["node_pool"].inputs["tags"], changed.warnings) == (["team:b"], [])
