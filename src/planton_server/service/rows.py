"""Rows of the store: a new resource, a changed one, an event, a report."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import TYPE_CHECKING, Any

from planton_server.service import errors, kinds, rendering, resyncs, status, timestamps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton_server.service.call import Call
    from planton_server.service.kinds import Kind


def new(call: Call) -> dict[str, Any]:
    """Returns the row of a new resource."""
    resource = call.resource
    row = {
        "id": str(uuid.uuid4()), "name": resource.name, "owner": call.caller.name, "generation": 1, "resource_version": 1,
        "platform": resource.spec.platform.type, "spec": rendering.to_json(resource.spec), "phase": "Pending",
        "reason": "NotObserved", "message": "no controller has observed generation 1", "observed_generation": 0,
        "status_time": call.now, "conditions": "[]", "replacement": "", "ready_generation": 0, "deadline": None,
        "resync_at": None, "created_at": call.now, "updated_at": call.now, "deleted_at": None,
        "traceparent": call.traceparent,
    }  # fmt: skip
    row["deadline"] = _deadline(call, row)
    row["resync_at"] = resyncs.time(row["id"], datetime.datetime.fromisoformat(call.now), call.policy.resync)
    if call.kind is kinds.CLUSTER:
        return row | {"target_project_id": resource.target_project_id}
    return row | {"cluster_id": call.request.cluster_id or resource.cluster_id}


def updated(call: Call, row: Mapping[str, Any]) -> tuple[dict[str, Any] | None, Sequence[str]]:
    """Returns the row after an update, or None if nothing changes; and the changed fields that replace nodes.

    Raises:
        ApiError: The update changes a field that is immutable.
    """
    resource = call.resource
    _check_immutable(call, row)
    changed = {**row, "name": resource.name or row["name"]}
    if call.kind is kinds.CLUSTER:
        changed["target_project_id"] = resource.target_project_id or row["target_project_id"]
    before, after = json.loads(row["spec"]), rendering.to_data(resource.spec)
    if before == after and changed == dict(row):
        return None, ()
    changed |= {"updated_at": call.now, "resource_version": row["resource_version"] + 1}
    replaced = _replaced(call.kind, before, after)
    if before != after:
        changed |= _with_new_spec(call, changed, replaced)
    return changed, replaced


def deleting(call: Call, row: Mapping[str, Any], reports: Sequence[status.Report]) -> dict[str, Any]:
    """Returns the row of a resource whose deletion is requested."""
    changed = {**row, "deleted_at": call.now, "updated_at": call.now, "resource_version": row["resource_version"] + 1}
    return changed | call.status(changed, reports) | {"traceparent": call.traceparent}


def event(call: Call, kind: Kind, row: Mapping[str, Any], verb: str, replaced: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the row of an event.

    Args:
        call: The call that caused it.
        kind: The kind of the resource.
        row: The resource after the change.
        verb: ``created``, ``updated``, ``deleted`` or ``status_updated``.
        replaced: The changed fields that replace nodes.
    """
    return {
        "id": str(uuid.uuid4()),
        "type": f"{kind.noun}.{verb}",
        "kind": kind.name,
        "resource_id": row["id"],
        "cluster_id": row["cluster_id"] if kind is kinds.NODE_POOL else row["id"],
        "name": row["name"],
        "owner": row["owner"],
        "generation": row["generation"],
        "actor": call.caller.name,
        "time": call.now,
        "replacement": _compact(replaced) if replaced else "",
    }


def report(call: Call, previous: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns the row of a controller's report, with the times of its conditions' transitions.

    Args:
        call: The call that reports.
        previous: The row of the controller's previous report, or None.
    """
    data = rendering.to_data(call.request.report)
    before = status.parsed(previous) if previous else None
    error = data.get("last_error")
    if error is not None:
        error.setdefault("timestamp", call.now)
    return {
        "resource_id": call.request.id,
        "controller_name": call.request.report.controller_name,
        "observed_generation": call.request.report.observed_generation,
        "conditions": _compact(status.transitions(before, data.get("conditions", ()), now=call.now)),
        "metadata": _compact(data.get("metadata", {})),
        "last_error": _compact(error) if error is not None else "",
        "updated_at": call.now,
    }


def _check_immutable(call: Call, row: Mapping[str, Any]) -> None:
    resource = call.resource
    if resource.spec.platform.type != row["platform"]:
        raise errors.bad_field(
            "spec.platform.type",
            "update.platform_stays",
            f"must stay {row['platform']}, not become {resource.spec.platform.type}",
        )
    if call.kind is kinds.NODE_POOL and resource.cluster_id and resource.cluster_id != row["cluster_id"]:
        raise errors.bad_field(
            "cluster_id", "update.cluster_stays", f"must stay {row['cluster_id']}, not become {resource.cluster_id}"
        )


def _with_new_spec(call: Call, row: Mapping[str, Any], replaced: Sequence[str]) -> dict[str, Any]:
    """Returns the columns that a new spec changes."""
    pending = {*json.loads(row["replacement"] or "[]"), *replaced}
    changed = {
        "spec": rendering.to_json(call.resource.spec),
        "generation": row["generation"] + 1,
        "replacement": _compact(sorted(pending)) if pending else "",
        "deadline": _deadline(call, row),
        "traceparent": call.traceparent,
    }
    # No controller has observed the new generation, so only the conditions of the reports stay.
    computed = call.status({**row, **changed}, [])
    conditions = _merged(row["conditions"], computed["conditions"])
    return changed | computed | {"observed_generation": row["observed_generation"], "conditions": conditions}


def _deadline(call: Call, row: Mapping[str, Any]) -> str | None:
    """Returns the time at which a resource that is not ready has failed; None if it has no deadline."""
    if not (call.policy.deadline and call.expected_controllers(row)):
        return None
    return timestamps.text(datetime.datetime.fromisoformat(call.now) + datetime.timedelta(seconds=call.policy.deadline))


def _replaced(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Returns the paths of changed fields that the cloud cannot change in an existing pool."""
    cloud = after["platform"]["type"]
    old, new = (spec["platform"].get(cloud, {}) for spec in (before, after))
    return [
        f"spec.platform.{cloud}.{name}"
        for name in sorted({*old, *new} & kind.replaced_by.get(cloud, frozenset()))
        if _comparable(old.get(name), name) != _comparable(new.get(name), name)
    ]


def _comparable(value: Any, name: str) -> Any:  # of any JSON value
    """Returns a value in the form in which two are compared: false, zero and empty equal absent; lists have no order; sizes no case."""
    if name in kinds.SIZES and isinstance(value, str):
        return value.lower() or None
    if isinstance(value, list):
        return sorted(map(json.dumps, value)) or None
    return value or None


def _merged(old: str, new: str) -> str:
    """Returns two lists of conditions as one, sorted by type; of two of the same type, the new one."""
    merged = {condition["type"]: condition for condition in (*json.loads(old), *json.loads(new))}
    return _compact([merged[name] for name in sorted(merged)])


def _compact(data: Any) -> str:  # JSON data
    return json.dumps(data, separators=(",", ":"))
