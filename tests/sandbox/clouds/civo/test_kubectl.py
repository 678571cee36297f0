"""The Kubernetes APIs of Civo's clusters, with the real kubectl."""

from __future__ import annotations

import json
import pathlib
import ssl
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest

from support import sandbox as support
from support.sandbox import Sandbox

pytestmark = pytest.mark.skipif(support.KUBECTL is None, reason="kubectl is neither on PATH nor next to Python")
TAINT = {"key": "gpu", "value": "true", "effect": "NoSchedule"}


def _rule(ports: str) -> dict[str, Any]:
    return {"protocol": "tcp", "ports": ports, "cidr": ["0.0.0.0/0"], "direction": "ingress", "action": "allow"}


def _cluster(sandbox: Sandbox, name: str = "c1", **more: Any) -> dict[str, Any]:
    pools = [{"id": "main", "count": 2, "size": "g4s.kube.small", "taints": None}]
    key = sandbox.call("POST", "/kubernetes/clusters", {"name": name, "pools": pools, **more}).body["id"]
    sandbox.call("GET", f"/kubernetes/clusters/{key}")
    return dict(sandbox.call("GET", f"/kubernetes/clusters/{key}").body)


def _add_pool(sandbox: Sandbox, cluster: dict[str, Any]) -> None:
    labels = {"planton-resource-name": "burst"}
    body = {"id": "gpu", "count": 2, "size": "g4g.kube.small", "labels": labels, "taints": [TAINT]}
    assert sandbox.call("POST", f"/kubernetes/clusters/{cluster['id']}/pools", body).status == 200


def _names(sandbox: Sandbox, cluster: dict[str, Any], *arguments: str) -> list[str]:
    output = sandbox.kubectl(cluster["kubeconfig"], "get", "nodes", "-o", "name", *arguments).stdout
    return sorted(line.removeprefix("node/") for line in output.split())


def test_kubectl_reads_the_cluster(sandbox: Sandbox) -> None:
    """kubectl reads the version, nodes in all formats, namespaces, and the cluster's information."""
    cluster = _cluster(sandbox)
    config = cluster["kubeconfig"]
    assert "v1.30.5+k3s1" in sandbox.kubectl(config, "version").stdout
    wide = sandbox.kubectl(config, "get", "nodes", "-o", "wide").stdout.splitlines()
    assert wide[0].split()[:5] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [line.split()[1] for line in wide[1:]] == ["Ready", "Ready"]
    node = json.loads(sandbox.kubectl(config, "get", "nodes", "-o", "json").stdout)["items"][0]
    assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "g4s.kube.small"
    assert "kind: Node" in sandbox.kubectl(config, "get", "nodes", "-o", "yaml").stdout
    assert "kube-system" in sandbox.kubectl(config, "get", "ns").stdout
    assert cluster["api_endpoint"] in sandbox.kubectl(config, "cluster-info").stdout
    assert "No resources" in sandbox.kubectl(config, "get", "pods", "-A").stderr


def test_a_label_selects_exactly_a_pool(sandbox: Sandbox) -> None:
    """Only the nodes of a pool have its labels and taints."""
    cluster = _cluster(sandbox)
    _add_pool(sandbox, cluster)
    chosen = _names(sandbox, cluster, "-l", "planton-resource-name=burst")
    shown = sandbox.call("GET", f"/kubernetes/clusters/{cluster['id']}").body
    pool = next(item for item in shown["pools"] if item["id"] == "gpu")
    assert chosen == sorted(pool["instance_names"])
    others = _names(sandbox, cluster, "-l", "planton-resource-name!=burst")
    assert len(others) == 2
    described = sandbox.kubectl(cluster["kubeconfig"], "describe", "node", chosen[0]).stdout
    assert "gpu=true:NoSchedule" in described
    assert "nvidia.com/gpu" in described


def test_nodes_follow_the_pool(sandbox: Sandbox) -> None:
    """New nodes are shown immediately, and the oldest nodes leave first."""
    cluster = _cluster(sandbox)
    before = _names(sandbox, cluster)
    sandbox.call("PUT", f"/kubernetes/clusters/{cluster['id']}/pools/main", {"count": 4, "taints": None})
    grown = _names(sandbox, cluster)
    assert len(grown) == 4
    assert set(before) < set(grown)
    sandbox.call("PUT", f"/kubernetes/clusters/{cluster['id']}/pools/main", {"count": 1, "taints": None})
    assert set(_names(sandbox, cluster)) < set(grown) - set(before)


