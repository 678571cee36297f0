"""Bounds of autoscaled pools: warnings about bounds that cost money or have no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from google.protobuf import message

#: The annotation with the largest upper bound without a warning.
BOUND_ANNOTATION = "project-planton.org/max-nodes-warning"
_BOUND = 20


class Bounded(Protocol):
    """The fields of every pool's spec."""

    auto_scale: bool
    min_nodes: int
    max_nodes: int
    node_count: int


def unused(spec: Bounded, *, path: str) -> list[str]:
    """Returns a warning if a pool has bounds but is not autoscaled."""
    bounds = [f"{path}.{name}" for name, value in (("minNodes", spec.min_nodes), ("maxNodes", spec.max_nodes)) if value]
    return [f"{', '.join(bounds)}: no effect while autoScale is off (ignored)"] if bounds and not spec.auto_scale else []


def excessive(spec: Bounded, *, path: str, target: message.Message) -> list[str]:
    """Returns a warning if an autoscaled pool may grow beyond the usual number of nodes."""
    text = target.metadata.annotations.get(BOUND_ANNOTATION, "")  # type: ignore[attr-defined]  # every manifest has metadata
    limit = int(text) if text.isdecimal() else _BOUND
    if not spec.auto_scale or spec.max_nodes <= limit:
        return []
    return [f"{path}.maxNodes: {spec.max_nodes} is more than {limit} (annotation {BOUND_ANNOTATION}); check the cost"]
