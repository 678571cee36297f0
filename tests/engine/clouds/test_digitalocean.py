"""Requests to DigitalOcean's API: responses, missing resources, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from planton import clouds, errors
from planton.clouds import entries
from planton.clouds.digitalocean import client as digitalocean
from support import answers, mocks

NOT_FOUND = '{"id":"not_found","message":"The resource you were accessing could not be found."}'
VPC, CLUSTER, POOL = (
    f"digitalocean:index/{name[0].lower()}{name[1:]}:{name}" for name in ("Vpc", "KubernetesCluster", "KubernetesNodePool")
)
VPCS, CLUSTERS = "/v2/vpcs", "/v2/kubernetes/clusters"


@pytest.fixture
def server() -> Iterator[answers.Server]:
    """A server without resources."""
    with answers.serving(NOT_FOUND) as running:
        yield running


def _cloud(server: answers.Server) -> digitalocean.Cloud:
    return digitalocean.Cloud("tok", f"{server.url}/", _never)


def _never(_seconds: float) -> None:
    """Returns at once."""


def test_a_request_has_the_token_and_no_region(server: answers.Server) -> None:
    """An account covers all regions."""
    server.answers["/v2/x"] = (200, {"a": 1})
    assert _cloud(server).get("/v2/x") == {"a": 1}
    assert server.requests == [("/v2/x", "Bearer tok")]
    assert _cloud(server).where == "this account"


@pytest.mark.parametrize(
    ("status", "body", "reason", "verb"),
    [
        (401, "{}", errors.Reason.CLOUD_AUTH, "refused"),
        (403, "{}", errors.Reason.CLOUD_AUTH, "refused"),
        (429, "slow down", errors.Reason.CLOUD_FAILED, "failed at"),
        (500, "boom", errors.Reason.CLOUD_FAILED, "failed at"),
        (200, "no JSON", errors.Reason.CLOUD_UNREACHABLE, "did not answer"),
    ],
)
def test_any_other_response_is_an_error_with_the_clouds_text(
    status: int, body: str, reason: errors.Reason, verb: str, server: answers.Server
) -> None:
    """It never counts as a missing resource, and the message contains no token."""
    server.answers[f"{CLUSTERS}/c-1"] = (status, body)
    with pytest.raises(errors.PlantonError, match=f"the cloud {verb} GET {CLUSTERS}/c-1") as caught:
        _cloud(server).exists(CLUSTER, "c-1")
    assert caught.value.reason is reason
    assert "tok" not in caught.value.message
    assert "tok" not in repr(_cloud(server))


def test_a_refused_connection_is_an_unreachable_cloud(server: answers.Server) -> None:
    """The error has a reason, like every error of planton."""
    cloud = _cloud(server)
    server.stop()
    with pytest.raises(errors.PlantonError) as caught:
        cloud.clusters()
    assert caught.value.reason is errors.Reason.CLOUD_UNREACHABLE


def test_lists_come_from_all_pages(server: answers.Server) -> None:
    """The response links to the next page."""
    more = {"pages": {"next": f"https://api.digitalocean.com{VPCS}?page=2"}}
    server.answers[f"{VPCS}?page=1&per_page=200"] = (200, {"vpcs": [{"id": "1", "name": "b"}], "links": more})
    server.answers[f"{VPCS}?page=2&per_page=200"] = (200, {"vpcs": [{"id": "2", "name": "a"}], "links": {"pages": {}}})
    assert _cloud(server).names("network") == ["a", "b"]
    assert _cloud(server).find(VPC, "a") == "2"


@pytest.mark.parametrize("response", [{"kubernetes_clusters": None}, {"kubernetes_clusters": [], "links": None}, {}])
def test_an_empty_list_may_be_null_or_absent(response: Any, server: answers.Server) -> None:
    """The cloud's own clients accept all of these."""
    server.answers[CLUSTERS] = (200, response)
    assert _cloud(server).names("cluster") == []


