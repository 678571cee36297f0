"""GcpGkeNodePool: the requested resources."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.modules import own
from support import mocks

SPEC = {
    "clusterProjectId": {"value": "acme"},
    "clusterName": {"value": "dev"},
    "clusterLocation": {"value": "europe-west1"},
    "nodePoolName": "workers",
}
ZONES = ("europe-west1-b", "europe-west1-c")


def _plan(cloud: mocks.Gcp | None = None, **spec: Any) -> mocks.Planned:
    return mocks.plan(mocks.stack_input(mocks.target("GcpGkeNodePool", {**SPEC, **spec})), cloud=cloud or mocks.Gcp())


def _pool(cloud: mocks.Gcp | None = None, **spec: Any) -> dict[str, Any]:
    return _plan(cloud, **spec).resources["node_pool"].inputs


@pytest.mark.parametrize(
    ("zones", "spec", "per_zone"),
    [
        (ZONES, {}, 3),
        (("europe-west1-b",), {}, 6),
        (ZONES, {"zones": ["europe-west1-b", "europe-west1-c", "europe-west1-d"]}, 2),
        # GKE does not list the zone of a zonal cluster among the additional ones.
        (("europe-west1-c",), {"clusterLocation": {"value": "europe-west1-b"}}, 3),
        ((), {}, 2),
    ],
)
def test_a_total_is_spread_over_the_zones(zones: tuple[str, ...], spec: dict[str, Any], per_zone: int) -> None:
    """The zones are those of the pool, else those of the cluster."""
    assert _pool(mocks.Gcp(clusters={"dev": zones}), totalNodeCount=6, **spec)["nodeCount"] == per_zone


def test_a_pool_whose_spec_no_longer_lists_zones_keeps_them() -> None:
    """The plugin does not return a pool to the zones of its cluster."""
    cloud = mocks.Gcp(clusters={"dev": (*ZONES, "europe-west1-d")}, pools={"workers": ZONES, "other": ZONES[:1]})
    assert _pool(cloud, totalNodeCount=6)["nodeCount"] == 3


@pytest.mark.parametrize(
    ("autoscaling", "per_zone"),
    [
        ({"totalMinNodes": 2, "totalMaxNodes": 10, "initialNodes": 3}, 2),
        ({"totalMinNodes": 2, "totalMaxNodes": 3, "initialNodes": 3}, 1),
        ({"totalMinNodes": 4, "totalMaxNodes": 10}, 2),
        ({"totalMinNodes": 0, "totalMaxNodes": 10}, 0),
        ({"minNodes": 1, "maxNodes": 4, "initialNodes": 5}, 3),
        ({"minNodes": 1, "maxNodes": 4}, 1),
    ],
)
def test_an_autoscaled_pool_begins_with_its_initial_number_or_its_minimum(autoscaling: dict[str, int], per_zone: int) -> None:
    """GKE counts per zone; more nodes than the maximum are not created."""
    assert _pool(mocks.Gcp(clusters={"dev": ZONES}), autoscaling=autoscaling)["initialNodeCount"] == per_zone


@pytest.mark.parametrize("initial", [1, 9])
def test_an_initial_number_outside_the_bounds_of_the_zones_is_refused(initial: int) -> None:
    """A new pool would have more nodes than its maximum, or fewer than its minimum, which the autoscaler may leave."""
    bounds = {"minNodes": 1, "maxNodes": 4, "initialNodes": initial}
    with pytest.raises(errors.PlantonError, match=f"{initial} nodes of all zones .* of 2 zones: .* 2 to 8 together") as caught:
        _plan(mocks.Gcp(clusters={"dev": ZONES}), autoscaling=bounds)
    assert caught.value.metadata["fields"] == "spec.autoscaling.initialNodes"


def test_a_total_for_a_planned_cluster_takes_the_usual_three_zones() -> None:
    """The cloud does not have the cluster yet."""
    assert _pool(mocks.Gcp(clusters={}), totalNodeCount=6)["nodeCount"] == 2


@pytest.mark.parametrize(("total", "nearest"), [(7, "6 and 8"), (1, "0 and 2")])
def test_a_total_that_does_not_divide_is_refused_with_the_nearest(total: int, nearest: str) -> None:
    """No resource is requested."""
    with pytest.raises(errors.PlantonError, match=f"{total} nodes cannot be spread evenly over 2 zones.*{nearest}") as caught:
        _plan(mocks.Gcp(clusters={"dev": ZONES}), totalNodeCount=total)
    assert caught.value.reason == errors.Reason.UNSUPPORTED_FIELD
    assert caught.value.metadata["fields"] == "spec.totalNodeCount"


def test_an_autoscaled_pool_leaves_its_number_of_nodes_alone() -> None:
    """Only the autoscaler decides it, so the outputs do not report it."""
    planned = _plan(autoscaling={"totalMinNodes": 0, "totalMaxNodes": 5}, spot=True)
    pool = planned.resources["node_pool"]
    assert "nodeCount" not in pool.inputs
    assert pool.inputs["ignoreNodeCountChanges"] is True
    assert {"initialNodeCount", "nodeCount"} <= set(pool.options["ignore_changes"])
    assert (planned.outputs["current_node_count"], planned.outputs["max_nodes"]) == ("", "5")


def test_an_imported_pool_keeps_its_scopes() -> None:
    """Other tools create pools with other scopes, which no field sets, and GKE cannot change them without a new pool."""
    assert "nodeConfig.oauthScopes" in _plan(nodeCount=1).resources["node_pool"].options["ignore_changes"]


def test_the_cluster_is_named_as_an_import_records_it() -> None:
    """The id of the cluster would replace an imported pool."""
    inputs = _pool(nodeCount=1)
    assert (inputs["cluster"], inputs["project"], inputs["location"]) == ("dev", "acme", "europe-west1")


def test_more_label_characters_than_gke_accepts_are_refused() -> None:
    """The standard labels count too."""
    with pytest.raises(errors.PlantonError, match=r"the labels of the nodes have \d{4} characters .* GKE accepts 1024") as caught:
        _plan(nodeCount=1, nodeLabels={f"label-{number:02}": "v" * 50 for number in range(17)})
    assert caught.value.reason is errors.Reason.UNSUPPORTED_FIELD


@pytest.mark.parametrize(
    ("existing", "spec", "requested"),
    [
        (None, {}, None),
        ([{"pdbTimeoutDuration": ""}], {}, None),
        ([{"pdbTimeoutDuration": "600s"}], {}, [{"pdbTimeoutDuration": "3600s"}]),
        ([{"pdbTimeoutDuration": "3600s"}], {}, [{"pdbTimeoutDuration": "3600s"}]),
        ([{"pdbTimeoutDuration": "600s"}], {"drainTimeoutSeconds": 60}, [{"pdbTimeoutDuration": "60s"}]),
    ],
)
def test_a_removed_drain_timeout_is_replaced_by_the_default(
    existing: list[dict[str, str]] | None, spec: dict[str, int], requested: object
) -> None:
    """The plugin keeps the timeout of a pool if none is requested."""
    outputs = {"id": "x", "name": "workers", "cluster": "dev", "nodeDrainConfigs": existing}
    before = {"urn": "urn::node_pool", "type": "gcp:container/nodePool:NodePool", "outputs": outputs}
    with own.state({"resources": [before]}):
        assert _pool(nodeCount=1, **spec).get("nodeDrainConfigs") == requested


@pytest.mark.parametrize(("drain", "requested"), [("", None), ("600s", [{"pdbTimeoutDuration": "3600s"}])])
def test_an_import_resets_the_drain_timeout(drain: str, requested: object) -> None:
    """As of a pool of the state, so that the plan after the import is empty."""
    with own.state({"resources": []}, imported=("node_pool",)):
        inputs = _pool(mocks.Gcp(pools={"workers": ZONES}, drain=drain), nodeCount=1)
    assert inputs.get("nodeDrainConfigs") == requested
