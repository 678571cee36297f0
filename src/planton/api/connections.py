"""Connections over HTTP: none is held for long for a client that says nothing, and there are never more than the process can have.

A client that is waited for has :data:`PATIENCE` for the head of a request, and again for its body. Event streams do not count: there the
client waits.
"""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http import httptools_impl

from planton.api import calls, errors, rest

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

#: Seconds that a client has for the head of a request, for its body, and to take what is left of an answer.
PATIENCE: Final = 30.0
#: Bytes that a head may have.
HEAD_LIMIT: Final = 64 * 1024
_MOST: Final = 4096
#: What of the files that a process may open is for connections; the rest is the database's, gRPC's and the log's.
_SHARE: Final = 0.75


def most(share: float = _SHARE) -> int:
    """Returns how many connections a process has at once.

    Args:
        share: Of the files that it may open.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if files == resource.RLIM_INFINITY else min(_MOST, int(files * share))


class Protocol(httptools_impl.HttpToolsProtocol):
    """A connection. Where there are too many, a new one takes the place of the one whose client has been waited for longest."""

    def __init__(self, *arguments: Any, **rest: Any) -> None:  # those of uvicorn
        super().__init__(*arguments, **rest)
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = True
        #: Bytes that came since the head began, at most.
        self._head = 0

    @property
    def until(self) -> float:
        """Until when it is waited for the client, in the loop's time; 0 where the client waits."""
        return self._deadline.when() if self._deadline else 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > most():
            waiting = [one for one in self.connections if isinstance(one, Protocol) and one.until]
            if waiting:
                min(waiting, key=lambda one: one.until).transport.abort()
            else:
                self.app = _full
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing any more."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what came."""
        self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response(f"the head of the request has more than {HEAD_LIMIT:,} bytes")

    def on_headers_complete(self) -> None:
        """Goes on to wait for the body."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()
        self._wait()

    def on_message_complete(self) -> None:
        """Waits no more: it is the server's turn, unless it has answered already."""
        self._in_head, self._head = True, 0
        super().on_message_complete()
        if self.cycle.response_complete:
            self._wait()
        else:
            self._cancel()

    def on_response_complete(self) -> None:
        """Waits for the next head, or for the client to take the answer."""
        super().on_response_complete()
        if self._in_head:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP with the envelope of every error."""
        error = errors.ApiError(errors.ErrorCode.VALIDATION_ERROR, "Validation failed", details=msg)
        body = json.dumps(error.envelope()).encode()
        head = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            (b"x-request-id", calls.request_id("").encode()),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in head)
        self.transport.write(httptools_impl.STATUS_LINE[error.http] + lines + b"\r\n" + body)
        self.transport.close()

    def _wait(self) -> None:
        self._cancel()
        self._deadline = self.loop.call_later(PATIENCE, self._late)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if self.pipeline:
            # A request before this one is not answered yet, and nothing is read until it is.
            self._wait()
        else:
            self.transport.abort()


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers where every connection has a request that is being worked on."""
    answer = rest.error_response(errors.unavailable())
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)
