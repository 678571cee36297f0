"""How the autoscaler of a controller meets what is desired, observed and remembered."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from org.project_planton.cluster.v1 import status_pb2
from planton.controllers import (
    autoscaling,
    decide,
    failures,
    looks,
    manifests,
    reports,
    scaling,
    scheduling,
    values,
    workload,
)
from planton.deploy import drain
from planton.schema import kinds
from support import turnovers

START = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
TARGETS = autoscaling.Targets(min_nodes=1, max_nodes=4, cpu=50, up_delay=60, down_delay=300)
DESIRED = values.Desired(generation=1, nodes=2, scaling=TARGETS)
SIZE = scheduling.Resources(cpu=2000, memory=4 << 30, pods=110)
QUOTA = failures.make(failures.Code.QUOTA, "The quota of CPUs is 16 and this would need 24")


def at(seconds: float) -> datetime.datetime:
    """Returns a time."""
    return START + datetime.timedelta(seconds=seconds)


def observed(seconds: float, cpu: int, *, count: int = 2, ready: int | None = None, **more: Any) -> values.Observed:
    """Returns an applied pool whose nodes use so many millicores each."""
    ready = count if ready is None else ready
    usage = scheduling.Resources(cpu=cpu)
    nodes = tuple(
        scheduling.Node(name=f"n{i}", created=0, allocatable=SIZE, usage=usage if i < ready else None, is_ready=i < ready)
        for i in range(count)
    )
    fields: dict[str, Any] = {
        "is_applied": True,
        "cloud_nodes": count,
        "nodes": tuple(values.Node(f"n{i}", i < ready, "v1", START) for i in range(count)),
        "workload": workload.Workload(nodes=nodes, measured=at(seconds).timestamp()),
    }
    return values.Observed(presence=values.Presence.PRESENT, **fields | more)


def conditions(decision: values.Decision) -> dict[str, tuple[str, str]]:
    """Returns type → status and reason of the conditions of a decision."""
    return {each.type: (each.status, each.reason) for each in decision.conditions}


def restored(decision: values.Decision) -> values.Memory:
    """Returns what another process remembers after the report of a decision."""
    made = reports.report(DESIRED, observed(0, 0), decision, reports.Facts("civo"), START)
    stored = status_pb2.ControllerStatus(
        controller_name=made.controller_name, observed_generation=1, conditions=made.conditions, metadata=made.metadata
    )
    return reports.memory(stored)


def until_scaled(cpu: int, *, memory: values.Memory, begin: float = 0, most: int = 100) -> tuple[float, values.Decision]:
    """Returns the time and the decision to scale, with another process at each look."""
    now = begin
    for _ in range(most):
        decision = decide.decide(DESIRED, observed(now, cpu), memory, at(now))
        if decision.action is values.Action.SCALE:
            return now, decision
        assert decision.next_look == looks.SAMPLING
        memory, now = restored(decision), now + looks.SAMPLING.total_seconds()
    raise AssertionError(decision)


@pytest.mark.parametrize(("cpu", "delay", "count", "reason"), [(1800, 60, 4, "ScalingUp"), (300, 300, 1, "ScalingDown")])
def test_a_load_is_followed_after_its_delay(cpu: int, delay: int, count: int, reason: str) -> None:
    """The history survives a restart at each look, because it is in the report."""
    now, decision = until_scaled(cpu, memory=values.Memory())
    assert delay <= now <= delay + looks.SAMPLING.total_seconds()
    assert decision.scaling is not None
    assert decision.scaling.count == count
    assert conditions(decision)["Progressing"] == ("True", reason)
    assert conditions(decision)["ScalingActive"][0] == "True"


@pytest.mark.parametrize(("cpu", "zones", "count"), [(1800, 1, 4), (1800, 2, 4), (1800, 3, 3), (1100, 2, 4), (300, 2, 2)])
def test_nodes_are_spread_evenly_over_zones(cpu: int, zones: int, count: int) -> None:
    """A cloud that counts per zone refuses other numbers; what would exceed the maximum is rounded down."""
    memory, decision = values.Memory(), None
    for step in range(25):
        now = step * looks.SAMPLING.total_seconds()
        decision = decide.decide(DESIRED, observed(now, cpu, zones=zones), memory, at(now))
        if decision.action is values.Action.SCALE:
            break
        memory = decision.memory
    assert decision is not None
    assert decision.scaling is not None
    assert decision.scaling.count == count
    assert (decision.action is values.Action.SCALE) is (count != DESIRED.nodes)


def draining(seconds: float, cpu: int, stage: drain.Stage) -> values.Observed:
    """Returns a pool of two nodes, the first of which is being drained for the autoscaler."""
    seen = observed(seconds, cpu, members=frozenset({"n0", "n1"}))
    assert seen.nodes is not None
    assert seen.workload is not None
    step = drain.Step(stage=stage, message="pods are evicted")
    first = dataclasses.replace(seen.nodes[0], is_cordoned=True, draining_since=at(seconds), drain=step)
    running = dataclasses.replace(seen.workload.nodes[0], is_draining=True)
    return dataclasses.replace(
        seen,
        nodes=(first, seen.nodes[1]),
        workload=dataclasses.replace(seen.workload, nodes=(running, seen.workload.nodes[1])),
    )


def test_a_drain_for_fewer_nodes_goes_on_to_its_end_unless_load_returns() -> None:
    """A node that is being drained counts like the others; if it is needed again, it accepts pods again."""
    asked = dataclasses.replace(DESIRED, turnover=turnovers.TURNOVER)
    idle = values.Memory(scaling=autoscaling.History(began=at(0).timestamp(), wants=((at(0).timestamp(), 1),)))
    seen = observed(301, 100, members=frozenset({"n0", "n1"}))
    begun = decide.decide(asked, seen, idle, at(301))
    assert (begun.action, begun.nodes) == (values.Action.DRAIN, ("n0",))
    again = decide.decide(asked, draining(303, 100, drain.Stage.PODS), begun.memory, at(303))
    assert (again.action, again.nodes) == (values.Action.DRAIN, ("n0",))
    end = decide.decide(asked, draining(305, 100, drain.Stage.DONE), again.memory, at(305))
    assert (end.action, end.nodes, end.scaling and end.scaling.count) == (values.Action.SCALE, ("n0",), 1)
    loaded = decide.decide(asked, draining(305, 1200, drain.Stage.PODS), again.memory, at(305))
    assert (loaded.action, loaded.nodes) == (values.Action.UNCORDON, ("n0",))


def test_a_lost_history_waits_for_the_delay_again() -> None:
    """Nothing is done too early."""
    now, _ = until_scaled(300, memory=values.Memory(), begin=10_000)
    assert now >= 10_300


def test_nodes_that_come_up_are_progress_and_no_degradation() -> None:
    """Until they are late. The pool stays available with its lower bound."""
    _, decision = until_scaled(1800, memory=dataclasses.replace(values.Memory(), was_ready=True))
    memory = dataclasses.replace(decide.succeeded(decision, observed(75, 1800), at(90)), was_ready=True)
    grown = dataclasses.replace(DESIRED, nodes=4)
    coming = decide.decide(grown, observed(100, 1000, count=4, ready=2), memory, at(100))
    seen = conditions(coming)
    assert (seen["Available"][0], seen["Degraded"][0], seen["Progressing"]) == ("True", "False", ("True", "NodesNotReady"))
    assert seen["ScalingActive"] == ("False", "NodesNotReady")
    late = at(90 + autoscaling.PROVISION_TIMEOUT)
    stuck = decide.decide(grown, observed(990, 1000, count=4, ready=2), coming.memory, late)
    assert conditions(stuck)["Degraded"] == ("True", "NodesNotReady")


def test_a_failed_scaling_is_reported_and_retried_after_its_pause() -> None:
    """It does not count as a change."""
    now, decision = until_scaled(1800, memory=values.Memory())
    memory = decide.failed(decision, DESIRED, QUOTA, at(now))
    waiting = decide.decide(DESIRED, observed(now + 3, 1800), memory, at(now + 3))
    assert (waiting.action, waiting.failure) == (values.Action.NOTHING, QUOTA)
    assert conditions(waiting)["Degraded"] == ("True", "QuotaExceeded")
    again = decide.decide(DESIRED, observed(now + 15, 1800), waiting.memory, at(now + 15))
    assert again.action is values.Action.SCALE


@pytest.mark.parametrize(
    ("desired", "seen", "reason"),
    [
        ({"is_deleting": True}, {}, "Deleting"),
        ({"paused_until": values.NEVER}, {}, "Paused"),
        ({"problem": failures.make(failures.Code.INVALID, "no")}, {}, "Refused"),
        ({}, {"presence": values.Presence.NEVER}, "NotPresent"),
        ({}, {"presence": values.Presence.MISSING}, "NotPresent"),
        ({}, {"replaced_by": ("size",)}, "Replacing"),
        ({}, {"is_applied": False}, "Updating"),
        ({}, {"drift": (values.Difference("count", "2", "5"),)}, "Drifted"),
        ({}, {"workload": None}, "WorkloadUnread"),
        ({}, {"workload": workload.Workload(nodes=observed(0, 1).workload.nodes)}, "MetricsUnavailable"),  # type: ignore[union-attr]
    ],
)
def test_without_a_basis_it_holds_and_says_why(desired: dict[str, Any], seen: dict[str, Any], reason: str) -> None:
    """The number of nodes stays."""
    asked = dataclasses.replace(DESIRED, **desired)
    decision = decide.decide(asked, dataclasses.replace(observed(0, 1800), **seen), values.Memory(), at(0))
    assert decision.action is not values.Action.SCALE
    assert conditions(decision)["ScalingActive"] == ("False", reason)


def test_new_bounds_are_applied_without_metrics_or_nodes() -> None:
    """Also while the cluster cannot be read."""
    asked = dataclasses.replace(DESIRED, scaling=dataclasses.replace(TARGETS, min_nodes=3))
    unread = failures.make(failures.Code.NETWORK, "no answer")
    seen = observed(0, 0, workload=None, nodes=None, problem=unread)
    decision = decide.decide(asked, seen, values.Memory(), at(0))
    assert (decision.action, decision.scaling and decision.scaling.count) == (values.Action.SCALE, 3)
    assert conditions(decision)["ScalingLimited"] == ("True", "TooFewReplicas")


def test_the_report_has_the_utilization_and_is_not_repeated_for_it() -> None:
    """It changes with each sample."""
    first, second = (decide.decide(DESIRED, observed(0, cpu), values.Memory(), at(0)) for cpu in (1000, 1020))
    made = [reports.report(DESIRED, observed(0, 0), each, reports.Facts("civo"), START) for each in (first, second)]
    assert [each.metadata["utilization"]["cpu"] for each in made] == [50, 51]
    before = status_pb2.ControllerStatus(
        observed_generation=1, conditions=made[0].conditions, metadata=made[0].metadata, updated_at=START
    )
    assert not reports.is_news(made[1], before, START)


def kind_of(platform: str) -> kinds.Kind:
    """Returns the kind of a node pool on a cloud."""
    kind = manifests.kind_of(kinds.Role.NODE_POOL, platform)
    assert kind is not None
    return kind


@pytest.mark.parametrize(
    ("platform", "more", "is_ours"),
    [
        ("civo", {}, True),
        ("civo", {"targetCPUUtilization": 60}, True),
        ("civo", {"enabled": False}, False),
        ("digitalocean", {}, False),
        ("digitalocean", {"targetMemoryUtilization": 60}, True),
        ("digitalocean", {"scaleDownDelay": "5m"}, True),
        ("digitalocean", {"enabled": False, "targetCPUUtilization": 60}, False),
    ],
)
def test_each_pool_has_one_autoscaler(platform: str, more: dict[str, Any], is_ours: bool) -> None:
    """The cloud's, where it has one that knows all that the spec asks for."""
    spec = {"autoscaling": {"enabled": True, "minNodes": 0, "maxNodes": 5} | more}
    targets = scaling.targets(kind_of(platform), spec)
    assert (targets is not None) == is_ours
    if targets is not None:
        assert (targets.min_nodes, targets.max_nodes) == (1, 5)


