"""Lists of clusters and node pools: one page, and the total number.

Each list reads one index in order and never sorts, whatever the database's statistics say. Statistics lag behind growth: a
planner with old statistics may read the index of all node pools, and scan those of other clusters first. So a page is ordered
by the leading columns of its index too, and no other index provides that order. The index also has the remaining columns that
lists filter by, so that rows before an offset are skipped without a look at the table.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from planton_server.store import tables
from planton_server.store.database import Database, Row, Statement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Filter(NamedTuple):
    """The rows that a list contains.

    Attributes:
        owner: Only the resources of this owner; of all owners if empty.
        cluster_id: Only the node pools of this cluster; of all clusters if empty.
        platform: Only the resources on this cloud; on all clouds if empty.
        phases: Only the resources in these phases; in all phases if empty.
        deleting: Whether to include resources that are being deleted.
    """

    owner: str = ""
    cluster_id: str = ""
    platform: str = ""
    phases: tuple[str, ...] = ()
    deleting: bool = False

    @property
    def values(self) -> dict[str, str]:
        """Returns the values of the filter's parameters."""
        return {
            **{name: value for name in ("owner", "cluster_id", "platform") if (value := getattr(self, name))},
            **{f"phase_{number}": phase for number, phase in enumerate(self.phases)},
        }

    @property
    def form(self) -> Filter:
        """Returns the filter without its values. Filters of one form share a statement."""
        owner, cluster_id, platform = ("?" if value else "" for value in self[:3])
        return Filter(owner, cluster_id, platform, ("?",) * len(self.phases), self.deleting)


async def page(
    database: Database, table: sa.Table, selection: Filter, *, limit: int, offset: int = 0, after: tuple[str, str] | None = None
) -> Sequence[Row]:
    """Returns rows of a list, the newest first.

    Args:
        database: The database.
        table: The table of clusters or of node pools.
        selection: The rows that the list contains.
        limit: The maximum number of rows.
        offset: The number of rows to skip.
        after: ``created_at`` and ``id`` of the row after which the page begins.
    """
    values: dict[str, Any] = selection.values | {"limit": limit, "offset": offset}
    if after:
        values |= {"created_at": after[0], "id": after[1]}
    statement = _page(database.name, table, selection.form, has_offset=bool(offset), is_continued=after is not None)
    return await database.rows(statement, **values)


async def count(database: Database, table: sa.Table, selection: Filter) -> int:
    """Returns the number of rows on all pages of a list."""
    rows = await database.rows(_count(table, selection.form), **selection.values)
    return int(rows[0][0])


async def count_in_cluster(database: Database, selection: Filter) -> tuple[Row | None, int]:
    """Returns the cluster of a list of node pools, or None if it is missing, and the number of rows on all pages."""
    rows = await database.rows(_count_in_cluster(selection.form), **selection.values)
    return (rows[0], int(rows[0]["total"])) if rows else (None, 0)


@functools.cache
def _page(database: str, table: sa.Table, form: Filter, *, has_offset: bool, is_continued: bool) -> Statement:
    leading = _leading(table, form)
    key = [table.c[name] for name in (*leading, "created_at", "id")]
    conditions = _conditions(table, form, leading)
    if is_continued:
        place = [*leading.values(), sa.bindparam("created_at"), sa.bindparam("id")]
        conditions.append(sa.tuple_(*key) < sa.tuple_(*place))
    limit, offset = (sa.bindparam(name, type_=sa.Integer) for name in ("limit", "offset"))

    def rows_of(*columns: Any) -> sa.Select[Any]:  # a table or some of its columns
        return sa.select(*columns).where(*conditions).order_by(*(column.desc() for column in key)).limit(limit).offset(offset)

    if not has_offset and not _skips_rows(form, leading):
        return Statement(rows_of(table))
    # Rows are skipped in the index alone; the table is read for those on the page.
    ids = rows_of(table.c.id)
    # A planner that expects many ids joins with the whole table, but it expects few elements of an array.
    is_on_page = (
        table.c.id == sa.func.any(sa.func.array(ids.scalar_subquery())) if database == "postgresql" else table.c.id.in_(ids)
    )
    return Statement(sa.select(table).where(is_on_page).order_by(table.c.created_at.desc(), table.c.id.desc()))


def _skips_rows(form: Filter, leading: Collection[str]) -> bool:
    """Returns whether a list can skip many rows of its index."""
    return bool(form.platform and "platform" not in leading) or bool(form.phases and "phase" not in leading)


@functools.cache
def _count(table: sa.Table, form: Filter) -> Statement:
    if table is tables.NODE_POOLS:
        return Statement(_total(form))
    return Statement(sa.select(sa.func.count()).select_from(table).where(*_conditions(table, form, _leading(table, form))))


@functools.cache
def _count_in_cluster(form: Filter) -> Statement:
    clusters = tables.CLUSTERS
    total = _total(form).scalar_subquery().label("total")
    return Statement(sa.select(clusters.c.owner, clusters.c.deleted_at, total).where(clusters.c.id == sa.bindparam("cluster_id")))


def _total(form: Filter) -> sa.Select[tuple[int]]:
    """Returns the query for the number of node pools of a list: a sum over a few rows."""
    table = tables.TALLIES
    conditions = [table.c[name] == sa.bindparam(name) for name in ("owner", "platform") if getattr(form, name)]
    conditions.append(table.c.cluster_id == (sa.bindparam("cluster_id") if form.cluster_id else sa.literal_column("''")))
    if form.phases:
        conditions.append(_in_phases(table, form))
    if not form.deleting:
        conditions.append(_is_kept(table))
    return sa.select(sa.func.coalesce(sa.func.sum(table.c.number), sa.literal_column("0"))).where(*conditions)


def _leading(table: sa.Table, form: Filter) -> dict[str, sa.BindParameter[str]]:
    """Returns the leading columns of a list's index, with the parameters that they are compared with."""
    filters = {name: sa.bindparam(name, type_=sa.Text) for name in ("cluster_id", "owner", "platform") if getattr(form, name)}
    if len(form.phases) == 1:
        filters["phase"] = sa.bindparam("phase_0", type_=sa.Text)
    leading = next(columns for columns in tables.LISTS[table] if filters.keys() >= set(columns))
    return {name: filters[name] for name in leading}


def _conditions(table: sa.Table, form: Filter, leading: Mapping[str, sa.BindParameter[str]]) -> list[sa.ColumnElement[bool]]:
    """Returns the conditions of a list's rows, so that they fit the list's index and no other one."""
    conditions: list[sa.ColumnElement[bool]] = []
    for name, value in leading.items():
        # A column that is equal to a constant has no order, so that all indexes would provide the order of the list.
        conditions += [table.c[name] >= value, table.c[name] <= value]
    rest = [table.c[name] == sa.bindparam(name) for name in ("owner", "platform") if getattr(form, name) and name not in leading]
    if form.phases and "phase" not in leading:
        rest.append(_in_phases(table, form))
    # No index serves a test for truth.
    conditions += [condition.is_(sa.true()) for condition in rest]
    if not form.deleting:
        conditions.append(_is_kept(table))
    return conditions


def _in_phases(table: sa.Table, form: Filter) -> sa.ColumnElement[bool]:
    return table.c.phase.in_([sa.bindparam(f"phase_{number}") for number in range(len(form.phases))])


def _is_kept(table: sa.Table) -> sa.ColumnElement[bool]:
    """Returns the condition that a resource is not being deleted. Without statistics, a planner takes it for true and not for rare."""
    return table.c.phase != sa.literal_column("'Deleting'")
