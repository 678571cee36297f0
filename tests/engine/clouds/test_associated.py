"""What clusters leave behind: listed at each cloud, and deleted by id with the cluster or after it."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.clouds import associated
from planton.clouds.civo import client as civo
from planton.clouds.digitalocean import client as digitalocean
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
    sandbox.control.outside("load-balancer", cluster="dev", name="web")
    return civo.Cloud(sandbox.token, "LON1", sandbox.civo, wait=lambda _seconds: None), ids[0]


def _volumes(sandbox: Sandbox) -> list[str]:
    return [each["name"] for each in sandbox.control.resources()["volumes"]]


def test_civo_lists_what_is_of_the_cluster(at_civo: tuple[civo.Cloud, str]) -> None:
    """What is of others is left out."""
    assert [str(item).partition(" (")[0] for item in at_civo[0].leftovers(at_civo[1])] == ["load balancer web", "volume of-dev"]
    assert at_civo[0].leftovers("0000") == []


def test_civo_deletes_after_the_cluster_and_waits_for_the_volume(sandbox: Sandbox, at_civo: tuple[civo.Cloud, str]) -> None:
    """The volume is attached for a moment; one that somebody else has deleted is as good as deleted."""
    cloud, cluster = at_civo
    items = tuple(cloud.leftovers(cluster))
    sandbox.control.fault(cloud="civo", method="DELETE", path="/volumes/", action="status", status=409, body={}, times=2)
    with cloud.deleting_leftovers(cluster, (*items, associated.Item("volume", "gone", "0000"))):
        assert sorted(_volumes(sandbox)) == ["of-dev", "of-other"]
        sandbox.control.outside("delete-cluster", cluster="dev")
    assert _volumes(sandbox) == ["of-other"]
    assert sandbox.control.resources()["loadbalancers"] == []


def test_civo_names_what_is_left(sandbox: Sandbox, at_civo: tuple[civo.Cloud, str]) -> None:
    """One that cannot be deleted does not keep the others from it."""
    cloud, cluster = at_civo
    items = cloud.leftovers(cluster)
    sandbox.control.outside("delete-cluster", cluster="dev")
    sandbox.control.fault(cloud="civo", method="DELETE", path="/loadbalancers/", action="status", status=500, body={}, times=0)
    deleting = cloud.deleting_leftovers(cluster, tuple(items))
    left = f"keeps and bills load balancer web .{items[0].id}., which"
    with pytest.raises(errors.PlantonError, match=left) as caught, deleting:
        pass
    assert caught.value.reason is errors.Reason.CLOUD_FAILED
    assert _volumes(sandbox) == ["of-other"]


def test_nothing_is_deleted_where_the_cluster_could_not_be(sandbox: Sandbox, at_civo: tuple[civo.Cloud, str]) -> None:
    """Its volumes are in use."""
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


def test_digitalocean_says_where_the_cluster_is_gone_already(sandbox: Sandbox) -> None:
    """The request would have deleted both; the volumes stay, and are named."""
    volume = associated.Item("volume", "pvc-1", "1111")
    gone: Any = _ocean(sandbox).deleting_leftovers("0000", (volume,))
    with pytest.raises(errors.PlantonError, match=r"keeps and bills volume pvc-1 \(1111\).*does not exist any more"), gone:
        raise AssertionError("the cluster is not deleted by anybody else")


def test_digitalocean_is_not_asked_where_nothing_is_to_go(sandbox: Sandbox) -> None:
    """The deletion of the cluster is then the plugin's."""
    mark = sandbox.control.mark()
    with _ocean(sandbox).deleting_leftovers("0000", ()):
        pass
    assert sandbox.control.requests(mark) == []
