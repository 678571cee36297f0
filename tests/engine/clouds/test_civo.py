"""Requests to Civo's API: responses, missing resources, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from planton import errors
from planton.clouds import entries
from planton.clouds.civo import client as civo
from support import answers, events, mocks

CLUSTERS = "/v2/kubernetes/clusters?page={}&per_page=100&region=LON1"
NOT_FOUND = '{"code":"database_kubernetes_cluster_not_found","reason":"Failed to find"}'


@pytest.fixture
def server() -> Iterator[answers.Server]:
    """A server without resources."""
    with answers.serving(NOT_FOUND) as running:
        yield running


def _cloud(server: answers.Server) -> civo.Cloud:
    return civo.Cloud("tok", "LON1", f"{server.url}/", _never)


def _never(_seconds: float) -> None:
    """Returns at once."""


def test_a_request_has_token_and_region(server: answers.Server) -> None:
    """The region is appended to an existing query."""
    server.answers["/v2/networks"] = (200, [])
    assert _cloud(server).networks() == []
    server.answers["/v2/x"] = (200, {})
    _cloud(server).get("/v2/x?a=b")
    assert server.requests == [("/v2/networks?region=LON1", "bearer tok"), ("/v2/x?a=b&region=LON1", "bearer tok")]


def test_a_not_found_response_means_a_missing_resource(server: answers.Server) -> None:
    """It must have the cloud's error code. A 404 of a proxy is an error."""
    assert _cloud(server).cluster("c-1") is None
    server.answers["/v2/kubernetes/clusters/c-2"] = (404, "<html>no such page</html>")
    with pytest.raises(errors.PlantonError, match="404 <html>"):
        _cloud(server).cluster("c-2")


@pytest.mark.parametrize(
    ("status", "body", "reason", "verb"),
    [
        (401, "{}", errors.Reason.CLOUD_AUTH, "refused"),
        (403, "{}", errors.Reason.CLOUD_AUTH, "refused"),
        (429, "slow down", errors.Reason.CLOUD_FAILED, "failed at"),
        (500, "boom", errors.Reason.CLOUD_FAILED, "failed at"),
        (418, "tea", errors.Reason.CLOUD_UNREACHABLE, "failed at"),
        (200, "no JSON", errors.Reason.CLOUD_UNREACHABLE, "did not answer"),
    ],
)
def test_any_other_response_is_an_error_with_the_clouds_text(
    status: int, body: str, reason: errors.Reason, verb: str, server: answers.Server
) -> None:
    """It never counts as a missing resource, and the message contains no token."""
    server.answers["/v2/networks"] = (status, body)
    with pytest.raises(errors.PlantonError, match=f"the cloud {verb} GET /v2/networks") as caught:
        _cloud(server).networks()
    assert caught.value.reason is reason
    assert "tok" not in caught.value.message
    assert "tok" not in repr(_cloud(server))


def test_a_refused_connection_is_an_unreachable_cloud(server: answers.Server) -> None:
    """The error has a reason, like every error of planton."""
    cloud = _cloud(server)
    server.stop()
    with pytest.raises(errors.PlantonError) as caught:
        cloud.networks()
    assert caught.value.reason is errors.Reason.CLOUD_UNREACHABLE


def test_clusters_come_from_all_pages(server: answers.Server) -> None:
    """A cluster on the second page is listed too."""
    for page, cluster in enumerate(({"id": "1", "name": "b"}, {"id": "2", "name": "a"}), start=1):
        server.answers[CLUSTERS.format(page)] = (200, {"items": [cluster], "pages": 2})
    assert [cluster["id"] for cluster in _cloud(server).clusters()] == ["1", "2"]
    assert _cloud(server).names("cluster") == ["a", "b"]


@pytest.mark.parametrize("listed", [None, []])
def test_an_empty_list_may_be_null(listed: Any, server: answers.Server) -> None:
    """The cloud sends both forms."""
    server.answers["/v2/networks"] = server.answers["/v2/firewalls"] = (200, listed)
    assert (_cloud(server).names("network"), _cloud(server).names("firewall")) == ([], [])


