"""CivoKubernetesNodePool: the requested resources."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.modules import own
from support import mocks

SPEC = {"nodePoolName": "workers", "cluster": {"value": mocks.CLUSTER_ID}, "size": "g4s.kube.small", "nodeCount": 3}


def _plan(metadata: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **spec: Any) -> mocks.Planned:
    manifest = mocks.target("CivoKubernetesNodePool", {**SPEC, **spec}, **(metadata or {}))
    return mocks.plan(mocks.stack_input(manifest, **(config or {})))


def test_a_pool_ignores_its_node_count_and_is_replaced_for_immutable_fields() -> None:
    """The plugin crashes on a changed count, and treats changes of name, cluster and size as updates."""
    pool = _plan().resources["node_pool"]
    assert pool == mocks.Recorded(
        "civo:index/kubernetesNodePool:KubernetesNodePool",
        {
            "clusterId": mocks.CLUSTER_ID,
            "label": "workers",
            "nodeCount": 3,
            "size": "g4s.kube.small",
            "labels": {
                "planton-resource": "true",
                "planton-resource-name": "dev",
                "planton-resource-kind": "CivoKubernetesNodePool",
            },
            "taints": [],
        },
        {
            "provider": "civo",
            "ignore_changes": ["nodeCount"],
            "replace_on_changes": ["clusterId", "label", "size", "publicIpNodePool"],
            "delete_before_replace": True,
        },
    )


def test_the_size_of_a_pool_is_a_separate_resource() -> None:
    """It has the node count and the API's address. Its token is a secret."""
    size = _plan(config={"apiEndpoint": "http://127.0.0.1:1"}).resources["node_pool_size"]
    assert size == mocks.Recorded(
        "pulumi-python:dynamic:Resource",
        {
            "cluster_id": mocks.CLUSTER_ID,
            "pool_id": "workers",
            "node_count": 3,
            "identity": "workers g4s.kube.small False",
            "region": "LON1",
            "endpoint": "http://127.0.0.1:1",
            "token": mocks.Secret(mocks.TOKEN),
        },
        {"depends_on": ["node_pool"]},
    )


@pytest.mark.parametrize("change", [{"nodePoolName": "other"}, {"size": "g4s.kube.large"}, {"publicIp": True}])
def test_replacing_a_pool_updates_its_size_resource(change: dict[str, Any]) -> None:
    """The identity changes with the pool, so that the nodes of the new pool are read."""
    before, after = _plan().resources["node_pool_size"], _plan(**change).resources["node_pool_size"]
    assert before.inputs["identity"] != after.inputs["identity"]


def test_the_outputs_belong_to_this_pool() -> None:
    """Nodes come from the size resource. The pool's id is its name in the cloud."""
    assert _plan().outputs == {
        "node_pool_id": "workers",
        "node_ids": ["n-1", "n-2", "n-3"],
        "node_names": ["a", "b", "c"],
        "node_count": 3,
    }


def test_user_labels_override_standard_labels() -> None:
    """Standard labels with a known value are set. Invalid characters are replaced."""
    metadata = {"name": "dev pool!", "org": "acme", "env": "dev", "id": "-id-"}
    labels = _plan(metadata, labels={"role": "web", "planton-environment": "mine"}).resources["node_pool"].inputs["labels"]
    assert labels == {
        "planton-resource": "true",
        "planton-resource-name": "dev-pool",
        "planton-resource-kind": "CivoKubernetesNodePool",
        "planton-organization": "acme",
        "planton-environment": "mine",
        "planton-resource-id": "id",
        "role": "web",
    }


def test_taints_and_public_addresses_reach_the_pool() -> None:
    """Taints keep their order. An unset public address is not sent."""
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "spot", "effect": "NoExecute"}]
    inputs = _plan(taints=taints, publicIp=True).resources["node_pool"].inputs
    assert inputs["taints"] == [
        {"key": "gpu", "value": "yes", "effect": "NoSchedule"},
        {"key": "spot", "value": "", "effect": "NoExecute"},
    ]
    assert inputs["publicIpNodePool"] is True


def test_an_autoscaled_pool_keeps_only_its_initial_count() -> None:
    """The size resource has no count, so a later apply resets nothing. The warning names all three fields."""
    planned = _plan(autoScale=True, minNodes=1, maxNodes=5)
    assert "node_count" not in planned.resources["node_pool_size"].inputs
    assert planned.resources["node_pool"].inputs["nodeCount"] == 3
    [warning] = planned.warnings
    assert warning.startswith("spec.autoScale: nodeCount 3 is only the initial size. ")


