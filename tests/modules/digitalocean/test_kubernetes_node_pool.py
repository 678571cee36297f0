"""DigitalOceanKubernetesNodePool: what the module asks for."""

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


def test_a_pool_has_just_what_the_manifest_says() -> None:
    """Taints, tags and bounds that are not there are not sent, not even as empty lists, and no number is ignored."""
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


def test_the_outputs_are_the_pools_id_and_those_of_its_nodes() -> None:
    """They come from the cloud."""
    assert _plan().outputs == {"node_pool_id": "id-of-node_pool", "node_ids": ["n-1", "n-2"]}


def test_the_users_labels_win_over_the_standard_ones() -> None:
    """The six standard labels are there where their value is known, in characters that a label may have."""
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
    """The plugin wants all three fields."""
    taints = [{"key": "nvidia.com/gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "spot", "effect": "NoExecute"}]
    assert _pool(taints=taints)["taints"] == [
        {"key": "nvidia.com/gpu", "value": "yes", "effect": "NoSchedule"},
        {"key": "spot", "value": "", "effect": "NoExecute"},
    ]


@pytest.mark.parametrize("least", [0, 2])
def test_an_autoscaled_pool_has_its_bounds_and_keeps_only_its_initial_count(least: int) -> None:
    """Zero is a bound too. The plugin would put the number of the manifest back, so changes of it are ignored."""
    pool = _plan(autoScale=True, minNodes=least, maxNodes=5).resources["node_pool"]
    assert {name: pool.inputs[name] for name in ("autoScale", "minNodes", "maxNodes", "nodeCount")} == {
        "autoScale": True,
        "minNodes": least,
        "maxNodes": 5,
        "nodeCount": 3,
    }
    assert pool.options["ignore_changes"] == ["nodeCount"]


def test_bounds_without_autoscaling_are_a_warning_and_are_not_sent() -> None:
    """The cloud takes none for a pool of a fixed size; they are valid and mean nothing, which is said.

    That the size is fixed is sent: a plugin that is told nothing leaves the autoscaler on.
    """
    planned = _plan(minNodes=1, maxNodes=5)
    assert not {"minNodes", "maxNodes"} & planned.resources["node_pool"].inputs.keys()
    assert planned.resources["node_pool"].inputs["autoScale"] is False
    assert planned.warnings == ["spec.minNodes, spec.maxNodes: no effect while autoScale is off (ignored)"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [([], []), (["web"], ["web"]), (["web", "team:a", "WEB", "api"], ["WEB", "api", "team:a"])],
)
def test_a_tag_comes_once_whatever_its_case(tags: list[str], expected: list[str]) -> None:
    """To the cloud, case means nothing in a tag; they are sorted as a refresh sorts them."""
    assert pools.unique_tags(tags) == expected
    assert _pool(tags=tags).get("tags", []) == expected


def test_a_cluster_is_found_by_its_exact_name() -> None:
    """A name is looked up, a UUID is not."""
    planned = _plan(cluster={"value": "old-cluster"})
    assert planned.resources["node_pool"].inputs["clusterId"] == mocks.CLUSTER_ID
    assert planned.calls == [("digitalocean:index/getKubernetesCluster:getKubernetesCluster", {"name": "old-cluster"})]
    assert _plan().calls == []
    with pytest.raises(errors.PlantonError, match="no cluster has the name or id 'old' in this account") as caught:
        _plan(cluster={"value": "old"})
    assert caught.value.reason is errors.Reason.NOT_FOUND


def test_an_unresolved_reference_names_both_ends() -> None:
    """A module cannot look up manifests, so it says which command writes a resolved stack input."""
    with pytest.raises(errors.PlantonError, match=r"spec\.cluster of 'dev' refers to 'main'") as caught:
        _plan(cluster={"valueFrom": {"name": "main"}})
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


@pytest.mark.parametrize(
    ("name", "cluster", "deleted_first"),
    [("workers", mocks.CLUSTER_ID, True), ("older", mocks.CLUSTER_ID, False), ("older", "another", True)],
)
def test_only_a_new_name_in_the_same_cluster_keeps_the_old_pool_until_the_new_one_is_there(
    name: str, cluster: str, *, deleted_first: bool
) -> None:
    """Two pools of a cluster cannot have one name; in another cluster, the old pool may be gone with the old one."""
    outputs = {"id": "x", "name": name, "clusterId": cluster}
    type_ = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
    with own.state({"resources": [{"urn": "urn::node_pool", "type": type_, "outputs": outputs}]}):
        options = _plan().resources["node_pool"].options
    assert options.get("delete_before_replace", False) is deleted_first


def test_removed_tags_stay_and_are_named() -> None:
    """The plugin leaves an empty list out of what it sends, so that the same update would be planned for ever."""
    type_ = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
    outputs = {"id": "x", "name": "workers", "clusterId": mocks.CLUSTER_ID, "tags": ["team:a"]}
    with own.state({"resources": [{"urn": "urn::node_pool", "type": type_, "outputs": outputs}]}):
        kept, other = _plan(), _plan(tags=["team:b"])
    assert kept.resources["node_pool"].inputs["tags"] == ["team:a"]
    assert ["tags of node pool workers" in warning for warning in kept.warnings] == [True]
    assert (other.resources["node_pool"].inputs["tags"], other.warnings) == (["team:b"], [])
