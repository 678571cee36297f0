"""One environment with the official plugin for Civo, which is created, changed in every way, and deleted.

The tests run in order and share the environment, because the plugin waits up to ten seconds in each operation.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from support import official
from support import planton as manifests

pytestmark = pytest.mark.official

EXTRA = {"name": "extra-pool", "size": "g4s.kube.small", "nodeCount": 1}
OTHER = {"name": "other-pool", "size": "g4s.kube.small", "nodeCount": 1, "labels": {"pool": "other"}}


@dataclasses.dataclass
class Environment:
    """The current manifests of a network, a cluster with its firewall, and a pool."""

    user: official.User
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=lambda: {"labels": {"tier": "web"}})

    def manifests(self, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Returns the manifests with temporary changes."""
        return [
            manifests.network(),
            manifests.cluster(**(self.cluster | (cluster or {}))),
            manifests.pool(**(self.pool | (pool or {}))),
        ]

    def apply(self, *, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> dict[str, str]:
        """Stores changes, applies everything, and returns the steps: resource → action."""
        steps = self.user.apply(*self.manifests(cluster, pool))
        self.cluster |= cluster or {}
        self.pool |= pool or {}
        return steps

    def plan(self, *, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> dict[str, str]:
        """Returns the plan of an apply with temporary changes."""
        return self.user.plan(*self.manifests(cluster, pool))


@pytest.fixture(scope="module")
def environment(plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An applied environment."""
    with official.using(tmp_path_factory.mktemp("official") / "user", plugin) as user:
        applied = Environment(user)
        steps = applied.apply()
        assert set(steps.values()) == {"create"}, steps
        yield applied


def test_the_environment_is_created_by_the_plugin(environment: Environment) -> None:
    """No stand-in runs, so the plugin created network, firewall, cluster and pools."""
    assert not environment.user.sandbox.info.providers
    existing = environment.user.sandbox.control.resources()
    assert [network["label"] for network in existing["networks"]] == ["default", "net"]
    assert "dev-firewall" in [firewall["name"] for firewall in existing["firewalls"]]
    assert [cluster["status"] for cluster in existing["clusters"]] == ["ACTIVE"]
    assert sorted(pool["count"] for pool in environment.user.pools().values()) == [1, 2, 3]
    outputs = environment.user.json("outputs", "civokubernetescluster/dev")
    assert outputs["status"] == "ACTIVE"
    assert "client-key-data" in environment.user.run("kubeconfig", "civokubernetescluster/dev").stdout


def test_the_plan_after_an_apply_is_empty(environment: Environment) -> None:
    """It stays empty after two refreshes. The second one reads the state of the first."""
    assert environment.plan() == {}
    for _ in range(2):
        environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_scaling_keeps_existing_nodes(environment: Environment) -> None:
    """The pool has 3, 5, then 2 nodes. The plugin does not crash, and a refresh finds no difference."""
    before = environment.user.pools()["workers"]["nodes"]
    assert environment.apply(pool={"nodeCount": 5}) == {"node_pool_size": "update"}
    grown = environment.user.pools()["workers"]["nodes"]
    assert grown[:3] == before
    assert environment.apply(pool={"nodeCount": 2}) == {"node_pool_size": "update"}
    remaining = environment.user.pools()["workers"]["nodes"]
    assert len(remaining) == 2
    assert set(remaining) <= set(grown)
    environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_labels_taints_and_count_change_together(environment: Environment) -> None:
    """One apply changes all three in place, and the next plan is empty."""
    taint = {"key": "dedicated", "value": "web", "effect": "NoSchedule"}
    before = environment.user.pools()["workers"]["nodes"]
    steps = environment.apply(pool={"labels": {"tier": "front"}, "taints": [taint], "nodeCount": 3})
    assert steps == {"node_pool": "update", "node_pool_size": "update"}
    assert environment.user.pools()["workers"]["nodes"][:2] == before
    pool = cloud_pool(environment, "workers")
    assert pool["labels"]["tier"] == "front"
    assert pool["labels"]["planton-resource-name"] == "workers"
    assert [(each["key"], each["effect"]) for each in pool["taints"]] == [("dedicated", "NoSchedule")]
    assert environment.plan() == {}


def cloud_pool(environment: Environment, name: str) -> dict[str, Any]:
    """Returns a pool from the cloud's API."""
    identity = environment.user.sandbox.control.resources()["clusters"][0]["id"]
    pools = environment.user.sandbox.call("GET", f"/kubernetes/clusters/{identity}").body["pools"]
    return next(pool for pool in pools if pool["id"] == name)


def test_default_pool_and_tags_change_in_place(environment: Environment) -> None:
    """It is one update of the cluster, after which the plan is empty."""
    steps = environment.apply(cluster={"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 3}, "tags": ["team:a"]})
    assert steps == {"cluster": "update"}
    assert 3 in [pool["count"] for name, pool in environment.user.pools().items() if name not in ("workers", "extra-pool")]
    assert environment.plan() == {}


def test_additional_pools_are_created_and_scaled_in_any_order(environment: Environment) -> None:
    """None is replaced."""
    scaled = EXTRA | {"nodeCount": 2}
    steps = environment.apply(cluster={"additionalNodePools": [OTHER, scaled]})
    assert steps == {
        "node_pool-other-pool": "create",
        "node_pool_size-other-pool": "create",
        "node_pool_size-extra-pool": "update",
    }
    assert environment.plan(cluster={"additionalNodePools": [scaled, OTHER]}) == {}


@pytest.mark.parametrize(
    ("changed", "resource"),
    [
        (manifests.network(ipRangeCidr="10.30.0.0/24"), "network"),
        (manifests.cluster(cni="cilium"), "cluster"),
        (manifests.cluster(applications=["metrics-server"]), "cluster"),
        (manifests.cluster(defaultNodePool={"size": "g4s.kube.medium", "nodeCount": 2}), "cluster"),
        (manifests.pool(size="g4s.kube.small"), "node_pool"),
        (manifests.pool(nodePoolName="renamed"), "node_pool"),
    ],
    ids=["range", "cni", "applications", "default size", "size", "name"],
)
def test_immutable_fields_are_planned_as_a_replacement(changed: dict[str, Any], resource: str, environment: Environment) -> None:
    """The plugin alone would fail, or ignore the change."""
    assert environment.user.plan(changed)[resource] == "replace"


def test_a_replacement_with_consent_is_applied(environment: Environment) -> None:
    """The pool is deleted before its successor of the same name is created. Other pools stay."""
    before = environment.user.pools()
    environment.pool |= {"size": "g4s.kube.large"}
    steps = environment.user.apply(*environment.manifests(), allow=("civokubernetesnodepool/workers",))
    assert steps["node_pool"] == "replace"
    after = environment.user.pools()
    assert not set(before.pop("workers")["nodes"]) & set(after.pop("workers")["nodes"])
    assert after == before


def test_drift_is_reported_and_repaired(environment: Environment) -> None:
    """Scaling by hand is drift. Reporting changes nothing. An apply with --refresh repairs it."""
    user = environment.user
    default = next(name for name in user.pools() if name not in ("workers", "extra-pool", "other-pool"))
    user.sandbox.control.outside("scale", cluster="dev", pool="workers", count=5)
    user.sandbox.control.outside("scale", cluster="dev", pool=default, count=4)
    mark = user.sandbox.control.mark()
    drifted = user.json("drift", "-f", user.write("manifests.yaml", *environment.manifests()), code=3)["resources"]
    paths = {
        each["path"]: (each["old"], each["new"])
        for resource in drifted
        for change in resource["changes"]
        for each in change["differences"]
    }
    assert paths == {"pools.nodeCount": (3, 4), "node_count": (3, 5)}
    assert user.writes(mark) == []
    user.run("apply", "-f", "manifests.yaml", "--yes", "--refresh")
    assert (user.pools()["workers"]["count"], user.pools()[default]["count"]) == (3, 3)
    assert user.actions("drift", "-f", "manifests.yaml") == {}


def test_a_failed_refresh_changes_nothing(environment: Environment) -> None:
    """The plugin drops the cluster, but the cloud cannot confirm it. The state stays, and the plan is empty."""
    user = environment.user
    user.sandbox.control.fault(method="GET", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500, times=0)
    user.run("refresh", "civokubernetescluster/dev", code=6)
    user.sandbox.control.clear_faults()
    assert environment.plan() == {}


def test_a_failed_update_is_followed_by_a_refresh(environment: Environment) -> None:
    """The plugin stores the planned values. After the manifest is reverted, no request changes the cloud."""
    user = environment.user
    user.sandbox.control.fault(method="PUT", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500)
    grown = environment.manifests(cluster={"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 7}})
    user.run("apply", "-f", user.write("manifests.yaml", *grown), "--yes", code=6)
    user.sandbox.control.clear_faults()
    mark = user.sandbox.control.mark()
    assert environment.apply() == {}
    assert user.writes(mark) == []


def test_a_pool_deleted_by_hand_is_recreated(environment: Environment) -> None:
    """Drift reports the deletion, a refresh removes it from the state, and an apply recreates it."""
    user = environment.user
    user.sandbox.control.outside("delete-pool", cluster="dev", pool="workers")
    user.sandbox.control.advance(600)
    file = user.write("manifests.yaml", *environment.manifests())
    assert user.actions("drift", "-f", file, code=3) == {"node_pool": "delete"}
    user.run("refresh", "civokubernetesnodepool/workers")
    environment.apply()
    assert len(user.pools()["workers"]["nodes"]) == 3


def test_existing_resources_are_imported(environment: Environment) -> None:
    """They were created without planton, and the next plan is empty."""
    user = environment.user
    network_id = user.sandbox.call("POST", "/networks", {"label": "existing", "cidr_v4": "10.40.0.0/24"}).body["id"]
    network_manifest = manifests.manifest(
        "CivoVpc", "existing", civoCredentialId="default", networkName="existing", region="lon1", ipRangeCidr="10.40.0.0/24"
    )
    identity = user.json("outputs", "civokubernetescluster/dev")["clusterId"]
    body = {"id": "existing-pool", "count": 2, "size": "g4s.kube.small"}
    user.sandbox.call("POST", f"/kubernetes/clusters/{identity}/pools", body)
    pool = manifests.pool(nodePoolName="existing-pool", size="g4s.kube.small", nodeCount=2)
    pool["metadata"]["name"] = "existing"
    file = user.write("existing.yaml", network_manifest, pool)
    user.run("import", "civovpc/existing", network_id, "-f", file, "--yes")
    user.run("import", "civokubernetesnodepool/existing", "existing-pool", "-f", file, "--yes")
    assert user.actions("plan", "-f", file) == {}
    assert user.json("outputs", "civovpc/existing")["networkId"] == network_id
    user.run("destroy", "-f", file, "--yes")


def test_the_environment_is_destroyed(environment: Environment) -> None:
    """Pools, cluster, firewall and network are deleted. The account's default network stays."""
    user = environment.user
    user.run("destroy", "-f", user.write("manifests.yaml", *environment.manifests()), "--yes")
    remaining = user.sandbox.control.resources()
    assert remaining["clusters"] == []
    assert [network["label"] for network in remaining["networks"]] == ["default"]
