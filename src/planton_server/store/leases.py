"""Leases on the timed work. A holder that no longer beats is replaced by the server that notices; no clock decides.

When the database's clock steps, deadlines, resyncs, and the work and leases of controllers move with it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from planton_server.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The only piece of work.
WORK: Final = "timed work"
_LEASES: Final = tables.LEASES


class Lease(NamedTuple):
    """The lease on the timed work, as the database stores it.

    Attributes:
        holder: The name of the server that holds it; empty for none.
        beats: The number of times that the work has run.
        steps: The number of detected clock steps.
        kept_seconds: Additional seconds to keep rows, because the clock has stepped forward.
        kept_until: RFC 3339; the end of the additional time.
    """

    holder: str
    beats: int
    steps: int
    kept_seconds: float
    kept_until: str


def now(connection: sa.Connection) -> datetime.datetime:
    """Returns the time of the database's clock."""
    if connection.dialect.name == "sqlite":
        return datetime.datetime.fromisoformat(connection.scalar(_SQLITE_NOW))
    moment: datetime.datetime = connection.scalar(_POSTGRESQL_NOW)
    return moment.astimezone(datetime.UTC)


def read(engine: sa.Engine) -> Lease:
    """Returns the lease; creates the row if there is none."""
    with engine.begin() as connection:
        if (row := connection.execute(_READ).one_or_none()) is None:
            connection.execute(sa.text(_MAKE), {"name": WORK})
            row = connection.execute(_READ).one()
        return Lease(*row)


def take(connection: sa.Connection, lease: Lease, holder: str) -> bool:
    """Takes the lease, and returns whether that succeeded. It fails if the lease has changed since it was read."""
    change = _of(lease).values(holder=holder)
    return bool(connection.execute(change).rowcount)


def beat(connection: sa.Connection, lease: Lease) -> bool:
    """Records that the holder ran the work; returns whether it is still the holder."""
    return bool(connection.execute(_of(lease).values(beats=_LEASES.c.beats + 1)).rowcount)


def release(connection: sa.Connection, holder: str) -> None:
    """Releases the lease, if the holder still has it."""
    connection.execute(sa.update(_LEASES).where(_LEASES.c.name == WORK, _LEASES.c.holder == holder).values(holder=""))


def step(connection: sa.Connection, lease: Lease, seconds: float, *, kept_seconds: float, kept_until: str) -> bool:
    """Moves scheduled times by a step of the clock, once; returns whether this call moved them.

    Args:
        connection: In a transaction.
        lease: The lease as it was read.
        seconds: The size of the step; negative for a step back.
        kept_seconds: Additional seconds to keep rows from now on.
        kept_until: RFC 3339; the end of the additional time.
    """
    change = _of(lease).values(steps=_LEASES.c.steps + 1, kept_seconds=kept_seconds, kept_until=kept_until)
    if not connection.execute(change).rowcount:
        return False
    for table in (tables.CLUSTERS, tables.NODE_POOLS):
        moved = {name: _moved(connection.dialect.name, table.c[name]) for name in tables.DUE}
        any_due = sa.or_(*(table.c[name].is_not(None) for name in tables.DUE))
        value: Any = f"{seconds:+.3f} seconds" if connection.dialect.name == "sqlite" else seconds
        connection.execute(sa.update(table).where(any_due).values(moved), {"seconds": value})
    if seconds < 0:
        _put_back(connection, round(seconds * 1000))
    return True


def _put_back(connection: sa.Connection, milliseconds: int) -> None:
    """Corrects the times of controllers' work after a step back. After a step forward, work is only due earlier."""
    moment = _MOMENT[connection.dialect.name]
    connection.execute(sa.update(tables.WORK).values(due=tables.WORK.c.due + milliseconds))
    for column in (tables.PROCESSES.c.beat, tables.ACCOUNTS.c.at):
        connection.execute(sa.update(column.table).where(column > moment).values({column: moment}))


def _of(lease: Lease) -> sa.Update:
    return sa.update(_LEASES).where(
        _LEASES.c.name == WORK,
        _LEASES.c.holder == lease.holder,
        _LEASES.c.beats == lease.beats,
        _LEASES.c.steps == lease.steps,
    )


def _moved(database: str, column: sa.Column[str]) -> sa.ColumnElement[str]:
    """Returns a time moved by the parameter ``seconds``; NULL stays NULL."""
    if database == "sqlite":
        # To the millisecond, the precision of SQLite's times.
        return sa.func.strftime("%Y-%m-%dT%H:%M:%f", column, sa.bindparam("seconds", type_=sa.Text)).concat("000Z")
    second: sa.ColumnElement[datetime.timedelta] = sa.literal_column("interval '1 second'", sa.Interval)
    interval = sa.bindparam("seconds", type_=sa.Float) * second
    moved = sa.func.timezone("UTC", sa.cast(column, sa.TIMESTAMP(timezone=True)) + interval)
    return sa.func.to_char(moved, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')


#: The milliseconds since 1970 of the database's clock.
_MOMENT: Final[Mapping[str, sa.ColumnElement[int]]] = {
    "postgresql": sa.literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"),
    "sqlite": sa.literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"),
}
_SQLITE_NOW: Final = sa.text("SELECT strftime('%Y-%m-%dT%H\\:%M\\:%f+00\\:00', 'now')")
_POSTGRESQL_NOW: Final = sa.text("SELECT clock_timestamp()")
_READ: Final = sa.select(*(_LEASES.c[name] for name in Lease._fields)).where(_LEASES.c.name == WORK)
_MAKE: Final = "INSERT INTO leases (name, holder, beats, steps, kept_seconds, kept_until) VALUES (:name, '', 0, 0, 0, '') ON CONFLICT DO NOTHING"
