"""VPCs, firewalls, tags, droplets, paging and errors of the simulated DigitalOcean."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from support.digitalocean import BASE, CLUSTERS, Cloud

OPEN = {"protocol": "tcp", "ports": "443", "sources": {"addresses": ["0.0.0.0/0", "::/0"]}}
OUT = {"protocol": "icmp", "destinations": {"addresses": ["0.0.0.0/0"]}}


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with instant latency."""
    return Cloud()


def _vpc(cloud: Cloud, name: str = "v1", **more: Any) -> Any:
    return cloud.ok("POST", "/v2/vpcs", {"name": name, "region": "fra1", **more})["vpc"]


def test_each_region_has_a_default_vpc(cloud: Cloud) -> None:
    """It always exists and cannot be deleted. Its range overlaps with no other."""
    vpcs = cloud.ok("GET", "/v2/vpcs", per_page=100)["vpcs"]
    assert {item["region"] for item in vpcs if item["default"]} == {
        item["slug"] for item in cloud.ok("GET", "/v2/regions")["regions"]
    }
    ranges = [ipaddress.ip_network(item["ip_range"]) for item in vpcs]
    assert not any(first.overlaps(second) for first in ranges for second in ranges if first is not second)
    assert cloud.refused("DELETE", f"/v2/vpcs/{vpcs[0]['id']}") == (403, "forbidden")


def test_the_cloud_chooses_a_range(cloud: Cloud) -> None:
    """A VPC without a range gets a free one."""
    first, second = _vpc(cloud), _vpc(cloud, "v2")
    assert ipaddress.ip_network(first["ip_range"]).prefixlen == 20
    assert first["ip_range"] != second["ip_range"]
    assert (first["urn"], first["default"]) == (f"do:vpc:{first['id']}", False)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "has space"},
        {"name": "taken"},
        {"region": "fra9"},
        {"ip_range": "10.50.0.0/15"},
        {"ip_range": "10.50.0.0/29"},
        {"ip_range": "10.50.0.1/24"},
        {"ip_range": "8.8.8.0/24"},
        {"ip_range": "10.60.8.0/24"},
        {"description": "x" * 256},
    ],
)
def test_an_invalid_vpc_is_refused(cloud: Cloud, body: dict[str, Any]) -> None:
    """Names are unique. Ranges are private, of an allowed size, and do not overlap."""
    _vpc(cloud, "taken", ip_range="10.60.0.0/16")
    requested = {"name": "v2", "region": "fra1", **body}
    assert cloud.refused("POST", "/v2/vpcs", requested) == (422, "unprocessable_entity")


def test_an_update_of_a_vpc_keeps_absent_fields(cloud: Cloud) -> None:
    """PUT requires the name, PATCH does not. A default VPC can be replaced, but not unset."""
    vpc = _vpc(cloud, description="old")
    path = f"/v2/vpcs/{vpc['id']}"
    assert cloud.refused("PUT", path, {"description": "x"}) == (422, "unprocessable_entity")
    changed = cloud.ok("PUT", path, {"name": "v2", "default": False})["vpc"]
    assert (changed["name"], changed["description"], changed["default"]) == ("v2", "old", False)
    assert cloud.ok("PATCH", path, {"default": True})["vpc"]["default"] is True
    defaults = [item["name"] for item in cloud.ok("GET", "/v2/vpcs")["vpcs"] if item["default"] and item["region"] == "fra1"]
    assert defaults == ["v2"]
    assert cloud.ok("PATCH", path, {"default": False, "description": ""})["vpc"]["default"] is True
    assert cloud.ok("GET", path)["vpc"]["description"] == ""


def test_clusters_and_droplets_are_members_of_their_vpc(cloud: Cloud) -> None:
    """They block its deletion."""
    vpc = _vpc(cloud)["id"]
    key = cloud.cluster(vpc_uuid=vpc)
    members = cloud.ok("GET", f"/v2/vpcs/{vpc}/members")["members"]
    assert members[0]["urn"] == f"do:kubernetes:{key}"
    assert len(cloud.ok("GET", f"/v2/vpcs/{vpc}/members", resource_type="droplet")["members"]) == 2
    assert cloud.refused("DELETE", f"/v2/vpcs/{vpc}") == (403, "forbidden")


