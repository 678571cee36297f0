"""Measures pages of node-pool lists at a large offset, before and after other clusters grow.

Usage: python benchmarks/offset_pages.py [--database-url URL] [--workers N] [--seconds S] [--connections C]

One cluster has 12,000 node pools. The list is read at offset 9,900 in two states: after ``VACUUM ANALYZE``, and again after other
clusters have grown by 25,000 newer node pools while the statistics stay old. Without ``--database-url`` the benchmark uses a SQLite
file, and then a temporary PostgreSQL. It empties a database given by ``--database-url``!

Exits with 1 if PostgreSQL serves the list of the cluster at less than 300 requests per second in either state.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator

import _server
import sqlalchemy as sa

POOLS = 12_000
GROWTH = 25_000
DEPTH = 9_900
MINIMUM = 300.0


def requests(server: _server.Server) -> dict[str, _server.Make]:
    """Returns the measured lists: name → a function that returns a request."""
    cluster = server.clusters[0]
    paths = {
        "cluster, first page": f"/api/v1/clusters/{cluster}/nodepools?limit=50",
        "cluster": f"/api/v1/clusters/{cluster}/nodepools?limit=50&offset={DEPTH}",
        "cluster, by status": f"/api/v1/clusters/{cluster}/nodepools?limit=50&offset={DEPTH}&status=Pending",
        "cluster, by platform": f"/api/v1/clusters/{cluster}/nodepools?limit=50&offset={DEPTH}&platform=gcp",
        "owner, first page": "/api/v1/nodepools?limit=50",
        "owner": f"/api/v1/nodepools?limit=50&offset={DEPTH}",
        "owner, by status": f"/api/v1/nodepools?limit=50&offset={DEPTH}&status=Pending",
    }
    return {name: lambda path=path: ("GET", path, None) for name, path in paths.items()}


def measure(url: str, options: argparse.Namespace) -> bool:
    """Prints the rates of both states; returns whether the cluster's list is fast enough in both."""
    server = _server.start(url, options.workers, POOLS, options.port, clusters=1)
    try:
        load = _server.Load(server, options.connections, options.seconds)

        def rates() -> dict[str, _server.Measured]:
            return {name: asyncio.run(load.measure(make)) for name, make in requests(server).items()}

        fresh = rates()
        _server.grow(url, GROWTH)
        grown = rates()
    finally:
        _server.stop(server.process)
    print(f"-- {sa.make_url(url).get_backend_name()}, {options.workers} workers, {options.connections} connections; p50 in ms")
    for name, before in fresh.items():
        after = grown[name]
        print(
            f"{name:24}{before.rate:8.0f}/s {before.p50:8.2f}   grown {after.rate:8.0f}/s {after.p50:8.2f}"
            f"   ratio {after.rate / before.rate:5.2f}   errors {before.errors + after.errors}",
            flush=True,
        )
    return min(fresh["cluster"].rate, grown["cluster"].rate) >= MINIMUM


@contextlib.contextmanager
def databases(url: str) -> Iterator[list[str]]:
    """Yields the URL of the option, or of a new database for each engine."""
    if url:
        yield [url]
        return
    with tempfile.TemporaryDirectory() as folder, _server.postgresql() as temporary:
        yield [f"sqlite:///{folder}/pages.db", temporary]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--port", type=int, default=8973)
    options = parser.parse_args()
    with databases(options.database_url) as urls:
        passed = [measure(url, options) or url.startswith("sqlite") for url in urls]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
