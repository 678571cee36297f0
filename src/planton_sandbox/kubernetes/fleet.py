"""The clusters' Kubernetes APIs: one TLS port for each open cluster.

`Fleet.follow` opens and closes ports as the clouds require. The port of a cluster that is closed, by a firewall or because it is
not built, stays reserved and refuses connections.
"""

from __future__ import annotations

import asyncio
import dataclasses
import pathlib
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from planton_sandbox import pki, ports
from planton_sandbox.kubernetes import nodes

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
GRACE_SECONDS = 0.2
# More than the API itself takes, so that it can refuse a body in its own words.
MAXIMUM_BODY = 4 * 1024 * 1024


@dataclasses.dataclass(slots=True)
class _Served:
    port: int
    runner: web.AppRunner | None = None


class Fleet:
    """The served clusters by id.

    Args:
        reserved: The ports of the sandbox.
        handler: Returns the function that answers for a cluster.
        on_move: Is called when a cluster has to use another port.
    """

    def __init__(self, reserved: ports.Ports, *, handler: Callable[[str], Handler], on_move: Callable[[str, int], None]) -> None:
        """Creates a fleet without clusters."""
        self._ports = reserved
        self._handler = handler
        self._on_move = on_move
        self._served: dict[str, _Served] = {}
        self._lock = asyncio.Lock()

    async def follow(self, clusters: Sequence[nodes.Cluster]) -> None:
        """Opens and closes ports so that exactly the open clusters answer."""
        async with self._lock:
            present = {cluster.id for cluster in clusters}
            for key in [key for key in self._served if key not in present]:
                closed = self._served.pop(key)
                await self._shut(closed)
                self._ports.release(closed.port)
            for cluster in clusters:
                await self._follow_one(cluster)

    async def close(self) -> None:
        """Closes all ports."""
        await self.follow([])

    async def _follow_one(self, cluster: nodes.Cluster) -> None:
        served = self._served.get(cluster.id)
        if served is None:
            port = self._ports.reserve(cluster.port)
            if port != cluster.port:
                self._on_move(cluster.id, port)
            served = self._served[cluster.id] = _Served(port=port)
        if cluster.open and served.runner is None:
            await self._open(served, cluster)
        elif not cluster.open and served.runner is not None:
            await self._shut(served)
            port = self._ports.reserve(served.port)
            if port != served.port:
                served.port = port
                self._on_move(cluster.id, port)

    async def _open(self, served: _Served, cluster: nodes.Cluster) -> None:
        application = web.Application(client_max_size=MAXIMUM_BODY)
        application.router.add_route("*", "/{path:.*}", self._handler(cluster.id))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=GRACE_SECONDS)
        await runner.setup()
        site = web.SockSite(runner, self._ports.take(served.port), ssl_context=_context(cluster.credentials))
        await site.start()
        served.runner = runner

    async def _shut(self, served: _Served) -> None:
        if served.runner is not None:
            await served.runner.cleanup()
            served.runner = None


def _context(credentials: pki.Credentials) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        chain = pathlib.Path(folder) / "server.pem"
        chain.touch(mode=0o600)
        chain.write_text(credentials.server + credentials.server_key, encoding="utf-8")
        context.load_cert_chain(chain)
    context.load_verify_locations(cadata=credentials.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context