def test_rules_of_a_firewall_are_returned_as_sent(cloud: Cloud) -> None:
    """The exception is a port range that stands for all ports."""
    key = cloud.cluster()
    wide = {"protocol": "tcp", "ports": "all", "sources": {"tags": [f"k8s:{key}"], "droplet_ids": None}}
    body = {"name": "fw", "inbound_rules": [OPEN, wide], "outbound_rules": [OUT], "tags": [f"k8s:{key}"]}
    reply = cloud.ask("POST", "/v2/firewalls", body)
    assert reply.status == 202
    created = reply.body["firewall"]
    assert created["inbound_rules"] == [OPEN, {"protocol": "tcp", "ports": "0", "sources": {"tags": [f"k8s:{key}"]}}]
    assert created["outbound_rules"] == [{**OUT, "ports": "0"}]
    assert (created["tags"], created["droplet_ids"], created["status"]) == ([f"k8s:{key}"], [], "succeeded")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"inbound_rules": []}, 422),
        ({"name": "fw"}, 409),
        ({"name": "no spaces"}, 422),
        ({"inbound_rules": [{**OPEN, "protocol": "gre"}]}, 422),
        ({"inbound_rules": [{**OPEN, "ports": "0-70000"}]}, 422),
        ({"inbound_rules": [{**OPEN, "ports": "9-1"}]}, 422),
        ({"inbound_rules": [{**OPEN, "ports": ""}]}, 422),
        ({"inbound_rules": [{**OPEN, "sources": {}}]}, 422),
        ({"inbound_rules": [{**OPEN, "sources": {"addresses": ["here"]}}]}, 422),
        ({"inbound_rules": [{**OPEN, "sources": {"tags": ["none"]}}]}, 422),
        ({"tags": ["none"]}, 422),
        ({"droplet_ids": [1]}, 422),
    ],
)
def test_an_invalid_firewall_is_refused(cloud: Cloud, body: dict[str, Any], status: int) -> None:
    """A firewall needs a unique name, a valid rule, and existing tags and droplets."""
    cloud.ok("POST", "/v2/firewalls", {"name": "fw", "inbound_rules": [OPEN]})
    assert cloud.refused("POST", "/v2/firewalls", {"name": "fw2", "inbound_rules": [OPEN], **body})[0] == status


def test_updating_a_firewall_replaces_it(cloud: Cloud) -> None:
    """Fields that are absent from an update are removed."""
    cloud.ok("POST", "/v2/tags", {"name": "web"})
    body = {"name": "fw", "inbound_rules": [OPEN], "outbound_rules": [OUT], "tags": ["web"]}
    path = f"/v2/firewalls/{cloud.ok('POST', '/v2/firewalls', body)['firewall']['id']}"
    changed = cloud.ok("PUT", path, {"name": "fw", "outbound_rules": [OUT]})["firewall"]
    assert (changed["inbound_rules"], len(changed["outbound_rules"]), changed["tags"]) == ([], 1, [])
    assert cloud.ask("DELETE", path).status == 204
    assert cloud.refused("GET", path) == (404, "not_found")


def test_rules_tags_and_droplets_of_a_firewall_have_their_own_routes(cloud: Cloud) -> None:
    """The last rule cannot be removed."""
    cloud.cluster()
    droplet = cloud.ok("GET", "/v2/droplets")["droplets"][0]["id"]
    cloud.ok("POST", "/v2/tags", {"name": "web"})
    path = f"/v2/firewalls/{cloud.ok('POST', '/v2/firewalls', {'name': 'fw', 'inbound_rules': [OPEN]})['firewall']['id']}"
    for part, body in (
        ("rules", {"outbound_rules": [OUT]}),
        ("tags", {"tags": ["web"]}),
        ("droplets", {"droplet_ids": [droplet]}),
    ):
        for _ in range(2):
            assert cloud.ask("POST", f"{path}/{part}", body).status == 204
    shown = cloud.ok("GET", path)["firewall"]
    assert (len(shown["outbound_rules"]), shown["tags"], shown["droplet_ids"]) == (1, ["web"], [droplet])
    for part, body in (
        ("rules", {"inbound_rules": [OPEN]}),
        ("tags", {"tags": ["web"]}),
        ("droplets", {"droplet_ids": [droplet]}),
    ):
        assert cloud.ask("DELETE", f"{path}/{part}", body).status == 204
    shown = cloud.ok("GET", path)["firewall"]
    assert (shown["inbound_rules"], shown["tags"], shown["droplet_ids"]) == ([], [], [])
    assert cloud.refused("DELETE", f"{path}/rules", {"outbound_rules": [OUT]}) == (422, "unprocessable_entity")


