"""A fake HTTP server with scripted responses, for clients of a cloud's API."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any


class Server:
    """Responds to GET requests by path, with the query if there is a response for it; an unknown path is not found.

    Attributes:
        usual: The response to an unknown path.
    """

    def __init__(self, not_found: str) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.usual: tuple[int, Any] = (404, not_found)
        self.requests: list[tuple[str, str]] = []
        #: Path without query → responses to send first, as status and ``Retry-After`` (empty for none).
        self.before: dict[str, list[tuple[int, str]]] = {}
        #: Headers of all responses.
        self.headers: dict[str, str] = {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.requests.append((self.path, self.headers["Authorization"]))
                fallback = owner.answers.get(self.path.split("?")[0], owner.usual)
                status, body = owner.answers.get(self.path, fallback)
                retry_after = ""
                if first := owner.before.get(self.path.split("?")[0]):
                    (status, retry_after), body = first.pop(0), "not now"
                text = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                for name, value in owner.headers.items():
                    self.send_header(name, value)
                if retry_after:
                    self.send_header("Retry-After", retry_after)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Logs nothing."""

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Stops the server; a second call has no effect."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def serving(not_found: str) -> Iterator[Server]:
    """Runs a server without responses."""
    server = Server(not_found)
    try:
        yield server
    finally:
        server.stop()
