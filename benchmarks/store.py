"""Compares the store's database layer with SQLAlchemy's asyncio engine, on PostgreSQL through the same driver.

Usage: python benchmarks/store.py [--database-url URL] [--rounds N] [--statements N]

Both run the same compiled statements on the same rows: one node pool by its id, and a page of 50. They take turns, so that other
work on the machine affects both. The figures are the processor time of this process for each statement, the median of all rounds.
Without ``--database-url`` the benchmark starts a temporary PostgreSQL. It empties a database given by ``--database-url``!

Exits with 1 if the store takes more than two thirds of the engine's time for either statement.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

import _server
import sqlalchemy as sa
from sqlalchemy.ext import asyncio as sqlalchemy_asyncio

from planton_server.store import database, engines, lists, resources, schema, tables

POOLS = 2_000
CONNECTIONS = 8
MAXIMUM = 2 / 3
Run = Callable[[], Awaitable[object]]


async def cpu(run: Run, statements: int) -> float:
    """Returns the milliseconds of processor time for each statement."""

    async def connection() -> None:
        for _ in range(statements // CONNECTIONS):
            await run()

    started = time.process_time()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return (time.process_time() - started) / statements * 1000


async def measure(url: str, identifier: str, options: argparse.Namespace) -> bool:
    """Prints the figures; returns whether the store is fast enough."""
    # Neither runs BEGIN and ROLLBACK around a statement that reads.
    store = await database.connect(url, connections=CONNECTIONS)
    engine = sqlalchemy_asyncio.create_async_engine(
        sa.make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=CONNECTIONS,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
    )
    table = tables.NODE_POOLS
    by_id = sa.select(table).where(table.c.id == sa.bindparam("id"))
    page = (
        sa.select(table)
        .where(table.c.owner == sa.bindparam("owner"), table.c.phase != "Deleting")
        .order_by(table.c.owner.desc(), table.c.created_at.desc(), table.c.id.desc())
        .limit(50)
    )

    async def through_engine(query: sa.Select, values: dict[str, str]) -> object:
        async with engine.connect() as connection:
            return (await connection.execute(query, values)).all()

    pairs: dict[str, tuple[Run, Run]] = {
        "one node pool": (
            lambda: resources.get(store, table, identifier),
            lambda: through_engine(by_id, {"id": identifier}),
        ),
        "page of 50": (
            lambda: lists.page(store, table, lists.Filter(owner=_server.OWNER), limit=50),
            lambda: through_engine(page, {"owner": _server.OWNER}),
        ),
    }
    is_fast = True
    for name, runs in pairs.items():
        rounds = [[await cpu(run, options.statements) for run in runs] for _ in range(options.rounds + 1)][1:]
        ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
        ratio = statistics.median(store_time / engine_time for store_time, engine_time in rounds)
        print(f"{name:16}store {ours:6.3f} ms   asyncio engine {theirs:6.3f} ms   ratio {ratio:5.2f}", flush=True)
        is_fast = is_fast and ratio <= MAXIMUM
    await store.close()
    await engine.dispose()
    return is_fast


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--statements", type=int, default=800)
    options = parser.parse_args()
    url_context = contextlib.nullcontext(options.database_url) if options.database_url else _server.postgresql()
    with url_context as url:
        _server.empty(url)
        schema.migrate(url)
        engine = engines.blocking(url)
        _, identifiers = _server.fill(engine, POOLS)
        engine.dispose()
        is_fast = asyncio.run(measure(url, identifiers[0], options))
    sys.exit(0 if is_fast else 1)


if __name__ == "__main__":
    main()
