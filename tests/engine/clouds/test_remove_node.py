"""Nodes that are removed from pools by their names, in the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from planton import clouds
from planton.clouds import api
from planton.clouds.civo import client as civo
from planton.clouds.digitalocean import client as digitalocean
from planton.recovery import observed
from support import digitalocean as digitalocean_support
from support.kubernetes import SMALL
from support.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]


def _pool(cloud: Any, sandbox: Sandbox, size: str) -> tuple[clouds.Cloud, str]:
    """Returns the cloud, and the id of a cluster with one pool of three nodes."""
    if cloud == "civo":
        pools = [{"id": "main", "count": 3, "size": size, "taints": None}]
        cluster = sandbox.call("POST", "/kubernetes/clusters", {"name": "c1", "pools": pools}).body["id"]
        return civo.Cloud(sandbox.token, "LON1", sandbox.civo), cluster
    account = digitalocean.Cloud(sandbox.token, sandbox.digitalocean)
    body = {"name": "c1", "region": "fra1", "version": "latest"}
    body["node_pools"] = [{"name": "main", "size": size, "count": 3}]  # type: ignore[assignment]
    api.post(f"{account.address}/v2/kubernetes/clusters", body, authorization=f"Bearer {sandbox.token}", path="/v2/kubernetes")
    return account, account.clusters()[0]["id"]


def _names(pool: dict[str, Any]) -> list[str]:
    listed = pool.get("instances") or pool.get("nodes") or ()
    return sorted(str(node.get("hostname") or node.get("name")) for node in listed if "deleting" not in str(node).lower())


@pytest.mark.parametrize(("cloud", "size"), [("civo", SMALL), ("digitalocean", digitalocean_support.SMALL)])
def test_exactly_the_named_node_goes(sandbox: Sandbox, cloud: str, size: str) -> None:
    """The count of the pool decreases, unless the node is replaced. A node that the pool does not have is no error."""
    account, cluster = _pool(cloud, sandbox, size)

    def pool() -> dict[str, Any]:
        (only,) = observed.pools_of(account.cluster(cluster) or {})
        return only

    before = _names(pool())
    assert account.remove_node(cluster, pool()["id"], before[1])
    assert (_names(pool()), pool()["count"]) == ([before[0], before[2]], 2)
    assert not account.remove_node(cluster, pool()["id"], before[1])
    assert not account.remove_node(cluster, "missing", before[0])
    assert account.remove_node(cluster, pool()["id"], before[0], replace=True)
    remaining = _names(pool())
    assert (len(remaining), pool()["count"], before[0] in remaining, before[2] in remaining) == (2, 2, False, True)