def test_tags_keep_their_first_spelling(cloud: Cloud) -> None:
    """A tag is the same in any case. Only its own spelling reads it."""
    cloud.ok("POST", "/v2/tags", {"name": "Prod"})
    key = cloud.cluster(tags=["PROD"])
    assert cloud.show(key)["tags"][-1] == "Prod"
    assert cloud.ok("GET", "/v2/tags/Prod")["tag"]["name"] == "Prod"
    assert cloud.refused("GET", "/v2/tags/prod") == (404, "not_found")
    assert [item["name"] for item in cloud.ok("GET", "/v2/tags")["tags"]] == ["Prod", "k8s", f"k8s:{key}", "k8s:worker"]


def test_a_tag_counts_its_droplets(cloud: Cloud) -> None:
    """Deleting a tag removes it from all resources."""
    key = cloud.cluster(tags=["web"], node_pools=[{"name": "main", "size": "s-2vcpu-4gb", "count": 2, "tags": ["web"]}])
    resources = cloud.ok("GET", "/v2/tags/web")["tag"]["resources"]
    assert (resources["count"], resources["droplets"]["count"]) == (2, 2)
    newest = cloud.ok("GET", "/v2/droplets", tag_name="web")["droplets"][-1]["id"]
    assert resources["last_tagged_uri"] == f"{BASE}/v2/droplets/{newest}"
    assert cloud.ask("DELETE", "/v2/tags/web").status == 204
    shown = cloud.show(key)
    assert "web" not in shown["tags"] + shown["node_pools"][0]["tags"]


def test_droplets_are_the_nodes(cloud: Cloud) -> None:
    """Each node is a droplet, found by id, name and tag. Droplets with a GPU are listed on request only."""
    key = cloud.cluster(region="tor1")
    cloud.add_pool(key, "gpu", size="gpu-h100x1-80gb")
    droplets = cloud.ok("GET", "/v2/droplets")["droplets"]
    node = cloud.show(key)["node_pools"][0]["nodes"][0]
    assert str(droplets[0]["id"]) == node["droplet_id"]
    assert cloud.ok("GET", f"/v2/droplets/{node['droplet_id']}")["droplet"] == droplets[0]
    assert [item["name"] for item in cloud.ok("GET", "/v2/droplets", name=node["name"])["droplets"]] == [node["name"]]
    assert [item["size_slug"] for item in cloud.ok("GET", "/v2/droplets", type="gpus")["droplets"]] == ["gpu-h100x1-80gb"]
    assert cloud.ok("GET", "/v2/droplets", tag_name="other")["droplets"] == []
    assert cloud.refused("GET", "/v2/droplets/1") == (404, "not_found")


def test_pages_link_to_their_neighbours(cloud: Cloud) -> None:
    """The links keep the other parameters."""
    body = cloud.ok("GET", "/v2/vpcs", page=2, per_page=5)
    assert (len(body["vpcs"]), body["meta"]) == (5, {"total": 13})
    assert body["links"]["pages"] == {
        "first": f"{BASE}/v2/vpcs?page=1&per_page=5",
        "prev": f"{BASE}/v2/vpcs?page=1&per_page=5",
        "next": f"{BASE}/v2/vpcs?page=3&per_page=5",
        "last": f"{BASE}/v2/vpcs?page=3&per_page=5",
    }
    assert set(cloud.ok("GET", "/v2/vpcs", page=3, per_page=5)["links"]["pages"]) == {"first", "prev"}
    assert cloud.ok("GET", "/v2/vpcs")["links"] == {}
    for query in ({"page": 0}, {"per_page": 201}, {"page": "x"}):
        assert cloud.refused("GET", "/v2/vpcs", **query) == (422, "unprocessable_entity")


