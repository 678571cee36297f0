"""A number of nodes that is zero is no missing value."""

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
    return [(one.path, one.rule_id, one.message) for one in violations]


@pytest.mark.parametrize("written", ["0", '"0"', "0x0"])
def test_zero_on_digitalocean_names_the_way_to_an_empty_pool(written: str) -> None:
    """The cloud's autoscaler can empty a pool."""
    [(path, rule, message)] = _messages(f"{DIGITALOCEAN}  nodeCount: {written}\n")
    assert (path, rule) == ("spec.nodeCount", "required")
    assert message.startswith("must be at least 1, not 0: ")
    assert "autoScale: true, minNodes: 0" in message


def test_zero_on_civo_names_no_way() -> None:
    """There is none."""
    assert _messages(f"{CIVO}  nodeCount: 0\n") == [
        ("spec.nodeCount", "required", "must be at least 1, not 0: Civo has no empty pools; delete the pool instead")
    ]


def test_pools_within_a_cluster() -> None:
    """A default pool is never empty; an additional one may be."""
    default, additional = _messages(CLUSTER)
    assert default[::2] == (
        "spec.defaultNodePool.nodeCount",
        "must be at least 1, not 0: a cluster's default pool always has nodes",
    )
    assert additional[0] == "spec.additionalNodePools[0].nodeCount"
    assert "minNodes: 0" in additional[2]


def test_zero_that_is_set_for_one_run() -> None:
    """The text has another number, and the number that counts is zero."""
    [(_, _, message)] = _messages(f"{CIVO}  nodeCount: 3\n", "spec.nodeCount=0")
    assert message.startswith("must be at least 1, not 0")


@pytest.mark.parametrize("rest", ["", "  nodeCount:\n", "  nodeCount: null\n"])
def test_what_is_missing_stays_missing(rest: str) -> None:
    """Nothing is said of zero where there is no number."""
    assert _messages(CIVO + rest) == [("spec.nodeCount", "required", "value is required")]
