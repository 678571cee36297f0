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
class Request:
    """A received request."""

    method: str
    path: str
    query: dict[str, str]
    body: Json
    headers: dict[str, str]

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class Refused(Exception):
    """An error response."""

    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Dropped(Exception):
    """The connection ends without a response."""


class Cloud:
    """Received requests, scripted failures, and an HTTP server."""

    success: typing.ClassVar[dict[str, int]] = {}

    def __init__(self) -> None:
        self.new_ids: typing.Iterator[str] = (str(uuid.uuid4()) for _ in itertools.count())
        self.lock = threading.RLock()
        self.requests: list[Request] = []
        self.faults: list[tuple[typing.Callable[[Request], bool], Exception]] = []
        self.before: typing.Callable[[Request], None] = lambda _request: None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def supply(self, ids: typing.Iterable[str]) -> None:
        """Uses these ids first."""
        self.new_ids = itertools.chain(ids, self.new_ids)

    def lines(self) -> list[str]:
        """Returns the requests so far, and removes them."""
        lines = [request.line for request in self.requests]
        self.requests.clear()
        return lines

    def fail(self, method: str, path: str, *, times: int = 1, error: Exception | None = None, status: int = 500) -> None:
        """Makes the next matching requests fail."""

        def matches(request: Request) -> bool:
            return request.method == method and request.path.endswith(path)

        self.faults += [(matches, error or Refused(status, self.boom()))] * times

    def boom(self) -> Json:
        """Returns the body of a scripted failure."""
        raise NotImplementedError

    def act(self, request: Request) -> Json:
        """Returns the response body of a request."""
        raise NotImplementedError

    def respond(self, request: Request) -> Json:
        self.before(request)
        with self.lock:
            self.requests.append(request)
            for index, (matches, error) in enumerate(self.faults):
                if matches(request):
                    del self.faults[index]
                    raise error
            return self.act(request)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
                request = Request(self.command, url.path, query, body, dict(self.headers.items()))
                headers: dict[str, str] = {}
                try:
                    content = cloud.respond(request)
                    status = 204 if content is None else cloud.success.get(request.method, 200)
                except Refused as refused:
                    status, content, headers = refused.status, refused.body, refused.headers
                except Dropped:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                data = b"" if content is None else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *_arguments: object) -> None:
                return

        return Handler


class Client:
    """Another client of the cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def post(self, path: str, body: Json) -> Json:
        return self._cloud.respond(Request("POST", path, {}, body, {"Authorization": "bearer tok"}))
