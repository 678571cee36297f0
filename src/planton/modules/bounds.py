"""Bounds of autoscaled pools: what a user should know before they cost money or do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from google.protobuf import message

#: More nodes than this as an autoscaler's upper bound are worth a warning; the annotation changes the number.
BOUND_ANNOTATION = "project-planton.org/max-nodes-warning"
_BOUND = 20


class Bounded(Protocol):
    """What every pool's spec has."""

    auto_scale: bool
    min_nodes: int
    max_nodes: int
    node_count: int


def unused(spec: Bounded, *, path: str) -> list[str]:
    """Returns a warning where a pool has bounds that nothing uses."""
    given = [f"{path}.{name}" for name, value in (("minNodes", spec.min_nodes), ("maxNodes", spec.max_nodes)) if value]
    return [f"{', '.join(given)}: no effect while autoScale is off (ignored)"] if given and not spec.auto_scale else []


def excessive(spec: Bounded, *, path: str, target: message.Message) -> list[str]:
    """Returns a warning where an autoscaled pool may grow beyond what a user usually means."""
    text = target.metadata.annotations.get(BOUND_ANNOTATION, "")  # type: ignore[attr-defined]  # every manifest has metadata
    limit = int(text) if text.isdecimal() else _BOUND
    if not spec.auto_scale or spec.max_nodes <= limit:
        return []
    return [f"{path}.maxNodes: {spec.max_nodes} is more than {limit} (annotation {BOUND_ANNOTATION}); check the cost"]
