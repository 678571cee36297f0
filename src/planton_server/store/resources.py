"""Rows of clusters and node pools: the statements, each written once for both tables and both databases."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from planton_server.store import events, tables
from planton_server.store.database import Database, Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: The columns that a report changes and a new spec resets.
_WRITTEN: Final = (
    "name", "generation", "resource_version", "platform", "spec", "phase", "reason", "message", "observed_generation", "status_time",
    "conditions", "replacement", "ready_generation", "deadline", "resync_at", "updated_at", "deleted_at",
    "traceparent",
)  # fmt: skip


async def get(database: Database | Transaction, table: sa.Table, identifier: str) -> Row | None:
    """Returns a row, or None."""
    rows = await database.rows(_get(table, lock=False), id=identifier)
    return rows[0] if rows else None


async def get_for_update(transaction: Transaction, table: sa.Table, identifier: str) -> Row | None:
    """Returns a row, or None, locked until the end of the transaction."""
    rows = await transaction.rows(_get(table, lock=True), id=identifier)
    return rows[0] if rows else None


async def insert(transaction: Transaction, table: sa.Table, values: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Inserts a row and its event; returns whether its cluster exists, belongs to the owner and is not being deleted.

    Raises:
        DuplicateError: The name is taken.
    """
    if transaction.name == "postgresql":
        return bool(await transaction.rows(_with_event(_insert(table)), **values, **events.parameters(event)))
    inserted = bool(await transaction.rows(_alone(_insert(table)), **values))
    if inserted:
        await events.append(transaction, transaction.name, [event])
    return inserted


async def update(
    transaction: Transaction, table: sa.Table, row: Mapping[str, Any], event: Mapping[str, Any] | None, *, expected: int
) -> bool:
    """Updates a row and writes its event. Returns False, and changes nothing, if the row has another version.

    Raises:
        DuplicateError: The name is taken.
    """
    values = {name: row[name] for name in (*_WRITTEN, *_own(table))} | {"row_id": row["id"], "expected": expected}
    if event is not None and transaction.name == "postgresql":
        return bool(await transaction.rows(_with_event(_update(table)), **values, **events.parameters(event)))
    updated = bool(await transaction.rows(_alone(_update(table)), **values))
    if updated and event is not None:
        await events.append(transaction, transaction.name, [event])
    return updated


async def delete(transaction: Transaction, table: sa.Table, identifier: str) -> None:
    """Deletes a row and the reports on it."""
    await transaction.rows(_delete(table), id=identifier)
    await transaction.rows(_DELETE_REPORTS, id=identifier)


async def delete_node_pools(transaction: Transaction, cluster_id: str, *, served: Collection[str] = ()) -> Sequence[Row]:
    """Deletes the node pools of a cluster, with their reports, and returns their rows.

    Args:
        transaction: The transaction.
        cluster_id: The id of the cluster.
        served: Clouds. Their node pools stay if their work has ever been claimed.
    """
    gone = await transaction.rows(_DELETE_POOLS, cluster_id=cluster_id, served=f" {' '.join(served)} ")
    # After the pools: a report locks the row of its pool, so no further report can follow.
    await transaction.many(_DELETE_REPORTS, [{"id": row["id"]} for row in gone])
    return gone


async def node_pools(transaction: Transaction, cluster_id: str) -> Sequence[Row]:
    """Returns the node pools of a cluster, locked until the end of the transaction, by id."""
    return await transaction.rows(_POOLS_OF_CLUSTER, cluster_id=cluster_id)


async def has_node_pools(transaction: Transaction, cluster_id: str) -> bool:
    """Returns whether a cluster has node pools, those that are being deleted included."""
    return bool(await transaction.rows(_ANY_POOL, cluster_id=cluster_id))


async def reports(transaction: Transaction, identifier: str) -> Sequence[Row]:
    """Returns the last report of each controller on a resource, by the controller's name."""
    return await transaction.rows(_REPORTS, id=identifier)


async def get_with_reports(database: Database, table: sa.Table, identifier: str) -> tuple[Row | None, Sequence[Row]]:
    """Returns a row, or None, and the last report of each controller, from one snapshot."""
    rows = await database.rows(_get_with_reports(table), id=identifier)
    names = [column.name for column in tables.REPORTS.c]
    reported = [{name: row[f"report_{name}"] for name in names} for row in rows if row["report_controller_name"] is not None]
    return (rows[0] if rows else None), reported


async def put_report(transaction: Transaction, values: Mapping[str, Any]) -> None:
    """Stores a report in place of the controller's previous one."""
    await transaction.rows(_put_report(), **values)


