"""The kinds of DigitalOcean on the real engine: the example with its sacrificial default pool, through its whole life."""

from __future__ import annotations

import json
import pathlib
import shutil
import stat
from typing import Any

import pytest
import yaml

from support import planton as support

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "digitalocean-dev"
CLUSTER, POOLS = "dev/cluster.yaml", "dev/node-pools.yaml"


@pytest.fixture
def dev(planton: support.Planton) -> support.Planton:
    """A user who has applied the example."""
    shutil.copytree(EXAMPLE, planton.folder / "dev")
    planton.run("apply", "-f", "dev", "--yes")
    return planton


def _change(user: support.Planton, file: str, old: str, new: str) -> None:
    path = user.folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def _outside(user: support.Planton, action: str, **body: Any) -> None:
    user.sandbox.control.outside(action, cloud="digitalocean", cluster="dev-cluster", **body)


def _cluster(user: support.Planton) -> dict[str, Any]:
    [found] = user.sandbox.control.resources("digitalocean")["clusters"]
    return found  # type: ignore[no-any-return]


def _counts(user: support.Planton) -> dict[str, int]:
    return {pool["name"]: pool["count"] for pool in _cluster(user)["node_pools"]}


def test_drift_is_shown_and_repaired_and_nothing_is_left_after_a_destroy(dev: support.Planton) -> None:
    """Drift of a number, of labels, and a pool that is gone; a plan says nothing once it is repaired."""
    assert _counts(dev) == {"default": 1, "apps": 2, "batch": 1}
    assert dev.actions("plan", "-f", "dev") == {}
    dev.run("drift", "-f", "dev")
    _outside(dev, "scale", pool="apps", count=4)
    assert "nodeCount: 2 → 4" in dev.run("drift", "-f", "dev", code=3).stdout
    dev.run("apply", "-f", "dev", "--refresh", "--yes")
    assert _counts(dev)["apps"] == 2
    _outside(dev, "delete-pool", pool="apps")
    assert dev.actions("drift", "-f", "dev", code=3) == {"node_pool": "delete"}
    dev.run("apply", "-f", "dev", "--refresh", "--yes")
    assert _counts(dev)["apps"] == 2
    assert dev.actions("plan", "-f", "dev") == {}
    dev.run("destroy", "-f", "dev", "--yes")
    left = dev.sandbox.control.resources("digitalocean")
    assert left["clusters"] == []
    assert all(vpc["default"] for vpc in left["vpcs"])


def test_the_autoscaler_keeps_what_it_has_decided(dev: support.Planton) -> None:
    """The plugin would send the number of nodes from its state with every change of the pool; no node is lost, or drift."""
    _outside(dev, "load", pool="batch", nodes=4)
    dev.sandbox.control.advance(600)
    assert _counts(dev)["batch"] == 4
    dev.run("drift", "-f", "dev")
    _change(dev, POOLS, "workload: batch", "workload: jobs")
    mark = dev.sandbox.control.mark()
    dev.run("apply", "-f", "dev", "--yes")
    assert _counts(dev)["batch"] == 4
    [sent] = [each["body"] for each in dev.sandbox.control.requests(mark, "digitalocean") if each["method"] == "PUT"]
    assert (sent["count"], sent["min_nodes"], sent["max_nodes"]) == (4, 0, 5)
    _outside(dev, "load", pool="batch", nodes=0)
    dev.sandbox.control.advance(3600)
    assert _counts(dev)["batch"] == 0
    assert dev.actions("plan", "-f", "dev") == {}


