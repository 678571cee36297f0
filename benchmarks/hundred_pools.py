"""Measures apply, a plan without changes, and destroy of 100 node pools in one cluster, with simulated latency.

Usage: python benchmarks/hundred_pools.py [--pools N] [--parallel N] [--latency realistic|instant]. The bound is 1.2 times the
unavoidable time: the cloud's critical path plus the engine's CPU time divided by the number of cores. The critical path is the
simulated latency of the longest chain, network → cluster → pool, for any number of parallel pools. The engine is planton and its
child processes. The sandbox, which replaces plugin and cloud, and other programs are shown but not counted. On a busy machine
everything takes longer, the engine's CPU time too, and the ratio is not meaningful.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from planton_sandbox.clouds.civo import catalogue
from support import planton as support

BOUND = 1.2
CORES = len(os.sched_getaffinity(0))
CREATING = catalogue.NETWORK_SECONDS + catalogue.CLUSTER_SECONDS + catalogue.NODE_SECONDS
DELETING = catalogue.NETWORK_DELETE_SECONDS + catalogue.CLUSTER_DELETE_SECONDS + catalogue.NODE_DELETE_SECONDS
COMMANDS = (
    (("apply", "-f", "dev", "--yes"), CREATING),
    (("plan", "-f", "dev", "--detailed-exitcode"), 0.0),
    (("destroy", "-f", "dev", "--yes"), DELETING),
)


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds: wall clock, critical path of the cloud, CPU time of the engine and of everything else."""

    wall: float
    cloud: float
    engine: float
    others: float

    @property
    def ratio(self) -> float:
        return self.wall / (self.cloud + self.engine / CORES)


def engine_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def machine_seconds() -> float:
    user, nice, system, _idle, _wait, irq, softirq = map(int, pathlib.Path("/proc/stat").read_text("ascii").split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def measure(user: support.Planton, command: list[str], cloud: float) -> Cost:
    engine, machine, start = engine_seconds(), machine_seconds(), time.perf_counter()
    completed = subprocess.run(command, cwd=user.folder, env=user.environ, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    assert completed.returncode == 0, completed.stdout + completed.stderr
    engine = engine_seconds() - engine
    return Cost(wall, cloud, engine, machine_seconds() - machine - engine)


def write(folder: pathlib.Path, pools: int) -> None:
    folder.mkdir()
    manifests = [support.network(), support.cluster()]
    for number in range(pools):
        pool = support.pool(nodePoolName=f"pool-{number:03}", nodeCount=1)
        pool["metadata"]["name"] = f"pool-{number:03}"
        manifests.append(pool)
    for manifest in manifests:
        (folder / f"{manifest['metadata']['name']}.json").write_text(json.dumps(manifest), "utf-8")


def run(options: argparse.Namespace) -> list[Cost]:
    costs = []
    with tempfile.TemporaryDirectory() as name, support.using(pathlib.Path(name), latency=options.latency) as user:
        write(user.folder / "dev", options.pools)
        user.sandbox.control.outside("quota", **dict.fromkeys(catalogue.LIMITS, 1_000_000))
        for arguments, seconds in COMMANDS:
            command = [*user.command(*arguments), "--parallel", str(options.parallel or options.pools)]
            cost = measure(user, command, seconds if options.latency == "realistic" else 0.0)
            print(
                f"{arguments[0]}: {cost.wall:.1f} s; critical path {cost.cloud:.0f} s, engine {cost.engine:.1f} s on {CORES} cores "
                f"(others {cost.others:.1f} s): ratio {cost.ratio:.2f} (bound {BOUND})",
                flush=True,
            )
            costs.append(cost)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pools", type=int, default=100)
    parser.add_argument("--parallel", type=int, default=0, help="like planton's option; by default all pools at once")
    parser.add_argument("--latency", choices=["realistic", "instant"], default="realistic")
    costs = run(parser.parse_args())
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process of the engine: {largest:.0f} MB")
    sys.exit(max(cost.ratio for cost in costs) > BOUND)


if __name__ == "__main__":
    os.environ.pop("PULUMI_BACKEND_URL", None)
    main()
