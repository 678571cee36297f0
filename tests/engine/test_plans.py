"""Plans: what is made of the engine's events."""

from __future__ import annotations

from typing import Any

import pytest

from planton.engine import plans, recorders
from support import events

UNKNOWN = "00000000-0000-5000-8000-0123456789ab"
ENGINE_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def _recorded(*given: Any) -> recorders.Recorder:
    recorder = recorders.Recorder()
    for event in given:
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
def test_each_step_of_the_engine_is_one_of_our_actions(op: str, action: plans.Action) -> None:
    """The change has the resource's name in the stack and its type for people."""
    [change] = _recorded(events.begins(op, events.CLUSTER, "cluster", old={}, new={})).plan().changes
    assert (change.action, change.name, change.noun) == (action, "cluster", "KubernetesCluster")


@pytest.mark.parametrize(
    ("op", "type_"),
    [("same", events.CLUSTER), ("read", events.CLUSTER), ("create", "pulumi:pulumi:Stack"), ("create", "pulumi:providers:civo")],
)
def test_what_does_not_change_and_what_is_pulumis_own_is_left_out(op: str, type_: str) -> None:
    """A plan has only what the user can judge."""
    assert _recorded(events.begins(op, type_, "x", old={}, new={})).plan().empty


def test_the_steps_of_a_replacement_are_one_change() -> None:
    """The engine tells a replacement in three steps."""
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
def test_only_clusters_and_pools_that_go_are_losses(op: str, type_: str, *, lost: bool) -> None:
    """These need the user's consent by name."""
    assert bool(_recorded(events.begins(op, type_, "x", old={}, new={})).plan().losses()) is lost


def _differences(old: dict[str, Any], new: dict[str, Any], type_: str = events.CLUSTER, **outputs: Any) -> list[tuple[Any, ...]]:
    [change] = _recorded(events.begins("update", type_, "x", old=old, new=new, **outputs)).plan().changes
    return [(difference.path, difference.old, difference.new) for difference in change.differences]


def test_differences_are_leaves_with_their_paths() -> None:
    """Nested maps and lists are compared item by item; what is equal is left out."""
    old = {"name": "a", "pools": {"nodeCount": 2, "size": "s"}, "rules": [{"cidrs": ["a", "b"]}], "gone": "x"}
    new = {"name": "a", "pools": {"nodeCount": 3, "size": "s"}, "rules": [{"cidrs": ["a", "c"]}], "come": True}
    assert _differences(old, new) == [
        ("come", None, True),
        ("gone", "x", None),
        ("pools.nodeCount", 2, 3),
        ("rules[0].cidrs[1]", "b", "c"),
    ]


@pytest.mark.parametrize("empty", [None, [], {}, ""])
def test_unset_and_empty_are_the_same(empty: Any) -> None:
    """A plugin turns one into the other and back."""
    same = {"name": "a"}, {"name": "b"}
    assert _differences({"labels": empty} | same[0], same[1]) == [("name", "a", "b")]
    assert _differences(same[0], {"labels": empty} | same[1]) == [("name", "a", "b")]


@pytest.mark.parametrize("name", ["__defaults", "__provider", "token", "identity"])
def test_what_only_machines_read_is_not_shown(name: str) -> None:
    """Defaults, pickled providers and tokens are nothing that the user has written."""
    assert _differences({name: "a", "size": "s"}, {name: "b", "size": "l"}) == [("size", "s", "l")]


def test_an_update_always_names_a_field() -> None:
    """A new token is all that some updates are about; the values of it are shown to nobody."""
    assert _differences({"token": "a"}, {"token": "b"}) == [("token", "(as before)", "(renewed)")]


def test_what_only_the_plugin_sees_is_named() -> None:
    """It compares with what the cloud has, and the inputs may say nothing of it."""
    found = _differences({}, {}, old_outputs={"description": "hello"}, detail=("description",))
    assert found == [("description", "hello", None)]


def test_after_an_import_only_what_the_plugin_changes_is_shown() -> None:
    """An import writes into the state what no manifest says; what is set for the first time has a value in the cloud."""
    outputs = {"ha": False, "clusterSubnet": "10.244.0.0/16", "surgeUpgrade": True}
    old, new = {"clusterSubnet": "10.244.0.0/16"}, {"ha": False, "surgeUpgrade": False}
    assert _differences(old, new, old_outputs=outputs, detail=("surgeUpgrade",)) == [("surgeUpgrade", True, False)]


def test_what_is_set_to_what_the_cloud_has_is_no_difference() -> None:
    """Where the plugin gives no details either."""
    found = _differences({"name": "a"}, {"name": "b", "ha": False}, old_outputs={"name": "a", "ha": False})
    assert found == [("name", "a", "b")]


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
def test_a_replacement_says_what_goes_first(type_: str, name: str, old: str, operations: tuple[str, ...], note: str) -> None:
    """The order of the engine's steps says it; whichever comes last, the differences stay."""
    steps = [
        events.begins(op, type_, name, old={old: "a"}, new=None if op == "delete-replaced" else {old: "b"}) for op in operations
    ]
    [change] = _recorded(*steps).plan().changes
    assert note in change.note
    assert [each.path for each in change.differences] == [old]


def test_values_that_come_later_are_said_to_come_later() -> None:
    """Neither our placeholder nor the engine's is shown."""
    expected = [("networkId", "a", "(known after apply)")]
    assert _differences({"networkId": "a"}, {"networkId": UNKNOWN}) == expected
    assert _differences({"networkId": "a"}, {"networkId": ENGINE_UNKNOWN}) == expected


