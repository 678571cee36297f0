"""What a controller decides, as transcripts: time is an argument, and each step follows from what came before."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from planton.controllers import decide, failures, looks, values

START = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DESIRED = values.Desired(generation=1, nodes=2)
COUNT = values.Difference("count", "2", "5")


def at(seconds: float) -> datetime.datetime:
    """Returns a time."""
    return START + datetime.timedelta(seconds=seconds)


def nodes(ready: int, waiting: int = 0) -> tuple[values.Node, ...]:
    """Returns nodes of which some are ready."""
    return tuple(values.Node(f"n{i}", i < ready, "v1.30.5", START) for i in range(ready + waiting))


def present(ready: int = 2, waiting: int = 0, **more: object) -> values.Observed:
    """Returns an applied resource with nodes."""
    fields: dict[str, object] = {"is_applied": True, "cloud_nodes": ready + waiting, "nodes": nodes(ready, waiting)} | more
    return values.Observed(presence=values.Presence.PRESENT, **fields)  # type: ignore[arg-type]


def conditions(decision: values.Decision) -> dict[str, tuple[str, str]]:
    """Returns type → status and reason of the conditions of a decision."""
    return {each.type: (each.status, each.reason) for each in decision.conditions}


NOTHING_THERE = values.Observed(presence=values.Presence.NEVER)
UNREACHABLE = failures.make(failures.Code.NETWORK, "the cloud did not answer")
QUOTA = failures.make(failures.Code.QUOTA, "The quota of CPUs is 16 and this would need 24")


def test_a_pool_is_created_comes_up_and_is_left_alone() -> None:
    """Each step says what happens, and the last one does nothing."""
    created = decide.decide(DESIRED, NOTHING_THERE, values.Memory(), at(0))
    assert created.action is values.Action.CREATE
    assert conditions(created)["Progressing"] == ("True", "Creating")
    assert conditions(created)["Available"] == ("False", "NotCreated")
    memory = decide.succeeded(created, NOTHING_THERE, at(60))
    coming = decide.decide(DESIRED, present(1, 1), memory, at(61))
    assert (coming.action, coming.next_look) == (values.Action.NOTHING, looks.BUSY)
    assert next(each.message for each in coming.conditions if each.type == "Available") == "1 of 2 nodes are ready"
    assert conditions(coming)["Ready"][0] == "False"
    done = decide.decide(DESIRED, present(), coming.memory, at(64))
    assert (done.action, done.next_look, done.failure) == (values.Action.NOTHING, looks.STEADY, None)
    assert {kind: status for kind, (status, _) in conditions(done).items()} == {
        "Accepted": "True",
        "Progressing": "False",
        "Available": "True",
        "Ready": "True",
        "Degraded": "False",
        "Paused": "False",
        "Deleting": "False",
    }


def test_a_failed_creation_is_retried_with_growing_pauses_and_its_error_stays() -> None:
    """The error is reported until something succeeds, and no attempt comes before its time."""
    memory, waits, now = values.Memory(), [], at(0)
    for _ in range(4):
        decision = decide.decide(DESIRED, NOTHING_THERE, memory, now)
        assert decision.action is values.Action.CREATE
        memory = decide.failed(decision, DESIRED, QUOTA, now)
        waiting = decide.decide(DESIRED, NOTHING_THERE, memory, now)
        assert (waiting.action, waiting.failure) == (values.Action.NOTHING, QUOTA)
        assert conditions(waiting)["Degraded"] == ("True", "QuotaExceeded")
        assert waiting.next_look is not None
        waits.append(waiting.next_look.total_seconds())
        memory, now = waiting.memory, now + waiting.next_look
    assert waits == [15, 30, 60, 120]
    again = decide.decide(DESIRED, NOTHING_THERE, memory, now)
    assert again.failure == QUOTA
    memory = decide.succeeded(again, NOTHING_THERE, now)
    assert decide.decide(DESIRED, present(), memory, now).failure is None


def test_another_generation_is_tried_at_once() -> None:
    """The pause after a failure belongs to the state that failed."""
    decision = decide.decide(DESIRED, NOTHING_THERE, values.Memory(), at(0))
    memory = decide.failed(decision, DESIRED, QUOTA, at(0))
    changed = dataclasses.replace(DESIRED, generation=2, nodes=1)
    assert decide.decide(changed, NOTHING_THERE, memory, at(1)).action is values.Action.CREATE


def test_a_failed_probe_flaps_no_condition() -> None:
    """For a minute the conditions stay; then what depends on the probe is unknown; nothing is changed in between."""
    steady = decide.decide(DESIRED, present(), values.Memory(), at(0))
    lost = values.Observed(presence=values.Presence.UNKNOWN, problem=UNREACHABLE)
    memory = steady.memory
    for seconds in (60, 90, 119):
        decision = decide.decide(DESIRED, lost, memory, at(seconds))
        assert (decision.action, decision.failure) == (values.Action.NOTHING, UNREACHABLE)
        assert decision.conditions == steady.conditions
        memory = decision.memory
    decision = decide.decide(DESIRED, lost, memory, at(121))
    assert conditions(decision)["Available"] == ("Unknown", "ProbeFailed")
    back = decide.decide(DESIRED, present(), decision.memory, at(130))
    assert conditions(back)["Ready"][0] == "True"
    assert back.failure is None


@pytest.mark.parametrize("presence", [values.Presence.UNKNOWN, values.Presence.NEVER])
@pytest.mark.parametrize("hours", [0, 1, 24])
def test_a_rotated_credential_is_used_within_a_minute(presence: values.Presence, hours: int) -> None:
    """However long the revoked one has failed: of reads, and of changes. Each look uses the credential of its time."""
    refused = failures.make(failures.Code.AUTHENTICATION, "401 Unauthorized")
    probed = values.Observed(presence=presence, problem=refused if presence is values.Presence.UNKNOWN else None)
    memory, now, rotated = values.Memory(), at(0), at(hours * 3600 + 0.5)
    while now < rotated:
        decision = decide.decide(DESIRED, probed, memory, now)
        is_tried = decision.action is values.Action.CREATE
        memory = decide.failed(decision, DESIRED, refused, now) if is_tried else decision.memory
        now += datetime.timedelta() if is_tried else decision.next_look or looks.STEADY
    while (decision := decide.decide(DESIRED, NOTHING_THERE, memory, now)).action is not values.Action.CREATE:
        memory, now = decision.memory, now + (decision.next_look or looks.STEADY)
    assert now - rotated <= datetime.timedelta(minutes=1)


def test_a_probe_that_somebody_must_repair_is_degradation_after_a_minute() -> None:
    """A new resource has no conditions that could flap, so it says so at once."""
    refused = failures.make(failures.Code.AUTHENTICATION, "401 Unauthorized")
    lost = values.Observed(presence=values.Presence.UNKNOWN, problem=refused)
    assert conditions(decide.decide(DESIRED, lost, values.Memory(), at(0)))["Degraded"] == ("True", "AuthenticationFailed")
    steady = decide.decide(DESIRED, present(), values.Memory(), at(0))
    first = decide.decide(DESIRED, lost, steady.memory, at(60))
    assert first.conditions == steady.conditions
    later = decide.decide(DESIRED, lost, first.memory, at(121))
    assert conditions(later)["Degraded"] == ("True", "AuthenticationFailed")
    back = decide.decide(DESIRED, present(), later.memory, at(130))
    assert conditions(back)["Degraded"][0] == "False"


def test_nodes_that_stop_being_ready_are_degradation_and_new_ones_are_not() -> None:
    """The same number of ready nodes means something else after a change."""
    ready = decide.decide(DESIRED, present(), values.Memory(), at(0))
    assert conditions(decide.decide(DESIRED, present(1, 1), ready.memory, at(5)))["Degraded"][0] == "True"
    more = dataclasses.replace(DESIRED, generation=2, nodes=3)
    update = decide.decide(more, present(is_applied=False, changed=("nodeCount",)), ready.memory, at(5))
    assert (update.action, update.why) == (values.Action.UPDATE, "nodeCount is being changed")
    memory = decide.succeeded(update, present(), at(9))
    assert conditions(decide.decide(more, present(2, 1), memory, at(10)))["Degraded"][0] == "False"


@pytest.mark.parametrize("recreates", [True, False])
def test_what_the_cloud_lost_is_recreated_only_if_the_spec_says_so(*, recreates: bool) -> None:
    """Otherwise it is reported, with what the user can do."""
    desired = dataclasses.replace(DESIRED, recreates=recreates)
    missing = values.Observed(presence=values.Presence.MISSING, is_applied=True)
    decision = decide.decide(desired, missing, values.Memory(), at(0))
    assert decision.action is (values.Action.RECREATE if recreates else values.Action.NOTHING)
    assert conditions(decision)["Degraded"] == (("False", "AsExpected") if recreates else ("True", "Missing"))


def test_drift_is_repaired_and_a_third_identical_repair_is_not_made() -> None:
    """Somebody changes it again and again; an hour later it is tried again."""
    memory = values.Memory()
    for seconds in (0, 100):
        decision = decide.decide(DESIRED, present(5, drift=(COUNT,)), memory, at(seconds))
        assert decision.action is values.Action.REPAIR
        assert decision.why == "count is 5, was applied as 2"
        memory = decide.succeeded(decision, present(5, drift=(COUNT,)), at(seconds))
    stopped = decide.decide(DESIRED, present(5, drift=(COUNT,)), memory, at(200))
    assert stopped.action is values.Action.NOTHING
    assert conditions(stopped)["Degraded"] == ("True", "RepairsStopped")
    other = values.Difference("labels", "{}", "{'a': 'b'}")
    assert decide.decide(DESIRED, present(5, drift=(other,)), memory, at(200)).action is values.Action.REPAIR
    assert decide.decide(DESIRED, present(5, drift=(COUNT,)), memory, at(3800)).action is values.Action.REPAIR


def test_drift_is_only_reported_where_the_policy_says_so() -> None:
    """The values are in the condition."""
    desired = dataclasses.replace(DESIRED, repairs_drift=False)
    decision = decide.decide(desired, present(5, drift=(COUNT,)), values.Memory(), at(0))
    assert decision.action is values.Action.NOTHING
    assert "count is 5, was applied as 2" in next(each.message for each in decision.conditions if each.type == "Degraded")


def test_another_machine_size_is_reported_and_changes_nothing() -> None:
    """A replacement is never made in silence."""
    observed = present(is_applied=False, changed=("size",), replaced_by=("size",))
    decision = decide.decide(DESIRED, observed, values.Memory(), at(0))
    assert decision.action is values.Action.NOTHING
    assert conditions(decision)["Degraded"] == ("True", "ReplacementRequired")
    assert conditions(decision)["Available"][0] == "True"


@pytest.mark.parametrize("until", [at(30), values.NEVER])
def test_a_paused_resource_is_not_changed_and_its_status_stays_true(until: datetime.datetime) -> None:
    """The pause ends by itself, and is looked at then."""
    desired = dataclasses.replace(DESIRED, nodes=3, paused_until=until)
    observed = present(is_applied=False, changed=("nodeCount",))
    decision = decide.decide(desired, observed, values.Memory(), at(0))
    assert decision.action is values.Action.NOTHING
    assert conditions(decision)["Paused"] == ("True", "PausedByUser")
    assert conditions(decision)["Available"] == ("False", "NodesNotReady")
    assert decision.next_look == min(until - at(0), looks.STEADY)
    deleting = dataclasses.replace(desired, is_deleting=True)
    assert decide.decide(deleting, observed, values.Memory(), at(1)).action is values.Action.DELETE
    if until != values.NEVER:
        assert decide.decide(desired, observed, decision.memory, until).action is values.Action.UPDATE


def test_a_deletion_ends_when_nothing_is_left() -> None:
    """Already gone is done, and an error of a deletion is retried."""
    deleting = dataclasses.replace(DESIRED, is_deleting=True)
    decision = decide.decide(deleting, present(), values.Memory(), at(0))
    assert decision.action is values.Action.DELETE
    assert conditions(decision)["Deleting"] == ("True", "DeletingInfrastructure")
    memory = decide.failed(decision, deleting, UNREACHABLE, at(0))
    assert decide.decide(deleting, present(), memory, at(1)).action is values.Action.NOTHING
    assert decide.decide(deleting, present(), memory, at(2)).action is values.Action.DELETE
    gone = decide.decide(deleting, NOTHING_THERE, memory, at(3))
    assert gone.action is values.Action.RELEASE
    assert conditions(gone) == {"Deleted": ("True", "NothingLeft")}


def test_a_deletion_does_not_wait_for_the_next_attempt_of_a_refused_change() -> None:
    """It has the generation of the spec that was refused, and is another desired state."""
    changed = present(is_applied=False, changed=("size",))
    refused = failures.make(failures.Code.INVALID, "size 'none' is not offered")
    memory = decide.failed(decide.decide(DESIRED, changed, values.Memory(), at(0)), DESIRED, refused, at(0))
    assert decide.decide(DESIRED, changed, memory, at(1)).action is values.Action.NOTHING
    deleting = dataclasses.replace(DESIRED, is_deleting=True)
    decision = decide.decide(deleting, present(), memory, at(1))
    assert (decision.action, decision.failure) == (values.Action.DELETE, refused)
    again = decide.failed(decision, deleting, refused, at(1))
    assert decide.decide(deleting, present(), again, at(2)).action is values.Action.NOTHING


def test_what_the_cloud_reports_is_in_the_status_while_it_lasts() -> None:
    """The nodes may serve meanwhile. Nothing is changed for it."""
    short = failures.make(failures.Code.CAPACITY, "GCE_STOCKOUT: no machines")
    decision = decide.decide(DESIRED, present(trouble=short), values.Memory(), at(0))
    assert (decision.action, decision.failure, decision.next_look) == (values.Action.NOTHING, short, looks.BUSY)
    assert conditions(decision)["Degraded"] == ("True", "CapacityExhausted")
    assert conditions(decision)["Available"][0] == "True"
    after = decide.decide(DESIRED, present(), decision.memory, at(3))
    assert (after.failure, conditions(after)["Degraded"][0]) == (None, "False")


def test_an_invalid_spec_is_refused_with_its_reason() -> None:
    """Nothing is tried, and what runs is still reported."""
    problem = failures.make(failures.Code.INVALID, "spec.nodeCount: must be greater than 0")
    decision = decide.decide(dataclasses.replace(DESIRED, problem=problem), present(), values.Memory(), at(0))
    assert (decision.action, decision.failure) == (values.Action.NOTHING, problem)
    assert conditions(decision)["Accepted"] == ("False", "InvalidSpec")
    assert conditions(decision)["Available"][0] == "True"


def test_a_pool_waits_for_its_cluster() -> None:
    """It says for which, and looks again soon."""
    desired = dataclasses.replace(DESIRED, waits_for="cluster production is BUILDING")
    decision = decide.decide(desired, NOTHING_THERE, values.Memory(), at(0))
    assert (decision.action, decision.next_look) == (values.Action.NOTHING, looks.BUSY)
    assert conditions(decision)["Progressing"] == ("True", "WaitingForDependency")


def test_a_deleted_cluster_waits_for_its_node_pools() -> None:
    """Nothing of it is deleted before them, and it is not released."""
    unknown = values.Observed(presence=values.Presence.UNKNOWN)
    deleted = values.Desired(generation=1, is_deleting=True, waits_for="its node pools are deleted first: workers")
    waiting = decide.decide(deleted, unknown, values.Memory(), at(0))
    assert (waiting.action, waiting.next_look) == (values.Action.NOTHING, looks.BUSY)
    assert conditions(waiting)["Progressing"] == ("True", "WaitingForDependants")
    goes = decide.decide(dataclasses.replace(deleted, waits_for=""), present(), waiting.memory, at(3))
    assert goes.action is values.Action.DELETE


def test_a_pause_that_a_wrong_clock_has_set_holds_nobody_up() -> None:
    """A process whose clock is an hour ahead has failed; the next process tries at once, and keeps pauses that are possible."""
    created = decide.decide(DESIRED, NOTHING_THERE, values.Memory(), at(3600))
    ahead = decide.failed(created, DESIRED, QUOTA, at(3600))
    assert decide.decide(DESIRED, NOTHING_THERE, ahead, at(1)).action is values.Action.CREATE
    right = decide.failed(created, DESIRED, QUOTA, at(0))
    assert decide.decide(DESIRED, NOTHING_THERE, right, at(1)).action is values.Action.NOTHING


@pytest.mark.parametrize(
    ("desired", "observed", "cause"),
    [
        (DESIRED, NOTHING_THERE, "SpecChange"),
        (DESIRED, present(is_applied=False, changed=("labels",)), "SpecChange"),
        (DESIRED, present(5, drift=(COUNT,)), "DriftRepair"),
        (dataclasses.replace(DESIRED, recreates=True), values.Observed(presence=values.Presence.MISSING), "DriftRepair"),
        (dataclasses.replace(DESIRED, is_deleting=True), present(), "Deletion"),
    ],
)
def test_an_action_has_its_cause(desired: values.Desired, observed: values.Observed, cause: str) -> None:
    """The audit shows it."""
    decision = decide.decide(desired, observed, values.Memory(), at(0))
    assert decision.action is not values.Action.NOTHING
    assert decision.cause == cause
