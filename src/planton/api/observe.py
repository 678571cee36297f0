"""What operators see of the server: a log line and numbers for each request. No secret and no body is in either."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

import prometheus_client

if TYPE_CHECKING:
    from starlette.types import Scope

    from planton.api import routes

_LOG: Final = logging.getLogger("planton.api.access")
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Observer:
    """Counts and logs requests.

    Attributes:
        registry: Where the numbers are.
    """

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self.registry = registry
        self._requests = prometheus_client.Counter(
            "planton_requests_total", "Requests by route and answer.", ("transport", "method", "route", "code"), registry=registry
        )
        self._durations = prometheus_client.Histogram(
            "planton_request_duration_seconds",
            "How long requests took.",
            ("transport", "method", "route"),
            buckets=_SECONDS,
            registry=registry,
        )

    def request(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts and logs a request over HTTP."""
        state = scope["state"]
        route: routes.Route | None = state.get("route")
        # The path of an unknown route is the client's text; as a label it would grow without bounds.
        path = route.path if route else (scope["path"] if status < 400 else "other")  # noqa: PLR2004 - the first error
        verb = scope["method"] if route or path != "other" else "other"
        self._requests.labels("rest", verb, path, str(status)).inc()
        self._durations.labels("rest", verb, path).observe(seconds)
        if _LOG.isEnabledFor(logging.INFO):
            _LOG.info(
                "request",
                extra={
                    "facts": {
                        "request_id": state["request_id"], "transport": "rest", "method": scope["method"], "route": path, "status": status,
                        "seconds": round(seconds, 6), "caller": state.get("caller", ""), "subject": state.get("subject", ""),
                        "generation": state.get("generation", 0),
                    }
                },
            )  # fmt: skip

    def call(self, route: routes.Route, code: str, seconds: float, request_id: str) -> None:
        """Counts and logs a call over gRPC."""
        name = f"/{route.service}/{route.method}"
        self._requests.labels("grpc", route.method, name, code).inc()
        self._durations.labels("grpc", route.method, name).observe(seconds)
        if _LOG.isEnabledFor(logging.INFO):
            facts = {"request_id": request_id, "transport": "grpc", "method": route.method, "route": name, "status": code}
            _LOG.info("request", extra={"facts": facts | {"seconds": round(seconds, 6)}})


class Lines(logging.Formatter):
    """Writes a record as one line of JSON: time, level, logger, message, and its facts."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        line: dict[str, Any] = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to_stderr(level: str) -> None:
    """Sends the server's log to stderr, one line of JSON for each record."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
