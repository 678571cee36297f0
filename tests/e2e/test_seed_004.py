"""The workflow of the NodePools guide on Google Cloud: its bodies become nodes."""

from __future__ import annotations

import pathlib
from typing import Any

from support import controllers, gcp, waiting

CLUSTER = {
    "name": "production",
    "spec": {
        "platform": {
            "type": "gcp",
            "gcp": {
                "projectID": gcp.PROJECT,
                "region": gcp.REGION,
                "network": "default",
                "subnet": "default",
                "podsRange": "pods",
                "servicesRange": "services",
                "masterCIDR": "172.16.0.0/28",
            },
        }
    },
}
#: What follows are the guide's bodies, to the letter; the id of the cluster is that of a real one.
POOL = {
    "name": "production-workers",
    "cluster_id": "550e8400-e29b-41d4-a716-446655440000",
    "spec": {
        "platform": {
            "type": "gcp",
            "gcp": {
                "machineType": "n1-standard-4",
                "diskSize": 100,
                "diskType": "pd-ssd",
                "zones": ["us-central1-a", "us-central1-b"],
            },
        },
        "autoscaling": {"enabled": True, "minNodes": 2, "maxNodes": 10},
        "nodeCount": 3,
    },
}
SCALED = {
    "name": "production-workers",
    "spec": {"platform": {"type": "gcp", "gcp": {"machineType": "n1-standard-4", "diskSize": 100}}, "nodeCount": 6},
}
#: Only the name is left out, so that the pool keeps its own.
LARGER = {"spec": {"platform": {"type": "gcp", "gcp": {"machineType": "n1-standard-8", "diskSize": 200}}, "nodeCount": 5}}
SELECTOR = "nodepool=production-workers"


def _in_cloud(world: controllers.World) -> dict[str, Any]:
    name = f"{gcp.PLACE}/clusters/production/nodePools/production-workers"
    return dict(gcp.Gke(world.user.sandbox).get(f"/v1/{name}"))


def _machines(world: controllers.World) -> tuple[str, int, str, list[str]]:
    pool = _in_cloud(world)
    config = pool["config"]
    return config["machineType"], config["diskSizeGb"], config["diskType"], sorted(pool["locations"])


def _nodes(report: dict[str, Any]) -> tuple[int, int]:
    return report["metadata"]["active_nodes"], report["metadata"]["desired_nodes"]


def _settle(world: controllers.World, path: str, generation: int) -> dict[str, Any]:
    """Waits until a generation is ready, and no change is in progress."""

    def is_settled(status: dict[str, Any]) -> bool:
        reports = status.get("controller_status") or [{"observed_generation": 0, "conditions": []}]
        states = {each["type"]: each["status"] for each in reports[0]["conditions"]}
        return status["status"]["phase"] == "Ready" and (reports[0]["observed_generation"], states.get("Ready")) == (
            generation,
            "True",
        )

    return world.until(path, is_settled, f"generation {generation} to be as desired")


def test_the_workflow_of_the_guide_ends_with_nodes(tmp_path: pathlib.Path) -> None:
    """Create, monitor, scale, autoscale, repair drift, change the machine type, delete: one command serves and controls."""
    with controllers.world(tmp_path, "gcp", "--with-controllers") as world:
        cluster = world.server.call("POST", "/clusters", CLUSTER)["id"]
        pool = world.server.call("POST", "/nodepools", POOL | {"cluster_id": cluster})
        assert (pool["generation"], pool["status"]["phase"]) == (1, "Pending")
        path = f"/nodepools/{pool['id']}"

        # GKE counts per zone: the initial three nodes become two in each of two zones.
        status = _settle(world, path, generation=1)
        assert status["nodepool_id"] == pool["id"]
        assert _nodes(world.report(path)) == (4, 4)
        assert (status["controller_status"][0]["metadata"]["platform"], len(world.nodes(SELECTOR))) == ("gcp", 4)
        assert _machines(world) == ("n1-standard-4", 100, "pd-ssd", gcp.ZONES)
        world.until_ready(f"/clusters/{cluster}")

        # The guide lists neither zones nor a type of disk: the pool keeps its zones, and has GKE's usual disks.
        world.server.call("PUT", path, SCALED)
        _settle(world, path, generation=2)
        assert _nodes(world.report(path)) == (6, 6)
        assert (len(world.nodes(SELECTOR)), _machines(world)) == (6, ("n1-standard-4", 100, "pd-standard", gcp.ZONES))

        world.server.call("PUT", path, {"spec": POOL["spec"]})
        _settle(world, path, generation=3)
        world.control.outside("load", cloud="gcp", cluster="production", pool="production-workers", nodes=9)
        waiting.until(lambda: len(world.nodes(SELECTOR)) == 9, "the autoscaler to follow the load")
        world.until(path, lambda _: _nodes(world.report(path)) == (9, 9), "the status to follow the autoscaler")

        world.control.outside("relabel", cloud="gcp", cluster="production", pool="production-workers", labels={})
        waiting.until(lambda: len(world.nodes(SELECTOR)) == 9, "the drift to be repaired")
        _settle(world, path, generation=3)

        # Five nodes cannot be spread over two zones. Nothing changes.
        world.server.call("PUT", path, LARGER)
        world.until(path, lambda _: world.conditions(path)["Degraded"][1] == "InvalidSpec", "a refusal")
        assert "possible are 4 and 6" in world.conditions(path)["Degraded"][2]
        assert _machines(world)[0] == "n1-standard-4"
        # GKE changes machines in place: the pool is not replaced.
        groups = _in_cloud(world)["instanceGroupUrls"]
        world.server.call("PUT", path, {"spec": LARGER["spec"] | {"nodeCount": 6}})
        status = _settle(world, path, generation=5)
        assert "ReplacementRequired" not in {each["type"] for each in status["status"]["conditions"]}
        assert (_in_cloud(world)["instanceGroupUrls"], _machines(world)[:2]) == (groups, ("n1-standard-8", 200))
        assert len(world.nodes(SELECTOR)) == 6

        world.server.call("DELETE", path)
        world.until_gone(path)
        assert world.nodes(SELECTOR) == []
        world.server.call("DELETE", f"/clusters/{cluster}")
        world.until_gone(f"/clusters/{cluster}")
        assert world.clusters() == []


