"""Status: what all controllers together see of a resource. Pure; the same reports at the same time give the same status.

Computed in the transaction that writes a report or a spec, so that a read needs to compute nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Health → the phases that mean it.
PHASES: Final = {
    "healthy": ("Ready",),
    "unhealthy": ("Degraded", "Failed"),
    "unknown": ("Pending", "Progressing", "Deleting"),
}
_PERMANENT: Final = frozenset({"Fatal", "Configuration"})
#: Reason and message of what passed its deadline.
LATE: Final = ("DeadlineExceeded", "it was not ready in time")
#: The status that decides where controllers disagree about a condition.
_WORST: Final = ("False", "Unknown", "True")


class Report(NamedTuple):
    """What one controller reported last.

    Attributes:
        controller: Its name.
        observed_generation: What the report is about.
        conditions: Type → condition, in the form of the API.
        error: ``error_type``, ``message`` and so on; empty where nothing is wrong.
    """

    controller: str
    observed_generation: int
    conditions: Mapping[str, Mapping[str, str]]
    error: Mapping[str, Any]

    def holds(self, condition: str) -> bool:
        """Returns whether a condition is reported as true."""
        return self.conditions.get(condition, {}).get("status") == "True"

    @property
    def available(self) -> bool:
        """Returns whether ``Available`` is true, or ``Ready`` where that is not reported, and nothing is wrong."""
        return self.holds("Available" if "Available" in self.conditions else "Ready") and not self.error


class Status(NamedTuple):
    """What is stored of a status, by the names of its columns."""

    phase: str
    reason: str
    message: str
    observed_generation: int
    conditions: str
    replacement: str
    ready_generation: int
    deadline: str | None


def parsed(row: Mapping[str, Any]) -> Report:
    """Returns a stored report."""
    conditions = {condition["type"]: condition for condition in json.loads(row["conditions"])}
    return Report(row["controller_name"], row["observed_generation"], conditions, json.loads(row["last_error"] or "{}"))


def holders(reports: Iterable[Report], expected: Iterable[str]) -> list[str]:
    """Returns the controllers that must let go of a resource before it can go.

    Those that have reported it and neither deleted nor withdrawn from it, and those that are expected to have taken it up.
    """
    known = {report.controller: report for report in reports}
    held = [name for name, report in known.items() if not report.holds("Deleted") and not report.holds("Withdrawn")]
    return sorted({*held, *(name for name in expected if name not in known)})


def compute(row: Mapping[str, Any], reports: Sequence[Report], expected: Sequence[str], *, now: str) -> Status:
    """Returns the status of a resource.

    Args:
        row: The resource: ``generation``, ``ready_generation``, ``deadline``, ``deleted_at``, ``replacement`` and the status that it had.
        reports: What each controller reported last.
        expected: The names of the controllers that must report.
        now: RFC 3339; deadlines before it have passed.
    """
    generation = row["generation"]
    counted = [report for report in reports if not report.holds("Withdrawn")]
    current = {report.controller: report for report in counted if report.observed_generation == generation}
    awaited = {*expected, *(report.controller for report in counted)}
    phase, reason, message = _phase(row, current, awaited, now)
    ready = phase == "Ready"
    replacement = "" if ready else row["replacement"]
    observed = {report.controller: report.observed_generation for report in counted}
    return Status(
        phase,
        reason,
        message,
        min((observed.get(name, 0) for name in awaited), default=0),
        json.dumps(_conditions(counted, replacement, json.loads(row["conditions"]), now), separators=(",", ":")),
        replacement,
        generation if ready else row["ready_generation"],
        None if ready else row["deadline"],
    )


def transitions(previous: Report | None, conditions: Iterable[Mapping[str, str]], *, now: str) -> list[dict[str, str]]:
    """Returns a controller's conditions with the times of their last transitions.

    The time moves only when the status changes: to the reported one, or to now where none is reported.
    """
    known = previous.conditions if previous else {}
    return [_transition(known.get(condition["type"]), condition, now) for condition in conditions]


def _transition(before: Mapping[str, str] | None, condition: Mapping[str, str], now: str) -> dict[str, str]:
    if before is not None and before["status"] == condition["status"]:
        time = before["lastTransitionTime"]
    else:
        time = condition.get("lastTransitionTime") or now
    return {
        "type": condition["type"],
        "status": condition["status"],
        "lastTransitionTime": time,
        "reason": condition.get("reason", ""),
        "message": condition.get("message", ""),
    }


def _phase(row: Mapping[str, Any], current: Mapping[str, Report], awaited: set[str], now: str) -> tuple[str, str, str]:
    if row["deleted_at"]:
        return "Deleting", "DeletionRequested", "waiting for the controllers that hold it"
    for report in current.values():
        if report.error.get("error_type") in _PERMANENT:
            return "Failed", report.error.get("error_code") or "PermanentError", report.error.get("message", "")
    missing = sorted(name for name in awaited if name not in current)
    unready = sorted(name for name, report in current.items() if not report.available)
    if current and not missing and not unready:
        return "Ready", "AllControllersReady", "all controllers report it as available"
    if row["deadline"] and row["deadline"] <= now:
        return "Failed", *LATE
    if not current:
        return "Pending", "NotObserved", f"no controller has observed generation {row['generation']}"
    was_ready = row["ready_generation"] == row["generation"]
    return "Degraded" if was_ready else "Progressing", "ControllersNotReady", f"waiting for {', '.join(missing or unready)}"


def _conditions(reports: Sequence[Report], replacement: str, before: list[dict[str, str]], now: str) -> list[dict[str, str]]:
    """Returns one condition of each type, the worst where controllers disagree, and the one about a replacement."""
    found: dict[str, Mapping[str, str]] = {}
    for report in reports:
        for kind, condition in report.conditions.items():
            if kind not in found or _WORST.index(condition["status"]) < _WORST.index(found[kind]["status"]):
                found[kind] = condition
    if replacement:
        fields = ", ".join(json.loads(replacement))
        found["ReplacementRequired"] = {
            "type": "ReplacementRequired",
            "status": "True",
            "lastTransitionTime": now,
            "reason": "ImmutableFieldsChanged",
            "message": f"nodes are replaced, because these fields cannot be changed: {fields}",
        }
    known = {condition["type"]: condition for condition in before}
    return [_transition(known.get(kind), found[kind], now) for kind in sorted(found)]
