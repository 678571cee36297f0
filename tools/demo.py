"""The tour: a cluster comes up in the sandbox, is scaled, drifts, is repaired, and goes away.

Each command is printed as a user would type it, and run. Everything happens in a folder of its own; nothing stays behind.
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
    """Runs the commands of a shell that remembers what was exported."""

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

    def tell(self, text: str) -> None:
        """Says what comes next."""
        print(f"\n\033[1m# {text}\033[0m" if self._coloured else f"\n# {text}", flush=True)

    def run(self, command: str, *, code: int = 0) -> str:
        """Runs a command and returns what it printed, which is shown too; any other exit code ends the tour."""
        print(f"\033[36m$ {command}\033[0m" if self._coloured else f"$ {command}", flush=True)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout, end="", flush=True)
        if done.returncode != code:
            sys.exit(f"the tour ends here: exit code {done.returncode} instead of {code}")
        return done.stdout

    def point_at_sandbox(self) -> None:
        """Exports what ``eval "$(planton sandbox env)"`` exports."""
        print('$ eval "$(planton sandbox env)"', flush=True)
        lines = subprocess.run(
            ["planton", "sandbox", "env"], env=self._environ, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for line in lines:
            name, _, value = line.removeprefix("export ").partition("=")
            self._environ[name] = shlex.split(value)[0] if value else ""


def main() -> None:
    """Runs the demo."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planton-demo-") as name:
        folder = pathlib.Path(name)
        shutil.copytree(ROOT / EXAMPLE, folder / EXAMPLE)
        tour = Tour(folder)
        try:
            story(tour)
        finally:
            subprocess.run(["bash", "-c", "planton sandbox stop >/dev/null 2>&1"], env=tour._environ, check=False)  # noqa: SLF001
    print(f"\nThat took {time.monotonic() - began:.0f} seconds. What to try next:\n")
    print('  source .venv/bin/activate && planton sandbox start && eval "$(planton sandbox env)"')
    print(f"  planton apply -f {EXAMPLE}              # the same, and it stays")
    print("  docs/use/getting-started.md, docs/use/drift-and-recovery.md, docs/use/sandbox.md    # where to read on")


def story(tour: Tour) -> None:
    """Runs the commands, and stops where something is not as it should be."""
    tour.tell("A cloud on this machine, so that no account is needed")
    tour.run("planton sandbox start")
    tour.point_at_sandbox()
    tour.tell("A network, a firewall, a cluster and a node pool: checked first, then made, in the order of their references")
    tour.run(f"planton validate {EXAMPLE}")
    tour.run(f"planton apply -f {EXAMPLE} --yes")
    tour.run("planton kubeconfig civokubernetesclusters/dev-cluster --out dev.kubeconfig")
    tour.run(NODES)
    tour.tell("Scaling the pool from 3 to 5 keeps the nodes that are there")
    before = tour.run("planton outputs civokubernetesnodepools/dev-workers --field nodeNames").split()
    tour.run(f"planton apply -f {POOL} --set spec.nodeCount=5 --yes")
    after = tour.run(f"{NODES} -l planton-resource-name=dev-workers -o name").split()
    lost = [node for node in before if f"node/{node}" not in after]
    if lost or len(after) != len(before) + 2:
        sys.exit(f"scaling lost nodes: {lost}")
    tour.tell("Somebody scales it in the dashboard; drift finds it, an apply repairs it")
    cluster = tour.run("planton outputs civokubernetesclusters/dev-cluster --field clusterId").strip()
    tour.run(
        f'curl -s -o /dev/null -X PUT -H "Authorization: bearer $CIVO_TOKEN" -d \'{{"count": 2, "region": "LON1"}}\' '
        f"$CIVO_API_URL/v2/kubernetes/clusters/{cluster}/pools/dev-workers"
    )
    tour.run(f"planton drift -f {EXAMPLE}", code=3)
    tour.run(f"planton apply -f {POOL} --set spec.nodeCount=5 --refresh --yes")
    tour.run(f"planton drift -f {EXAMPLE}")
    tour.tell("And everything goes, dependants first")
    tour.run(f"planton destroy -f {EXAMPLE} --yes")
    tour.run("planton sandbox stop")


if __name__ == "__main__":
    main()
