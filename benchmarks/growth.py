"""Measures requests to the NodePool API with growing numbers of node pools. Their durations should stay flat, except at an offset.

Usage: python benchmarks/growth.py [--database-url URL] [--most N] [--seconds S]

One connection, one worker. For each number of node pools a server starts on an emptied and filled database (by default a SQLite file;
a PostgreSQL database is emptied!). The figures are the p50 of each request in ms. A tick is timed work: the statement for
deadlines, with nothing and with 100 node pools due, and the resync of 100 node pools.
"""

import argparse
import asyncio
import datetime
import statistics
import tempfile
import time
from collections.abc import Callable

import _server
import sqlalchemy as sa

from planton_server.store import engines, tables, ticks

SMALLEST = 1_000
DUE = 100
TIMES = 5
FLAT = 2.0  # maximum ratio to the smallest size: noise, and one more level of an index


def measure_ticks(url: str, pools: list[str]) -> dict[str, float]:
    """Returns the durations of ticks, in ms."""
    engine = engines.blocking(url)
    now = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def deadlines() -> int:
        return ticks.deadlines(engine, now=now, reason="DeadlineExceeded", message="late")

    def resyncs() -> int:
        return ticks.resyncs(engine, now=now, following=None)

    durations = {}
    for name, column, tick, due in (
        ("tick, nothing due", "deadline", deadlines, 0),
        (f"tick, {DUE} deadlines", "deadline", deadlines, DUE),
        (f"tick, {DUE} resyncs", "resync_at", resyncs, DUE),
    ):
        durations[name] = statistics.median(
            _tick(engine, column, pools[turn * DUE : turn * DUE + due], tick) for turn in range(TIMES)
        )
    engine.dispose()
    return durations


def _tick(engine: sa.Engine, column: str, due: list[str], tick: Callable[[], int]) -> float:
    table = tables.NODE_POOLS
    with engine.begin() as connection:
        for other in (tables.CLUSTERS, table):
            connection.execute(sa.update(other).where(other.c[column].is_not(None)).values({column: None}))
        connection.execute(
            sa.update(table).where(table.c.id.in_(due)).values({column: "2023-01-01T00:00:00.000000Z", "phase": "Pending"})
        )
    started = time.perf_counter()
    changed = tick()
    duration = (time.perf_counter() - started) * 1000
    assert changed == len(due), f"{changed} of {len(due)}"
    return duration


def measure(url: str, pools: int, seconds: float, port: int) -> dict[str, float]:
    """Returns the durations of requests and ticks with a number of node pools, in ms."""
    server = _server.start(url, 1, pools, port)
    try:
        load = _server.Load(server, 1, seconds)
        named = {name.replace(f"at {pools // 2}", "at half"): make for name, make in _server.requests(server, pools // 2).items()}
        measured = {name: asyncio.run(load.measure(make)) for name, make in named.items() if name != "mix"}
    finally:
        _server.stop(server.process)
    assert not any(figures.errors for figures in measured.values())
    return {name: figures.p50 for name, figures in measured.items()} | measure_ticks(url, server.pools)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--port", type=int, default=8972)
    options = parser.parse_args()
    first: dict[str, float] = {}
    pools = SMALLEST
    while pools <= options.most:
        with tempfile.TemporaryDirectory() as folder:
            durations = measure(options.database_url or f"sqlite:///{folder}/growth.db", pools, options.seconds, options.port)
        first = first or durations
        print(f"-- {pools} node pools: p50 in ms, and the ratio to {SMALLEST}")
        for name, duration in durations.items():
            flat = "" if duration <= FLAT * first[name] or "offset" in name else f"  more than {FLAT:.0f} times"
            print(f"{name:28}{duration:9.2f}{duration / first[name]:7.1f}{flat}", flush=True)
        pools *= 10


if __name__ == "__main__":
    main()