@pytest.mark.parametrize(
    ("annotation", "max_nodes", "is_warning"),
    [(None, 20, False), (None, 21, True), ("5", 5, False), ("5", 6, True), ("50", 21, False), ("many", 21, True)],
)
def test_a_maximum_above_the_limit_is_a_warning(annotation: str | None, max_nodes: int, *, is_warning: bool) -> None:
    """The annotation changes the limit. An invalid number keeps the default."""
    name = "project-planton.org/max-nodes-warning"
    metadata = {"annotations": {name: annotation}} if annotation else {}
    warnings = _plan(metadata, autoScale=True, minNodes=1, maxNodes=max_nodes).warnings
    assert any(warning.startswith(f"spec.maxNodes: {max_nodes} is more than") for warning in warnings) is is_warning


def test_bounds_without_autoscaling_are_a_warning() -> None:
    """They are valid but have no effect."""
    [warning] = _plan(minNodes=1, maxNodes=5).warnings
    assert warning == "spec.minNodes, spec.maxNodes: no effect while autoScale is off (ignored)"


def test_tags_are_a_warning() -> None:
    """A cosmetic field is ignored, and the warning names it."""
    assert _plan(tags=["a"]).warnings == ["spec.tags: Civo node pools have no tags; use labels (ignored)"]


def test_a_cluster_is_found_by_its_exact_name() -> None:
    """A name is looked up in the account's region. A UUID needs no look-up."""
    planned = _plan(cluster={"value": "old-cluster"}, config={"defaultRegion": "fra1"})
    assert planned.resources["node_pool"].inputs["clusterId"] == mocks.CLUSTER_ID
    assert planned.calls == [("civo:index/getKubernetesCluster:getKubernetesCluster", {"name": "old-cluster", "region": "FRA1"})]
    assert _plan().calls == []


@pytest.mark.parametrize("text", ["old", "22222222", "new-cluster"])
def test_a_part_of_a_clusters_name_or_id_does_not_match(text: str) -> None:
    """A pool must not be created in the wrong cluster."""
    with pytest.raises(errors.PlantonError, match=f"no cluster has the name or id '{text}' in region LON1") as caught:
        _plan(cluster={"value": text})
    assert caught.value.reason is errors.Reason.NOT_FOUND


def test_an_unresolved_reference_names_both_ends() -> None:
    """A module cannot read manifests, so the hint names the command that writes a resolved stack input."""
    with pytest.raises(errors.PlantonError, match=r"spec\.cluster of 'dev' refers to 'main'") as caught:
        _plan(cluster={"valueFrom": {"name": "main"}})
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


AUTOSCALED = {"autoScale": True, "minNodes": 1, "maxNodes": 5}


def test_an_autoscaled_pool_reports_who_scales_it() -> None:
    """The token is stored in the cluster, and plain Pulumi needs the argument with this pool's bounds."""
    [warning] = _plan(**AUTOSCALED).warnings
    assert "with the account's token" in warning
    assert "--nodes=1:5:workers" in warning


def test_the_autoscaler_of_the_marketplace_needs_the_bounds() -> None:
    """The cloud knows the applications, whichever manifest the cluster comes from."""
    manifest = mocks.target("CivoKubernetesNodePool", {**SPEC, **AUTOSCALED})
    cloud = mocks.Civo(applications={"civo-cluster-autoscaler": True})
    [warning] = mocks.plan(mocks.stack_input(manifest), cloud=cloud).warnings
    assert "civo-cluster-autoscaler" in warning
    assert "--nodes=1:5:workers" in warning


def _before(type_: str, name: str, **outputs: Any) -> dict[str, Any]:
    return {"resources": [{"urn": f"urn::{name}", "type": type_, "outputs": {"id": "x", **outputs}}]}


@pytest.mark.parametrize(
    ("label", "cluster", "deleted_first"),
    [("workers", mocks.CLUSTER_ID, True), ("older", mocks.CLUSTER_ID, False), ("older", "another", True)],
)
def test_a_renamed_pool_is_created_before_the_old_one_is_deleted(label: str, cluster: str, *, deleted_first: bool) -> None:
    """With the same name, or in another cluster, the old pool is deleted first: it may be missing already."""
    before = _before("civo:index/kubernetesNodePool:KubernetesNodePool", "node_pool", label=label, clusterId=cluster)
    with own.state(before):
        options = _plan().resources["node_pool"].options
    assert options.get("delete_before_replace", False) is deleted_first


def test_the_state_gets_no_token_from_an_operation_of_planton() -> None:
    """Its engine passes the current token. Plain Pulumi has only the one in the state."""
    plain = _plan().resources["node_pool_size"].inputs
    with own.state({"resources": []}):
        assert plain.keys() - _plan().resources["node_pool_size"].inputs.keys() == {"token"}
