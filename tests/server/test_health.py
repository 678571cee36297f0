"""Timed work that has stopped: health says so, by REST, gRPC and the metrics; who reads is served still."""

from __future__ import annotations

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from planton_server.service import routes
from support import api

_SERVING, _NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize(
    ("state", "status", "whole"), [("healthy", 200, _SERVING), ("off", 200, _SERVING), ("unhealthy", 503, _NOT_SERVING)]
)
def test_health_of_timed_work(private, state: str, status: int, whole: int) -> None:
    """A load balancer that asks whether the server is ready sends requests to it in any case."""
    server = private(timed_work=lambda: state)
    health, ready, metrics = (server.loop.run(server.rest.get(path)) for path in ("/health", "/ready", "/metrics"))
    assert (health.status_code, ready.status_code) == (status, 200)
    assert health.json()["components"]["timed_work"] == {"status": state}
    assert health.json()["components"]["database"]["status"] == "healthy"
    assert f"planton_timed_work_up {float(state != 'unhealthy')}" in metrics.text
    stub = health_pb2_grpc.HealthStub(server.grpc)

    async def checked(name: str) -> int:
        return (await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=api.TIMEOUT_SECONDS)).status

    async def watched(name: str) -> int:
        stream = stub.Watch(health_pb2.HealthCheckRequest(service=name), timeout=api.TIMEOUT_SECONDS)
        first = (await stream.read()).status
        stream.cancel()
        return first

    for asked in (checked, watched):
        assert server.loop.run(asked("")) == whole
        assert {server.loop.run(asked(route.service)) for route in routes.routes()} == {_SERVING}
