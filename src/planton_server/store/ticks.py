"""Timed work: deadlines, resyncs and the deletion of old rows, each in one set-based statement.

A tick takes the time as an argument, and does all work that is due then. Concurrent and repeated ticks do nothing twice.
A tick does not wait for requests: it skips rows that are being written, and the next tick handles them.
"""

from __future__ import annotations

import datetime
import functools
import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from planton_server.store import events, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The actor of the events that ticks write.
ACTOR: Final = "system"
_EVENTS: Final = tables.EVENTS
_KINDS: Final = {tables.CLUSTERS: ("Cluster", "cluster"), tables.NODE_POOLS: ("NodePool", "nodepool")}
_DELETIONS: Final = ("cluster.deleted", "nodepool.deleted")
_NOW: Final = sa.bindparam("now", type_=sa.Text)
_SOON: Final = sa.bindparam("soon", type_=sa.Text)
#: The maximum duration of a tick plus the maximum difference between the clocks of two servers.
_APART: Final = datetime.timedelta(seconds=10)
#: A random UUID, as text.
_UUID: Final[Mapping[str, sa.ColumnElement[str]]] = {
    "postgresql": sa.literal_column("gen_random_uuid()::text"),
    "sqlite": sa.literal_column(
        "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'"
        " || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
    ),
}


def deadlines(engine: sa.Engine, *, now: str, reason: str, message: str) -> int:
    """Marks resources as failed after their deadline, with events for node pools. Returns the number of failed resources.

    The deadline stays set: a later report can only change the phase to Ready.

    Args:
        engine: The database.
        now: RFC 3339, as all times in the tables.
        reason: Of the new status.
        message: Of the new status.
    """
    values = {"now": now, "soon": _later(now), "reason": reason, "message": message}
    return sum(_run(engine, _deadlines(engine.dialect.name, table), values) for table in _KINDS)


def resyncs(engine: sa.Engine, *, now: str, following: Mapping[str, str] | None) -> int:
    """Resyncs the desired state of resources that are due. Returns their number.

    Args:
        engine: The database.
        now: RFC 3339.
        following: First two digits of an id → time of the next resync; None for no further resync.
    """
    values = {"now": now, "soon": _later(now), "following": json.dumps(following or {})}
    return sum(_run(engine, _resyncs(engine.dialect.name, table), values) for table in _KINDS)


def plan_resyncs(engine: sa.Engine, *, following: Mapping[str, str]) -> int:
    """Schedules resources that were written while resyncs were off. Returns their number.

    Args:
        engine: The database.
        following: First two digits of an id → time of the next resync.
    """
    return sum(_run(engine, _unplanned(engine.dialect.name, table), {"following": json.dumps(following)}) for table in _KINDS)


def clean(engine: sa.Engine, *, events_before: str, answers_before: str, audit_before: str) -> int:
    """Deletes old events, answers to repeated requests and audit, and processes that ended a day ago. Keeps unacknowledged deletions.

    Args:
        engine: The database.
        events_before: RFC 3339; older events are deleted.
        answers_before: RFC 3339; older answers are deleted.
        audit_before: RFC 3339; older actions of controllers are deleted.

    Returns:
        The number of deleted rows.
    """
    with engine.begin() as connection:
        deleted = connection.execute(_OLD_EVENTS, {"before": events_before}).rowcount
        deleted += connection.execute(_OLD_PROCESSES).rowcount
        deleted += connection.execute(_OLD_AUDIT, {"before": audit_before}).rowcount
        return deleted + connection.execute(_OLD_ANSWERS, {"before": answers_before}).rowcount


def _run(engine: sa.Engine, statements: tuple[sa.Executable, ...], values: Mapping[str, Any]) -> int:
    """Runs statements in one transaction; returns how many rows the last one wrote."""
    with engine.begin() as connection:
        options = {"preserve_rowcount": True}
        return [connection.execute(statement, values, execution_options=options).rowcount for statement in statements][-1]


@functools.cache
def _deadlines(database: str, table: sa.Table) -> tuple[sa.Executable, ...]:
    change = {
        "phase": sa.literal_column("'Failed'"),
        "reason": sa.bindparam("reason", type_=sa.Text),
        "message": sa.bindparam("message", type_=sa.Text),
        "status_time": _NOW,
        "updated_at": _NOW,
        "resource_version": table.c.resource_version + 1,
    }
    due = _due(table, "deadline")
    if table is tables.CLUSTERS:
        # There is no event about a cluster's status.
        return (_update(database, table, due, change),)
    return _with_events(database, table, due, change, "status_updated")


@functools.cache
def _resyncs(database: str, table: sa.Table) -> tuple[sa.Executable, ...]:
    return _with_events(database, table, _due(table, "resync_at"), {"resync_at": _following(database, table)}, "updated")


@functools.cache
def _unplanned(database: str, table: sa.Table) -> tuple[sa.Executable, ...]:
    return (_update(database, table, table.c.resync_at.is_(None), {"resync_at": _following(database, table)}),)


def _following(database: str, table: sa.Table) -> sa.ColumnElement[str]:
    """Returns the time for the first two digits of a row's id, from a JSON object with the times of all digits."""
    times: sa.ColumnElement[Any] = sa.bindparam("following", type_=sa.Text)
    place = sa.func.substr(table.c.id, sa.literal_column("1"), sa.literal_column("2"))
    if database == "sqlite":
        path = sa.literal_column("'$.\"'").concat(place).concat(sa.literal_column("'\"'"))
        return sa.func.json_extract(times, path)
    return sa.cast(times, postgresql.JSON).op("->>")(place)


