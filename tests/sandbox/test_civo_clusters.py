"""Clusters and pools of the simulated Civo, without sockets and with time as an argument."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import cloud as civo

TOKEN = "sandbox-token"
CLUSTERS = "/v2/kubernetes/clusters"
SMALL = "g4s.kube.small"


class Cloud:
    """A cloud at a time that only tests move."""

    def __init__(self, latency: str = "instant") -> None:
        """Start at second 1000."""
        ports = itertools.count(20000)
        self.now = 1000.0
        self.civo = civo.Civo(pace=clock.Pace(latency), reserve_port=lambda: next(ports))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **options: Any) -> wire.Reply:
        """Send a request now."""
        self.civo.settle(self.now)
        return self.civo.handle(
            wire.Request(
                method=method,
                path=path,
                query={"region": options.get("region", "LON1")},
                body=body or {},
                token=options.get("token", TOKEN),
                now=self.now,
            )
        )

    def ok(self, method: str, path: str, body: dict[str, Any] | None = None, **options: Any) -> Any:
        """Send a request that must succeed; return the body."""
        reply = self.ask(method, path, body, **options)
        assert reply.status == 200, reply
        json.dumps(reply.body)
        return reply.body

    def cluster(self, name: str = "c1", **more: Any) -> str:
        """Make a cluster with a pool ``main`` of two; return its id."""
        body = {"name": name, "pools": [{"id": "main", "count": 2, "size": SMALL, "taints": None}], **more}
        return str(self.ok("POST", CLUSTERS, body)["id"])

    def built(self, name: str = "c1", **more: Any) -> str:
        """Make a cluster and see it through to ACTIVE."""
        key = self.cluster(name, **more)
        self.show(key)
        assert self.show(key)["status"] == "ACTIVE"
        return key

    def show(self, key: str) -> Any:
        """Read a cluster."""
        return self.ok("GET", f"{CLUSTERS}/{key}")

    def nodes(self, key: str, pool: str = "main") -> list[str]:
        """Read the names of a pool's nodes, when nothing is under way."""
        self.show(key)
        return next(item["instance_names"] for item in self.show(key)["pools"] if item["id"] == pool)


@pytest.fixture
def cloud() -> Cloud:
    """An instant cloud."""
    return Cloud()


def test_a_reader_sees_building_once(cloud: Cloud) -> None:
    """A new cluster is BUILDING for its first reader and ACTIVE for the second."""
    key = cloud.cluster()
    first = cloud.show(key)
    assert first["status"] == "BUILDING"
    assert "kubeconfig" not in first
    second = cloud.show(key)
    assert (second["status"], second["ready"]) == ("ACTIVE", True)
    assert second["kubeconfig"].startswith("apiVersion: v1")
    assert second["api_endpoint"] == "https://127.0.0.1:20000"


def test_an_unread_cluster_stays_building(cloud: Cloud) -> None:
    """Instant latency waits for a reader however long that takes."""
    key = cloud.cluster()
    cloud.now += 10_000
    assert cloud.show(key)["status"] == "BUILDING"


def test_scaling_keeps_the_oldest_nodes(cloud: Cloud) -> None:
    """3, 5 and 2 nodes share their first two; the newest go."""
    key = cloud.built()
    counts = {}
    for count in (3, 5, 2):
        cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": count, "taints": None})
        assert cloud.show(key)["status"] == "SCALING"
        counts[count] = cloud.nodes(key)
    assert [len(names) for names in counts.values()] == [3, 5, 2]
    assert counts[5][:3] == counts[3]
    assert counts[2] == counts[3][:2]


def test_required_count_leads_the_count_of_machines(cloud: Cloud) -> None:
    """While nodes go, required_pools already has the new count and pools the old one."""
    key = cloud.built()
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": 1})
    body = cloud.show(key)
    assert (body["required_pools"][0]["count"], body["pools"][0]["count"]) == (1, 2)
    assert {item["status"] for item in body["pools"][0]["instances"]} == {"ACTIVE", "DELETING"}
    assert cloud.ok("GET", f"{CLUSTERS}/{key}/pools/main")["count"] == 1


