"""Plans, built from the engine's events."""

from __future__ import annotations

from typing import Any

import pytest

from planton.engine import plans, recorders
from support import events

UNKNOWN = "00000000-0000-5000-8000-0123456789ab"
ENGINE_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def _recorded(*received: Any) -> recorders.Recorder:
    recorder = recorders.Recorder()
    for event in received:
        recorder(event)
    return recorder


@pytest.mark.parametrize(
    ("op", "action"),
    [
        ("create", plans.Action.CREATE),
        ("update", plans.Action.UPDATE),
        ("replace", plans.Action.REPLACE),
        ("create-replacement", plans.Action.REPLACE),
        ("delete-replaced", plans.Action.REPLACE),
        ("delete", plans.Action.DELETE),
        ("import", plans.Action.IMPORT),
        ("discard", plans.Action.FORGET),
    ],
)
def test_each_step_of_the_engine_maps_to_one_action(op: str, action: plans.Action) -> None:
    """The change has the resource's name in the stack and a readable type."""
    [change] = _recorded(events.begins(op, events.CLUSTER, "cluster", old={}, new={})).plan().changes
    assert (change.action, change.name, change.noun) == (action, "cluster", "KubernetesCluster")


@pytest.mark.parametrize(
    ("op", "type_"),
    [("same", events.CLUSTER), ("read", events.CLUSTER), ("create", "pulumi:pulumi:Stack"), ("create", "pulumi:providers:civo")],
)
def test_unchanged_resources_and_resources_of_pulumi_are_omitted(op: str, type_: str) -> None:
    """A plan contains only changes that the user can review."""
    assert _recorded(events.begins(op, type_, "x", old={}, new={})).plan().empty


def test_the_steps_of_a_replacement_are_one_change() -> None:
    """The engine reports a replacement in three steps."""
    steps = [
        events.begins(op, events.POOL, "node_pool", old={}, new={}) for op in ("delete-replaced", "replace", "create-replacement")
    ]
    plan = _recorded(*steps).plan()
    assert plan.count(plans.Action.REPLACE) == 1
    assert [change.name for change in plan.losses()] == ["node_pool"]


@pytest.mark.parametrize(
    ("op", "type_", "lost"),
    [
        ("replace", events.CLUSTER, True),
        ("delete", events.POOL, True),
        ("update", events.CLUSTER, False),
        ("delete", events.FIREWALL, False),
        ("create", events.POOL, False),
        ("replace", events.NETWORK, False),
    ],
)
def test_only_deleted_and_replaced_clusters_and_pools_are_losses(op: str, type_: str, *, lost: bool) -> None:
    """Losses need the user's consent by name."""
    assert bool(_recorded(events.begins(op, type_, "x", old={}, new={})).plan().losses()) is lost


def _differences(old: dict[str, Any], new: dict[str, Any], type_: str = events.CLUSTER, **outputs: Any) -> list[tuple[Any, ...]]:
    [change] = _recorded(events.begins("update", type_, "x", old=old, new=new, **outputs)).plan().changes
    return [(difference.path, difference.old, difference.new) for difference in change.differences]


def test_differences_are_leaves_with_their_paths() -> None:
    """Nested maps and lists are compared item by item. Equal values are omitted."""
    old = {"name": "a", "pools": {"nodeCount": 2, "size": "s"}, "rules": [{"cidrs": ["a", "b"]}], "removed": "x"}
    new = {"name": "a", "pools": {"nodeCount": 3, "size": "s"}, "rules": [{"cidrs": ["a", "c"]}], "added": True}
    assert _differences(old, new) == [
        ("added", None, True),
        ("pools.nodeCount", 2, 3),
        ("removed", "x", None),
        ("rules[0].cidrs[1]", "b", "c"),
    ]


@pytest.mark.parametrize("empty", [None, [], {}, ""])
def test_unset_and_empty_values_are_equal(empty: Any) -> None:
    """A plugin turns one into the other and back."""
    same = {"name": "a"}, {"name": "b"}
    assert _differences({"labels": empty} | same[0], same[1]) == [("name", "a", "b")]
    assert _differences(same[0], {"labels": empty} | same[1]) == [("name", "a", "b")]


