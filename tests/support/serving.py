"""The API server as a process, as an operator runs it."""

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

from support import waiting

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


class Server:
    """A running server.

    Attributes:
        url: Its URL.
        log: The file with its standard error.
        process: Its first process.
        client: A client of its API.
    """

    def __init__(
        self, log: pathlib.Path, *options: str, port: int | None = None, environment: dict[str, str] | None = None
    ) -> None:
        self.log = log
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "planton", "server", "start", "--port", str(port), *options]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stderr=file, stdin=subprocess.DEVNULL, env=os.environ | (environment or {}))
        self.client = httpx.Client(base_url=self.url, headers=USER, timeout=waiting.TIMEOUT_SECONDS)

    def ready(self) -> Server:
        """Waits until the server responds."""
        waiting.until(self._responds, f"the server with the log {self.log.read_text()}")
        return self

    def _responds(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/health").status_code in {200, 503}
        return False

    def call(self, verb: str, path: str, body: object = None, **options: Any) -> Any:
        """Returns the body of a successful response."""
        response = self.client.request(verb, f"/api/v1{path}", json=body, **options)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def pool(self, **spec: Any) -> tuple[str, str]:
        """Creates a cluster and a node pool in it, and returns their IDs."""
        cluster = self.call("POST", "/clusters", CLUSTER)["id"]
        return cluster, self.call("POST", f"/clusters/{cluster}/nodepools", POOL | {"spec": POOL["spec"] | spec})["id"]

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
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(waiting.TIMEOUT_SECONDS)
            finally:
                self.process.kill()


@contextlib.contextmanager
def running(folder: pathlib.Path, *options: str, **settings: Any) -> Iterator[Server]:
    """Yields a running server, by default with a SQLite file in the folder."""
    arguments = options if "--database-url" in options else ("--database-url", f"sqlite:///{folder / 'server.db'}", *options)
    server = Server(folder / "server.log", *arguments, **settings)
    try:
        yield server.ready()
    finally:
        server.close()


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