def test_labels_of_first_pools_are_ignored(cloud: Cloud) -> None:
    """Labels and taints that come with a new cluster have no effect; a later PUT has."""
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    pool = {"id": "main", "count": 1, "size": SMALL, "labels": {"x": "y"}, "taints": [taint]}
    key = cloud.cluster(pools=[pool])
    shown = cloud.show(key)["pools"][0]
    assert "labels" not in shown
    assert "taints" not in shown
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"labels": {"x": "y"}, "taints": [taint]})
    shown = cloud.show(key)["pools"][0]
    assert (shown["labels"], shown["taints"]) == ({"x": "y"}, [taint])


def test_null_taints_and_absent_labels_stay(cloud: Cloud) -> None:
    """A PUT changes only what it carries."""
    key = cloud.built()
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    pool = {"id": "gpu", "count": 1, "size": SMALL, "labels": {"x": "y"}, "taints": [taint]}
    cloud.ok("POST", f"{CLUSTERS}/{key}/pools", pool)
    shown = cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/gpu", {"taints": None})
    assert (shown["labels"], shown["taints"]) == ({"x": "y"}, [taint])


def test_taint_removal_does_not_reach_nodes(cloud: Cloud) -> None:
    """A taint taken from a pool stays on its nodes, a label does not, and new nodes have neither."""
    key = cloud.built()
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"labels": {"x": "y"}, "taints": [taint]})
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"labels": {}, "taints": [], "count": 3})
    nodes = cloud.civo.kubernetes(client="127.0.0.1", now=cloud.now)[0].nodes
    assert [[item.key for item in node.taints] for node in nodes] == [["a"], ["a"], []]
    assert all("x" not in node.labels for node in nodes)


def test_default_pool_stays_first(cloud: Cloud) -> None:
    """Later pools come after the default one, whatever a PUT's order is."""
    key = cloud.built()
    cloud.ok("POST", f"{CLUSTERS}/{key}/pools", {"id": "a", "count": 1, "size": SMALL})
    pools = [{"id": "a", "count": 2, "size": SMALL}, {"id": "main", "count": 3, "size": SMALL}]
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"pools": pools})
    assert [(item["id"], item["count"]) for item in cloud.show(key)["required_pools"]] == [("main", 3), ("a", 2)]


def test_upgrade_goes_node_by_node(cloud: Cloud) -> None:
    """Each reader of an upgrade sees one node more on the new version."""
    key = cloud.built()
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.31.2-k3s1"})
    seen = []
    for _ in range(3):
        status = cloud.show(key)["status"]
        versions = [node.version for node in cloud.civo.kubernetes(client="127.0.0.1", now=cloud.now)[0].nodes]
        seen.append((status, versions.count("v1.31.2+k3s1")))
    assert seen == [("UPGRADING", 0), ("UPGRADING", 1), ("ACTIVE", 2)]
    assert cloud.show(key)["kubernetes_version"] == "1.31.2-k3s1"


def test_upgrade_ends_without_readers(cloud: Cloud) -> None:
    """Nobody need watch an upgrade for it to end."""
    key = cloud.built()
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.31.2-k3s1"})
    for _ in range(2):
        cloud.now += 1
        cloud.civo.settle(cloud.now)
    assert cloud.show(key)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "c1"}, 409, "database_kubernetes_cluster_duplicate"),
        ({"name": "bad name"}, 400, "kubernetes_cluster_invalid_name"),
        ({"kubernetes_version": "1.2.3-k3s1"}, 400, "database_kubernetes_cluster_invalid_version"),
        ({"kubernetes_version": "talos-v1.5.0"}, 400, "database_kubernetes_cluster_invalid_version"),
        ({"network_id": "none"}, 404, "database_network_not_found"),
        ({"instance_firewall": "none"}, 404, "database_firewall_not_found"),
        ({"pools": []}, 400, "database_kubernetes_cluster_no_pools"),
        ({"pools": [{"count": 1, "size": "huge"}]}, 400, "database_size_not_found"),
        ({"pools": [{"count": 0, "size": SMALL}]}, 400, "database_kubernetes_cluster_invalid"),
        ({"pools": [{"id": "a", "count": 1, "size": SMALL}] * 2}, 409, "database_cluster_pool_duplicate"),
        ({"applications": "nothing-like-it"}, 404, "database_kubernetes_application_not_found"),
        ({"cni_plugin": "weave"}, 400, "database_kubernetes_cluster_invalid"),
        ({"region": "XXX1"}, 400, "region_unavailable"),
    ],
)
def test_refusals_of_a_new_cluster(cloud: Cloud, body: dict[str, Any], status: int, code: str) -> None:
    """A cluster that cannot be is refused with the cloud's code."""
    cloud.cluster()
    good = {"name": "c2", "pools": [{"id": "main", "count": 1, "size": SMALL}]}
    request = wire.Request(method="POST", path=CLUSTERS, query={}, body={**good, **body}, token=TOKEN, now=cloud.now)
    reply = cloud.civo.handle(request)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert isinstance(reply.body["reason"], str)


