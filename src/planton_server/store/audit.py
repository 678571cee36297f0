"""The audit: the actions of controllers in the cloud. An action is written before it begins, and once more when it ends."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from planton_server.store import tables
from planton_server.store.database import Database, Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AUDIT: Final = tables.AUDIT
#: The columns that a later record of the same action changes.
_MOVING: Final = ("outcome", "error", "changes", "ended_at")


class Filter(NamedTuple):
    """The actions that a list contains.

    Attributes:
        resource_id: On this resource.
        kind: ``Cluster`` or ``NodePool``.
        owner: Only those on resources of this owner; of all owners if empty.
    """

    resource_id: str
    kind: str
    owner: str = ""


async def record(transaction: Transaction, values: Mapping[str, Any]) -> Row:
    """Writes an action, and returns it as it is stored. An action that has ended, or that another controller began, stays as it is.

    Args:
        transaction: The transaction.
        values: Values of all columns.
    """
    await transaction.rows(_record(), **values)
    return (await transaction.rows(_GET, resource_id=values["resource_id"], id=values["id"]))[0]


async def page(database: Database, selection: Filter, *, limit: int, after: tuple[str, str] | None = None) -> Sequence[Row]:
    """Returns actions, the newest first.

    Args:
        database: The database.
        selection: The actions that the list contains.
        limit: The maximum number of rows.
        after: ``created_at`` and ``id`` of the row after which the page begins.
    """
    values: dict[str, Any] = {name: value for name, value in selection._asdict().items() if value} | {"limit": limit}
    if after:
        values |= {"created_at": after[0], "after": after[1]}
    return await database.rows(_page(is_owned=bool(selection.owner), is_continued=after is not None), **values)


@functools.cache
def _record() -> Statement:
    # Both databases know this clause; SQLAlchemy has it once for each.
    put = postgresql.insert(_AUDIT).values({column.name: sa.bindparam(column.name) for column in _AUDIT.c})
    is_same = sa.and_(_AUDIT.c.ended_at.is_(None), _AUDIT.c.controller_name == put.excluded.controller_name)
    changed = {name: put.excluded[name] for name in _MOVING}
    return Statement(put.on_conflict_do_update(index_elements=list(_AUDIT.primary_key), set_=changed, where=is_same))


@functools.cache
def _page(*, is_owned: bool, is_continued: bool) -> Statement:
    key = (_AUDIT.c.created_at, _AUDIT.c.id)
    query = sa.select(_AUDIT).where(_AUDIT.c.resource_id == sa.bindparam("resource_id"), _AUDIT.c.kind == sa.bindparam("kind"))
    if is_owned:
        query = query.where(_AUDIT.c.owner == sa.bindparam("owner"))
    if is_continued:
        place = (sa.bindparam("created_at", type_=sa.Text), sa.bindparam("after", type_=sa.Text))
        query = query.where(sa.tuple_(*key) < sa.tuple_(*place))
    return Statement(query.order_by(*(column.desc() for column in key)).limit(sa.bindparam("limit", type_=sa.Integer)))


_GET: Final = Statement(
    sa.select(_AUDIT).where(_AUDIT.c.resource_id == sa.bindparam("resource_id"), _AUDIT.c.id == sa.bindparam("id"))
)
