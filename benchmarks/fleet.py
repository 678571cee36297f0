"""Measures controllers with a fleet: time to converge, processor time, memory, requests to the cloud, and the steady state.

Usage: python benchmarks/fleet.py [--pools N] [--clusters M] [--workers W] [--parallel P] [--cloud CLOUD] [--speed S]
           [--steady SECONDS] [--interval SECONDS] [--postgresql]
       python benchmarks/fleet.py --decide N

N node pools with one node on M clusters, five clusters for each account of the sandbox, come up through the API and W processes of
controllers. Then all pools are scaled to two nodes; as soon as a tenth is ready, half of the processes is killed. The default limits
of accounts hold. `--postgresql` uses a temporary PostgreSQL instead of a SQLite file. `--speed` makes the clouds faster than they are.

The unavoidable time is the cloud's critical path (a cluster, then its pools one after another, because a cluster has one run at a
time) plus the engine's processor time divided by the number of cores. Controllers and their engines count as engine; the server and
the sandbox, which replaces plugins and clouds, share the machine and are shown. On a busy machine only processor time is meaningful.

`--decide N` measures decisions alone: N node pools as desired in the work queue of a database, without cloud and engine.
"""

import argparse
import asyncio
import collections
import concurrent.futures
import contextlib
import dataclasses
import datetime
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator

import _server
import work_queue

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from planton.controllers import decide, looks, reports, values
from planton_sandbox.clouds.civo import catalogue as civo
from planton_sandbox.clouds.digitalocean import catalogue as digitalocean
from planton_server.store import database, schema, work
from support import controllers as worlds
from support import planton as support
from support import serving, sqlite_file, waiting

CORES = len(os.sched_getaffinity(0))
PER_ACCOUNT = 5
#: Cloud → what limits an account, and its requests in an hour; Civo does not publish any, so the limit of DigitalOcean is used.
QUOTAS = {"civo": dict.fromkeys(civo.LIMITS, 1_000_000), "digitalocean": {"droplet_limit": 1_000_000}}
BUDGET = digitalocean.REQUEST_LIMIT * 3600 / digitalocean.REQUEST_LIMIT_SECONDS
TIMES = {"civo": civo, "digitalocean": digitalocean}


@dataclasses.dataclass
class Fleet:
    """A sandbox, a server, and processes of controllers with the ports of their metrics."""

    options: argparse.Namespace
    user: support.Planton
    server: serving.Server
    processes: list[tuple[subprocess.Popen[bytes], int]]
    killed: float = 0.0
    #: The metrics of the killed processes, which must not be missing from sums.
    lines: list[str] = dataclasses.field(default_factory=list)
    peak: float = 0.0

    @property
    def alive(self) -> list[tuple[subprocess.Popen[bytes], int]]:
        return [(process, port) for process, port in self.processes if process.poll() is None]

    def engine(self) -> float:
        """Returns the processor seconds of controllers and their engines, those of ended children included."""
        return self.killed + sum(_seconds(process.pid) for process, _ in self.alive)

    def kill_half(self) -> None:
        for process, port in self.processes[: max(1, len(self.processes) // 2)]:
            self.killed += _seconds(process.pid)
            self.lines += _lines(port)
            process.kill()
            process.wait()

    def counted(self, pattern: str) -> float:
        """Returns the sum of the metrics of all controllers, also killed ones, whose line begins with a pattern."""
        return _sum(self.lines, pattern) + sum(_metrics(port, pattern) for _, port in self.alive)

    def ready(self) -> int:
        """Returns the number of node pools whose current generation is ready."""
        return round(_metrics(int(self.server.url.rpartition(":")[2]), r'planton_nodepools\{phase="Ready"'))


def _seconds(pid: int) -> float:
    total = 0.0
    for each in (pid, *_server.children(pid)):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{each}/stat").read_text("utf-8").rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


def _memory(pid: int) -> float:
    """Returns the MiB of a process and its descendants; pages that several share are divided among them."""
    total = 0
    for each in (pid, *_server.children(pid)):
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{each}/smaps_rollup").read_text("utf-8")
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1])  # type: ignore[index]
    return total / 1024


