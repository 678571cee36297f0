"""Credentials of users, encrypted: this module sees no value."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from planton_server.store import tables
from planton_server.store.database import Database, Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TABLE: Final = tables.CREDENTIALS
_KEY: Final = ("owner", "platform", "name")


async def put(transaction: Transaction, values: Mapping[str, Any]) -> Row:
    """Stores a credential in place of the previous one, and returns it.

    Args:
        transaction: The transaction.
        values: Values of all columns. ``created_at`` is that of the first one.
    """
    return (await transaction.rows(_put(), **values))[0]


async def of_owner(database: Database | Transaction, owner: str) -> Sequence[Row]:
    """Returns the credentials of an owner, by cloud and name."""
    return await database.rows(_OF_OWNER, owner=owner)


async def get(database: Database, owner: str, platform: str, name: str) -> Row | None:
    """Returns a credential, or None."""
    rows = await database.rows(_GET, owner=owner, platform=platform, name=name)
    return rows[0] if rows else None


async def delete(transaction: Transaction, owner: str, platform: str, name: str) -> bool:
    """Deletes a credential; returns whether it existed."""
    return bool(await transaction.rows(_DELETE, owner=owner, platform=platform, name=name))


async def every(transaction: Transaction) -> Sequence[Row]:
    """Returns all credentials."""
    return await transaction.rows(_EVERY)


async def reseal(transaction: Transaction, row: Row, *, key: str, secret: str) -> bool:
    """Replaces the encrypted value of a row, unless it has changed since; returns whether it did."""
    place = {name: row[name] for name in _KEY}
    return bool(await transaction.rows(_RESEAL, **place, before=row["secret"], new_key=key, new_secret=secret))


@functools.cache
def _put() -> Statement:
    # Both databases know this clause; SQLAlchemy has it once for each.
    put = postgresql.insert(_TABLE).values({column.name: sa.bindparam(column.name) for column in _TABLE.c})
    changed = {name: put.excluded[name] for name in ("fields", "key", "secret", "updated_at")}
    return Statement(put.on_conflict_do_update(index_elements=list(_TABLE.primary_key), set_=changed).returning(_TABLE))


_IS_IT: Final = tuple(_TABLE.c[name] == sa.bindparam(name) for name in _KEY)
_GET: Final = Statement(sa.select(_TABLE).where(*_IS_IT))
_DELETE: Final = Statement(sa.delete(_TABLE).where(*_IS_IT).returning(_TABLE.c.name))
_OF_OWNER: Final = Statement(
    sa.select(_TABLE).where(_TABLE.c.owner == sa.bindparam("owner")).order_by(_TABLE.c.platform, _TABLE.c.name)
)
_EVERY: Final = Statement(sa.select(_TABLE))
_RESEAL: Final = Statement(
    sa.update(_TABLE)
    .where(*_IS_IT, _TABLE.c.secret == sa.bindparam("before"))
    .values(key=sa.bindparam("new_key", type_=sa.Text), secret=sa.bindparam("new_secret", type_=sa.Text))
    .returning(_TABLE.c.name)
)
