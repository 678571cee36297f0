"""The API server with an operator's settings: as a process, or in this process."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx

from planton_server import server, settings
from support import api, sqlite_file, waiting

USER = {"X-User-Email": "user@example.com"}
CLUSTER = {"name": "cluster-1", "spec": {"platform": {"type": "gcp", "gcp": {"projectID": "p", "region": "us-central1"}}}}
POOL = {
    "name": "pool-1",
    "spec": {"nodeCount": 3, "platform": {"type": "gcp", "gcp": {"machineType": "n1-standard-4", "zones": ["us-central1-a"]}}},
}

#: A controller's report about a pool.
REPORT = {
    "controller_name": "gcp-controller",
    "observed_generation": 1,
    "conditions": [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2025-10-17T10:30:00Z", "reason": "R", "message": "m"}
    ],
    "metadata": {"active_nodes": 2, "desired_nodes": 4},
}


class Caller:
    """What calls a server.

    Attributes:
        client: A client that names a user.
        anonymous: A client that names nobody. Each of its requests has a connection of its own.
    """

    client: httpx.Client | InProcess
    anonymous: httpx.Client | InProcess

    def call(self, verb: str, path: str, body: object = None, **options: Any) -> Any:
        """Returns the body of a successful response."""
        response = self.client.request(verb, f"/api/v1{path}", json=body, **options)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def pool(self, **spec: Any) -> tuple[str, str]:
        """Creates a cluster and a node pool in it, and returns their IDs."""
        cluster = self.call("POST", "/clusters", CLUSTER)["id"]
        return cluster, self.call("POST", f"/clusters/{cluster}/nodepools", POOL | {"spec": POOL["spec"] | spec})["id"]


class Server(Caller):
    """A running server.

    Attributes:
        url: Its URL.
        log: The file with its standard error.
        process: Its first process.
    """

    client: httpx.Client
    anonymous: httpx.Client

    def __init__(
        self, log: pathlib.Path, *options: str, port: int | None = None, environment: dict[str, str] | None = None
    ) -> None:
        self.log = log
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "planton", "server", "start", "--port", str(port), *options]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stderr=file, stdin=subprocess.DEVNULL, env=os.environ | (environment or {}))
        both = {"base_url": self.url, "timeout": waiting.TIMEOUT_SECONDS, "verify": False}
        self.client = httpx.Client(headers=USER, **both)
        self.anonymous = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), **both)

    def ready(self) -> Server:
        """Waits until the server responds."""
        waiting.until(self._responds, f"the server with the log {self.log.read_text()}")
        return self

    def _responds(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return responds(self.client)

    def lines(self, message: str = "") -> list[dict[str, Any]]:
        """Returns the JSON lines of the log, optionally those of one message."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if not message or line["message"] == message]

    def stop(self) -> int:
        """Stops the server, and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(waiting.TIMEOUT_SECONDS)

    def close(self) -> None:
        """Stops the server and its workers."""
        self.client.close()
        self.anonymous.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(waiting.TIMEOUT_SECONDS)
            finally:
                self.process.kill()


@contextlib.contextmanager
def running(folder: pathlib.Path, *options: str, **rest: Any) -> Iterator[Server]:
    """Yields a running server, by default with a SQLite file in the folder."""
    arguments = options if "--database-url" in options else ("--database-url", sqlite_file.create(folder / "server.db"), *options)
    server = Server(folder / "server.log", *arguments, **rest)
    try:
        yield server.ready()
    finally:
        server.close()


class InProcess:
    """A client of an application that runs on a loop of this process, from an address of this machine."""

    def __init__(self, loop: api.Loop, application: server.Application, **headers: str) -> None:
        transport = httpx.ASGITransport(application)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)
        self._loop = loop

    def request(self, verb: str, path: str, **options: Any) -> httpx.Response:
        """Returns the response to a request."""
        response: httpx.Response = self._loop.run(self._client.request(verb, path, **options))
        return response

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Returns the response to a GET request."""
        return self.request("GET", path, **options)


class Application(Caller):
    """A server in this process."""

    def __init__(self, loop: api.Loop, application: server.Application) -> None:
        self.client, self.anonymous = InProcess(loop, application, **USER), InProcess(loop, application)


@contextlib.contextmanager
def within(loop: api.Loop, url: str, **chosen: Any) -> Iterator[Application]:
    """Yields a server in this process, by default without timed work. It starts in a hundredth of the time."""
    application = server.Application(settings.Settings(url, **{"tick": 0, "trusted_header": True} | chosen))
    loop.run(application.start())
    try:
        yield Application(loop, application)
    finally:
        loop.run(application.stop())


def responds(client: httpx.Client) -> bool:
    """Returns whether the server of a client responds."""
    with contextlib.suppress(httpx.TransportError):
        return client.get("/health").status_code in {200, 503}
    return False


def free_port() -> int:
    """Returns a port that is currently free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def status_of(process: int, name: str) -> str:
    """Returns a field of a process in Linux, for example ``VmHWM``, its peak memory."""
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))
