"""The product with the official plugin for DigitalOcean: one environment that comes up, changes in every way, and goes.

The tests follow one another, for the plugin waits ten seconds in most operations; each starts from what the one before
wanted.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from support import digitalocean_manifests as manifests
from support import official, planton

pytestmark = pytest.mark.official

CLOUD = "digitalocean"
CLUSTER, WORKERS, BURST = (
    "digitaloceankubernetescluster/dev",
    "digitaloceankubernetesnodepool/workers",
    "digitaloceankubernetesnodepool/burst",
)
DEFAULT = {"size": "s-1vcpu-2gb", "nodeCount": 1}
EXTRA = {"name": "extra", "size": "s-2vcpu-2gb", "nodeCount": 1}
OTHER = {"name": "other", "size": "s-2vcpu-2gb", "nodeCount": 1, "labels": {"pool": "other"}, "tags": ["pool:other"]}
TAINT = {"key": "dedicated", "value": "web", "effect": "NoSchedule"}
SCALED = {"nodeCount": 1, "autoScale": True, "minNodes": 1, "maxNodes": 5}


@dataclasses.dataclass
class Environment:
    """A network, a cluster, and two pools, of which one is autoscaled, as they are wanted at the moment."""

    user: official.User
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=lambda: {"labels": {"tier": "web"}})
    burst: dict[str, Any] = dataclasses.field(default_factory=lambda: dict(SCALED))

    def wanted(self, **changed: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the manifests with further changes, which are not remembered."""
        return [
            manifests.network(),
            manifests.cluster(**(self.cluster | changed.get("cluster", {}))),
            manifests.pool(**(self.pool | changed.get("pool", {}))),
            manifests.pool("burst", **(self.burst | changed.get("burst", {}))),
        ]

    def file(self, **changed: dict[str, Any]) -> str:
        """Write the manifests with further changes, and return the file's name."""
        return self.user.write("manifests.yaml", *self.wanted(**changed))

    def apply(self, **changed: dict[str, Any]) -> dict[str, str]:
        """Remember changes, apply everything, and return what was done: resource → action."""
        done = self.user.apply(*self.wanted(**changed))
        for name, change in changed.items():
            setattr(self, name, getattr(self, name) | change)
        return done

    def plan(self, **changed: dict[str, Any]) -> dict[str, str]:
        """Return what an apply with further changes would do."""
        return self.user.plan(*self.wanted(**changed))

    def counts(self) -> dict[str, int]:
        """Return how many nodes each pool has."""
        return {name: pool["count"] for name, pool in self.user.pools().items()}

    def outside(self, action: str, **body: Any) -> None:
        """Let the outside world act on the cluster."""
        self.user.sandbox.control.outside(action, cloud=CLOUD, cluster="dev", **body)

    def drift(self) -> dict[str, tuple[Any, Any]]:
        """Return what drift finds: resource and path → old and new."""
        found = self.user.json("drift", "-f", self.file(), code=3)["resources"]
        return {
            f"{one['name']} {each['path']}": (each["old"], each["new"])
            for one in found
            for change in one["changes"]
            for each in change["differences"]
        }

    def sent(self, since: int) -> list[tuple[str, Any]]:
        """Return what changed something after a mark: method and the path's last part, and the body."""
        logged = self.user.sandbox.control.requests(since, CLOUD)
        return [
            (f"{each['method']} {each['path'].rsplit('/', 1)[-1]}", each["body"]) for each in logged if each["method"] != "GET"
        ]


