"""A replaced pool leaves no less than before: where its name differs, the new one is created first; else the plan says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support import digitalocean_manifests as digitalocean
from support import planton as support
from support.worlds import Applied

Make = Callable[..., dict[str, Any]]
CIVO = ("civo", "civokubernetesnodepools/workers", support.network, support.cluster, support.pool, "g4s.kube.small")
DIGITALOCEAN = (
    "digitalocean",
    "digitaloceankubernetesnodepools/workers",
    digitalocean.network,
    digitalocean.cluster,
    digitalocean.pool,
    "s-4vcpu-8gb",
)


@pytest.mark.parametrize(
    ("cloud", "key", "network", "cluster", "pool", "size"), [CIVO, DIGITALOCEAN], ids=["civo", "digitalocean"]
)
def test_a_new_name_keeps_the_old_pool_until_the_new_one_is_there(
    applied: Applied, cloud: str, key: str, network: Make, cluster: Make, pool: Make, size: str
) -> None:
    """With the same name the first line of the plan says that the nodes go first, and how to keep them."""
    planton = applied(network(), cluster(), pool())
    same = planton.write("same.yaml", pool(size=size))
    lines = planton.run("plan", "-f", same).stdout.splitlines()
    [line] = [each for each in lines if "replace node_pool " in each]
    assert "deletes the old node pool first: its name stays the same; to keep nodes, change nodePoolName too" in line
    renamed = planton.write("new.yaml", pool(size=size) | {"spec": _renamed(pool(size=size))})
    mark = planton.sandbox.control.mark()
    planton.run("apply", "-f", renamed, "--yes", "--allow-replace", key)
    methods = [method for method, path in planton.writes(mark, cloud=cloud) if "pools" in path and method in ("POST", "DELETE")]
    assert methods == ["POST", "DELETE"]
    assert planton.actions("plan", "-f", renamed, "--refresh") == {}


def _renamed(manifest: dict[str, Any]) -> dict[str, Any]:
    return {**manifest["spec"], "nodePoolName": "larger"}


def test_a_new_pool_that_cannot_be_created_leaves_the_old_one(applied: Applied) -> None:
    """The nodes stay."""
    planton = applied(support.network(), support.cluster(), support.pool())
    renamed = planton.write("new.yaml", support.pool(nodePoolName="larger", size="g4s.kube.small"))
    planton.sandbox.control.fault(method="POST", path="/pools$", status=500, action="status", body={"code": "boom"}, times=0)
    planton.run("apply", "-f", renamed, "--yes", "--allow-replace", "civokubernetesnodepools/workers", code=6)
    [cluster] = planton.sandbox.control.resources()["clusters"]
    assert {pool["id"]: pool["count"] for pool in cluster["pools"]}["workers"] == 3


@pytest.mark.parametrize("then", ["apply", "destroy"])
@pytest.mark.parametrize(
    ("cloud", "key", "network", "cluster", "pool", "size"), [CIVO, DIGITALOCEAN], ids=["civo", "digitalocean"]
)
def test_a_replacement_whose_answer_was_lost_is_completed(
    applied: Applied, cloud: str, key: str, network: Make, cluster: Make, pool: Make, size: str, then: str
) -> None:
    """The same command adopts the new pool and deletes the old one; a destroy deletes both."""
    planton = applied(network(), cluster(), pool())
    renamed = planton.write("new.yaml", pool(size=size) | {"spec": _renamed(pool(size=size))})
    planton.sandbox.control.fault(cloud=cloud, method="POST", path="/(node_)?pools$", action="drop_after")
    planton.run("apply", "-f", renamed, "--yes", "--allow-replace", key, code=6)
    mark = planton.sandbox.control.mark()
    more = ("--allow-replace", key) if then == "apply" else ()
    planton.run(then, "-f", renamed, "--yes", *more)
    assert [path for method, path in planton.writes(mark, cloud=cloud) if method == "POST"] == []
    clusters = planton.sandbox.control.resources(cloud)["clusters"]
    pools = [each.get("name") or each["id"] for one in clusters for each in one.get("node_pools") or one["pools"]]
    assert "workers" not in pools
    assert ("larger" in pools) is (then == "apply")
    if then == "apply":
        assert planton.actions("plan", "-f", renamed) == {}
