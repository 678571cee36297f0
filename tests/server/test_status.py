"""Status: the same reports give the same status, and each phase has its reason."""

import itertools
import json

import pytest
from hypothesis import given, strategies

from planton_server.service import status

NOW = "2026-01-01T12:00:00.000000Z"
BEFORE = "2026-01-01T11:00:00.000000Z"
LATER = "2026-01-01T12:30:00.000000Z"
AFTER = "2026-01-01T13:00:00.000000Z"


def condition(kind, value, **more):
    return {"type": kind, "status": value, "lastTransitionTime": BEFORE, "reason": "", "message": ""} | more


def report(controller="a", generation=2, error="", **conditions):
    listed = {kind: condition(kind, value) for kind, value in conditions.items()}
    return status.Report(
        controller, generation, listed, {"error_type": error, "error_code": "CODE", "message": "words"} if error else {}
    )


def row(**changes):
    return {
        "generation": 2,
        "ready_generation": 0,
        "deadline": None,
        "deleted_at": None,
        "replacement": "",
        "conditions": "[]",
    } | changes


UP, DOWN = {"Available": "True"}, {"Available": "False"}


@pytest.mark.parametrize(
    ("changes", "reports", "expected", "phase", "reason", "observed"),
    [
        ({}, [], [], "Pending", "NotObserved", 0),
        ({}, [], ["a"], "Pending", "NotObserved", 0),
        ({}, [report(generation=1, **UP)], [], "Pending", "NotObserved", 1),
        ({}, [report(**DOWN)], [], "Progressing", "ControllersNotReady", 2),
        ({}, [report()], [], "Progressing", "ControllersNotReady", 2),
        ({}, [report(**UP)], [], "Ready", "AllControllersReady", 2),
        ({}, [report(Ready="True")], [], "Ready", "AllControllersReady", 2),
        ({}, [report(Ready="True", **DOWN)], [], "Progressing", "ControllersNotReady", 2),
        ({}, [report(Available="Unknown")], [], "Progressing", "ControllersNotReady", 2),
        ({}, [report(**UP)], ["a", "b"], "Progressing", "ControllersNotReady", 0),
        ({}, [report(**UP), report("b", **UP)], ["a", "b"], "Ready", "AllControllersReady", 2),
        ({}, [report(**UP), report("b", generation=1, **UP)], ["a"], "Progressing", "ControllersNotReady", 1),
        ({}, [report(**UP), report("b", Withdrawn="True", **DOWN)], [], "Ready", "AllControllersReady", 2),
        ({}, [report(Withdrawn="True", **UP)], [], "Pending", "NotObserved", 0),
        ({}, [report(Withdrawn="True", **UP)], ["a"], "Pending", "NotObserved", 0),
        ({"ready_generation": 2}, [report(**DOWN)], [], "Degraded", "ControllersNotReady", 2),
        ({"ready_generation": 1}, [report(**DOWN)], [], "Progressing", "ControllersNotReady", 2),
        ({"ready_generation": 2}, [report(**UP)], [], "Ready", "AllControllersReady", 2),
        ({}, [report(error="Fatal", **UP)], [], "Failed", "CODE", 2),
        ({}, [report(error="Configuration")], [], "Failed", "CODE", 2),
        ({"ready_generation": 2}, [report(error="Fatal")], [], "Failed", "CODE", 2),
        ({}, [report(generation=1, error="Fatal")], [], "Pending", "NotObserved", 1),
        ({}, [report(error="Transient", **UP)], [], "Progressing", "ControllersNotReady", 2),
        ({}, [report(error="System", **UP)], [], "Progressing", "ControllersNotReady", 2),
        ({"deadline": BEFORE}, [report(**DOWN)], ["a"], "Failed", "DeadlineExceeded", 2),
        ({"deadline": NOW}, [], ["a"], "Failed", "DeadlineExceeded", 0),
        ({"deadline": AFTER}, [report(**DOWN)], ["a"], "Progressing", "ControllersNotReady", 2),
        ({"deadline": BEFORE}, [report(**UP)], ["a"], "Ready", "AllControllersReady", 2),
        ({"deleted_at": NOW, "deadline": BEFORE}, [report(error="Fatal", **UP)], [], "Deleting", "DeletionRequested", 2),
    ],
)
def test_phase(changes, reports, expected, phase, reason, observed):
    """Each phase, and the newest generation that all controllers have observed."""
    computed = status.compute(row(**changes), reports, expected, now=NOW)
    assert (computed.phase, computed.reason, computed.observed_generation) == (phase, reason, observed)
    assert computed.message


def test_ready_is_remembered_and_ends_the_deadline():
    """What was ready keeps the generation at which it was, has no deadline any more and nothing to replace."""
    waiting = row(deadline=AFTER, replacement='["spec.x"]', ready_generation=1)
    ready = status.compute(waiting, [report(**UP)], ["a"], now=NOW)
    assert (ready.ready_generation, ready.deadline, ready.replacement) == (2, None, "")
    assert "ReplacementRequired" not in ready.conditions
    progressing = status.compute(waiting, [report(**DOWN)], ["a"], now=NOW)
    assert (progressing.ready_generation, progressing.deadline, progressing.replacement) == (1, AFTER, '["spec.x"]')
    assert "ReplacementRequired" in progressing.conditions


