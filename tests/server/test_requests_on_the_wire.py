"""What comes after a head, and what is too long or ambiguous in it: never an identity, never unbounded, and always answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import urllib.parse

import pytest

from planton_server.http import connections
from support import serving
from support.raw_http import REQUEST, app

CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = connections.HEAD_LIMIT // 2


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server on loopback, where X-User-Email names the user."""
    with serving.running(tmp_path_factory.mktemp("wire"), "--tick", "0") as running:
        yield running


def exchange(server: serving.Server, sent: bytes) -> tuple[int, dict[str, object]]:
    """Returns the status and the body of the answer to some bytes."""
    address = urllib.parse.urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        client.sendall(sent)
        file = client.makefile("rb")
        status = int(file.readline().split()[1])
        length = 0
        while (line := file.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, json.loads(file.read(length) or b"null")


def request(method: str, path: str, *fields: str, body: object = None, trailers: tuple[str, ...] = ()) -> bytes:
    """Returns a request in chunks."""
    head = [f"{method} /api/v1{path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Transfer-Encoding: chunked"]
    data = json.dumps(body).encode() if body is not None else b""
    chunk = b"%x\r\n%s\r\n" % (len(data), data) if data else b""
    return "\r\n".join([*head, *fields, "", ""]).encode() + chunk + "\r\n".join(["0", *trailers, "", ""]).encode()


@pytest.mark.parametrize(
    "trailer", ["X-User-Email: user@example.com", "x-user-email: c@system.local", "Authorization: Bearer token"]
)
def test_a_trailer_names_nobody(server, trailer: str) -> None:
    """Also where a proxy has removed the field from the head."""
    status, body = exchange(server, request("GET", "/nodepools", trailers=(trailer,)))
    assert (status, body["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert "send your email address" in body["error"]["details"]


def test_a_trailer_changes_no_request(server) -> None:
    """Neither its user, nor its condition, nor its key, nor its form."""
    me, other = "X-User-Email: one@example.com", "X-User-Email: two@example.com"
    trailers = (
        other,
        'If-Match: "99"',
        "Idempotency-Key: k",
        "Content-Type: text/plain",
        "X-Request-Id: trailer",
        "Host: evil.example",
    )
    body = {"name": "trailers", "spec": {"platform": {"type": "gcp"}}}
    status, made = exchange(server, request("POST", "/clusters", me, body=body, trailers=trailers))
    assert (status, made["created_by"]) == (201, "one@example.com")
    status, again = exchange(server, request("POST", "/clusters", me, body={**body, "name": "more"}, trailers=trailers))
    assert (status, again["name"]) == (201, "more")
    status, _ = exchange(server, request("PUT", f"/clusters/{made['id']}", me, body={**body, "name": "new"}, trailers=trailers))
    assert status == 200
    status, _ = exchange(server, request("GET", f"/clusters/{made['id']}", other, trailers=(me,)))
    assert status == 404


def test_trailers_by_chance_never_matter(server) -> None:
    """For many of them, the answer is the one without any."""
    chance = random.Random(7)
    names = [
        "x-user-email",
        "Authorization",
        "If-Match",
        "Idempotency-Key",
        "Content-Length",
        "Transfer-Encoding",
        "Host",
        "X-Other",
    ]
    values = ["a@example.com", "c@system.local", "Bearer x", "0", "chunked", '"1"', "", "evil.example"]
    for _ in range(200):
        trailers = tuple(f"{chance.choice(names)}: {chance.choice(values)}" for _ in range(chance.randrange(1, 6)))
        status, _ = exchange(server, request("GET", "/nodepools", trailers=trailers))
        # The parser itself refuses those that would say how long the request is.
        assert status in {400, 401}, trailers
        status, body = exchange(server, request("GET", "/nodepools", "X-User-Email: nobody@example.com", trailers=trailers))
        assert status == 400 or body["total"] == 0, trailers


def _talk(address: tuple[str, int], pieces: list[bytes]) -> bytes:
    """Sends pieces, and returns the answer, which comes before the end; the server does not wait for a slow client's last piece."""
    received = b""
    with socket.create_connection(address, timeout=60) as client:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                client.sendall(piece)
        with contextlib.suppress(ConnectionError):
            while data := client.recv(65536):
                received += data
    return received


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([CHUNKED, b"0\r\n", b"X: %s\r\n" % (b"x" * LONG * 2), b"\r\n"], id="one long trailer"),
        pytest.param([CHUNKED, b"0\r\n", *[b"X: %s\r\n" % (b"x" * 1000)] * 70, b"\r\n"], id="many trailers"),
        pytest.param(
            [CHUNKED, b"2\r\nhi\r\n0\r\n", *[b"X-%d: y\r\n" % number for number in range(9000)]], id="trailers without end"
        ),
        pytest.param([CHUNKED, b"0\r\nX: ", *[b"x" * 10_000] * 10], id="a trailer without end"),
        pytest.param(
            [CHUNKED[:-2], b"Y: %s\r\n\r\n0\r\n" % (b"y" * LONG), b"X: %s\r\n\r\n" % (b"x" * LONG)], id="a head and trailers"
        ),
        pytest.param([CHUNKED, b"5;", *[b"x" * 10_000] * 10], id="an extension of a chunk"),
        pytest.param([b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n" % (b"x" * LONG * 2)], id="a head that ends"),
        pytest.param([b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * LONG * 2)], id="a long address"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_head_and_trailers_have_a_limit_together(loop, wire, sent: list[bytes], together: bool) -> None:
    """However they come; the client is told."""

    async def run() -> bytes:
        client = await wire()
        pieces = [b"".join(sent)] if together else sent
        return await asyncio.to_thread(_talk, client.writer.get_extra_info("peername"), pieces)

    head, _, body = loop.run(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert "65,536 bytes" in json.loads(body)["error"]["details"]


def test_forty_mebibytes_of_trailers_are_not_kept(server) -> None:
    """The server stays as large as it is, and answers before they have all come."""
    address = urllib.parse.urlsplit(server.url)
    sent = 0
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        client.sendall(request("GET", "/nodepools")[: -len(b"\r\n")])
        client.settimeout(5)
        try:
            while sent < 40 * 1024 * 1024:
                sent += client.send(b"X-Trailer: %s\r\n" % (b"x" * 60_000))
        except OSError:
            pass
        client.settimeout(60)
        answer = client.recv(65536)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 "))
    peak = int(serving.status_of(server.process.pid, "VmHWM").split()[0])
    assert peak < 300 * 1024


def test_trailers_within_the_limit_are_taken(loop, wire) -> None:
    """They are part of HTTP, if of no use here; so is a body in thousands of small chunks."""

    async def run() -> bytes:
        client = await wire(CHUNKED + b"1\r\nx\r\n" * 50_000 + b"0\r\n" + b"X: y\r\n" * 1000 + b"\r\n")
        await client.reader.readuntil(b"0\r\n\r\n")
        await client.send(CHUNKED + b"5;ext=1\r\nhello\r\n0\r\n\r\n")
        return await client.reader.readuntil(b"0\r\n\r\n")

    answer = loop.run(run())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\n5\r\n" in answer


@pytest.mark.parametrize(
    ("fields", "version", "status"),
    [
        (b"", b"1.1", 400),
        (b"Host: a\r\nHost: b\r\n", b"1.1", 400),
        (b"Host: a\r\nHost: a\r\n", b"1.0", 400),
        (b"", b"1.0", 200),
        (b"Host: localhost\r\n", b"1.1", 200),
    ],
)
def test_a_request_names_one_host(loop, wire, fields: bytes, version: bytes, status: int) -> None:
    """HTTP/1.0 may leave it out."""

    async def run() -> bytes:
        client = await wire(b"GET / HTTP/%s\r\n%sConnection: close\r\n\r\n" % (version, fields))
        return await client.read_to_end()

    assert loop.run(run()).startswith(b"HTTP/1.1 %d " % status)


def test_answers_that_are_due_come_before_a_refusal(loop, wire) -> None:
    """A client that sends its requests at once must not take the refusal of the second one for the answer to the first one."""

    async def run() -> tuple[bytes, bytes]:
        in_head = await wire(REQUEST.replace(b"/ ", b"/work ", 1) + b"no http\r\n\r\n")
        in_body = await wire(REQUEST.replace(b"/ ", b"/work ", 1) + CHUNKED + b"no chunk\r\n")
        await asyncio.sleep(0.05)
        app.released.set()
        return await in_head.read_to_end(), await in_body.read_to_end()

    in_head, in_body = loop.run(run())
    assert in_head.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 400 " not in in_head
    assert in_body.startswith(b"HTTP/1.1 200 ")
    assert in_body.count(b"HTTP/1.1 400 ") == 1


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_too_much_reads_why(server, connection: str, chunked: bool) -> None:
    """Although it reads only when it has sent all, as many clients do: 20 MiB."""
    size = 20 * 1024 * 1024
    fields = f"POST /api/v1/clusters HTTP/1.1\r\nHost: localhost\r\nX-User-Email: u@example.com\r\nConnection: {connection}\r\n"
    if chunked:
        sent = f"{fields}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n".encode() + b" " * size + b"\r\n0\r\n\r\n"
    else:
        sent = f"{fields}Content-Length: {size}\r\n\r\n".encode() + b" " * size
    status, body = exchange(server, sent)
    assert (status, body["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "x-unknown"])
def test_an_encoded_body_is_refused(server, encoding: str) -> None:
    """It would be read as if it were JSON."""
    answer = server.client.post("/api/v1/clusters", json=serving.CLUSTER, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.headers["accept-encoding"] == "identity"
    same = server.client.post("/api/v1/clusters?dryRun=true", json=serving.CLUSTER, headers={"Content-Encoding": "identity"})
    assert same.status_code == 201


def test_requests_by_chance_are_answered_or_left(loop, wire) -> None:
    """Whatever a client sends, the next one is served."""
    chance = random.Random(11)
    parts = [
        b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"GET * HTTP/1.1\r\n", b"Host: a\r\n", b"Host:\r\n", b"\r\n",
        b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Connection: close\r\n", b"Upgrade: h2c\r\n",
        b"Connection: upgrade\r\n", b"Expect: 100-continue\r\n", b"5\r\nhello\r\n", b"0\r\n", b"hello", b"\x00\xff", b"X: \x80\r\n", b" folded\r\n",
        b"ffffffffffffffffff\r\n", b"GET / HTTP/9.9\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET http://[ HTTP/1.1\r\n",
    ]  # fmt: skip

    async def run() -> list[bytes]:
        replies = []
        for _ in range(300):
            client = await wire(b"".join(chance.choice(parts) for _ in range(chance.randrange(1, 12))))
            client.writer.write_eof()
            replies.append(await client.read_to_end())
        client = await wire(REQUEST)
        await client.reader.readuntil(b"0\r\n\r\n")
        return replies

    for answer in loop.run(run()):
        assert answer == b"" or answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 ", b"HTTP/1.1 100 ")), answer