def test_downgrade_is_refused(cloud: Cloud) -> None:
    """An older version is no upgrade."""
    key = cloud.built()
    reply = cloud.ask("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.29.0-k3s1"})
    assert (reply.status, reply.body["code"]) == (400, "database_kubernetes_cluster_invalid_version")


def test_pool_names_are_unique_in_a_cluster(cloud: Cloud) -> None:
    """A second pool of the same name is a conflict."""
    key = cloud.built()
    reply = cloud.ask("POST", f"{CLUSTERS}/{key}/pools", {"id": "main", "count": 1, "size": SMALL})
    assert reply.status == 409


def test_pool_size_cannot_change(cloud: Cloud) -> None:
    """A PUT with another size is refused and changes nothing."""
    key = cloud.built()
    reply = cloud.ask("PUT", f"{CLUSTERS}/{key}/pools/main", {"size": "g4s.kube.large", "count": 5})
    assert reply.status == 400
    assert len(cloud.nodes(key)) == 2


def test_deleting_a_pool(cloud: Cloud) -> None:
    """A deleted pool is seen once more, then gone; the last one stays."""
    key = cloud.built()
    cloud.ok("POST", f"{CLUSTERS}/{key}/pools", {"id": "a", "count": 1, "size": SMALL})
    cloud.ok("DELETE", f"{CLUSTERS}/{key}/pools/a")
    assert cloud.ask("GET", f"{CLUSTERS}/{key}/pools/a").status == 200
    gone = cloud.ask("GET", f"{CLUSTERS}/{key}/pools/a")
    assert (gone.status, gone.body["code"]) == (404, "database_cluster_pool_not_found")
    assert cloud.ask("DELETE", f"{CLUSTERS}/{key}/pools/main").status == 400


def test_deleting_a_cluster(cloud: Cloud) -> None:
    """A deleted cluster is seen DELETING, then gone; its API is closed at once."""
    key = cloud.built()
    cloud.ok("DELETE", f"{CLUSTERS}/{key}")
    assert not cloud.civo.kubernetes(client="127.0.0.1", now=cloud.now)[0].open
    assert cloud.show(key)["status"] == "DELETING"
    gone = cloud.ask("GET", f"{CLUSTERS}/{key}")
    assert (gone.status, gone.body["code"]) == (404, "database_kubernetes_cluster_not_found")


def test_a_deletion_ends_without_readers(cloud: Cloud) -> None:
    """A firewall in use by a cluster that is being deleted is refused once, and free soon."""
    firewall = cloud.ok("POST", "/v2/firewalls", {"name": "f"})["id"]
    key = cloud.built(instance_firewall=firewall)
    cloud.ok("DELETE", f"{CLUSTERS}/{key}")
    assert [cloud.ask("DELETE", f"/v2/firewalls/{firewall}").status for _ in range(2)] == [409, 200]
    key = cloud.built()
    cloud.ok("DELETE", f"{CLUSTERS}/{key}")
    cloud.now += 3
    assert cloud.ask("GET", f"{CLUSTERS}/{key}").status == 404