@pytest.fixture
def full(server: answers.Server) -> answers.Server:
    """A cloud with one resource of each type, and two networks of one name."""
    server.answers = {
        "/v2/networks": (200, [{"id": "n-1", "label": "net"}, {"id": "n-2", "label": "twin"}, {"id": "n-3", "label": "twin"}]),
        "/v2/networks/n-1": (200, {"id": "n-1", "label": "net"}),
        "/v2/firewalls": (200, [{"id": "f-1", "name": "fw"}]),
        CLUSTERS.format(1): (200, {"items": [{"id": "c-1", "name": "prod"}], "pages": 1}),
        "/v2/kubernetes/clusters/c-1": (200, {"id": "c-1", "name": "prod", "pools": [{"id": "web"}]}),
        "/v2/kubernetes/clusters/c-2": (200, {"id": "c-2", "name": "bare", "pools": None}),
    }
    return server


@pytest.mark.parametrize(
    ("type_", "id_", "cluster", "exists"),
    [
        (events.NETWORK, "n-1", "", True),
        (events.NETWORK, "net", "", False),
        (events.FIREWALL, "f-1", "", True),
        (events.FIREWALL, "f-2", "", False),
        (events.CLUSTER, "c-1", "", True),
        (events.CLUSTER, "c-9", "", False),
        (events.POOL, "web", "c-1", True),
        (events.POOL, "db", "c-1", False),
        (events.POOL, "web", "c-2", False),
        (events.POOL, "web", "c-9", False),
    ],
)
def test_existence_is_checked_by_id(type_: str, id_: str, cluster: str, full: answers.Server, *, exists: bool) -> None:
    """A pool exists if its cluster contains it."""
    assert _cloud(full).exists(type_, id_, cluster) is exists


@pytest.mark.parametrize(
    ("type_", "name", "cluster", "import_id"),
    [
        (events.NETWORK, "net", "", "n-1"),
        (events.NETWORK, "ne", "", None),
        (events.NETWORK, "twin", "", None),
        (events.FIREWALL, "fw", "", "f-1"),
        (events.CLUSTER, "prod", "", "c-1"),
        (events.POOL, "web", "c-1", "c-1:web"),
        (events.POOL, "db", "c-1", None),
        (events.POOL, "web", "", None),
    ],
)
def test_the_import_id_is_found_by_an_exact_unique_name(
    type_: str, name: str, cluster: str, import_id: str | None, full: answers.Server
) -> None:
    """If two resources have one name, neither is adopted."""
    assert _cloud(full).find(type_, name, cluster) == import_id


@pytest.mark.parametrize(("region", "expected"), [("", "LON1"), ("fra1", "FRA1")])
def test_a_cloud_is_built_from_a_provider_config(region: str, expected: str) -> None:
    """An explicit region overrides the default. It is upper-cased for the cloud."""
    config = mocks.stack_input(mocks.target("CivoVpc", {}), apiEndpoint="http://x").provider_config
    assert civo.of(config, region) == civo.Cloud(mocks.TOKEN, expected, "http://x")
    config.default_region = 0
    assert civo.of(config).region == ""


def test_listed_entries_have_the_fields_that_checks_need(server: answers.Server) -> None:
    """The region is that of the request. Resources in deletion are marked."""
    server.answers["/v2/networks"] = (
        200,
        [
            {"id": "n-1", "label": "net", "cidr": "10.0.0.0/24", "status": "Active"},
            {"id": "n-2", "label": "old", "status": "Deleting"},
        ],
    )
    server.answers["/v2/firewalls"] = (200, [{"id": "f-1", "name": "fw", "network_id": "n-1"}])
    cluster = {"id": "c-1", "name": "prod", "kubernetes_version": "1.30.5-k3s1", "network_id": "n-1", "pools": [{"id": "web"}]}
    server.answers[CLUSTERS.format(1)] = (
        200,
        {"items": [cluster, {"id": "c-2", "name": "b", "status": "DELETING", "pools": None}]},
    )
    cloud = _cloud(server)
    assert cloud.listed("network") == [
        entries.Entry("n-1", "net", "lon1", "10.0.0.0/24"),
        entries.Entry("n-2", "old", "lon1", is_being_deleted=True),
    ]
    assert cloud.listed("firewall") == [entries.Entry("f-1", "fw", "lon1", network="n-1")]
    assert cloud.listed("cluster") == [
        entries.Entry("c-1", "prod", "lon1", network="n-1", version="1.30.5-k3s1", pools=(entries.Entry("web", "web", "lon1"),)),
        entries.Entry("c-2", "b", "lon1", is_being_deleted=True),
    ]
    assert cloud.upgrades("c-1") is None


