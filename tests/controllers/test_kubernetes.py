"""Nodes are read from the cluster, with the credential of the cloud, which is fetched again only if it is refused."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from planton import errors
from planton.clouds import api
from planton.controllers import kubernetes

CREATED = "2026-11-30T12:00:00Z"


def node(name: str, ready: str, **labels: str) -> dict[str, Any]:
    """Returns a node as Kubernetes lists it."""
    conditions = [{"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": ready}]
    status = {"conditions": conditions, "nodeInfo": {"kubeletVersion": "v1.30.5"}}
    return {"metadata": {"name": name, "labels": labels, "creationTimestamp": CREATED}, "status": status}


class Server(http.server.ThreadingHTTPServer):
    """A Kubernetes API with two pages of nodes and one valid token."""

    token = "token-1"
    body: Any = None

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers for it."""

    server: Server

    def do_GET(self) -> None:
        """Answers with a page of nodes."""
        is_allowed = self.headers["Authorization"] == f"Bearer {self.server.token}"
        first = {"metadata": {"continue": "next"}, "items": [node("a", "True", nodepool="workers")]}
        last = {"metadata": {}, "items": [node("b", "Unknown")]}
        page = last if "continue=next" in self.path else first
        body = json.dumps(page if self.server.body is None else self.server.body).encode()
        self.send_response(200 if is_allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


class Cloud:
    """A cloud that issues the token that the server accepts."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.issued = 0

    def credential(self, _cluster: str) -> api.Credential:
        """Returns a kubeconfig."""
        self.issued += 1
        config = {
            "clusters": [{"name": "c", "cluster": {"server": self.server.url}}],
            "users": [{"name": "u", "user": {"token": self.server.token}}],
        }
        return api.credential(yaml.safe_dump(config))


@pytest.fixture
def server() -> Iterator[Server]:
    """A running Kubernetes API."""
    running = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_all_pages_are_read_and_only_ready_nodes_are_ready(server: Server) -> None:
    """A node whose kubelet is silent is not ready."""
    cloud: Any = Cloud(server)
    first, second = kubernetes.Clusters().nodes(cloud, "id")
    assert (first.name, first.is_ready, first.labels, first.version) == ("a", True, {"nodepool": "workers"}, "v1.30.5")
    assert first.created.isoformat() == "2026-11-30T12:00:00+00:00"
    assert (second.name, second.is_ready) == ("b", False)


def test_a_credential_is_fetched_once_and_again_if_it_is_refused(server: Server) -> None:
    """The cloud is not asked at each look."""
    cloud: Any = Cloud(server)
    clusters = kubernetes.Clusters()
    for _ in range(3):
        clusters.nodes(cloud, "id")
    assert cloud.issued == 1
    server.token = "token-2"
    assert len(clusters.nodes(cloud, "id")) == 2
    assert cloud.issued == 2


@pytest.mark.parametrize("body", [[], {"items": [{}]}, {"items": None}, "nodes"])
def test_what_is_no_list_of_nodes_is_an_error(server: Server, body: Any) -> None:
    """A proxy may answer in place of the cluster."""
    server.body = body
    cloud: Any = Cloud(server)
    with pytest.raises(errors.PlantonError) as raised:
        kubernetes.Clusters().nodes(cloud, "id")
    assert raised.value.reason is errors.Reason.API_SERVER_CLOSED


def test_a_closed_port_is_an_error_without_the_token(server: Server) -> None:
    """Nothing answers there."""
    cloud: Any = Cloud(server)
    credential = cloud.credential("id")
    server.server_close()
    cloud.credential = lambda _cluster: credential
    with pytest.raises(errors.PlantonError) as raised:
        kubernetes.Clusters().nodes(cloud, "id")
    assert raised.value.reason is errors.Reason.API_SERVER_CLOSED
    assert "token-1" not in str(raised.value)
