"""The server: assembles store, service and transports, starts them and stops them.

A stop finishes running requests. Event streams end, and their clients reconnect with their cursors.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import tempfile
import threading
from typing import TYPE_CHECKING, Any, Final

import prometheus_client
import uvicorn
from uvicorn.supervisors import Multiprocess

from planton_server import auth, calls, observe, settings
from planton_server.http import connections, hosts, rest, roots
from planton_server.service import methods, timers, workers
from planton_server.store import database

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

    import grpc
    from starlette.types import ASGIApp, Receive, Scope, Send

    from planton_server import tracing
    from planton_server.grpc import health

#: Seconds that a stop waits for requests and calls.
GRACE: Final = 30


class _Server(uvicorn.Server):
    """Serves in this process. At the first signal it calls a function, and stops afterwards; a second signal stops it at once."""

    def __init__(self, config: uvicorn.Config, before_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_stop = before_stop
        self._is_stopping = False

    def handle_exit(self, sig: int, frame: types.FrameType | None) -> None:
        """Handles a signal. Requests are answered by this thread, so another one waits for the function."""
        if self._is_stopping:
            super().handle_exit(sig, frame)
            return
        self._is_stopping = True
        threading.Thread(target=self._stop, args=(sig, frame), daemon=True).start()

    def _stop(self, sig: int, frame: types.FrameType | None) -> None:
        try:
            self._before_stop()
        finally:
            super().handle_exit(sig, frame)


class _Supervisor(Multiprocess):
    """Supervises the processes that serve. It calls a function before it stops them."""

    def __init__(self, config: uvicorn.Config, before_stop: Callable[[], None]) -> None:
        super().__init__(config, sockets=[config.bind_socket()])
        self._before_stop = before_stop

    def handle_int(self) -> None:
        """Handles SIGINT."""
        self._before_stop()
        super().handle_int()

    def handle_term(self) -> None:
        """Handles SIGTERM."""
        self._before_stop()
        super().handle_term()


def run(chosen: settings.Settings, *, before_stop: Callable[[], None] = lambda: None) -> None:
    """Serves until a signal stops the server. The database must have been migrated.

    Args:
        chosen: The operator's settings.
        before_stop: Is called at a signal, while requests are still answered. The server stops when it returns.
    """
    os.environ[settings.VARIABLE] = chosen.dump()
    config = uvicorn.Config(
        "planton_server.server:from_environment",
        factory=True,
        host=chosen.host,
        port=chosen.port,
        workers=chosen.workers,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE,
        ws="none",
        proxy_headers=False,
        http=connections.Protocol,
    )
    if chosen.workers > 1:
        with tempfile.TemporaryDirectory(prefix="planton-metrics-") as folder:
            os.environ[observe.FOLDER] = folder
            _Supervisor(config, before_stop).run()
    else:
        # uvicorn sends itself the signal again when it has stopped. A requested stop is a success.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        _Server(config, before_stop).run()


def _end(_number: int, _frame: types.FrameType | None) -> None:
    raise SystemExit(0)


def _untraced() -> str | None:
    return None


def from_environment() -> Application:
    """Returns the application with the settings in the worker's environment."""
    # The command line disables the collector, because most commands are short.
    gc.enable()
    chosen = settings.Settings.load(os.environ[settings.VARIABLE])
    observe.log_to_stderr(chosen.log_level, access=chosen.access_log)
    return Application(chosen)