def test_only_reported_quotas_are_returned(server: answers.Server) -> None:
    """Quotas hold for all regions, so the request names none."""
    assert _cloud(server).quotas() == {}
    server.answers["/v2/quota"] = (200, {"instance_count_limit": 16, "instance_count_usage": 6, "cpu_core_limit": 10})
    assert _cloud(server).account.quotas() == {"nodes": entries.Quota(6, 16)}
    assert server.requests[-1][0] == "/v2/quota?region="


def test_sizes_that_are_not_selectable_are_not_offered(server: answers.Server) -> None:
    """The cloud lists them too, and reports neither regions nor prices, of which a table has some."""
    rows = [{"name": f"g4s.kube.{name}", "cpu_cores": 1, "ram_mb": 2, "disk_gb": 3} for name in ("small", "old", "new")]
    rows[1]["selectable"] = False
    server.answers["/v2/sizes"] = (200, rows)
    same = {"cpus": 1, "memory": 2, "disk": 3, "regions": None}
    assert _cloud(server).sizes() == [
        {"size": "g4s.kube.small", **same, "price": 10.86},
        {"size": "g4s.kube.new", **same, "price": None},
    ]


REGION_IS_MISSING = (400, '{"code": "region_unavailable"}')


@pytest.mark.parametrize(("codes", "is_listed"), [(["LON1"], True), (["FRA1"], False), ([], True)])
def test_a_missing_region_has_no_resources(server: answers.Server, codes: list[str], *, is_listed: bool) -> None:
    """Nothing can be created there. The existence of an id stays unknown: the region may have been withdrawn."""
    for path in ("/v2/networks", "/v2/firewalls", CLUSTERS.format(1)):
        server.answers[path] = REGION_IS_MISSING
    server.answers["/v2/regions"] = (200, [{"code": code} for code in codes])
    cloud = _cloud(server)
    for type_ in (events.NETWORK, events.FIREWALL, events.CLUSTER):
        if is_listed:
            with pytest.raises(errors.PlantonError, match="region_unavailable"):
                cloud.find(type_, "x")
        else:
            assert cloud.find(type_, "x") is None
    assert is_listed or cloud.clusters() == []
    with pytest.raises(errors.PlantonError, match="region_unavailable"):
        cloud.exists(events.FIREWALL, "f-1")


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([], "no inbound rule of firewall web opens port 6443"),
        ([{"ports": "22"}], "no inbound rule of firewall web opens port 6443"),
        ([{"ports": "6443", "direction": "egress"}], "no inbound rule of firewall web opens port 6443"),
        ([{"ports": "6443", "label": "api"}], "rule api of firewall web opens port 6443 only to 203.0.113.0/24"),
        ([{"ports": "1-65535", "action": "deny"}], "rule 1-65535 of firewall web denies port 6443"),
    ],
)
def test_the_rule_that_closes_the_api_server_is_named(server: answers.Server, rules: list[dict[str, Any]], text: str) -> None:
    """The first rule for its port decides."""
    base = {"direction": "ingress", "protocol": "tcp", "cidr": ["203.0.113.0/24"], "action": "allow"}
    server.answers["/v2/kubernetes/clusters/c-1"] = (200, {"id": "c-1", "firewall_id": "f-1"})
    server.answers["/v2/firewalls"] = (200, [{"id": "f-1", "name": "web", "rules": [base | rule for rule in rules]}])
    assert _cloud(server).api_server_rule("c-1") == text


def test_without_a_known_firewall_there_is_no_rule(server: answers.Server) -> None:
    """The cluster is missing, or its firewall is."""
    server.answers["/v2/firewalls"] = (200, [])
    assert _cloud(server).api_server_rule("c-1") == ""
