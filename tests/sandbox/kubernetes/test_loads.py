"""Loads, set through the control endpoint, and the resulting metrics, at both clouds."""

from __future__ import annotations

import json
import pathlib
import urllib.request

import pytest

from planton_sandbox import launch
from support import kubernetes
from support import sandbox as support
from support.digitalocean import SMALL, VERSION
from support.kubernetes import APPS, Kube
from support.sandbox import Sandbox

METRICS = "/apis/metrics.k8s.io/v1beta1"


def _nodes(kube: Kube) -> dict[str, tuple[float, float]]:
    """Returns cores and MiB of every node."""
    items = kube.ok("GET", f"{METRICS}/nodes")["items"]
    return {
        kubernetes.name(item): (float(item["usage"]["cpu"][:-1]) / 1e9, float(item["usage"]["memory"][:-2]) / 1024)
        for item in items
    }


def _pods(kube: Kube) -> list[tuple[float, float]]:
    items = kube.ok("GET", f"{METRICS}/namespaces/default/pods")["items"]
    usage = [item["containers"][0]["usage"] for item in items]
    return [(float(each["cpu"][:-1]) / 1e9, float(each["memory"][:-2]) / 1024) for each in usage]


def test_a_load_is_spread_over_pods(kube: Kube) -> None:
    """The pods of a Deployment share its total equally, for any number of pods."""
    kube.deploy(replicas=2)
    kube.act("load", deployment="web", cpu="1", memory="1Gi")
    assert _pods(kube) == [(0.5, 512)] * 2
    kube.ok("PATCH", f"{APPS}/deployments/web/scale", {"spec": {"replicas": 4}}, kind=kubernetes.MERGE)
    assert _pods(kube) == [(0.25, 256)] * 4
    assert list(_nodes(kube).values()) == [(0.5, 512)] * 2
    kube.act("load", deployment="web")
    assert _pods(kube) == [(0.001, 8)] * 4


def test_a_load_of_a_pool_is_spread_over_its_nodes(kube: Kube) -> None:
    """The ready nodes of a pool share its total."""
    kube.act("load", pool="main", cpu="1200m", memory="1Gi")
    assert list(_nodes(kube).values()) == [(0.6, 512)] * 2
    kube.act("scale", count=3)
    kube.nodes()
    assert list(_nodes(kube).values()) == [(0.4, pytest.approx(341.33, abs=0.01))] * 3


def test_a_load_above_the_capacity_saturates_the_node(kube: Kube) -> None:
    """The metrics report at most the capacity."""
    kube.act("load", pool="main", cpu="64", memory="1Ti")
    assert list(_nodes(kube).values()) == [(1, 2048)] * 2


def test_unreachable_nodes_have_no_metrics(kube: Kube) -> None:
    """Like metrics-server, the API omits them."""
    lost, other = kube.nodes()
    kube.act("node", node=lost, unreachable=True)
    assert list(_nodes(kube)) == [other]
    assert kube.refused("GET", f"{METRICS}/nodes/{lost}")[1] == "NotFound"


def test_a_demand_above_the_capacity_leaves_pods_pending(kube: Kube) -> None:
    """A demand creates pods with requests. It can grow, shrink and end."""
    kube.act("demand", replicas=3, cpu="800m", memory="64Mi")
    phases = sorted(pod["status"]["phase"] for pod in kube.pods("demand"))
    assert phases == ["Pending", "Running", "Running"]
    kube.act("demand", replicas=1, cpu="800m", memory="64Mi")
    assert len(kube.running("demand")) == 1
    kube.act("demand")
    assert kube.pods("demand") == []


@pytest.mark.parametrize(
    "body", [{}, {"deployment": "a", "pool": "b", "cpu": "1"}, {"pod": "a", "cpu": "x"}, {"pod": "a", "cpu": "-1"}]
)
def test_an_invalid_load_is_refused(kube: Kube, body: dict[str, str]) -> None:
    """A load names one target, and amounts that are quantities."""
    with pytest.raises(launch.LaunchError, match=" 400 "):
        kube.act("load", **body)


def test_objects_and_loads_survive_a_restart(tmp_path: pathlib.Path) -> None:
    """So do pods, and changes of nodes by users."""
    with support.running(tmp_path / "home", source=lambda: kubernetes.START) as first:
        kube = Kube(first, "c1", nodes=2)
        kube.deploy(replicas=2)
        kube.act("load", deployment="web", cpu="1")
        kube.cordon(kube.nodes()[0])
        before = [kube.ok("GET", path) for path in ("/api/v1/nodes", "/api/v1/pods", f"{METRICS}/pods")]
        other = Kube(first, "c2", nodes=1)
        other.close()
    assert [path.stem for path in (tmp_path / "home" / "kubernetes").iterdir()] == [kube.id]
    with support.running(tmp_path / "home", source=lambda: kubernetes.START) as second:
        reopened = Kube.reopened(second, kube)
        after = [reopened.ok("GET", path) for path in ("/api/v1/nodes", "/api/v1/pods", f"{METRICS}/pods")]
        assert [item["items"] for item in after] == [item["items"] for item in before]
        second.control.call("POST", "/reset")
        assert list((tmp_path / "home" / "kubernetes").iterdir()) == []


def test_digitalocean_supports_the_same_loads(still: Sandbox) -> None:
    """``load`` with a number of nodes is for the autoscaler. With amounts it sets the usage of the nodes."""
    pool = {"name": "main", "size": SMALL, "count": 1, "auto_scale": True, "min_nodes": 1, "max_nodes": 3}
    body = {"name": "c1", "region": "fra1", "version": VERSION, "node_pools": [pool]}
    headers = {"Authorization": f"Bearer {still.info.tokens['digitalocean']}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{still.digitalocean}/v2/kubernetes/clusters", json.dumps(body).encode(), headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
        key = json.load(response)["kubernetes_cluster"]["id"]
    still.control.outside("load", cloud="digitalocean", cluster=key, pool="main", nodes=2)
    loads = still.control.outside("load", cloud="digitalocean", cluster=key, pool="main", cpu="1")["loads"]
    assert [(load["kind"], load["name"], load["cpu"]) for load in loads] == [("Pool", "main", 1)]
    with pytest.raises(launch.LaunchError, match=" 404 "):
        still.control.outside("load", cloud="digitalocean", cluster="none", pool="main", cpu="1")
