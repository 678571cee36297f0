"""The outbox: what happened, written in the transaction that made it happen, read in an order that never changes.

In PostgreSQL the number of a row is given before its transaction commits, so a later number can be seen earlier; a reader that goes by
numbers would miss the others for ever. Events are therefore ordered by transaction first, and shown once no transaction so old
runs any more. The transaction of an event is its own, or the newest one that had ended when the event was written, if that is
later. An earlier writer of the same resource held its row, and has ended. So the events of one resource are in the order of its
changes, although a transaction that began earlier may have waited for one that began later.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from planton_server.store import tables
from planton_server.store.database import Database, Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EVENTS: Final = tables.EVENTS
#: The values that the writer of an event sets.
_INSERTED: Final = tuple(
    column.name for column in _EVENTS.c if column.name not in {"number", "transaction_id", "acknowledged_at"}
)
#: The name of the database → the transaction of an event, for a statement that begins after the resource's row is locked.
CURRENT: Final[Mapping[str, sa.ColumnElement[int]]] = {
    "postgresql": sa.literal_column(
        "greatest(pg_current_xact_id()::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)"
    ),
    "sqlite": sa.literal_column("0"),
}
_OLDEST_RUNNING: Final[Mapping[str, sa.ColumnElement[int]]] = {
    "postgresql": sa.literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
    "sqlite": sa.literal_column("1"),
}


class Cursor(NamedTuple):
    """A place in the stream of events.

    Attributes:
        transaction_id: Of the event that was read last.
        number: Of that event.
    """

    transaction_id: int = -1
    number: int = -1

    def __str__(self) -> str:
        """Returns the cursor as clients see it."""
        return f"{self.transaction_id}-{self.number}"


def place(row: Row) -> Cursor:
    """Returns the place of an event."""
    return Cursor(row["transaction_id"], row["number"])


def cursor(text: str) -> Cursor:
    """Returns the place of a cursor, or the beginning if it is empty.

    Raises:
        ValueError: It is no cursor.
    """
    if not text:
        return Cursor()
    transaction_id, _, number = text.partition("-")
    return Cursor(int(transaction_id), int(number))


async def append(transaction: Transaction, database: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Writes events into the outbox.

    Args:
        transaction: The transaction of the changes that they report.
        database: The database's name.
        events: Values of the columns, but for ``number``, ``transaction_id`` and ``acknowledged_at``.
    """
    if len(events) == 1:
        await transaction.rows(_append(database), **events[0])
    else:
        await transaction.many(_append(database), events)


def of_change(written: sa.CTE) -> sa.Insert:
    """Returns the statement that writes the event of a change in the statement of the change. Without a change there is no event.

    Its parameters are named :func:`parameters`. Only for PostgreSQL, where a statement can have several parts that write.
    """
    values = {name: sa.bindparam(f"event_{name}", type_=_EVENTS.c[name].type) for name in _INSERTED}
    row = sa.select(CURRENT["postgresql"], *values.values()).select_from(written)
    return sa.insert(_EVENTS).inline().from_select(["transaction_id", *values], row).returning(_EVENTS.c.id)


def parameters(event: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an event as the parameters of :func:`of_change`."""
    return {f"event_{name}": event[name] for name in _INSERTED}


async def read(database: Database, after: Cursor, *, limit: int, owner: str = "") -> Sequence[Row]:
    """Returns events, the oldest first; only those of the owner, if one is named."""
    values = {"owner": owner} if owner else {}
    return await database.rows(
        _read(database.name, owned=bool(owner)), transaction_id=after.transaction_id, number=after.number, limit=limit, **values
    )


async def acknowledge(transaction: Transaction, identifier: str, *, now: str, owner: str = "") -> bool:
    """Marks an event as acknowledged; returns whether it exists, and belongs to the owner if one is named."""
    values = {"owner": owner} if owner else {}
    return bool(await transaction.rows(_acknowledge(owned=bool(owner)), id=identifier, now=now, **values))


async def lag(database: Database) -> Row:
    """Returns ``unacknowledged``, how many deletions wait to be acknowledged, and ``oldest``, the time of the first, or None."""
    return (await database.rows(_LAG))[0]


@functools.cache
def _append(database: str) -> Statement:
    values: dict[str, Any] = {name: sa.bindparam(name) for name in _INSERTED}
    return Statement(sa.insert(_EVENTS).inline().values(transaction_id=CURRENT[database], **values))


@functools.cache
def _read(database: str, *, owned: bool) -> Statement:
    key: list[sa.ColumnElement[Any]] = [_EVENTS.c.transaction_id, _EVENTS.c.number]
    place: list[sa.ColumnElement[Any]] = [sa.bindparam("transaction_id"), sa.bindparam("number")]
    conditions = [_EVENTS.c.transaction_id < _OLDEST_RUNNING[database]]
    if owned:
        owner = sa.bindparam("owner", type_=sa.Text)
        # As in lists, the order fits no index but the owner's, whatever the statistics say.
        key, place = [_EVENTS.c.owner, *key], [owner, *place]
        conditions.append(_EVENTS.c.owner <= owner)
    query = sa.select(_EVENTS).where(sa.tuple_(*key) > sa.tuple_(*place), *conditions)
    return Statement(query.order_by(*key).limit(sa.bindparam("limit", type_=sa.Integer)))


@functools.cache
def _acknowledge(*, owned: bool) -> Statement:
    change = sa.update(_EVENTS).where(_EVENTS.c.id == sa.bindparam("id"))
    if owned:
        change = change.where(_EVENTS.c.owner == sa.bindparam("owner"))
    return Statement(
        change.values(acknowledged_at=sa.func.coalesce(_EVENTS.c.acknowledged_at, sa.bindparam("now", type_=sa.Text))).returning(
            _EVENTS.c.id
        )
    )


_LAG: Final = Statement(
    sa.select(sa.func.count().label("unacknowledged"), sa.func.min(_EVENTS.c.time).label("oldest"))
    .select_from(_EVENTS)
    .where(tables.UNACKNOWLEDGED)
)