def test_delays_are_durations() -> None:
    """Unset ones have a default."""
    asked = {"enabled": True, "maxNodes": 5, "scaleUpDelay": "1m30s", "scaleDownDelay": "1h"}
    targets = scaling.targets(kind_of("civo"), {"autoscaling": asked})
    assert targets is not None
    assert (targets.up_delay, targets.down_delay, targets.cpu) == (90, 3600, None)
    targets = scaling.targets(kind_of("civo"), {"autoscaling": {"enabled": True, "maxNodes": 5}})
    assert targets is not None
    assert (targets.up_delay, targets.down_delay) == (autoscaling.DEFAULT_UP_DELAY, autoscaling.DEFAULT_DOWN_DELAY)


@pytest.mark.parametrize("own", ["targetCPUUtilization", "targetMemoryUtilization", "scaleUpDelay", "scaleDownDelay"])
@pytest.mark.parametrize(
    ("kind", "has_own_autoscaler"),
    [("CivoKubernetesNodePool", False), ("DigitalOceanKubernetesNodePool", True), ("GcpGkeNodePool", True)],
)
def test_targets_and_delays_choose_the_autoscaler_of_the_controller(kind: str, has_own_autoscaler: bool, own: str) -> None:
    """With bounds alone, a cloud that has an autoscaler scales the pool."""
    bounds = {"enabled": True, "minNodes": 1, "maxNodes": 5}
    value: Any = "5m" if own.endswith("Delay") else 70
    assert (scaling.targets(kinds.get(kind), {"autoscaling": bounds}) is None) is has_own_autoscaler
    assert scaling.targets(kinds.get(kind), {"autoscaling": bounds | {own: value}}) is not None
    assert scaling.targets(kinds.get(kind), {"autoscaling": {**bounds, own: value, "enabled": False}}) is None
