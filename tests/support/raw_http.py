"""HTTP as bytes: a server of uvicorn with the API's connections, and clients with scripted requests."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from support import waiting

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Responds with the length of the body: at /work after `released` is set, at /stream with lines until then."""
    if scope["path"] == "/work":
        await app.released.wait()
    size, more = 0, True
    while more and scope["path"] != "/early":
        message = await receive()
        more = message.get("more_body", False)
        size += len(message.get("body", b""))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["path"] == "/stream" and not app.released.is_set():
        await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
        await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": b"%d" % size if scope["path"] != "/large" else b"x" * 50_000_000})


class Client:
    """A connection that sends scripted bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> Client:
        self.writer.write(data)
        await self.writer.drain()
        return self

    async def read_to_end(self) -> bytes:
        """Reads until the server closes the connection."""
        received = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(waiting.TIMEOUT_SECONDS):
                while data := await self.reader.read(65536):
                    received += data
        return received
