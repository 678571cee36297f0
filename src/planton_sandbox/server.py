"""The sandbox as a running process: all sockets, kept in step with the world.

`Server.start` returns when everything answers and the information file is written; `Server.stop` removes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib
import json
import logging
import os
import pathlib
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from planton_sandbox import clients, clock, control, files, front, ports, sparing, world
from planton_sandbox.kubernetes import api, fleet

LOGGER = logging.getLogger(__name__)
TICK_SECONDS = 0.2
PROVIDER_WAIT_SECONDS = 0.005
PROVIDER_PACKAGES = ("pulumi", "grpc", "google")


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """How to serve.

    Attributes:
        home: The folder of the information and state files.
        latency: ``instant`` or ``realistic``.
        port: The control port; 0 for the previous one, or any.
        providers: Whether to start the stand-in plugins.
        source: Returns the real time in seconds since the epoch.
        speed: How much faster than this machine's the time of ``source`` runs. The stand-ins wait so much shorter.
    """

    home: pathlib.Path
    latency: str = clock.INSTANT
    port: int = 0
    providers: bool = True
    source: Callable[[], float] = time.time
    speed: float = 1.0


class Server:
    """A running sandbox."""

    def __init__(self, options: Options) -> None:
        """Prepares a sandbox in ``options.home``; nothing listens yet."""
        self._options = options
        files.prepare(options.home)
        self.world = world.World(options.home / files.STATE, latency=options.latency, source=options.source)
        self.info: dict[str, Any] = {}
        self._front = front.Front(self.world, on_change=self._follow)
        self._fleet = fleet.Fleet(self.world.ports, handler=self._kubernetes, on_move=self.world.change_port)
        self._runners: list[web.AppRunner] = []
        self._providers: list[Any] = []
        self._ticker: asyncio.Task[None] | None = None
        self._following = sparing.Spared(self.world.is_large)

    async def start(self) -> None:
        """Opens all sockets and writes the information file."""
        if self._options.port:
            self.world.numbers["control"] = self._options.port
        self._keep_cluster_ports()
        clouds = {name: await self._serve(name, self._front.cloud(name)) for name in self.world.clouds}
        endpoint = await self._serve("control", control.Control(self.world, on_change=self._follow).application())
        self.world.settle()
        await self._follow()
        providers = self._start_providers(clouds) if self._options.providers else {}
        keys = {name: cloud.key_file(clouds[name]) for name, cloud in self.world.clouds.items()}
        self.world.save()
        tokens = {name: cloud.token for name, cloud in self.world.clouds.items()}
        self.info = {
            "pid": os.getpid(),
            "version": control.VERSION,
            "latency": self.world.pace.latency,
            "control": endpoint,
            "clouds": clouds,
            "providers": providers,
            "files": clients.write(self._options.home, clouds=clouds, tokens=tokens, keys=keys),
            "tokens": tokens,
        }
        self._ticker = asyncio.create_task(self._tick())
        files.write(self._options.home / files.INFO, json.dumps(self.info, indent=2) + "\n")

    async def stop(self) -> None:
        """Removes the information file, saves the state, and closes all sockets."""
        (self._options.home / files.INFO).unlink(missing_ok=True)
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
        for provider in self._providers:
            await asyncio.to_thread(provider.stop)
        for runner in self._runners:
            await runner.cleanup()
        self.world.save(always=True)
        await self._fleet.close()
        self.world.ports.close()

    def _keep_cluster_ports(self) -> None:
        for cluster in self.world.kubernetes():
            port = self.world.ports.reserve(cluster.port)
            if port != cluster.port:
                LOGGER.warning("port %d of cluster %s is taken; using %d instead", cluster.port, cluster.name, port)
                self.world.change_port(cluster.id, port)

    async def _serve(self, name: str, application: web.Application) -> str:
        reserved = self.world.ports
        number = self.world.numbers[name] = reserved.reserve(self.world.numbers.get(name, 0))
        runner = web.AppRunner(application, access_log=None, auto_decompress=False, shutdown_timeout=fleet.GRACE_SECONDS)
        await runner.setup()
        await web.SockSite(runner, reserved.take(number)).start()
        self._runners.append(runner)
        return f"http://{ports.HOST}:{number}"

    def _start_providers(self, endpoints: dict[str, str]) -> dict[str, int]:
        started: dict[str, int] = {}
        for name, endpoint in endpoints.items():
            try:
                module = importlib.import_module(f"planton_sandbox.providers.{name}.plugin")
            except ModuleNotFoundError as error:
                if (error.name or "").partition(".")[0] not in PROVIDER_PACKAGES:
                    raise
                LOGGER.warning("no stand-in plugin for %s: %s", name, error)
                continue
            number = self.world.ports.reserve(self.world.numbers.get(f"provider-{name}", 0))
            self.world.ports.release(number)
            provider = module.serve(endpoint, number, wait=self._wait)
            self._providers.append(provider)
            started[name] = self.world.numbers[f"provider-{name}"] = int(provider.port)
        return started

    def _wait(self, seconds: float) -> None:
        is_realistic = self.world.pace.latency == clock.REALISTIC
        time.sleep(seconds / self._options.speed if is_realistic else min(seconds, PROVIDER_WAIT_SECONDS))

    def _kubernetes(self, cluster: str) -> fleet.Handler:
        served = api.Api(
            lambda: self.world.read_cluster(cluster),
            poll=lambda: self.world.poll_cluster(cluster),
            settle=lambda: self.world.settle_cluster(cluster),
        )
        return self._front.kubernetes(cluster, served.handle)

    async def _follow(self) -> None:
        await self._following.do_async(self._follow_now)

    async def _follow_now(self) -> None:
        clusters = self.world.kubernetes()
        self.world.follow(clusters)
        await self._fleet.follow(clusters)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                if self.world.settle():
                    self.world.save()
                    await self._follow()
                self.world.catch_up()
                if self._following.is_late:
                    await self._follow()
                self.world.simulations.save()
            except OSError:
                LOGGER.exception("the changes of the clouds could not be applied")
