"""An apply ends when the cloud is done, and shows what it is then: at a cloud that takes its time."""

from __future__ import annotations

from typing import Any

from support import digitalocean_manifests as digitalocean
from support import planton as support
from support.worlds import Applied

#: The time of the sandbox runs fast: a minute a second.
SPEED = 60.0


def _civo(user: support.Planton) -> Any:
    [cluster] = user.sandbox.call("GET", "/kubernetes/clusters").body["items"]
    return cluster


def test_an_upgrade_ends_when_every_node_is_new(applied: Applied) -> None:
    """The outputs are those of the end: the state, the version and the names of the nodes, which are all new."""
    slow = applied(support.network(), support.cluster(), speed=SPEED)
    before = slow.json("outputs", "civokubernetesclusters/dev")
    slow.sandbox.control.latency("realistic")
    manifest = slow.write("new.yaml", support.cluster(kubernetesVersion="1.31.2-k3s1"))
    slow.run("apply", "-f", manifest, "--yes")
    after = slow.json("outputs", "civokubernetesclusters/dev")
    assert (after["status"], after["kubernetesVersion"]) == ("ACTIVE", "1.31.2-k3s1")
    assert after["nodeNames"] == _civo(slow)["pools"][0]["instance_names"]
    assert not set(after["nodeNames"]) & set(before["nodeNames"])
    assert slow.actions("plan", "-f", manifest) == {}


def test_scaling_the_default_pool_ends_when_its_nodes_are_active(applied: Applied) -> None:
    """The state has the new number, and the outputs the names of all nodes."""
    slow = applied(support.network(), support.cluster(), speed=SPEED)
    slow.sandbox.control.latency("realistic")
    for count in (4, 1):
        more = support.cluster(defaultNodePool={"size": "g4s.kube.small", "nodeCount": count})
        manifest = slow.write("more.yaml", more)
        slow.run("apply", "-f", manifest, "--yes")
        assert slow.json("outputs", "civokubernetesclusters/dev")["nodeNames"] == _civo(slow)["pools"][0]["instance_names"]
        assert slow.actions("plan", "-f", manifest) == {}
        assert len(_civo(slow)["pools"][0]["instances"]) == count


def test_an_upgrade_at_digitalocean_is_awaited_too(applied: Applied) -> None:
    """The plugin sends the request and ends."""
    slow = applied(digitalocean.network(), digitalocean.cluster(), speed=SPEED)
    slow.sandbox.control.latency("realistic")
    manifest = slow.write("new.yaml", digitalocean.cluster(kubernetesVersion="1.34.1-do.0"))
    slow.run("apply", "-f", manifest, "--yes")
    [cluster] = slow.sandbox.control.resources("digitalocean")["clusters"]
    assert cluster["status"] == "running"
    assert slow.actions("plan", "-f", manifest) == {}
