"""Questions to Civo's API: answers, absences, and what is neither."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from planton import errors
from planton.engine.clouds import civo
from support import answers, events, mocks

CLUSTERS = "/v2/kubernetes/clusters?page={}&per_page=100&region=LON1"
NOT_FOUND = '{"code":"database_kubernetes_cluster_not_found","reason":"Failed to find"}'


@pytest.fixture
def server() -> Iterator[answers.Server]:
    """A server that has nothing."""
    with answers.serving(NOT_FOUND) as made:
        yield made


def _cloud(server: answers.Server) -> civo.Cloud:
    return civo.Cloud("tok", "LON1", f"{server.url}/", _never)


def _never(_seconds: float) -> None:
    """Waits not at all."""


def test_a_question_has_token_and_region(server: answers.Server) -> None:
    """The region goes into the query, after a query that is there."""
    server.answers["/v2/networks"] = (200, [])
    assert _cloud(server).networks() == []
    server.answers["/v2/x"] = (200, {})
    _cloud(server).get("/v2/x?a=b")
    assert server.requests == [("/v2/networks?region=LON1", "bearer tok"), ("/v2/x?a=b&region=LON1", "bearer tok")]


def test_not_found_is_an_answer(server: answers.Server) -> None:
    """Only in the cloud's own words."""
    assert _cloud(server).cluster("c-1") is None
    server.answers["/v2/kubernetes/clusters/c-2"] = (404, "<html>no such page</html>")
    with pytest.raises(errors.PlantonError, match="404 <html>"):
        _cloud(server).cluster("c-2")


@pytest.mark.parametrize(
    ("status", "body", "reason", "how"),
    [
        (401, "{}", errors.Reason.CLOUD_AUTH, "refused"),
        (403, "{}", errors.Reason.CLOUD_AUTH, "refused"),
        (429, "slow down", errors.Reason.CLOUD_FAILED, "failed at"),
        (500, "boom", errors.Reason.CLOUD_FAILED, "failed at"),
        (418, "tea", errors.Reason.CLOUD_UNREACHABLE, "failed at"),
        (200, "no JSON", errors.Reason.CLOUD_UNREACHABLE, "did not answer"),
    ],
)
def test_anything_else_is_an_error_with_the_clouds_text(
    status: int, body: str, reason: errors.Reason, how: str, server: answers.Server
) -> None:
    """It never looks like an absence, and shows no token."""
    server.answers["/v2/networks"] = (status, body)
    with pytest.raises(errors.PlantonError, match=f"the cloud {how} GET /v2/networks") as caught:
        _cloud(server).networks()
    assert caught.value.reason is reason
    assert "tok" not in caught.value.message
    assert "tok" not in repr(_cloud(server))


def test_a_cloud_that_is_not_there_is_unreachable(server: answers.Server) -> None:
    """A refused connection is our error."""
    cloud = _cloud(server)
    server.stop()
    with pytest.raises(errors.PlantonError) as caught:
        cloud.networks()
    assert caught.value.reason is errors.Reason.CLOUD_UNREACHABLE


def test_clusters_come_from_all_pages(server: answers.Server) -> None:
    """A cluster on the second page exists too."""
    for page, cluster in enumerate(({"id": "1", "name": "b"}, {"id": "2", "name": "a"}), start=1):
        server.answers[CLUSTERS.format(page)] = (200, {"items": [cluster], "pages": 2})
    assert [cluster["id"] for cluster in _cloud(server).clusters()] == ["1", "2"]
    assert _cloud(server).names("cluster") == ["a", "b"]


@pytest.mark.parametrize("listed", [None, []])
def test_an_empty_list_may_be_null(listed: Any, server: answers.Server) -> None:
    """The cloud writes both."""
    server.answers["/v2/networks"] = server.answers["/v2/firewalls"] = (200, listed)
    assert (_cloud(server).names("network"), _cloud(server).names("firewall")) == ([], [])


@pytest.fixture
def full(server: answers.Server) -> answers.Server:
    """A cloud with one of each, and two networks of one name."""
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
    ("type_", "id_", "cluster", "there"),
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
def test_whether_something_is_there_is_asked_by_id(
    type_: str, id_: str, cluster: str, full: answers.Server, *, there: bool
) -> None:
    """A pool is there if its cluster has it."""
    assert _cloud(full).exists(type_, id_, cluster) is there


@pytest.mark.parametrize(
    ("type_", "name", "cluster", "found"),
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
def test_the_import_id_is_found_by_the_exact_and_only_name(
    type_: str, name: str, cluster: str, found: str | None, full: answers.Server
) -> None:
    """Of two with one name neither is adopted."""
    assert _cloud(full).find(type_, name, cluster) == found


@pytest.mark.parametrize(("region", "expected"), [("", "LON1"), ("fra1", "FRA1")])
def test_a_cloud_is_made_of_a_provider_config(region: str, expected: str) -> None:
    """The region asked for goes before the default, in the cloud's case."""
    config = mocks.stack_input(mocks.target("CivoVpc", {}), apiEndpoint="http://x").provider_config
    assert civo.of(config, region) == civo.Cloud(mocks.TOKEN, expected, "http://x")
    config.default_region = 0
    assert civo.of(config).region == ""