@pytest.fixture
def full(server: answers.Server) -> answers.Server:
    """A cloud with one resource of each type, and two networks of one name."""
    pool = {"id": "p-1", "name": "web"}
    prod = {"id": "c-1", "name": "prod", "region": "fra1", "status": {"state": "running"}, "node_pools": [pool]}
    young = {"id": "c-2", "name": "young", "region": "fra1", "status": {"state": "provisioning"}, "node_pools": []}
    server.answers = {
        VPCS: (200, {"vpcs": [{"id": f"v-{number}", "name": name} for number, name in ((1, "net"), (2, "twin"), (3, "twin"))]}),
        f"{VPCS}/v-1": (200, {"vpc": {"id": "v-1", "name": "net"}}),
        CLUSTERS: (200, {"kubernetes_clusters": [prod, young]}),
        f"{CLUSTERS}/c-1": (200, {"kubernetes_cluster": prod}),
        f"{CLUSTERS}/c-2": (200, {"kubernetes_cluster": young}),
        f"{CLUSTERS}/c-1/node_pools/p-1": (200, {"node_pool": pool}),
        f"{CLUSTERS}/c-1/credentials": (
            200,
            {
                "server": "https://10.0.0.1",
                "certificate_authority_data": "Q0E=",
                "token": "kube-token",
                "expires_at": "2026-11-28T05:00:00Z",
            },
        ),
    }
    return server


@pytest.mark.parametrize(
    ("type_", "id_", "cluster", "exists"),
    [
        (VPC, "v-1", "", True),
        (VPC, "net", "", False),
        (CLUSTER, "c-1", "", True),
        (CLUSTER, "c-9", "", False),
        (POOL, "p-1", "c-1", True),
        (POOL, "web", "c-1", False),
        (POOL, "p-1", "c-9", False),
        (POOL, "p-1", "", True),
        (POOL, "p-9", "", False),
    ],
)
def test_existence_is_checked_by_id(type_: str, id_: str, cluster: str, full: answers.Server, *, exists: bool) -> None:
    """A pool exists if its cluster, or without a named cluster any cluster, contains it."""
    assert _cloud(full).exists(type_, id_, cluster) is exists


@pytest.mark.parametrize(
    ("type_", "name", "cluster", "import_id"),
    [
        (VPC, "net", "", "v-1"),
        (VPC, "ne", "", None),
        (VPC, "twin", "", None),
        (CLUSTER, "prod", "", "c-1"),
        (CLUSTER, "c-1", "", None),
        (POOL, "web", "c-1", "p-1"),
        (POOL, "db", "c-1", None),
        (POOL, "web", "c-9", None),
        (POOL, "web", "", None),
    ],
)
def test_the_import_id_is_found_by_an_exact_unique_name(
    type_: str, name: str, cluster: str, import_id: str | None, full: answers.Server
) -> None:
    """If two resources have one name, neither is adopted."""
    assert _cloud(full).find(type_, name, cluster) == import_id


@pytest.mark.parametrize(("name_or_id", "expected"), [("web", "p-1"), ("p-1", "p-1"), ("c-1:web", "p-1"), ("p-9", "p-9")])
def test_the_import_id_of_a_pool_is_its_id_without_the_cluster(name_or_id: str, expected: str, full: answers.Server) -> None:
    """A name is looked up in the cluster. Anything else is treated as an id."""
    assert _cloud(full).pool_import_id("c-1", name_or_id) == expected


def test_an_ambiguous_pool_name_is_not_imported(server: answers.Server) -> None:
    """The error lists the ids."""
    pools = [{"id": "p-1", "name": "web"}, {"id": "p-2", "name": "web"}]
    server.answers["/v2/kubernetes/clusters/c-1"] = (200, {"kubernetes_cluster": {"id": "c-1", "node_pools": pools}})
    with pytest.raises(errors.PlantonError, match="2 node pools of the cluster have the name 'web': p-1, p-2") as caught:
        _cloud(server).pool_import_id("c-1", "web")
    assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.AMBIGUOUS)


@pytest.mark.parametrize(("cluster", "expected"), [("c-1", False), ("c-2", True), ("c-9", False)])
def test_a_missing_cluster_is_not_building(cluster: str, full: answers.Server, *, expected: bool) -> None:
    """Only a cluster that is being provisioned or upgraded is building."""
    assert _cloud(full).building(cluster) is expected


def test_a_credential_has_an_expiry_and_a_kubeconfig(full: answers.Server) -> None:
    """Its names are those of the cloud's own tools."""
    credential = _cloud(full).credential("c-1")
    assert credential is not None
    assert (credential.token, credential.certificate, credential.expires) == ("kube-token", "", "2026-11-28T05:00:00Z")
    config = yaml.safe_load(credential.kubeconfig)
    assert config["current-context"] == "do-fra1-prod"
    assert config["clusters"][0]["cluster"] == {"server": "https://10.0.0.1", "certificate-authority-data": "Q0E="}
    assert config["users"] == [{"name": "do-fra1-prod-admin", "user": {"token": "kube-token"}}]
    assert "kube-token" not in repr(credential)


