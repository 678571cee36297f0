"""The kinds of DigitalOcean on the real engine: the example with its sacrificial default pool, through its whole life."""

from __future__ import annotations

import json
import pathlib
import shutil
import stat
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from support import planton as support
from support import sandbox as sandbox_support
from support.worlds import Step, Worlds

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "digitalocean-dev"
NETWORK, CLUSTER, POOLS = "dev/network.yaml", "dev/cluster.yaml", "dev/node-pools.yaml"
CONSENT = ("--allow-replace", "DigitalOceanKubernetesCluster/dev-cluster")


def _apply_base(user: support.Planton) -> None:
    shutil.copytree(EXAMPLE, user.folder / "dev")
    user.run("apply", "-f", NETWORK, "-f", CLUSTER, "--yes")


BASE = Step("the network and the cluster of the example", _apply_base)


def _apply_pool(user: support.Planton) -> None:
    [pool] = [text for text in (user.folder / POOLS).read_text("utf-8").split("---") if "name: dev-apps" in text]
    (user.folder / POOLS).write_text(pool, "utf-8")
    user.run("apply", "-f", POOLS, "--yes")


POOL = Step("one of its node pools, and no other", _apply_pool)
ALL = Step("the node pools of the example", lambda user: user.run("apply", "-f", "dev", "--yes"))


@pytest.fixture
def dev(worlds: Worlds) -> Iterator[support.Planton]:
    """A user who has applied the example."""
    with worlds.user(BASE, ALL) as user:
        yield user


@pytest.fixture
def small(worlds: Worlds) -> Iterator[support.Planton]:
    """A user who has applied the network, the cluster and one node pool of the example, and has no other."""
    with worlds.user(BASE, POOL) as user:
        yield user


@pytest.fixture
def bare(worlds: Worlds) -> Iterator[support.Planton]:
    """A user who has applied the network and the cluster of the example."""
    with worlds.user(BASE) as user:
        yield user


def _change(user: support.Planton, file: str, old: str, new: str) -> None:
    path = user.folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def _outside(user: support.Planton, action: str, **body: Any) -> None:
    user.sandbox.control.outside(action, cloud="digitalocean", cluster="dev-cluster", **body)


def _cluster(user: support.Planton) -> dict[str, Any]:
    [cluster] = user.sandbox.control.resources("digitalocean")["clusters"]
    return cluster  # type: ignore[no-any-return]


def _counts(user: support.Planton) -> dict[str, int]:
    return {pool["name"]: pool["count"] for pool in _cluster(user)["pools"]}


def _drift(user: support.Planton, *arguments: str) -> dict[str, tuple[Any, Any]]:
    drifted = user.json("drift", *arguments, code=3)["resources"]
    return {
        f"{one['name']} {each['path']}": (each["old"], each["new"])
        for one in drifted
        for change in one["changes"]
        for each in change["differences"]
    }


def _puts(user: support.Planton, since: int) -> list[Any]:
    logged = user.sandbox.control.requests(since, "digitalocean")
    return [each["body"] for each in logged if each["method"] == "PUT"]


def test_drift_is_shown_and_repaired_and_nothing_is_left_after_a_destroy(dev: support.Planton) -> None:
    """Of a number, of labels, of the default pool, and a pool that is gone; a plan says nothing once it is repaired."""
    counts = {"default": 1, "system": 2, "apps": 2, "batch": 1}
    assert _counts(dev) == counts
    assert dev.actions("drift", "-f", "dev") == {}
    assert dev.json("orphans", "--provider", "digitalocean")["orphans"] == []
    _outside(dev, "scale", pool="apps", count=4)
    _outside(dev, "scale", pool="default", count=2)
    _outside(dev, "relabel", pool="system", labels={"workload": "other"})
    mark = dev.sandbox.control.mark()
    drift = _drift(dev, "-f", "dev")
    assert drift["dev-apps nodeCount"] == (2, 4)
    assert drift["dev-cluster nodePool.nodeCount"] == (1, 2)
    assert drift["dev-system labels.workload"] == ("system", "other")
    assert {path.split(" ")[0] for path in drift} == {"dev-apps", "dev-cluster", "dev-system"}
    assert dev.writes(mark, cloud="digitalocean") == []
    _outside(dev, "delete-pool", pool="batch")
    assert dev.actions("drift", "-f", POOLS, code=3)["node_pool"]
    dev.run("apply", "-f", "dev", "--refresh", "--yes")
    assert _counts(dev) == counts
    assert dev.actions("plan", "-f", "dev") == {}
    dev.run("destroy", "-f", "dev", "--yes")
    remaining = dev.sandbox.control.resources("digitalocean")
    assert remaining["clusters"] == []
    assert all(vpc["default"] for vpc in remaining["vpcs"])
    assert "nothing has been applied" in dev.run("get").stdout
    assert dev.json("orphans", "--provider", "digitalocean")["orphans"] == []