def test_a_watch_reports_new_nodes(sandbox: Sandbox) -> None:
    """kubectl prints a node that is added later, and when it is ready."""
    cluster = _cluster(sandbox)
    path = sandbox.home / "watch-config"
    path.write_text(cluster["kubeconfig"], encoding="utf-8")
    command = [str(support.KUBECTL), "--kubeconfig", str(path), "get", "nodes", "--watch", "--no-headers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first = {watching.stdout.readline().split()[0] for _ in range(2)}
        sandbox.control.outside("scale", cluster="c1", count=3)
        joined = [watching.stdout.readline().split() for _ in range(2)]
        watching.kill()
    assert [line[1] for line in joined] == ["NotReady", "Ready"]
    (name,) = {line[0] for line in joined}
    assert name not in first


def test_only_the_right_kubeconfig_works(sandbox: Sandbox) -> None:
    """A request without the certificate gets 401, and another cluster's kubeconfig is refused."""
    cluster, other = _cluster(sandbox), _cluster(sandbox, "c2")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{cluster['api_endpoint']}/version", context=context)
    assert refused.value.code == 401
    crossed = other["kubeconfig"].replace(other["api_endpoint"], cluster["api_endpoint"])
    assert sandbox.kubectl(crossed, "get", "nodes", check=False).returncode != 0


def test_a_firewall_closes_and_opens_the_api(sandbox: Sandbox) -> None:
    """Without a rule for 6443 the port is closed. A new rule opens it while the cluster runs."""
    network = next(item["id"] for item in sandbox.call("GET", "/networks").body)
    body = {"name": "closed", "network_id": network, "create_rules": False, "rules": [_rule("443")]}
    firewall = sandbox.call("POST", "/firewalls", body).body["id"]
    cluster = _cluster(sandbox, instance_firewall=firewall)
    refused = sandbox.kubectl(cluster["kubeconfig"], "get", "nodes", "--request-timeout=5s", check=False)
    assert refused.returncode != 0
    assert "refused" in refused.stderr
    rule = sandbox.call("POST", f"/firewalls/{firewall}/rules", _rule("6443")).body["id"]
    assert len(_names(sandbox, cluster)) == 2
    sandbox.call("DELETE", f"/firewalls/{firewall}/rules/{rule}")
    assert sandbox.kubectl(cluster["kubeconfig"], "get", "nodes", check=False).returncode != 0


def test_the_kubeconfig_outlives_a_restart(tmp_path: pathlib.Path) -> None:
    """After a restart a saved kubeconfig still works. After the cluster's deletion it does not."""
    with support.running(tmp_path / "home") as first:
        cluster = _cluster(first)
        before = _names(first, cluster)
    with support.running(tmp_path / "home") as second:
        assert _names(second, cluster) == before
        second.call("DELETE", f"/kubernetes/clusters/{cluster['id']}")
        assert second.kubectl(cluster["kubeconfig"], "get", "nodes", check=False).returncode != 0


def test_requests_to_a_cluster_are_logged(sandbox: Sandbox) -> None:
    """Reads and writes are logged."""
    cluster = _cluster(sandbox)
    name = _names(sandbox, cluster)[0]
    mark = sandbox.control.mark()
    assert "labeled" in sandbox.kubectl(cluster["kubeconfig"], "label", "node", name, "a=b").stdout
    methods = {entry["method"] for entry in sandbox.control.requests(mark, cloud="kubernetes")}
    assert methods == {"GET", "PATCH"}


def test_a_node_can_be_set_not_ready(sandbox: Sandbox) -> None:
    """A node is NotReady until the change is undone."""
    cluster = _cluster(sandbox)
    name = _names(sandbox, cluster)[0]
    sandbox.control.outside("node", cluster="c1", node=name, ready=False)
    assert "NotReady" in sandbox.kubectl(cluster["kubeconfig"], "get", "node", name).stdout
