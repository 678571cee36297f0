"""A server that answers as a test says, for what asks a cloud's API itself."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any


class Server:
    """Answers GET requests by path, with the query if an answer is told for it; what is told for nothing is not found."""

    def __init__(self, not_found: str) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        #: By path without query: what is answered first, with the Retry-After of each; empty for none.
        self.before: dict[str, list[tuple[int, str]]] = {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.requests.append((self.path, self.headers["Authorization"]))
                bare = owner.answers.get(self.path.split("?")[0], (404, not_found))
                status, body = owner.answers.get(self.path, bare)
                later = ""
                if first := owner.before.get(self.path.split("?")[0]):
                    (status, later), body = first.pop(0), "not now"
                text = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                if later:
                    self.send_header("Retry-After", later)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Ends it; a second time does nothing."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def serving(not_found: str) -> Iterator[Server]:
    """Runs a server that has nothing."""
    made = Server(not_found)
    try:
        yield made
    finally:
        made.stop()
