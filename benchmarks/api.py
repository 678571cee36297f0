"""What the NodePool API does in a second, what a request takes and what it costs, with 12,000 node pools present.

Usage: python benchmarks/api.py [--database-url URL] [--workers N] [--seconds S] [--connections C] [--pools N]

Starts ``planton server`` on an empty database (by default a SQLite file; a PostgreSQL database is emptied!), fills it, and
sends requests over keep-alive connections from this process. Server, database and this load share the machine; CPU is that of the server's processes.
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
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = _server.start(wanted.database_url or f"sqlite:///{folder}/api.db", wanted.workers, wanted.pools, wanted.port)
        try:
            for connections in dict.fromkeys((wanted.connections, 1)):
                print(f"-- {connections} connections, {wanted.workers} workers, {wanted.pools} node pools; times in ms")
                load = _server.Load(server, connections, wanted.seconds)
                for name, make in _server.requests(server, min(DEPTH, wanted.pools - 100)).items():
                    one = asyncio.run(load.measure(make))
                    times = f"p50 {one.p50:7.2f}  p99 {one.p99:7.2f}  cpu {one.cpu:6.2f}"
                    print(f"{name:28}{one.rate:9.0f}/s  {times}  errors {one.errors}")
        finally:
            _server.stop(server.process)


if __name__ == "__main__":
    main()
