"""Connections of clients that send little, slowly, or nothing: they cost others nothing, and end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest
import uvicorn

from planton.api import connections
from support import api, waiting

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the length of the body; at /work when it is told to, at /stream line by line until then."""
    if scope["path"] == "/work":
        await app.told.wait()
    size, more = 0, True
    while more and scope["path"] != "/early":
        message = await receive()
        more = message.get("more_body", False)
        size += len(message.get("body", b""))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["path"] == "/stream" and not app.told.is_set():
        await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
        await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": b"%d" % size if scope["path"] != "/large" else b"x" * 50_000_000})


class Client:
    """A connection that sends what a test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> Client:
        self.writer.write(data)
        await self.writer.drain()
        return self

    async def rest(self) -> bytes:
        """Return what comes until the server closes the connection."""
        found = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(waiting.PATIENCE):
                while data := await self.reader.read(65536):
                    found += data
        return found


@pytest.fixture
def door(loop: api.Loop, monkeypatch: pytest.MonkeyPatch):
    """Opens connections to a server with little patience."""
    monkeypatch.setattr(connections, "PATIENCE", 0.4)
    config = uvicorn.Config(app, port=0, http=connections.Protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    opened: list[Client] = []
    app.told = asyncio.Event()  # type: ignore[attr-defined]

    async def connect(data: bytes = b"") -> Client:
        port = server.servers[0].sockets[0].getsockname()[1]
        opened.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
        return await opened[-1].send(data)

    async def serve() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await server._serve()

    serving = loop.begin(serve())
    waiting.until(lambda: server.started, "the server")
    yield connect

    async def end() -> None:
        server.should_exit = True
        app.told.set()
        for one in opened:
            one.writer.close()

    loop.run(end())
    serving.result(waiting.PATIENCE)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: local",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    ],
)
def test_a_client_that_says_no_more_is_left(loop, door, sent: bytes) -> None:
    """In the middle of a request or before it."""

    async def run() -> bytes:
        return await (await door(sent)).rest()

    assert loop.run(run()) == b""


def test_bytes_that_drop_do_not_make_it_longer(loop, door) -> None:
    """The whole head has one deadline."""

    async def run() -> None:
        client = await door(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(100):
            await client.send(b"x")
            await asyncio.sleep(0.05)

    with pytest.raises(ConnectionError):
        loop.run(run())


@pytest.mark.parametrize("then", [b"", b"\r\n", b"GET"])
def test_an_answered_client_is_left_too(loop, door, then: bytes) -> None:
    """It has the same time for its next request."""

    async def run() -> bytes:
        client = await door(REQUEST)
        await client.reader.readuntil(b"0\r\n\r\n")
        return await (await client.send(then)).rest()

    assert loop.run(run()) == b""


def test_a_body_that_is_not_waited_for_has_a_deadline(loop, door) -> None:
    """The answer came before it."""

    async def run() -> bytes:
        client = await door(b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n")
        await client.reader.readuntil(b"0\r\n\r\n")
        for _ in range(3):
            await client.send(b"x")
            await asyncio.sleep(0.05)
        return await client.rest()

    assert loop.run(run()) == b""


def test_streams_and_work_take_as_long_as_they_take(loop, door) -> None:
    """There it is the client that waits; also where it has sent its next request already."""

    async def run() -> tuple[bytes, bytes]:
        stream = await door(REQUEST.replace(b"/ ", b"/stream ", 1))
        work = await door(REQUEST.replace(b"/ ", b"/work ", 1))
        await work.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n")
        told = b"".join([await stream.reader.readuntil(b"tick\n") for _ in range(20)])
        app.told.set()
        await work.reader.readuntil(b"0\r\n\r\n")
        await work.send(b"body")
        return told, await work.reader.readuntil(b"0\r\n\r\n")

    told, answered = loop.run(run())
    assert told.count(b"tick") == 20
    assert b"\r\n4\r\n" in answered


def test_an_answer_that_nobody_takes_is_dropped(loop, door) -> None:
    """What is buffered for it would stay."""

    async def run() -> bytes:
        client = await door(REQUEST.replace(b"/ ", b"/large ", 1))
        await asyncio.sleep(1.2)
        return await client.rest()

    assert len(loop.run(run())) < 50_000_000


def test_silent_clients_make_room(loop, door, monkeypatch) -> None:
    """The one that has been silent longest is the first to go."""
    monkeypatch.setattr(connections, "PATIENCE", 60.0)
    monkeypatch.setattr(connections, "most", lambda: 3)

    async def run() -> tuple[bytes, bytes, list[bool]]:
        silent = [await door(b"GET / HTTP/1.1\r\n") for _ in range(3)]
        await asyncio.sleep(0.1)
        client = await door(REQUEST)
        return await client.reader.readuntil(b"\r\n"), await silent[0].rest(), [one.reader.at_eof() for one in silent]

    assert loop.run(run()) == (b"HTTP/1.1 200 OK\r\n", b"", [True, False, False])


def test_where_all_are_at_work_another_one_is_told(loop, door, monkeypatch) -> None:
    """With the envelope, and when to come back."""
    monkeypatch.setattr(connections, "most", lambda: 2)

    async def run() -> bytes:
        for _ in range(2):
            await door(REQUEST.replace(b"/ ", b"/work ", 1))
        await asyncio.sleep(0.1)
        return await (await door(REQUEST)).rest()

    head, _, body = loop.run(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in head
    assert json.loads(body)["error"]["code"] == "UNAVAILABLE"


@pytest.mark.parametrize(
    "sent", [b"no http\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000]
)
def test_what_is_no_http_gets_the_envelope(loop, door, sent: bytes) -> None:
    """As every error does; a head without end too."""

    async def run() -> bytes:
        return await (await door(sent)).rest()

    head, _, body = loop.run(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/json" in head
    assert json.loads(body)["error"]["code"] == "VALIDATION_ERROR"


def test_the_heads_of_many_requests_may_be_long_together(loop, door) -> None:
    """With bodies or without; each has the limit for itself."""
    body = b"x" * 30_000

    async def run() -> int:
        client, answered = await door(), 0
        for _ in range(8):
            await client.send(REQUEST.replace(b"\r\n\r\n", b"\r\nX: %s\r\n\r\n" % body))
            answered += b" 200 " in await client.reader.readuntil(b"0\r\n\r\n")
            await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 120000\r\n\r\n" + body * 4)
            answered += b"120000" in await client.reader.readuntil(b"0\r\n\r\n")
        return answered

    assert loop.run(run()) == 16


def test_files_are_left_for_other_things() -> None:
    """The database and the log need some of those that a process may open."""
    assert 0 < connections.most() <= 4096