def test_errors_have_a_request_id(cloud: Cloud) -> None:
    """It is in the body, with an error id and a message, and in the headers."""
    reply = cloud.ask("GET", f"{CLUSTERS}/none")
    assert set(reply.body) == {"id", "message", "request_id"}
    assert reply.headers["x-request-id"] == reply.body["request_id"]
    assert cloud.refused("GET", "/v2/nowhere") == (404, "not_found")


def test_an_invalid_token_is_refused(cloud: Cloud) -> None:
    """A token that is not the sandbox's is refused. Accounts share nothing."""
    for token in ("", "dop_v1_real"):
        reply = cloud.ask("GET", "/v2/account", token=token)
        assert (reply.status, reply.body["id"], reply.body["message"]) == (401, "Unauthorized", "Unable to authenticate you")
    _vpc(cloud)
    other = cloud.ok("GET", "/v2/vpcs", token="sandbox-b")["vpcs"]
    assert "v1" not in [item["name"] for item in other]
    cloud.act("rotate-token", new="sandbox-new")
    assert cloud.refused("GET", "/v2/account") == (401, "Unauthorized")
    assert "v1" in [item["name"] for item in cloud.ok("GET", "/v2/vpcs", token="sandbox-new")["vpcs"]]


def test_requests_are_counted(cloud: Cloud) -> None:
    """The headers count down for an hour, then start again."""

    def remaining() -> int:
        return int(cloud.ask("GET", "/v2/account").headers["ratelimit-remaining"])

    assert [remaining(), remaining()] == [4999, 4998]
    cloud.now += 3600
    assert remaining() == 4999


def test_an_invalid_out_of_band_change_names_the_missing_object(cloud: Cloud) -> None:
    """The error names the missing action, cluster, pool or VPC."""
    cloud.cluster()
    for action, body, text in (
        ("explode", {}, "explode"),
        ("scale", {"cluster": "x", "count": 1}, "No cluster 'x'"),
        ("scale", {"cluster": "c1", "pool": "x", "count": 1}, "No pool 'x'"),
        ("delete-vpc", {"vpc": "x"}, "No VPC 'x'"),
        ("delete-pool", {"cluster": "c1", "pool": "main"}, "last node pool"),
    ):
        with pytest.raises(Exception, match=text):
            cloud.act(action, **body)


def test_out_of_band_changes_are_visible_in_the_api(cloud: Cloud) -> None:
    """Out-of-band changes scale and relabel pools, upgrade clusters, and delete resources."""
    key = cloud.cluster(vpc_uuid=_vpc(cloud)["id"])
    cloud.ok("POST", "/v2/firewalls", {"name": "fw", "inbound_rules": [OPEN]})
    cloud.add_pool(key)
    cloud.act("scale", cluster="c1", count=3)
    cloud.act("relabel", cluster="c1", pool="main", labels={"x": "y"})
    cloud.act("upgrade", cluster="c1", version="1.34")
    cloud.act("delete-pool", cluster="c1", pool="extra")
    shown = cloud.show(key)
    pool = shown["node_pools"][0]
    assert (pool["count"], pool["labels"], shown["version"], len(shown["node_pools"])) == (3, {"x": "y"}, "1.34.1-do.0", 1)
    cloud.act("delete-firewall", firewall="fw")
    cloud.act("delete-vpc", vpc="v1")
    assert cloud.show(key)["version"] == "1.34.1-do.0"
    cloud.pass_time(1)
    assert cloud.show(key)["status"]["state"] == "upgrading"
    cloud.act("delete-cluster", cluster="c1")
    remaining = cloud.act("resources")
    assert (remaining["clusters"], remaining["firewalls"], [item for item in remaining["vpcs"] if not item["default"]]) == (
        [],
        [],
        [],
    )
