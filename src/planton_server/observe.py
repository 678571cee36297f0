"""The server's log lines and metrics: one line and several numbers for each request, without secrets and bodies."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import os
import pathlib
import sys
from typing import TYPE_CHECKING, Any, Final

import prometheus_client
from prometheus_client import multiprocess

from planton.base import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prometheus_client import core
    from starlette.types import Scope

    from planton_server.service import routes

#: The variable of prometheus_client that names the folder for the metrics of workers. It must be set before the first import.
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_LOG: Final = logging.getLogger("planton_server.access")
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Observer:
    """Counts and logs requests. With :data:`FOLDER`, the workers of a server have common metrics."""

    def __init__(
        self,
        registry: prometheus_client.CollectorRegistry,
        connections: Callable[[], tuple[int, int]] = lambda: (0, 0),
        note: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        """Creates the metrics.

        Args:
            registry: The registry of the metrics.
            connections: Returns the number of database connections in use, and their maximum.
            note: Receives the facts of each request, like the log; None for no receiver.
        """
        self._registry = registry
        self._connections = connections
        self._note = note
        self._requests = prometheus_client.Counter(
            "planton_requests_total", "Requests by route and status.", ("transport", "method", "route", "code"), registry=registry
        )
        self._durations = prometheus_client.Histogram(
            "planton_request_duration_seconds",
            "Durations of requests.",
            ("transport", "method", "route"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._in_use, self._maximum = (
            prometheus_client.Gauge(name, text, registry=registry, multiprocess_mode="livesum")
            for name, text in (
                ("planton_database_connections_in_use", "Database connections in use."),
                ("planton_database_connections_max", "Maximum number of database connections."),
            )
        )
        self._timed_work: Callable[[], str] = lambda: "off"
        self._timed_work_up = prometheus_client.Gauge(
            "planton_timed_work_up",
            "Whether timed work runs: 0 if it has stopped.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._ticks = prometheus_client.Counter("planton_ticks_total", "Completed timed work.", ("work",), registry=registry)
        for work in ("tick", "clean"):
            # A counter that exists from the start shows zero before the first event.
            self._ticks.labels(work)
        self._runs = prometheus_client.Counter(
            "planton_work_runs_total", "Runs of the work of controllers by outcome.", ("outcome",), registry=registry
        )
        for outcome in ("succeeded", "failed", "postponed", "released", "lost"):
            self._runs.labels(outcome)

    def families(self) -> list[core.Metric]:
        """Returns the metrics, with those of all workers."""
        self._sample()
        self._timed_work_up.set(self._timed_work() != "unhealthy")
        folder = os.environ.get(FOLDER)
        if not folder:
            return list(self._registry.collect())
        _remove_dead_workers(pathlib.Path(folder))
        return list(multiprocess.MultiProcessCollector.merge(_files(pathlib.Path(folder))))  # type: ignore[no-untyped-call]

    def watch(self, timed_work: Callable[[], str]) -> None:
        """Sets the function that returns whether timed work runs, like :meth:`planton_server.service.timers.Timers.state`."""
        self._timed_work = timed_work

    def ticked(self, work: str) -> None:
        """Counts timed work: ``tick`` or ``clean``."""
        self._ticks.labels(work).inc()

    def worked(self, outcome: str, number: int) -> None:
        """Counts runs of controllers by outcome: ``SUCCEEDED``, ``FAILED``, ``POSTPONED``, ``RELEASED`` or ``LOST``."""
        self._runs.labels(outcome.lower()).inc(number)

    def _sample(self) -> None:
        in_use, maximum = self._connections()
        self._in_use.set(in_use)
        self._maximum.set(maximum)

    def request(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts and logs a request over HTTP."""
        state = scope["state"]
        route: routes.Route | None = state.get("route")
        # The path of an unknown route is the client's text; as a label it would grow without bounds.
        path = route.path if route else (scope["path"] if status < 400 else "other")  # noqa: PLR2004 - the first error
        verb = scope["method"] if route or path != "other" else "other"
        self._requests.labels("rest", verb, path, str(status)).inc()
        self._durations.labels("rest", verb, path).observe(seconds)
        self._sample()
        self._log(state, {"transport": "rest", "method": scope["method"], "route": path, "status": status, "seconds": seconds})

    def call(self, route: routes.Route, code: str, seconds: float, state: Mapping[str, Any]) -> None:
        """Counts and logs a call over gRPC.

        Args:
            route: The called route.
            code: The status of the call.
            seconds: Its duration.
            state: ``request_id``, and if they are known ``caller``, ``subject`` and ``generation``.
        """
        self._requests.labels("grpc", route.method, route.name, code).inc()
        self._durations.labels("grpc", route.method, route.name).observe(seconds)
        self._sample()
        self._log(state, {"transport": "grpc", "method": route.method, "route": route.name, "status": code, "seconds": seconds})

    def _log(self, state: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        if self._note is None and not _LOG.isEnabledFor(logging.INFO):
            return
        identity = {
            "caller": state.get("caller", ""),
            "subject": state.get("subject", ""),
            "generation": state.get("generation", 0),
        }
        facts = {"request_id": state["request_id"], **outcome, "seconds": round(outcome["seconds"], 6), **identity}
        if self._note:
            self._note(facts)
        _LOG.info("request", extra={"facts": facts})


class Lines(logging.Formatter):
    """Formats a record as one line of JSON: time, level, logger, message, and its facts."""

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


def _remove_dead_workers(folder: pathlib.Path) -> None:
    """Removes the gauges of killed workers; their counters stay."""
    for file in folder.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        if not processes.runs(process):
            # Another worker may remove them at the same time.
            with contextlib.suppress(FileNotFoundError):
                multiprocess.mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]


def _files(folder: pathlib.Path) -> list[str]:
    """Returns the files with metrics of workers. One that a worker has just created is empty, and cannot be read yet."""
    files = []
    for file in folder.glob("*.db"):
        # Gauges of killed workers are removed.
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_size:
                files.append(str(file))
    return files


def log_to_stderr(level: str, *, access: bool = True) -> None:
    """Writes the server's log to stderr as JSON lines, optionally with a line for each request."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    _LOG.setLevel(logging.NOTSET if access else logging.WARNING)