def _own(table: sa.Table) -> tuple[str, ...]:
    return ("target_project_id",) if table is tables.CLUSTERS else ()


@functools.cache
def _get(table: sa.Table, *, lock: bool) -> Statement:
    query = sa.select(table).where(table.c.id == sa.bindparam("id"))
    return Statement(query.with_for_update() if lock else query)


@functools.cache
def _get_with_reports(table: sa.Table) -> Statement:
    reported = tables.REPORTS
    query = (
        sa.select(table, *(column.label(f"report_{column.name}") for column in reported.c))
        .select_from(table.outerjoin(reported, reported.c.resource_id == table.c.id))
        .where(table.c.id == sa.bindparam("id"))
    )
    return Statement(query.order_by(reported.c.controller_name))


@functools.cache
def _alone(change: sa.Insert | sa.Update) -> Statement:
    return Statement(change)


@functools.cache
def _with_event(change: sa.Insert | sa.Update) -> Statement:
    return Statement(events.of_change(change.cte("written")))


@functools.cache
def _insert(table: sa.Table) -> sa.Insert:
    if table is tables.CLUSTERS:
        return sa.insert(table).values({column.name: sa.bindparam(column.name) for column in table.c}).returning(table.c.id)
    # Locks the cluster's row, so that no pool is added to a cluster during its deletion.
    clusters, pools = tables.CLUSTERS, tables.NODE_POOLS
    values = [sa.cast(sa.bindparam(column.name), column.type) for column in pools.c]
    cluster = (
        sa.select(*values)
        .select_from(clusters)
        .where(
            clusters.c.id == sa.bindparam("cluster_id"),
            clusters.c.owner == sa.bindparam("owner"),
            clusters.c.deleted_at.is_(None),
        )
        .with_for_update(read=True, key_share=True)
    )
    return sa.insert(pools).from_select([column.name for column in pools.c], cluster).returning(pools.c.id)


@functools.cache
def _update(table: sa.Table) -> sa.Update:
    values: dict[str, Any] = {name: sa.bindparam(name) for name in (*_WRITTEN, *_own(table))}
    return (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row_id"), table.c.resource_version == sa.bindparam("expected"))
        .values(values)
        .returning(table.c.id)
    )


@functools.cache
def _delete(table: sa.Table) -> Statement:
    return Statement(sa.delete(table).where(table.c.id == sa.bindparam("id")))


@functools.cache
def _put_report() -> Statement:
    table = tables.REPORTS
    values: dict[str, Any] = {column.name: sa.bindparam(column.name) for column in table.c}
    # Both databases know this clause; SQLAlchemy has it once for each.
    put = postgresql.insert(table).values(values)
    changed = {column.name: put.excluded[column.name] for column in table.c if not column.primary_key}
    return Statement(put.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed))


_POOLS: Final = tables.NODE_POOLS
_CLUSTER_ID: Final[sa.BindParameter[str]] = sa.bindparam("cluster_id")
_REPORTS: Final = Statement(
    sa.select(tables.REPORTS).where(tables.REPORTS.c.resource_id == sa.bindparam("id")).order_by(tables.REPORTS.c.controller_name)
)
_DELETE_REPORTS: Final = Statement(sa.delete(tables.REPORTS).where(tables.REPORTS.c.resource_id == sa.bindparam("id")))
_CLAIMED: Final = sa.exists().where(tables.WORK.c.id == _POOLS.c.id, tables.WORK.c.epoch > 0)
_SERVED: Final = sa.bindparam("served", type_=sa.Text).like("% " + _POOLS.c.platform + " %")
_DELETE_POOLS: Final = Statement(
    sa.delete(_POOLS).where(_POOLS.c.cluster_id == _CLUSTER_ID, sa.not_(sa.and_(_SERVED, _CLAIMED))).returning(_POOLS)
)
_POOLS_OF_CLUSTER: Final = Statement(
    sa.select(_POOLS).where(_POOLS.c.cluster_id == _CLUSTER_ID).order_by(_POOLS.c.id).with_for_update()
)
#: Ordered as a list is, because a planner that expects many rows would look for the first one in the whole table.
_ANY_POOL: Final = Statement(
    sa.select(_POOLS.c.id)
    .where(_POOLS.c.cluster_id >= _CLUSTER_ID, _POOLS.c.cluster_id <= _CLUSTER_ID)
    .order_by(_POOLS.c.cluster_id, _POOLS.c.created_at)
    .limit(1)
)