@pytest.mark.parametrize("cluster", ["c-2", "c-9"])
def test_a_missing_or_unfinished_cluster_has_no_credential(cluster: str, full: answers.Server) -> None:
    """Neither case is an error of the cloud."""
    assert _cloud(full).credential(cluster) is None


OPTIONS = {
    "versions": [{"slug": "1.34.1-do.0"}, {"slug": "1.33.1-do.0"}],
    "regions": [{"slug": "fra1", "name": "Frankfurt 1"}],
    "sizes": [{"slug": slug, "name": slug} for slug in ("s-2vcpu-4gb", "s-old")],
}


def test_only_sizes_that_nodes_can_have_are_offered(server: answers.Server) -> None:
    """The first version is the default."""
    server.answers["/v2/kubernetes/options"] = (200, {"options": OPTIONS})
    sizes = [
        {"slug": slug, "vcpus": 2, "memory": 4096, "disk": 80, "price_monthly": 24.0, "regions": ["tor1", "fra1"]}
        for slug in ("s-2vcpu-4gb", "s-2vcpu-1gb")
    ]
    unavailable = {**sizes[0], "slug": "s-old", "available": False}
    server.answers["/v2/sizes"] = (200, {"sizes": [*sizes, unavailable]})
    cloud: clouds.Cloud = _cloud(server)
    assert [(row["version"], row["default"]) for row in cloud.versions()] == [("1.34.1-do.0", True), ("1.33.1-do.0", False)]
    size = {"size": "s-2vcpu-4gb", "cpus": 2, "memory": 4096, "disk": 80, "price": 24.0, "regions": ["fra1", "tor1"]}
    assert cloud.sizes() == [size]
    assert cloud.regions() == [{"region": "fra1", "name": "Frankfurt 1", "country": None, "full": False}]


def test_listed_entries_have_their_region(server: answers.Server) -> None:
    """Node pools are listed in their cluster. Firewalls are not managed at this cloud."""
    pools = [{"id": "p-1", "name": "web", "size": "s"}]
    cluster = {"id": "c-1", "name": "prod", "region": "fra1", "version": "1.33.1-do.0", "vpc_uuid": "v-1", "node_pools": pools}
    server.answers["/v2/kubernetes/clusters"] = (200, {"kubernetes_clusters": [cluster]})
    server.answers["/v2/vpcs"] = (200, {"vpcs": [{"id": "v-1", "name": "net", "region": "fra1", "ip_range": "10.0.0.0/20"}]})
    cloud = _cloud(server)
    assert cloud.listed("network") == [entries.Entry("v-1", "net", "fra1", "10.0.0.0/20")]
    pool = entries.Entry("p-1", "web", "fra1")
    assert cloud.listed("cluster") == [entries.Entry("c-1", "prod", "fra1", network="v-1", version="1.33.1-do.0", pools=(pool,))]
    assert cloud.listed("firewall") == []
    assert cloud.account == cloud


def test_upgrades_regions_and_quotas_are_read(server: answers.Server) -> None:
    """Null means no upgrade. Limits that the account does not report are not quotas."""
    cloud = _cloud(server)
    assert (cloud.upgrades("c-1"), cloud.quotas()) == (None, {})
    server.answers["/v2/kubernetes/clusters/c-1/upgrades"] = (200, {"available_upgrade_versions": [{"slug": "1.34.0-do.0"}]})
    server.answers["/v2/kubernetes/clusters/c-2/upgrades"] = (200, {"available_upgrade_versions": None})
    assert (cloud.upgrades("c-1"), cloud.upgrades("c-2")) == (["1.34.0-do.0"], [])
    server.answers["/v2/account"] = (200, {"account": {"droplet_limit": 10}})
    server.answers["/v2/droplets"] = (200, {"droplets": [], "meta": {"total": 7}})
    assert cloud.quotas() == {"nodes": entries.Quota(7, 10)}
    server.answers["/v2/regions"] = (200, {"regions": [{"slug": "fra1"}, {"slug": "nyc2"}]})
    assert cloud.network_regions() == ["fra1", "nyc2"]


def test_a_cloud_is_built_from_a_provider_config() -> None:
    """The region does not matter."""
    config = mocks.stack_input(mocks.target("DigitalOceanVpc", {}), apiEndpoint="http://x").provider_config
    for region in ("", "fra1"):
        assert clouds.of(config, region) == digitalocean.Cloud(mocks.TOKEN, "http://x")
