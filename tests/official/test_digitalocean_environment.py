"""One environment with the official plugin for DigitalOcean, which is created, changed in every way, and deleted.

The tests run in order and share the environment, because the plugin waits ten seconds in most operations.
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
    """The current manifests of a network, a cluster, and two pools, one of which is autoscaled."""

    user: official.User
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=lambda: {"labels": {"tier": "web"}})
    burst: dict[str, Any] = dataclasses.field(default_factory=lambda: dict(SCALED))

    def manifests(self, **changed: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns the manifests with temporary changes."""
        return [
            manifests.network(),
            manifests.cluster(**(self.cluster | changed.get("cluster", {}))),
            manifests.pool(**(self.pool | changed.get("pool", {}))),
            manifests.pool("burst", **(self.burst | changed.get("burst", {}))),
        ]

    def file(self, **changed: dict[str, Any]) -> str:
        """Writes the manifests with temporary changes, and returns the file's name."""
        return self.user.write("manifests.yaml", *self.manifests(**changed))

    def apply(self, **changed: dict[str, Any]) -> dict[str, str]:
        """Stores changes, applies everything, and returns the steps: resource → action."""
        steps = self.user.apply(*self.manifests(**changed))
        for name, change in changed.items():
            setattr(self, name, getattr(self, name) | change)
        return steps

    def plan(self, **changed: dict[str, Any]) -> dict[str, str]:
        """Returns the plan of an apply with temporary changes."""
        return self.user.plan(*self.manifests(**changed))

    def counts(self) -> dict[str, int]:
        """Returns the number of nodes of each pool."""
        return {name: pool["count"] for name, pool in self.user.pools().items()}

    def outside(self, action: str, **body: Any) -> None:
        """Changes the cluster outside of planton."""
        self.user.sandbox.control.outside(action, cloud=CLOUD, cluster="dev", **body)

    def drift(self) -> dict[str, tuple[Any, Any]]:
        """Returns the drift: resource and path → old and new value."""
        resources = self.user.json("drift", "-f", self.file(), code=3)["resources"]
        return {
            f"{resource['name']} {each['path']}": (each["old"], each["new"])
            for resource in resources
            for change in resource["changes"]
            for each in change["differences"]
        }

    def sent(self, since: int) -> list[tuple[str, Any]]:
        """Returns the writing requests after a mark: method with the path's last part, and body."""
        logged = self.user.sandbox.control.requests(since, CLOUD)
        return [
            (f"{each['method']} {each['path'].rsplit('/', 1)[-1]}", each["body"]) for each in logged if each["method"] != "GET"
        ]


