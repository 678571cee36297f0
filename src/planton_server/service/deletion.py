"""The method that deletes resources.

A resource that no controller holds, and whose work none has ever claimed, is deleted immediately. Otherwise it stays in the phase
``Deleting`` until each controller that holds it reports the condition ``Deleted`` or ``Withdrawn``. ``force`` deletes it without
waiting.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from planton_server.service import answers, errors, kinds, rows, status
from planton_server.store import events, resources, work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton_server.service.call import Call
    from planton_server.store import database


async def delete(call: Call) -> answers.Answer:
    """Deletes a resource, or requests its deletion from the controllers that hold it.

    Raises:
        ApiError: The resource does not exist, is protected, has another version, or is a cluster with node pools.
    """
    kind, request = call.kind, call.request
    async with call.store.transaction() as transaction:
        row = await resources.get_for_update(transaction, kind.table, request.id)
        if row is None or row["owner"] != call.caller.name or (row["deleted_at"] and not request.force):
            raise errors.not_found(kind.name)
        call.expected_version(row)
        if _is_protected(row):
            raise errors.failed_precondition(f"{kind.name} is protected by lifecycle.deletionProtection")
        if kind is kinds.CLUSTER:
            await _delete_node_pools(call, transaction, row)
        reports = [status.parsed(report) for report in await resources.reports(transaction, request.id)]
        deleting = rows.deleting(call, row, reports)
        # A controller that has claimed the resource may have created something for it, even if it has not reported yet.
        is_held = bool(status.holders(reports, call.expected_controllers(row))) or (
            not reports and await work.is_claimed(transaction, request.id)
        )
        if request.force or not is_held:
            await remove(call, transaction, deleting)
        else:
            event = rows.event(call, kind, deleting, "updated")
            await resources.update(transaction, kind.table, deleting, event, expected=row["resource_version"])
        return call.done(
            answers.of_resource(kind, deleting, call.acceptance) if kind is kinds.CLUSTER else answers.without_body(deleting)
        )


async def remove(call: Call, transaction: database.Transaction, row: Mapping[str, Any]) -> None:
    """Deletes the row of a resource, and writes the event."""
    await resources.delete(transaction, call.kind.table, row["id"])
    await events.append(transaction, call.store.name, [rows.event(call, call.kind, row, "deleted")])


async def _delete_node_pools(call: Call, transaction: database.Transaction, cluster: Mapping[str, Any]) -> None:
    if not call.request.force:
        if await resources.has_node_pools(transaction, cluster["id"]):
            raise errors.failed_precondition("Cluster has node pools", details="delete them first, or set force=true")
        return
    deleted = await resources.delete_node_pools(transaction, cluster["id"])
    # Protection is checked on the deleted rows, because an update may come between a check and the deletion.
    if names := sorted(pool["name"] for pool in deleted if _is_protected(pool)):
        raise errors.failed_precondition(f"NodePool '{names[0]}' is protected by lifecycle.deletionProtection")
    if deleted:
        written = [rows.event(call, kinds.NODE_POOL, pool, "deleted") for pool in deleted]
        await events.append(transaction, call.store.name, written)


def _is_protected(row: Mapping[str, Any]) -> bool:
    return bool(json.loads(row["spec"]).get("lifecycle", {}).get("deletionProtection"))
