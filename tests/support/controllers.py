"""The NodePool API with controllers and a sandbox, as users and operators run them."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from planton import client, clouds
from planton.config import credentials
from support import planton as planton_support
from support import serving, waiting

SIZES = {"civo": "g4s.kube.small", "digitalocean": "s-2vcpu-4gb"}
OTHER_SIZES = {"civo": "g4s.kube.medium", "digitalocean": "s-4vcpu-8gb"}
REGIONS = {"civo": "LON1", "digitalocean": "fra1", "gcp": "us-central1"}
#: The sandbox's clocks run so much faster than this machine's.
SPEED = 10


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """A user of the API, its server, and the sandbox behind it.

    Attributes:
        user: The user of the sandbox.
        server: The API.
        api: The user's client.
        cloud: The cloud of the test.
    """

    user: planton_support.Planton
    server: serving.Server
    api: client.Client
    cloud: str

    @property
    def control(self) -> Any:
        """The control endpoint of the sandbox."""
        return self.user.sandbox.control

    def create_cluster(self, name: str = "production", *, credential: str = "", **spec: Any) -> str:
        """Create a cluster and return its id."""
        own = {"region": REGIONS[self.cloud], "defaultPool": {"size": SIZES[self.cloud], "nodeCount": 1}}
        own |= {"credential": credential} if credential else {}
        body = {"name": name, "spec": {"platform": {"type": self.cloud, self.cloud: own}, **spec}}
        return str(self.server.call("POST", "/clusters", body)["id"])

    def create_pool(self, cluster: str, name: str = "workers", **spec: Any) -> str:
        """Create a node pool and return its id."""
        body = {"name": name, "spec": self.pool_spec(**spec)}
        return str(self.server.call("POST", f"/clusters/{cluster}/nodepools", body)["id"])

    def pool_spec(self, *, size: str = "", **spec: Any) -> dict[str, Any]:
        """Return the spec of a node pool."""
        return {"nodeCount": 2, "platform": {"type": self.cloud, self.cloud: {"size": size or SIZES[self.cloud]}}, **spec}

    def update_pool(self, pool: str, **spec: Any) -> None:
        """Replace the spec of a node pool."""
        self.server.call("PUT", f"/nodepools/{pool}", {"spec": self.pool_spec(**spec)})

    def status(self, path: str) -> dict[str, Any]:
        """Return the status of a resource with the report of its controller; the status is empty if it is gone."""
        try:
            return dict(self.server.call("GET", f"{path}/status"))
        except AssertionError as error:
            assert "NOT_FOUND" in str(error), error
            return {}

    def report(self, path: str) -> dict[str, Any]:
        """Return the report of the controller; empty if there is none."""
        listed = self.status(path).get("controller_status") or [{}]
        return dict(listed[0])

    def conditions(self, path: str) -> dict[str, tuple[str, str, str]]:
        """Return the conditions of a resource: type → status, reason, message."""
        return {
            each["type"]: (each["status"], each["reason"], each["message"]) for each in self.report(path).get("conditions", ())
        }

    def until(self, path: str, fact: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """Wait until the status of a resource shows a fact, and return it."""

        def item() -> dict[str, Any]:
            status = self.status(path)
            return status if fact(status) else {}

        return waiting.until(item, f"{what}: {path}")

    def until_ready(self, path: str, generation: int = 1) -> dict[str, Any]:
        """Wait until a generation of a resource is ready."""

        def is_ready(status: dict[str, Any]) -> bool:
            own = status.get("status") or {}
            return own.get("phase") == "Ready" and own.get("observedGeneration") == generation

        return self.until(path, is_ready, f"generation {generation} to be ready")

    def until_gone(self, path: str) -> None:
        """Wait until the API does not have a resource any longer, also not for controllers."""

        def is_gone() -> bool:
            answer = self.server.client.get(f"/api/v1{path}", headers={"X-User-Email": "test@system.local"})
            return answer.status_code == 404

        waiting.until(is_gone, f"{path} to be gone")

    def nodes(self, selector: str) -> list[str]:
        """Return the names of the nodes of the only cluster that have a label, as kubectl lists them."""
        config = credentials.from_environment(self.cloud, self.user.environ)
        account = clouds.of(config, REGIONS[self.cloud])
        [cluster] = account.listed("cluster")
        credential = account.credential(cluster.id)
        assert credential is not None
        done = self.user.sandbox.kubectl(credential.kubeconfig, "get", "nodes", "-l", selector, "-o", "name")
        return sorted(done.stdout.split())

    def clusters(self) -> list[dict[str, Any]]:
        """Return the clusters in the cloud."""
        return list(self.control.resources(self.cloud)["clusters"])


@dataclasses.dataclass(slots=True)
class Controller:
    """A process of controllers.

    Attributes:
        process: The process.
        log: What it writes to stderr.
    """

    process: subprocess.Popen[bytes]
    log: pathlib.Path

    def kill(self) -> None:
        """Kill it as a machine that fails does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(waiting.TIMEOUT_SECONDS)


@contextlib.contextmanager
def controller(world: World, name: str, *options: str, **environ: str) -> Iterator[Controller]:
    """Run a process of controllers, with more variables."""
    log = world.user.folder / f"{name}.log"
    command = [sys.executable, "-m", "planton", "controller", "run", "--server", world.server.url, "--interval", "2", *options]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=file, env=world.user.environ | environ)
    running = Controller(process, log)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.stop()


@contextlib.contextmanager
def world(folder: pathlib.Path, cloud: str, *options: str, speed: int = SPEED) -> Iterator[World]:
    """Run a sandbox and a server."""
    with planton_support.using(folder / "user", speed=speed) as user, served(user, folder, cloud, *options) as made:
        yield made


@contextlib.contextmanager
def served(user: planton_support.Planton, folder: pathlib.Path, cloud: str, *options: str) -> Iterator[World]:
    """Run a server for the user of a sandbox."""
    environment = user.environ | {"PLANTON_CONTROLLER_INTERVAL": "2"}
    with serving.running(folder, *options, environment=environment) as server:
        api = client.Client(server.url, email=serving.USER["X-User-Email"])
        yield World(user, server, api, cloud)
