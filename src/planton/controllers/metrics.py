"""The metrics of a process of controllers, for Prometheus. Without ``--metrics-port`` nothing imports this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import prometheus_client

from planton import errors
from planton.controllers import metering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.controllers import queue

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
#: Header of a cloud's answer → what it says about the account. Some clouds send none.
_BUDGET: Final = {"ratelimit-limit": "limit", "ratelimit-remaining": "remaining"}


class Metrics(metering.Meter):
    """Counts what happens in the runs of a process."""

    def __init__(self, registry: prometheus_client.CollectorRegistry, *, parallel: int) -> None:
        """Creates the metrics.

        Args:
            registry: The registry of the metrics.
            parallel: The number of runs that the process can have at the same time.
        """
        self._running, self._parallel = (
            prometheus_client.Gauge(name, text, registry=registry)
            for name, text in (
                ("planton_controller_running", "Runs of this process."),
                ("planton_controller_parallel", "Runs that this process can have at the same time."),
            )
        )
        self._parallel.set(parallel)
        self._seconds = prometheus_client.Histogram(
            "planton_controller_run_seconds",
            "Durations of runs.",
            ("kind", "platform", "outcome"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._actions, self._failures, self._drifts, self._requests, self._engines = (
            prometheus_client.Counter(f"planton_controller_{name}_total", text, labels, registry=registry)
            for name, text, labels in (
                (
                    "actions",
                    "Actions by outcome: succeeded, or the code of the failure.",
                    ("kind", "platform", "action", "outcome"),
                ),
                ("failures", "Failed looks, actions and runs, which are retried.", ("platform", "account", "code")),
                ("drifts", "Looks that found drift.", ("kind", "platform")),
                ("cloud_requests", "Requests to clouds, without those of the engine.", ("platform", "account", "status")),
                ("engine_runs", "Starts of the engine by command.", ("platform", "command")),
            )
        )
        self._budget = prometheus_client.Gauge(
            "planton_controller_cloud_budget",
            "Requests that the cloud allows the account, as of its last answer.",
            ("platform", "account", "amount"),
            registry=registry,
        )

    def began(self, _work: queue.Work) -> None:
        """Counts a running run."""
        self._running.inc()

    def ended(self, work: queue.Work, outcome: queue.Outcome, seconds: float) -> None:
        """Counts the end of a run."""
        self._running.dec()
        self._seconds.labels(work.kind, work.platform, outcome.lower()).observe(seconds)

    def acted(self, work: queue.Work, action: str, outcome: str) -> None:
        """Counts an action."""
        self._actions.labels(work.kind, work.platform, action, outcome).inc()

    def failed(self, work: queue.Work, code: str) -> None:
        """Counts a failure."""
        self._failures.labels(work.platform, work.account, code).inc()

    def drifted(self, work: queue.Work) -> None:
        """Counts drift."""
        self._drifts.labels(work.kind, work.platform).inc()

    def requested(self, work: queue.Work, status: int, headers: Mapping[str, str]) -> None:
        """Counts a request to a cloud, and reads what is left of the account's budget."""
        self._requests.labels(work.platform, work.account, str(status)).inc()
        for header, amount in _BUDGET.items():
            if headers.get(header, "").isdecimal():
                self._budget.labels(work.platform, work.account, amount).set(float(headers[header]))

    def engine_ran(self, work: queue.Work, command: str) -> None:
        """Counts a run of the engine."""
        self._engines.labels(work.platform, command).inc()


def serve(registry: prometheus_client.CollectorRegistry, *, host: str, port: int) -> None:
    """Serves metrics in the background, until the process ends.

    Raises:
        PlantonError: ``ADDRESS_UNAVAILABLE``.
    """
    try:
        prometheus_client.start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise errors.address_unavailable(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="stop the program that uses the port, or choose another one with --metrics-port",
        ) from error
