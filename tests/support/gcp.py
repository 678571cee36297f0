"""The simulated Google Cloud with `google-cloud-container`, the official Python client, over REST."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import client_options, exceptions
from google.cloud import container_v1
from google.cloud.container_v1.services.cluster_manager.transports import rest
from google.oauth2 import credentials

from support.sandbox import Answer, Sandbox

PROJECT = "sandbox-project"
REGION = "us-central1"
PLACE = f"projects/{PROJECT}/locations/{REGION}"
ZONES = ["us-central1-a", "us-central1-b"]
RANGES = {"use_ip_aliases": True, "cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"}


class Gke:
    """A client of GKE, and a plain one for what the official client does not have."""

    def __init__(self, sandbox: Sandbox, token: str = "sandbox-token") -> None:
        """Creates a client with an access token."""
        self.sandbox = sandbox
        self.token = token
        host = sandbox.info.clouds["gcp"].removeprefix("http://")
        transport = rest.ClusterManagerRestTransport(
            host=host, url_scheme="http", credentials=credentials.Credentials(token=token)
        )
        self.api = container_v1.ClusterManagerClient(
            transport=transport, client_options=client_options.ClientOptions(api_endpoint=host)
        )

    def wait(self, operation: container_v1.Operation) -> container_v1.Operation:
        """Polls an operation until it is done, and returns its last state."""
        name = f"{PLACE.rpartition('/')[0]}/{operation.location}/operations/{operation.name}"
        while operation.status != container_v1.Operation.Status.DONE:
            operation = self.api.get_operation(name=name)
        return operation

    def cluster(self, name: str = "c1", location: str = REGION, **more: Any) -> str:
        """Creates a cluster with one node per zone, and returns its path."""
        body = {"name": name, "initial_node_count": 1, "ip_allocation_policy": RANGES, "locations": ZONES, **more}
        parent = f"projects/{PROJECT}/locations/{location}"
        self.wait(self.api.create_cluster(parent=parent, cluster=body))
        return f"{parent}/clusters/{name}"

    def pool(self, cluster: str, name: str = "workers", **more: Any) -> str:
        """Creates a pool with one node per zone, and returns its path."""
        body = {"name": name, "initial_node_count": 1, **more}
        self.wait(self.api.create_node_pool(parent=cluster, node_pool=body))
        return f"{cluster}/nodePools/{name}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Sends a plain request."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        url = self.sandbox.info.clouds["gcp"] + path
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error))

    def get(self, path: str) -> Any:
        """Returns the body of an answer to a plain GET."""
        answer = self.call("GET", path)
        assert answer.status == 200, answer.body
        return answer.body


@contextlib.contextmanager
def refused(kind: type[exceptions.GoogleAPICallError], text: str) -> Iterator[None]:
    """Expects that the cloud refuses a request with a text."""
    with pytest.raises(kind, match=text):
        yield
