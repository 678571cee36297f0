"""The default pool of a cluster, deleted by hand: nothing touches another pool, and an apply recreates it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from support import digitalocean_manifests as digitalocean
from support import planton as support
from support.worlds import FILE, Applied


@dataclasses.dataclass(frozen=True)
class Cloud:
    """A cloud with a cluster and a pool of another manifest."""

    name: str
    cluster: str
    network: Callable[..., dict[str, Any]]
    make_cluster: Callable[..., dict[str, Any]]
    pool: Callable[..., dict[str, Any]]
    size: str

    def of_cluster(self, *, count: int = 1, **spec: Any) -> dict[str, Any]:
        """Return the manifest of a cluster whose default pool has so many nodes."""
        return self.make_cluster(defaultNodePool={"size": self.size, "nodeCount": count}, **spec)

    def applied(self, applied: Applied, **spec: Any) -> support.Planton:
        """Return the user who has applied a network, a cluster and a pool of three nodes; ``cluster.yaml`` is the cluster alone."""
        cluster = self.of_cluster(**spec)
        user = applied(self.network(), cluster, self.pool(nodeCount=3))
        user.write("cluster.yaml", cluster)
        return user

    def pools(self, user: support.Planton) -> dict[str, int]:
        """Return the pools that the cloud has, by id, with their numbers of nodes."""
        [cluster] = user.sandbox.control.resources(self.name)["clusters"]
        return {pool["id"]: pool["count"] for pool in cluster["pools"]}

    def delete_default(self, user: support.Planton) -> str:
        """Delete the default pool by hand and return its id."""
        id_ = next(iter(self.pools(user)))
        user.sandbox.control.outside("delete-pool", cloud=self.name, cluster="dev", pool=id_)
        return id_


CLOUDS = {
    "civo": Cloud("civo", "civokubernetesclusters/dev", support.network, support.cluster, support.pool, "g4s.kube.small"),
    "digitalocean": Cloud(
        "digitalocean",
        "digitaloceankubernetesclusters/dev",
        digitalocean.network,
        digitalocean.cluster,
        digitalocean.pool,
        "s-1vcpu-2gb",
    ),
}


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each cloud."""
    return CLOUDS[request.param]


def test_an_apply_recreates_it_and_touches_no_other_pool(applied: Applied, cloud: Cloud) -> None:
    """Drift names it; a refresh binds no other pool; afterwards its number can be changed, and there is no drift."""
    planton, manifest = cloud.applied(applied), "cluster.yaml"
    cloud.delete_default(planton)
    [other] = cloud.pools(planton).items()
    assert other[1] == 3
    assert planton.actions("drift", "-f", FILE, code=3) == {"default_node_pool": "delete"}
    planton.run("refresh", "-f", manifest)
    assert planton.actions("plan", "-f", manifest) == {"default_node_pool": "create"}
    mark = planton.sandbox.control.mark()
    assert planton.actions("apply", "-f", FILE, "--yes") == {"default_node_pool": "create"}
    assert [method for method, _ in planton.writes(mark, cloud=cloud.name)] == ["POST"]
    assert sorted(cloud.pools(planton).values()) == [1, 3]
    assert planton.actions("drift", "-f", manifest) == {}
    more = planton.write("more.yaml", cloud.of_cluster(count=2, tags=["more"]))
    planton.run("apply", "-f", more, "--refresh", "--yes")
    assert cloud.pools(planton)[other[0]] == 3
    assert sorted(cloud.pools(planton).values()) == [2, 3]
    assert planton.actions("plan", "-f", more, "--refresh") == {}
    assert planton.actions("drift", "-f", more) == {}


def test_what_is_recreated_is_the_default_pool_although_the_cloud_lists_another_first(applied: Applied) -> None:
    """The outputs are those of its nodes, and drift compares its number, and no other."""
    cloud = CLOUDS["civo"]
    planton, manifest = cloud.applied(applied), "cluster.yaml"
    id_ = cloud.delete_default(planton)
    planton.run("apply", "-f", manifest, "--yes")
    [cluster] = planton.sandbox.control.resources()["clusters"]
    nodes = {pool["id"]: pool["nodes"] for pool in cluster["pools"]}
    assert next(iter(nodes)) != id_
    assert planton.json("outputs", cloud.cluster)["nodeNames"] == nodes[id_]
    planton.sandbox.control.outside("scale", cluster="dev", pool=id_, count=4)
    [step] = [each for each in planton.json("drift", "-f", FILE, code=3)["resources"] if each["changes"]]
    assert step["changes"][0]["differences"] == [{"path": "pools.nodeCount", "old": 1, "new": 4, "forcesReplacement": False}]
    planton.run("apply", "-f", manifest, "--refresh", "--yes")
    assert cloud.pools(planton) == {"workers": 3, id_: 1}


@pytest.mark.parametrize("additional", [False, True])
def test_a_destroy_of_the_folder_ends_well(applied: Applied, cloud: Cloud, *, additional: bool) -> None:
    """Although both clouds keep the last pool of a cluster, which is then one of the folder's or of the cluster's own."""
    pools = [{"name": "extra", "size": cloud.pool()["spec"]["size"], "nodeCount": 1}] if additional else []
    planton = cloud.applied(applied, **({"additionalNodePools": pools} if additional else {}))
    cloud.delete_default(planton)
    planton.run("destroy", "-f", FILE, "--yes")
    assert planton.sandbox.control.resources(cloud.name)["clusters"] == []
    assert planton.json("get")["items"] == []


def test_the_last_pool_alone_is_kept_and_the_error_says_what_to_do(applied: Applied) -> None:
    """The cloud refuses; the cluster's manifest is the way out."""
    cloud = CLOUDS["civo"]
    planton = cloud.applied(applied)
    cloud.delete_default(planton)
    failed = planton.run("destroy", "civokubernetesnodepools/workers", "--env", "dev", "--yes", code=6)
    assert "destroy the cluster too, or apply the cluster first" in failed.stdout + failed.stderr
    assert cloud.pools(planton) == {"workers": 3}