@pytest.mark.parametrize("name", ["__defaults", "__provider", "token", "identity"])
def test_internal_properties_are_not_shown(name: str) -> None:
    """Defaults, pickled providers and tokens are not written by the user."""
    assert _differences({name: "a", "size": "s"}, {name: "b", "size": "l"}) == [("size", "s", "l")]


def test_nested_defaults_are_not_shown() -> None:
    """The plugin lists the names of the properties that it has set, in each block."""
    old = {"nodeConfig": {"__defaults": [], "labels": {"a": "b"}}}
    new = {"nodeConfig": {"__defaults": ["diskType", "spot"], "labels": {"a": "c"}}}
    assert _differences(old, new) == [("nodeConfig.labels.a", "b", "c")]
    [change] = _recorded(events.begins("create", events.POOL, "node_pool", old=None, new=new)).plan().changes
    assert change.properties == (("nodeConfig.labels.a", "c"),)


def test_an_update_always_names_a_field() -> None:
    """An update may only renew the token. Its value is not shown."""
    assert _differences({"token": "a"}, {"token": "b"}) == [("token", "(as before)", "(renewed)")]


def test_a_difference_that_only_the_plugin_reports_is_shown() -> None:
    """The plugin compares with the cloud, and the inputs may not contain the field."""
    differences = _differences({}, {}, old_outputs={"description": "hello"}, detail=("description",))
    assert differences == [("description", "hello", None)]


def test_after_an_import_only_changes_of_the_plugin_are_shown() -> None:
    """An import writes values into the state that no manifest contains."""
    outputs = {"ha": False, "clusterSubnet": "10.244.0.0/16", "surgeUpgrade": True}
    old, new = {"clusterSubnet": "10.244.0.0/16"}, {"ha": False, "surgeUpgrade": False}
    assert _differences(old, new, old_outputs=outputs, detail=("surgeUpgrade",)) == [("surgeUpgrade", True, False)]


def test_setting_a_field_to_the_clouds_value_is_not_a_difference() -> None:
    """This holds if the plugin reports no details."""
    differences = _differences({"name": "a"}, {"name": "b", "ha": False}, old_outputs={"name": "a", "ha": False})
    assert differences == [("name", "a", "b")]


DELETE_FIRST = ("delete-replaced", "replace", "create-replacement")
CREATE_FIRST = ("create-replacement", "replace", "delete-replaced")


@pytest.mark.parametrize(
    ("type_", "name", "old", "operations", "note"),
    [
        (events.POOL, "node_pool", "size", DELETE_FIRST, "name stays the same; to keep nodes, change nodePoolName too"),
        (events.POOL, "node_pool-x", "size", DELETE_FIRST, "to keep nodes, change its name in additionalNodePools too"),
        (events.POOL, "node_pool", "clusterId", DELETE_FIRST, "deletes the old node pool first: its cluster is another one"),
        (events.POOL, "node_pool", "size", CREATE_FIRST, "creates the new node pool before it deletes the old one"),
        (events.CLUSTER, "cluster", "region", DELETE_FIRST, "deletes the old cluster first: its name stays the same"),
        (events.NETWORK, "network", "region", DELETE_FIRST, "deletes the old network first: its name stays the same"),
    ],
)
def test_a_replacement_notes_the_order_of_deletion_and_creation(
    type_: str, name: str, old: str, operations: tuple[str, ...], note: str
) -> None:
    """The order follows from the engine's steps. The differences stay in both orders."""
    steps = [
        events.begins(op, type_, name, old={old: "a"}, new=None if op == "delete-replaced" else {old: "b"}) for op in operations
    ]
    [change] = _recorded(*steps).plan().changes
    assert note in change.note
    assert [each.path for each in change.differences] == [old]


def test_unknown_values_are_shown_as_known_after_apply() -> None:
    """Neither planton's placeholder nor the engine's is shown."""
    expected = [("networkId", "a", "(known after apply)")]
    assert _differences({"networkId": "a"}, {"networkId": UNKNOWN}) == expected
    assert _differences({"networkId": "a"}, {"networkId": ENGINE_UNKNOWN}) == expected


