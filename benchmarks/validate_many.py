"""Throughput: 10,000 small one-document files in one process; reading, strictness and rules included.

Usage: python benchmarks/validate_many.py [FILES]. The bound is 0.15 ms a file on one core.
"""

import contextlib
import io
import pathlib
import resource
import sys
import tempfile
import time

from planton import cli

MANIFEST = """\
apiVersion: civo.project-planton.org/v1
kind: CivoKubernetesNodePool
metadata:
  name: pool-{number}
  env: dev
spec:
  nodePoolName: pool-{number}
  cluster:
    valueFrom:
      name: dev-cluster
  size: g4s.kube.medium
  nodeCount: 3
  labels:
    team: "{number}"
"""
BOUND = 0.15


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            (pathlib.Path(folder) / f"pool-{number:05}.yaml").write_text(MANIFEST.format(number=number), "utf-8")
        said = io.StringIO()
        start = time.process_time()
        with contextlib.redirect_stdout(said):
            code = cli.main(["validate", folder])
        each = (time.process_time() - start) / count * 1000
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"exit {code}: {said.getvalue().strip()}")
    print(f"{each:.3f} ms a file, {each / BOUND:.2f} of the bound ({BOUND} ms); {memory:.0f} MB")


if __name__ == "__main__":
    main()
