"""What operators measure: whether the database answers, and how many nodes each pool has and should have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa

from planton_server.store import tables
from planton_server.store.database import Database, Row, Statement, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_POOLS: Final = tables.NODE_POOLS
_REPORTS: Final = tables.REPORTS
_TALLIES: Final = tables.TALLIES


class Nodes(NamedTuple):
    """The nodes of one pool.

    Attributes:
        identifier: The pool's id.
        cluster_id: Its cluster's.
        name: The pool's.
        platform: Its cloud.
        desired: How many a controller that has observed the spec says there should be, else the ``nodeCount`` of the spec; None where
            neither says, and 0 where the pool is being deleted.
        active: How many a controller says there are; None where none does.
    """

    identifier: str
    cluster_id: str
    name: str
    platform: str
    desired: float | None
    active: float | None


async def answers(database: Database) -> bool:
    """Returns whether the database answers."""
    try:
        await database.rows(_PING)
    except UnavailableError:
        return False
    return True


async def is_writable(database: Database) -> bool:
    """Returns whether the database can be written. After a full disk it is false until a row can be written again."""
    if database.is_writable():
        return True
    try:
        async with database.transaction() as transaction:
            await transaction.rows(_PROBE)
    except UnavailableError:
        return False
    return database.is_writable()


async def tallies(database: Database) -> Sequence[Row]:
    """Returns how many node pools there are, by ``phase`` and ``platform``: ``number``; those that are being deleted too."""
    return await database.rows(_BY_PHASE)


async def nodes(database: Database, *, limit: int) -> list[Nodes]:
    """Returns the nodes of pools, the newest pools first, at most ``limit`` of them."""
    by_pool: dict[str, list[Row]] = {}
    for row in await database.rows(_NODES, limit=limit):
        by_pool.setdefault(row["id"], []).append(row)
    return [_nodes(rows) for rows in by_pool.values()]


async def conditions(database: Database) -> Sequence[Row]:
    """Returns the numbers of clusters and node pools by ``kind``, ``platform``, and ``type``, ``status`` and ``reason`` of a condition.

    It reads all resources: about a second for a hundred thousand.
    """
    return await database.rows(_CONDITIONS[database.name])


def _nodes(rows: Sequence[Row]) -> Nodes:
    """Returns the nodes of one pool: of what controllers say of it, the latest counts."""
    pool = rows[0]
    reports = sorted((row for row in rows if row["metadata"]), key=lambda row: row["updated_at"])
    counts = [(row["observed_generation"] == pool["generation"], json.loads(row["metadata"])) for row in reports]
    desired = _last(data.get("desired_nodes") for observed, data in counts if observed)
    if desired is None:
        desired = json.loads(pool["spec"]).get("nodeCount")
    return Nodes(
        pool["id"],
        pool["cluster_id"],
        pool["name"],
        pool["platform"],
        0 if pool["deleted_at"] else desired,
        _last(data.get("active_nodes") for _, data in counts),
    )


def _last(values: Iterable[object]) -> float | None:
    """Returns the last of the values that is a number: metadata are any JSON."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return numbers[-1] if numbers else None


#: A write that succeeds with or without an existing row.
_PROBE: Final = Statement(
    sa.text(
        "INSERT INTO leases (name, holder, beats, steps, kept_seconds, kept_until) VALUES ('probe', '', 0, 0, 0, '')"
        " ON CONFLICT (name) DO UPDATE SET beats = leases.beats + 1"
    )
)
_PING: Final = Statement(sa.select(sa.literal_column("1")))
_NUMBER: Final = sa.cast(sa.func.sum(_TALLIES.c.number), sa.BigInteger)
_BY_PHASE: Final = Statement(
    sa.select(_TALLIES.c.phase, _TALLIES.c.platform, _NUMBER.label("number"))
    .where(_TALLIES.c.cluster_id == sa.literal_column("''"))
    .group_by(_TALLIES.c.phase, _TALLIES.c.platform)
    .having(sa.func.sum(_TALLIES.c.number) != sa.literal_column("0"))
)
#: Database → the elements of a JSON list, and a text in one.
_JSON: Final = {
    "sqlite": ("json_each(conditions)", "json_extract(one.value, '$.{name}')"),
    "postgresql": ("json_array_elements(CAST(conditions AS json))", "one.value ->> '{name}'"),
}
_OF_CONDITION: Final = ("type", "status", "reason")


def _by_condition(database: str) -> Statement:
    elements, text = _JSON[database]
    shown = ", ".join(f'{text.format(name=name)} AS "{name}"' for name in _OF_CONDITION)
    parts = [
        f"SELECT '{kind}' AS kind, platform, {shown} FROM {table} CROSS JOIN {elements} AS one"  # noqa: S608  # constants
        for kind, table in (("Cluster", "clusters"), ("NodePool", "node_pools"))
    ]
    text = f'SELECT kind, platform, "type", "status", "reason", count(*) AS number FROM ({" UNION ALL ".join(parts)}) AS listed'  # noqa: S608  # constants
    return Statement(sa.text(f'{text} GROUP BY kind, platform, "type", "status", "reason" ORDER BY number DESC LIMIT 1000'))


_CONDITIONS: Final = {database: _by_condition(database) for database in _JSON}
_OF_A_POOL: Final = ("id", "cluster_id", "name", "platform", "spec", "generation", "created_at", "deleted_at")
_NEWEST: Final = (
    sa.select(*(_POOLS.c[name] for name in _OF_A_POOL))
    .order_by(_POOLS.c.created_at.desc(), _POOLS.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .subquery("newest")
)
_NODES: Final = Statement(
    sa.select(_NEWEST, _REPORTS.c.observed_generation, _REPORTS.c.metadata, _REPORTS.c.updated_at)
    .select_from(_NEWEST.outerjoin(_REPORTS, _REPORTS.c.resource_id == _NEWEST.c.id))
    .order_by(_NEWEST.c.created_at.desc(), _NEWEST.c.id.desc())
)