def test_the_node_count_is_compared_with_the_clouds_count() -> None:
    """A repair of drift shows the cloud's count, although the manifest has not changed."""
    differences = _differences(
        {"node_count": 3}, {"node_count": 3}, events.SIZE, old_outputs={"actual_node_count": 5}, new_outputs={}
    )
    assert differences == [("node_count", 5, 3)]


def test_the_node_count_of_a_pool_is_reported_by_its_size_resource_only() -> None:
    """One change of the count is reported once."""
    assert _differences({"nodeCount": 3, "label": "a"}, {"nodeCount": 5, "label": "b"}, events.POOL) == [("label", "a", "b")]


def test_a_creation_has_no_differences() -> None:
    """There is no earlier value to compare with."""
    [change] = _recorded(events.begins("create", events.CLUSTER, "x", new={"a": 1})).plan().changes
    assert change.differences == ()


def _refreshed(type_: str = events.CLUSTER, op: str = "refresh", **states: Any) -> list[tuple[str, str, list[tuple[Any, ...]]]]:
    recorder = _recorded(events.ended(op, type_, "x", **states))
    return [
        (change.name, change.action.value, [(each.path, each.old, each.new) for each in change.differences])
        for change in recorder.refreshed()
    ]


def test_drift_is_a_change_of_a_configured_field() -> None:
    """Fields that only the cloud sets may change freely."""
    changes = _refreshed(
        old={"name": "a", "pools": {"nodeCount": 2}},
        old_outputs={"name": "a", "pools": {"nodeCount": 2, "instanceNames": ["x"]}, "status": "BUILDING"},
        new={},
        new_outputs={"name": "a", "pools": {"nodeCount": 4, "instanceNames": ["y"]}, "status": "ACTIVE"},
    )
    assert changes == [("x", "update", [("pools.nodeCount", 2, 4)])]


def test_an_added_label_is_drift() -> None:
    """A configured map is compared as a whole."""
    changes = _refreshed(
        events.POOL,
        old={"labels": {"a": "1"}},
        old_outputs={"labels": {"a": "1"}},
        new={},
        new_outputs={"labels": {"a": "1", "b": "2"}},
    )
    assert changes == [("x", "update", [("labels.b", None, "2")])]


@pytest.mark.parametrize(("node_count", "drift"), [(3, [("x", "update", [("node_count", 3, 4)])]), (None, [])])
def test_a_changed_node_count_is_drift_unless_an_autoscaler_sets_it(node_count: int | None, drift: list[Any]) -> None:
    """An autoscaled pool has no configured count."""
    before = {"node_count": node_count, "actual_node_count": 3}
    assert (
        _refreshed(
            events.SIZE, old={"node_count": node_count}, old_outputs=before, new={}, new_outputs=before | {"actual_node_count": 4}
        )
        == drift
    )


_DEFAULT_POOL = {"size": "s", "nodeCount": 1, "actualNodeCount": 1}
_MORE_NODES = {**_DEFAULT_POOL, "nodeCount": 3, "actualNodeCount": 3}


@pytest.mark.parametrize(
    ("scaled", "before", "after", "drift"),
    [
        (False, _DEFAULT_POOL, _MORE_NODES, [("nodePool.nodeCount", 1, 3)]),
        (False, {**_DEFAULT_POOL, "nodeCount": 0}, {**_MORE_NODES, "nodeCount": 0}, [("nodePool.actualNodeCount", 1, 3)]),
        (True, _DEFAULT_POOL, _MORE_NODES, []),
        (True, _DEFAULT_POOL, {**_MORE_NODES, "size": "m"}, [("nodePool.size", "s", "m")]),
    ],
)
def test_a_changed_node_count_of_a_default_pool_is_reported_once(
    before: dict[str, Any], after: dict[str, Any], drift: list[Any], *, scaled: bool
) -> None:
    """DigitalOcean's plugin reports the desired and the actual count. After an import only the actual one is right."""
    inputs = {"nodePool": {"size": "s", "nodeCount": 1, "autoScale": scaled}}
    changes = _refreshed(old=inputs, old_outputs={"nodePool": before}, new={}, new_outputs={"nodePool": after})
    assert changes == ([("x", "update", drift)] if drift else [])


