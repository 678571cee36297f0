"""Measures 1,000 manifests with references to each other before any request to a cloud: reading, validation, order.

Usage: python benchmarks/thousand_manifests.py [COUNT]. The bound is 1 s for 1,000; Pulumi must not be imported.
Each cluster refers to a network, and eight node pools refer to each cluster.
"""

import pathlib
import sys
import tempfile
import time

from planton.deploy import graph
from planton.manifest import load

NETWORK = """apiVersion: digital-ocean.project-planton.org/v1
kind: DigitalOceanVpc
metadata: {{name: net-{0}, env: dev}}
spec: {{region: fra1}}
"""
CLUSTER = """apiVersion: digital-ocean.project-planton.org/v1
kind: DigitalOceanKubernetesCluster
metadata: {{name: cluster-{0}, env: dev}}
spec:
  clusterName: cluster-{0}
  region: fra1
  kubernetesVersion: 1.33.1-do.0
  vpc: {{valueFrom: {{name: net-{0}}}}}
  defaultNodePool: {{size: s-1vcpu-2gb, nodeCount: 1}}
"""
POOL = """apiVersion: digital-ocean.project-planton.org/v1
kind: DigitalOceanKubernetesNodePool
metadata: {{name: pool-{0}-{1}, env: dev}}
spec:
  nodePoolName: pool-{1}
  cluster: {{valueFrom: {{name: cluster-{0}}}}}
  size: s-2vcpu-4gb
  nodeCount: 2
"""
POOLS = 8
BOUND_SECONDS = 1.0


def write(folder: pathlib.Path, count: int) -> None:
    """Writes one manifest per file; dependants come first by name."""
    for group in range(count // (POOLS + 2)):
        (folder / f"{group:04}-c.yaml").write_text(NETWORK.format(group), "utf-8")
        (folder / f"{group:04}-b.yaml").write_text(CLUSTER.format(group), "utf-8")
        for pool in range(POOLS):
            (folder / f"{group:04}-a{pool}.yaml").write_text(POOL.format(group, pool), "utf-8")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        write(pathlib.Path(name), count)
        start = time.perf_counter()
        documents = load.load([name])
        read = time.perf_counter()
        resources = graph.by_key(load.Resource(each.message, None, each.file, document=each) for each in documents)
        ordered = graph.order(resources)
        end = time.perf_counter()
    assert len(ordered) == len(documents)
    assert "pulumi" not in sys.modules, "Pulumi was imported"
    seconds = end - start
    print(f"{len(documents)} manifests: read and validated in {read - start:.2f} s, ordered in {end - read:.2f} s")
    print(f"total {seconds:.2f} s (bound {BOUND_SECONDS * count / 1000:.2f} s)")
    sys.exit(seconds > BOUND_SECONDS * count / 1000)


main()
