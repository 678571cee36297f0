"""The health of the server over gRPC (grpc.health.v1): a service serves as long as its database is reachable.

The server as a whole (the empty name) also requires a writable database and running timed work, like ``/health``. ``Check``
queries the database. ``Watch`` polls it once for all watchers, and only while there are watchers.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from planton_server.service import routes
from planton_server.store import measures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from planton_server.store import database

_Answer = health_pb2.HealthCheckResponse
#: Seconds between two queries of the database for watchers.
_POLL: Final = 2.0


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpc_health has no types
    """The health of the server as a whole (the empty name), and of each of its services. They share one database."""

    def __init__(self, store: database.Database, *, poll: float = _POLL, timed_work: Callable[[], str] = lambda: "off") -> None:
        """Creates the health service.

        Args:
            store: The database that must be reachable.
            poll: Seconds between two queries of the database for watchers.
            timed_work: Returns whether timed work runs, like :meth:`planton_server.service.timers.Timers.state`.
        """
        self._timed_work = timed_work
        self._store = store
        self._poll = poll
        self._names = {"", *(route.service for route in routes.routes())}
        self._stopping = asyncio.Event()
        self._lock = asyncio.Lock()
        self._recent_status: dict[bool, tuple[float, Any]] = {}

    async def Check(self, request: Any, context: grpc.aio.ServicerContext) -> Any:  # noqa: N802 - of the protocol
        """Returns whether a service is serving."""
        if request.service not in self._names:
            await context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"the service {request.service!r} does not exist; the server reflection lists the services",
            )
        return _Answer(status=await self._status(is_overall=not request.service))

    async def Watch(self, request: Any, _context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:  # noqa: N802 - of the protocol
        """Yields whether a service is serving, now and after each change, until the server stops."""
        reported = None
        while True:
            answer = (
                await self._recent(is_overall=not request.service) if request.service in self._names else _Answer.SERVICE_UNKNOWN
            )
            if answer != reported:
                reported = answer
                yield _Answer(status=answer)
            if self._stopping.is_set():
                return
            try:
                await asyncio.wait_for(self._stopping.wait(), self._poll)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Reports all services as not serving, and ends all watches, which would delay the stop."""
        self._stopping.set()

    async def _status(self, *, is_overall: bool) -> Any:  # a serving status
        if self._stopping.is_set():
            return _Answer.NOT_SERVING
        serves = await measures.answers(self._store)
        if serves and is_overall:
            serves = self._timed_work() != "unhealthy" and await measures.is_writable(self._store)
        return _Answer.SERVING if serves else _Answer.NOT_SERVING

    async def _recent(self, *, is_overall: bool) -> Any:  # a serving status
        """Returns a status that is at most half a poll old. Many watchers cost no more than one."""
        async with self._lock:
            read_at, answer = self._recent_status.get(is_overall, (-math.inf, None))
            if self._stopping.is_set() or time.monotonic() - read_at > self._poll / 2:
                answer = await self._status(is_overall=is_overall)
                self._recent_status[is_overall] = time.monotonic(), answer
            return answer
