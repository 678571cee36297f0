"""A report says what the guide promises, and is all that a controller remembers."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from google.protobuf import json_format

from org.project_planton.cluster.v1 import status_pb2
from planton.controllers import decide, execute, failures, reports, values

NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DESIRED = values.Desired(generation=2, nodes=3)
QUOTA = failures.make(failures.Code.QUOTA, "The quota of CPUs is 16", hint="ask for more")


def node(name: str, hours: float, *, ready: bool = True, version: str = "v1.30.5") -> values.Node:
    """Returns a node of an age."""
    return values.Node(name, ready, version, NOW - datetime.timedelta(hours=hours))


NODES = (node("a", 2.5), node("b", 0.75), node("c", 30, ready=False, version="v1.31.0"))
OBSERVED = values.Observed(presence=values.Presence.PRESENT, is_applied=True, cloud_nodes=3, nodes=NODES)
FACTS = reports.Facts("civo", "lon1")


def stored(report: status_pb2.StatusReport) -> status_pb2.ControllerStatus:
    """Returns a report as the API stores it."""
    data: dict[str, Any] = json_format.MessageToDict(report)
    return json_format.ParseDict(data, status_pb2.ControllerStatus())


def test_the_metadata_of_the_guide_is_there() -> None:
    """Platform, region, numbers of nodes, their ages, and how many have which version."""
    report = reports.report(DESIRED, OBSERVED, decide.decide(DESIRED, OBSERVED, values.Memory(), NOW), FACTS, NOW)
    metadata = json_format.MessageToDict(report.metadata)
    assert (report.controller_name, report.observed_generation) == ("planton-civo", 2)
    assert (metadata["platform"], metadata["region"]) == ("civo", "lon1")
    assert (metadata["active_nodes"], metadata["desired_nodes"]) == (2, 3)
    assert metadata["node_ages"] == "1d6h,2h30m,45m"
    assert metadata["node_versions"] == [
        {"version": "v1.30.5", "ready": 2, "notReady": 0},
        {"version": "v1.31.0", "ready": 0, "notReady": 1},
    ]


def test_an_error_says_whose_action_it_needs_and_when_it_is_tried_again() -> None:
    """With the cloud's own text and the number of the attempt."""
    nothing = values.Observed(presence=values.Presence.NEVER)
    decision = decide.decide(DESIRED, nothing, values.Memory(), NOW)
    waiting = decide.decide(DESIRED, nothing, decide.failed(decision, DESIRED, QUOTA, NOW), NOW)
    error = reports.report(DESIRED, nothing, waiting, FACTS, NOW).last_error
    assert (error.error_type, error.error_code, error.user_actionable) == ("Transient", "QUOTA_EXCEEDED", True)
    assert error.message == "The quota of CPUs is 16"
    details = json_format.MessageToDict(error.details)
    assert details == {"action": "user", "attempt": 1, "hint": "ask for more", "next_try": "2026-11-30T12:00:15+00:00"}


def test_generations_that_no_run_has_observed_are_superseded() -> None:
    """Fifty changes in a row cost two runs: the report names the others until the next change."""

    def report(generation: int, before: status_pb2.StatusReport | None) -> tuple[status_pb2.StatusReport, Any]:
        desired = values.Desired(generation=generation, nodes=3)
        memory = reports.memory(None if before is None else stored(before))
        made = reports.report(desired, OBSERVED, decide.decide(desired, OBSERVED, memory, NOW), FACTS, NOW)
        return made, json_format.MessageToDict(made.metadata).get("superseded")

    first, superseded = report(1, None)
    assert superseded is None
    last, superseded = report(50, first)
    assert superseded == {"reason": "Superseded", "from": 2, "to": 49}
    again, superseded = report(50, last)
    assert superseded == {"reason": "Superseded", "from": 2, "to": 49}
    _, superseded = report(51, again)
    assert superseded is None


def test_a_step_is_part_of_what_is_in_progress() -> None:
    """As step i of n."""
    nothing = values.Observed(presence=values.Presence.NEVER)
    decision = decide.decide(DESIRED, nothing, values.Memory(), NOW)
    facts = reports.Facts("civo", "lon1", execute.Step(2, 3, "create node_pool"))
    report = reports.report(DESIRED, nothing, decision, facts, NOW)
    [progress] = [each for each in report.conditions if each.type == "Progressing"]
    assert progress.message == "it is being created in the cloud; step 2 of 3: create node_pool"
    assert json_format.MessageToDict(report.metadata)["step"] == "2 of 3"


def test_what_was_reported_is_remembered() -> None:
    """Another process decides the same with it."""
    drifted = values.Observed(
        presence=values.Presence.PRESENT, is_applied=True, nodes=NODES, drift=(values.Difference("count", "3", "5"),)
    )
    decision = decide.decide(DESIRED, drifted, values.Memory(), NOW)
    memory = decide.failed(decision, DESIRED, QUOTA, NOW)
    memory = decide.decide(DESIRED, drifted, decide.succeeded(decision, drifted, NOW), NOW).memory
    memory = decide.failed(decide.decide(DESIRED, drifted, memory, NOW), DESIRED, QUOTA, NOW)
    again = decide.decide(DESIRED, drifted, memory, NOW)
    report = reports.report(DESIRED, drifted, again, FACTS, NOW)
    assert reports.memory(stored(report)) == dataclasses.replace(again.memory, observed=DESIRED.generation)


def test_a_failed_deletion_is_remembered_as_one() -> None:
    """Its pause holds for the next process too."""
    deleting = dataclasses.replace(DESIRED, is_deleting=True)
    there = values.Observed(presence=values.Presence.PRESENT, is_applied=True, nodes=NODES)
    memory = decide.failed(decide.decide(deleting, there, values.Memory(), NOW), deleting, QUOTA, NOW)
    waiting = decide.decide(deleting, there, memory, NOW)
    kept = reports.memory(stored(reports.report(deleting, there, waiting, FACTS, NOW)))
    assert decide.decide(deleting, there, kept, NOW).action is values.Action.NOTHING


def test_a_damaged_memory_is_an_empty_one() -> None:
    """Another release may have written it."""
    kept = status_pb2.ControllerStatus(controller_name="planton-civo", observed_generation=1)
    kept.metadata.update({"controller": {"failure": {"code": "OTHER"}, "attempt": "many"}})
    assert reports.memory(kept) == values.Memory()
    assert reports.memory(None) == values.Memory()


def test_ages_alone_are_no_news_for_ten_minutes() -> None:
    """A look at a resource that is as desired writes nothing, until its ages are too old."""
    before = stored(reports.report(DESIRED, OBSERVED, decide.decide(DESIRED, OBSERVED, values.Memory(), NOW), FACTS, NOW))
    before.updated_at.FromDatetime(NOW)
    memory = reports.memory(before)

    def is_news(observed: values.Observed, minutes: float) -> bool:
        later = NOW + datetime.timedelta(minutes=minutes)
        decision = decide.decide(DESIRED, observed, memory, later)
        return reports.is_news(reports.report(DESIRED, observed, decision, FACTS, later), before, later)

    assert not is_news(OBSERVED, 9)
    assert is_news(OBSERVED, 10)
    assert is_news(values.Observed(presence=values.Presence.PRESENT, is_applied=True, nodes=NODES[:2]), 1)
