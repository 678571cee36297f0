"""HTTP connections: timeouts for silent clients, and a limit of their number.

A client has :attr:`Limits.seconds` to send the head of a request, and again for its body. Event streams have no timeout, because there
the client waits for the server.
"""

from __future__ import annotations

import dataclasses
import json
import resource
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from uvicorn.protocols.http import httptools_impl

from planton_server import calls
from planton_server.http import rest
from planton_server.service import errors

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

#: The maximum size in bytes of a head, together with the fields after a chunked body (trailers).
HEAD_LIMIT: Final = 64 * 1024
#: Bytes of a field in addition to its name and value: a colon, a space and the line break.
_FIELD_OVERHEAD: Final = 4
#: The maximum number of bytes that are passed to the parser at once.
_PIECE: Final = 16 * 1024
_MAXIMUM: Final = 4096
#: The share of the process's file descriptors for connections. The others are for the database, gRPC and the log.
_SHARE: Final = 0.75
_TOO_LONG: Final = f"the head and the trailers of a request must have at most {HEAD_LIMIT:,} bytes"


def most(share: float = _SHARE) -> int:
    """Returns the maximum number of connections of a process.

    Args:
        share: The share of the file descriptors that it may open.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAXIMUM if files == resource.RLIM_INFINITY else min(_MAXIMUM, int(files * share))


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the connections of a process.

    Attributes:
        seconds: Seconds for a client to send the head of a request, to send its body, and to receive the remaining response.
        connections: The maximum number of connections.
    """

    seconds: float = 30.0
    connections: int = dataclasses.field(default_factory=most)


class _RefusedError(Exception):
    """Aborts the parser because the request is refused."""


class _Outlet:
    """A transport for responses. A closing response keeps the connection open until the client has read it."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        self._protocol.transport.write(data)

    def is_closing(self) -> bool:
        return self._protocol.transport.is_closing()

    def close(self) -> None:
        self._protocol.close_after_response()


class Protocol(httptools_impl.HttpToolsProtocol):
    """A connection. At the maximum number, a new connection replaces the one whose client has been silent longest.

    Trailers are counted and dropped. A proxy may have set the identity in the head, but it does not check trailers.

    Attributes:
        limits: The limits. uvicorn takes a class, so other limits are those of a subclass.
    """

    limits: ClassVar[Limits] = Limits()

    def __init__(self, *arguments: Any, **options: Any) -> None:  # those of uvicorn
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._outlet = _Outlet(self)
        self._in_head = True
        #: Whether further input of the client is dropped.
        self._drops_input = False
        #: Whether the last response has been written.
        self._is_closing = False
        #: An upper bound of the bytes since the head began, since it ended, or since the last piece of the body.
        self._unread = 0
        #: Bytes of the head and of the trailers, once there is a trailer.
        self._fields = 0
        self._fault = ""

    @property
    def until(self) -> float:
        """The time of the loop at which the timeout of the client ends; 0 while the client waits."""
        return self._deadline.when() if self._deadline else 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the timeout for a head."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            waiting = [connection for connection in self.connections if isinstance(connection, Protocol) and connection.until]
            if waiting:
                min(waiting, key=lambda connection: connection.until).transport.abort()
            else:
                self.app = _full
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timeout."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads input in small pieces."""
        if len(data) > _PIECE:
            # Bytes after the end of a head in the same piece are not counted, so pieces are small.
            for start in range(0, len(data), _PIECE):
                self.data_received(data[start : start + _PIECE])
            return
        if self._drops_input or self.transport.is_closing():
            return
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEAD_LIMIT and not self._drops_input and not self.transport.is_closing():
            self.send_400_response(_TOO_LONG)

    def on_message_begin(self) -> None:
        """Starts a request."""
        super().on_message_begin()
        self._fields = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Reads a field of the head; counts and drops a trailer."""
        if self._in_head:
            super().on_header(name, value)
            return
        self._fields = (self._fields or self._head_size()) + len(name) + len(value) + _FIELD_OVERHEAD
        if self._fields > HEAD_LIMIT:
            self._refuse(_TOO_LONG)

    def on_headers_complete(self) -> None:
        """Checks the head, and starts the timeout for the body."""
        if self._unread > HEAD_LIMIT and self._head_size() > HEAD_LIMIT:
            self._refuse(_TOO_LONG)
        hosts = 0
        for name, _ in self.headers:
            if name == b"host":
                hosts += 1
        if hosts != 1 and (hosts or self.parser.get_http_version() != "1.0"):
            self._refuse("the request must have exactly one Host header")
        self._in_head, self._unread = False, 0
        super().on_headers_complete()
        self.cycle.transport = self._outlet  # type: ignore[assignment]
        self._wait()

    def on_body(self, body: bytes) -> None:
        """Reads a piece of the body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stops the timeout, unless the response is already complete."""
        self._in_head, self._unread = True, 0
        super().on_message_complete()
        if self.cycle.response_complete:
            self._wait()
        else:
            self._cancel()

    def on_response_complete(self) -> None:
        """Starts the timeout for the next head, or for the client to receive the response."""
        if self._is_closing or (self._drops_input and not self.pipeline):
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self._in_head:
            self._wait()

    def close_after_response(self) -> None:
        """Closes the connection.

        While the client still sends, only the writing side is closed, and input is dropped for a while. Closing a connection with
        unread bytes resets it, and the client would lose the response.
        """
        self._drops_input = self._is_closing = True
        if self._in_head and not self._fault:
            self.transport.close()
            return
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.flow.resume_reading()
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Responds to invalid HTTP with the error envelope, after the responses to earlier requests."""
        self._fault = self._fault or msg
        self._drops_input = True
        if self.cycle is None or (self._in_head and self.cycle.response_complete):
            self._write_refusal()
        elif self._in_head:
            # The previous request has no response yet: its response is the last one.
            self.cycle.keep_alive = False
        elif self.pipeline:
            self.cycle.keep_alive = False
            self.pipeline[0] = (self.cycle, self._refusing)  # type: ignore[assignment]
        elif self.cycle.response_started:
            self.close_after_response()
        else:
            # The application must not respond to this request too.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._write_refusal()

    def _refuse(self, fault: str) -> NoReturn:
        """Aborts the parser. Its caller sends the refusal."""
        self._fault = fault
        raise _RefusedError

    def _refusal(self) -> errors.ApiError:
        return errors.malformed(self._fault)

    def _write_refusal(self) -> None:
        error = self._refusal()
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
        self.close_after_response()

    async def _refusing(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Responds to a refused request after the responses to earlier requests."""
        await rest.error_response(self._refusal())(scope, receive, send)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in self.headers)

    def _wait(self) -> None:
        self._cancel()
        self._deadline = self.loop.call_later(self.limits.seconds, self._late)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if self.pipeline:
            # An earlier request has no response yet. Nothing is read until then.
            self._wait()
        else:
            self.transport.abort()


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    """Responds with 503, because every connection has a request in progress."""
    response = rest.error_response(errors.unavailable())
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