def test_applications(cloud: Cloud) -> None:
    """Defaults are installed unless refused; a failing one fails alone."""
    key = cloud.built(applications="Redis,sandbox-broken,-metrics-server,PostgreSQL:5GB")
    installed = {item["name"]: item["installed"] for item in cloud.show(key)["installed_applications"]}
    assert installed == {"Redis": True, "sandbox-broken": False, "PostgreSQL": True}
    assert cloud.show(key)["status"] == "ACTIVE"


def test_quota(cloud: Cloud) -> None:
    """What would exceed a limit is refused; usage counts what there is."""
    key = cloud.built()
    cloud.civo.outside("quota", body={"instance_count": 3}, now=cloud.now)
    reply = cloud.ask("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": 4})
    assert (reply.status, reply.body["code"]) == (403, "quota_limit_reached")
    cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": 3})
    quota = cloud.ok("GET", "/v2/quota")
    assert (quota["instance_count_limit"], quota["instance_count_usage"]) == (3, 3)


def test_stuck_in_building(cloud: Cloud) -> None:
    """A stuck cluster stays in BUILDING until it is let go, and can be deleted."""
    cloud.civo.outside("stuck", body={}, now=cloud.now)
    key = cloud.cluster()
    assert [cloud.show(key)["status"] for _ in range(3)] == ["BUILDING"] * 3
    cloud.built("c2")
    cloud.civo.outside("unstuck", body={}, now=cloud.now)
    assert cloud.show(key)["status"] == "ACTIVE"


def test_regions_and_accounts_are_apart(cloud: Cloud) -> None:
    """A cluster is found only by its account and in its region."""
    key = cloud.built()
    assert cloud.ask("GET", f"{CLUSTERS}/{key}", region="NYC1").status == 404
    assert cloud.ask("GET", f"{CLUSTERS}/{key}", token="sandbox-other").status == 404
    assert cloud.ok("GET", CLUSTERS, region="NYC1")["items"] == []
    assert cloud.ok("POST", CLUSTERS, {"name": "c1", "pools": [{"count": 1, "size": SMALL}]}, token="sandbox-other")


def test_documented_durations() -> None:
    """In realistic latency a cluster takes 100 seconds, a node 60, its removal 30."""
    cloud = Cloud("realistic")
    key = cloud.cluster()
    cloud.now += 99
    assert cloud.show(key)["status"] == "BUILDING"
    cloud.now += 1
    assert cloud.show(key)["status"] == "ACTIVE"
    for count, seconds in ((3, 60), (2, 30)):
        cloud.ok("PUT", f"{CLUSTERS}/{key}/pools/main", {"count": count})
        cloud.now += seconds - 1
        assert cloud.show(key)["status"] == "SCALING"
        cloud.now += 1
        assert cloud.show(key)["status"] == "ACTIVE"


def test_realistic_upgrade_is_spread_over_the_nodes() -> None:
    """A minor upgrade of two nodes takes 750 seconds, half of it for each."""
    cloud = Cloud("realistic")
    key = cloud.cluster()
    cloud.now += 100
    cloud.show(key)
    cloud.ok("PUT", f"{CLUSTERS}/{key}", {"kubernetes_version": "1.31.2-k3s1"})
    cloud.now += 375
    cloud.show(key)
    versions = [node.version for node in cloud.civo.kubernetes(client="127.0.0.1", now=cloud.now)[0].nodes]
    assert versions == ["v1.31.2+k3s1", "v1.30.5+k3s1"]
    cloud.now += 375
    assert cloud.show(key)["status"] == "ACTIVE"


def test_state_survives_saving(cloud: Cloud) -> None:
    """A cloud opened from what another one saved is the same."""
    cloud.built()
    saved = json.loads(json.dumps(cloud.civo.save()))
    again = civo.Civo(pace=clock.Pace(), reserve_port=lambda: 1, saved=saved)
    assert again.save() == saved


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_strangers_must_authenticate(cloud: Cloud, token: str) -> None:
    """Without a token of the sandbox the answer is 401 in the cloud's form."""
    reply = cloud.ask("GET", "/v2/networks", token=token)
    assert (reply.status, reply.body["result"]) == (401, "requires_authentication")
