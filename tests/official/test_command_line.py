"""The `civo` command line and planton on one sandbox: each sees the changes of the other."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from planton.clouds import kubeconfigs
from support import official
from support import planton as manifests

pytestmark = pytest.mark.official

# Two rules: plugin and stand-in do not report the deletion of the last rule of a direction.
RULES = [
    {"protocol": "tcp", "portRange": "6443", "cidrs": ["127.0.0.1/32"], "label": "api"},
    {"protocol": "tcp", "portRange": "22", "cidrs": ["127.0.0.1/32"], "label": "ssh"},
]
MANIFESTS = (
    manifests.network(),
    manifests.firewall(inboundRules=RULES),
    manifests.cluster(),
    manifests.pool(labels={"tier": "web"}),
)


@pytest.fixture
def user(command_line: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[official.User]:
    """A user of a fresh sandbox with its stand-in, which waits less than the plugin."""
    with official.using(tmp_path / "user", None) as fresh:
        yield fresh


def test_civo_lists_and_shows_resources_created_by_planton(user: official.User) -> None:
    """The resources are networks, firewalls with rules, clusters, pools and the kubeconfig."""
    user.apply(*MANIFESTS)
    assert {"default", "net"} == {each["label"] for each in user.tool_json("network", "list")}
    assert {"fw", "dev-firewall"} <= {each["name"] for each in user.tool_json("firewall", "list")}
    rules = {(each["start_port"], each["cidr"], each["label"]) for each in user.tool_json("firewall", "rule", "list", "fw")}
    assert rules == {("6443", "127.0.0.1/32", "api"), ("22", "127.0.0.1/32", "ssh")}
    (listed,) = user.tool_json("kubernetes", "list")
    assert (listed["name"], listed["nodes"], listed["pools"], listed["status"]) == ("dev", "5", "2", "ACTIVE")
    details = user.tool_json("kubernetes", "show", "dev")
    outputs = user.json("outputs", "civokubernetescluster/dev")
    assert details["id"] == outputs["clusterId"]
    assert details["version"] == outputs["kubernetesVersion"]
    assert details["api_endpoint"] == outputs["apiServerEndpoint"]
    pool = next(each for each in details["required_pools"] if each["id"] == "workers")
    assert (pool["count"], pool["size"], pool["labels"]["tier"]) == (3, "g4s.kube.medium", "web")
    nodes = {node for each in details["pools"] if each["id"] == "workers" for node in each["instance_names"]}
    assert nodes == set(user.json("outputs", "civokubernetesnodepool/workers")["nodeNames"])
    printed, own = user.tool("kubernetes", "config", "dev"), user.run("kubeconfig", "civokubernetescluster/dev").stdout
    assert kubeconfigs.parse(printed) == kubeconfigs.parse(own)
    assert "workers" in user.tool("kubernetes", "show", "dev")


def test_planton_offers_what_civo_lists(user: official.User) -> None:
    """Regions, sizes and versions are equal."""
    listings = [
        ("regions", ("region", "list"), "code"),
        ("sizes", ("size", "list"), "name"),
        ("versions", ("kubernetes", "versions"), "version"),
    ]
    for command, civo_command, field in listings:
        printed = user.run(command, "--provider", "civo").stdout.lower()
        # Sizes of plain machines cannot be used in a cluster.
        listed = [
            each[field]
            for each in user.tool_json(*civo_command)
            if each.get("type") in (None, "Kubernetes") or command == "versions"
        ]
        missing = [name for name in listed if name.lower() not in printed]
        assert missing == [], printed


def test_planton_detects_scaling_and_upgrades_by_civo(user: official.User) -> None:
    """Drift reports the pool's count and the cluster's version. An apply restores the count."""
    file = user.write("manifests.yaml", *MANIFESTS)
    user.apply(*MANIFESTS)
    user.tool("kubernetes", "node-pool", "scale", "dev", "workers", "--nodes", "5")
    user.tool("kubernetes", "upgrade", "dev", "--version", "1.31.2-k3s1")
    drifted = user.json("drift", "-f", file, code=3)["resources"]
    paths = {
        each["path"]: each["new"] for resource in drifted for change in resource["changes"] for each in change["differences"]
    }
    assert paths == {"kubernetesVersion": "1.31.2-k3s1", "node_count": 5}
    upgraded = [*MANIFESTS[:2], manifests.cluster(kubernetesVersion="1.31.2+k3s1"), MANIFESTS[3]]
    user.run("apply", "-f", user.write("manifests.yaml", *upgraded), "--yes", "--refresh")
    assert user.pools()["workers"]["count"] == 3
    assert user.actions("drift", "-f", file) == {}


def test_planton_detects_deletions_by_civo(user: official.User) -> None:
    """A deleted pool and firewall rule are drift, and an apply recreates them."""
    file = user.write("manifests.yaml", *MANIFESTS)
    user.apply(*MANIFESTS)
    user.tool("kubernetes", "node-pool", "delete", "dev", "workers", "--yes")
    rule = user.tool_json("firewall", "rule", "list", "fw")[0]["id"]
    user.tool("firewall", "rule", "remove", "fw", rule, "--yes")
    user.sandbox.control.advance(600)
    assert user.actions("drift", "-f", file, code=3) == {"node_pool": "delete", "firewall": "update"}
    user.run("apply", "-f", file, "--yes", "--refresh")
    assert user.actions("drift", "-f", file) == {}
    assert user.pools()["workers"]["count"] == 3
    assert {each["label"] for each in user.tool_json("firewall", "rule", "list", "fw")} == {"api", "ssh"}


def test_planton_imports_resources_created_by_civo(user: official.User) -> None:
    """After importing network, firewall, cluster and pool the plan is empty."""
    user.tool("network", "create", "net", "--cidr-v4", "10.20.0.0/24")
    user.tool("firewall", "create", "fw", "--network", "net", "--no-default-rules")
    user.tool(
        "firewall", "rule", "create", "fw", "--protocol", "tcp", "--startport", "6443", "--cidr", "127.0.0.1/32", "--label", "api"
    )
    user.tool(
        "kubernetes",
        "create",
        "dev",
        "--network",
        "net",
        "--existing-firewall",
        "fw",
        "--nodes",
        "2",
        "--size",
        "g4s.kube.small",
        "--version",
        "1.30.5-k3s1",
        "--wait",
    )
    user.tool("kubernetes", "node-pool", "create", "dev", "--nodes", "3", "--size", "g4s.kube.medium")
    details = user.tool_json("kubernetes", "show", "dev")
    name = next(pool["id"] for pool in details["required_pools"] if pool["count"] == 3)
    ids = {
        "civovpc/net": details["network_id"],
        "civofirewall/fw": details["firewall_id"],
        "civokubernetescluster/dev": details["id"],
        "civokubernetesnodepool/workers": name,
    }
    cluster = manifests.cluster(firewall={"valueFrom": {"name": "fw"}}, apiServerAllowedCidrs=[])
    environment: list[dict[str, Any]] = [manifests.network(), manifests.firewall(), cluster, manifests.pool(nodePoolName=name)]
    file = user.write("manifests.yaml", *environment)
    for resource, identity in ids.items():
        user.run("import", resource, identity, "-f", file, "--yes")
    assert user.actions("plan", "-f", file) == {}
    assert len(user.sandbox.control.resources()["clusters"]) == 1
