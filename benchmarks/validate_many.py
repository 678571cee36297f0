"""Measures throughput: 10,000 small files with one document in one process, including reading, strictness and rules.

Usage: python benchmarks/validate_many.py [FILES]. The bound is 0.15 ms per file on one core.
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
        output = io.StringIO()
        start = time.process_time()
        with contextlib.redirect_stdout(output):
            code = cli.main(["validate", folder])
        each = (time.process_time() - start) / count * 1000
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"exit {code}: {output.getvalue().strip()}")
    print(f"{each:.3f} ms per file, {each / BOUND:.2f} of the bound ({BOUND} ms); {memory:.0f} MB")


if __name__ == "__main__":
    main()
