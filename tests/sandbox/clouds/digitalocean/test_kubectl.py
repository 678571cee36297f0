"""The Kubernetes APIs of DigitalOcean's clusters, with the real kubectl."""

from __future__ import annotations

import json
import pathlib
import urllib.request
from typing import Any

import pytest

from support import sandbox as support
from support.digitalocean import SMALL, VERSION
from support.sandbox import Sandbox

pytestmark = pytest.mark.skipif(support.KUBECTL is None, reason="kubectl is neither on PATH nor next to Python")
CLUSTERS = "/v2/kubernetes/clusters"


def _send(sandbox: Sandbox, method: str, path: str, body: dict[str, Any] | None = None) -> str:
    data = json.dumps(body).encode() if body else None
    headers = {"Authorization": f"Bearer {sandbox.info.tokens['digitalocean']}", "Content-Type": "application/json"}
    request = urllib.request.Request(sandbox.digitalocean + path, data=data, method=method, headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
        return str(response.read().decode())


def _cluster(sandbox: Sandbox, **more: Any) -> str:
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    pool = {"name": "main", "size": SMALL, "count": 2, "labels": {"tier": "web"}, "taints": [taint]}
    body = {"name": "c1", "region": "fra1", "version": VERSION, "node_pools": [pool], **more}
    key = json.loads(_send(sandbox, "POST", CLUSTERS, body))["kubernetes_cluster"]["id"]
    _send(sandbox, "GET", f"{CLUSTERS}/{key}")
    return str(key)


def _kubeconfig(sandbox: Sandbox, key: str, query: str = "") -> str:
    return _send(sandbox, "GET", f"{CLUSTERS}/{key}/kubeconfig{query}")


def test_kubectl_reads_the_cluster(sandbox: Sandbox) -> None:
    """The kubeconfig has a token that can read nodes. Labels and provider ids are the cloud's."""
    key = _cluster(sandbox)
    config = _kubeconfig(sandbox, key)
    assert "token: " in config
    assert "client-certificate" not in config
    assert "v1.33.1" in sandbox.kubectl(config, "version").stdout
    chosen = sandbox.kubectl(config, "get", "nodes", "-l", "doks.digitalocean.com/node-pool=main,tier=web", "-o", "json").stdout
    nodes = json.loads(chosen)["items"]
    assert [item["spec"]["taints"] for item in nodes] == [[{"key": "a", "value": "b", "effect": "NoSchedule"}]] * 2
    droplets = json.loads(_send(sandbox, "GET", "/v2/droplets"))["droplets"]
    assert {item["spec"]["providerID"] for item in nodes} == {f"digitalocean://{item['id']}" for item in droplets}
    assert {item["metadata"]["labels"]["node.kubernetes.io/instance-type"] for item in nodes} == {SMALL}


def test_kubectl_runs_workloads(sandbox: Sandbox) -> None:
    """Pods that tolerate the pool's taint run. Their volumes are volumes of the cloud, and ``top`` prints their load."""
    key = _cluster(sandbox)
    config = _kubeconfig(sandbox, key)
    path = sandbox.home / "web.json"
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    pod = {
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "containers": [{"name": "web", "image": "nginx"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    items = [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": pod},
    ]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), encoding="utf-8")
    sandbox.kubectl(config, "apply", "-f", str(path))
    sandbox.kubectl(config, "wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
    sandbox.control.outside("load", cloud="digitalocean", cluster="c1", pod="web", cpu="250m", memory="64Mi")
    assert sandbox.kubectl(config, "top", "pods", "--no-headers").stdout.split() == ["web", "250m", "64Mi"]
    (volume,) = json.loads(_send(sandbox, "GET", "/v2/volumes"))["volumes"]
    assert volume["name"].startswith("pvc-")


def test_a_token_expires(sandbox: Sandbox) -> None:
    """An expired or revoked token opens nothing. A new one does."""
    key = _cluster(sandbox)
    config = _kubeconfig(sandbox, key, "?expiry_seconds=600")
    assert sandbox.kubectl(config, "get", "nodes").returncode == 0
    sandbox.control.advance(600)
    late = sandbox.kubectl(config, "get", "nodes", check=False)
    assert (late.returncode == 0, "Unauthorized" in late.stderr) == (False, True)
    fresh = _kubeconfig(sandbox, key)
    assert sandbox.kubectl(fresh, "get", "nodes").returncode == 0
    sandbox.control.outside("expire-credentials", cloud="digitalocean", cluster="c1")
    assert sandbox.kubectl(fresh, "get", "nodes", check=False).returncode != 0


def test_the_control_plane_firewall_closes_the_port(sandbox: Sandbox) -> None:
    """It is closed for clients that are not on the list."""
    key = _cluster(sandbox, control_plane_firewall={"enabled": True, "allowed_addresses": ["203.0.113.0/24"]})
    config = _kubeconfig(sandbox, key)
    assert "refused" in sandbox.kubectl(config, "get", "nodes", "--request-timeout=5s", check=False).stderr
    sandbox.control.call("POST", "/client", {"address": "203.0.113.9"})
    assert sandbox.kubectl(config, "get", "nodes").returncode == 0


def test_a_restart_keeps_everything(tmp_path: pathlib.Path) -> None:
    """After a restart clusters, nodes, droplets and tokens are the same, at the same URL."""
    with support.running(tmp_path / "home") as first:
        key = _cluster(first)
        config = _kubeconfig(first, key)
        before = _send(first, "GET", f"{CLUSTERS}/{key}")
        droplets = _send(first, "GET", "/v2/droplets")
        assert first.kubectl(config, "get", "nodes").returncode == 0
    with support.running(tmp_path / "home") as second:
        assert second.digitalocean == first.digitalocean
        assert _send(second, "GET", f"{CLUSTERS}/{key}") == before
        assert _send(second, "GET", "/v2/droplets") == droplets
        assert second.kubectl(config, "get", "nodes").returncode == 0


def test_each_read_of_nodes_advances_an_upgrade(sandbox: Sandbox) -> None:
    """kubectl and the cloud's API agree: node after node has the new version."""
    key = _cluster(sandbox)
    config = _kubeconfig(sandbox, key)
    assert not _send(sandbox, "POST", f"{CLUSTERS}/{key}/upgrade", {"version": "1.34.1-do.0"})
    for _ in range(4):
        shown = sandbox.kubectl(config, "get", "nodes", "--no-headers").stdout
    assert shown.count("v1.34.1") == 2
    state = json.loads(_send(sandbox, "GET", f"{CLUSTERS}/{key}"))["kubernetes_cluster"]["status"]["state"]
    assert state == "running"
