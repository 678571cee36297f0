"""What a replacement costs: nodes, with or without a drain, the id, the dependants, and the option that consents."""

from __future__ import annotations

import json
import types
from typing import Any

import pytest

import planton
from planton.deploy import losses, steps
from planton.engine import plans
from planton.schema import kinds, references
from support import planton as support

USER = references.Key("CivoKubernetesNodePool", "dev", "workers")


def _step(manifest: dict[str, Any], action: plans.Action, *, name: str = "", missing: bool = False) -> steps.Step:
    [resource] = planton.load(json.dumps(manifest))
    key = references.key(resource.manifest)
    kind = kinds.get(key.kind)
    type_ = kinds.type_of(kinds.Role.NODE_POOL, kind.provider) if name.startswith("node_pool") else kind.declared.type
    change = plans.Change("urn", name or kind.main, type_, action)
    plan = plans.Plan((change,), missing=frozenset({"urn"} if missing else ()))
    return steps.Step(key, "s", plan, applied=types.SimpleNamespace(manifest=resource.manifest))  # type: ignore[arg-type]  # its manifest counts


def _loss(step: steps.Step) -> losses.Loss:
    [described] = losses.of_steps([step], {step.key: [USER]})
    [loss] = described.losses
    return loss


CLUSTER = support.cluster(additionalNodePools=[{"name": "web", "size": "g4s.kube.small", "nodeCount": 3}])


def test_a_replaced_cluster_loses_the_nodes_of_all_its_pools() -> None:
    """Nothing drains them. Others refer to the cluster, and the option names it."""
    loss = _loss(_step(CLUSTER, plans.Action.REPLACE))
    assert (loss.nodes, loss.is_drained, loss.is_new) == (5, False, True)
    assert loss.referrers == (USER,)
    assert loss.consent == "--allow-replace CivoKubernetesCluster/dev"


def test_an_additional_pool_loses_its_own_nodes() -> None:
    """Nobody refers to it. A deleted one gets no new id."""
    loss = _loss(_step(CLUSTER, plans.Action.DELETE, name="node_pool-web"))
    assert (loss.nodes, loss.is_new, loss.referrers) == (3, False, ())


def test_a_missing_cluster_has_no_nodes_to_lose() -> None:
    """It would be recreated."""
    assert _loss(_step(CLUSTER, plans.Action.CREATE, missing=True)).nodes == 0


@pytest.mark.parametrize(("kind", "is_drained"), [("CivoKubernetesNodePool", False), ("DigitalOceanKubernetesNodePool", True)])
def test_the_cloud_declares_whether_it_drains_a_deleted_pool(kind: str, *, is_drained: bool) -> None:
    """DigitalOcean documents it, and Civo does not."""
    pool = {"nodePoolName": "web", "cluster": {"value": "id"}, "size": "s", "nodeCount": 2}
    assert _loss(_step(support.manifest(kind, "web", **pool), plans.Action.REPLACE)).is_drained is is_drained