def test_upgrades_go_one_minor_at_a_time_and_never_back(dev: support.Planton) -> None:
    """What is refused changes nothing; the plan says what kind of upgrade it is; the cloud's own patches are no drift."""
    mark = dev.sandbox.control.mark()
    for version, said in (("1.33.0-do.0", "cannot go back"), ("1.35.0-do.0", "skips a minor"), ("1.33", "is not offered")):
        _change(dev, CLUSTER, "1.33.1-do.0", version)
        assert said in dev.run("apply", "-f", "dev", "--yes", code=5).stderr
        _change(dev, CLUSTER, version, "1.33.1-do.0")
    assert all(each["method"] == "GET" for each in dev.sandbox.control.requests(mark, "digitalocean"))
    _change(dev, CLUSTER, "1.33.1-do.0", "1.34.0-do.0")
    done = dev.run("apply", "-f", "dev", "--yes")
    assert "is a minor upgrade" in done.stdout
    assert _cluster(dev)["version"] == "1.34.0-do.0"
    _change(dev, CLUSTER, "  maintenanceWindow", "  autoUpgrade: true\n  maintenanceWindow")
    dev.run("apply", "-f", "dev", "--yes")
    _outside(dev, "upgrade", version="1.34.1-do.0")
    dev.run("drift", "-f", "dev")
    assert dev.actions("plan", "-f", "dev") == {}


def test_what_replaces_a_cluster_needs_consent_and_a_control_plane_stays_highly_available(dev: support.Planton) -> None:
    """A changed default size is a replacement of the cluster and of its pools."""
    _change(dev, CLUSTER, "s-1vcpu-2gb", "s-2vcpu-2gb")
    refused = dev.run("apply", "-f", "dev", "--yes", code=5)
    assert "would replace cluster" in refused.stderr
    assert "nodePool.size" in refused.stderr
    _change(dev, CLUSTER, "s-2vcpu-2gb", "s-1vcpu-2gb")
    _change(dev, CLUSTER, "  maintenanceWindow", "  highlyAvailable: true\n  maintenanceWindow")
    dev.run("apply", "-f", "dev", "--yes")
    _change(dev, CLUSTER, "  highlyAvailable: true\n", "")
    assert "cannot switch that off" in " ".join(dev.run("apply", "-f", "dev", "--yes", code=5).stderr.split())


def test_a_pool_costs_little_and_an_existing_one_is_imported(dev: support.Planton) -> None:
    """At most five requests to make one, about 2 KB to keep it; forgotten ones are taken over by their id."""
    extra = yaml.safe_load((EXAMPLE / "node-pools.yaml").read_text("utf-8").split("---")[0])
    extra["metadata"]["name"] = extra["spec"]["nodePoolName"] = "extra"
    file = dev.write("extra.json", extra)
    mark = dev.sandbox.control.mark()
    dev.run("apply", "-f", file, "--yes")
    assert len(dev.sandbox.control.requests(mark, "digitalocean")) <= 5
    state = dev.folder / "data/state/.pulumi/stacks/planton/dev.DigitalOceanKubernetesNodePool.extra.json"
    resources = json.loads(state.read_text("utf-8"))["checkpoint"]["latest"]["resources"]
    [kept] = [each for each in resources if each["type"].endswith(":KubernetesNodePool")]
    assert len(json.dumps(kept)) < 2700
    id_ = kept["id"]
    state.unlink()
    dev.run("import", "digitaloceankubernetesnodepool/extra", id_, "-f", file, "--yes")
    assert dev.actions("plan", "-f", file) == {}
    assert len(_counts(dev)) == 4


def test_a_kubeconfig_that_asks_for_credentials_outlives_them(dev: support.Planton) -> None:
    """It holds no secret; kubectl gets a token that is good, also after the old one was made useless."""
    named = "digitaloceankubernetescluster/dev-cluster"
    text = dev.run("kubeconfig", named, "--exec").stdout
    assert "token" not in text
    first = json.loads(dev.run("credential", named).stdout)
    assert first["status"]["token"]
    assert json.loads(dev.run("credential", named).stdout) == first
    [kept] = (dev.folder / "data" / "access").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    _outside(dev, "expire-credentials")
    fresh = json.loads(dev.run("credential", named, "--fresh").stdout)
    assert fresh["status"]["token"] != first["status"]["token"]
    plain = dev.run("kubeconfig", named).stdout
    nodes = dev.sandbox.kubectl(plain, "get", "nodes", "-o", "name").stdout.split()
    assert len(nodes) == 4
