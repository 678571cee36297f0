"""Parts shared by the benchmarks of the NodePool API: a server with many node pools, and a load on it."""

import asyncio
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from planton_server.store import engines, schema, tables

OWNER = "bench@example.com"
CLUSTERS = 12
SPEC = '{"nodeCount":3,"platform":{"type":"gcp","gcp":{"machineType":"n1-standard-4","diskSize":100,"diskType":"pd-ssd"}}}'
#: Rows in a transaction. The counting triggers update the same rows for each insert, which gets slower within a transaction.
BATCH = 1_000
#: Verb, path, body or None.
Request = tuple[str, str, dict[str, Any] | None]
Make = Callable[[], Request]


@dataclasses.dataclass
class Server:
    """A running server and the ids of its resources."""

    process: subprocess.Popen[bytes]
    port: int
    clusters: list[str]
    pools: list[str]

    def cpu(self) -> float:
        """Returns the seconds of processor time of the server's processes."""
        return sum(_cpu(pid) for pid in [self.process.pid, *children(self.process.pid)])


def _cpu(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Returns the ids of the descendants of a process."""
    direct = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # threads and processes may have ended since they were listed
            direct += map(int, task.read_text("utf-8").split())
    return [*direct, *(indirect for child in direct for indirect in children(child))]


def fill(engine: sa.Engine, pools: int, *, clusters: int = CLUSTERS, first: int = 0) -> tuple[list[str], list[str]]:
    """Writes clusters and node pools directly into the tables, each one second newer than the previous one.

    Args:
        engine: The database.
        pools: The number of node pools.
        clusters: The number of clusters. The node pools are distributed evenly.
        first: The number of the first cluster and of the first node pool.

    Returns:
        The ids of the clusters, and of the node pools.
    """
    cluster_ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(first, first + clusters)]
    # Random, like the server's ids, and the same in each run.
    generate = random.Random(first).getrandbits
    ids = [str(uuid.UUID(int=generate(128), version=4)) for _ in range(pools)]
    with engine.begin() as connection:
        rows = [_row(number, cluster_id) | {"target_project_id": ""} for number, cluster_id in enumerate(cluster_ids, first)]
        connection.execute(sa.insert(tables.CLUSTERS), rows)
    for begin in range(0, pools, BATCH):
        numbers = range(begin, min(pools, begin + BATCH))
        batch = [_row(first + n, ids[n]) | {"cluster_id": cluster_ids[n % clusters]} for n in numbers]
        with engine.begin() as connection:
            connection.execute(sa.insert(tables.NODE_POOLS), batch)
    return cluster_ids, ids


def _row(number: int, identifier: str) -> dict[str, object]:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(1_700_000_000 + number))
    return {
        "id": identifier, "name": f"n-{number}", "created_at": stamp, "updated_at": stamp, "status_time": stamp,
        "owner": OWNER, "generation": 1, "resource_version": 1, "platform": "gcp", "spec": SPEC, "phase": "Pending", "reason": "NotObserved",
        "message": "no controller has observed generation 1", "observed_generation": 0, "conditions": "[]",
        "replacement": "", "ready_generation": 0, "deadline": None, "resync_at": None, "deleted_at": None,
    }  # fmt: skip


def grow(url: str, pools: int) -> None:
    """Adds other clusters with newer node pools. The statistics of the database are not updated."""
    engine = engines.blocking(url)
    fill(engine, pools, clusters=CLUSTERS, first=1_000_000)
    engine.dispose()


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Starts a temporary PostgreSQL server and yields the URL of an empty database."""
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests"))
    from support import postgres

    server = postgres.Cluster()
    try:
        yield server.url(server.create())
    finally:
        server.remove()


def empty(url: str) -> None:
    """Drops all tables of a server's database."""
    engine = engines.blocking(url)
    with engine.begin() as connection:
        tables.METADATA.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()


def start(url: str, workers: int, pools: int, port: int, *, clusters: int = CLUSTERS) -> Server:
    """Empties the database, fills it and starts the server."""
    empty(url)
    schema.migrate(url)
    engine = engines.blocking(url)
    cluster_ids, ids = fill(engine, pools, clusters=clusters)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            # Statistics change only on request of a benchmark.
            connection.execute(sa.text("ALTER TABLE node_pools SET (autovacuum_enabled = false)"))
        connection.execute(sa.text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
    engine.dispose()
    process = launch(url, port, "--workers", str(workers), "--no-access-log")
    return Server(process, port, cluster_ids, ids)


def launch(url: str, port: int, *options: str) -> subprocess.Popen[bytes]:
    """Starts a server on a database and returns its process when it is ready."""
    command = [sys.executable, "-m", "planton", "server", "start", "--port", str(port), *options]
    environment = os.environ | {"PLANTON_SERVER_DATABASE_URL": url, "PLANTON_SERVER_LOG_LEVEL": "warning"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1):
                return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise SystemExit("the server did not start")


@dataclasses.dataclass(frozen=True)
class Measured:
    """Requests per second; median and 99th percentile of the duration and CPU time per request, in ms; the number of errors."""

    rate: float
    p50: float
    p99: float
    cpu: float
    errors: int


class Load:
    """Sends requests over several connections for a time and records their durations."""

    def __init__(self, server: Server, connections: int, seconds: float) -> None:
        self.server = server
        self.connections = connections
        self.seconds = seconds

    async def measure(self, make: Make) -> Measured:
        """Returns the figures of one kind of request."""
        durations: list[float] = []
        failed_statuses: list[int] = []
        end = time.perf_counter() + self.seconds
        before, started = self.server.cpu(), time.perf_counter()
        await asyncio.gather(*(self._connection(make, end, durations, failed_statuses) for _ in range(self.connections)))
        elapsed, cpu = time.perf_counter() - started, self.server.cpu() - before
        durations.sort()
        p50, p99 = (durations[int(len(durations) * part)] * 1000 for part in (0.5, 0.99))
        return Measured(len(durations) / elapsed, p50, p99, cpu / len(durations) * 1000, len(failed_statuses))

    async def _connection(self, make: Make, end: float, durations: list[float], failed_statuses: list[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port, limit=1 << 20)
        while time.perf_counter() < end:
            verb, path, body = make()
            data = json.dumps(body).encode() if body is not None else b""
            started = time.perf_counter()
            writer.write(
                f"{verb} {path} HTTP/1.1\r\nHost: localhost\r\nX-User-Email: {OWNER}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(data)}\r\n\r\n".encode()
                + data
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            durations.append(time.perf_counter() - started)
            if not head.startswith(b"HTTP/1.1 2"):
                failed_statuses.append(int(head[9:12]))
        writer.close()


def requests(server: Server, depth: int) -> dict[str, Make]:
    """Returns the measured requests: name → a function that creates a request. Some read a list at a depth."""
    choice = random.Random(1).choice
    spec = json.loads(SPEC)
    count = iter(range(10**9))
    cursor = _cursor(server, depth)

    def create() -> Request:
        return "POST", f"/api/v1/clusters/{choice(server.clusters)}/nodepools", {"name": f"c-{time.time_ns()}", "spec": spec}

    def get() -> Request:
        return "GET", f"/api/v1/nodepools/{choice(server.pools)}", None

    def update() -> Request:
        return "PUT", f"/api/v1/nodepools/{choice(server.pools)}", {"spec": spec | {"nodeCount": next(count) % 900 + 1}}

    def report() -> Request:
        status = "True" if next(count) % 2 else "False"
        conditions = [{"type": "Ready", "status": status, "reason": f"R{next(count)}", "message": "nodes"}]
        body = {"controller_name": "gcp", "observed_generation": 1, "conditions": conditions, "metadata": {"active_nodes": 3}}
        return "PUT", f"/api/v1/nodepools/{choice(server.pools)}/status", body

    def listing() -> Request:
        return "GET", "/api/v1/nodepools?limit=50", None

    def mix() -> Request:
        return choice((get, get, get, listing, update, report, create))()

    return {
        "get": get,
        "list 50": listing,
        f"list 50 at {depth}, cursor": lambda: ("GET", f"/api/v1/nodepools?limit=50&page_token={cursor}", None),
        f"list 50 at {depth}, offset": lambda: ("GET", f"/api/v1/nodepools?limit=50&offset={depth}", None),
        "status report": report,
        "update": update,
        "create": create,
        "mix": mix,
    }


def _cursor(server: Server, depth: int) -> str:
    url = f"http://127.0.0.1:{server.port}/api/v1/nodepools?limit=1&offset={depth - 1}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"X-User-Email": OWNER})) as response:
        return json.load(response).get("next_page_token", "")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stops a server."""
    process.send_signal(signal.SIGTERM)
    process.wait(30)
