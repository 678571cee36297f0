"""Engine events for tests of their consumers."""

from __future__ import annotations

from typing import Any

from pulumi.automation import events

CLUSTER = "civo:index/kubernetesCluster:KubernetesCluster"
POOL = "civo:index/kubernetesNodePool:KubernetesNodePool"
SIZE = "pulumi-python:dynamic:Resource"
NETWORK = "civo:index/network:Network"
FIREWALL = "civo:index/firewall:Firewall"


def urn(type_: str, name: str) -> str:
    """Returns the URN of a resource of the stack ``test``."""
    return f"urn:pulumi:test::planton::{type_}::{name}"


def _state(type_: str, name: str, inputs: dict[str, Any] | None, outputs: dict[str, Any] | None) -> dict[str, Any] | None:
    if inputs is None and outputs is None:
        return None
    return {
        "type": type_,
        "urn": urn(type_, name),
        "id": "id",
        "parent": "",
        "provider": "p",
        "inputs": inputs or {},
        "outputs": outputs or {},
    }


def step(
    key: str,
    op: str,
    type_: str,
    name: str,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    old_outputs: dict[str, Any] | None = None,
    new_outputs: dict[str, Any] | None = None,
    detail: tuple[str, ...] = (),
) -> events.EngineEvent:
    """Returns an event of a step; ``key`` is the event type: started, succeeded, or failed.

    ``detail`` are the paths with a difference according to the plugin.
    """
    metadata = {
        "op": op,
        "urn": urn(type_, name),
        "type": type_,
        "provider": "p",
        "old": _state(type_, name, old, old_outputs),
        "new": _state(type_, name, new, new_outputs),
        "detailedDiff": {path: {"diffKind": "update", "inputDiff": False} for path in detail} or None,
    }
    summary = {"status": 1, "steps": 1} if key == "resOpFailedEvent" else {}
    return events.EngineEvent.from_json({"sequence": 1, "timestamp": 1, key: {"metadata": metadata, **summary}})


def begins(op: str, type_: str, name: str, **states: Any) -> events.EngineEvent:
    """Returns the event of a started step."""
    return step("resourcePreEvent", op, type_, name, **states)


def ended(op: str, type_: str, name: str, **states: Any) -> events.EngineEvent:
    """Returns the event of a succeeded step."""
    return step("resOutputsEvent", op, type_, name, **states)


def failed(op: str, type_: str, name: str) -> events.EngineEvent:
    """Returns the event of a failed step."""
    return step("resOpFailedEvent", op, type_, name)


def says(severity: str, text: str, of: str = "") -> events.EngineEvent:
    """Returns a diagnostic of a resource, or of none."""
    event = {"message": text, "color": "raw", "severity": severity, **({"urn": of} if of else {})}
    return events.EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": event})
