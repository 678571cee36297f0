"""The common part of the scripted clouds: recorded requests, scripted failures, and an HTTP server."""

from __future__ import annotations

import dataclasses
import http.server
import itertools
import json
import socket
import threading
import typing
import urllib.parse
import uuid

Json = typing.Any


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request."""

    method: str
    path: str
    query: dict[str, str]
    body: Json
    headers: dict[str, str]

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class Refused(Exception):
    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Dropped(Exception):
    """The connection ends without an answer."""


class Cloud:
    """The requests, the failures to come, and an HTTP server."""

    success: typing.ClassVar[dict[str, int]] = {}

    def __init__(self) -> None:
        self._ids: typing.Iterator[str] = (str(uuid.uuid4()) for _ in itertools.count())
        self.lock = threading.RLock()
        self.seen: list[Seen] = []
        self.faults: list[tuple[typing.Callable[[Seen], bool], Exception]] = []
        self.before: typing.Callable[[Seen], None] = lambda _seen: None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def supply(self, ids: typing.Iterable[str]) -> None:
        """Uses these ids first."""
        self._ids = itertools.chain(ids, self._ids)

    def lines(self) -> list[str]:
        """Returns the requests so far, and removes them."""
        lines = [seen.line for seen in self.seen]
        self.seen.clear()
        return lines

    def fail(self, method: str, path: str, *, times: int = 1, error: Exception | None = None, status: int = 500) -> None:
        """Makes the next matching requests fail."""

        def matches(seen: Seen) -> bool:
            return seen.method == method and seen.path.endswith(path)

        self.faults += [(matches, error or Refused(status, self.boom()))] * times

    def boom(self) -> Json:
        """Returns the body of a scripted failure."""
        raise NotImplementedError

    def act(self, seen: Seen) -> Json:
        """Answers a request."""
        raise NotImplementedError

    def answer(self, seen: Seen) -> Json:
        self.before(seen)
        with self.lock:
            self.seen.append(seen)
            for index, (matches, error) in enumerate(self.faults):
                if matches(seen):
                    del self.faults[index]
                    raise error
            return self.act(seen)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
                seen = Seen(self.command, url.path, query, body, dict(self.headers.items()))
                headers: dict[str, str] = {}
                try:
                    answer = cloud.answer(seen)
                    status = 204 if answer is None else cloud.success.get(seen.method, 200)
                except Refused as refused:
                    status, answer, headers = refused.status, refused.body, refused.headers
                except Dropped:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                content = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *_arguments: object) -> None:
                return

        return Handler


class Client:
    """Another client of the cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def post(self, path: str, body: Json) -> Json:
        return self._cloud.answer(Seen("POST", path, {}, body, {"Authorization": "bearer tok"}))
