"""The taint of cordoned nodes."""

from __future__ import annotations

from planton_sandbox import clock
from planton_sandbox.kubernetes import resources
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import scheduler


def run(cycle: cycles.Cycle) -> None:
    """Adds the taint of a cordoned node, and removes it again."""
    for node in cycle.store.all(resources.NODES):
        spec = node["spec"]
        others = [one for one in spec.get("taints", []) if one["key"] != scheduler.UNSCHEDULABLE]
        is_tainted = len(others) < len(spec.get("taints", []))
        if bool(spec.get("unschedulable")) is is_tainted:
            continue
        if not is_tainted:
            moment = clock.rfc3339(cycle.now)
            others.append({"key": scheduler.UNSCHEDULABLE, "effect": "NoSchedule", "timeAdded": moment})
        rest = {name: value for name, value in spec.items() if name != "taints"}
        cycle.store.replace(resources.NODES, node | {"spec": rest | ({"taints": others} if others else {})})
