"""What the audit says of an action."""

from __future__ import annotations

import datetime
import types
from typing import Any

from planton.controllers import audit, values
from planton.deploy import autoscalers
from planton.engine import plans

NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)


def _texts(listed: Any) -> list[tuple[str, ...]]:
    return [(each.resource, each.action, each.field, each.before, each.after) for each in listed]


def _plan(*changes: plans.Change, scalers: tuple[autoscalers.Change, ...] = ()) -> Any:
    return types.SimpleNamespace(all_steps=[types.SimpleNamespace(plan=plans.Plan(changes))], autoscalers=scalers)


def _node(name: str, *, is_draining: bool = False) -> values.Node:
    return values.Node(name, True, "1.33", NOW, draining_since=NOW if is_draining else None)


def test_a_plan_is_recorded_with_both_values_of_each_property() -> None:
    """A new resource has only new values, and a deleted one none."""
    made = plans.Change("u", "node_pool", "t", plans.Action.CREATE, properties=(("size", "small"), ("spot", False)))
    changed = plans.Change("u", "cluster", "t", plans.Action.UPDATE, (plans.Difference("tags[0]", None, "a\nb"),))
    gone = plans.Change("u", "firewall", "t", plans.Action.DELETE)
    scaler = autoscalers.Change("production", autoscalers.Action.UPDATE, ("workers 1-5",))
    assert _texts(audit.of_plan(_plan(made, changed, gone, scalers=(scaler,)))) == [
        ("node_pool", "create", "size", "", "small"),
        ("node_pool", "create", "spot", "", "false"),
        ("cluster", "update", "tags[0]", "", "a\\nb"),
        ("firewall", "delete", "", "", ""),
        ("autoscaler of production", "update", "pools", "", "workers 1-5"),
    ]


def test_a_drain_is_one_change_however_many_steps_it_has() -> None:
    """Only the nodes whose drain begins are listed."""
    observed = values.Observed(presence=values.Presence.PRESENT, nodes=(_node("a", is_draining=True), _node("b")))
    drain = values.Decision(action=values.Action.DRAIN, nodes=("a", "b"))
    assert _texts(audit.of_nodes(drain, observed)) == [("node b", "drain", "unschedulable", "false", "true")]
    assert audit.of_nodes(values.Decision(action=values.Action.DRAIN, nodes=("a",)), observed) == []
    for action, change in {
        values.Action.UNCORDON: ("node a", "uncordon", "unschedulable", "true", "false"),
        values.Action.REPLACE: ("node a", "replace", "", "", ""),
        values.Action.REMOVE: ("node a", "remove", "", "", ""),
        values.Action.UPDATE: ("node a", "remove", "", "", ""),
    }.items():
        assert _texts(audit.of_nodes(values.Decision(action=action, nodes=("a",)), observed)) == [change]


def test_a_record_fits_the_limits_of_the_api() -> None:
    """What has no room is counted."""
    sent: list[Any] = []
    decision = values.Decision(action=values.Action.CREATE, why="w" * 9000)
    properties = tuple((f"p{number}", "x" * 9000) for number in range(900))
    change = plans.Change("u", "node_pool", "t", plans.Action.CREATE, properties=properties)
    with audit.Recorder(sent.append, audit.record("planton-civo", "w", 1, decision)) as recorder:
        recorder.begin(audit.of_plan(_plan(change)))
    record = sent[-1]
    assert record.ByteSize() < 64 * 1024
    assert len(record.reason) <= 4096
    listed = len(record.changes) - 1
    assert max(len(each.after) for each in record.changes) <= 2048
    assert record.changes[-1].after == f"{900 - listed} more changes"
