"""Who does the timed work, by what the database says and no clock: a holder that beats no more is replaced by whoever sees that.

And what is done when the database's clock has stepped: deadlines and resyncs are points in time, and move with it.
"""

from __future__ import annotations

import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from planton.store import tables

#: The one piece of work there is.
WORK: Final = "timed work"
_LEASES: Final = tables.LEASES


class Lease(NamedTuple):
    """What the database says of the timed work.

    Attributes:
        holder: Who does it; empty for nobody.
        beats: How often it was done.
        steps: How often the clock was seen to step.
        kept_seconds: Seconds that rows are kept longer, as the clock has stepped forward.
        kept_until: RFC 3339; until when that counts.
    """

    holder: str
    beats: int
    steps: int
    kept_seconds: float
    kept_until: str


def now(connection: sa.Connection) -> datetime.datetime:
    """Returns the time by the database's clock."""
    if connection.dialect.name == "sqlite":
        return datetime.datetime.fromisoformat(connection.scalar(_SQLITE_NOW))
    found: datetime.datetime = connection.scalar(_POSTGRESQL_NOW)
    return found.astimezone(datetime.UTC)


def read(engine: sa.Engine) -> Lease:
    """Returns what the database says; makes the row where there is none."""
    with engine.begin() as connection:
        if (row := connection.execute(_READ).one_or_none()) is None:
            connection.execute(sa.text(_MAKE), {"name": WORK})
            row = connection.execute(_READ).one()
        return Lease(*row)


def take(connection: sa.Connection, lease: Lease, holder: str) -> bool:
    """Makes somebody the holder, and returns whether that is so: not where the work was done meanwhile, or another one was quicker."""
    change = _of(lease).values(holder=holder)
    return bool(connection.execute(change).rowcount)


def beat(connection: sa.Connection, lease: Lease) -> bool:
    """Notes that the work was done by the holder; returns whether it still is the holder."""
    return bool(connection.execute(_of(lease).values(beats=_LEASES.c.beats + 1)).rowcount)


def release(connection: sa.Connection, holder: str) -> None:
    """Leaves the work to others, where somebody holds it."""
    connection.execute(sa.update(_LEASES).where(_LEASES.c.name == WORK, _LEASES.c.holder == holder).values(holder=""))


def step(connection: sa.Connection, lease: Lease, seconds: float, *, kept_seconds: float, kept_until: str) -> bool:
    """Moves deadlines and resyncs by a step of the clock, once; returns whether it was this call that did.

    Args:
        connection: In a transaction.
        lease: As it was read.
        seconds: How far the clock has stepped; negative for back.
        kept_seconds: Seconds that rows are kept longer from now on.
        kept_until: RFC 3339; until when that counts.
    """
    change = _of(lease).values(steps=_LEASES.c.steps + 1, kept_seconds=kept_seconds, kept_until=kept_until)
    if not connection.execute(change).rowcount:
        return False
    for table in (tables.CLUSTERS, tables.NODE_POOLS):
        moved = {name: _moved(connection.dialect.name, table.c[name]) for name in tables.DUE}
        any_due = sa.or_(*(table.c[name].is_not(None) for name in tables.DUE))
        value: Any = f"{seconds:+.3f} seconds" if connection.dialect.name == "sqlite" else seconds
        connection.execute(sa.update(table).where(any_due).values(moved), {"seconds": value})
    return True


def _of(lease: Lease) -> sa.Update:
    return sa.update(_LEASES).where(
        _LEASES.c.name == WORK,
        _LEASES.c.holder == lease.holder,
        _LEASES.c.beats == lease.beats,
        _LEASES.c.steps == lease.steps,
    )


def _moved(database: str, column: sa.Column[str]) -> sa.ColumnElement[str]:
    """Returns a time that is moved by the parameter ``seconds``; NULL stays NULL."""
    if database == "sqlite":
        # To the millisecond, which is as far as SQLite's times go.
        return sa.func.strftime("%Y-%m-%dT%H:%M:%f", column, sa.bindparam("seconds", type_=sa.Text)).concat("000Z")
    second: sa.ColumnElement[datetime.timedelta] = sa.literal_column("interval '1 second'", sa.Interval)
    interval = sa.bindparam("seconds", type_=sa.Float) * second
    moved = sa.func.timezone("UTC", sa.cast(column, sa.TIMESTAMP(timezone=True)) + interval)
    return sa.func.to_char(moved, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')


_SQLITE_NOW: Final = sa.text("SELECT strftime('%Y-%m-%dT%H\\:%M\\:%f+00\\:00', 'now')")
_POSTGRESQL_NOW: Final = sa.text("SELECT clock_timestamp()")
_READ: Final = sa.select(*(_LEASES.c[name] for name in Lease._fields)).where(_LEASES.c.name == WORK)
_MAKE: Final = "INSERT INTO leases (name, holder, beats, steps, kept_seconds, kept_until) VALUES (:name, '', 0, 0, 0, '') ON CONFLICT DO NOTHING"
