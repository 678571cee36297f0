"""Totals of lists, counted by triggers on every change of rows."""

from __future__ import annotations

import sqlalchemy as sa

from planton_server.store import tables
from support import rows

POOLS = tables.NODE_POOLS


def counted(engine: sa.Engine) -> dict[tuple[str, str], int]:
    """Returns cluster and phase → the number of pools, without zeros."""
    column = tables.TALLIES.c
    query = sa.select(column.cluster_id, column.phase, sa.func.sum(column.number)).group_by(column.cluster_id, column.phase)
    with engine.connect() as connection:
        return {(cluster, phase): int(number) for cluster, phase, number in connection.execute(query) if number}


def test_every_statement_updates_the_totals(engine: sa.Engine) -> None:
    """Inserts, updates and deletes of several rows in several clusters are counted. So are statements without rows."""
    first, second = rows.cluster(engine), rows.cluster(engine)
    for cluster in (first, first, first, second):
        rows.node_pool(engine, cluster)
    assert counted(engine) == {("", "Progressing"): 4, (first, "Progressing"): 3, (second, "Progressing"): 1}
    statements = [
        (sa.update(POOLS).where(POOLS.c.cluster_id == first).values(phase="Ready"), {
            ("", "Progressing"): 1, ("", "Ready"): 3, (first, "Ready"): 3, (second, "Progressing"): 1}),
        (sa.delete(POOLS).where(POOLS.c.phase == "Failed"), {
            ("", "Progressing"): 1, ("", "Ready"): 3, (first, "Ready"): 3, (second, "Progressing"): 1}),
        (sa.delete(POOLS).where(POOLS.c.cluster_id == first), {("", "Progressing"): 1, (second, "Progressing"): 1}),
        (sa.delete(POOLS), {}),
    ]  # fmt: skip
    for statement, expected in statements:
        with engine.begin() as connection:
            connection.execute(statement)
        assert counted(engine) == expected
