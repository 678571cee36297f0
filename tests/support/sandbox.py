"""A running sandbox for tests, on free ports, in a thread of this process.

The fixture `sandbox` has no stand-in plugins. `running` starts a sandbox with other options, for end-to-end tests and restarts.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from planton_sandbox import launch, server, variables

START_SECONDS = 30.0
KUBECTL = shutil.which("kubectl") or shutil.which("kubectl", path=str(pathlib.Path(sys.executable).parent))


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The response to a call: the status and the decoded body."""

    status: int
    body: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Control:
    """A client of the control endpoint."""

    info: launch.Info

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Calls ``/sandbox`` + ``path``."""
        return launch.call(self.info, method, f"/sandbox{path}", body)

    def advance(self, seconds: float) -> None:
        """Advances the simulated time."""
        self.call("POST", "/clock", {"advance": seconds})

    def latency(self, latency: str) -> None:
        """Changes the pace."""
        self.call("POST", "/clock", {"latency": latency})

    def fault(self, **rule: Any) -> int:
        """Adds a fault and returns its number."""
        return int(self.call("POST", "/faults", rule)["id"])

    def struck(self) -> bool:
        """Returns whether every fault has been applied to a request."""
        return all(each["struck"] for each in self.call("GET", "/faults")["faults"])

    def clear_faults(self) -> None:
        """Removes all faults."""
        self.call("DELETE", "/faults")

    def outside(self, action: str, *, cloud: str = "civo", **body: Any) -> Any:
        """Makes an out-of-band change in a cloud."""
        return self.call("POST", f"/clouds/{cloud}/{action}", body)

    def resources(self, cloud: str = "civo") -> Any:
        """Returns the resources of the default account in a cloud."""
        return self.outside("resources", cloud=cloud)

    def mark(self) -> int:
        """Returns the number of the newest request in the log."""
        return int(self.call("GET", "/requests")["last"])

    def requests(self, since: int = 0, cloud: str = "") -> list[dict[str, Any]]:
        """Returns the requests after a number, of one cloud or of all."""
        return list(self.call("GET", f"/requests?since={since}&cloud={cloud}")["requests"])


@dataclasses.dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox and its clients."""

    home: pathlib.Path
    info: launch.Info

    @property
    def control(self) -> Control:
        """The control endpoint."""
        return Control(self.info)

    @property
    def civo(self) -> str:
        """The URL of the Civo API."""
        return self.info.clouds["civo"]

    @property
    def digitalocean(self) -> str:
        """The URL of the DigitalOcean API."""
        return self.info.clouds["digitalocean"]

    @property
    def token(self) -> str:
        """The token of the default account."""
        return self.info.tokens["civo"]

    @property
    def env(self) -> dict[str, str]:
        """The variables with its addresses, including those of the stand-in plugins."""
        attached = variables.debug_providers(self.info)
        return variables.environment(self.info) | ({"PULUMI_DEBUG_PROVIDERS": attached} if attached else {})

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        region: str = "LON1",
    ) -> Answer:
        """Calls the Civo API like its Go client, which sends a wrong content encoding."""
        url = f"{self.civo}/v2{path}"
        if method in ("GET", "DELETE"):
            url += f"{'&' if '?' in path else '?'}region={region}"
        data = json.dumps({"region": region, **(body or {})}).encode() if method in ("POST", "PUT") else None
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Content-Encoding": "gzip"}
        headers["Authorization"] = f"bearer {self.token if token is None else token}"
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error))

    def kubectl(self, kubeconfig: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs kubectl with the text of a kubeconfig."""
        assert KUBECTL is not None
        path = self.home / "kubeconfig"
        path.write_text(kubeconfig, encoding="utf-8")
        environment = {"KUBECONFIG": str(path), "HOME": str(self.home), "PATH": "/usr/bin:/bin"}
        return subprocess.run([KUBECTL, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=check)


@contextlib.contextmanager
def running(
    home: pathlib.Path,
    *,
    latency: str = "instant",
    providers: bool = False,
    source: Callable[[], float] = time.time,
    speed: float = 1.0,
) -> Iterator[Sandbox]:
    """Runs a sandbox in a thread until the block ends; its state is in ``home``."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        options = server.Options(home=home, latency=latency, providers=providers, source=source, speed=speed)
        running_server = asyncio.run_coroutine_threadsafe(_start(options), loop).result(START_SECONDS)
        try:
            yield Sandbox(home=home, info=launch.Info(**running_server.info))
        finally:
            asyncio.run_coroutine_threadsafe(running_server.stop(), loop).result(START_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_SECONDS)
        loop.close()


async def _start(options: server.Options) -> server.Server:
    running_server = server.Server(options)
    await running_server.start()
    return running_server


@pytest.fixture
def sandbox(tmp_path: pathlib.Path) -> Iterator[Sandbox]:
    """A new sandbox with instant latency, without stand-in plugins."""
    with running(tmp_path / "sandbox") as running_sandbox:
        yield running_sandbox
