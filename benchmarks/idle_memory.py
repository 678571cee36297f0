"""Measures the memory of an idle server, for each database, with and without gRPC.

Usage: python benchmarks/idle_memory.py

The resident set size (RSS) counts shared pages in full; the proportional set size (PSS) divides them among the processes that share
them. Each server has one worker, starts on a migrated database, serves one request, and is measured after a pause.

Exits with 1 if a resident set size is greater than 100 MiB.
"""

import pathlib
import sys
import tempfile
import time

import _server

from planton_server.store import schema

MAXIMUM = 100.0
PAUSE = 3.0
PORT, GRPC_PORT = 8974, 8975
#: Name → options.
CONFIGURATIONS = {"REST": (), "REST and gRPC": ("--grpc-port", str(GRPC_PORT))}


def memory(pid: int) -> tuple[float, float]:
    """Returns the resident and the proportional set size of a process, in MiB."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
    return sizes["Rss:"], sizes["Pss:"]


def measure(url: str, options: tuple[str, ...]) -> tuple[float, float]:
    """Returns the memory of an idle worker."""
    process = _server.launch(url, PORT, *options)
    try:
        time.sleep(PAUSE)
        return memory(process.pid)
    finally:
        _server.stop(process)


def main() -> None:
    largest = 0.0
    with tempfile.TemporaryDirectory() as folder, _server.postgresql() as postgresql:
        for database, url in (("SQLite", f"sqlite:///{folder}/idle.db"), ("PostgreSQL", postgresql)):
            schema.migrate(url)
            for name, options in CONFIGURATIONS.items():
                rss, pss = measure(url, options)
                largest = max(largest, rss)
                print(f"{database:12}{name:15}RSS {rss:6.1f} MiB   PSS {pss:6.1f} MiB", flush=True)
    sys.exit(0 if largest <= MAXIMUM else 1)


if __name__ == "__main__":
    main()
