"""The conditions of a resource, in Cluster API's manner: what is true of it, why, and the values that show it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from planton.controllers import values

if TYPE_CHECKING:
    import datetime

ACCEPTED: Final = "Accepted"
PROGRESSING: Final = "Progressing"
AVAILABLE: Final = "Available"
READY: Final = "Ready"
DEGRADED: Final = "Degraded"
PAUSED: Final = "Paused"
DELETING: Final = "Deleting"
DELETED: Final = "Deleted"
#: Of pools that the controller scales, in HorizontalPodAutoscaler's manner.
SCALING_ACTIVE: Final = "ScalingActive"
SCALING_LIMITED: Final = "ScalingLimited"


@dataclasses.dataclass(frozen=True, slots=True)
class Cause:
    """The cause of a condition.

    Attributes:
        reason: One CamelCase word.
        message: The explanation, with values.
    """

    reason: str
    message: str


def make(
    desired: values.Desired,
    observed: values.Observed,
    *,
    now: datetime.datetime,
    progress: Cause | None = None,
    degraded: Cause | None = None,
    refused: Cause | None = None,
) -> tuple[values.Condition, ...]:
    """Returns the conditions of a resource.

    Args:
        desired: The desired state.
        observed: What the cloud and the cluster have.
        now: The time.
        progress: What the controller is about to do, or waits for; None if nothing.
        degraded: What is wrong, and does not get better by waiting; None if nothing.
        refused: Why the desired state cannot be applied; None if it can.
    """
    nodes = available(desired, observed)
    ready = _ready(nodes, progress, degraded, refused)
    paused = is_paused(desired, now)
    return (
        _when(ACCEPTED, refused is None, refused, Cause("Accepted", f"generation {desired.generation} can be applied")),
        _if(PROGRESSING, progress, Cause("Settled", "nothing is in progress")),
        nodes,
        ready,
        _if(DEGRADED, degraded or refused, Cause("AsExpected", "nothing is wrong")),
        _if(PAUSED, _pause(desired) if paused else None, Cause("NotPaused", "changes are applied")),
        _if(DELETING, _deletion(desired, progress), Cause("No", "it stays")),
    )


def _deletion(desired: values.Desired, progress: Cause | None) -> Cause | None:
    """Returns the step of a deletion."""
    return (progress or Cause("Requested", "its deletion was requested")) if desired.is_deleting else None


def is_paused(desired: values.Desired, now: datetime.datetime) -> bool:
    """Returns whether a pause lasts. A deletion ends it."""
    return desired.paused_until is not None and now < desired.paused_until and not desired.is_deleting


def deleted() -> tuple[values.Condition, ...]:
    """Returns the condition that lets the API remove the resource."""
    return (values.Condition(DELETED, "True", "NothingLeft", "the cloud has nothing of it"),)


def unread(before: values.Memory, *, since: str, trouble: Cause | None = None) -> tuple[values.Condition, ...]:
    """Returns the last conditions after probes have failed for long: what depends on them is unknown.

    Args:
        before: What was reported last.
        since: The time of the first failed probe.
        trouble: What somebody has to end; None if it ends by itself.
    """
    text = Cause("ProbeFailed", f"the cloud or the cluster could not be read since {since}")
    changed = {type_: values.Condition(type_, "Unknown", text.reason, text.message) for type_ in (AVAILABLE, READY)}
    if trouble is not None:
        changed[DEGRADED] = values.Condition(DEGRADED, "True", trouble.reason, trouble.message)
    return tuple(changed.get(each.type, each) for each in before.conditions)


def available(desired: values.Desired, observed: values.Observed) -> values.Condition:
    """Returns whether the nodes are ready, counted in Kubernetes: of an autoscaled pool, as many as its lower bound."""
    if observed.presence is not values.Presence.PRESENT:
        reason = {"never": "NotCreated", "partial": "NotCreated", "missing": "Missing"}.get(observed.presence, "Unread")
        status = "Unknown" if observed.presence is values.Presence.UNKNOWN else "False"
        return values.Condition(AVAILABLE, status, reason, _PRESENCES[observed.presence])
    node_count = desired.nodes if desired.nodes is not None else observed.cloud_nodes
    least = node_count if desired.scaling is None else desired.scaling.min_nodes
    if observed.ready is None:
        return values.Condition(AVAILABLE, "Unknown", "NodesUnread", "the nodes could not be read from the cluster")
    if least is not None and observed.ready < least:
        return values.Condition(AVAILABLE, "False", "NodesNotReady", f"{observed.ready} of {node_count} nodes are ready")
    if node_count is not None:
        count = f"{observed.ready} of {node_count} nodes are ready"
    else:
        count = f"{observed.ready} nodes are ready" if observed.ready else "it has no nodes of its own"
    return values.Condition(AVAILABLE, "True", "NodesReady", count)


_PRESENCES: Final = {
    values.Presence.NEVER: "it does not exist in the cloud yet",
    values.Presence.PARTIAL: "its creation did not end yet",
    values.Presence.MISSING: "it is missing from the cloud",
    values.Presence.UNKNOWN: "the cloud could not be read",
}


def _ready(nodes: values.Condition, progress: Cause | None, degraded: Cause | None, refused: Cause | None) -> values.Condition:
    worst = refused or degraded
    if worst is not None:
        return values.Condition(READY, "False", worst.reason, worst.message)
    if nodes.status != "True":
        return values.Condition(READY, nodes.status, nodes.reason, nodes.message)
    if progress is not None:
        return values.Condition(READY, "False", progress.reason, progress.message)
    return values.Condition(READY, "True", "AsDesired", nodes.message)


def _pause(desired: values.Desired) -> Cause:
    until = desired.paused_until
    text = "until it is resumed" if until == values.NEVER or until is None else f"until {until.isoformat()}"
    return Cause("PausedByUser", f"no change is applied {text}; deletion works")


def _if(type_: str, cause: Cause | None, otherwise: Cause) -> values.Condition:
    return _when(type_, cause is not None, otherwise, cause or otherwise)


def _when(type_: str, holds: bool, no: Cause | None, yes: Cause) -> values.Condition:  # noqa: FBT001  # the status itself
    cause = yes if holds or no is None else no
    return values.Condition(type_, "True" if holds else "False", cause.reason, cause.message)
