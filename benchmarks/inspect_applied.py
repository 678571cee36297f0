"""Measures get, status and drift over 100 applied resources in the sandbox, and counts their requests to the cloud.

Usage: python benchmarks/inspect_applied.py [--resources N] [--runs N]. The bounds on an idle machine are 2 s for get and 5 s for drift if
nothing differs. The resources are a network, a cluster and node pools. The fastest run counts: other programs only slow it down.
"""

import argparse
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

BOUNDS = {"get": 2.0, "status": 5.0, "drift": 5.0}


def write(folder: pathlib.Path, resources: int) -> None:
    folder.mkdir()
    manifests = [support.network(), support.cluster()]
    for number in range(resources - len(manifests)):
        pool = support.pool(nodePoolName=f"pool-{number:03}", nodeCount=1)
        pool["metadata"]["name"] = f"pool-{number:03}"
        manifests.append(pool)
    for manifest in manifests:
        (folder / f"{manifest['metadata']['name']}.json").write_text(json.dumps(manifest), "utf-8")


def seconds(user: support.Planton, command: str) -> tuple[float, float]:
    """Returns the duration of a command, and the processor time that it used."""
    start, used = time.perf_counter(), processor_seconds()
    completed = subprocess.run(
        user.command(command), cwd=user.folder, env=user.environ, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return time.perf_counter() - start, processor_seconds() - used


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--resources", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    slow = False
    with tempfile.TemporaryDirectory() as name, support.using(pathlib.Path(name)) as user:
        write(user.folder / "dev", options.resources)
        user.sandbox.control.outside("quota", **dict.fromkeys(catalogue.LIMITS, 1_000_000))
        subprocess.run(
            user.command("apply", "-f", "dev", "--yes"), cwd=user.folder, env=user.environ, capture_output=True, check=True
        )
        for command, bound in BOUNDS.items():
            mark = user.sandbox.control.mark()
            first = seconds(user, command)
            sent = len(user.sandbox.control.requests(mark, "civo"))
            wall, used = min([first, *(seconds(user, command) for _ in range(options.runs - 1))])
            slow |= wall > bound
            print(
                f"{command}: {wall:.2f} s (bound {bound:.0f} s), {used:.2f} s of processor time, {sent} requests to the cloud",
                flush=True,
            )
    sys.exit(slow)


if __name__ == "__main__":
    os.environ.pop("PULUMI_BACKEND_URL", None)
    main()
