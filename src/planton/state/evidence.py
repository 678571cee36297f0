"""The record of the last apply in its state, where each machine that uses the backend can read it.

The program registers it as a resource before any resource of the cloud, so the backend has it before the first request, written under
the engine's lock. It proves which resources an interrupted apply created (`planton.recovery.ownership`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.engine import states
from planton.state import journal

if TYPE_CHECKING:
    from collections.abc import Mapping

_STACK = "pulumi:pulumi:Stack"
_RECORD = "record"


def properties(record: journal.Record) -> dict[str, str]:
    """Returns the properties of the resource that a program registers for a record."""
    return {states.RECORD_ID: record.id, _RECORD: record.text()}


def id_of(state: Mapping[str, Any]) -> str:
    """Returns the id of the last apply that a state records; empty for none."""
    resource = _resource(state)
    return "" if resource is None else str((resource.get("inputs") or {}).get(states.RECORD_ID) or "")


def unfinished(state: Mapping[str, Any]) -> journal.Record | None:
    """Returns the record of the last apply in a state, if it did not end cleanly; else None."""
    resource = _resource(state)
    if resource is None:
        return None
    try:
        record = journal.parse(str(resource["inputs"][_RECORD]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None if (resource.get("outputs") or {}).get(states.RECORD_ID) == record.id else record


def is_outdated(own: journal.Record, state: Mapping[str, Any]) -> bool:
    """Returns whether another machine has applied a stack since this one recorded an operation.

    The other machine has recovered the stack first. What this one knows proves nothing any longer.

    Args:
        own: The record of this machine.
        state: The state of the stack.
    """
    return bool(state.get("resources")) and id_of(state) not in (own.id, own.previous)


def noted(state: Mapping[str, Any], record: journal.Record) -> dict[str, Any]:
    """Returns a state with the record of an apply that did not end cleanly.

    Args:
        state: The state. One in which no apply has begun has no place for a record, and needs none.
        record: The record.
    """
    resources = list(state.get("resources") or [])
    existing = _resource(state)
    urn = next((each["urn"] for each in resources if each["type"] == _STACK), None)
    if urn is None:
        return dict(state)
    entry = existing or {"urn": _urn(urn), "custom": False, "type": states.RECORD, "parent": urn}
    entry = {**entry, "inputs": properties(record), "outputs": {}}
    if existing is not None:
        return {**state, "resources": [entry if each is existing else each for each in resources]}
    # A parent precedes its children.
    after = next(number for number, each in enumerate(resources) if each["urn"] == urn) + 1
    return {**state, "resources": [*resources[:after], entry, *resources[after:]]}


def cleared(state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a state without the record of an apply."""
    return {**state, "resources": [each for each in state.get("resources") or [] if each["type"] != states.RECORD]}


def _resource(state: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((each for each in state.get("resources") or [] if each["type"] == states.RECORD), None)


def _urn(stack: str) -> str:
    # urn:pulumi:STACK::PROJECT::pulumi:pulumi:Stack::NAME
    prefix = stack.partition(f"::{_STACK}::")[0]
    return f"{prefix}::{states.RECORD}::apply"