def _due(table: sa.Table, time: str) -> sa.ColumnElement[bool]:
    # Rows written since the start of the tick are left to the next one: their events could get numbers before the writer's.
    # A time in the future comes from a clock that was set back since.
    written_before = sa.or_(table.c.updated_at <= _NOW, table.c.updated_at > _SOON)
    return sa.and_(tables.DUE[time], table.c[time] <= _NOW, written_before)


def _later(now: str) -> str:
    # The format of all times in the tables.
    return f"{(datetime.datetime.fromisoformat(now) + _APART).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _update(database: str, table: sa.Table, due: sa.ColumnElement[bool], change: Mapping[str, Any]) -> sa.Update:
    if database == "sqlite":
        return sa.update(table).where(due).values(change)
    return _update_of(table, _free(table, due), change)


def _free(table: sa.Table, due: sa.ColumnElement[bool]) -> sa.CTE:
    """Returns the due rows that no other transaction is writing."""
    return sa.select(table).where(due).with_for_update(skip_locked=True).cte("due")


def _update_of(table: sa.Table, free: sa.CTE, change: Mapping[str, Any]) -> sa.Update:
    return sa.update(table).where(table.c.id.in_(sa.select(free.c.id))).values(change)


def _with_events(
    database: str, table: sa.Table, due: sa.ColumnElement[bool], change: Mapping[str, Any], what: str
) -> tuple[sa.Executable, ...]:
    """Returns the statements of a change with its events. The last one writes one row per changed resource."""
    if database == "sqlite":
        # SQLite has one writer at a time, so both statements see the same rows.
        update = _update(database, table, due, change)
        return _insert(database, table, sa.select(table).where(due).subquery(), what), update
    free = _free(table, due)
    changed = _update_of(table, free, change).returning(table).cte("changed")
    events_of = _insert(database, table, changed, what)
    if "phase" not in change:
        return (events_of,)
    # The trigger would update the same few counters once per resource.
    count = sa.select(sa.func.set_config("planton.counts", "itself", sa.true()))
    return count, events_of.add_cte(_counted(free, change["phase"]).cte("counted"))


def _counted(free: sa.CTE, phase: sa.ColumnElement[str]) -> sa.Insert:
    """Returns the statement that counts rows which leave their phases for another one, in PostgreSQL."""
    tallies = tables.TALLIES
    old = free.c
    empty: sa.ColumnElement[str] = sa.literal_column("''")
    shard = sa.func.mod(sa.func.pg_backend_pid(), sa.literal_column("64"))
    parts = [
        sa.select(cluster.label("cluster_id"), old.owner, old.platform, each.label("phase"), sa.literal_column(sign).label("one"))
        for cluster in (empty, old.cluster_id)
        for each, sign in ((old.phase, "-1"), (phase, "1"))
    ]
    union = sa.union_all(*parts).subquery("changes").c
    # In the order of the key, as the trigger does it, so that two connections cannot deadlock.
    key = (union.cluster_id, union.owner, union.platform, union.phase)
    rows = sa.select(*key, shard, sa.func.sum(union.one)).group_by(*key).order_by(*key)
    put = postgresql.insert(tallies).from_select([column.name for column in tallies.c], rows)
    return put.on_conflict_do_update(
        index_elements=list(tallies.primary_key), set_={"number": tallies.c.number + put.excluded.number}
    )


def _insert(database: str, table: sa.Table, changed: sa.FromClause, what: str) -> sa.Insert:
    name, noun = _KINDS[table]
    row = changed.c
    values: dict[str, sa.ColumnElement[Any]] = {
        "transaction_id": events.CURRENT[database],
        "id": _UUID[database],
        "type": sa.literal_column(f"'{noun}.{what}'"),
        "kind": sa.literal_column(f"'{name}'"),
        "resource_id": row.id,
        "cluster_id": row.id if table is tables.CLUSTERS else row.cluster_id,
        "name": row.name,
        "owner": row.owner,
        "generation": row.generation,
        "actor": sa.literal_column(f"'{ACTOR}'"),
        "time": _NOW,
        "replacement": sa.literal_column("''"),
    }
    return sa.insert(_EVENTS).inline().from_select(list(values), sa.select(*values.values()).select_from(changed))


_OLD_EVENTS: Final = sa.delete(_EVENTS).where(
    _EVENTS.c.time < sa.bindparam("before", type_=sa.Text),
    sa.or_(_EVENTS.c.type.not_in(_DELETIONS), _EVENTS.c.acknowledged_at.is_not(None)),
)
#: A day before the latest heartbeat of any process.
_OLD_PROCESSES: Final = sa.delete(tables.PROCESSES).where(
    tables.PROCESSES.c.ended_at < sa.select(sa.func.max(tables.PROCESSES.c.beat) - 86_400_000).scalar_subquery()
)
_OLD_ANSWERS: Final = sa.delete(tables.ANSWERS).where(tables.ANSWERS.c.created_at < sa.bindparam("before", type_=sa.Text))
_OLD_AUDIT: Final = sa.delete(tables.AUDIT).where(tables.AUDIT.c.created_at < sa.bindparam("before", type_=sa.Text))
