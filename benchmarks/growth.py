"""What the NodePool API takes with a thousand node pools, and with more and more of them: what should stay flat, and what need not.

Usage: python benchmarks/growth.py [--database-url URL] [--most N] [--seconds S]

One connection, one worker. For each number of node pools a server is started on a database that is emptied and filled (a file of SQLite where no URL is given;
a PostgreSQL database is emptied!), and the p50 of each request in ms is shown. A tick is timed work: the statement for
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
FLAT = 2.0  # times as long as with the fewest: noise, and one more level of an index


def measure_ticks(url: str, pools: list[str]) -> dict[str, float]:
    """Returns what ticks take, in ms."""
    engine = engines.blocking(url)
    now = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def deadlines() -> int:
        return ticks.deadlines(engine, now=now, reason="DeadlineExceeded", message="late")

    def resyncs() -> int:
        return ticks.resyncs(engine, now=now, following=None)

    found = {}
    for name, column, tick, due in (
        ("tick, nothing due", "deadline", deadlines, 0),
        (f"tick, {DUE} deadlines", "deadline", deadlines, DUE),
        (f"tick, {DUE} resyncs", "resync_at", resyncs, DUE),
    ):
        found[name] = statistics.median(
            _tick(engine, column, pools[turn * DUE : turn * DUE + due], tick) for turn in range(TIMES)
        )
    engine.dispose()
    return found


def _tick(engine: sa.Engine, column: str, due: list[str], tick: Callable[[], int]) -> float:
    table = tables.NODE_POOLS
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c[column].is_not(None)).values({column: None}))
        connection.execute(
            sa.update(table).where(table.c.id.in_(due)).values({column: "2023-01-01T00:00:00.000000Z", "phase": "Pending"})
        )
    begun = time.perf_counter()
    changed = tick()
    taken = (time.perf_counter() - begun) * 1000
    assert changed == len(due), f"{changed} of {len(due)}"
    return taken


def measure(url: str, pools: int, seconds: float, port: int) -> dict[str, float]:
    """Returns what requests and ticks take with a number of node pools, in ms."""
    server = _server.start(url, 1, pools, port)
    try:
        load = _server.Load(server, 1, seconds)
        named = {name.replace(f"at {pools // 2}", "at half"): make for name, make in _server.requests(server, pools // 2).items()}
        found = {name: asyncio.run(load.measure(make)) for name, make in named.items() if name != "mix"}
    finally:
        _server.stop(server.process)
    assert not any(one.errors for one in found.values())
    return {name: one.p50 for name, one in found.items()} | measure_ticks(url, server.pools)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--port", type=int, default=8972)
    wanted = parser.parse_args()
    first: dict[str, float] = {}
    pools = SMALLEST
    while pools <= wanted.most:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(wanted.database_url or f"sqlite:///{folder}/growth.db", pools, wanted.seconds, wanted.port)
        first = first or found
        print(f"-- {pools} node pools: p50 in ms, and how many times that of {SMALLEST}")
        for name, took in found.items():
            flat = "" if took <= FLAT * first[name] or "offset" in name else f"  more than {FLAT:.0f} times"
            print(f"{name:28}{took:9.2f}{took / first[name]:7.1f}{flat}", flush=True)
        pools *= 10


if __name__ == "__main__":
    main()
