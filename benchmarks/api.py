"""Measures rate, latency and CPU time of requests to the NodePool API, with 12,000 node pools.

Usage: python benchmarks/api.py [--database-url URL] [--workers N] [--seconds S] [--connections C] [--pools N]

Starts ``planton server`` on an empty database (by default a SQLite file; a PostgreSQL database is emptied!), fills it, and
sends requests over keep-alive connections from this process. Server, database and load share the machine; CPU is that of the server.
"""

import argparse
import asyncio
import tempfile

import _server

DEPTH = 9_900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--pools", type=int, default=12_000)
    parser.add_argument("--port", type=int, default=8971)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = _server.start(options.database_url or f"sqlite:///{folder}/api.db", options.workers, options.pools, options.port)
        try:
            for connections in dict.fromkeys((options.connections, 1)):
                print(f"-- {connections} connections, {options.workers} workers, {options.pools} node pools; times in ms")
                load = _server.Load(server, connections, options.seconds)
                for name, make in _server.requests(server, min(DEPTH, options.pools - 100)).items():
                    measured = asyncio.run(load.measure(make))
                    times = f"p50 {measured.p50:7.2f}  p99 {measured.p99:7.2f}  cpu {measured.cpu:6.2f}"
                    print(f"{name:28}{measured.rate:9.0f}/s  {times}  errors {measured.errors}")
        finally:
            _server.stop(server.process)


if __name__ == "__main__":
    main()
