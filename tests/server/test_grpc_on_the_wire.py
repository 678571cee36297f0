"""HTTP/2 frame by frame: fields after the head of a call are no metadata, and a message is as small as it says it is."""

from __future__ import annotations

import asyncio
import struct

import grpc
import pytest

from org.project_planton.cluster.v1 import service_pb2
from planton_server.http import rest
from support import api

_DATA, _HEADERS, _SETTINGS, _CONTINUATION = 0, 1, 4, 9
_END_STREAM, _END_HEADERS = 1, 4
#: The kinds of frames that end a stream or all of them.
_ENDS = (3, 7)
_CREATE = "/org.project_planton.cluster.v1.ClusterService/CreateCluster"
HEAD = {
    ":method": "POST",
    ":scheme": "http",
    ":path": _CREATE,
    ":authority": "localhost",
    "content-type": "application/grpc",
    "te": "trailers",
}


def frame(kind: int, flags: int, stream: int, data: bytes) -> bytes:
    return struct.pack(">I", len(data))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + data


def fields(named: dict[str, str]) -> bytes:
    """Returns fields as HPACK's literals without an index."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in named.items())


def _text(text: str) -> bytes:
    size = len(text)
    if size < 127:
        return bytes([size]) + text.encode()
    rest_of_it, data = size - 127, b"\x7f"
    while rest_of_it >= 128:
        data += bytes([rest_of_it % 128 + 128])
        rest_of_it //= 128
    return data + bytes([rest_of_it]) + text.encode()


async def exchange(port: int, head: dict[str, str], message: bytes, trailers: dict[str, str] | None) -> int:
    """Makes a call, and returns how many frames of headers came in answer: its end is the last of them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(_SETTINGS, 0, 0, b""))
    writer.write(frame(_HEADERS, _END_HEADERS, 1, fields(HEAD | head)))
    data = b"\x00" + struct.pack(">I", len(message)) + message
    writer.write(frame(_DATA, 0 if trailers else _END_STREAM, 1, data))
    if trailers:
        writer.write(frame(_HEADERS, _END_HEADERS | _END_STREAM, 1, fields(trailers)))
    blocks = 0
    try:
        async with asyncio.timeout(api.TIMEOUT_SECONDS):
            while True:
                start = await reader.readexactly(9)
                await reader.readexactly(int.from_bytes(start[:3], "big"))
                blocks += start[3] == _HEADERS
                if start[3] in _ENDS or (start[3] == _HEADERS and start[4] & _END_STREAM):
                    return blocks
    finally:
        writer.close()


@pytest.fixture
def call(private, loop):
    """Makes a call that creates a cluster, and returns the names of the clusters that a user has then."""
    server = private()

    def called(head: dict[str, str], trailers: dict[str, str] | None, caller: str = "user@example.com") -> list[str]:
        request = service_pb2.CreateClusterRequest()
        request.cluster.name = "made"
        request.cluster.spec.platform.type = "gcp"
        loop.run(exchange(server.port, head, request.SerializeToString(), trailers))
        listed = api.Api(server, "rest").call("ListClusters", caller=caller).body
        return [one["name"] for one in listed["clusters"]]

    return called


def test_trailing_metadata_name_nobody(call) -> None:
    """As trailers do not in HTTP; the same field in the head does."""
    name = {"x-user-email": "user@example.com"}
    assert call({}, name) == []
    assert call({"x-user-email": "other@example.com"}, name) == []
    assert call(name, {"x-user-email": "other@example.com"}) == ["made"]


def test_a_message_that_grows_is_as_large_as_it_grows(private, loop) -> None:
    """A few kilobytes of gzip that become tens of megabytes are refused as they would be without it."""
    server = private()
    request = service_pb2.CreateClusterRequest()
    request.cluster.name = "x" * (20 * rest.BODY_LIMIT)

    async def called() -> grpc.StatusCode:
        options = [("grpc.max_send_message_length", -1)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=options) as channel:
            method = channel.unary_unary(_CREATE, request_serializer=service_pb2.CreateClusterRequest.SerializeToString)
            try:
                await method(
                    request, metadata=(("x-user-email", "u@example.com"),), compression=grpc.Compression.Gzip, timeout=60
                )
            except grpc.aio.AioRpcError as error:
                return error.code()
        raise AssertionError

    assert loop.run(called()) == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_trailing_metadata_are_not_kept(private, loop) -> None:
    """Forty mebibytes of them end the call, and the server serves the next one."""
    server = private()
    block = fields({f"x-{number}": "y" * 4000 for number in range(3)})

    async def called() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(_SETTINGS, 0, 0, b""))
        writer.write(frame(_HEADERS, _END_HEADERS, 1, fields(HEAD | {"x-user-email": "u@example.com"})))
        writer.write(frame(_HEADERS, _END_STREAM, 1, block))
        for _ in range(40 * 1024 * 1024 // len(block)):
            writer.write(frame(_CONTINUATION, 0, 1, block))
            await writer.drain()
        async with asyncio.timeout(api.TIMEOUT_SECONDS - 10):
            while True:
                start = await reader.readexactly(9)
                await reader.readexactly(int.from_bytes(start[:3], "big"))
                if start[3] in _ENDS or (start[3] == _HEADERS and start[4] & _END_STREAM):
                    writer.close()
                    return True

    assert loop.run(called())
    assert api.Api(server, "grpc").call("ListClusters").body.get("clusters", []) == []