def test_a_cluster_deleted_elsewhere_comes_back_with_its_pools(small: support.Planton) -> None:
    """One apply, with consent, recreates what referred to it too."""
    _outside(small, "delete-cluster")
    drifted = small.json("drift", "-f", "dev", code=3)["resources"]
    actions = {one["name"]: each["action"] for one in drifted for each in one["changes"]}
    assert actions == dict.fromkeys(("dev-cluster", "dev-apps"), "delete")
    assert "would recreate cluster" in small.run("apply", "-f", "dev", "--yes", code=5).stderr
    small.run("apply", "-f", "dev", "--yes", "--allow-replace", "DigitalOceanKubernetesCluster/dev-cluster")
    assert _counts(small) == {"default": 1, "apps": 2}
    assert small.actions("plan", "-f", "dev") == {}


def test_a_plan_of_an_update_makes_no_cluster_anew(small: support.Planton) -> None:
    """Neither a saved one nor one just consented to; what refers to the cluster is not told as if all were well."""
    _change(small, CLUSTER, "maintenanceWindow: sunday=02:00", "maintenanceWindow: monday=02:00")
    small.run("plan", "-f", "dev", "--refresh=false", "--out", "dev.plan")
    _outside(small, "delete-cluster")
    mark = small.sandbox.control.mark()
    stale = small.json("apply", "dev.plan", code=5)
    failed = {each["name"]: each["error"]["reason"] for each in stale["resources"] if each["error"]}
    assert failed == {"dev-cluster": "PLAN_STALE", "dev-apps": "DEPENDENCY_FAILED"}
    assert [method for method, *_ in small.writes(mark, cloud="digitalocean")] == ["PUT"]
    assert "nothing was changed" in small.run("apply", "dev.plan", code=5).stderr
    consent = ("--allow-replace", "DigitalOceanKubernetesCluster/dev-cluster")
    small.run("plan", "-f", "dev", "--out", "dev.plan")
    assert "would recreate cluster" in small.run("apply", "dev.plan", code=5).stderr
    small.run("plan", "-f", "dev", "--out", "dev.plan", *consent)
    small.run("apply", "dev.plan")
    assert _counts(small) == {"default": 1, "apps": 2}
    assert small.actions("plan", "-f", "dev") == {}
    _change(small, POOLS, "workload: application", "workload: other")
    small.run("plan", "-f", POOLS, "--out", "dev.plan")
    _outside(small, "scale", pool="apps", count=4)
    assert "nodeCount: 4 → 2" in small.run("apply", "dev.plan", code=5).stderr


def test_the_autoscaler_keeps_what_it_has_decided(dev: support.Planton) -> None:
    """The plugin would send the number of nodes from its state with every change of the pool; no node is lost, or drift."""
    _outside(dev, "load", pool="batch", nodes=4)
    dev.sandbox.control.advance(600)
    assert _counts(dev)["batch"] == 4
    assert dev.actions("drift", "-f", POOLS) == {}
    _change(dev, POOLS, "workload: batch", "workload: jobs")
    mark = dev.sandbox.control.mark()
    assert dev.actions("apply", "-f", POOLS, "--yes") == {"node_pool": "update"}
    assert _counts(dev)["batch"] == 4
    [sent] = _puts(dev, mark)
    assert (sent["count"], sent["min_nodes"], sent["max_nodes"]) == (4, 0, 5)
    _outside(dev, "load", pool="batch", nodes=0)
    dev.sandbox.control.advance(3600)
    assert _counts(dev)["batch"] == 0
    assert dev.actions("drift", "-f", POOLS) == {}
    assert dev.actions("plan", "-f", POOLS) == {}
    _change(dev, POOLS, "  maxNodes: 5", "  maxNodes: 6")
    dev.run("apply", "-f", POOLS, "--yes")
    assert _counts(dev)["batch"] == 0
    _change(dev, POOLS, "  autoScale: true\n  minNodes: 0\n  maxNodes: 6\n", "")
    dev.run("apply", "-f", POOLS, "--yes")
    assert _counts(dev)["batch"] == 1
    assert dev.actions("plan", "-f", POOLS) == {}


