"""What a process of controllers measures of its runs, and serves to Prometheus."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import socket
import urllib.request
from collections.abc import Iterator

import prometheus_client
import pytest

from planton import errors
from planton.clouds import api
from planton.controllers import lease, logs, metering, metrics, queue, reconcile
from planton.deploy import schedule
from support import answers, metrics_of_controllers

WORK = metrics_of_controllers.WORK


@pytest.fixture
def registry() -> prometheus_client.CollectorRegistry:
    return prometheus_client.CollectorRegistry()


def test_a_request_to_a_cloud_counts_for_the_account_of_the_run(registry: prometheus_client.CollectorRegistry) -> None:
    """Also in the threads of the pipeline, with what the cloud says is left; a request outside a run does not count."""
    meter = metrics.Metrics(registry, parallel=1)
    with answers.serving("") as cloud:
        cloud.answers["/v2/account"] = (200, {})
        cloud.headers = {"RateLimit-Limit": "5000", "RateLimit-Remaining": "4999"}

        def get(_node: str, _done: object) -> None:
            api.get(f"{cloud.url}/v2/account", authorization="", path="/v2/account")

        def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
            schedule.each(["a", "b"], {}, get, parallel=2, interrupt=lambda: None)
            return reconcile.Done(1, None)

        metering.measured(run, meter)(WORK, lease.Interruption(lease.Lease()))
        get("c", None)
    labels = {"platform": "digitalocean", "account": "acme"}
    assert registry.get_sample_value("planton_controller_cloud_requests_total", {**labels, "status": "200"}) == 2
    assert registry.get_sample_value("planton_controller_cloud_budget", {**labels, "amount": "remaining"}) == 4999


@pytest.mark.parametrize(
    ("reason", "outcome", "failures"),
    [("API_UNREACHABLE", "postponed", 1), ("ENGINE_FAILED", "failed", 1), ("INTERRUPTED", "released", 0)],
)
def test_the_end_of_a_run_has_the_outcome_of_the_queue(
    registry: prometheus_client.CollectorRegistry, reason: str, outcome: str, failures: int
) -> None:
    """Each failure is counted once; an interruption is none."""
    meter = metrics.Metrics(registry, parallel=1)

    def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        assert registry.get_sample_value("planton_controller_running") == 1
        raise errors.PlantonError("no", reason=errors.Reason(reason))

    with pytest.raises(errors.PlantonError):
        metering.measured(run, meter)(WORK, lease.Interruption(lease.Lease()))
    labels = {"kind": "NodePool", "platform": "digitalocean", "outcome": outcome}
    assert registry.get_sample_value("planton_controller_run_seconds_count", labels) == 1
    assert registry.get_sample_value("planton_controller_running") == 0
    counted = [each for family in registry.collect() for each in family.samples if each.name.endswith("failures_total")]
    assert sum(each.value for each in counted) == failures


def test_a_line_of_the_log_names_its_work() -> None:
    """Also those of the pipeline's threads; the text of a cloud cannot begin a line of its own."""
    logger, stream = logging.getLogger("planton.tests.lines"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines())
    logger.addHandler(handler)

    def note(_node: str, _done: object) -> None:
        logger.warning("refused:\n%s", "\x1b[31m")

    def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        schedule.each(["a"], {}, note, parallel=1, interrupt=lambda: None)
        return reconcile.Done(1, None)

    metering.measured(run, metering.Meter())(WORK, lease.Interruption(lease.Lease()))
    logger.warning("outside")
    inside, outside = map(json.loads, stream.getvalue().splitlines())
    assert {name: inside[name] for name in ("kind", "subject", "account", "generation", "epoch", "message")} == {
        "kind": "NodePool", "subject": WORK.id, "account": "acme", "generation": 7, "epoch": 1, "message": "refused:\n\x1b[31m",
    }  # fmt: skip
    assert "subject" not in outside


@contextlib.contextmanager
def _port() -> Iterator[socket.socket]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        yield bound


def test_metrics_are_served_and_a_used_port_is_an_error(registry: prometheus_client.CollectorRegistry) -> None:
    """With the way out."""
    metrics.Metrics(registry, parallel=7)
    with _port() as used:
        port = used.getsockname()[1]
        with pytest.raises(errors.PlantonError, match=f"cannot listen on 127.0.0.1:{port}") as raised:
            metrics.serve(registry, host="127.0.0.1", port=port)
        assert raised.value.reason is errors.Reason.ADDRESS_UNAVAILABLE
    metrics.serve(registry, host="127.0.0.1", port=port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"planton_controller_parallel 7.0" in answer.read()
