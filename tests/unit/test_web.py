"""HTTP requests to the APIs of clouds: hostile and broken servers cannot harm the caller."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from planton.base import web

HEADERS = {"Authorization": "Bearer secret"}
#: Ends a broken test only.
LONG = 30.0


class Peer:
    """A TCP server with a scripted response for each connection."""

    def __init__(self, *responses: Callable[[socket.socket], None]) -> None:
        self.heads: list[bytes] = []
        self._responses = list(responses)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for respond in self._responses:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += connection.recv(65536)
                    self.heads.append(head)
                    with contextlib.suppress(OSError):
                        respond(connection)

    def close(self) -> None:
        """Stops listening."""
        self._listener.close()


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """Returns a function that starts a server, and stops all servers after the test."""
    servers: list[Peer] = []

    def start(*responses: Callable[[socket.socket], None]) -> Peer:
        servers.append(Peer(*responses))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def sends(text: str) -> Callable[[socket.socket], None]:
    """Responds with raw text."""
    return lambda connection: connection.sendall(text.encode())


def ok(body: str, kind: str = "application/json") -> Callable[[socket.socket], None]:
    """Responds with a body."""
    return sends(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}")


def redirect(target: str) -> Callable[[socket.socket], None]:
    """Responds with a redirect."""
    return sends(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n")


def get(url: str, deadline: float = LONG) -> web.Answer:
    """Sends a request with a token."""
    return web.request("GET", url, headers=HEADERS, deadline=deadline)


def test_a_response_has_status_headers_and_json(peer: Callable[..., Peer]) -> None:
    """Error statuses are returned too."""
    response = get(peer(ok('{"a": 1}')).url)
    assert (response.status, response.headers["content-type"], response.json()) == (200, "application/json", {"a": 1})
    refused = get(peer(sends("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")).url)
    assert (refused.status, refused.text) == (401, "no")


def test_a_redirect_is_followed_on_the_same_server_only(peer: Callable[..., Peer]) -> None:
    """The token is never sent to another host, port, or scheme."""
    other = peer(ok("{}"))
    same = peer(redirect("/there"), ok('{"a": 1}'))
    assert get(same.url).json() == {"a": 1}
    assert b"GET /there " in same.heads[1]
    for target in (
        f"{other.url}/x",
        f"http://localhost:{same.port}/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "http://[::1",
    ):
        with pytest.raises(web.NoAnswerError, match="redirects to another one"):
            get(peer(redirect(target)).url)
    assert other.heads == []


def test_a_redirect_loop_is_an_error(peer: Callable[..., Peer]) -> None:
    """The number of redirects is limited."""
    with pytest.raises(web.NoAnswerError, match="in a circle"):
        get(peer(*[redirect("/again")] * 9).url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "data:,x", "//127.0.0.1", "", "http://", "http://a:x/"]
)
def test_only_http_urls_are_opened(url: str) -> None:
    """A variable or a redirect must not read local files."""
    with pytest.raises(web.NoAnswerError):
        get(url)


@pytest.mark.parametrize(
    "body", ["<html>proxy</html>", "", "{", "[" * 100_000, "\x00"], ids=["html", "empty", "cut off", "deep", "binary"]
)
def test_a_body_that_is_not_json_is_an_error(body: str, peer: Callable[..., Peer]) -> None:
    """The content type in the message reveals a proxy."""
    with pytest.raises(web.NoAnswerError, match=rf"is not JSON \(text/html, {len(body)} bytes\)"):
        get(peer(ok(body, "text/html; charset=utf-8")).url).json()


def _endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def test_the_size_of_a_body_is_limited(peer: Callable[..., Peer]) -> None:
    """An endless body would fill the memory."""
    with pytest.raises(web.NoAnswerError, match="more than 16 MiB"):
        get(peer(_endless).url)


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"],
    ids=["nothing", "head", "body"],
)
def test_a_request_has_a_total_deadline(beginning: bytes, peer: Callable[..., Peer]) -> None:
    """A server that sends single bytes never hits the timeout of the socket."""
    stopped = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while not stopped.wait(0.01):
            connection.sendall(b"x" if b"Length" not in beginning else b"")

    try:
        with pytest.raises(web.NoAnswerError, match=r"no complete answer within 0\.2 seconds"):
            get(peer(drip).url, deadline=0.2)
    finally:
        stopped.set()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx",
        "HTTP/1.1 200 OK\r\n" + "A: b\r\n" * 200 + "\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n\x00",
    ],
    ids=["closed", "no HTTP", "cut off", "headers", "chunks", "length"],
)
def test_a_malformed_response_is_an_error(text: str, peer: Callable[..., Peer]) -> None:
    """Every protocol fault is the same error."""
    with pytest.raises(web.NoAnswerError):
        get(peer(sends(text)).url).json()


def test_a_refused_connection_is_an_error() -> None:
    """The message is that of the operating system."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(web.NoAnswerError, match="refused"):
        get(f"http://127.0.0.1:{port}")