def test_the_number_of_nodes_is_compared_with_what_was_seen() -> None:
    """A repair of drift shows the number that the cloud has, although the manifest has not changed."""
    found = _differences({"node_count": 3}, {"node_count": 3}, events.SIZE, old_outputs={"actual_node_count": 5}, new_outputs={})
    assert found == [("node_count", 5, 3)]


def test_the_pools_own_count_is_left_to_the_size_beside_it() -> None:
    """One change of the number is told once."""
    assert _differences({"nodeCount": 3, "label": "a"}, {"nodeCount": 5, "label": "b"}, events.POOL) == [("label", "a", "b")]


def test_a_creation_has_no_differences() -> None:
    """There is nothing that it differs from."""
    [change] = _recorded(events.begins("create", events.CLUSTER, "x", new={"a": 1})).plan().changes
    assert change.differences == ()


def _refreshed(type_: str = events.CLUSTER, op: str = "refresh", **states: Any) -> list[tuple[str, str, list[tuple[Any, ...]]]]:
    recorder = _recorded(events.ended(op, type_, "x", **states))
    return [
        (change.name, change.action.value, [(each.path, each.old, each.new) for each in change.differences])
        for change in recorder.refreshed()
    ]


def test_drift_is_what_was_set_and_is_now_something_else() -> None:
    """What the cloud adds by itself changes as it likes."""
    found = _refreshed(
        old={"name": "a", "pools": {"nodeCount": 2}},
        old_outputs={"name": "a", "pools": {"nodeCount": 2, "instanceNames": ["x"]}, "status": "BUILDING"},
        new={},
        new_outputs={"name": "a", "pools": {"nodeCount": 4, "instanceNames": ["y"]}, "status": "ACTIVE"},
    )
    assert found == [("x", "update", [("pools.nodeCount", 2, 4)])]


def test_a_label_that_somebody_added_is_drift() -> None:
    """A map that the manifest sets is set as a whole."""
    found = _refreshed(
        events.POOL,
        old={"labels": {"a": "1"}},
        old_outputs={"labels": {"a": "1"}},
        new={},
        new_outputs={"labels": {"a": "1", "b": "2"}},
    )
    assert found == [("x", "update", [("labels.b", None, "2")])]


@pytest.mark.parametrize(("wanted", "drift"), [(3, [("x", "update", [("node_count", 3, 4)])]), (None, [])])
def test_a_changed_number_of_nodes_is_drift_unless_an_autoscaler_decides_it(wanted: int | None, drift: list[Any]) -> None:
    """A pool that is left to the autoscaler has no number to drift from."""
    before = {"node_count": wanted, "actual_node_count": 3}
    assert (
        _refreshed(
            events.SIZE, old={"node_count": wanted}, old_outputs=before, new={}, new_outputs=before | {"actual_node_count": 4}
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
def test_the_number_of_a_default_pool_is_told_once_or_left_to_the_autoscaler(
    before: dict[str, Any], after: dict[str, Any], drift: list[Any], *, scaled: bool
) -> None:
    """DigitalOcean's plugin tells what is wanted and what is there; after an import only the latter is right."""
    inputs = {"nodePool": {"size": "s", "nodeCount": 1, "autoScale": scaled}}
    found = _refreshed(old=inputs, old_outputs={"nodePool": before}, new={}, new_outputs={"nodePool": after})
    assert found == ([("x", "update", drift)] if drift else [])


@pytest.mark.parametrize(
    ("given", "drift"), [("autoScale", ["version"]), ("autoUpgrade", ["nodeCount"]), ("", ["nodeCount", "version"])]
)
def test_what_the_manifest_leaves_to_the_cloud_does_not_drift(given: str, drift: list[str]) -> None:
    """An autoscaler moves the number of nodes, automatic upgrades the version."""
    before, after = {"nodeCount": 1, "version": "1"}, {"nodeCount": 3, "version": "2"}
    [(_, _, found)] = _refreshed(old=before | ({given: True} if given else {}), old_outputs=before, new={}, new_outputs=after)
    assert [path for path, _, _ in found] == drift


def test_what_is_gone_is_told_as_a_deletion() -> None:
    """A refresh that finds nothing ends with a deletion."""
    assert _refreshed(op="delete", old={"name": "a"}, old_outputs={"name": "a"}) == [("x", "delete", [])]
    assert _refreshed(old={"name": "a"}, old_outputs={"name": "a"}) == [("x", "delete", [])]


def test_nothing_has_drifted_where_nothing_differs() -> None:
    """An unchanged resource is no finding."""
    assert _refreshed(old={"name": "a"}, old_outputs={"name": "a"}, new={"name": "a"}, new_outputs={"name": "a"}) == []


def test_diagnostics_are_plain_and_told_once() -> None:
    """Colours are taken out; the same warning of preview and update is one; information is none."""
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


def test_pending_operations_are_noticed_and_are_no_warning() -> None:
    """The engine warns in many lines of what our own recovery deals with."""
    recorder = _recorded(
        events.says("warning", "Attempting to deploy or update resources with 1 pending operations from previous deployment.")
    )
    assert recorder.pending_operations
    assert recorder.plan().warnings == ()


def test_failures_and_ends_are_kept_by_urn() -> None:
    """Who looks for orphans needs to know what was seen to end."""
    recorder = _recorded(
        events.begins("create", events.CLUSTER, "cluster", new={}),
        events.failed("create", events.CLUSTER, "cluster"),
        events.ended("create", events.NETWORK, "network", new={}),
    )
    assert recorder.failed == {events.urn(events.CLUSTER, "cluster"): "create"}
    assert recorder.finished == {events.urn(events.NETWORK, "network")}
