"""Methods of the audit: controllers record their actions in the cloud, and users list them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from planton_server.service import answers, errors, kinds, paging, rendering, reports
from planton_server.store import audit, resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton_server.service.call import Call

_DEFAULT_LIMIT: Final = 50
_STARTED: Final = "Started"
#: The causes for which the owner has asked. Only owners change and delete resources.
_REQUESTED: Final = frozenset({"SpecChange", "Deletion", "Rollout"})


async def record(call: Call) -> answers.Answer:
    """Stores an action of a controller: once when it begins, once when it ends.

    Raises:
        ApiError: The record is invalid, the caller may not report under this name, or the resource does not exist.
    """
    event = call.request.event
    reports.check(event, "audit_record")
    reports.check_reporter(call, event.controller_name)
    async with call.store.transaction() as transaction:
        row = call.visible(call.kind, await resources.get_for_update(transaction, call.kind.table, call.request.id))
        if event.generation > row["generation"]:
            text = f"generation ({event.generation}) must be at most the generation of the resource ({row['generation']})"
            raise errors.bad_field("generation", "audit_record.generation_exists", text)
        return answers.of_audit_event(await audit.record(transaction, _values(call, row)))


async def list_events(call: Call) -> answers.Answer:
    """Returns a page of the actions of controllers on a resource, newest first. The resource may have been deleted.

    Raises:
        ApiError: ``NOT_FOUND``: neither the resource nor an action on it is known; the cursor is invalid.
    """
    request = call.request
    selected = audit.Filter(request.id, call.kind.name, call.owner)
    try:
        after = paging.place(request.page_token, selected) if request.page_token else None
    except ValueError as error:
        raise errors.bad_field("page_token", "list.page_token", str(error)) from error
    limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
    # One row more than the page has: it says that there is a next page.
    rows = await audit.page(call.store, selected, limit=limit + 1, after=after)
    if not rows:
        call.visible(call.kind, await resources.get(call.store, call.kind.table, request.id))
    return answers.of_audit(rows[:limit], paging.token(rows[limit - 1], selected) if len(rows) > limit else "")


def _values(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    event = call.request.event
    changes = [rendering.to_data(change) for change in event.changes]
    return {
        "resource_id": row["id"],
        "id": call.request.event_id,
        "kind": call.kind.name,
        "cluster_id": row["cluster_id"] if call.kind is kinds.NODE_POOL else row["id"],
        "name": row["name"],
        "owner": row["owner"],
        "generation": event.generation,
        "action": event.action,
        "cause": event.cause,
        "reason": event.reason,
        "outcome": event.outcome,
        "error": event.error,
        "requested_by": row["owner"] if event.cause in _REQUESTED else "",
        "controller_name": event.controller_name,
        "process": event.process,
        "recorded_by": call.caller.name,
        "changes": json.dumps(changes, separators=(",", ":")),
        "created_at": call.now,
        "ended_at": None if event.outcome == _STARTED else call.now,
    }
