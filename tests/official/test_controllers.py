"""Controllers with the official plugins: what the API promises, the clouds get."""

from __future__ import annotations

import pathlib

import pytest

from support import controllers, official

pytestmark = pytest.mark.official


@pytest.mark.parametrize(("cloud", "fixture"), [("civo", "plugin"), ("digitalocean", "digitalocean_plugin")])
def test_a_pool_comes_up_scales_and_goes(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, cloud: str, fixture: str
) -> None:
    """No stand-in runs. Nodes carry the pool's label, and nothing is left in the end."""
    plugin = request.getfixturevalue(fixture)
    with (
        official.using(tmp_path / "user", plugin, cloud=cloud) as user,
        controllers.served(user, tmp_path, cloud, "--with-controllers") as world,
    ):
        assert not user.sandbox.info.providers
        cluster = world.create_cluster()
        pool = world.create_pool(cluster, labels={"tier": "web"})
        path = f"/nodepools/{pool}"
        world.until_ready(path)
        assert len(world.nodes("nodepool=workers,tier=web")) == 2
        world.update_pool(pool, nodeCount=3, labels={"tier": "api"})
        world.until_ready(path, generation=2)
        assert len(world.nodes("nodepool=workers,tier=api")) == 3
        for each in (path, f"/clusters/{cluster}"):
            world.server.call("DELETE", each)
            world.until_gone(each)
        assert world.clusters() == []
