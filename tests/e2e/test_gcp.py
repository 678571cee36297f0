"""The kinds of Google Cloud on the real engine: the example, through its whole life."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from support import gcp
from support import planton as support
from support import sandbox as sandbox_support
from support.worlds import Step, Worlds

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "gcp-dev"
CLUSTER, POOLS = "dev/cluster.yaml", "dev/node-pools.yaml"
NAMED = "gcpgkecluster/dev-cluster"
CLUSTER_ID = "projects/sandbox-project/locations/europe-west1-b/clusters/dev-cluster"


SDK = """
import json, sys, planton

def main():
    settings = planton.configure()
    if sys.argv[1] == "drift":
        steps = planton.drift("dev", settings=settings)
    elif sys.argv[1] == "apply":
        steps = planton.apply("dev", consent=planton.Consent(changes=True), settings=settings).steps
    else:
        steps = planton.destroy("dev", consent=planton.Consent(deletions=True), settings=settings).steps
    changed = {str(step.key): [str(change.action) for change in step.plan.changes] for step in steps if step.plan.changes}
    print(json.dumps({key.partition(" ")[0]: actions for key, actions in changed.items()}))

main()
"""


def _apply(user: support.Planton) -> None:
    shutil.copytree(EXAMPLE, user.folder / "dev")
    # With the key file of a service account; the commands of the tests use the sandbox's access token.
    key = {"GOOGLE_OAUTH_ACCESS_TOKEN": "", "GOOGLE_APPLICATION_CREDENTIALS": user.sandbox.info.files["gcp"]}
    user.run("apply", "-f", "dev", "--yes", **key)


@pytest.fixture
def dev(worlds: Worlds) -> Iterator[support.Planton]:
    """A user who has applied the example."""
    with worlds.user(Step("the cluster and the node pools of the example for Google Cloud", _apply)) as user:
        yield user


def _change(user: support.Planton, file: str, old: str, new: str) -> None:
    path = user.folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def _outside(user: support.Planton, action: str, **body: Any) -> None:
    user.sandbox.control.outside(action, cloud="gcp", cluster="dev-cluster", **body)


def _cluster(user: support.Planton) -> dict[str, Any]:
    return gcp.Gke(user.sandbox).get(f"/v1/{CLUSTER_ID}")  # type: ignore[no-any-return]


def _pools(user: support.Planton) -> dict[str, dict[str, Any]]:
    return {pool["name"]: pool for pool in _cluster(user)["nodePools"]}


def _writes(user: support.Planton, mark: int) -> list[tuple[str, str]]:
    return [(method, path) for method, path in user.writes(mark, cloud="gcp") if path != "/token"]


def _sdk(user: support.Planton, verb: str) -> dict[str, list[str]]:
    """Runs a verb of the SDK on the example in a program of its own, and returns the actions by resource."""
    done = subprocess.run(
        [sys.executable, "-c", SDK, verb],
        cwd=user.folder,
        env=user.environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    actions: dict[str, list[str]] = json.loads(done.stdout)
    return actions


def _drift(user: support.Planton, *arguments: str) -> dict[str, tuple[Any, Any]]:
    resources = user.json("drift", *arguments, code=3)["resources"]
    return {
        f"{resource['name']} {each['path']}": (each["old"], each["new"])
        for resource in resources
        for change in resource["changes"]
        for each in change["differences"]
    }


def _kubectl(user: support.Planton, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert sandbox_support.KUBECTL is not None
    return subprocess.run(
        [sandbox_support.KUBECTL, *arguments], env=user.environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_pool_is_changed_in_place_and_drift_is_repaired(dev: support.Planton) -> None:
    """The number of nodes and the machine type keep the pool; a second plan of each change is empty."""
    assert dev.actions("plan", "-f", "dev") == {}
    assert dev.json("orphans", "--provider", "gcp")["orphans"] == []
    lost = {"PLANTON_DATA_DIR": str(dev.folder / "other")}
    [orphan] = dev.json("orphans", "--provider", "gcp", code=3, **lost)["orphans"]
    assert (orphan["role"], orphan["id"]) == ("cluster", CLUSTER_ID)
    before = _pools(dev)["apps"]
    _change(dev, POOLS, "nodeCount: 2", "nodeCount: 3")
    _change(dev, POOLS, "machineType: e2-medium", "machineType: e2-standard-4")
    assert dev.actions("apply", "-f", "dev", "--yes") == {"node_pool": "update"}
    after = _pools(dev)["apps"]
    assert after["instanceGroupUrls"] == before["instanceGroupUrls"]
    assert after["config"]["machineType"] == "e2-standard-4"
    outputs = dev.json("outputs", "gcpgkenodepool/dev-apps")
    assert outputs["currentNodeCount"] == "3"
    assert dev.actions("plan", "-f", "dev") == {}
    _outside(dev, "scale", pool="apps", count=5)
    _outside(dev, "relabel", pool="batch", labels={"workload": "other"})
    drift = _drift(dev, "-f", "dev")
    assert drift["dev-apps nodeCount"] == (3, 5)
    assert any(path.startswith("dev-batch ") for path in drift)
    dev.run("apply", "-f", "dev", "--refresh", "--yes")
    assert _pools(dev)["batch"]["config"]["labels"]["workload"] == "batch"
    assert dev.actions("plan", "-f", "dev") == {}


def test_settings_that_leave_the_manifests_are_reset(dev: support.Planton) -> None:
    """The plugin would keep them. A plan shows each change, and a second plan is empty."""
    _change(dev, POOLS, "  nodeCount: 2", "  nodeCount: 2\n  drainTimeoutSeconds: 600")
    dev.run("apply", "-f", "dev", "--yes")
    assert _pools(dev)["apps"]["nodeDrainConfig"]["pdbTimeoutDuration"] == "600s"
    _change(dev, POOLS, "  drainTimeoutSeconds: 600\n", "")
    _change(dev, CLUSTER, "masterAuthorizedNetworks:\n    - 127.0.0.0/8", "disableWorkloadIdentity: true")
    assert dev.actions("apply", "-f", "dev", "--yes") == {"cluster": "update", "node_pool": "update"}
    cluster = _cluster(dev)
    assert cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"] == [{"cidrBlock": "0.0.0.0/0"}]
    assert cluster["workloadIdentityConfig"] == {}
    assert _pools(dev)["apps"]["nodeDrainConfig"]["pdbTimeoutDuration"] == "3600s"
    assert dev.actions("plan", "-f", "dev", "--refresh") == {}


def test_the_sdk_creates_repairs_scales_upgrades_and_destroys_the_example(worlds: Worlds) -> None:
    """It begins without any resource."""
    with worlds.user() as user:
        shutil.copytree(EXAMPLE, user.folder / "dev")
        created = _sdk(user, "apply")
        assert created == {
            "GcpGkeCluster/dev-cluster": ["create"],
            **{f"GcpGkeNodePool/dev-{name}": ["create"] for name in ("apps", "batch")},
        }
        _live(user)


def _live(dev: support.Planton) -> None:
    """Repairs, scales, upgrades and destroys the example.

    A pool that was deleted is created again. Without addresses for its nodes the error names the subnetwork.
    """
    _outside(dev, "delete-pool", pool="apps")
    assert _sdk(dev, "drift") == {"GcpGkeNodePool/dev-apps": ["delete"]}
    _outside(dev, "addresses", free=0)
    failed = dev.json("apply", "-f", "dev", "--yes", code=6)["resources"]
    [error] = [each["error"] for each in failed if each["error"]]
    assert error["reason"] == "CLOUD_QUOTA_REACHED", error
    assert "IP space of 'projects/sandbox-project/regions/europe-west1/subnetworks/default' is exhausted" in error["message"]
    assert "the subnetwork has no addresses for more nodes" in error["hint"]
    _outside(dev, "addresses")
    _sdk(dev, "apply")
    assert set(_pools(dev)) == {"apps", "batch"}
    _change(dev, POOLS, "nodeCount: 2", "nodeCount: 3")
    _change(dev, CLUSTER, "1.33.11-gke.1088000", "1.34.9-gke.1053000")
    changed = _sdk(dev, "apply")
    assert (changed["GcpGkeCluster/dev-cluster"], changed["GcpGkeNodePool/dev-apps"]) == (["update"], ["update"])
    assert _cluster(dev)["currentMasterVersion"] == "1.34.9-gke.1053000"
    assert dev.json("outputs", "gcpgkenodepool/dev-apps")["currentNodeCount"] == "3"
    assert _sdk(dev, "drift") == {}
    _sdk(dev, "destroy")
    assert dev.sandbox.control.resources("gcp")["clusters"] == []


def test_the_autoscaler_keeps_its_number_of_nodes(dev: support.Planton) -> None:
    """It is neither drift nor part of an update; the outputs do not claim to know it."""
    assert not dev.json("outputs", "gcpgkenodepool/dev-batch").get("currentNodeCount")
    _outside(dev, "load", pool="batch", nodes=4)
    dev.sandbox.control.advance(600)
    assert _cluster(dev)["currentNodeCount"] == 6
    assert dev.actions("drift", "-f", "dev") == {}
    _change(dev, POOLS, "    workload: batch", "    workload: jobs")
    assert dev.actions("apply", "-f", POOLS, "--yes") == {"node_pool": "update"}
    assert _cluster(dev)["currentNodeCount"] == 6
    assert dev.actions("plan", "-f", "dev") == {}


def test_another_kind_of_machine_needs_consent_to_a_replacement(dev: support.Planton) -> None:
    """Spot machines cannot become others in place: nothing is requested until the pool is named."""
    _change(dev, POOLS, "  spot: true\n", "")
    mark = dev.sandbox.control.mark()
    refused = " ".join(dev.run("apply", "-f", "dev", "--yes", code=5).stderr.split())
    assert "would replace node_pool" in refused
    assert "--allow-replace GcpGkeNodePool/dev-batch" in refused
    assert _writes(dev, mark) == []
    plan = dev.run("plan", "-f", "dev").stdout
    assert "spot" in plan
    assert "cost unknown (spot size" in " ".join(plan.split())
    assert "__defaults" not in plan
    dev.run("apply", "-f", "dev", "--yes", "--allow-replace", "GcpGkeNodePool/dev-batch")
    assert not _pools(dev)["batch"]["config"].get("spot")
    assert dev.actions("plan", "-f", "dev") == {}
    dev.run("destroy", "-f", "dev", "--yes")
    assert dev.sandbox.control.resources("gcp")["clusters"] == []
    assert "nothing has been applied" in dev.run("get").stdout


def test_a_plan_refuses_what_neither_the_zones_nor_the_quotas_have(dev: support.Planton) -> None:
    """Nothing is requested: the plan has the field, the zones that have it, and the numbers of the quota."""
    sizes = dev.run("sizes", "--provider", "gcp", "--region", "europe-west1").stdout
    [row] = [line.split() for line in sizes.splitlines() if line.startswith("e2-standard-4 ")]
    assert row[:4] == ["e2-standard-4", "4", "16384", "107.62"]
    mark = dev.sandbox.control.mark()
    dev.sandbox.control.outside("quota", cloud="gcp", region="europe-west1", N2_CPUS=8, NVIDIA_T4_GPUS=2)
    accelerator = {"type": "nvidia-tesla-t4", "count": 1}
    spec = "machineType: n2-standard-4\n  accelerators:\n    - " + json.dumps(accelerator)
    text = (dev.folder / POOLS).read_text("utf-8").split("---")[0]
    new = text.replace("dev-apps", "dev-gpu").replace("nodePoolName: apps", "nodePoolName: gpu")
    new = new.replace("machineType: e2-medium", spec).replace("nodeCount: 2", "nodeCount: 3")
    (dev.folder / "gpu.yaml").write_text(new, "utf-8")
    violations = dev.json("plan", "-f", "gpu.yaml", code=1)["resources"][0]["error"]["violations"]
    by_rule = {each["rule_id"]: (each["path"], each["message"]) for each in violations}
    texts = [each["message"] for each in violations if each["rule_id"] == "cloud.quota_left"]
    assert any("needs 3 more NVIDIA_T4_GPUS" in text for text in texts)
    path, message = by_rule["cloud.offered_in_zones"]
    assert path == "spec.accelerators[0].type"
    assert "not offered in europe-west1-b" in message
    assert "europe-west4-b" in message
    assert any("needs 12 more N2_CPUS" in text for text in texts)
    assert _writes(dev, mark) == []


def test_a_kubeconfig_holds_no_token_and_lists_the_nodes(dev: support.Planton) -> None:
    """kubectl gets the token from planton, for each request."""
    kubeconfig = dev.run("kubeconfig", NAMED, "--exec").stdout
    token = json.loads(dev.run("credential", NAMED).stdout)["status"]["token"]
    assert token
    assert token not in kubeconfig
    assert "token" not in kubeconfig
    (dev.folder / "kubeconfig").write_text(kubeconfig, "utf-8")
    nodes = _kubectl(dev, "get", "nodes", "-l", "workload=application", "-o", "name")
    assert len(nodes.stdout.split()) == 2, nodes.stderr


def test_an_upgrade_goes_one_minor_at_a_time_and_keeps_the_cluster(dev: support.Planton) -> None:
    """What is refused changes nothing."""
    old = _cluster(dev)
    mark = dev.sandbox.control.mark()
    _change(dev, CLUSTER, "1.33.11-gke.1088000", "1.35.6-gke.1101000")
    dev.run("apply", "-f", CLUSTER, "--yes", code=5)
    assert _writes(dev, mark) == []
    _change(dev, CLUSTER, "1.35.6-gke.1101000", "1.34.9-gke.1053000")
    assert dev.actions("apply", "-f", CLUSTER, "--yes") == {"cluster": "update"}
    new = _cluster(dev)
    assert (new["id"], new["currentMasterVersion"]) == (old["id"], "1.34.9-gke.1053000")
    assert dev.actions("plan", "-f", CLUSTER) == {}


def test_what_exists_is_imported_by_id_and_by_name(dev: support.Planton) -> None:
    """The next plan is empty, and the cloud is unchanged."""
    there = _cluster(dev)
    pools = {pool["name"]: pool["instanceGroupUrls"] for pool in there["nodePools"]}
    shutil.rmtree(dev.folder / "data" / "state")
    for name, id_ in (
        (NAMED, CLUSTER_ID),
        ("gcpgkenodepool/dev-apps", "apps"),
        ("gcpgkenodepool/dev-batch", f"{CLUSTER_ID}/nodePools/batch"),
    ):
        dev.run("import", name, id_, "-f", "dev", "--yes")
    assert dev.actions("plan", "-f", "dev") == {}
    assert _cluster(dev)["id"] == there["id"]
    assert {name: pool["instanceGroupUrls"] for name, pool in _pools(dev).items()} == pools


def test_an_import_opens_the_api_server_with_a_warning(dev: support.Planton) -> None:
    """The manifest has no networks. The plan of the import shows the change and how to avoid it; the next plan is empty."""
    _change(dev, CLUSTER, "  masterAuthorizedNetworks:\n    - 127.0.0.0/8\n", "")
    shutil.rmtree(dev.folder / "data" / "state")
    refused = dev.run("import", NAMED, CLUSTER_ID, "-f", CLUSTER, code=5)
    assert "127.0.0.0/8; to keep that, list the networks in spec.masterAuthorizedNetworks" in " ".join(refused.stderr.split())
    assert "0.0.0.0/0" in refused.stdout
    dev.run("import", NAMED, CLUSTER_ID, "-f", CLUSTER, "--yes")
    assert [block["cidrBlock"] for block in _cluster(dev)["masterAuthorizedNetworksConfig"]["cidrBlocks"]] == ["0.0.0.0/0"]
    assert dev.actions("plan", "-f", CLUSTER) == {}
