"""Questions to Civo's API: answers, absences, and what is neither."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from planton import errors
from planton.engine.clouds import civo
from support import events, mocks

NOT_FOUND = '{"code":"database_kubernetes_cluster_not_found","reason":"Failed to find"}'


class Server:
    """Answers by path."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.requests.append((self.path, self.headers["Authorization"]))
                status, body = owner.answers.get(self.path.split("?")[0], (404, NOT_FOUND))
                if isinstance(body, list) and self.path.startswith("/v2/kubernetes/clusters?page="):
                    page = int(self.path.split("page=")[1].split("&")[0])
                    body = {"items": body[page - 1], "pages": len(body)}
                text = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def cloud(self) -> civo.Cloud:
        return civo.Cloud("tok", "LON1", f"http://127.0.0.1:{self.server.server_port}/")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that has nothing."""
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_question_has_token_and_region(server: Server) -> None:
    """The region goes into the query, after a query that is there."""
    server.answers["/v2/networks"] = (200, [])
    assert server.cloud.networks() == []
    server.answers["/v2/x"] = (200, {})
    server.cloud.get("/v2/x?a=b")
    assert server.requests == [("/v2/networks?region=LON1", "bearer tok"), ("/v2/x?a=b&region=LON1", "bearer tok")]


def test_not_found_is_an_answer(server: Server) -> None:
    """Only in the cloud's own words."""
    assert server.cloud.cluster("c-1") is None
    server.answers["/v2/kubernetes/clusters/c-2"] = (404, "<html>no such page</html>")
    with pytest.raises(errors.PlantonError, match="404 <html>"):
        server.cloud.cluster("c-2")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, "{}", errors.Reason.CLOUD_AUTH),
        (403, "{}", errors.Reason.CLOUD_AUTH),
        (500, "boom", errors.Reason.CLOUD_UNREACHABLE),
        (200, "no JSON", errors.Reason.CLOUD_UNREACHABLE),
    ],
)
def test_anything_else_is_an_error_with_the_clouds_text(status: int, body: str, reason: errors.Reason, server: Server) -> None:
    """It never looks like an absence, and shows no token."""
    server.answers["/v2/networks"] = (status, body)
    with pytest.raises(errors.PlantonError, match="the cloud did not answer GET /v2/networks") as caught:
        server.cloud.networks()
    assert caught.value.reason is reason
    assert "tok" not in caught.value.message
    assert "tok" not in repr(server.cloud)


def test_a_cloud_that_is_not_there_is_unreachable(server: Server) -> None:
    """A refused connection is our error."""
    cloud = server.cloud
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(errors.PlantonError) as caught:
        cloud.networks()
    assert caught.value.reason is errors.Reason.CLOUD_UNREACHABLE


def test_clusters_come_from_all_pages(server: Server) -> None:
    """A cluster on the second page exists too."""
    server.answers["/v2/kubernetes/clusters"] = (200, [[{"id": "1", "name": "b"}], [{"id": "2", "name": "a"}]])
    assert [cluster["id"] for cluster in server.cloud.clusters()] == ["1", "2"]
    assert server.cloud.names("cluster") == ["a", "b"]


@pytest.mark.parametrize("listed", [None, []])
def test_an_empty_list_may_be_null(listed: Any, server: Server) -> None:
    """The cloud writes both."""
    server.answers["/v2/networks"] = server.answers["/v2/firewalls"] = (200, listed)
    assert (server.cloud.names("network"), server.cloud.names("firewall")) == ([], [])


@pytest.fixture
def full(server: Server) -> Server:
    """A cloud with one of each, and two networks of one name."""
    server.answers = {
        "/v2/networks": (200, [{"id": "n-1", "label": "net"}, {"id": "n-2", "label": "twin"}, {"id": "n-3", "label": "twin"}]),
        "/v2/networks/n-1": (200, {"id": "n-1", "label": "net"}),
        "/v2/firewalls": (200, [{"id": "f-1", "name": "fw"}]),
        "/v2/kubernetes/clusters": (200, [[{"id": "c-1", "name": "prod"}]]),
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
def test_whether_something_is_there_is_asked_by_id(type_: str, id_: str, cluster: str, full: Server, *, there: bool) -> None:
    """A pool is there if its cluster has it."""
    assert full.cloud.exists(type_, id_, cluster) is there


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
    type_: str, name: str, cluster: str, found: str | None, full: Server
) -> None:
    """Of two with one name neither is adopted."""
    assert full.cloud.find(type_, name, cluster) == found


@pytest.mark.parametrize(("region", "expected"), [("", "LON1"), ("fra1", "FRA1")])
def test_a_cloud_is_made_of_a_provider_config(region: str, expected: str) -> None:
    """The region asked for goes before the default, in the cloud's case."""
    config = mocks.stack_input(mocks.target("CivoVpc", {}), apiEndpoint="http://x").provider_config
    assert civo.of(config, region) == civo.Cloud(mocks.TOKEN, expected, "http://x")
    config.default_region = 0
    assert civo.of(config).region == ""
