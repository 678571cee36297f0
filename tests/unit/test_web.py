"""Requests to the APIs of clouds: what a server can do to the one who asks, and what it cannot."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from planton.base import web

HEADERS = {"Authorization": "Bearer secret"}
#: A bound for a broken test only.
LONG = 30.0


class Peer:
    """A server that answers each connection as a test says, on the level of bytes."""

    def __init__(self, *answers: Callable[[socket.socket], None]) -> None:
        self.heads: list[bytes] = []
        self._answers = list(answers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for answer in self._answers:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += connection.recv(65536)
                    self.heads.append(head)
                    with contextlib.suppress(OSError):
                        answer(connection)

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """Make peers that end with the test."""
    made: list[Peer] = []

    def make(*answers: Callable[[socket.socket], None]) -> Peer:
        made.append(Peer(*answers))
        return made[-1]

    yield make
    for each in made:
        each.close()


def says(text: str) -> Callable[[socket.socket], None]:
    """Answer with a text."""
    return lambda connection: connection.sendall(text.encode())


def ok(body: str, kind: str = "application/json") -> Callable[[socket.socket], None]:
    """Answer with a body."""
    return says(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}")


def redirect(target: str) -> Callable[[socket.socket], None]:
    """Answer with a redirect."""
    return says(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n")


def ask(url: str, deadline: float = LONG) -> web.Answer:
    """Send a request with a token."""
    return web.request("GET", url, headers=HEADERS, deadline=deadline)


def test_an_answer_has_status_headers_and_json(peer: Callable[..., Peer]) -> None:
    """Whatever the status is."""
    answer = ask(peer(ok('{"a": 1}')).url)
    assert (answer.status, answer.headers["content-type"], answer.json()) == (200, "application/json", {"a": 1})
    refused = ask(peer(says("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")).url)
    assert (refused.status, refused.text) == (401, "no")


def test_a_redirect_is_followed_on_the_same_server_only(peer: Callable[..., Peer]) -> None:
    """Another host, port or scheme never gets the token."""
    thief = peer(ok("{}"))
    same = peer(redirect("/there"), ok('{"a": 1}'))
    assert ask(same.url).json() == {"a": 1}
    assert b"GET /there " in same.heads[1]
    for target in (
        f"{thief.url}/x",
        f"http://localhost:{same.port}/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "http://[::1",
    ):
        with pytest.raises(web.NoAnswerError, match="redirects to another one"):
            ask(peer(redirect(target)).url)
    assert thief.heads == []


def test_redirects_in_a_circle_end(peer: Callable[..., Peer]) -> None:
    """After a few."""
    with pytest.raises(web.NoAnswerError, match="in a circle"):
        ask(peer(*[redirect("/again")] * 9).url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "data:,x", "//127.0.0.1", "", "http://", "http://a:x/"]
)
def test_only_http_is_opened(url: str) -> None:
    """A variable or a redirect must not read files of this machine."""
    with pytest.raises(web.NoAnswerError):
        ask(url)


@pytest.mark.parametrize(
    "body", ["<html>proxy</html>", "", "{", "[" * 100_000, "\x00"], ids=["html", "empty", "cut off", "deep", "binary"]
)
def test_what_is_not_json_is_said_to_be_so(body: str, peer: Callable[..., Peer]) -> None:
    """With the kind of the content, which tells a proxy."""
    with pytest.raises(web.NoAnswerError, match=rf"is not JSON \(text/html, {len(body)} bytes\)"):
        ask(peer(ok(body, "text/html; charset=utf-8")).url).json()


def _endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def test_a_body_has_a_limit(peer: Callable[..., Peer]) -> None:
    """An endless one would fill the memory."""
    with pytest.raises(web.NoAnswerError, match="more than 16 MiB"):
        ask(peer(_endless).url)


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"],
    ids=["nothing", "head", "body"],
)
def test_a_whole_request_has_a_deadline(beginning: bytes, peer: Callable[..., Peer]) -> None:
    """A server that sends a byte now and then outlasts the timeouts of the socket."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while not over.wait(0.01):
            connection.sendall(b"x" if b"Length" not in beginning else b"")

    try:
        with pytest.raises(web.NoAnswerError, match=r"no complete answer within 0\.2 seconds"):
            ask(peer(drip).url, deadline=0.2)
    finally:
        over.set()


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
def test_a_broken_answer_is_no_answer(text: str, peer: Callable[..., Peer]) -> None:
    """Every fault of the protocol is one error."""
    with pytest.raises(web.NoAnswerError):
        ask(peer(says(text)).url).json()


def test_nobody_who_listens_is_no_answer() -> None:
    """The text is the system's."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(web.NoAnswerError, match="refused"):
        ask(f"http://127.0.0.1:{port}")
