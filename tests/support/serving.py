"""The API's server as a process of its own, as an operator runs it."""

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

#: What a controller says of a pool.
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
        url: Where it is.
        log: What it writes to stderr.
        process: Its first process.
        client: Of the API.
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
        """Wait until it serves."""
        waiting.until(self._answers, f"the server, which says {self.log.read_text()}")
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/health").status_code in {200, 503}
        return False

    def call(self, verb: str, path: str, body: object = None, **options: Any) -> Any:
        """Return the body of an answer that is a success."""
        answer = self.client.request(verb, f"/api/v1{path}", json=body, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def pool(self, **spec: Any) -> tuple[str, str]:
        """Make a cluster and a node pool in it, and return their ids."""
        cluster = self.call("POST", "/clusters", CLUSTER)["id"]
        return cluster, self.call("POST", f"/clusters/{cluster}/nodepools", POOL | {"spec": POOL["spec"] | spec})["id"]

    def lines(self, message: str = "") -> list[dict[str, Any]]:
        """Return the lines of the log that are JSON, of one message only where one is named."""
        found = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in found if not message or line["message"] == message]

    def stop(self) -> int:
        """Ask it to stop, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(waiting.TIMEOUT_SECONDS)

    def close(self) -> None:
        """End it, and the workers below it."""
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(waiting.TIMEOUT_SECONDS)
            finally:
                self.process.kill()


@contextlib.contextmanager
def running(folder: pathlib.Path, *options: str, **rest: Any) -> Iterator[Server]:
    """Yield a server that serves, on a SQLite file in a folder where nothing else is said."""
    given = options if "--database-url" in options else ("--database-url", f"sqlite:///{folder / 'server.db'}", *options)
    server = Server(folder / "server.log", *given, **rest)
    try:
        yield server.ready()
    finally:
        server.close()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def status_of(process: int, name: str) -> str:
    """Return what Linux says of a process, e.g. ``VmHWM``, the most memory that it had."""
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))
