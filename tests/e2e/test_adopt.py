"""``planton adopt``: what a manifest has created comes under the API, and back, and the cloud does not notice."""

from __future__ import annotations

import json
import pathlib

import pytest

from support import controllers, matrix_world, serving, waiting
from support import planton as support

CLUSTER = {"civo": "CivoKubernetesCluster", "digitalocean": "DigitalOceanKubernetesCluster"}
POOL = {"civo": "CivoKubernetesNodePool", "digitalocean": "DigitalOceanKubernetesNodePool"}


def _manifests(cloud: str, network: str) -> list[dict[str, object]]:
    own = "network" if cloud == "civo" else "vpc"
    cluster = {
        "clusterName": "production",
        "region": "lon1" if cloud == "civo" else "fra1",
        "kubernetesVersion": "1.30.5+k3s1" if cloud == "civo" else "1.32.0-do.0",
        own: {"value": network},
        "defaultNodePool": {"size": controllers.SIZES[cloud], "nodeCount": 1},
    }
    pool = {
        "nodePoolName": "workers",
        "cluster": {"valueFrom": {"name": "production"}},
        "size": controllers.SIZES[cloud],
        "nodeCount": 2,
    }
    return [support.manifest(CLUSTER[cloud], "production", **cluster), support.manifest(POOL[cloud], "workers", **pool)]


def _network(world: controllers.World) -> str:
    resources = world.control.resources(world.cloud)
    listed = resources.get("networks") or resources["vpcs"]
    return str(next(each["id"] for each in listed if each["region"].lower() == controllers.REGIONS[world.cloud].lower()))


@pytest.mark.parametrize("cloud", ["civo", "digitalocean"])
def test_a_stack_comes_under_the_api_and_back_without_a_change_in_the_cloud(tmp_path: pathlib.Path, cloud: str) -> None:
    """Controllers continue where the manifest was; afterwards the manifest does."""
    with controllers.world(tmp_path, cloud) as world:
        user, options = world.user, ("--server", world.server.url, "--user", serving.USER["X-User-Email"])
        user.write("all.yaml", *_manifests(cloud, _network(world)))
        user.run("apply", "-f", "all.yaml", "--yes")
        mark = world.control.mark()
        asked = user.json("adopt", f"{CLUSTER[cloud]}/production", *options, code=5)
        assert asked["error"]["reason"] == "CONSENT_REQUIRED"
        early = user.json("adopt", f"{POOL[cloud]}/workers", *options, "--yes", code=5)
        assert "adopt the cluster first" in early["error"]["hint"]
        cluster = user.json("adopt", f"{CLUSTER[cloud]}/production", *options, "--yes")["id"]
        pool = user.json("adopt", f"{POOL[cloud]}/workers", *options, "--yes")["id"]
        assert user.writes(mark, cloud=cloud) == []
        refused = user.json("apply", "-f", "all.yaml", "--yes", code=1)
        assert refused["resources"][0]["error"]["reason"] == "CLOUD_NAME_EXISTS"
        assert world.clusters()[0]["name"] == "production", refused
        assert len(world.clusters()) == 1

        with controllers.controller(world, "one"):
            world.until_ready(f"/clusters/{cluster}", generation=2)
            world.until_ready(f"/nodepools/{pool}", generation=2)
            world.update_pool(pool, nodeCount=3)
            world.until_ready(f"/nodepools/{pool}", generation=3)
            assert len(world.nodes("nodepool=workers")) == 3
            assert user.json("orphans", "--provider", cloud)["orphans"] == []

            has_pools = user.json("adopt", "--release", f"{CLUSTER[cloud]}/production", *options, "--yes", code=5)
            assert "node pools in the API: workers" in has_pools["error"]["message"]
            mark = world.control.mark()
            back = user.json("adopt", "--release", f"{POOL[cloud]}/workers", "--env", "dev", *options, "--yes")
            world.until_gone(f"/nodepools/{pool}")
            user.run("adopt", "--release", f"{CLUSTER[cloud]}/production", "--env", "dev", *options, "--yes")
            world.until_gone(f"/clusters/{cluster}")
            assert user.writes(mark, cloud=cloud) == []
        assert len(world.nodes("nodepool=workers")) == 3
        (user.folder / "pool.yaml").write_text(json.dumps(back["manifest"]), "utf-8")
        changed = [line.strip() for line in user.run("plan", "-f", "pool.yaml").stdout.splitlines() if "→" in line]
        assert {line.partition(":")[0] for line in changed} == {"labels.planton-environment", "labels.planton-resource-id"}


def test_stacks_of_gke_come_under_the_api(tmp_path: pathlib.Path) -> None:
    """A location becomes a region and a zone; the cluster of a pool has a project, a location and a name instead of an id."""
    with controllers.world(tmp_path, "gcp") as world:
        user, options = world.user, ("--server", world.server.url, "--user", serving.USER["X-User-Email"])
        pool = {**matrix_world.GCP.pool["spec"], "totalNodeCount": 2}
        del pool["nodeCount"]
        user.write("all.yaml", matrix_world.GCP.cluster, support.manifest("GcpGkeNodePool", "workers", **pool))
        user.run("apply", "-f", "all.yaml", "--yes")
        mark = world.control.mark()
        cluster = user.json("adopt", "GcpGkeCluster/dev", *options, "--yes")["id"]
        pool_id = user.json("adopt", "GcpGkeNodePool/workers", *options, "--yes")["id"]
        own = world.server.call("GET", f"/clusters/{cluster}")["spec"]["platform"]["gcp"]
        assert (own["region"], own["zone"]) == ("europe-west1", "europe-west1-b")
        with controllers.controller(world, "one"):
            world.until_ready(f"/clusters/{cluster}", generation=2)
            world.until(f"/nodepools/{pool_id}", lambda _: len(world.nodes("nodepool=workers")) == 2, "nodes with the label")
        writes = [path for method, path in user.writes(mark, cloud="gcp") if method in ("POST", "DELETE") and path != "/token"]
        assert writes == []
        assert [each["name"] for each in world.clusters()] == ["dev"]


def test_an_adoption_that_was_interrupted_continues(tmp_path: pathlib.Path) -> None:
    """The object was created and paused, and its stack may have moved; no controller creates a second cluster."""
    with controllers.world(tmp_path, "civo") as world, controllers.controller(world, "one"):
        user, options = world.user, ("--server", world.server.url, "--user", serving.USER["X-User-Email"])
        [cluster, _] = _manifests("civo", _network(world))
        user.write("cluster.yaml", cluster)
        user.run("apply", "-f", "cluster.yaml", "--yes")
        name = f"{CLUSTER['civo']}/production"
        [own] = world.clusters()

        running = user.start("adopt", name, *options, "--yes")
        waiting.until(lambda: list(world.api.list_clusters()), "the object")
        running.kill()
        running.communicate()
        [begun] = world.api.list_clusters()

        user.run("adopt", name, *options, "--yes")
        world.until_ready(f"/clusters/{begun.id}", generation=2)
        # The whole adoption once more finds nothing to do.
        again = user.json("adopt", name, *options, "--yes", code=5)
        assert again["error"]["reason"] == "API_CONFLICT"
        assert [each["id"] for each in world.clusters()] == [own["id"]]
