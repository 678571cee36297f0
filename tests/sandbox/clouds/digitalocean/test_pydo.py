"""The simulated DigitalOcean with `pydo`, the official Python client."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pydo
import pytest
from azure.core import exceptions
from azure.core.pipeline import policies

from planton_sandbox.clouds.digitalocean import cloud
from support.digitalocean import SMALL, VERSION
from support.sandbox import Sandbox

RULE = {"protocol": "tcp", "ports": "443", "sources": {"addresses": ["0.0.0.0/0"]}}
OUT = {"protocol": "udp", "ports": "53", "destinations": {"addresses": ["0.0.0.0/0"]}}
POOL = {"name": "main", "size": SMALL, "count": 2, "tags": ["web"]}


def _client(sandbox: Sandbox, token: str | None = None) -> Any:
    token = token or sandbox.info.tokens["digitalocean"]
    # The client's own policy sends a token over TLS only; the sandbox has no TLS.
    policy = policies.HeadersPolicy({"Authorization": f"Bearer {token}"})
    return pydo.Client(token=token, endpoint=sandbox.digitalocean, authentication_policy=policy, retry_total=0)


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    """The official client."""
    return _client(sandbox)


@contextlib.contextmanager
def _refused(status: int) -> Iterator[None]:
    with pytest.raises(exceptions.HttpResponseError) as caught:
        yield
    assert caught.value.status_code == status


def _cluster(client: Any, **more: Any) -> Any:
    body = {"name": "c1", "region": "fra1", "version": VERSION, "node_pools": [POOL], **more}
    return client.kubernetes.create_cluster(body)["kubernetes_cluster"]


def _kubeconfig(client: Any, key: str) -> Any:
    """Returns the response with a kubeconfig. The client cannot decode the documented content type."""
    responses: list[Any] = []
    with pytest.raises(exceptions.DecodeError):
        client.kubernetes.get_kubeconfig(key, raw_response_hook=responses.append)
    return responses[0].http_response


def test_the_offers_agree_with_each_other(client: Any) -> None:
    """Account, regions, sizes and options can be read, and agree with each other."""
    assert client.account.get()["account"]["status"] == "active"
    options = client.kubernetes.list_options()["options"]
    sizes = {item["slug"]: item for item in client.sizes.list(per_page=200)["sizes"]}
    regions = client.regions.list(per_page=200)["regions"]
    assert {item["slug"] for item in options["regions"]} == {item["slug"] for item in regions}
    assert {item["slug"] for item in options["sizes"]} < set(sizes)
    assert VERSION in [item["slug"] for item in options["versions"]]
    assert all(f"{item['kubernetes_version']}-do." in item["slug"] for item in options["versions"])


def test_all_resources_are_created_updated_and_deleted(client: Any) -> None:
    """A VPC, a cluster, pools and a firewall are created, updated and deleted."""
    vpc = client.vpcs.create({"name": "v1", "region": "fra1", "ip_range": "10.10.0.0/20"})["vpc"]
    key = _cluster(client, vpc_uuid=vpc["id"], tags=["prod"])["id"]
    shown = client.kubernetes.get_cluster(key)["kubernetes_cluster"]
    assert shown["status"]["state"] == "running"
    assert shown["vpc_uuid"] == vpc["id"]
    pool = client.kubernetes.add_node_pool(key, {"name": "extra", "size": SMALL, "count": 1})["node_pool"]
    changed = client.kubernetes.update_node_pool(key, pool["id"], {"name": "extra", "count": 3})["node_pool"]
    assert changed["count"] == 3
    assert len(client.kubernetes.list_node_pools(key)["node_pools"]) == 2
    node = client.kubernetes.get_node_pool(key, pool["id"])["node_pool"]["nodes"][0]["id"]
    client.kubernetes.delete_node(key, pool["id"], node, skip_drain=1, replace=1)
    client.kubernetes.recycle_node_pool(key, pool["id"], {"nodes": []})
    assert node not in [item["id"] for item in client.kubernetes.get_node_pool(key, pool["id"])["node_pool"]["nodes"]]
    client.kubernetes.delete_node_pool(key, pool["id"])
    update = {"name": "c2", "surge_upgrade": True, "maintenance_policy": {"day": "monday", "start_time": "01:00"}}
    assert client.kubernetes.update_cluster(key, update)["kubernetes_cluster"]["name"] == "c2"
    firewall = client.firewalls.create({"name": "fw", "inbound_rules": [RULE], "tags": [f"k8s:{key}"]})["firewall"]
    assert client.firewalls.get(firewall["id"])["firewall"] == firewall
    client.firewalls.delete(firewall["id"])
    assert "web" in [item["name"] for item in client.tags.list()["tags"]]
    with _refused(403):
        client.vpcs.delete(vpc["id"])
    client.kubernetes.delete_cluster(key)
    assert client.kubernetes.get_cluster(key)["id"] == "not_found"
    with _refused(403):
        client.vpcs.delete(vpc["id"])
    client.vpcs.delete(vpc["id"])
    assert client.vpcs.get(vpc["id"])["id"] == "not_found"


def test_credentials_are_readable_and_upgrades_start(client: Any) -> None:
    """The user and available upgrades are readable too."""
    key = _cluster(client)["id"]
    credentials = client.kubernetes.get_credentials(key, expiry_seconds=600)
    assert credentials["server"].startswith("https://127.0.0.1:")
    assert client.kubernetes.get_cluster_user(key)["kubernetes_cluster_user"]["groups"] == ["k8saas:authenticated"]
    target = client.kubernetes.get_available_upgrades(key)["available_upgrade_versions"][0]["slug"]
    client.kubernetes.upgrade_cluster(key, {"version": target})
    assert client.kubernetes.get_cluster(key)["kubernetes_cluster"]["version"] == target
    client.kubernetes.add_registry({"cluster_uuids": [key]})
    assert client.kubernetes.get_cluster(key)["kubernetes_cluster"]["registry_enabled"] is True
    client.kubernetes.remove_registry({"cluster_uuids": [key]})
    resources = client.kubernetes.list_associated_resources(key)
    assert resources == {"load_balancers": [], "volumes": [], "volume_snapshots": []}
    client.kubernetes.destroy_associated_resources_dangerous(key)
    other = _cluster(client)["id"]
    client.kubernetes.destroy_associated_resources_selective(other, {"volumes": []})
    assert client.kubernetes.list_clusters()["kubernetes_clusters"] == []


def test_resources_of_workloads_are_deleted_only_if_named(sandbox: Sandbox, client: Any) -> None:
    """The request has to name them. A volume cannot be deleted before its cluster."""
    key, other = _cluster(client)["id"], _cluster(client)["id"]
    for action in ("volume", "snapshot", "load-balancer"):
        sandbox.control.outside(action, cloud="digitalocean", cluster=key, name=action)
    others = sandbox.control.outside("volume", cloud="digitalocean", cluster=other, name="others")["id"]
    listed = client.kubernetes.list_associated_resources(key)
    names = [item["name"] for sort in ("load_balancers", "volumes", "volume_snapshots") for item in listed[sort]]
    assert names == ["load-balancer", "volume", "snapshot"]
    with _refused(422):
        client.kubernetes.destroy_associated_resources_selective(key, {"volumes": [others]})
    own = listed["volumes"][0]["id"]
    with pytest.raises(exceptions.ResourceExistsError):
        client.volumes.delete(own)
    client.kubernetes.destroy_associated_resources_selective(key, {"volumes": [own]})
    assert [item["id"] for item in client.volumes.list()["volumes"]] == [others]
    assert len(client.load_balancers.list()["load_balancers"]) == len(client.snapshots.list()["snapshots"]) == 1
    client.kubernetes.delete_cluster(other)
    assert len(client.volumes.list()["volumes"]) == 1
    sandbox.control.advance(600)
    client.volumes.delete(others)
    assert client.volumes.delete(others)["id"] == "not_found"
    last = _cluster(client)["id"]
    sandbox.control.outside("volume", cloud="digitalocean", cluster=last, name="volume")
    client.kubernetes.destroy_associated_resources_dangerous(last)
    assert client.volumes.list()["volumes"] == []


def test_a_kubeconfig_is_yaml(client: Any) -> None:
    """The kubeconfig is YAML, as documented."""
    key = _cluster(client)["id"]
    client.kubernetes.get_cluster(key)
    response = _kubeconfig(client, key)
    assert response.headers["Content-Type"] == "application/yaml"
    assert "current-context: do-fra1-c1" in response.text()


def test_following_the_page_links_lists_every_vpc_once(client: Any) -> None:
    """The number equals the reported total."""
    names: list[str] = []
    page = 1
    while page:
        response = client.vpcs.list(page=page, per_page=5)
        names += [item["name"] for item in response["vpcs"]]
        page = page + 1 if "next" in response["links"].get("pages", {}) else 0
    assert len(names) == len(set(names)) == response["meta"]["total"] == 13


def test_the_client_raises_its_own_errors(sandbox: Sandbox, client: Any) -> None:
    """This holds for errors of the cloud and for injected faults."""
    with pytest.raises(exceptions.ClientAuthenticationError):
        _client(sandbox, "dop_v1_real").account.get()
    client.firewalls.create({"name": "fw", "inbound_rules": [RULE]})
    with pytest.raises(exceptions.ResourceExistsError):
        client.firewalls.create({"name": "fw", "inbound_rules": [RULE]})
    with _refused(422):
        _cluster(client, region="fra9")
    sandbox.control.fault(cloud="digitalocean", action="status", status=429, headers={"Retry-After": "1"})
    with pytest.raises(exceptions.HttpResponseError) as caught:
        client.account.get()
    assert caught.value.response is not None
    assert caught.value.response.headers["Retry-After"] == "1"
    assert caught.value.response.json()["id"] == "too_many_requests"


def test_every_route_can_be_called(sandbox: Sandbox, client: Any) -> None:
    """The official client can call every route of the sandbox."""
    vpc = client.vpcs.create({"name": "v1", "region": "fra1"})["vpc"]["id"]
    key = _cluster(client, vpc_uuid=vpc)["id"]
    pool = client.kubernetes.add_node_pool(key, {"name": "extra", "size": SMALL, "count": 1})["node_pool"]
    droplet = client.droplets.list(tag_name="web")["droplets"][0]["id"]
    _drive_other_routes(client, vpc, droplet)
    _drive_kubernetes(client, key, pool)
    for _ in range(2):
        _drive_deletion(sandbox, client, key)
        key = _cluster(client, version="latest")["id"]
    log = [entry for entry in sandbox.control.requests(cloud="digitalocean") if "pydo" in entry["agent"]]
    assert [entry for entry in log if entry["status"] >= 400] == []
    missing = [
        f"{route.method} {route.pattern.pattern}"
        for route in cloud.ROUTES
        if not any(entry["method"] == route.method and route.pattern.match(entry["path"]) for entry in log)
    ]
    assert missing == []


def _drive_kubernetes(client: Any, key: str, pool: Any) -> None:
    kubernetes = client.kubernetes
    kubernetes.list_options()
    kubernetes.list_clusters()
    kubernetes.get_cluster(key)
    kubernetes.update_cluster(key, {"name": "c2"})
    kubernetes.get_credentials(key)
    _kubeconfig(client, key)
    kubernetes.get_cluster_user(key)
    kubernetes.get_available_upgrades(key)
    kubernetes.list_node_pools(key)
    kubernetes.get_node_pool(key, pool["id"])
    kubernetes.update_node_pool(key, pool["id"], {"name": "extra", "count": 2})
    kubernetes.recycle_node_pool(key, pool["id"], {"nodes": []})
    kubernetes.delete_node(key, pool["id"], pool["nodes"][0]["id"])
    kubernetes.delete_node_pool(key, pool["id"])
    kubernetes.add_registry({"cluster_uuids": [key]})
    kubernetes.remove_registry({"cluster_uuids": [key]})
    kubernetes.upgrade_cluster(key, {"version": "1.34.1-do.0"})


def _drive_other_routes(client: Any, vpc: str, droplet: int) -> None:
    for resource in (client.account, client.regions, client.sizes, client.load_balancers, client.volumes):
        (resource.get if resource is client.account else resource.list)()
    client.droplets.get(droplet)
    client.tags.create({"name": "blue"})
    client.tags.list()
    client.tags.get("blue")
    client.vpcs.list()
    client.vpcs.get(vpc)
    client.vpcs.update(vpc, {"name": "v2"})
    client.vpcs.patch(vpc, {"description": "x"})
    client.vpcs.list_members(vpc)
    firewalls = client.firewalls
    key = firewalls.create({"name": "fw", "inbound_rules": [RULE]})["firewall"]["id"]
    firewalls.list()
    firewalls.get(key)
    firewalls.update(key, {"name": "fw2", "inbound_rules": [RULE]})
    firewalls.add_rules(key, {"outbound_rules": [OUT]})
    firewalls.delete_rules(key, {"outbound_rules": [OUT]})
    firewalls.add_tags(key, {"tags": ["blue"]})
    firewalls.delete_tags(key, {"tags": ["blue"]})
    firewalls.assign_droplets(key, {"droplet_ids": [droplet]})
    firewalls.delete_droplets(key, {"droplet_ids": [droplet]})
    firewalls.delete(key)
    client.tags.delete("blue")
    client.vpcs.delete(client.vpcs.create({"name": "v3", "region": "nyc1"})["vpc"]["id"])


def _drive_deletion(sandbox: Sandbox, client: Any, key: str) -> None:
    for action in ("volume", "snapshot", "load-balancer"):
        sandbox.control.outside(action, cloud="digitalocean", cluster=key, name=f"{action}-1")
    client.kubernetes.list_associated_resources(key)
    client.kubernetes.destroy_associated_resources_selective(key, {"volumes": []})
    sandbox.control.advance(600)
    client.volumes.delete(client.volumes.list()["volumes"][0]["id"])
    client.load_balancers.delete(client.load_balancers.list()["load_balancers"][0]["id"])
    client.snapshots.delete(client.snapshots.list()["snapshots"][0]["id"])
    client.kubernetes.destroy_associated_resources_dangerous(_cluster(client)["id"])
    client.kubernetes.delete_cluster(_cluster(client)["id"])
