"""Connections of clients that send little, slowly, or nothing: they cost others nothing, and end."""

from __future__ import annotations

import asyncio
import json

import pytest

from planton_server.http import connections
from support.raw_http import REQUEST, app


def test_a_client_that_says_no_more_is_left(loop, wire) -> None:
    """In the middle of a request or before it."""
    texts = (
        b"",
        b"\r\n",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: local",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    )

    async def run() -> list[bytes]:
        # At the same time, as each waits for its deadline.
        return await asyncio.gather(*[(await wire(sent)).read_to_end() for sent in texts])

    assert dict(zip(texts, loop.run(run()), strict=True)) == dict.fromkeys(texts, b"")


def test_bytes_that_drop_do_not_make_it_longer(loop, wire) -> None:
    """The whole head has one deadline."""

    async def run() -> None:
        client = await wire(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(100):
            await client.send(b"x")
            await asyncio.sleep(0.05)

    with pytest.raises(ConnectionError):
        loop.run(run())


def test_an_answered_client_is_left_too(loop, wire) -> None:
    """It has the same time for its next request."""
    texts = (b"", b"\r\n", b"GET")

    async def ask(sent: bytes) -> bytes:
        client = await wire(REQUEST)
        await client.reader.readuntil(b"0\r\n\r\n")
        return await (await client.send(sent)).read_to_end()

    async def run() -> list[bytes]:
        return await asyncio.gather(*map(ask, texts))

    assert dict(zip(texts, loop.run(run()), strict=True)) == dict.fromkeys(texts, b"")


def test_a_body_that_is_not_waited_for_has_a_deadline(loop, wire) -> None:
    """The answer came before it."""

    async def run() -> bytes:
        client = await wire(b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n")
        await client.reader.readuntil(b"0\r\n\r\n")
        for _ in range(3):
            await client.send(b"x")
            await asyncio.sleep(0.05)
        return await client.read_to_end()

    assert loop.run(run()) == b""


def test_streams_and_work_take_as_long_as_they_take(loop, wire) -> None:
    """There it is the client that waits; also where it has sent its next request already."""

    async def run() -> tuple[bytes, bytes]:
        stream = await wire(REQUEST.replace(b"/ ", b"/stream ", 1))
        work = await wire(REQUEST.replace(b"/ ", b"/work ", 1))
        await work.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n")
        ticks = b"".join([await stream.reader.readuntil(b"tick\n") for _ in range(20)])
        app.released.set()
        await work.reader.readuntil(b"0\r\n\r\n")
        await work.send(b"body")
        return ticks, await work.reader.readuntil(b"0\r\n\r\n")

    ticks, answered = loop.run(run())
    assert ticks.count(b"tick") == 20
    assert b"\r\n4\r\n" in answered


def test_an_answer_that_nobody_takes_is_dropped(loop, wire) -> None:
    """What is buffered for it would stay."""

    async def run() -> bytes:
        client = await wire(REQUEST.replace(b"/ ", b"/large ", 1))
        await asyncio.sleep(1.2)
        return await client.read_to_end()

    assert len(loop.run(run())) < 50_000_000


@pytest.mark.parametrize("limits", [connections.Limits(seconds=60.0, connections=3)])
def test_silent_clients_make_room(loop, wire) -> None:
    """The one that has been silent longest is the first to go."""

    async def run() -> tuple[bytes, bytes, list[bool]]:
        silent = [await wire(b"GET / HTTP/1.1\r\n") for _ in range(3)]
        await asyncio.sleep(0.1)
        client = await wire(REQUEST)
        return await client.reader.readuntil(b"\r\n"), await silent[0].read_to_end(), [one.reader.at_eof() for one in silent]

    assert loop.run(run()) == (b"HTTP/1.1 200 OK\r\n", b"", [True, False, False])


@pytest.mark.parametrize("limits", [connections.Limits(seconds=0.4, connections=2)])
def test_where_all_are_at_work_another_one_is_told(loop, wire) -> None:
    """With the envelope, and when to come back."""

    async def run() -> bytes:
        for _ in range(2):
            await wire(REQUEST.replace(b"/ ", b"/work ", 1))
        await asyncio.sleep(0.1)
        return await (await wire(REQUEST)).read_to_end()

    head, _, body = loop.run(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in head
    assert json.loads(body)["error"]["code"] == "UNAVAILABLE"


@pytest.mark.parametrize(
    "sent", [b"no http\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000]
)
def test_what_is_no_http_gets_the_envelope(loop, wire, sent: bytes) -> None:
    """As every error does; a head without end too."""

    async def run() -> bytes:
        return await (await wire(sent)).read_to_end()

    head, _, body = loop.run(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/json" in head
    assert json.loads(body)["error"]["code"] == "VALIDATION_ERROR"


def test_the_heads_of_many_requests_may_be_long_together(loop, wire) -> None:
    """With bodies or without; each has the limit for itself."""
    body = b"x" * 30_000

    async def run() -> int:
        client, answered = await wire(), 0
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
