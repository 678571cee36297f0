"""The simulated GKE with Google's own command line, and with kubectl, which gets its token from Google's plugin."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from planton_sandbox import variables
from support.sandbox import KUBECTL, Sandbox, sandbox  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.official,
    pytest.mark.skipif(
        not (shutil.which("gcloud") and shutil.which("gke-gcloud-auth-plugin")), reason="gcloud and its plugin are not installed"
    ),
]

PLACE = ("--region", "us-central1")
POOL = ("--cluster", "c1", *PLACE)
ZONES = ("--node-locations", "us-central1-a,us-central1-b")
RANGES = ("--cluster-secondary-range-name", "pods", "--services-secondary-range-name", "services", "--enable-ip-alias")


@dataclasses.dataclass(frozen=True)
class Commands:
    """Commands in an environment of their own."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, program: str = "gcloud", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command and returns its result."""
        command = [program, *arguments]
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300, check=False)
        assert not check or result.returncode == 0, result.stderr
        return result

    def gke(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs ``gcloud container``."""
        return self("container", *arguments, "--quiet")

    def pool(self, name: str) -> dict[str, object]:
        """Returns a pool as gcloud describes it."""
        described: dict[str, object] = json.loads(self.gke("node-pools", "describe", name, *POOL, "--format", "json").stdout)
        return described


@pytest.fixture
def commands(sandbox: Sandbox, tmp_path: pathlib.Path) -> Commands:  # noqa: F811 - the fixture
    """Commands that `planton sandbox env` points at the sandbox."""
    own = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KUBECONFIG": str(tmp_path / "kubeconfig")}
    quiet = {"CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true", "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true"}
    return Commands({**variables.environment(sandbox.info), **own, **quiet})


def test_gcloud_creates_changes_and_deletes_clusters_and_pools(commands: Commands, sandbox: Sandbox) -> None:  # noqa: F811
    """kubectl sees the nodes with the credentials that gcloud writes."""
    commands.gke("clusters", "create", "c1", *PLACE, "--num-nodes", "1", *ZONES, *RANGES)
    bounds = ("--enable-autoscaling", "--total-min-nodes", "1", "--total-max-nodes", "6")
    machine = ("--machine-type", "n1-standard-4", "--num-nodes", "1", "--node-labels", "a=b", "--spot")
    commands.gke("node-pools", "create", "workers", *POOL, *machine, *bounds)
    listed = commands.gke("node-pools", "list", *POOL, "--format", "value(name,config.machineType)").stdout
    assert listed.split() == ["default-pool", "e2-medium", "workers", "n1-standard-4"]
    commands.gke("clusters", "resize", "c1", "--node-pool", "default-pool", "--num-nodes", "2", *PLACE)
    commands.gke("node-pools", "update", "workers", *POOL, "--node-labels", "c=d")
    commands.gke("clusters", "update", "c1", *PLACE, "--update-labels", "team=x")
    commands.gke("clusters", "upgrade", "c1", *PLACE, "--node-pool", "workers", "--cluster-version", "1.34.9-gke.1053000")
    described = commands.pool("workers")
    assert described["version"] == "1.34.9-gke.1053000"
    assert described["autoscaling"] == {
        "enabled": True,
        "totalMinNodeCount": 1,
        "totalMaxNodeCount": 6,
        "locationPolicy": "ANY",
    }
    pools = {item["name"]: item for item in sandbox.control.resources("gcp")["clusters"][0]["pools"]}
    assert (len(pools["default-pool"]["nodes"]), pools["workers"]["labels"]) == (4, {"c": "d"})
    if KUBECTL is not None:
        commands.gke("clusters", "get-credentials", "c1", *PLACE)
        nodes = commands("get", "nodes", "-l", "cloud.google.com/gke-nodepool=workers", "-o", "name", program=KUBECTL)
        assert len(nodes.stdout.split()) == 2
    commands.gke("node-pools", "delete", "workers", *POOL)
    commands.gke("clusters", "delete", "c1", *PLACE)
    assert sandbox.control.resources("gcp")["clusters"] == []


def test_gcloud_reads_offers_and_reports_refusals(commands: Commands) -> None:
    """Lists are filtered by regular expressions, and errors have the cloud's text."""
    zones = commands("compute", "zones", "list", "--filter", "name=us-central1-a", "--format", "value(name)").stdout
    assert zones.split() == ["us-central1-a"]
    default = commands.gke("get-server-config", *PLACE, "--format", "value(defaultClusterVersion)").stdout
    assert "-gke." in default
    refused = commands("container", "clusters", "describe", "none", *PLACE, check=False)
    assert "Not found: projects/sandbox-project/locations/us-central1/clusters/none" in refused.stderr