def test_an_autoscaled_default_pool_is_left_to_the_autoscaler_too(bare: support.Planton) -> None:
    """A change of the cluster, and one of the pool in it, keep the number of nodes."""
    _change(bare, CLUSTER, "    nodeCount: 1\n", "    nodeCount: 1\n    autoScale: true\n    minNodes: 1\n    maxNodes: 4\n")
    bare.run("apply", "-f", CLUSTER, "--yes")
    _outside(bare, "load", pool="default", nodes=3)
    bare.sandbox.control.advance(600)
    assert _counts(bare) == {"default": 3}
    assert bare.actions("drift", "-f", CLUSTER) == {}
    _change(bare, CLUSTER, "maxNodes: 4", "maxNodes: 5")
    _change(bare, CLUSTER, "  maintenanceWindow: sunday", "  tags: [team]\n  maintenanceWindow: monday")
    assert bare.actions("apply", "-f", CLUSTER, "--yes") == {"cluster": "update"}
    assert _counts(bare) == {"default": 3}
    assert bare.actions("plan", "-f", CLUSTER) == {}


def test_upgrades_go_one_minor_at_a_time_and_never_back(bare: support.Planton) -> None:
    """What is refused changes nothing; the plan says what kind of upgrade it is; one made elsewhere is drift to be followed."""
    mark = bare.sandbox.control.mark()
    # It is the same cluster under another name.
    _change(bare, CLUSTER, "clusterName: dev-cluster", "clusterName: renamed")
    for version, said, code in (
        ("1.32.1-do.0", "cannot go back", 5),
        ("1.35.0-do.0", "upgrade to 1.34.1-do.0 first", 5),
        ("1.33", "offered:", 1),
    ):
        _change(bare, CLUSTER, "1.33.1-do.0", f'"{version}"')
        assert said in " ".join(bare.run("apply", "-f", CLUSTER, "--yes", code=code).stderr.split())
        _change(bare, CLUSTER, f'"{version}"', "1.33.1-do.0")
    assert bare.writes(mark, cloud="digitalocean") == []
    _change(bare, CLUSTER, "clusterName: renamed", "clusterName: dev-cluster")
    for old, version, kind in (("1.33.1-do.0", "1.34.0-do.0", "minor"), ("1.34.0-do.0", "1.34.1-do.0", "patch")):
        _change(bare, CLUSTER, old, version)
        mark = bare.sandbox.control.mark()
        assert f"is a {kind} upgrade" in bare.run("apply", "-f", CLUSTER, "--yes").stdout
        assert [path.rsplit("/", 1)[-1] for _, path in bare.writes(mark, cloud="digitalocean")] == ["upgrade"]
        assert _cluster(bare)["version"] == version
        assert bare.actions("plan", "-f", CLUSTER) == {}
    _outside(bare, "upgrade", version="1.35.0-do.0")
    assert _drift(bare, "-f", CLUSTER) == {"dev-cluster version": ("1.34.1-do.0", "1.35.0-do.0")}
    assert "write 1.35.0-do.0" in bare.run("apply", "-f", CLUSTER, "--refresh", "--yes", code=5).stderr
    _change(bare, CLUSTER, "1.34.1-do.0", "1.35.0-do.0")
    bare.run("refresh", "-f", CLUSTER)
    assert bare.actions("plan", "-f", CLUSTER) == {}


