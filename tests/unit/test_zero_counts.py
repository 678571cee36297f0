"""A node count of zero is a value, and reported as such."""

from __future__ import annotations

import pytest

from planton import manifest
from planton.manifest import load

POOL = "apiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: dev}}\nspec:\n  nodePoolName: workers\n  cluster: {{value: dev}}\n  size: x\n"
CLUSTER = """apiVersion: digital-ocean.project-planton.org/v1
kind: DigitalOceanKubernetesCluster
metadata: {name: dev}
spec:
  clusterName: dev
  region: fra1
  kubernetesVersion: 1.33.1-do.0
  vpc: {value: dev}
  defaultNodePool: {size: x, nodeCount: 0}
  additionalNodePools: [{name: batch, size: x, nodeCount: 0}]
"""
CIVO = POOL.format(group="civo.project-planton.org", kind="CivoKubernetesNodePool")
DIGITALOCEAN = POOL.format(group="digital-ocean.project-planton.org", kind="DigitalOceanKubernetesNodePool")


def _messages(text: str, *overrides: str) -> list[tuple[str, str, str]]:
    assigned = manifest.overrides(overrides)
    _, violations = load.collect(load.Text("x", text.encode()), overrides=assigned)
    return [(violation.path, violation.rule_id, violation.message) for violation in violations]


@pytest.mark.parametrize("text", ["0", '"0"', "0x0"])
def test_zero_on_digitalocean_suggests_autoscaling(text: str) -> None:
    """The cloud's autoscaler can empty a pool."""
    [(path, rule, message)] = _messages(f"{DIGITALOCEAN}  nodeCount: {text}\n")
    assert (path, rule) == ("spec.nodeCount", "required")
    assert message.startswith("must be at least 1, not 0: ")
    assert "autoScale: true, minNodes: 0" in message


def test_zero_on_civo_suggests_to_delete_the_pool() -> None:
    """Civo has no empty pools."""
    assert _messages(f"{CIVO}  nodeCount: 0\n") == [
        ("spec.nodeCount", "required", "must be at least 1, not 0: Civo has no empty pools; delete the pool instead")
    ]


def test_the_default_pool_of_a_cluster_is_never_empty() -> None:
    """An additional pool may be empty with autoscaling."""
    default, additional = _messages(CLUSTER)
    assert default[::2] == (
        "spec.defaultNodePool.nodeCount",
        "must be at least 1, not 0: a cluster's default pool always has nodes",
    )
    assert additional[0] == "spec.additionalNodePools[0].nodeCount"
    assert "minNodes: 0" in additional[2]


def test_an_assigned_zero_is_reported() -> None:
    """The file has another number, and the assignment overrides it."""
    [(_, _, message)] = _messages(f"{CIVO}  nodeCount: 3\n", "spec.nodeCount=0")
    assert message.startswith("must be at least 1, not 0")


@pytest.mark.parametrize("field", ["", "  nodeCount:\n", "  nodeCount: null\n"])
def test_a_missing_count_is_reported_as_missing(field: str) -> None:
    """The message does not mention zero."""
    assert _messages(CIVO + field) == [("spec.nodeCount", "required", "value is required")]
