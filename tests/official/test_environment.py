"""The product with the official plugin: one environment that comes up, changes in every way, and goes.

The tests follow one another, for the plugin waits up to ten seconds in each operation; each starts from what the one
before wanted.
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
    """A network, a cluster with its firewall, and a pool, as they are wanted at the moment."""

    user: official.User
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=lambda: {"labels": {"tier": "web"}})

    def wanted(self, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the manifests with further changes, which are not remembered."""
        return [
            manifests.network(),
            manifests.cluster(**(self.cluster | (cluster or {}))),
            manifests.pool(**(self.pool | (pool or {}))),
        ]

    def apply(self, *, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> dict[str, str]:
        """Remember changes, apply everything, and return what was done."""
        done = self.user.apply(*self.wanted(cluster, pool))
        self.cluster |= cluster or {}
        self.pool |= pool or {}
        return done

    def plan(self, *, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> dict[str, str]:
        """Return what an apply with further changes would do."""
        return self.user.plan(*self.wanted(cluster, pool))


@pytest.fixture(scope="module")
def environment(plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment that is up."""
    with official.using(tmp_path_factory.mktemp("official") / "user", plugin) as user:
        made = Environment(user)
        done = made.apply()
        assert set(done.values()) == {"create"}, done
        yield made


def test_the_environment_comes_up(environment: Environment) -> None:
    """Network, firewall, cluster and pools are there, and no stand-in was: the plugin made them."""
    assert not environment.user.sandbox.info.providers
    there = environment.user.sandbox.control.resources()
    assert [network["label"] for network in there["networks"]] == ["default", "net"]
    assert "dev-firewall" in [firewall["name"] for firewall in there["firewalls"]]
    assert [cluster["status"] for cluster in there["clusters"]] == ["ACTIVE"]
    assert sorted(pool["count"] for pool in environment.user.pools().values()) == [1, 2, 3]
    outputs = environment.user.json("outputs", "civokubernetescluster/dev")
    assert outputs["status"] == "ACTIVE"
    assert "client-key-data" in environment.user.run("kubeconfig", "civokubernetescluster/dev").stdout


def test_nothing_is_to_be_done_after_it(environment: Environment) -> None:
    """A plan is empty, and still is after two refreshes, of which the second reads what the first wrote."""
    assert environment.plan() == {}
    for _ in range(2):
        environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_scaling_keeps_the_nodes_that_stay(environment: Environment) -> None:
    """3 → 5 → 2: the plugin does not crash, the first nodes are the same, and a refresh finds nothing to do."""
    before = environment.user.pools()["workers"]["nodes"]
    assert environment.apply(pool={"nodeCount": 5}) == {"node_pool_size": "update"}
    grown = environment.user.pools()["workers"]["nodes"]
    assert grown[:3] == before
    assert environment.apply(pool={"nodeCount": 2}) == {"node_pool_size": "update"}
    left = environment.user.pools()["workers"]["nodes"]
    assert len(left) == 2
    assert set(left) <= set(grown)
    environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_labels_taints_and_count_change_together(environment: Environment) -> None:
    """One apply changes all three, in place, and the next plan is empty."""
    taint = {"key": "dedicated", "value": "web", "effect": "NoSchedule"}
    before = environment.user.pools()["workers"]["nodes"]
    done = environment.apply(pool={"labels": {"tier": "front"}, "taints": [taint], "nodeCount": 3})
    assert done == {"node_pool": "update", "node_pool_size": "update"}
    assert environment.user.pools()["workers"]["nodes"][:2] == before
    pool = cloud_pool(environment, "workers")
    assert pool["labels"]["tier"] == "front"
    assert pool["labels"]["planton-resource-name"] == "workers"
    assert [(each["key"], each["effect"]) for each in pool["taints"]] == [("dedicated", "NoSchedule")]
    assert environment.plan() == {}


def cloud_pool(environment: Environment, name: str) -> dict[str, Any]:
    """Return a pool as the cloud's API shows it."""
    identity = environment.user.sandbox.control.resources()["clusters"][0]["id"]
    pools = environment.user.sandbox.call("GET", f"/kubernetes/clusters/{identity}").body["pools"]
    return next(pool for pool in pools if pool["id"] == name)


def test_the_default_pool_the_name_and_the_tags_change_in_place(environment: Environment) -> None:
    """One update of the cluster, after which the plan is empty."""
    done = environment.apply(cluster={"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 3}, "tags": ["team:a"]})
    assert done == {"cluster": "update"}
    assert 3 in [pool["count"] for name, pool in environment.user.pools().items() if name not in ("workers", "extra-pool")]
    assert environment.plan() == {}


def test_additional_pools_come_and_scale_and_their_order_does_not_matter(environment: Environment) -> None:
    """A new one is made, another one is scaled, and none is replaced."""
    scaled = EXTRA | {"nodeCount": 2}
    done = environment.apply(cluster={"additionalNodePools": [OTHER, scaled]})
    assert done == {
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
def test_what_cannot_change_is_planned_as_a_replacement(changed: dict[str, Any], resource: str, environment: Environment) -> None:
    """The plan says so, where the plugin alone answers with an error or does nothing."""
    assert environment.user.plan(changed)[resource] == "replace"


def test_a_replacement_that_was_allowed_is_carried_out(environment: Environment) -> None:
    """The pool goes before its successor of the same name comes, and the rest stays."""
    before = environment.user.pools()
    environment.pool |= {"size": "g4s.kube.large"}
    done = environment.user.apply(*environment.wanted(), allow=("civokubernetesnodepool/workers",))
    assert done["node_pool"] == "replace"
    after = environment.user.pools()
    assert not set(before.pop("workers")["nodes"]) & set(after.pop("workers")["nodes"])
    assert after == before


def test_drift_is_found_and_repaired(environment: Environment) -> None:
    """Pools that were scaled by hand are shown, nothing is changed, and an apply with --refresh brings them back."""
    user = environment.user
    default = next(name for name in user.pools() if name not in ("workers", "extra-pool", "other-pool"))
    user.sandbox.control.outside("scale", cluster="dev", pool="workers", count=5)
    user.sandbox.control.outside("scale", cluster="dev", pool=default, count=4)
    mark = user.sandbox.control.mark()
    found = user.json("drift", "-f", user.write("manifests.yaml", *environment.wanted()), code=3)["resources"]
    paths = {
        each["path"]: (each["old"], each["new"]) for one in found for change in one["changes"] for each in change["differences"]
    }
    assert paths == {"pools.nodeCount": (3, 4), "node_count": (3, 5)}
    assert user.writes(mark) == []
    user.run("apply", "-f", "manifests.yaml", "--yes", "--refresh")
    assert (user.pools()["workers"]["count"], user.pools()[default]["count"]) == (3, 3)
    assert user.actions("drift", "-f", "manifests.yaml") == {}


def test_a_refresh_that_meets_errors_is_not_believed(environment: Environment) -> None:
    """The plugin drops the cluster, the cloud cannot confirm it, and the state stays as it was: nothing is planned."""
    user = environment.user
    user.sandbox.control.fault(method="GET", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500, times=0)
    user.run("refresh", "civokubernetescluster/dev", code=6)
    user.sandbox.control.clear_faults()
    assert environment.plan() == {}


def test_a_failed_update_is_followed_by_a_refresh(environment: Environment) -> None:
    """The plugin keeps the planned values; after the manifest is put back, nothing is written to the cloud."""
    user = environment.user
    user.sandbox.control.fault(method="PUT", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500)
    grown = environment.wanted(cluster={"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 7}})
    user.run("apply", "-f", user.write("manifests.yaml", *grown), "--yes", code=6)
    user.sandbox.control.clear_faults()
    mark = user.sandbox.control.mark()
    assert environment.apply() == {}
    assert user.writes(mark) == []


def test_a_pool_deleted_by_hand_blocks_nothing(environment: Environment) -> None:
    """Drift says so, a refresh believes the cloud, and an apply makes the pool anew."""
    user = environment.user
    user.sandbox.control.outside("delete-pool", cluster="dev", pool="workers")
    user.sandbox.control.advance(600)
    file = user.write("manifests.yaml", *environment.wanted())
    assert user.actions("drift", "-f", file, code=3) == {"node_pool": "delete"}
    user.run("refresh", "civokubernetesnodepool/workers")
    environment.apply()
    assert len(user.pools()["workers"]["nodes"]) == 3


def test_existing_resources_are_imported(environment: Environment) -> None:
    """What was made without planton is adopted, and the next plan is empty."""
    user = environment.user
    made = user.sandbox.call("POST", "/networks", {"label": "found", "cidr_v4": "10.40.0.0/24"}).body["id"]
    found = manifests.manifest(
        "CivoVpc", "found", civoCredentialId="default", networkName="found", region="lon1", ipRangeCidr="10.40.0.0/24"
    )
    identity = user.json("outputs", "civokubernetescluster/dev")["clusterId"]
    body = {"id": "found-pool", "count": 2, "size": "g4s.kube.small"}
    user.sandbox.call("POST", f"/kubernetes/clusters/{identity}/pools", body)
    pool = manifests.pool(nodePoolName="found-pool", size="g4s.kube.small", nodeCount=2)
    pool["metadata"]["name"] = "found"
    file = user.write("found.yaml", found, pool)
    user.run("import", "civovpc/found", made, "-f", file, "--yes")
    user.run("import", "civokubernetesnodepool/found", "found-pool", "-f", file, "--yes")
    assert user.actions("plan", "-f", file) == {}
    assert user.json("outputs", "civovpc/found")["networkId"] == made
    user.run("destroy", "-f", file, "--yes")


def test_the_environment_goes(environment: Environment) -> None:
    """Pools, cluster, firewall and network are deleted, and nothing is left but what the account began with."""
    user = environment.user
    user.run("destroy", "-f", user.write("manifests.yaml", *environment.wanted()), "--yes")
    left = user.sandbox.control.resources()
    assert left["clusters"] == []
    assert [network["label"] for network in left["networks"]] == ["default"]