def _lines(port: int) -> list[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return list(answer.read().decode().splitlines())


def _metrics(port: int, pattern: str) -> float:
    return _sum(_lines(port), pattern)


def _sum(lines: list[str], pattern: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(pattern, line))


def _serves(port: int) -> bool:
    with contextlib.suppress(OSError):
        return _metrics(port, "planton_controller_parallel") > 0
    return False


@contextlib.contextmanager
def running(options: argparse.Namespace, folder: pathlib.Path) -> Iterator[Fleet]:
    """Runs everything in a folder."""
    accounts = [f"team-{number}" for number in range(-(-options.clusters // PER_ACCOUNT))]
    credentials = folder / "credentials.yaml"
    credentials.touch(0o600)
    credentials.write_text("".join(f"{each}: {{apiToken: sandbox-{each}}}\n" for each in accounts), "utf-8")
    with contextlib.ExitStack() as stack:
        user = stack.enter_context(support.using(folder / "user", speed=options.speed, latency="realistic"))
        for each in accounts:
            user.sandbox.control.outside("quota", cloud=options.cloud, account=f"sandbox-{each}", **QUOTAS[options.cloud])
        url = stack.enter_context(_server.postgresql()) if options.postgresql else sqlite_file.create(folder / "server.db")
        if options.postgresql:
            schema.migrate(url)
        server = stack.enter_context(serving.running(folder, "--database-url", url, "--no-access-log"))
        fleet = Fleet(options, user, server, [])
        environ = user.environ | {"PLANTON_CREDENTIALS": str(credentials)}
        for number in range(options.workers):
            port = serving.free_port()
            command = [*user.command("controller", "run", "--server", server.url, "--platform", options.cloud)]
            command += ["--parallel", str(options.parallel), "--interval", str(options.interval), "--metrics-port", str(port)]
            with (folder / f"controller-{number}.log").open("wb") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, env=environ)
            stack.callback(_end, process)
            fleet.processes.append((process, port))
        waiting.until(lambda: all(_serves(port) for _, port in fleet.processes), "the controllers")
        yield fleet


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def create(fleet: Fleet) -> list[str]:
    """Creates clusters and node pools through the API, and returns the ids of the pools."""
    world = worlds.World(fleet.user, fleet.server, fleet.server, fleet.options.cloud)  # type: ignore[arg-type]
    clusters = [world.create_cluster(f"c-{n}", credential=f"team-{n // PER_ACCOUNT}") for n in range(fleet.options.clusters)]
    count = fleet.options.pools
    return [world.create_pool(clusters[n % len(clusters)], f"p-{n}", nodeCount=1) for n in range(count)]


def converge(fleet: Fleet, *, killing: bool = False) -> float:
    """Waits until all pools are ready, and returns the seconds. The peak of memory is that of each second."""
    began, shown = time.monotonic(), 0
    while (ready := fleet.ready()) < fleet.options.pools:
        if ready * 10 // fleet.options.pools > shown:
            shown = ready * 10 // fleet.options.pools
            print(f"  {ready} ready after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if killing and ready >= fleet.options.pools / 10:
            killing = False
            fleet.kill_half()
        fleet.peak = max(fleet.peak, sum(_memory(process.pid) for process, _ in fleet.alive))
        time.sleep(1)
    return time.monotonic() - began


class Requests:
    """Counts the requests to the sandbox, whose log keeps only the newest."""

    def __init__(self, fleet: Fleet) -> None:
        self._control = fleet.user.sandbox.control
        self._mark = self._control.mark()
        self._first = self._mark
        self._cloud = fleet.options.cloud
        self.by_method: collections.Counter[str] = collections.Counter()

    def read(self) -> None:
        listed = self._control.requests(self._mark)
        self._mark = max((each["seq"] for each in listed), default=self._mark)
        self.by_method.update(each["method"] if each["cloud"] == self._cloud else "kubernetes" for each in listed)


@contextlib.contextmanager
def counting(fleet: Fleet) -> Iterator[Requests]:
    requests, ended = Requests(fleet), threading.Event()

    def read() -> None:
        while not ended.wait(5):
            requests.read()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield requests
    finally:
        ended.set()
        reader.join()
        requests.read()


def phase(fleet: Fleet, name: str, cloud: float, *, killing: bool = False) -> None:
    """Converges, and prints the figures."""
    pools, engine, runs = fleet.options.pools, fleet.engine(), fleet.counted("planton_controller_engine_runs_total")
    sandbox = resource.getrusage(resource.RUSAGE_SELF)
    server, fleet.peak = _seconds(fleet.server.process.pid), 0.0
    with counting(fleet) as requests:
        wall = converge(fleet, killing=killing)
    engine, server = fleet.engine() - engine, _seconds(fleet.server.process.pid) - server
    after = resource.getrusage(resource.RUSAGE_SELF)
    others = server + after.ru_utime + after.ru_stime - sandbox.ru_utime - sandbox.ru_stime
    calls = {method: number / pools for method, number in sorted(requests.by_method.items())}
    shown = ", ".join(f"{number:.1f} {method}" for method, number in calls.items())
    print(
        f"{name}: {wall:.0f} s; critical path {cloud:.0f} s, engine {engine:.0f} s on {CORES} cores (server {server:.1f} s, server and"
        f" sandbox {others:.0f} s): ratio {wall / (cloud + engine / CORES):.2f}, with both {wall / (cloud + (engine + others) / CORES):.2f}\n"
        f"  each pool: {engine / pools:.2f} s of processor time, {(fleet.counted('planton_controller_engine_runs_total') - runs) / pools:.1f}"
        f" starts of the engine, requests {shown}\n  memory of controllers and engines: at most {fleet.peak:.0f} MiB",
        flush=True,
    )


def steady(fleet: Fleet) -> None:
    """Waits and prints the figures of an hour."""
    seconds, pools = fleet.options.steady, fleet.options.pools
    # Nodes that came up in the last seconds are still looked at more often.
    time.sleep(2 * fleet.options.interval)
    engine, runs = fleet.engine(), fleet.counted("planton_controller_engine_runs_total")
    looks, server = fleet.counted("planton_controller_run_seconds_count"), _seconds(fleet.server.process.pid)
    with counting(fleet) as requests:
        time.sleep(seconds)
    hour = 3600 / seconds
    looks, runs = (
        fleet.counted("planton_controller_run_seconds_count") - looks,
        fleet.counted("planton_controller_engine_runs_total") - runs,
    )
    accounts = -(-fleet.options.clusters // PER_ACCOUNT)
    cloud = sum(number for method, number in requests.by_method.items() if method != "kubernetes") * hour / accounts
    engine, server = (fleet.engine() - engine) * hour, (_seconds(fleet.server.process.pid) - server) * hour
    print(
        f"steady, in an hour: {looks * hour / (pools + fleet.options.clusters):.0f} looks at each resource, {runs * hour:.0f} starts of the"
        f" engine, {engine / pools:.2f} s of processor time of controllers and {server / pools:.2f} s of the server for each pool,"
        f" {cloud:.0f} requests to the cloud for each account with {min(PER_ACCOUNT, fleet.options.clusters)} clusters:"
        f" {cloud / BUDGET:.0%} of {BUDGET:.0f}",
        flush=True,
    )


def scale(fleet: Fleet, pools: list[str]) -> None:
    world = worlds.World(fleet.user, fleet.server, fleet.server, fleet.options.cloud)  # type: ignore[arg-type]
    for pool in pools:
        world.update_pool(pool, nodeCount=2)


def measure(options: argparse.Namespace) -> None:
    """Runs all phases."""
    times = TIMES[options.cloud]
    each = -(-options.pools // options.clusters) * times.NODE_SECONDS / options.speed
    with tempfile.TemporaryDirectory() as name, running(options, pathlib.Path(name)) as fleet:
        pools = create(fleet)
        phase(fleet, "create", times.CLUSTER_SECONDS / options.speed + each)
        steady(fleet)
        scale(fleet, pools)
        phase(fleet, "scale, half of the processes killed", each, killing=True)
        steady(fleet)


def decisions(url: str, seconds: float) -> tuple[int, float]:
    """Claims, decides, compares the report, and finishes; returns the number of looks, and processor seconds."""
    now = datetime.datetime.now(datetime.UTC)
    nodes = (values.Node("n", True, "v1.33.4", now),)
    observed = values.Observed(presence=values.Presence.PRESENT, is_applied=True, cloud_nodes=1, nodes=nodes)
    desired, facts = values.Desired(generation=1, nodes=1), reports.Facts("civo", "LON1", None)

    def look() -> int:
        decision = decide.decide(desired, observed, values.Memory(), datetime.datetime.now(datetime.UTC))
        assert decision.action is values.Action.NOTHING
        made = reports.report(desired, observed, decision, facts, now)
        assert reports.is_news(made, None, now)
        return round(looks.INTERVAL.total_seconds() * 1000)

    async def run() -> int:
        store, number, results = await database.connect(url, connections=2), 0, []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            async with store.transaction() as transaction:
                await work.lock(transaction)
                await work.register(transaction, work_queue.LIMITS, f"p-{os.getpid()}", version="", platforms=["civo"])
                if results:
                    await work.finish(transaction, work_queue.LIMITS, f"p-{os.getpid()}", results)
                rows = await work.claim(transaction, work_queue.LIMITS, f"p-{os.getpid()}", platforms=["civo"], limit=50)
            results = [work.Result(row["id"], row["epoch"], 0, "SUCCEEDED", look(), "", "", 1.0) for row in rows]
            number += len(rows)
        await store.close()
        return number

    before = time.process_time()
    return asyncio.run(run()), time.process_time() - before


def decide_alone(options: argparse.Namespace) -> None:
    """Measures decisions with one and two processes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        for url in (f"sqlite:///{folder}/work.db", stack.enter_context(_server.postgresql())):
            for processes in (1, 2):
                work_queue.fill(url, options.decide)
                with concurrent.futures.ProcessPoolExecutor(processes) as pool:
                    done = list(pool.map(decisions, [url] * processes, [options.steady] * processes))
                looks = sum(number for number, _ in done)
                cpu = sum(used for _, used in done) / looks
                rate = looks / options.steady
                print(
                    f"{url.partition(':')[0]}, {options.decide} resources, {processes} processes: {rate:.0f} looks/s,"
                    f" {cpu * 1000:.2f} ms of processor time each; all once a minute need {options.decide / 60:.0f}/s",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pools", type=int, default=8)
    parser.add_argument("--clusters", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parallel", type=int, default=4, help="runs of each process at the same time")
    parser.add_argument("--cloud", choices=list(TIMES), default="civo")
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--interval", type=float, default=60.0)
    parser.add_argument("--steady", type=float, default=120.0, help="seconds of the steady state, or of each part of --decide")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--decide", type=int, default=0, metavar="N")
    options = parser.parse_args()
    if options.decide:
        decide_alone(options)
    else:
        measure(options)


if __name__ == "__main__":
    os.environ.pop("PULUMI_BACKEND_URL", None)
    main()