def test_a_cluster_may_upgrade_itself(bare: support.Planton) -> None:
    """A patch that the cloud installs, as it was told to, is no drift, and no other change takes it back."""
    _change(bare, CLUSTER, "  maintenanceWindow", "  autoUpgrade: true\n  maintenanceWindow")
    _change(bare, CLUSTER, "1.33.1-do.0", "1.34.0-do.0")
    bare.run("apply", "-f", CLUSTER, "--yes")
    # The control plane, then the pool: each step begins when the one before is seen to be over.
    for _ in range(4):
        bare.sandbox.control.advance(1)
        _cluster(bare)
    _outside(bare, "upgrade", version="1.34.1-do.0")
    assert bare.actions("drift", "-f", CLUSTER) == {}
    assert bare.actions("plan", "-f", CLUSTER) == {}
    for arguments in ((), ("--refresh",)):
        assert bare.actions("plan", "-f", CLUSTER) == {}
        _change(bare, CLUSTER, "    nodeCount: 1", "    tags: [a]\n    nodeCount: 1")
        assert bare.actions("apply", "-f", CLUSTER, "--yes", *arguments) == {"cluster": "update"}
        assert _cluster(bare)["version"] == "1.34.1-do.0"
        _change(bare, CLUSTER, "    tags: [a]\n    nodeCount: 1", "    nodeCount: 1")
        bare.run("apply", "-f", CLUSTER, "--yes")


def test_what_replaces_a_cluster_needs_consent_and_a_control_plane_stays_highly_available(small: support.Planton) -> None:
    """A changed default size is a replacement of the cluster and of its pools: nothing is requested until it is named."""
    _change(small, CLUSTER, "s-1vcpu-2gb", "s-2vcpu-2gb")
    mark, old = small.sandbox.control.mark(), _cluster(small)["id"]
    refused = small.run("apply", "-f", "dev", "--yes", code=5).stderr
    assert "would replace cluster" in refused
    assert "nodePool.size" in refused
    assert " ".join(CONSENT) in refused
    assert small.writes(mark, cloud="digitalocean") == []
    small.run("apply", "-f", "dev", "--yes", *CONSENT, "--allow-replace", "DigitalOceanKubernetesNodePool/dev-apps")
    # The cloud still deletes the old one when the new one is there.
    small.sandbox.control.advance(1)
    assert _cluster(small)["id"] != old
    assert _counts(small) == {"default": 1, "apps": 2}
    assert small.actions("plan", "-f", "dev") == {}
    _change(small, CLUSTER, "  maintenanceWindow", "  highlyAvailable: true\n  maintenanceWindow")
    assert small.actions("apply", "-f", CLUSTER, "--yes") == {"cluster": "update"}
    _change(small, CLUSTER, "  highlyAvailable: true\n", "")
    assert "cannot switch that off" in " ".join(small.run("apply", "-f", CLUSTER, "--yes", code=5).stderr.split())


def test_a_pool_costs_little_and_what_exists_is_imported(dev: support.Planton) -> None:
    """At most five requests to make a pool, and five lists a run; about 2 KB to keep it; what is forgotten is taken over, by id or by name."""
    [_, document, *_] = (EXAMPLE / "node-pools.yaml").read_text("utf-8").split("---")
    extra = yaml.safe_load(document)
    extra["metadata"]["name"] = extra["spec"]["nodePoolName"] = "extra"
    file = dev.write("extra.json", extra)
    mark = dev.sandbox.control.mark()
    dev.run("apply", "-f", file, "--yes")
    sent = dev.sandbox.control.requests(mark, "digitalocean")
    states = dev.folder / "data" / "state"
    state = json.loads((states / ".pulumi/stacks/planton/dev.DigitalOceanKubernetesNodePool.extra.json").read_text("utf-8"))
    resources = state["checkpoint"]["latest"]["resources"]
    [kept] = [each for each in resources if each["type"].endswith(":KubernetesNodePool")]
    print(f"requests to make a pool: {len(sent)}; its record: {len(json.dumps(kept))} bytes")
    assert len(sent) <= 10
    assert len(json.dumps(kept)) <= 2600
    shutil.rmtree(states)
    there = dev.sandbox.control.resources("digitalocean")
    apps = next(pool["id"] for pool in there["clusters"][0]["pools"] if pool["name"] == "apps")
    dev.run("import", "digitaloceanvpc/dev-network", _network_id(there), "-f", "dev", "--yes")
    dev.run("import", "digitaloceankubernetescluster/dev-cluster", there["clusters"][0]["id"], "-f", "dev", "--yes")
    for name, id_ in (("system", "system"), ("apps", apps), ("batch", "batch")):
        dev.run("import", f"digitaloceankubernetesnodepool/dev-{name}", id_, "-f", "dev", "--yes")
    assert dev.actions("plan", "-f", "dev") == {}
    again = dev.sandbox.control.resources("digitalocean")
    assert [again[name] for name in ("vpcs", "clusters")] == [there[name] for name in ("vpcs", "clusters")]


