"""The metrics of a process of controllers in which everything has happened once."""

from __future__ import annotations

import prometheus_client

from planton.controllers import lease, metering, metrics, queue, reconcile

WORK = queue.Work(
    "3f2c8a11-0c1d-4c7e-9b67-0d7a5f9a2b11", "NodePool", "9c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f", "digitalocean", 1, "acme", 7
)


def text() -> str:
    """Returns them as text."""
    registry = prometheus_client.CollectorRegistry()
    meter = metrics.Metrics(registry, parallel=4)
    held = lease.Lease()
    metering.measured(lambda _work, _interruption: reconcile.Done(1, None), meter)(WORK, lease.Interruption(held))
    meter.acted(WORK, "repair", "succeeded")
    meter.failed(WORK, "RATE_LIMITED")
    meter.drifted(WORK)
    meter.requested(WORK, 200, {"ratelimit-limit": "5000", "ratelimit-remaining": "4321"})
    meter.engine_ran(WORK, "up")
    return prometheus_client.generate_latest(registry).decode()
