"""The status of a resource, computed from the reports of its controllers. The same reports at the same time give the same status.

It is computed in the transaction that writes a report or a spec, so a read computes nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Health → its phases.
PHASES: Final = {
    "healthy": ("Ready",),
    "unhealthy": ("Degraded", "Failed"),
    "unknown": ("Pending", "Progressing", "Deleting"),
}
_PERMANENT: Final = frozenset({"Fatal", "Configuration"})
#: Reason and message of a resource that missed its deadline.
LATE: Final = ("DeadlineExceeded", "it was not ready before its deadline")
#: Statuses of a condition, worst first. The worst one wins if controllers disagree.
_WORST: Final = ("False", "Unknown", "True")


class Report(NamedTuple):
    """The last report of one controller.

    Attributes:
        controller: The name of the controller.
        observed_generation: The observed generation of the resource.
        conditions: Type → condition, in the form of the API.
        error: ``error_type``, ``message`` and so on; empty without an error.
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
        """Returns whether ``Available`` is true and there is no error. ``Ready`` counts if ``Available`` is not reported."""
        return self.holds("Available" if "Available" in self.conditions else "Ready") and not self.error


class Status(NamedTuple):
    """The stored columns of a status."""

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
    """Returns the controllers that hold a resource, so that it cannot be deleted yet.

    These are the controllers that reported neither ``Deleted`` nor ``Withdrawn``, and the expected ones that have not reported.
    """
    latest = {report.controller: report for report in reports}
    holding = [name for name, report in latest.items() if not report.holds("Deleted") and not report.holds("Withdrawn")]
    return sorted({*holding, *(name for name in expected if name not in latest)})


def compute(row: Mapping[str, Any], reports: Sequence[Report], expected: Sequence[str], *, now: str) -> Status:
    """Returns the status of a resource.

    Args:
        row: The resource: ``generation``, ``ready_generation``, ``deadline``, ``deleted_at``, ``replacement`` and the previous status.
        reports: The last report of each controller.
        expected: The names of the controllers that must report.
        now: The time, RFC 3339. Deadlines before it have passed.
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

    The time changes only with the status: to the reported time, or to now if none is reported.
    """
    before = previous.conditions if previous else {}
    return [_transition(before.get(condition["type"]), condition, now) for condition in conditions]


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
    """Returns one condition of each type, the worst if controllers disagree, and the one about a replacement."""
    worst: dict[str, Mapping[str, str]] = {}
    for report in reports:
        for kind, condition in report.conditions.items():
            if kind not in worst or _WORST.index(condition["status"]) < _WORST.index(worst[kind]["status"]):
                worst[kind] = condition
    if replacement:
        fields = ", ".join(json.loads(replacement))
        worst["ReplacementRequired"] = {
            "type": "ReplacementRequired",
            "status": "True",
            "lastTransitionTime": now,
            "reason": "ImmutableFieldsChanged",
            "message": f"nodes are replaced, because these fields cannot be changed in place: {fields}",
        }
    previous = {condition["type"]: condition for condition in before}
    return [_transition(previous.get(kind), worst[kind], now) for kind in sorted(worst)]