@pytest.fixture(scope="module")
def environment(digitalocean_plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An applied environment."""
    folder = tmp_path_factory.mktemp("official") / "user"
    with official.using(folder, digitalocean_plugin, cloud=CLOUD) as user:
        applied = Environment(user)
        steps = applied.apply()
        assert set(steps.values()) == {"create"}, steps
        yield applied


def test_the_environment_is_created_by_the_plugin(environment: Environment) -> None:
    """No stand-in runs, so the plugin created network, cluster and pools."""
    user = environment.user
    assert not user.sandbox.info.providers
    existing = user.sandbox.control.resources(CLOUD)
    [network] = [vpc for vpc in existing["vpcs"] if vpc["name"] == "net"]
    [cluster] = existing["clusters"]
    assert (cluster["status"], cluster["vpc"]) == ("running", network["id"])
    assert environment.counts() == {"default": 1, "extra": 1, "workers": 3, "burst": 1}
    outputs = user.json("outputs", CLUSTER)
    assert outputs["clusterId"] == cluster["id"]
    assert outputs["apiServerEndpoint"].startswith("https://")
    assert "token:" in user.run("kubeconfig", CLUSTER).stdout
    assert len(user.json("outputs", WORKERS)["nodeIds"]) == 3


def test_the_plan_after_an_apply_is_empty(environment: Environment) -> None:
    """It stays empty after two refreshes. The second one reads the state of the first."""
    assert environment.plan() == {}
    for _ in range(2):
        environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}
    assert environment.user.actions("drift", "-f", "manifests.yaml") == {}


def test_scaling_keeps_existing_nodes(environment: Environment) -> None:
    """The pool has 3, 5, then 2 nodes. A refresh finds no difference."""
    before = environment.user.pools()["workers"]["nodes"]
    assert environment.apply(pool={"nodeCount": 5}) == {"node_pool": "update"}
    grown = environment.user.pools()["workers"]["nodes"]
    assert grown[:3] == before
    assert environment.apply(pool={"nodeCount": 2}) == {"node_pool": "update"}
    remaining = environment.user.pools()["workers"]["nodes"]
    assert len(remaining) == 2
    assert set(remaining) <= set(grown)
    environment.user.run("refresh", "-f", "manifests.yaml")
    assert environment.plan() == {}


def test_labels_taints_tags_and_count_change_together(environment: Environment) -> None:
    """One update changes all four in place, and the next plan is empty. Labels and taints can be removed again."""
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


def test_an_update_keeps_the_node_count_of_the_autoscaler(environment: Environment) -> None:
    """The update sends the cloud's count, not that of the state. There is no drift."""
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


def test_autoscaling_can_be_switched_on_and_off(environment: Environment) -> None:
    """A pool gets bounds, and later the fixed count of its manifest."""
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


def test_default_pool_maintenance_window_and_tags_change_in_place(environment: Environment) -> None:
    """It is one update of the cluster, after which the plan is empty."""
    default = DEFAULT | {"nodeCount": 3, "labels": {"pool": "default"}, "taints": [TAINT]}
    steps = environment.apply(cluster={"defaultNodePool": default, "tags": ["team:a"], "maintenanceWindow": "monday=03:00"})
    assert steps == {"cluster": "update"}
    assert environment.counts()["default"] == 3
    environment.user.run("refresh", CLUSTER)
    assert environment.plan() == {}
    assert environment.apply(cluster={"defaultNodePool": DEFAULT, "tags": []}) == {"cluster": "update"}
    environment.user.run("refresh", CLUSTER)
    assert environment.plan() == {}


def test_additional_pools_are_created_scaled_and_deleted_in_any_order(environment: Environment) -> None:
    """None is replaced. A pool removed from the manifest is deleted only with consent."""
    scaled = EXTRA | {"nodeCount": 2}
    steps = environment.apply(cluster={"additionalNodePools": [OTHER, scaled]})
    assert steps == {"node_pool-other": "create", "node_pool-extra": "update"}
    assert environment.plan(cluster={"additionalNodePools": [scaled, OTHER]}) == {}
    environment.cluster |= {"additionalNodePools": [scaled]}
    assert environment.user.apply(*environment.manifests(), allow=(CLUSTER,)) == {"node_pool-other": "delete"}
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
def test_immutable_fields_are_planned_as_a_replacement(changed: dict[str, Any], resource: str, environment: Environment) -> None:
    """The plan sends no request that changes anything."""
    mark = environment.user.sandbox.control.mark()
    assert environment.user.plan(changed)[resource] == "replace"
    assert environment.sent(mark) == []


def test_a_pool_is_renamed_in_place(environment: Environment) -> None:
    """The nodes stay."""
    before = environment.user.pools()["workers"]["nodes"]
    assert environment.apply(pool={"nodePoolName": "renamed"}) == {"node_pool": "update"}
    assert environment.user.pools()["renamed"]["nodes"] == before
    assert environment.apply(pool={"nodePoolName": "workers"}) == {"node_pool": "update"}
    assert environment.plan() == {}


def test_a_replacement_with_consent_is_applied(environment: Environment) -> None:
    """The pool is deleted before its successor of the same name is created. Other pools stay."""
    before = environment.user.pools()
    environment.pool |= {"size": "s-4vcpu-8gb"}
    steps = environment.user.apply(*environment.manifests(), allow=("digitaloceankubernetesnodepool/workers",))
    assert steps["node_pool"] == "replace"
    after = environment.user.pools()
    assert not set(before.pop("workers")["nodes"]) & set(after.pop("workers")["nodes"])
    assert after == before


def test_an_upgrade_may_not_skip_a_minor_version(environment: Environment) -> None:
    """Downgrades are refused too, before any request. A valid upgrade happens in place."""
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


def test_drift_is_reported_and_repaired(environment: Environment) -> None:
    """Scaling and relabelling by hand are drift. Reporting changes nothing. An apply with --refresh repairs it."""
    user = environment.user
    environment.outside("scale", pool="workers", count=5)
    environment.outside("scale", pool="default", count=3)
    environment.outside("relabel", pool="extra", labels={"by": "hand"})
    mark = user.sandbox.control.mark()
    drift = environment.drift()
    assert drift["workers nodeCount"] == (3, 5)
    assert drift["dev nodePool.nodeCount"] == (1, 3)
    assert drift["dev labels.by"] == (None, "hand")
    assert not [path for path in drift if "tags" in path]
    assert environment.sent(mark) == []
    user.run("apply", "-f", "manifests.yaml", "--yes", "--refresh")
    assert environment.counts() == {"default": 1, "extra": 2, "workers": 3, "burst": 1}
    assert user.actions("drift", "-f", environment.file()) == {}


def test_a_failed_refresh_changes_nothing(environment: Environment) -> None:
    """The plugin fails, the state stays unchanged, and the plan is empty."""
    user = environment.user
    user.sandbox.control.fault(method="GET", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500, times=0)
    user.run("refresh", CLUSTER, code=6)
    user.sandbox.control.clear_faults()
    assert environment.plan() == {}


def test_a_failed_update_is_followed_by_a_refresh(environment: Environment) -> None:
    """The plugin stores the planned values. After the manifest is reverted, no request changes the cloud."""
    user = environment.user
    user.sandbox.control.fault(method="PUT", path="/v2/kubernetes/clusters/.+/node_pools/[^/]+$", action="status", status=500)
    user.run("apply", "-f", environment.file(pool={"nodeCount": 7}), "--yes", code=6)
    user.sandbox.control.clear_faults()
    mark = user.sandbox.control.mark()
    assert environment.apply() == {}
    assert environment.sent(mark) == []


def test_a_pool_deleted_by_hand_is_recreated(environment: Environment) -> None:
    """Drift reports the deletion, a refresh removes it from the state, and an apply recreates it."""
    user = environment.user
    environment.outside("delete-pool", pool="workers")
    assert user.actions("drift", "-f", environment.file(), code=3) == {"node_pool": "delete"}
    user.run("refresh", WORKERS)
    assert environment.apply() == {"node_pool": "create"}
    assert environment.counts()["workers"] == 3


def test_existing_resources_are_imported(environment: Environment) -> None:
    """They are named by id or name, and the next plan is empty."""
    user = environment.user
    body = {"name": "existing", "region": "fra1", "ip_range": "10.40.0.0/20"}
    network = _call(user, "/v2/vpcs", body)["vpc"]["id"]
    cluster = user.json("outputs", CLUSTER)["clusterId"]
    _call(user, f"/v2/kubernetes/clusters/{cluster}/node_pools", {"name": "existing", "size": "s-2vcpu-4gb", "count": 2})
    network_manifest = planton.manifest("DigitalOceanVpc", "existing", region="fra1", ipRangeCidr="10.40.0.0/20")
    file = user.write("existing.yaml", network_manifest, manifests.pool("existing", nodeCount=2))
    user.run("import", "digitaloceanvpc/existing", network, "-f", file, "--yes")
    user.run("import", "digitaloceankubernetesnodepool/existing", "existing", "-f", file, "--yes")
    assert user.actions("plan", "-f", file) == {}
    assert user.json("outputs", "digitaloceanvpc/existing")["vpcId"] == network
    user.run("destroy", "-f", file, "--yes")


def _call(user: official.User, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{user.sandbox.digitalocean}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {user.sandbox.info.tokens[CLOUD]}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as response:
        return json.load(response)


def test_an_environment_without_state_is_imported(environment: Environment) -> None:
    """The data folder is empty. Network, cluster and pools are imported unchanged."""
    user = environment.user
    environment.cluster |= {"additionalNodePools": []}
    user.apply(*environment.manifests(), allow=(CLUSTER,))
    existing = user.sandbox.control.resources(CLOUD)
    shutil.rmtree(user.folder / "data")
    file = environment.file()
    network = next(vpc["id"] for vpc in existing["vpcs"] if vpc["name"] == "net")
    user.run("import", "digitaloceanvpc/net", network, "-f", file, "--yes")
    user.run("import", CLUSTER, existing["clusters"][0]["id"], "-f", file, "--yes")
    for name in ("workers", "burst"):
        user.run("import", f"digitaloceankubernetesnodepool/{name}", name, "-f", file, "--yes")
    assert environment.plan() == {}
    assert user.actions("drift", "-f", file) == {}
    imported = user.sandbox.control.resources(CLOUD)
    assert [imported[name] for name in ("vpcs", "clusters")] == [existing[name] for name in ("vpcs", "clusters")]


def test_the_environment_is_destroyed(environment: Environment) -> None:
    """Pools, cluster and network are deleted. The account's default networks stay."""
    user = environment.user
    user.run("destroy", "-f", environment.file(), "--yes")
    remaining = user.sandbox.control.resources(CLOUD)
    assert remaining["clusters"] == []
    assert all(vpc["default"] for vpc in remaining["vpcs"])
