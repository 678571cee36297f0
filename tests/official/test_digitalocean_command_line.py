"""The `doctl` command line and planton on one sandbox: each sees the changes of the other."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from org.project_planton.provider.digitalocean import region_pb2
from support import digitalocean_manifests as manifests
from support import official

pytestmark = pytest.mark.official

CLUSTER, WORKERS = "digitaloceankubernetescluster/dev", "digitaloceankubernetesnodepool/workers"
POOLS = ("kubernetes", "cluster", "node-pool")
MANIFESTS = (manifests.network(), manifests.cluster(), manifests.pool(labels={"tier": "web"}))


@pytest.fixture
def user(doctl: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[official.User]:
    """A user of a fresh sandbox with its stand-in, which waits less than the plugin."""
    assert doctl.is_file()
    with official.using(tmp_path / "user", None, cloud="digitalocean") as fresh:
        yield fresh


def test_doctl_lists_and_shows_resources_created_by_planton(user: official.User) -> None:
    """The resources are networks, clusters, pools, nodes and the kubeconfig."""
    user.apply(*MANIFESTS)
    assert "net" in {each["name"] for each in user.tool_json("vpcs", "list")}
    outputs = user.json("outputs", CLUSTER)
    [listed] = user.tool_json("kubernetes", "cluster", "list")
    [details] = user.tool_json("kubernetes", "cluster", "get", "dev")
    for each in (listed, details):
        assert (each["id"], each["endpoint"]) == (outputs["clusterId"], outputs["apiServerEndpoint"])
        assert (each["version"], each["status"]["state"]) == ("1.33.1-do.0", "running")
    pools = {pool["name"]: pool for pool in user.tool_json(*POOLS, "list", "dev")}
    assert {name: pool["count"] for name, pool in pools.items()} == {"default": 1, "workers": 3}
    assert pools["workers"]["labels"]["tier"] == "web"
    assert {node["id"] for node in pools["workers"]["nodes"]} == set(user.json("outputs", WORKERS)["nodeIds"])
    assert outputs["apiServerEndpoint"] in user.tool("kubernetes", "cluster", "kubeconfig", "show", "dev")


@pytest.mark.parametrize("listing", ["regions", "sizes", "versions"])
def test_planton_offers_what_doctl_lists(listing: str, user: official.User) -> None:
    """Regions, sizes and versions are equal."""
    printed = user.run(listing, "--provider", "digitalocean").stdout
    listed = [each["slug"] for each in user.tool_json("kubernetes", "options", listing)]
    if listing == "regions":
        # A manifest can name only the regions of the schema.
        listed = [slug for slug in listed if slug in set(region_pb2.DigitalOceanRegion.keys())]
    assert listed
    assert [slug for slug in listed if slug not in printed] == []


def test_planton_detects_scaling_and_upgrades_by_doctl(user: official.User) -> None:
    """Drift reports the pool's count and the cluster's version. An apply restores the count."""
    user.apply(*MANIFESTS)
    user.tool(*POOLS, "update", "dev", "workers", "--count", "5")
    user.tool("kubernetes", "cluster", "upgrade", "dev", "--version", "1.34.0-do.0")
    for _ in range(20):
        [details] = user.tool_json("kubernetes", "cluster", "get", "dev")
        if details["version"] == "1.34.0-do.0" and details["status"]["state"] == "running":
            break
    drifted = user.json("drift", "-f", "manifests.yaml", code=3)["resources"]
    paths = {
        each["path"]: each["new"] for resource in drifted for change in resource["changes"] for each in change["differences"]
    }
    assert paths == {"version": "1.34.0-do.0", "nodeCount": 5}
    upgraded = [MANIFESTS[0], manifests.cluster(kubernetesVersion="1.34.0-do.0"), MANIFESTS[2]]
    user.run("apply", "-f", user.write("manifests.yaml", *upgraded), "--yes", "--refresh")
    assert user.pools()["workers"]["count"] == 3
    assert user.actions("drift", "-f", "manifests.yaml") == {}


def test_planton_detects_deletions_by_doctl(user: official.User) -> None:
    """A deleted pool is drift, and an apply recreates it."""
    user.apply(*MANIFESTS)
    user.tool(*POOLS, "delete", "dev", "workers", "--force")
    assert user.actions("drift", "-f", "manifests.yaml", code=3) == {"node_pool": "delete"}
    user.run("apply", "-f", "manifests.yaml", "--yes", "--refresh")
    assert user.actions("drift", "-f", "manifests.yaml") == {}
    assert user.pools()["workers"]["count"] == 3


def test_planton_imports_resources_created_by_doctl(user: official.User) -> None:
    """After importing network, cluster and pool the plan is empty.

    The cluster is imported with one pool: with several, the plugin cannot identify the default one.
    """
    [network] = user.tool_json("vpcs", "create", "--name", "net", "--region", "fra1", "--ip-range", "10.20.0.0/20")
    user.tool(
        *("kubernetes", "cluster", "create", "dev", "--region", "fra1", "--version", "1.33.1-do.0", "--vpc-uuid", network["id"]),
        *("--node-pool", "name=default;size=s-1vcpu-2gb;count=1", "--update-kubeconfig=false", "--wait=false"),
    )
    [cluster] = user.tool_json("kubernetes", "cluster", "list")
    file = user.write("manifests.yaml", *MANIFESTS)
    for resource, identity in {"digitaloceanvpc/net": network["id"], CLUSTER: cluster["id"]}.items():
        user.run("import", resource, identity, "-f", file, "--yes")
    user.tool(*POOLS, "create", "dev", "--name", "workers", "--size", "s-2vcpu-4gb", "--count", "3")
    nodes = _nodes(user)
    user.run("import", WORKERS, "workers", "-f", file, "--yes")
    assert user.actions("plan", "-f", file) == {}
    assert user.actions("drift", "-f", file) == {}
    assert _nodes(user) == nodes
    assert user.pools()["workers"]["labels"]["tier"] == "web"
    assert len(user.sandbox.control.resources("digitalocean")["clusters"]) == 1


def _nodes(user: official.User) -> dict[str, set[str]]:
    return {pool["name"]: {node["id"] for node in pool["nodes"]} for pool in user.tool_json(*POOLS, "list", "dev")}
