"""The method that deletes resources.

A resource that no controller holds, and whose work none has ever claimed, is deleted immediately. Otherwise it stays in the phase
``Deleting`` until each controller that holds it reports the condition ``Deleted`` or ``Withdrawn``. ``force`` deletes it without
waiting, except for a resource that the work queue has given to a controller, while a live process serves its cloud: only that controller
knows what exists in the cloud.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from planton_server.service import answers, errors, kinds, rows, status
from planton_server.store import events, resources, work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from planton_server.service.call import Call
    from planton_server.store import database


class _ClusterFirstError(Exception):
    """The transaction is repeated with the lock of a cluster, because clusters are locked before their node pools."""

    def __init__(self, cluster_id: str) -> None:
        self.cluster_id = cluster_id


async def in_order(attempt: Callable[[str], Awaitable[answers.Answer]]) -> answers.Answer:
    """Returns the answer of a transaction that may remove a node pool.

    Args:
        attempt: Runs the transaction. Its argument is the id of the cluster to lock first; empty for none.
    """
    try:
        return await attempt("")
    except _ClusterFirstError as repeated:
        return await attempt(repeated.cluster_id)


async def lock_cluster(transaction: database.Transaction, cluster_id: str) -> Mapping[str, Any] | None:
    """Returns the row of a cluster, locked; None if no id is given, or there is no such cluster."""
    return await resources.get_for_update(transaction, kinds.CLUSTER.table, cluster_id) if cluster_id else None


async def delete(call: Call) -> answers.Answer:
    """Deletes a resource, or requests its deletion from the controllers that hold it.

    Raises:
        ApiError: The resource does not exist, is protected, has another version, or is a cluster with node pools.
    """
    return await in_order(lambda cluster_id: _delete(call, cluster_id))


async def _delete(call: Call, cluster_id: str) -> answers.Answer:
    kind, request = call.kind, call.request
    async with call.store.transaction() as transaction:
        cluster = await lock_cluster(transaction, cluster_id)
        row = await resources.get_for_update(transaction, kind.table, request.id)
        if row is None or row["owner"] != call.caller.name or (row["deleted_at"] and not request.force):
            raise errors.not_found(kind.name)
        call.expected_version(row)
        if _is_protected(row):
            raise errors.failed_precondition(f"{kind.name} is protected by lifecycle.deletionProtection")
        # Claims wait until the end of the transaction, so that nothing is claimed while it is deleted.
        served = await _served(call, transaction) if request.force else frozenset()
        has_pools = kind is kinds.CLUSTER and await _delete_node_pools(call, transaction, row, served)
        deleting, is_held = await _deleting(call, transaction, row, served)
        if not (is_held or has_pools) and row["deleted_at"]:
            await release(call, transaction, deleting, cluster)
        elif not (is_held or has_pools):
            await _remove(call, transaction, deleting)
        elif not row["deleted_at"]:
            event = rows.event(call, kind, deleting, "updated")
            await resources.update(transaction, kind.table, deleting, event, expected=row["resource_version"])
        return call.done(
            answers.of_resource(kind, deleting, call.acceptance) if kind is kinds.CLUSTER else answers.without_body(deleting)
        )


async def release(
    call: Call, transaction: database.Transaction, row: Mapping[str, Any], cluster: Mapping[str, Any] | None
) -> bool:
    """Removes a resource that was being deleted, and that no controller holds any longer; returns whether it is removed.

    A cluster stays as long as node pools of it are being deleted, and is removed with the last one.

    Args:
        call: The call.
        transaction: The transaction.
        row: The resource, locked.
        cluster: The cluster of a node pool, locked; None if it is not.
    """
    if call.kind is kinds.CLUSTER:
        if await resources.has_node_pools(transaction, row["id"]):
            return False
        await _remove(call, transaction, row)
        return True
    if cluster is None:
        raise _ClusterFirstError(row["cluster_id"])
    await _remove(call, transaction, row)
    if cluster["deleted_at"] and not await resources.has_node_pools(transaction, cluster["id"]):
        of_cluster = dataclasses.replace(call, kind=kinds.CLUSTER)
        reports = [status.parsed(report) for report in await resources.reports(transaction, cluster["id"])]
        is_unknown = not reports and await work.is_claimed(transaction, cluster["id"])
        if not (is_unknown or status.holders(reports, of_cluster.expected_controllers(cluster))):
            await _remove(of_cluster, transaction, cluster)
    return True


async def _remove(call: Call, transaction: database.Transaction, row: Mapping[str, Any]) -> None:
    await resources.delete(transaction, call.kind.table, row["id"])
    await events.append(transaction, call.store.name, [rows.event(call, call.kind, row, "deleted")])


async def _served(call: Call, transaction: database.Transaction) -> frozenset[str]:
    """Returns the clouds that live processes serve, and makes claims wait until the end of the transaction."""
    await work.lock(transaction)
    return await work.served(transaction, call.workers.limits)


async def _deleting(
    call: Call, transaction: database.Transaction, row: Mapping[str, Any], served: Collection[str]
) -> tuple[dict[str, Any], bool]:
    """Returns the row of a resource whose deletion is requested, and whether it has to wait for a controller."""
    reports = [status.parsed(report) for report in await resources.reports(transaction, row["id"])]
    holders = status.holders(reports, call.expected_controllers(row))
    # A controller that has claimed the resource may have created something for it, even if it has not reported yet.
    is_claimed = await work.is_claimed(transaction, row["id"])
    if not call.request.force:
        return rows.deleting(call, row, reports), bool(holders) or (not reports and is_claimed)
    is_kept = is_claimed and row["platform"] in served and bool(holders or not reports)
    if is_kept and row["deleted_at"]:
        return dict(row), True
    deleting = rows.deleting(call, row, reports)
    return deleting | _kept(row) if is_kept else deleting, is_kept


def _kept(row: Mapping[str, Any]) -> dict[str, str]:
    """Returns reason and message of a resource that ``force`` does not remove."""
    text = f"force waits too, because the controller for {row['platform']} may have created it in the cloud"
    return {"reason": "DeletionRequested", "message": text}


async def _delete_node_pools(
    call: Call, transaction: database.Transaction, cluster: Mapping[str, Any], served: Collection[str]
) -> bool:
    """Deletes the node pools of a cluster; returns whether some wait for their controllers."""
    if not call.request.force:
        if await resources.has_node_pools(transaction, cluster["id"]):
            raise errors.failed_precondition("Cluster has node pools", details="delete them first, or set force=true")
        return False
    deleted = await resources.delete_node_pools(transaction, cluster["id"], served=served)
    kept = await resources.node_pools(transaction, cluster["id"])
    # Protection is checked on the deleted rows, because an update may come between a check and the deletion.
    if names := sorted(pool["name"] for pool in (*deleted, *kept) if _is_protected(pool)):
        raise errors.failed_precondition(f"NodePool '{names[0]}' is protected by lifecycle.deletionProtection")
    if deleted:
        written = [rows.event(call, kinds.NODE_POOL, pool, "deleted") for pool in deleted]
        await events.append(transaction, call.store.name, written)
    of_pools = dataclasses.replace(call, kind=kinds.NODE_POOL)
    for pool in kept:
        deleting, _ = await _deleting(of_pools, transaction, pool, served)
        if not pool["deleted_at"]:
            event = rows.event(of_pools, kinds.NODE_POOL, deleting, "updated")
            await resources.update(transaction, kinds.NODE_POOL.table, deleting, event, expected=pool["resource_version"])
    return bool(kept)


def _is_protected(row: Mapping[str, Any]) -> bool:
    return bool(json.loads(row["spec"]).get("lifecycle", {}).get("deletionProtection"))