@pytest.fixture(scope="module")
def environment(digitalocean_plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment that is up."""
    folder = tmp_path_factory.mktemp("official") / "user"
    with official.using(folder, digitalocean_plugin, cloud=CLOUD) as user:
        made = Environment(user)
        done = made.apply()
        assert set(done.values()) == {"create"}, done
        yield made


def test_the_environment_comes_up(environment: Environment) -> None:
    """Network, cluster and pools are there, and no stand-in was: the plugin made them."""
    user = environment.user
    assert not user.sandbox.info.providers
    there = user.sandbox.control.resources(CLOUD)
    [network] = [vpc for vpc in there["vpcs"] if vpc["name"] == "net"]
    [cluster] = there["clusters"]
    assert (cluster["status"], cluster["vpc"]) == ("running", network["id"])
    assert environment.counts() == {"default": 1, "extra": 1, "workers": 3, "burst": 1}
    outputs = user.json("outputs", CLUSTER)
    assert outputs["clusterId"] == cluster["id"]
    assert outputs["apiServerEndpoint"].startswith("https://")
    assert "token:" in user.run("kubeconfig", CLUSTER).stdout
    assert len(user.json("outputs", WORKERS)["nodeIds"]) == 3


def test_nothing_is_to_be_done_after_it(environment: Environment) -> None:
    """A plan is empty, and still is after two refreshes, of which the second reads what the first wrote."""
    assert environment.plan() == {}
    for _ in range(2):
        environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}
    assert environment.user.actions("drift", "-f", "manifests.yaml") == {}


def test_scaling_keeps_the_nodes_that_stay(environment: Environment) -> None:
    """3 → 5 → 2: the first nodes are the same, and a refresh finds nothing to do."""
    before = environment.user.pools()["workers"]["nodes"]
    assert environment.apply(pool={"nodeCount": 5}) == {"node_pool": "update"}
    grown = environment.user.pools()["workers"]["nodes"]
    assert grown[:3] == before
    assert environment.apply(pool={"nodeCount": 2}) == {"node_pool": "update"}
    left = environment.user.pools()["workers"]["nodes"]
    assert len(left) == 2
    assert set(left) <= set(grown)
    environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_labels_taints_tags_and_count_change_together(environment: Environment) -> None:
    """One update changes all four, in place, and the next plan is empty; what was set can be taken away again."""
    changed = {"labels": {"tier": "front"}, "taints": [TAINT], "tags": ["tier:front"], "nodeCount": 3}
    before = environment.user.pools()["workers"]["nodes"]
    assert environment.apply(pool=changed) == {"node_pool": "update"}
    pool = environment.user.pools()["workers"]
    assert pool["nodes"][:2] == before
    assert pool["labels"]["tier"] == "front"
    assert pool["labels"]["planton-resource-name"] == "workers"
    environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}
    assert environment.apply(pool={"labels": {}, "taints": []}) == {"node_pool": "update"}
    assert "tier" not in environment.user.pools()["workers"]["labels"]
    environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_the_autoscaler_keeps_what_it_has_decided(environment: Environment) -> None:
    """A change of an autoscaled pool sends the number that the cloud has, not that of the state; there is no drift."""
    environment.outside("load", pool="burst", nodes=4)
    environment.user.sandbox.control.advance(600)
    assert environment.counts()["burst"] == 4
    assert environment.user.actions("drift", "-f", environment.file()) == {}
    mark = environment.user.sandbox.control.mark()
    assert environment.apply(burst={"labels": {"tier": "burst"}, "taints": [TAINT]}) == {"node_pool": "update"}
    [(_, body)] = environment.sent(mark)
    assert (body["count"], body["auto_scale"], body["min_nodes"], body["max_nodes"]) == (4, True, 1, 5)
    assert environment.counts()["burst"] == 4
    environment.outside("load", pool="burst", nodes=0)
    environment.user.sandbox.control.advance(3600)
    assert environment.counts()["burst"] == 1
    assert environment.user.actions("drift", "-f", environment.file()) == {}
    environment.user.run("refresh", BURST)
    assert environment.plan() == {}


def test_autoscaling_comes_and_goes(environment: Environment) -> None:
    """A pool gets bounds, and loses them again with the number that its manifest says."""
    bounds, none = {"autoScale": True, "minNodes": 2, "maxNodes": 6}, {"autoScale": False, "minNodes": 0, "maxNodes": 0}
    default = DEFAULT | {"nodeCount": 2}
    on = {"pool": bounds, "cluster": {"defaultNodePool": default | bounds}}
    assert environment.apply(**on) == {"node_pool": "update", "cluster": "update"}
    assert (environment.counts()["workers"], environment.counts()["default"]) == (3, 2)
    assert environment.plan() == {}
    off = {"pool": none, "cluster": {"defaultNodePool": default}}
    assert environment.apply(**off) == {"node_pool": "update", "cluster": "update"}
    assert (environment.counts()["workers"], environment.counts()["default"]) == (3, 2)
    environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_the_default_pool_the_window_and_the_tags_change_in_place(environment: Environment) -> None:
    """One update of the cluster, after which the plan is empty."""
    default = DEFAULT | {"nodeCount": 3, "labels": {"pool": "default"}, "taints": [TAINT]}
    done = environment.apply(cluster={"defaultNodePool": default, "tags": ["team:a"], "maintenanceWindow": "monday=03:00"})
    assert done == {"cluster": "update"}
    assert environment.counts()["default"] == 3
    environment.user.run("refresh", CLUSTER)
    assert environment.plan() == {}
    assert environment.apply(cluster={"defaultNodePool": DEFAULT, "tags": []}) == {"cluster": "update"}
    environment.user.run("refresh", CLUSTER)
    assert environment.plan() == {}


def test_additional_pools_come_and_scale_and_go_and_their_order_does_not_matter(environment: Environment) -> None:
    """A new one is made, another one is scaled, none is replaced; one that is taken out is deleted once that is allowed."""
    scaled = EXTRA | {"nodeCount": 2}
    done = environment.apply(cluster={"additionalNodePools": [OTHER, scaled]})
    assert done == {"node_pool-other": "create", "node_pool-extra": "update"}
    assert environment.plan(cluster={"additionalNodePools": [scaled, OTHER]}) == {}
    environment.cluster |= {"additionalNodePools": [scaled]}
    assert environment.user.apply(*environment.wanted(), allow=(CLUSTER,)) == {"node_pool-other": "delete"}
    assert environment.plan() == {}


@pytest.mark.parametrize(
    ("changed", "resource"),
    [
        (manifests.network(ipRangeCidr="10.30.0.0/20"), "network"),
        (manifests.cluster(defaultNodePool=DEFAULT | {"size": "s-2vcpu-2gb"}), "cluster"),
        (manifests.pool(size="s-4vcpu-8gb"), "node_pool"),
    ],
    ids=["range", "default size", "size"],
)
def test_what_cannot_change_is_planned_as_a_replacement(changed: dict[str, Any], resource: str, environment: Environment) -> None:
    """The plan says so, and nothing is sent."""
    mark = environment.user.sandbox.control.mark()
    assert environment.user.plan(changed)[resource] == "replace"
    assert environment.sent(mark) == []


def test_a_pool_is_renamed_in_place(environment: Environment) -> None:
    """Its nodes stay."""
    before = environment.user.pools()["workers"]["nodes"]
    assert environment.apply(pool={"nodePoolName": "renamed"}) == {"node_pool": "update"}
    assert environment.user.pools()["renamed"]["nodes"] == before
    assert environment.apply(pool={"nodePoolName": "workers"}) == {"node_pool": "update"}
    assert environment.plan() == {}


def test_a_replacement_that_was_allowed_is_carried_out(environment: Environment) -> None:
    """The pool goes before its successor of the same name comes, and the rest stays."""
    before = environment.user.pools()
    environment.pool |= {"size": "s-4vcpu-8gb"}
    done = environment.user.apply(*environment.wanted(), allow=("digitaloceankubernetesnodepool/workers",))
    assert done["node_pool"] == "replace"
    after = environment.user.pools()
    assert not set(before.pop("workers")["nodes"]) & set(after.pop("workers")["nodes"])
    assert after == before


def test_an_upgrade_goes_one_minor_at_a_time(environment: Environment) -> None:
    """The cluster is upgraded in place; what skips a minor version, or goes back, is refused before anything is sent."""
    user = environment.user
    mark = user.sandbox.control.mark()
    for version in ("1.35.0-do.0", "1.32.1-do.0"):
        user.run("apply", "-f", environment.file(cluster={"kubernetesVersion": version}), "--yes", code=5)
    assert environment.sent(mark) == []
    identity = user.json("outputs", CLUSTER)["clusterId"]
    assert environment.apply(cluster={"kubernetesVersion": "1.34.0-do.0"}) == {"cluster": "update"}
    assert environment.sent(mark) == [("POST upgrade", {"version": "1.34.0-do.0"})]
    [cluster] = user.sandbox.control.resources(CLOUD)["clusters"]
    assert (cluster["id"], cluster["version"]) == (identity, "1.34.0-do.0")
    user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_drift_is_found_and_repaired(environment: Environment) -> None:
    """Pools that were scaled or relabelled by hand are shown, nothing is changed, and an apply with --refresh brings them back."""
    user = environment.user
    environment.outside("scale", pool="workers", count=5)
    environment.outside("scale", pool="default", count=3)
    environment.outside("relabel", pool="extra", labels={"by": "hand"})
    mark = user.sandbox.control.mark()
    found = environment.drift()
    assert found["workers nodeCount"] == (3, 5)
    assert found["dev nodePool.nodeCount"] == (1, 3)
    assert found["dev labels.by"] == (None, "hand")
    assert not [path for path in found if "tags" in path]
    assert environment.sent(mark) == []
    user.run("apply", "-f", "manifests.yaml", "--yes", "--refresh")
    assert environment.counts() == {"default": 1, "extra": 2, "workers": 3, "burst": 1}
    assert user.actions("drift", "-f", environment.file()) == {}


def test_a_refresh_that_meets_errors_changes_nothing(environment: Environment) -> None:
    """The plugin fails, the state stays as it was, and nothing is planned."""
    user = environment.user
    user.sandbox.control.fault(method="GET", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500, times=0)
    user.run("refresh", CLUSTER, code=6)
    user.sandbox.control.clear_faults()
    assert environment.plan() == {}


def test_a_failed_update_is_followed_by_a_refresh(environment: Environment) -> None:
    """The plugin keeps the planned values; after the manifest is put back, nothing is written to the cloud."""
    user = environment.user
    user.sandbox.control.fault(method="PUT", path="/v2/kubernetes/clusters/.+/node_pools/[^/]+$", action="status", status=500)
    user.run("apply", "-f", environment.file(pool={"nodeCount": 7}), "--yes", code=6)
    user.sandbox.control.clear_faults()
    mark = user.sandbox.control.mark()
    assert environment.apply() == {}
    assert environment.sent(mark) == []


def test_a_pool_deleted_by_hand_blocks_nothing(environment: Environment) -> None:
    """Drift says so, a refresh believes the cloud, and an apply makes the pool anew."""
    user = environment.user
    environment.outside("delete-pool", pool="workers")
    assert user.actions("drift", "-f", environment.file(), code=3) == {"node_pool": "delete"}
    user.run("refresh", WORKERS)
    assert environment.apply() == {"node_pool": "create"}
    assert environment.counts()["workers"] == 3


def test_existing_resources_are_imported(environment: Environment) -> None:
    """What was made without planton is adopted by id or name, nothing is written for a network or a pool, and the next plan is empty."""
    user = environment.user
    body = {"name": "found", "region": "fra1", "ip_range": "10.40.0.0/20"}
    network = _call(user, "/v2/vpcs", body)["vpc"]["id"]
    cluster = user.json("outputs", CLUSTER)["clusterId"]
    _call(user, f"/v2/kubernetes/clusters/{cluster}/node_pools", {"name": "found", "size": "s-2vcpu-4gb", "count": 2})
    found = planton.manifest("DigitalOceanVpc", "found", region="fra1", ipRangeCidr="10.40.0.0/20")
    file = user.write("found.yaml", found, manifests.pool("found", nodeCount=2))
    user.run("import", "digitaloceanvpc/found", network, "-f", file, "--yes")
    user.run("import", "digitaloceankubernetesnodepool/found", "found", "-f", file, "--yes")
    assert user.actions("plan", "-f", file) == {}
    assert user.json("outputs", "digitaloceanvpc/found")["vpcId"] == network
    user.run("destroy", "-f", file, "--yes")


def _call(user: official.User, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{user.sandbox.digitalocean}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {user.sandbox.info.tokens[CLOUD]}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        return json.load(answer)


def test_a_forgotten_environment_is_imported(environment: Environment) -> None:
    """With an empty data folder, the network, the cluster and the pools are adopted as they are."""
    user = environment.user
    environment.cluster |= {"additionalNodePools": []}
    user.apply(*environment.wanted(), allow=(CLUSTER,))
    there = user.sandbox.control.resources(CLOUD)
    shutil.rmtree(user.folder / "data")
    file = environment.file()
    network = next(vpc["id"] for vpc in there["vpcs"] if vpc["name"] == "net")
    user.run("import", "digitaloceanvpc/net", network, "-f", file, "--yes")
    user.run("import", CLUSTER, there["clusters"][0]["id"], "-f", file, "--yes")
    for name in ("workers", "burst"):
        user.run("import", f"digitaloceankubernetesnodepool/{name}", name, "-f", file, "--yes")
    assert environment.plan() == {}
    assert user.actions("drift", "-f", file) == {}
    again = user.sandbox.control.resources(CLOUD)
    assert [again[name] for name in ("vpcs", "clusters")] == [there[name] for name in ("vpcs", "clusters")]


def test_the_environment_goes(environment: Environment) -> None:
    """Pools, cluster and network are deleted, and nothing is left but what the account began with."""
    user = environment.user
    user.run("destroy", "-f", environment.file(), "--yes")
    left = user.sandbox.control.resources(CLOUD)
    assert left["clusters"] == []
    assert all(vpc["default"] for vpc in left["vpcs"])
