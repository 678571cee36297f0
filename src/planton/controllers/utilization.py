"""How many nodes the utilization of a pool asks for, as the HorizontalPodAutoscaler computes it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from planton.controllers import scheduling

if TYPE_CHECKING:
    from collections.abc import Callable

    from planton.controllers import autoscaling

#: A utilization within a tenth of its target changes nothing, as in Kubernetes.
TOLERANCE: Final = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Recommendation:
    """A number of nodes, and why.

    Attributes:
        nodes: The number of nodes.
        metric: The metric that asks for them: ``cpu``, ``memory`` or ``requests``.
        cause: The explanation, with values.
        measured: Metric → utilization of the pool in percent.
    """

    nodes: int
    metric: str
    cause: str
    measured: tuple[tuple[str, int], ...] = ()


def recommended(targets: autoscaling.Targets, sample: autoscaling.Sample, template: scheduling.Node) -> Recommendation:
    """Returns the number of nodes that utilization asks for: the greatest of its metrics; without a target, that of the requests."""
    listed = [
        _of_metric(name, percent / 100, sample, amount)
        for name, percent, amount in (
            ("cpu", targets.cpu, lambda resources: resources.cpu),
            ("memory", targets.memory, lambda resources: resources.memory),
        )
        if percent is not None
    ]
    if not listed:
        return Recommendation(_requested(sample, template), "requests", "the requests of the pods need no more nodes")
    greatest = max(listed, key=lambda each: each.nodes)
    return dataclasses.replace(greatest, measured=tuple(pair for each in listed for pair in each.measured))


def _of_metric(
    name: str, target: float, sample: autoscaling.Sample, amount: Callable[[scheduling.Resources], int]
) -> Recommendation:
    """Returns the number of nodes for one metric. Nodes without a measurement never change the direction."""
    nodes = sample.usable
    offered = sum(amount(node.allocatable) for node in nodes)
    used = sum(amount(node.usage) for node in nodes if node.usage is not None)
    measured = sum(amount(node.allocatable) for node in nodes if node.usage is not None)
    if not measured:
        return Recommendation(sample.target, name, f"{name}: no node is measured")
    ratio = used / measured / target
    percent = 100 * used / measured
    text = f"{name} utilization is {percent:.0f} % with a target of {100 * target:.0f} %"
    if ratio > 1:
        ratio = max(1.0, used / offered / target)
    else:
        ratio = min(1.0, (used + (offered - measured) * target) / offered / target)
    is_near = abs(ratio - 1) <= TOLERANCE
    # Rounding first keeps 3.0000000001 from becoming 4.
    count = sample.target if is_near else math.ceil(round(len(nodes) * ratio, 6))
    return Recommendation(count, name, text, ((name, round(percent)),))


def _requested(sample: autoscaling.Sample, template: scheduling.Node) -> int:
    """Returns how many nodes the requests of the running pods need: the measure if no utilization is a target."""
    pods = [pod for node in sample.nodes for pod in node.workload]
    # First fit can need more nodes than the present ones, on which the pods run.
    return min(sample.target, scheduling.nodes_for(pods, template))