class Application:
    """The ASGI application. Its parts are created at ``lifespan.startup``, because connections belong to an event loop.

    Attributes:
        settings: The operator's settings.
    """

    def __init__(self, chosen: settings.Settings) -> None:
        self.settings = chosen
        self._is_stopping = False
        self._app: ASGIApp | None = None
        self._store: database.Database | None = None
        self._grpc: grpc.aio.Server | None = None
        self._health: health.Health | None = None
        self._timers: timers.Timers | None = None
        self._traces: tracing.Traces | None = None
        self._workers: workers.Workers | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, or starts and stops the server."""
        if scope["type"] != "lifespan":
            assert self._app is not None, "requests come after the start"
            await self._app(scope, receive, send)
            return
        await receive()
        try:
            await self.start()
            self._listen(signal.SIGTERM)
            if self.settings.workers > 1:
                # Ctrl-C reaches all processes of a terminal, but the supervisor decides when its workers stop.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            else:
                self._listen(signal.SIGINT)
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Connects to the database and starts timed work and gRPC. REST requests arrive through this application."""
        untraced = store = await database.connect(self.settings.database_url, connections=self.settings.connections)
        note, traceparent = None, _untraced
        if self.settings.otlp_endpoint:
            from planton_server import tracing  # noqa: PLC0415  # a fifth of a second, only for traces

            self._traces = tracing.Traces(self.settings.otlp_endpoint)
            note, traceparent = tracing.note, tracing.traceparent
            store = self._traces.store(store)
        self._store = store
        observer = observe.Observer(prometheus_client.CollectorRegistry(), store.connections, note)
        self._timers = timers.Timers(self.settings, observer.ticked)
        observer.watch(self._timers.state)
        # Without traces, because these are for requests.
        self._workers = workers.Workers(untraced, self.settings.work, observer.worked)
        with contextlib.suppress(database.UnavailableError):
            await self._workers.refresh()
        self._watching = asyncio.create_task(self._workers.watch())
        authenticator = auth.Authenticator(self.settings.trust, store)
        running = calls.Calls(
            methods.Service(store, self.settings.policy, self._workers, traceparent=traceparent),
            authenticator,
            calls.RateLimit(self.settings.rate, self.settings.burst),
            self._timers.clock,
        )
        extra_routes = roots.routes(store, self.settings, observer, authenticator, self._timers.state)
        app = rest.application(running, roots=extra_routes, observer=observer, is_stopping=lambda: self._is_stopping)
        if self.settings.trusted_header:
            app = hosts.Guard(app, self.settings.trusted_proxies)
        self._app = self._traces.app(app) if self._traces else app
        if self.settings.grpc_port:
            await self._serve_grpc(running, observer, store, self._timers.state)
        self._timers.start()

    async def _serve_grpc(
        self, running: calls.Calls, observer: observe.Observer, store: database.Database, timed_work: Callable[[], str]
    ) -> None:
        from planton_server.grpc import health, server  # noqa: PLC0415  # 12 MB, only for gRPC

        self._health = health.Health(store, timed_work=timed_work)
        self._grpc = server.serve(running, self._health, observer, self._traces.interceptors() if self._traces else ())
        self._grpc.add_insecure_port(self.settings.address(self.settings.grpc_port))
        await self._grpc.start()

    async def stop(self) -> None:
        """Ends event streams, waits for running calls and closes all connections."""
        self._is_stopping = True
        if self._workers is not None and self._watching is not None:
            self._workers.stop()
            self._watching.cancel()
        if self._grpc is not None and self._health is not None:
            self._health.stop()
            await self._grpc.stop(GRACE)
        if self._timers is not None:
            await asyncio.to_thread(self._timers.stop)
        if self._store is not None:
            await asyncio.wait_for(self._store.close(), GRACE)
        if self._traces is not None:
            await asyncio.to_thread(self._traces.stop)

    def _listen(self, number: signal.Signals) -> None:
        """Notes a signal before uvicorn waits for open streams, which end only because of the note."""
        before: Any = signal.getsignal(number)  # a function, or one of two constants
        loop = asyncio.get_running_loop()

        def handle(signum: int, frame: types.FrameType | None) -> None:
            self._is_stopping = True
            if self._workers is not None:
                loop.call_soon_threadsafe(self._workers.stop)
            if callable(before):
                before(signum, frame)

        signal.signal(number, handle)
