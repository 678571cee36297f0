"""The simulated Google Cloud with `google-cloud-container`, the official Python client, over REST."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.sandbox import Answer, Sandbox

PROJECT = "sandbox-project"
REGION = "us-central1"
PLACE = f"projects/{PROJECT}/locations/{REGION}"
ZONES = ["us-central1-a", "us-central1-b"]
RANGES = {"use_ip_aliases": True, "cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"}
_PROGRAM = pathlib.Path(__file__).with_name("gke_process.py")


class Refused(Exception):
    """The official client's error: the HTTP status and the text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Message(dict[str, Any]):
    """A message of the API, with its fields as attributes; an unset block is empty."""

    def __getattr__(self, name: str) -> Any:
        """Returns a field."""
        return self.get(name, Message())


@functools.cache
def _process() -> subprocess.Popen[str]:
    """Returns the process of the official client; there is one for all tests of a worker."""
    process = subprocess.Popen([sys.executable, str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop() -> None:
        with process:
            assert process.stdin is not None
            process.stdin.close()

    atexit.register(stop)
    return process


class Api:
    """The methods of the official client."""

    def __init__(self, host: str, token: str) -> None:
        self._host, self._token = host, token

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Returns a method, which raises `Refused`."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            process = _process()
            assert process.stdin is not None
            assert process.stdout is not None
            body = {"host": self._host, "token": self._token, "method": name, "arguments": arguments, "keywords": keywords}
            process.stdin.write(json.dumps(body) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline(), object_hook=Message)
            if "status" in answer:
                raise Refused(answer["status"], answer["message"])
            return answer["result"]

        return call


class Gke:
    """A client of GKE, and a plain one for what the official client does not have."""

    def __init__(self, sandbox: Sandbox, token: str = "sandbox-token") -> None:
        """Creates a client with an access token."""
        self.sandbox = sandbox
        self.token = token
        self.api = Api(sandbox.info.clouds["gcp"].removeprefix("http://"), token)

    def wait(self, operation: Message) -> Message:
        """Polls an operation until it is done, and returns its last state."""
        name = f"projects/{PROJECT}/locations/{operation.location}/operations/{operation.name}"
        while operation.status != "DONE":
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
def refused(status: int, text: str) -> Iterator[None]:
    """Expects that the cloud refuses a request with a status and a text."""
    with pytest.raises(Refused, match=text) as caught:
        yield
    assert caught.value.status == status