def test_a_cluster_is_imported_with_its_additional_pools(bare: support.Planton) -> None:
    """Those that the manifest names are taken over with it; to remove one needs consent, and concerns nobody else."""
    (bare.folder / POOLS).unlink()
    _change(
        bare,
        CLUSTER,
        "  defaultNodePool:",
        "  additionalNodePools: [{name: extra, size: s-2vcpu-4gb, nodeCount: 1}]\n  defaultNodePool:",
    )
    bare.run("apply", "-f", CLUSTER, "--yes")
    there = bare.sandbox.control.resources("digitalocean")
    shutil.rmtree(bare.folder / "data" / "state")
    bare.run("import", "digitaloceanvpc/dev-network", "-f", "dev", "--yes", _network_id(there))
    bare.run("import", "digitaloceankubernetescluster/dev-cluster", there["clusters"][0]["id"], "-f", "dev", "--yes")
    assert bare.actions("plan", "-f", "dev") == {}
    assert bare.sandbox.control.resources("digitalocean")["clusters"] == there["clusters"]
    _change(bare, CLUSTER, "  additionalNodePools: [{name: extra, size: s-2vcpu-4gb, nodeCount: 1}]\n", "")
    refused = bare.run("apply", "-f", CLUSTER, "--yes", code=5).stderr
    assert "delete node_pool-extra" in refused
    assert "refer to it" not in refused
    assert bare.actions("apply", "-f", CLUSTER, "--yes", *CONSENT) == {"node_pool-extra": "delete"}


def _network_id(there: dict[str, Any]) -> str:
    return next(str(vpc["id"]) for vpc in there["vpcs"] if vpc["name"] == "dev-network")


def _kubectl(user: support.Planton, kubeconfig: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert sandbox_support.KUBECTL is not None
    path = user.folder / "kubeconfig"
    path.write_text(kubeconfig, "utf-8")
    command = [sandbox_support.KUBECTL, *arguments]
    return subprocess.run(command, env=user.environ, capture_output=True, text=True, timeout=60, check=False)


def test_a_kubeconfig_that_asks_for_credentials_outlives_them(bare: support.Planton) -> None:
    """It holds no secret; kubectl gets a token that is good, also after the old one was made useless."""
    named = "digitaloceankubernetescluster/dev-cluster"
    lasting = bare.run("kubeconfig", named, "--exec").stdout
    plain = bare.run("kubeconfig", named).stdout
    first = json.loads(bare.run("credential", named).stdout)["status"]
    assert first["token"] in plain
    assert "token" not in lasting
    missing = bare.run("kubeconfig", named, "--out", "none", code=8, DIGITALOCEAN_TOKEN="", DIGITALOCEAN_ACCESS_TOKEN="")
    assert "DIGITALOCEAN_TOKEN" in missing.stderr
    assert "-p FILE" not in missing.stderr
    assert not (bare.folder / "none").exists()
    [kept] = (bare.folder / "data" / "access").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for kubeconfig in (plain, lasting):
        assert len(_kubectl(bare, kubeconfig, "get", "nodes", "-o", "name").stdout.split()) == 1
    assert json.loads(bare.run("credential", named).stdout)["status"] == first
    _outside(bare, "expire-credentials")
    assert "logged in" in _kubectl(bare, plain, "get", "nodes").stderr
    # The cluster refuses the token that is kept, so another one is fetched.
    assert len(_kubectl(bare, lasting, "get", "nodes", "-o", "name").stdout.split()) == 1
    second = json.loads(bare.run("credential", named).stdout)["status"]
    assert second["token"] != first["token"]
    assert json.loads(bare.run("credential", named, "--fresh").stdout)["status"]["token"] != second["token"]
    assert len(_kubectl(bare, lasting, "get", "nodes", "-o", "name").stdout.split()) == 1
    # A token that is known to end soon is not used again.
    kept.write_text(json.dumps(json.loads(kept.read_text("utf-8")) | {"expires": "2020-01-01T00:00:00Z"}), "utf-8")
    _outside(bare, "expire-credentials")
    assert len(_kubectl(bare, lasting, "get", "nodes", "-o", "name").stdout.split()) == 1
    outputs = bare.json("outputs", named, "--show-secrets")
    assert outputs["apiServerEndpoint"].startswith("https://")
    assert outputs["kubeconfig"]