def test_an_existing_cluster_is_adopted_by_project_location_and_name(tmp_path: pathlib.Path) -> None:
    """Its spec does not say enough to create one: nothing is created, and its pools get nodes there. A missing one is refused."""
    identity = {"platform": {"type": "gcp", "gcp": {"projectID": gcp.PROJECT, "region": gcp.REGION}}}
    with controllers.world(tmp_path, "gcp", "--with-controllers") as world:
        gke = gcp.Gke(world.user.sandbox)
        private = {"enable_private_nodes": True, "master_ipv4_cidr_block": "172.16.0.0/28"}
        gke.cluster("production", private_cluster_config=private)
        before = gke.get(f"/v1/{gcp.PLACE}/clusters/production")
        mark = world.control.mark()
        cluster = world.server.call("POST", "/clusters", {"name": "production", "spec": identity})["id"]
        missing = world.server.call("POST", "/clusters", {"name": "staging", "spec": identity})["id"]
        _settle(world, f"/clusters/{cluster}", generation=1)
        after = gke.get(f"/v1/{gcp.PLACE}/clusters/production")
        kept = ("id", "networkConfig", "releaseChannel", "networkPolicy", "ipAllocationPolicy")
        assert {key: after.get(key) for key in kept} == {key: before.get(key) for key in kept}
        assert [pool["name"] for pool in after["nodePools"]] == [pool["name"] for pool in before["nodePools"]]

        path = f"/clusters/{missing}"
        world.until(path, lambda _: "Degraded" in world.conditions(path), "a refusal")
        status, reason, message = world.conditions(path)["Degraded"]
        assert (status, reason) == ("True", "InvalidSpec")
        assert "no cluster 'staging' there to adopt" in message
        assert "spec.platform.gcp.network" in message
        created = [each["path"] for each in world.control.requests(mark, "gcp") if each["path"].endswith("/clusters")]
        assert [each for each in created if each.startswith("/v1beta1")] == []

        pool = world.server.call("POST", "/nodepools", POOL | {"cluster_id": cluster})["id"]
        _settle(world, f"/nodepools/{pool}", generation=1)
        assert len(world.nodes(SELECTOR)) == 4


def test_what_gke_lacks_is_in_the_status_in_its_own_words(tmp_path: pathlib.Path) -> None:
    """A zone without machines fails the creation; the autoscaler of a running pool meets a quota, and a full subnetwork. All pass."""
    with controllers.world(tmp_path, "gcp", "--with-controllers") as world:
        cluster = world.server.call("POST", "/clusters", CLUSTER)["id"]
        world.until_ready(f"/clusters/{cluster}")
        world.control.outside("stockout", cloud="gcp", zone="us-central1-b")
        pool = world.server.call("POST", "/nodepools", POOL | {"cluster_id": cluster})["id"]
        path = f"/nodepools/{pool}"

        def lacks(code: str, words: str) -> None:
            def shown(_: dict[str, Any]) -> bool:
                error = world.report(path).get("last_error") or {}
                return error.get("error_code") == code and words in error["message"]

            world.until(path, shown, code)

        lacks("CAPACITY_EXHAUSTED", "does not have enough resources available")
        world.control.outside("in-stock", cloud="gcp", zone="us-central1-b")
        _settle(world, path, generation=1)
        assert "last_error" not in world.report(path)

        world.control.outside("quota", cloud="gcp", region=gcp.REGION, CPUS=20)
        world.control.outside("load", cloud="gcp", cluster="production", pool="production-workers", nodes=9)
        lacks("QUOTA_EXCEEDED", "GCE_QUOTA_EXCEEDED")
        assert world.conditions(path)["Degraded"][:2] == ("True", "QuotaExceeded")
        world.control.outside("quota", cloud="gcp", region=gcp.REGION, CPUS=200)
        world.until(path, lambda _: _nodes(world.report(path)) == (9, 9), "the autoscaler to follow the load")

        world.control.outside("addresses", cloud="gcp", cluster="production", free=0)
        world.control.outside("load", cloud="gcp", cluster="production", pool="production-workers", nodes=10)
        lacks("QUOTA_EXCEEDED", "IP_SPACE_EXHAUSTED")
        assert world.conditions(path)["Degraded"][:2] == ("True", "QuotaExceeded")
        world.control.outside("addresses", cloud="gcp", cluster="production")
        world.until(path, lambda _: _nodes(world.report(path)) == (10, 10), "the autoscaler to follow the load")
        _settle(world, path, generation=1)
