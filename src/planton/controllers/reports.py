"""Reports to the API, and what a controller remembers, which is its last report: no controller keeps anything else."""

from __future__ import annotations

import collections
import dataclasses
import datetime
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format

from org.project_planton.cluster.v1 import status_pb2
from planton.controllers import autoscaling, conditions, failures, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planton.controllers import execute

#: The key of the metadata that the controller reads again. Others only show it.
_MEMORY: Final = "controller"
_UTILIZATION: Final = "utilization"
_SUPERSEDED: Final = "superseded"
#: The metadata that change with time alone. They are news only after some minutes.
_LIVE: Final = ("node_ages", _UTILIZATION)
#: The longest message of an error, in characters. The API's limit is higher.
_LONGEST: Final = 4000
#: A report that is older than this is repeated, so that the ages of nodes are about right.
_OLD: Final = datetime.timedelta(minutes=10)
#: Repairs that are remembered.
_MOST_REPAIRS: Final = 10
_TYPES: Final = {failures.Code.INVALID: "Configuration", failures.Code.INTERNAL: "System"}


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What a report says besides a decision.

    Attributes:
        platform: The cloud.
        region: The region; may be empty.
        step: The current step of an action; None without one.
    """

    platform: str
    region: str = ""
    step: execute.Step | None = None


def name(platform: str) -> str:
    """Returns the name under which the controllers of a cloud report."""
    return f"planton-{platform}"


def report(
    desired: values.Desired,
    observed: values.Observed,
    decision: values.Decision,
    facts: Facts,
    now: datetime.datetime,
) -> status_pb2.StatusReport:
    """Returns the report of a decision."""
    made = status_pb2.StatusReport(
        controller_name=name(facts.platform),
        observed_generation=desired.generation,
        conditions=[
            status_pb2.Condition(type=each.type, status=each.status, reason=each.reason, message=each.message[:_LONGEST])
            for each in _with_step(decision.conditions, facts.step)
        ],
    )
    measured = decision.scaling.measured if decision.scaling is not None else ()
    shown = _shown(desired, observed, facts, now) | ({_UTILIZATION: dict(measured)} if measured else {})
    superseded = _superseded(desired.generation, decision.memory)
    if superseded is not None:
        shown[_SUPERSEDED] = {"reason": "Superseded", "from": superseded[0], "to": superseded[1]}
    metadata = {**shown, _MEMORY: _remembered(decision.memory)}
    json_format.ParseDict(metadata, made.metadata)
    if decision.failure is not None:
        made.last_error.CopyFrom(_error(decision.failure, decision.memory, now))
    return made


def is_news(made: status_pb2.StatusReport, before: status_pb2.ControllerStatus | None, now: datetime.datetime) -> bool:
    """Returns whether a report says something that the last one did not. Ages of nodes are news only after some minutes."""
    if before is None or made.observed_generation != before.observed_generation:
        return True
    is_old = now - before.updated_at.ToDatetime(datetime.UTC) >= _OLD
    return is_old or _essence(made) != _essence(before)


def memory(reported: status_pb2.ControllerStatus | None) -> values.Memory:
    """Returns what a controller has reported last; an empty memory if it has not."""
    if reported is None:
        return values.Memory()
    metadata = json_format.MessageToDict(reported.metadata)
    data = metadata.get(_MEMORY)
    kept = data if isinstance(data, dict) else {}
    listed = tuple(values.Condition(each.type, each.status, each.reason, each.message) for each in reported.conditions)
    try:
        return values.Memory(
            failure=_failure(kept.get("failure")),
            failed_generation=int(kept.get("failedGeneration", 0)),
            failed_deletion=bool(kept.get("failedDeletion")),
            attempt=int(kept.get("attempt", 0)),
            next_try=_time(kept.get("nextTry")),
            repairs=tuple(values.Repair(_parsed(each["time"]), each["what"]) for each in kept.get("repairs", [])),
            conditions=listed,
            probe_failed=_time(kept.get("probeFailed")),
            was_ready=bool(kept.get("wasReady")) and reported.observed_generation > 0,
            revision=int(kept.get("revision") or 1),
            rolling=None if kept.get("rolling") is None else int(kept["rolling"]),
            scaling=_history(kept.get("scaling")),
            observed=reported.observed_generation,
            superseded=_range(metadata.get(_SUPERSEDED)),
        )
    except (KeyError, TypeError, ValueError):
        # Another version has written it. The conditions are the API's own.
        return values.Memory(conditions=listed)


def _superseded(generation: int, kept: values.Memory) -> tuple[int, int] | None:
    if kept.observed and generation - kept.observed > 1:
        return kept.observed + 1, generation - 1
    is_about_this = kept.superseded is not None and kept.superseded[1] == generation - 1
    return kept.superseded if is_about_this else None


def _range(data: Mapping[str, Any] | None) -> tuple[int, int] | None:
    return (int(data["from"]), int(data["to"])) if data else None


def _with_step(listed: Iterable[values.Condition], step: execute.Step | None) -> Iterable[values.Condition]:
    for each in listed:
        is_busy = step is not None and each.status == "True" and each.type in (conditions.PROGRESSING, conditions.DELETING)
        yield dataclasses.replace(each, message=f"{each.message}; {step}") if is_busy else each


def _shown(desired: values.Desired, observed: values.Observed, facts: Facts, now: datetime.datetime) -> dict[str, Any]:
    shown: dict[str, Any] = {"platform": facts.platform, "region": facts.region}
    node_count = desired.nodes if desired.nodes is not None else observed.cloud_nodes
    if node_count is not None:
        shown["desired_nodes"] = node_count
    if observed.nodes is not None:
        shown["active_nodes"] = observed.ready
        oldest = sorted(observed.nodes, key=lambda node: (node.created, node.name))
        shown["node_ages"] = ",".join(_age(now - node.created) for node in oldest)
        shown["node_versions"] = _versions(observed.nodes)
    if facts.step is not None:
        shown["step"] = f"{facts.step.number} of {facts.step.of}"
    return shown


def _versions(nodes: Iterable[values.Node]) -> list[dict[str, Any]]:
    counts: dict[str, collections.Counter[bool]] = {}
    for node in nodes:
        counts.setdefault(node.version, collections.Counter())[node.is_ready] += 1
    return [{"version": each, "ready": counts[each][True], "notReady": counts[each][False]} for each in sorted(counts)]


def _age(age: datetime.timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes}m"
    return f"{minutes}m" if minutes else f"{seconds}s"


def _remembered(kept: values.Memory) -> dict[str, Any]:
    failure = kept.failure
    return {
        "failure": None if failure is None else {**dataclasses.asdict(failure), "message": failure.message[:_LONGEST]},
        "failedGeneration": kept.failed_generation,
        "failedDeletion": kept.failed_deletion,
        "attempt": kept.attempt,
        "nextTry": None if kept.next_try is None else kept.next_try.isoformat(),
        "repairs": [{"time": each.time.isoformat(), "what": each.what} for each in kept.repairs[-_MOST_REPAIRS:]],
        "probeFailed": None if kept.probe_failed is None else kept.probe_failed.isoformat(),
        "wasReady": kept.was_ready,
        "revision": kept.revision,
        "rolling": kept.rolling,
        "scaling": None if kept.scaling is None else dataclasses.asdict(kept.scaling),
    }


def _error(failure: failures.Failure, kept: values.Memory, now: datetime.datetime) -> status_pb2.LastError:
    made = status_pb2.LastError(
        error_type=_TYPES.get(failure.code, "Transient"),
        error_code=str(failure.code),
        message=failure.message[:_LONGEST],
        user_actionable=failure.actor is failures.Actor.USER,
    )
    details: dict[str, Any] = {"action": str(failure.actor), "attempt": kept.attempt}
    if failure.hint:
        details["hint"] = failure.hint
    if kept.next_try is not None and kept.next_try > now:
        details["next_try"] = kept.next_try.isoformat(timespec="seconds")
    json_format.ParseDict(details, made.details)
    return made


def _essence(said: Any) -> tuple[Any, ...]:  # a report or a stored one
    metadata = json_format.MessageToDict(said.metadata)
    for live in _LIVE:
        metadata.pop(live, None)
    listed = sorted((each.type, each.status, each.reason, each.message) for each in said.conditions)
    error = said.last_error if said.HasField("last_error") else None
    return (
        listed,
        metadata,
        None if error is None else (error.error_code, error.message, json_format.MessageToDict(error.details)),
    )


def _failure(data: Mapping[str, Any] | None) -> failures.Failure | None:
    if not data:
        return None
    return failures.Failure(
        failures.Code(data["code"]),
        str(data["message"]),
        failures.Actor(data["actor"]),
        str(data.get("hint") or ""),
        int(data.get("wait") or 0),
    )


def _history(data: Mapping[str, Any] | None) -> autoscaling.History | None:
    if not data:
        return None
    return autoscaling.History(
        began=float(data["began"]),
        changed=float(data["changed"]),
        wants=tuple((float(at), int(want)) for at, want in data["wants"]),
        sampled=None if data["sampled"] is None else float(data["sampled"]),
    )


def _time(text: str | None) -> datetime.datetime | None:
    return None if not text else _parsed(text)


def _parsed(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
