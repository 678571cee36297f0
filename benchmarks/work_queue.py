"""Measures the work queue of controllers: runs per second, latency, idle cost, and the time until the work of a killed process moves.

Usage: python benchmarks/work_queue.py [--database-url URL] [--seconds S] [--resources N] [--port PORT]

Without ``--database-url`` it measures a SQLite file and a temporary PostgreSQL. It empties a database given by ``--database-url``!
Work is due again at once. ``runs`` and ``store`` use the database directly, ``api`` one server. In ``runs`` each run waits 50 ms for a
cloud, and a process has 50 at the same time; elsewhere a run takes no time, which shows what the queue alone can do. Controllers, server
and database share the machine, so compare by ratios.

Exits with 1 if a process makes fewer than 500 runs per second in ``runs``, or two make fewer than 1.6 times as many.
"""

import argparse
import asyncio
import collections
import concurrent.futures
import contextlib
import functools
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator

import _server
import sqlalchemy as sa
from google.protobuf import duration_pb2

from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.work.v1 import service_pb2, work_pb2
from planton import client
from planton_server.store import database, engines, schema, tables, work

CONTROLLER = "bench@system.local"
BATCH = 20
MINIMUM_RUNS, MINIMUM_RATIO = 500, 1.6
#: Seconds of a run that waits for a cloud, and how many a process has at the same time.
RUN_SECONDS, PARALLEL = 0.05, 50
SAMPLES = 100
LIMITS = work.Limits(running=0, rate=0)


