"""Leftovers of clusters: listed at each cloud, and deleted by id with the cluster or after it."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.clouds import api, associated
from planton.clouds.civo import client as civo
from planton.clouds.civo import prices as civo_prices
from planton.clouds.digitalocean import client as digitalocean
from planton.clouds.digitalocean import prices
from support.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]


@pytest.fixture
def at_civo(sandbox: Sandbox) -> tuple[civo.Cloud, str]:
    """A cluster at Civo with a volume and a load balancer, and another one with a volume."""
    network = sandbox.call("POST", "/networks", {"label": "net"}).body["id"]
    firewall = sandbox.call("POST", "/firewalls", {"name": "fw", "network_id": network}).body["id"]
    ids = []
    for name in ("dev", "other"):
        pools = [{"id": "main", "count": 1, "size": "g4s.kube.small"}]
        body = {"name": name, "network_id": network, "instance_firewall": firewall, "pools": pools}
        ids.append(sandbox.call("POST", "/kubernetes/clusters", body).body["id"])
        sandbox.control.outside("volume", cluster=name, name=f"of-{name}")
    sandbox.control.outside("reserved-address", cluster="dev", name="spare")
    sandbox.control.outside("load-balancer", cluster="dev", name="web")
    sandbox.control.outside("reserved-address", cluster="dev", name="web")
    return civo.Cloud(sandbox.token, "LON1", sandbox.civo, wait=lambda _seconds: None), ids[0]


def _volumes(sandbox: Sandbox) -> list[str]:
    return [each["name"] for each in sandbox.control.resources()["volumes"]]


def test_civo_lists_the_leftovers_of_the_cluster(at_civo: tuple[civo.Cloud, str]) -> None:
    """Volumes of other clusters are omitted, and a reserved address without a load balancer."""
    assert [str(item).partition(" (")[0] for item in at_civo[0].leftovers(at_civo[1])] == [
        "load balancer web",
        "reserved address 203.0.113.7",
        "volume of-dev",
    ]
    assert at_civo[0].leftovers("0000") == []


def test_civo_leftovers_have_a_price(at_civo: tuple[civo.Cloud, str]) -> None:
    """By the requests of a load balancer and the size of a volume. The price of a reserved address is unknown."""
    assert {item.sort: item.monthly for item in at_civo[0].leftovers(at_civo[1])} == {
        associated.LOAD_BALANCER: 10.86,
        associated.VOLUME: 1.1,
        associated.ADDRESS: None,
    }
    larger = {"max_concurrent_requests": 20_001}
    assert civo_prices.leftover(associated.LOAD_BALANCER, larger) == 32.58


def test_civo_deletes_leftovers_after_the_cluster(sandbox: Sandbox, at_civo: tuple[civo.Cloud, str]) -> None:
    """The volume stays attached for a moment, so its deletion is retried. A missing one counts as deleted."""
    cloud, cluster = at_civo
    items = tuple(cloud.leftovers(cluster))
    sandbox.control.fault(cloud="civo", method="DELETE", path="/volumes/", action="status", status=409, body={}, times=2)
    with cloud.deleting_leftovers(cluster, (*items, associated.Item("volume", "missing", "0000"))):
        assert sorted(_volumes(sandbox)) == ["of-dev", "of-other"]
        sandbox.control.outside("delete-cluster", cluster="dev")
    assert _volumes(sandbox) == ["of-other"]
    assert sandbox.control.resources()["loadbalancers"] == []
    assert [each["name"] for each in sandbox.control.resources()["ips"]] == ["spare"]


def test_civo_names_leftovers_that_could_not_be_deleted(sandbox: Sandbox, at_civo: tuple[civo.Cloud, str]) -> None:
    """A failed deletion does not stop the others."""
    cloud, cluster = at_civo
    items = cloud.leftovers(cluster)
    sandbox.control.outside("delete-cluster", cluster="dev")
    sandbox.control.fault(cloud="civo", method="DELETE", path="/loadbalancers/", action="status", status=500, body={}, times=0)
    deleting = cloud.deleting_leftovers(cluster, tuple(items))
    message = f"keeps and bills load balancer web .{items[0].id}., which"
    with pytest.raises(errors.PlantonError, match=message) as caught, deleting:
        pass
    assert caught.value.reason is errors.Reason.CLOUD_FAILED
    assert _volumes(sandbox) == ["of-other"]


def test_leftovers_stay_if_the_cluster_could_not_be_deleted(sandbox: Sandbox, at_civo: tuple[civo.Cloud, str]) -> None:
    """Its volumes are still in use."""
    cloud, cluster = at_civo
    mark = sandbox.control.mark()
    with (
        pytest.raises(ValueError, match="cluster"),
        cloud.deleting_leftovers(cluster, tuple(cloud.leftovers(cluster))),
    ):
        raise ValueError("cluster")
    assert {each["method"] for each in sandbox.control.requests(mark)} == {"GET"}


def _ocean(sandbox: Sandbox) -> digitalocean.Cloud:
    return digitalocean.Cloud(sandbox.token, sandbox.digitalocean)


def test_digitalocean_names_leftovers_of_a_missing_cluster(sandbox: Sandbox) -> None:
    """One request deletes cluster and volumes. Without the cluster the volumes stay."""
    volume = associated.Item("volume", "pvc-1", "1111")
    deleting: Any = _ocean(sandbox).deleting_leftovers("0000", (volume,))
    with (
        pytest.raises(errors.PlantonError, match=r"keeps and bills volume pvc-1 \(1111\).*does not exist any more") as caught,
        deleting,
    ):
        raise AssertionError("the block must not run without a cluster")
    assert (caught.value.code, caught.value.reason) == (errors.Code.FAILED, errors.Reason.CLOUD_MISSING)


def test_digitalocean_leftovers_have_a_price(sandbox: Sandbox) -> None:
    """By the type and number of nodes of load balancers, and by gigabytes. A list that cannot be read leaves the price unknown."""
    sizes = (
        {"size_unit": 2},
        {"size_unit": 2, "type": "REGIONAL_NETWORK"},
        {"size_unit": 1, "type": "GLOBAL"},
        {"size": "lb-small"},
    )
    assert [prices.leftover(associated.LOAD_BALANCER, size) for size in sizes] == [24.0, 30.0, None, None]
    pool = {"name": "main", "size": "s-2vcpu-4gb", "count": 1}
    body = {"name": "dev", "region": "fra1", "version": "1.32.0-do.0", "node_pools": [pool]}
    url = f"{sandbox.digitalocean}/v2/kubernetes/clusters"
    api.post(url, body, authorization=f"Bearer {sandbox.token}", path=url)
    [cluster] = [each["id"] for each in _ocean(sandbox).clusters()]
    sandbox.control.outside("load-balancer", cloud="digitalocean", cluster="dev", name="web")
    sandbox.control.outside("volume", cloud="digitalocean", cluster="dev", name="data")
    sandbox.control.outside("snapshot", cloud="digitalocean", cluster="dev", name="data")
    assert [item.monthly for item in _ocean(sandbox).leftovers(cluster)] == [12.0, 1.0, 0.06]
    sandbox.control.fault(
        cloud="digitalocean", method="GET", path="/load_balancers", action="status", status=403, body={}, times=0
    )
    assert [item.monthly for item in _ocean(sandbox).leftovers(cluster)] == [None, 1.0, 0.06]


def test_digitalocean_gets_no_request_without_leftovers(sandbox: Sandbox) -> None:
    """Then the plugin deletes the cluster."""
    mark = sandbox.control.mark()
    with _ocean(sandbox).deleting_leftovers("0000", ()):
        pass
    assert sandbox.control.requests(mark) == []
