"""The demo: a cluster is created in the sandbox, scaled, drifts, is repaired, and deleted.

Each command is printed as a user would type it, and run. Everything happens in a temporary folder.
"""

from __future__ import annotations

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent
EXAMPLE = "examples/civo-dev"
POOL = f"{EXAMPLE}/node-pool.yaml"
NODES = "kubectl --kubeconfig dev.kubeconfig get nodes"


class Tour:
    """Runs shell commands with persistent environment variables."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._coloured = sys.stdout.isatty()
        self._environ = {
            **os.environ,
            "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
            "PLANTON_DATA_DIR": str(folder / "data"),
            "PLANTON_SANDBOX_HOME": str(folder / "sandbox"),
        }
        for name in ("PULUMI_BACKEND_URL", "CIVO_TOKEN", "CIVO_API_URL"):
            self._environ.pop(name, None)

    def announce(self, text: str) -> None:
        """Prints the next topic."""
        print(f"\n\033[1m# {text}\033[0m" if self._coloured else f"\n# {text}", flush=True)

    def run(self, command: str, *, code: int = 0) -> str:
        """Runs a command, prints and returns its output; an unexpected exit code ends the demo."""
        print(f"\033[36m$ {command}\033[0m" if self._coloured else f"$ {command}", flush=True)
        completed = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(completed.stdout, end="", flush=True)
        if completed.returncode != code:
            sys.exit(f"the demo ends here: exit code {completed.returncode} instead of {code}")
        return completed.stdout

    def point_at_sandbox(self) -> None:
        """Sets the variables of ``eval "$(planton sandbox env)"``."""
        print('$ eval "$(planton sandbox env)"', flush=True)
        lines = subprocess.run(
            ["planton", "sandbox", "env"], env=self._environ, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for line in lines:
            name, _, value = line.removeprefix("export ").partition("=")
            self._environ[name] = shlex.split(value)[0] if value else ""


def main() -> None:
    """Runs the demo."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planton-demo-") as name:
        folder = pathlib.Path(name)
        shutil.copytree(ROOT / EXAMPLE, folder / EXAMPLE)
        tour = Tour(folder)
        try:
            story(tour)
        finally:
            subprocess.run(["bash", "-c", "planton sandbox stop >/dev/null 2>&1"], env=tour._environ, check=False)  # noqa: SLF001
    print(f"\nThe demo took {time.monotonic() - start:.0f} seconds. Try next:\n")
    print('  source .venv/bin/activate && planton sandbox start && eval "$(planton sandbox env)"')
    print(f"  planton apply -f {EXAMPLE}              # the same environment, without the destroy")
    print("  docs/use/getting-started.md, docs/use/drift-and-recovery.md, docs/use/sandbox.md    # read on")


def story(tour: Tour) -> None:
    """Runs the commands, and stops at the first unexpected result."""
    tour.announce("A cloud on this machine: no account is needed")
    tour.run("planton sandbox start")
    tour.point_at_sandbox()
    tour.announce("A network, a firewall, a cluster and a node pool: validated, then created in the order of their references")
    tour.run(f"planton validate {EXAMPLE}")
    tour.run(f"planton apply -f {EXAMPLE} --yes")
    tour.run("planton kubeconfig civokubernetesclusters/dev-cluster --out dev.kubeconfig")
    tour.run(NODES)
    tour.announce("Scale the pool from 3 to 5; its existing nodes stay")
    before = tour.run("planton outputs civokubernetesnodepools/dev-workers --field nodeNames").split()
    tour.run(f"planton apply -f {POOL} --set spec.nodeCount=5 --yes")
    after = tour.run(f"{NODES} -l planton-resource-name=dev-workers -o name").split()
    missing = [node for node in before if f"node/{node}" not in after]
    if missing or len(after) != len(before) + 2:
        sys.exit(f"scaling deleted nodes: {missing}")
    tour.announce("Another user scales it in the dashboard: drift reports it, an apply repairs it")
    cluster = tour.run("planton outputs civokubernetesclusters/dev-cluster --field clusterId").strip()
    tour.run(
        f'curl -s -o /dev/null -X PUT -H "Authorization: bearer $CIVO_TOKEN" -d \'{{"count": 2, "region": "LON1"}}\' '
        f"$CIVO_API_URL/v2/kubernetes/clusters/{cluster}/pools/dev-workers"
    )
    tour.run(f"planton drift -f {EXAMPLE}", code=3)
    tour.run(f"planton apply -f {POOL} --set spec.nodeCount=5 --refresh --yes")
    tour.run(f"planton drift -f {EXAMPLE}")
    tour.announce("Destroy everything, dependants first")
    tour.run(f"planton destroy -f {EXAMPLE} --yes")
    tour.run("planton sandbox stop")


if __name__ == "__main__":
    main()