@pytest.mark.parametrize(
    ("setting", "drift"), [("autoScale", ["version"]), ("autoUpgrade", ["nodeCount"]), ("", ["nodeCount", "version"])]
)
def test_fields_delegated_to_the_cloud_do_not_drift(setting: str, drift: list[str]) -> None:
    """An autoscaler sets the node count, automatic upgrades set the version."""
    before, after = {"nodeCount": 1, "version": "1"}, {"nodeCount": 3, "version": "2"}
    [(_, _, differences)] = _refreshed(
        old=before | ({setting: True} if setting else {}), old_outputs=before, new={}, new_outputs=after
    )
    assert [path for path, _, _ in differences] == drift


def test_a_missing_resource_is_reported_as_a_deletion() -> None:
    """A refresh of a missing resource ends with a deletion."""
    assert _refreshed(op="delete", old={"name": "a"}, old_outputs={"name": "a"}) == [("x", "delete", [])]
    assert _refreshed(old={"name": "a"}, old_outputs={"name": "a"}) == [("x", "delete", [])]


def test_an_unchanged_resource_has_no_drift() -> None:
    """A refresh without differences reports nothing."""
    assert _refreshed(old={"name": "a"}, old_outputs={"name": "a"}, new={"name": "a"}, new_outputs={"name": "a"}) == []


def test_diagnostics_are_plain_and_reported_once() -> None:
    """Colours are removed. Preview and update report the same warning. Information is not a warning."""
    recorder = _recorded(
        events.says("warning", "<{%fg 3%}>spec.tags: ignored<{%reset%}>\n"),
        events.says("warning", "spec.tags: ignored"),
        events.says("info", "hello"),
        events.says("error", "<{%reset%}>boom", events.urn(events.CLUSTER, "cluster")),
        events.says("error", "  "),
    )
    assert recorder.plan().warnings == ("spec.tags: ignored",)
    assert recorder.errors == [(events.urn(events.CLUSTER, "cluster"), "boom")]
    assert not recorder.pending_operations


def test_a_warning_that_no_user_can_do_anything_about_is_left_out() -> None:
    """The official Civo plugin repeats it for every resource."""
    text = 'provider config warning: The "token" attribute is deprecated. Please use the CIVO_TOKEN environment variable.'
    assert _recorded(events.says("warning", text)).plan().warnings == ()


def test_pending_operations_are_detected_and_not_shown_as_a_warning() -> None:
    """The engine warns in many lines, but planton's recovery handles them."""
    recorder = _recorded(
        events.says("warning", "Attempting to deploy or update resources with 1 pending operations from previous deployment.")
    )
    assert recorder.pending_operations
    assert recorder.plan().warnings == ()


def test_failed_and_finished_steps_are_recorded_by_urn() -> None:
    """The search for orphans needs the finished steps."""
    recorder = _recorded(
        events.begins("create", events.CLUSTER, "cluster", new={}),
        events.failed("create", events.CLUSTER, "cluster"),
        events.ended("create", events.NETWORK, "network", new={}),
    )
    assert recorder.failed == {events.urn(events.CLUSTER, "cluster"): "create"}
    assert recorder.finished == {events.urn(events.NETWORK, "network")}


def test_a_difference_of_a_key_with_other_characters_has_its_values() -> None:
    """The engine quotes such keys; a plan shows them like others."""
    old, new = {"labels": {"c": "d"}}, {"labels": {"a-b": "x", "c": "d"}}
    assert _differences(old, new, detail=('labels["a-b"]',)) == [("labels.a-b", None, "x")]
    outputs = {"labels": {"a-b": "x"}}
    assert _differences({}, {}, old_outputs=outputs, detail=('labels["a-b"]',)) == [("labels.a-b", "x", None)]


def test_copies_of_labels_are_omitted() -> None:
    """The plugin for Google Cloud reports each label twice: as it is set, and among all labels of the program."""
    old, new = {"name": "dev"}, {"name": "dev", "resourceLabels": {"a-b": "x"}}
    detail = ('pulumiLabels["a-b"]', 'resourceLabels["a-b"]')
    begun = events.begins("update", "gcp:container/cluster:Cluster", "cluster", old=old, new=new, detail=detail)
    [change] = _recorded(begun).plan().changes
    assert change.differences == (plans.Difference("resourceLabels.a-b", None, "x"),)
