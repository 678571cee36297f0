"""The outermost layer of REST: the id of a request, the headers of the rate limit, and the observation of each request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from planton_server import calls

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from planton_server import observe


class Edge:
    """Adds ``X-Request-Id`` and the headers of the rate limit to each response, and reports each request to the observer."""

    def __init__(self, app: ASGIApp, observer: observe.Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        header = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = calls.request_id(header.decode("latin-1"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started, status, is_complete = time.perf_counter(), 500, False

        async def send_with_headers(event: Any) -> None:  # an ASGI event
            nonlocal status, is_complete
            if event["type"] == "http.response.start":
                status = event["status"]
                rate = [(name.lower().encode(), value.encode()) for name, value in state.get("rate_headers", {}).items()]
                event["headers"] = [*event["headers"], (b"x-request-id", request_id.encode()), *rate]
            await send(event)
            is_complete = event["type"] == "http.response.body" and not event.get("more_body", False)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            # Starlette raises an error again after logging it and responding with 500. The server below would log it twice.
            if not is_complete:
                raise
        finally:
            self._observer.request(scope, status, time.perf_counter() - started)
