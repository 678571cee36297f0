"""How a process of controllers is watched: its metrics and its traces."""

from __future__ import annotations

import contextlib
import dataclasses
import urllib.parse
from typing import TYPE_CHECKING

import click

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planton.controllers import lease, metering, queue, reconcile

    _Run = Callable[[queue.Work, lease.Interruption], reconcile.Done]


@dataclasses.dataclass(frozen=True, slots=True)
class Watched:
    """What watches the runs of a process.

    Attributes:
        meter: Measures them.
        traced: Returns a traced run.
    """

    meter: metering.Meter
    traced: Callable[[_Run], _Run]


@contextlib.contextmanager
def watching(parallel: int, *, metrics_host: str, metrics_port: int, otlp_endpoint: str) -> Iterator[Watched]:
    """Returns a context of what watches the runs of a process. Remaining spans are sent at its end.

    Args:
        parallel: The number of runs that the process can have at the same time.
        metrics_host: The address of its metrics.
        metrics_port: The port of its metrics; 0 for none.
        otlp_endpoint: The destination of its traces; empty for none.

    Raises:
        PlantonError: ``ADDRESS_UNAVAILABLE``; ``EXTRA_MISSING``.
        click.UsageError: The destination is no URL.
    """
    place = urllib.parse.urlsplit(otlp_endpoint)
    if otlp_endpoint and not (place.scheme in ("http", "https") and place.hostname):
        raise click.UsageError(f"--otlp-endpoint {otlp_endpoint!r} must be like http://collector:4317")
    meter = _meter(metrics_host, metrics_port, parallel)
    if not otlp_endpoint:
        yield Watched(meter, lambda run: run)
        return
    try:
        from planton.controllers import tracing  # noqa: PLC0415  # the extra `server`; a fifth of a second, only for traces
    except ImportError as error:
        raise _needs_server("--otlp-endpoint") from error
    traces = tracing.Traces(otlp_endpoint)
    try:
        yield Watched(meter, traces.traced)
    finally:
        traces.stop()


def _meter(host: str, port: int, parallel: int) -> metering.Meter:
    from planton.controllers import metering  # noqa: PLC0415  # httpx takes 60 ms of each `--help`

    if not port:
        return metering.Meter()
    try:
        import prometheus_client  # noqa: PLC0415  # the extra `server`

        from planton.controllers import metrics  # noqa: PLC0415  # the extra `server`
    except ImportError as error:
        raise _needs_server("--metrics-port") from error
    registry = prometheus_client.CollectorRegistry()
    meter = metrics.Metrics(registry, parallel=parallel)
    metrics.serve(registry, host=host, port=port)
    return meter


def _needs_server(option: str) -> errors.PlantonError:
    return errors.extra_missing(
        f"{option} needs the extra server, which is not installed",
        hint="pip install 'project-planton[server]'",
    )