@pytest.mark.parametrize(
    ("values", "worst"), [(("True", "False"), "False"), (("True", "Unknown"), "Unknown"), (("Unknown", "False"), "False")]
)
def test_worst_condition_is_shown(values, worst):
    """Where controllers disagree the worst is shown, whoever comes first."""
    for order in itertools.permutations(values):
        reports = [report(name, Available=value) for name, value in zip("ab", order, strict=True)]
        (shown,) = json.loads(status.compute(row(), reports, [], now=NOW).conditions)
        assert shown["status"] == worst


def test_message_names_who_is_waited_for():
    """Who has not reported is named before who is not ready."""
    reports = [report("c", **DOWN), report("a", **UP)]
    assert status.compute(row(), reports, ["b", "a"], now=NOW).message == "waiting for b"
    assert status.compute(row(), reports, ["a"], now=NOW).message == "waiting for c"


@pytest.mark.parametrize(
    ("reports", "expected", "held"),
    [
        ([], [], []),
        ([], ["a"], ["a"]),
        ([report(**UP)], [], ["a"]),
        ([report(Deleted="True")], ["a"], []),
        ([report(Withdrawn="True")], [], []),
        ([report(Deleted="False")], [], ["a"]),
        ([report(Deleted="True"), report("b")], ["c"], ["b", "c"]),
    ],
)
def test_holders(reports, expected, held):
    """A resource is held by whoever reported it and has not let go, and by whoever should have."""
    assert status.holders(reports, expected) == held


def test_health_of_every_phase():
    """Each phase means one health."""
    phases = list(itertools.chain.from_iterable(status.PHASES.values()))
    assert sorted(phases) == sorted(["Pending", "Progressing", "Ready", "Degraded", "Failed", "Deleting"])


VALUES = strategies.sampled_from(["True", "False", "Unknown"])
CONDITIONS = strategies.dictionaries(strategies.sampled_from(["Available", "Ready", "Deleted", "Withdrawn", "Other"]), VALUES)
REPORTS = strategies.lists(
    strategies.builds(
        lambda name, generation, error, conditions: report(name, generation, error, **conditions),
        strategies.sampled_from("abcd"),
        strategies.integers(1, 2),
        strategies.sampled_from(["", "Fatal", "Configuration", "Transient", "System"]),
        CONDITIONS,
    ),
    unique_by=lambda reported: reported.controller,
)
ROWS = strategies.builds(
    lambda ready, deadline, deleted, replacement: row(
        ready_generation=ready, deadline=deadline, deleted_at=deleted, replacement=replacement
    ),
    strategies.integers(0, 2),
    strategies.sampled_from([None, BEFORE, AFTER]),
    strategies.sampled_from([None, BEFORE]),
    strategies.sampled_from(["", '["spec.x"]']),
)
NAMES = strategies.sets(strategies.sampled_from("abe"))


@given(ROWS, REPORTS, NAMES)
def test_status_is_settled(pool, reports, expected):
    """Computed again from what it has become, a status stays as it is, at a later time too: nothing flaps."""
    first = status.compute(pool, reports, sorted(expected), now=NOW)
    assert status.compute(pool, reports, sorted(expected, reverse=True), now=NOW) == first
    assert status.compute(pool | first._asdict(), reports, sorted(expected), now=LATER) == first


@given(ROWS, REPORTS, NAMES)
def test_ready_means_what_it_says(pool, reports, expected):
    """Ready: every controller that is expected or has reported observes this generation, has no error and says so."""
    computed = status.compute(pool, reports, sorted(expected), now=NOW)
    counted = {one.controller: one for one in reports if not one.holds("Withdrawn")}
    all_up = bool(counted) and all(one.observed_generation == 2 and one.available for one in counted.values())
    assert (computed.phase == "Ready") == (all_up and expected <= counted.keys() and not pool["deleted_at"])
    assert (computed.phase == "Deleting") == bool(pool["deleted_at"])
    assert 0 <= computed.observed_generation <= 2


@given(CONDITIONS, CONDITIONS, strategies.sampled_from([None, AFTER]))
def test_transition_time_moves_with_the_status(before, after, reported):
    """A condition's time is the one that it had while its status stays, else the reported one, else now."""
    previous = report(**before)
    current = [
        {"type": kind, "status": value} | ({"lastTransitionTime": reported} if reported else {}) for kind, value in after.items()
    ]
    dated = status.transitions(previous, current, now=NOW)
    assert {one["type"]: one["status"] for one in dated} == after
    for one in dated:
        stays = before.get(one["type"]) == one["status"]
        assert one["lastTransitionTime"] == (BEFORE if stays else reported or NOW)


def test_report_is_parsed_as_it_was_stored():
    """A stored report is read back with its error and conditions."""
    stored = {
        "controller_name": "a",
        "observed_generation": 2,
        "conditions": json.dumps([condition("Available", "True")]),
        "last_error": "",
    }
    assert status.parsed(stored) == report(**UP)
    assert status.parsed(stored | {"last_error": '{"error_type":"Fatal"}'}).error == {"error_type": "Fatal"}
