"""What a plan finds in the clouds' own lists, and what a destroy does after a mistake that got through."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from support import digitalocean_manifests
from support import planton as support

CLUSTERS = 24


def _send(planton: support.Planton, cloud: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(  # of the sandbox
        planton.sandbox.info.clouds[cloud] + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {planton.sandbox.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def _civo_clusters(planton: support.Planton) -> None:
    network = _send(planton, "civo", "/v2/networks", {"label": "many", "region": "LON1"})["id"]
    pools = [{"id": "m", "count": 1, "size": "g4s.kube.small"}]
    for number in range(CLUSTERS):
        body = {"name": f"k-{number:02}", "region": "LON1", "network_id": network, "pools": pools}
        _send(planton, "civo", "/v2/kubernetes/clusters", body)


def _digitalocean_clusters(planton: support.Planton) -> None:
    pools = [{"name": "m", "count": 1, "size": "s-1vcpu-2gb"}]
    for number in [*range(CLUSTERS), CLUSTERS - 1]:
        body = {"name": f"k-{number:02}", "region": "fra1", "version": "1.33.1-do.0", "node_pools": pools}
        _send(planton, "digitalocean", "/v2/kubernetes/clusters", body)


def test_a_cluster_is_found_by_its_name_on_every_page(planton: support.Planton) -> None:
    """The plugins read one page; of two clusters of one name neither is taken."""
    _civo_clusters(planton)
    _digitalocean_clusters(planton)
    for name in ("k-02", "k-22"):
        pool = support.pool(cluster={"value": name})
        assert planton.actions("plan", "-f", planton.write("p.yaml", pool))["node_pool"] == "create"
        pool = digitalocean_manifests.pool(cluster={"value": name})
        assert planton.actions("plan", "-f", planton.write("p.yaml", pool)) == {"node_pool": "create"}
    pool = digitalocean_manifests.pool(cluster={"value": f"k-{CLUSTERS - 1}"})
    refused = planton.json("plan", "-f", planton.write("p.yaml", pool), code=1)["resources"][0]["error"]
    assert refused["reason"] == "AMBIGUOUS"
    assert len(refused["metadata"]["ids"].split(",")) == 2
    assert refused["violations"][0]["path"] == "spec.cluster"


def test_mistakes_are_found_before_anything_is_changed(planton: support.Planton) -> None:
    """All of a manifest at once, with their places, by a plan and by an apply."""
    wrong = support.cluster(
        network={"value": "default"},
        kubernetesVersion="1.30.4+k3s1",
        defaultNodePool={"size": "g4s.kube.smal", "nodeCount": 1000},
    )
    file = planton.write("c.yaml", wrong)
    mark = planton.sandbox.control.mark()
    for command in (("plan",), ("apply", "--yes")):
        error = planton.json(*command, "-f", file, code=1)["resources"][0]["error"]
        assert {each["path"]: each["rule_id"] for each in error["violations"]} == {
            "spec.defaultNodePool.size": "cloud.size_offered",
            "spec.kubernetesVersion": "cloud.version_offered",
            "spec.defaultNodePool.nodeCount": "cloud.quota_left",
        }
        assert all(each["line"] for each in error["violations"])
    assert planton.writes(mark) == []


def test_lists_are_read_once_however_many_resources_need_them(planton: support.Planton) -> None:
    """A hundred pools would otherwise ask a hundred times; a plan that changes nothing reads none."""
    network = _send(planton, "civo", "/v2/networks", {"label": "one", "region": "LON1"})["id"]
    body = {"name": "one", "region": "LON1", "network_id": network, "pools": [{"id": "m", "count": 1, "size": "g4s.kube.small"}]}
    _send(planton, "civo", "/v2/kubernetes/clusters", body)
    pools = []
    for number in range(4):
        pool = support.pool(cluster={"value": "one"}, nodePoolName=f"p-{number}", nodeCount=1)
        pool["metadata"]["name"] = f"p-{number}"
        pools.append(pool)
    mark = planton.sandbox.control.mark()
    planton.run("plan", "-f", planton.write("p.yaml", *pools))
    paths = [each["path"] for each in planton.sandbox.control.requests(mark, "civo") if each["method"] == "GET"]
    counts = {path: paths.count(path) for path in ("/v2/sizes", "/v2/quota", "/v2/kubernetes/clusters")}
    assert counts == {"/v2/sizes": 1, "/v2/quota": 1, "/v2/kubernetes/clusters": 1}


def test_a_destroy_after_a_region_that_is_not_there(planton: support.Planton) -> None:
    """The apply got past the check, as the list of regions was wrong; nothing was made, and nothing blocks the destroy."""
    regions = [{"code": code, "name": code, "country_name": code} for code in ("LON1", "LON11")]
    planton.sandbox.control.fault(method="GET", path="/v2/regions$", action="status", status=200, body=regions, times=0)
    file = planton.write("n.yaml", support.network(region="lon11"))
    planton.run("apply", "-f", file, "--yes", code=6)
    planton.sandbox.control.clear_faults()
    refused = planton.json("plan", "-f", file, code=1)["resources"][0]["error"]
    assert refused["reason"] == "NOT_OFFERED"
    planton.run("destroy", "-f", file, "--yes")
    assert planton.json("get")["items"] == []


@pytest.mark.parametrize("status", [403, 500])
def test_lists_that_cannot_be_read_do_not_stop_an_apply(planton: support.Planton, status: int) -> None:
    """A token may be allowed to make a network, and not to read quotas."""
    planton.sandbox.control.fault(method="GET", path="/v2/quota$", action="status", status=status, times=0)
    done = planton.run("apply", "-f", planton.write("n.yaml", support.network()), "--yes")
    assert "not checked: the quotas" in done.stderr
