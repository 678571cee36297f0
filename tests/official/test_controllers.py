"""Controllers with the official plugins: what the API promises, the clouds get."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from support import controllers, gcp, official, waiting

pytestmark = pytest.mark.official

_GKE = {
    "network": "default",
    "subnet": "default",
    "podsRange": "pods",
    "servicesRange": "services",
    "masterCIDR": "172.16.0.0/28",
}
#: Cloud → its fixture, and its objects in the specs of a cluster and of a node pool.
CLOUDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "civo": ("plugin", {"defaultPool": {"size": "g4s.kube.small", "nodeCount": 1}}, {"size": "g4s.kube.small"}),
    "digitalocean": (
        "digitalocean_plugin",
        {"defaultPool": {"size": "s-2vcpu-4gb", "nodeCount": 1}},
        {"size": "s-2vcpu-4gb"},
    ),
    "gcp": (
        "gcp_plugin",
        {"projectID": gcp.PROJECT, **_GKE},
        {"machineType": "e2-medium", "diskSize": 50, "zones": [gcp.ZONES[0]]},
    ),
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_pool_comes_up_scales_and_goes(request: pytest.FixtureRequest, tmp_path: pathlib.Path, cloud: str) -> None:
    """No stand-in runs. Nodes carry the pool's label, and nothing is left in the end."""
    fixture, of_cluster, of_pool = CLOUDS[cloud]
    plugin = request.getfixturevalue(fixture)

    def spec(own: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {"platform": {"type": cloud, cloud: own}, **fields}

    with (
        official.using(tmp_path / "user", plugin, cloud=cloud) as user,
        controllers.served(user, tmp_path, cloud, "--with-controllers") as world,
    ):
        assert not user.sandbox.info.providers
        region = {"region": controllers.REGIONS[cloud]}
        body = {"name": "production", "spec": spec(region | of_cluster)}
        cluster = world.server.call("POST", "/clusters", body)["id"]
        body = {"name": "workers", "spec": spec(of_pool, nodeCount=2, labels={"tier": "web"})}
        path = f"/nodepools/{world.server.call('POST', f'/clusters/{cluster}/nodepools', body)['id']}"
        world.until_ready(path)
        assert len(world.nodes("nodepool=workers,tier=web")) == 2
        world.server.call("PUT", path, {"spec": spec(of_pool, nodeCount=3, labels={"tier": "api"})})
        world.until_ready(path, generation=2)
        assert len(world.nodes("nodepool=workers,tier=api")) == 3
        for each in (path, f"/clusters/{cluster}"):
            world.server.call("DELETE", each)
            world.until_gone(each)
        # A cloud that answers "not found" already may still work on the deletion.
        waiting.until(lambda: not world.clusters(), "the cloud to have no cluster")