def fill(url: str, resources: int) -> None:
    """Empties a database and writes clusters of twenty accounts, each with nine node pools. All are due."""
    _server.empty(url)
    schema.migrate(url)
    engine = engines.blocking(url)
    number = resources // 10
    _server.fill(engine, resources - number, clusters=number)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE work SET account = 'account-' || (CAST(substr(cluster_id, 30) AS integer) % 20), platform = 'civo'")
        )
        connection.execute(sa.text("DELETE FROM accounts"))
        connection.execute(
            sa.text("INSERT INTO accounts (platform, name, tokens, at) SELECT DISTINCT platform, account, 1000, 0 FROM work")
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()


def through_store(url: str, process: str, seconds: float, *, run_seconds: float = 0.0, parallel: int = BATCH) -> int:
    """Claims and finishes on the database; returns the number of runs.

    Args:
        url: The database.
        process: The name of the process.
        seconds: How long it works.
        run_seconds: The seconds that a run waits for a cloud.
        parallel: The number of runs at the same time.
    """

    async def run() -> int:
        store = await database.connect(url, connections=2)
        #: The time at which each run ends, the next first, and its work.
        running: collections.deque[tuple[float, work.Row]] = collections.deque()
        runs, end = 0, time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            ended = [running.popleft()[1] for _ in range(sum(moment <= now for moment, _ in running))]
            if not ended and len(running) == parallel:
                await asyncio.sleep(running[0][0] - now)
                continue
            results = [work.Result(row["id"], row["epoch"], 0, "SUCCEEDED", 0, "", "", 1.0) for row in ended]
            async with store.transaction() as transaction:
                await work.lock(transaction)
                await work.register(transaction, LIMITS, process, version="", platforms=["civo"])
                if results:
                    await work.finish(transaction, LIMITS, process, results)
                limit = parallel - len(running)
                rows = await work.claim(transaction, LIMITS, process, platforms=["civo"], limit=limit)
            running += [(time.monotonic() + run_seconds, row) for row in rows]
            runs += len(results)
        await store.close()
        return runs

    return asyncio.run(run())


def claim(api: client.Client, process: str, results: list[work_pb2.WorkResult], *, wait: float = 0, limit: int = BATCH) -> list:
    """Finishes and claims through the API; returns the claimed work."""
    waiting = duration_pb2.Duration()
    waiting.FromMilliseconds(round(wait * 1000))
    request = service_pb2.Claim(process=process, platforms=["civo"], limit=limit, results=results, wait=waiting)
    return list(api.claim_work(request).items)


def succeeded(item: work_pb2.Work, seconds: int) -> work_pb2.WorkResult:
    """Returns the result of a run that did nothing."""
    look = duration_pb2.Duration(seconds=seconds)
    return work_pb2.WorkResult(id=item.id, epoch=item.epoch, outcome="SUCCEEDED", next_look=look)


def through_api(url: str, process: str, seconds: float) -> int:
    """Claims and finishes through a server; returns the number of runs."""
    runs, results, end = 0, [], time.monotonic() + seconds
    with client.Client(url, email=CONTROLLER) as api:
        while time.monotonic() < end:
            items = claim(api, process, results)
            results = [succeeded(item, 0) for item in items]
            runs += len(items)
    return runs


def look_around(url: str, process: str, seconds: float) -> int:
    """Looks at what is due, ten minutes apart, as an idle controller does; returns the number of looks."""
    runs, results, end = 0, [], time.monotonic() + seconds
    with client.Client(url, email=CONTROLLER) as api:
        beat = 0.0
        while time.monotonic() < end:
            if time.monotonic() > beat:
                api.renew_work(process)
                beat = time.monotonic() + 2
            items = claim(api, process, results, wait=1)
            results = [succeeded(item, 600) for item in items]
            runs += len(items)
    return runs


def hold(url: str, process: str, _seconds: float) -> int:
    """Claims a batch and never finishes it; prints a line when it has it."""
    with client.Client(url, email=CONTROLLER) as api:
        items = claim(api, process, [], wait=20)
        print(json.dumps([item.id for item in items]), flush=True)
        while True:
            api.renew_work(process)
            time.sleep(2)


PARTS: dict[str, Callable[[str, str, float], int]] = {
    "runs": functools.partial(through_store, run_seconds=RUN_SECONDS, parallel=PARALLEL), "store": through_store, "api": through_api, "look": look_around, "hold": hold,
}  # fmt: skip


def start(part: str, url: str, seconds: float) -> subprocess.Popen[str]:
    """Starts a process that works."""
    command = [sys.executable, __file__, "--part", part, "--database-url", url, "--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def rate(part: str, url: str, processes: int, seconds: float) -> float:
    """Returns the runs per second of all processes together."""
    running = [start(part, url, seconds) for _ in range(processes)]
    return sum(int(process.communicate()[0]) for process in running) / seconds


def latency(url: str) -> tuple[float, float]:
    """Returns the median and the 99th percentile of the milliseconds from an update to its claim."""
    owner, controller = client.Client(url, email=_server.OWNER), client.Client(url, email=CONTROLLER)
    cluster = next(owner.list_clusters())
    process = f"latency-{uuid.uuid4().hex[:8]}"
    drain(controller, process)
    durations = []
    for number in range(SAMPLES):
        update = clusters_pb2.ClusterUpdate()
        update.spec.platform.type = "gcp"
        update.spec.release.version = f"1.{number}.{uuid.uuid4().hex[:6]}"
        waiting = start_claim(url, process)
        begun = time.perf_counter()
        owner.update_cluster(cluster.id, update)
        items = waiting()
        durations.append((time.perf_counter() - begun) * 1000)
        controller.finish_work(process, [succeeded(item, 3600) for item in items])
    ordered = sorted(durations)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)]


def start_claim(url: str, process: str) -> Callable[[], list]:
    """Starts a claim that waits; returns the function that waits for its work."""
    pool = concurrent.futures.ThreadPoolExecutor(1)

    def run() -> list:
        with client.Client(url, email=CONTROLLER) as api:
            return claim(api, process, [], wait=20)

    waiting = pool.submit(run)
    # The claim waits when it has reached the database; this is not part of the measured time.
    time.sleep(0.05)
    return waiting.result


def drain(api: client.Client, process: str) -> None:
    """Finishes everything that is due, for an hour."""
    while items := claim(api, process, [], limit=500):
        api.finish_work(process, [succeeded(item, 3600) for item in items])


