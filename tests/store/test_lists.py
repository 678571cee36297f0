"""Lists of clusters and node pools: the rows of each page, and the index that serves them."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from planton_server.store import lists, tables
from support import rows

OWNERS = ("a@example.com", "b@example.com")
PHASES = ("Ready", "Failed", "Deleting")
PLATFORMS = ("gcp", "aws")
#: The index of node pools that serves a filter.
INDEXES = {
    lists.Filter(): "all",
    lists.Filter(deleting=True): "all",
    lists.Filter(phases=("Ready",)): "phase",
    lists.Filter(phases=("Ready", "Failed")): "all",
    lists.Filter(platform="gcp"): "platform",
    lists.Filter(platform="gcp", phases=("Ready",)): "phase",
    lists.Filter(owner=OWNERS[0]): "owner",
    lists.Filter(owner=OWNERS[0], deleting=True): "owner",
    lists.Filter(owner=OWNERS[0], phases=("Ready",)): "owner_phase",
    lists.Filter(owner=OWNERS[0], phases=("Ready", "Failed")): "owner",
    lists.Filter(owner=OWNERS[0], platform="gcp"): "owner",
    lists.Filter(owner=OWNERS[0], cluster_id="first"): "cluster_id",
    lists.Filter(cluster_id="first"): "cluster_id",
    lists.Filter(owner=OWNERS[0], cluster_id="first", platform="gcp", phases=("Ready",), deleting=True): "cluster_id",
}


def cluster(engine, identifier, **values):
    """Inserts a cluster with an id of the test, and returns the id."""
    rows.cluster(engine, id=identifier, **values)
    return identifier


def pools(engine, cluster_id, numbers, **values):
    """Inserts node pools in the phase Ready, each newer than the one before."""
    template = rows.read(engine, tables.NODE_POOLS, rows.node_pool(engine, cluster_id, phase="Ready", **values))
    copies(engine, tables.NODE_POOLS, template, cluster_id, numbers)


def copies(engine, table, template, prefix, numbers):
    """Replaces a row by copies, each newer than the one before."""
    with engine.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.id == template["id"]))
        batch = [
            {**template, "id": f"{prefix}-{n}", "name": f"n{n}", "created_at": f"2026-01-01T00:00:00.{n:06}Z"} for n in numbers
        ]
        connection.execute(sa.insert(table), batch)


def analyze(engine):
    """Updates the statistics, and disables automatic updates."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE node_pools SET (autovacuum_enabled = false)")
            connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("ANALYZE")


def test_each_list_reads_its_index_in_order(engine, plan):
    """A list is not sorted, even if the table has grown since the last statistics."""
    cluster(engine, "first", owner=OWNERS[0])
    cluster(engine, "second", owner=OWNERS[1])
    pools(engine, "first", range(2000), owner=OWNERS[0])
    analyze(engine)
    for state in ("fresh", "grown"):
        if state == "grown":
            pools(engine, "second", range(2000, 6000), owner=OWNERS[1])
        for selection, index in INDEXES.items():
            for place in ({}, {"offset": 1500}, {"after": ("2026-01-01T00:00:00.001500Z", "first-1500")}):
                text = plan(lambda store, a=selection, b=place: lists.page(store, tables.NODE_POOLS, a, limit=51, **b))
                check(text, f"ix_node_pools_list_{index}", (state, selection, place))
                if "offset" in place:
                    assert any(word in text for word in ("Index Only Scan", "COVERING INDEX")), (state, selection, text)


def check(text, index, case):
    """Checks that a plan reads an index in order. Only the rows of the page may be looked up by id and sorted."""
    indexes = {word for word in text.split() if word.startswith(("ix_", "uq_", "pk_", "sqlite_autoindex"))}
    by_id = indexes & {"pk_node_pools", "pk_clusters", "sqlite_autoindex_node_pools_1", "sqlite_autoindex_clusters_1"}
    assert indexes - by_id == {index}, (case, text)
    assert "Seq Scan" not in text, (case, text)
    assert text.count("Sort Key") + text.count("TEMP B-TREE") <= len(by_id), (case, text)


def test_pages_contain_the_rows_of_their_filter(loop, store, engine):
    """For every filter, offset and cursor, a page has the newest remaining rows."""
    for identifier, owner in (("first", OWNERS[0]), ("second", OWNERS[1]), ("third", OWNERS[0])):
        cluster(engine, identifier, owner=owner)
    combinations = itertools.product((("first", OWNERS[0]), ("second", OWNERS[1]), ("third", OWNERS[0])), PHASES, PLATFORMS)
    for number, ((cluster_id, owner), phase, platform) in enumerate(combinations):
        deleted_at = rows.THEN if phase == "Deleting" else None
        values = {"owner": owner, "phase": phase, "platform": platform, "deleted_at": deleted_at}
        # Two of each, created at one of three times.
        for copy in range(2):
            created = f"2026-01-01T00:00:0{number % 3}.000000Z"
            rows.node_pool(engine, cluster_id, created_at=created, name=f"{number}-{copy}", **values)
    with engine.connect() as connection:
        everything = connection.execute(sa.select(tables.NODE_POOLS)).mappings().all()
    everything.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    filters = itertools.product(
        ("", *OWNERS), ("", "first"), ("", "gcp"), ((), ("Failed",), ("Ready", "Failed"), ("Deleting",)), (False, True)
    )
    for selection in itertools.starmap(lists.Filter, filters):
        expected = [row for row in everything if contains(selection, row)]
        assert loop.run(lists.count(store, tables.NODE_POOLS, selection)) == len(expected)
        for offset, begin in ((0, 0), (3, 0), (len(expected), 0), (2, 2), (0, 3)):
            before = expected[begin - 1] if 0 < begin <= len(expected) else None
            after = (before["created_at"], before["id"]) if before else None
            page = loop.run(lists.page(store, tables.NODE_POOLS, selection, limit=5, offset=offset, after=after))
            first = (begin if before else 0) + offset
            assert [row["id"] for row in page] == [row["id"] for row in expected[first : first + 5]], (selection, offset, after)


def contains(selection, row):
    """Returns whether a filter selects a row."""
    return (
        selection.owner in ("", row["owner"])
        and selection.cluster_id in ("", row["cluster_id"])
        and selection.platform in ("", row["platform"])
        and (not selection.phases or row["phase"] in selection.phases)
        and (selection.deleting or row["deleted_at"] is None)
    )


@pytest.mark.parametrize(("selection", "index"), [(lists.Filter(), "all"), (lists.Filter(owner=OWNERS[0]), "owner")])
def test_lists_of_clusters_read_their_index_in_order(engine, plan, selection, index):
    """Clusters have an index for all owners, and one for each owner."""
    template = rows.read(engine, tables.CLUSTERS, cluster(engine, "first", owner=OWNERS[0]))
    copies(engine, tables.CLUSTERS, template, "c", range(3000))
    analyze(engine)
    text = plan(lambda store: lists.page(store, tables.CLUSTERS, selection, limit=51, offset=10))
    check(text, f"ix_clusters_list_{index}", selection)
