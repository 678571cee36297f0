"""Measures a cold start: ``planton validate`` of one file against importing protobuf's descriptors, in pairs, as a ratio.

Usage: python benchmarks/validate_cold.py [PAIRS]. The bound is 3.5. It also lists the slowest imports.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

MANIFEST = """\
apiVersion: civo.project-planton.org/v1
kind: CivoKubernetesCluster
metadata: {name: dev-cluster, env: dev}
spec:
  clusterName: dev-cluster
  region: lon1
  kubernetesVersion: 1.30.5-k3s1
  network: {valueFrom: {name: dev-network}}
  defaultNodePool: {size: g4s.kube.medium, nodeCount: 3}
"""
BASE = "from google.protobuf import descriptor_pb2"
COMMAND = "import sys; from planton import cli; sys.exit(cli.main())"


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def slowest_imports(arguments: list[str], count: int = 12) -> list[str]:
    text = subprocess.run([sys.executable, "-X", "importtime", *arguments], check=True, capture_output=True, text=True).stderr
    rows = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \| *(\S+)", text)
    return [f"{int(total) / 1000:7.1f} ms  {name}" for _, total, name in sorted(rows, key=lambda row: -int(row[1]))[:count]]


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cluster.yaml"
        path.write_text(MANIFEST, "utf-8")
        command = ["-c", COMMAND, "validate", str(path)]
        seconds(command)
        measured = [(seconds(["-c", BASE]), seconds(command)) for _ in range(pairs)]
        base, cold = (statistics.median(column) for column in zip(*measured, strict=True))
        ratio = statistics.median(pair[1] / pair[0] for pair in measured)
        print(f"descriptor_pb2 {base * 1000:.1f} ms, planton validate {cold * 1000:.1f} ms: ratio {ratio:.2f} (bound 3.5)")
        print("imports, cumulative:", *slowest_imports(command), sep="\n")


if __name__ == "__main__":
    main()
