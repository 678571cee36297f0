"""Nodes that leave, as transcripts: time is an argument."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from planton.controllers import decide, failures, looks, scheduling, values, workload
from planton.deploy import drain
from support import turnovers

START = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DESIRED = values.Desired(generation=2, nodes=2, turnover=turnovers.TURNOVER)
BLOCKED = "the disruption budget default/db needs 1 healthy pods and has 1: default/db-0"


def at(seconds: float) -> datetime.datetime:
    """Returns a time."""
    return START + datetime.timedelta(seconds=seconds)


def node(name: str, stage: drain.Stage | None = None, **more: object) -> values.Node:
    """Returns a node that has been ready for a day; one with a stage is being drained."""
    fields: dict[str, object] = {"name": name, "is_ready": True, "version": "v1.30.5", "created": at(-86400), "since": at(-86400)}
    if stage is not None:
        step = drain.Step(stage=stage, message=BLOCKED, again=datetime.timedelta(seconds=5))
        fields |= {"is_cordoned": True, "draining_since": START, "drain": step}
    return values.Node(**fields | more)  # type: ignore[arg-type]


def pool(*nodes: values.Node, **more: object) -> values.Observed:
    """Returns an applied pool with nodes."""
    names = frozenset(each.name for each in nodes)
    fields: dict[str, object] = {"is_applied": True, "cloud_nodes": len(nodes), "nodes": nodes, "members": names}
    return values.Observed(presence=values.Presence.PRESENT, **fields | more)  # type: ignore[arg-type]


def decided(
    observed: values.Observed, *, seconds: float = 0, memory: values.Memory | None = None, **more: object
) -> values.Decision:
    """Returns the decision about a pool."""
    desired = dataclasses.replace(DESIRED, **more)  # type: ignore[arg-type]
    return decide.decide(desired, observed, memory or values.Memory(), at(seconds))


def condition(decision: values.Decision, type_: str) -> values.Condition:
    """Returns a condition of a decision."""
    return next(each for each in decision.conditions if each.type == type_)


def busy(name: str, cpu: int) -> scheduling.Node:
    """Returns a node with a pod that requests so many millicores."""
    request = scheduling.Resources(cpu=cpu, pods=1)
    pods = (scheduling.Pod(name=f"default/{name}", requests=request),) if cpu else ()
    return scheduling.Node(name=name, created=0, allocatable=scheduling.Resources(cpu=1000, pods=10), pods=pods)


FEWER = {"is_applied": False, "changed": ("nodeCount",)}


def test_the_emptiest_node_is_drained_then_removed_by_its_name() -> None:
    """The count falls with it, in one action."""
    running = workload.Workload(nodes=(busy("a", 500), busy("b", 100), busy("c", 900)))
    first = decided(pool(node("a"), node("b"), node("c"), workload=running, **FEWER))
    assert (first.action, first.nodes) == (values.Action.DRAIN, ("b",))
    drain_decision = decided(pool(node("a"), node("b", drain.Stage.PODS), node("c"), workload=running, **FEWER), seconds=3)
    assert (drain_decision.action, drain_decision.nodes, drain_decision.next_look) == (
        values.Action.DRAIN,
        ("b",),
        datetime.timedelta(seconds=5),
    )
    assert f"{BLOCKED}, since 2026-11-30T12:00:00Z" in condition(drain_decision, "Progressing").message
    last = decided(pool(node("a"), node("b", drain.Stage.DONE), node("c"), workload=running, **FEWER), seconds=9)
    assert (last.action, last.nodes, last.count) == (values.Action.UPDATE, ("b",), None)


def test_a_node_whose_drain_began_stays_the_one_that_leaves() -> None:
    """Also if another one is emptier meanwhile: no node is cordoned and uncordoned in turns."""
    running = workload.Workload(nodes=(busy("a", 500), busy("b", 100), busy("c", 0)))
    assert decided(pool(node("a", drain.Stage.PODS), node("b"), node("c"), workload=running, **FEWER)).nodes == ("a",)


def test_a_machine_that_never_joined_needs_no_drain() -> None:
    """The cloud removes it."""
    fewer = decided(pool(node("a"), node("b"), cloud_nodes=3, **FEWER))
    assert (fewer.action, fewer.nodes) == (values.Action.UPDATE, ())


def test_a_drain_that_times_out_stops_the_removal() -> None:
    """The message names the budget."""
    late = decided(pool(node("a"), node("b"), node("c", drain.Stage.TIMED_OUT), **FEWER), seconds=601)
    assert late.action is values.Action.NOTHING
    assert (condition(late, "Degraded").reason, BLOCKED in condition(late, "Degraded").message) == ("DrainTimedOut", True)


def test_a_closed_cluster_delays_a_removal_for_as_long_as_a_drain_may_last() -> None:
    """Then the cloud chooses."""
    closed = failures.make(failures.Code.NETWORK, "closed")
    unread = pool(cloud_nodes=3, problem=closed, **FEWER | {"nodes": None})
    first = decided(unread)
    assert (first.action, first.failure) == (values.Action.NOTHING, closed)
    assert decided(unread, seconds=599, memory=first.memory).action is values.Action.NOTHING
    assert decided(unread, seconds=600, memory=first.memory).action is values.Action.UPDATE


def test_drift_is_repaired_after_a_drain_too() -> None:
    """Someone added a node."""
    count = values.Difference("count", "2", "3")
    nodes = (node("a"), node("b"), node("c"))
    assert decided(pool(*nodes, drift=(count,))).action is values.Action.DRAIN
    drained = (node("a"), node("b"), node("c", drain.Stage.DONE))
    repaired = decided(pool(*drained, drift=(count,)))
    assert (repaired.action, repaired.nodes) == (values.Action.REPAIR, ("c",))


def test_a_drain_that_nothing_needs_ends() -> None:
    """The lower number was taken back."""
    back = decided(pool(node("a", drain.Stage.PODS), node("b")))
    assert (back.action, back.nodes) == (values.Action.UNCORDON, ("a",))


SICK = dataclasses.replace(turnovers.TURNOVER, unhealthy_after=datetime.timedelta(minutes=5))


def failed(name: str, since: float, stage: drain.Stage | None = None) -> values.Node:
    """Returns a node that is not ready since a time."""
    return node(name, stage, is_ready=False, since=at(since))


def test_an_unhealthy_node_is_drained_then_replaced() -> None:
    """Not earlier than after its time, and also if its drain timed out: its pods serve nothing."""
    early = decided(pool(node("a"), failed("b", 0), node("c")), seconds=299, turnover=SICK, nodes=3)
    assert early.action is values.Action.NOTHING
    begun = decided(pool(node("a"), failed("b", 0), node("c")), seconds=300, turnover=SICK, nodes=3)
    assert (begun.action, begun.nodes) == (values.Action.DRAIN, ("b",))
    for stage in (drain.Stage.DONE, drain.Stage.TIMED_OUT):
        over = decided(pool(node("a"), failed("b", 0, stage), node("c")), seconds=900, turnover=SICK, nodes=3)
        assert (over.action, over.nodes) == (values.Action.REPLACE, ("b",))


def test_unhealthy_nodes_are_replaced_one_at_a_time() -> None:
    """The next one after the new node is ready."""
    nodes = [node("a"), node("b"), node("c"), failed("d", 0), failed("e", -60)]
    assert decided(pool(*nodes), seconds=600, turnover=SICK, nodes=5).nodes == ("e",)
    coming = [node("a"), node("b"), node("c"), failed("d", 0), failed("new", 590)]
    assert decided(pool(*coming), seconds=600, turnover=SICK, nodes=5).action is values.Action.NOTHING
    missing = decided(pool(*coming[:4], cloud_nodes=5), seconds=600, turnover=SICK, nodes=5)
    assert (missing.action, condition(missing, "Progressing").reason) == (values.Action.NOTHING, "WaitingForNodes")


def test_many_unhealthy_nodes_are_not_replaced() -> None:
    """Their network may be down, or the API server does not hear them."""
    many = decided(pool(node("a"), failed("b", 0), failed("c", 0)), seconds=600, turnover=SICK, nodes=3)
    assert (many.action, condition(many, "Degraded").reason) == (values.Action.NOTHING, "TooManyUnhealthy")


def test_a_closed_cluster_replaces_nothing() -> None:
    """What cannot be read is not unhealthy."""
    closed = failures.make(failures.Code.NETWORK, "closed")
    unread = pool(cloud_nodes=3, problem=closed, nodes=None)
    for seconds in (0, 600, 86400):
        assert decided(unread, seconds=seconds, turnover=SICK, nodes=3).action is values.Action.NOTHING


def test_a_deletion_names_its_steps() -> None:
    """Draining, volumes, infrastructure, done; and what blocks, since when."""
    first = decided(pool(node("a"), node("b")), is_deleting=True)
    assert (first.action, first.nodes) == (values.Action.DRAIN, ("a", "b"))
    assert condition(first, "Deleting").message.startswith("step 1 of 3: draining")
    blocked = decided(pool(node("a", drain.Stage.PODS), node("b", drain.Stage.DONE)), is_deleting=True, seconds=5)
    assert f"{BLOCKED}, since 2026-11-30T12:00:00Z" in condition(blocked, "Deleting").message
    volumes = decided(pool(node("a", drain.Stage.VOLUMES), node("b", drain.Stage.DONE)), is_deleting=True, seconds=9)
    assert condition(volumes, "Deleting").reason == "WaitingForVolumeDetach"
    rest = decided(pool(node("a", drain.Stage.TIMED_OUT), node("b", drain.Stage.DONE)), is_deleting=True, seconds=601)
    assert (rest.action, condition(rest, "Deleting").reason) == (values.Action.DELETE, "DeletingInfrastructure")
    assert decided(values.Observed(presence=values.Presence.NEVER), is_deleting=True).action is values.Action.RELEASE


def test_no_cluster_holds_a_deletion_for_ever() -> None:
    """One that does not answer delays it by a minute, one that refuses drains by three attempts."""
    closed = failures.make(failures.Code.NETWORK, "closed")
    unread = pool(cloud_nodes=2, problem=closed, nodes=None)
    first = decided(unread, is_deleting=True)
    assert (first.action, condition(first, "Deleting").reason) == (values.Action.NOTHING, "WaitingForKubernetes")
    over = decided(unread, is_deleting=True, seconds=looks.PATIENCE.total_seconds(), memory=first.memory)
    assert over.action is values.Action.DELETE
    memory, actions = values.Memory(), []
    for number in range(4):
        decision = decided(pool(node("a")), is_deleting=True, seconds=number * 3600, memory=memory)
        actions.append(decision.action)
        memory = decide.failed(decision, dataclasses.replace(DESIRED, is_deleting=True), closed, at(number * 3600))
    assert actions == [values.Action.DRAIN] * 3 + [values.Action.DELETE]


def test_failed_changes_before_a_deletion_spare_no_node_its_drain() -> None:
    """Only failures of the deletion itself count."""
    failure = failures.make(failures.Code.CLOUD, "500")
    memory = values.Memory(failure=failure, failed_generation=DESIRED.generation, attempt=7, next_try=at(60))
    decision = decided(pool(node("a")), is_deleting=True, memory=memory)
    assert (decision.action, decision.nodes) == (values.Action.DRAIN, ("a",))


def test_nodes_of_a_deleted_cluster_are_not_drained() -> None:
    """They go with it."""
    assert decided(pool(node("a")), is_deleting=True, turnover=None).action is values.Action.DELETE


@pytest.mark.parametrize("turnover", [None, turnovers.TURNOVER])
def test_more_nodes_need_no_drain(turnover: values.Turnover | None) -> None:
    """Only fewer do."""
    more = decided(pool(node("a"), **FEWER), turnover=turnover)
    assert (more.action, more.nodes) == (values.Action.UPDATE, ())
