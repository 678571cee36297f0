"""The autoscaler of a controller: which pools it scales, and what it decides with what was desired, observed and remembered."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final

from planton.controllers import autoscaling, conditions, values, workload
from planton.modules import unsupported

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from planton.schema import kinds

#: The beginnings of the paths of a cloud's own autoscaling.
_FIELDS: Final = ("spec.autoscaling.", "bounds.")
#: The fields of `spec.autoscaling` that no cloud's autoscaler has for a single pool.
_OWN: Final = ("targetCPUUtilization", "targetMemoryUtilization", "scaleUpDelay", "scaleDownDelay")
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def targets(kind: kinds.Kind, spec: Mapping[str, Any]) -> autoscaling.Targets | None:
    """Returns what a pool's spec asks the controller's autoscaler for; None if the pool is not autoscaled, or the cloud does it.

    A pool has one autoscaler: that of the cloud if it has one and the spec names bounds only, otherwise the controller.

    Args:
        kind: The kind of the pool's manifest.
        spec: The pool's spec, as the API returns it.
    """
    asked = spec.get("autoscaling") or {}
    fields = kind.declared.api_fields
    is_native = any(path.startswith(_FIELDS) for paths in fields.values() for path in paths)
    is_ours = unsupported.json_path(kind.declared.count_field) in fields and (
        not is_native or any(asked.get(name) for name in _OWN)
    )
    if not asked.get("enabled") or not is_ours:
        return None
    # The clouds have no empty pools with a fixed number of nodes.
    least = max(1, int(asked.get("minNodes") or 0))
    return autoscaling.Targets(
        min_nodes=least,
        max_nodes=max(least, int(asked.get("maxNodes") or 0)),
        cpu=asked.get("targetCPUUtilization"),
        memory=asked.get("targetMemoryUtilization"),
        up_delay=_seconds(asked.get("scaleUpDelay"), autoscaling.DEFAULT_UP_DELAY),
        down_delay=_seconds(asked.get("scaleDownDelay"), autoscaling.DEFAULT_DOWN_DELAY),
    )


def decide(
    desired: values.Desired, observed: values.Observed, memory: values.Memory, now: datetime.datetime
) -> tuple[autoscaling.Decision, autoscaling.History] | None:
    """Returns the decision of the autoscaler, and its history; None for a pool that it does not scale."""
    if desired.scaling is None or desired.nodes is None:
        return None
    seconds = now.timestamp()
    history = memory.scaling or autoscaling.History(began=seconds, changed=seconds)
    running = observed.workload
    decision, after = autoscaling.decide(
        desired.scaling,
        history,
        autoscaling.Sample(
            now=seconds,
            target=desired.nodes,
            nodes=running.nodes if running else (),
            template=workload.template(running.nodes) if running else None,
            pending=running.pending if running else (),
            measured=running.measured if running else None,
            busy=_busy(desired, observed, now),
            unread=None if running else autoscaling.Hold("WorkloadUnread", _why(observed)),
        ),
    )
    return _spread(decision, desired, observed.zones), after


def _spread(decision: autoscaling.Decision, desired: values.Desired, zones: int) -> autoscaling.Decision:
    """Returns a decision whose number of nodes each of the zones can have the same share of: rounded up, or down at the maximum."""
    assert desired.scaling is not None, "the pool is scaled"
    assert desired.nodes is not None, "the pool has a number of nodes"
    up = -(-decision.count // zones) * zones
    count = up if up <= desired.scaling.max_nodes else decision.count // zones * zones
    # Fewer nodes than zones are possible in no zone; the cloud's refusal says so.
    if count in (0, decision.count):
        return decision
    text = f"{decision.message}; {count} nodes spread evenly over {zones} zones"
    return dataclasses.replace(decision, count=count, message=text, leaving=decision.leaving[: max(0, desired.nodes - count)])


def shown(decision: autoscaling.Decision, targets_: autoscaling.Targets) -> tuple[values.Condition, ...]:
    """Returns the conditions of the autoscaler."""
    text = decision.message
    if decision.too_large:
        text += f"; no node of this pool is large enough for {', '.join(decision.too_large)}"
    within = f"{decision.count} nodes lie within {targets_.min_nodes} to {targets_.max_nodes}"
    limits = {
        "": ("False", "DesiredWithinRange", within),
        "TooManyReplicas": ("True", decision.limited, f"more than maxNodes, {targets_.max_nodes}, are recommended"),
        "TooFewReplicas": ("True", decision.limited, f"fewer than the lower bound, {targets_.min_nodes}, are recommended"),
    }
    status = "True" if decision.is_active else "False"
    return (
        values.Condition(conditions.SCALING_ACTIVE, status, decision.reason, text),
        values.Condition(conditions.SCALING_LIMITED, *limits[decision.limited]),
    )


def _busy(desired: values.Desired, observed: values.Observed, now: datetime.datetime) -> autoscaling.Hold | None:
    """Returns why nothing may be scaled now."""
    listed = (
        (desired.is_deleting, "Deleting", "the pool is being deleted"),
        (conditions.is_paused(desired, now), "Paused", "changes are paused"),
        (desired.problem is not None, "Refused", "the spec cannot be applied"),
        (observed.presence is not values.Presence.PRESENT, "NotPresent", f"the pool in the cloud is {observed.presence}"),
        (bool(observed.replaced_by), "Replacing", f"a replacement is needed: {', '.join(observed.replaced_by)}"),
        (observed.successor is not None, "Replacing", "its nodes are being replaced"),
        (not observed.is_applied, "Updating", "another change is in progress"),
        (bool(observed.drift), "Drifted", "the cloud differs from what was applied"),
    )
    return next((autoscaling.Hold(reason, text) for holds, reason, text in listed if holds), None)


def _why(observed: values.Observed) -> str:
    return "the cluster could not be read" if observed.problem is None else observed.problem.message


def _seconds(text: str | None, usual: float) -> float:
    matched = _DURATION.fullmatch(text or "")
    if matched is None or not text:
        return usual
    hours, minutes, seconds = (int(part or 0) for part in matched.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds
