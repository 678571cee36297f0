"""The server: puts store, service and transports together, starts and stops them.

A stop finishes what has begun: requests get their answers, streams end and their clients come back with their cursors.
"""

from __future__ import annotations

import asyncio
import datetime
import gc
import os
import signal
import tempfile
from typing import TYPE_CHECKING, Any, Final

import prometheus_client
import uvicorn
from uvicorn.supervisors import Multiprocess

from planton.api import auth, calls, grpc_server, observe, rest, roots, routes, service, settings, timers
from planton.store import database

if TYPE_CHECKING:
    import types

    import grpc
    from starlette.types import ASGIApp, Receive, Scope, Send

#: Seconds that a stop waits for requests and calls.
GRACE: Final = 30


def run(wanted: settings.Settings) -> None:
    """Serves until a signal says to stop. The database must have been migrated."""
    os.environ[settings.VARIABLE] = wanted.dump()
    config = uvicorn.Config(
        "planton.api.server:from_environment",
        factory=True,
        host=wanted.host,
        port=wanted.port,
        workers=wanted.workers,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE,
        ws="none",
        proxy_headers=False,
    )
    if wanted.workers > 1:
        with tempfile.TemporaryDirectory(prefix="planton-metrics-") as folder:
            os.environ[observe.FOLDER] = folder
            Multiprocess(config, sockets=[config.bind_socket()]).run()
    else:
        uvicorn.Server(config).run()


def from_environment() -> Application:
    """Returns the application as the worker's environment says it."""
    wanted = settings.Settings.load(os.environ[settings.VARIABLE])
    # The command line has switched it off, for the short time that others run.
    gc.enable()
    observe.log_to_stderr(wanted.log_level, access=wanted.access_log)
    return Application(wanted)


class Application:
    """The ASGI application. It lives from ``lifespan.startup`` on: connections belong to a loop.

    Attributes:
        settings: What the operator sets.
    """

    def __init__(self, wanted: settings.Settings) -> None:
        self.settings = wanted
        self._stopping = False
        self._app: ASGIApp | None = None
        self._store: database.Database | None = None
        self._grpc: grpc.aio.Server | None = None
        self._timers: timers.Timers | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, or starts and stops."""
        if scope["type"] != "lifespan":
            assert self._app is not None, "requests come after the start"
            await self._app(scope, receive, send)
            return
        await receive()
        try:
            await self.start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Connects and begins to serve gRPC; REST is served by what calls this application."""
        self._store = await database.connect(self.settings.database_url, connections=self.settings.connections)
        observer = observe.Observer(prometheus_client.CollectorRegistry(), self._store.connections)
        running = calls.Calls(
            service.Service(self._store, self.settings.policy),
            auth.Authenticator(self.settings.trust, self._store),
            calls.RateLimit(self.settings.rate, self.settings.burst),
            lambda: datetime.datetime.now(datetime.UTC),
        )
        self._app = rest.application(
            running, roots=roots.routes(self._store, self.settings, observer), observer=observer, stopping=lambda: self._stopping
        )
        if self.settings.grpc_port:
            self._grpc, healthy = grpc_server.serve(running, observer)
            self._grpc.add_insecure_port(f"{self.settings.host}:{self.settings.grpc_port}")
            await grpc_server.set_health(healthy, sorted({route.service for route in routes.routes()}), serving=True)
            await self._grpc.start()
        self._timers = timers.Timers(self.settings, observer.ticked)
        self._timers.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._hear(number)

    async def stop(self) -> None:
        """Ends streams, waits for calls, closes connections."""
        self._stopping = True
        if self._grpc is not None:
            await self._grpc.stop(GRACE)
        if self._timers is not None:
            await asyncio.to_thread(self._timers.stop)
        if self._store is not None:
            await asyncio.wait_for(self._store.close(), GRACE)

    def _hear(self, number: signal.Signals) -> None:
        """Learns of a signal before the server below waits for open streams, which end only because of this."""
        before: Any = signal.getsignal(number)  # a function, or one of two constants

        def heard(signum: int, frame: types.FrameType | None) -> None:
            self._stopping = True
            if callable(before):
                before(signum, frame)

        signal.signal(number, heard)