def spread(url: str) -> None:
    """Spreads the looks at all resources over ten minutes."""
    engine = engines.blocking(url)
    with engine.begin() as connection:
        rows = connection.execute(sa.select(tables.WORK.c.id)).scalars().all()
        now = int(time.time() * 1000)
        change = (
            sa.update(tables.WORK).where(tables.WORK.c.id == sa.bindparam("row")).values(due=sa.bindparam("moment"), process=None)
        )
        connection.execute(change, [{"row": row, "moment": now + 600_000 * n // len(rows)} for n, row in enumerate(rows)])
    engine.dispose()


def moved(url: str) -> float:
    """Returns the seconds until all work of a killed process runs at another one."""
    holder = start("hold", url, 0)
    assert holder.stdout is not None
    lost = set(json.loads(holder.stdout.readline()))
    with client.Client(url, email=CONTROLLER) as api:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
        killed, seen, beat = time.monotonic(), set(), 0.0
        while not lost <= seen:
            if time.monotonic() > beat:
                api.renew_work("heir")
                beat = time.monotonic() + 2
            seen |= {item.id for item in claim(api, "heir", [], wait=1)}
        return time.monotonic() - killed


def measure(name: str, url: str, options: argparse.Namespace) -> bool:
    """Prints the figures of a database; returns whether it is fast enough."""
    fill(url, options.resources)
    for part in ("store", "runs"):
        single, double = (rate(part, url, processes, options.seconds) for processes in (1, 2))
        ratio = double / single
        print(
            f"{name:11}{part}: 1 process {single:6.0f} runs/s, 2 processes {double:6.0f} runs/s, ratio {ratio:4.2f}", flush=True
        )
    process = _server.launch(url, options.port, "--no-access-log", "--work-running", "0", "--work-rate", "0", "--tick", "0")
    server = _server.Server(process, options.port, [], [])
    api = f"http://127.0.0.1:{options.port}"
    try:
        begun, cpu = time.monotonic(), server.cpu()
        rates = [rate("api", api, number, options.seconds) for number in (1, 2)]
        used = (server.cpu() - cpu) / (time.monotonic() - begun)
        print(
            f"{name:11}api: 1 controller {rates[0]:6.0f} runs/s, 2 controllers {rates[1]:6.0f} runs/s; server {used:4.0%} of a core"
        )
        time.sleep(LIMITS.lease / 1000)
        spread(url)
        begun, cpu = time.monotonic(), server.cpu()
        looks = rate("look", api, 1, 4 * options.seconds)
        used = (server.cpu() - cpu) / (time.monotonic() - begun)
        print(f"{name:11}idle: {looks:4.1f} looks/s of {options.resources} resources; server {used:4.1%} of a core", flush=True)
        p50, p99 = latency(api)
        print(f"{name:11}update to start: p50 {p50:5.1f} ms, p99 {p99:5.1f} ms", flush=True)
        spread(url)
        print(f"{name:11}work of a killed process moved after {moved(api):4.1f} s", flush=True)
    finally:
        _server.stop(process)
    return single >= MINIMUM_RUNS and ratio >= MINIMUM_RATIO


@contextlib.contextmanager
def databases(url: str) -> Iterator[dict[str, str]]:
    """Yields the databases to measure, by name."""
    if url:
        yield {database.check(url): url}
        return
    with tempfile.TemporaryDirectory() as folder, _server.postgresql() as postgresql:
        yield {"sqlite": f"sqlite:///{pathlib.Path(folder) / 'work.db'}", "postgresql": postgresql}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--resources", type=int, default=10_000)
    parser.add_argument("--port", type=int, default=8973)
    parser.add_argument("--part", choices=[*PARTS], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(PARTS[options.part](options.database_url, f"{options.part}-{os.getpid()}", options.seconds), flush=True)
        return
    with databases(options.database_url) as chosen:
        is_fast = [measure(name, url, options) for name, url in chosen.items()]
    sys.exit(0 if all(is_fast) else 1)


if __name__ == "__main__":
    main()
