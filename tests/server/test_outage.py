"""A database that goes away: the server says so, keeps nothing half done, and goes on when it is back."""

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from planton_server.service import routes
from support import api

_SERVING, _NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def alone(cluster, private):
    """A server on PostgreSQL, which is running again at the end."""
    yield private("postgresql")
    cluster.start_again()


@pytest.mark.parametrize("door", ["rest", "grpc"])
def test_outage(alone, cluster, door):
    """Each method answers that it is unavailable while the database is gone, and works again by itself afterwards."""
    client = api.Api(alone, door)
    made = client.pool()
    cluster.stop()
    calls = [
        ("ListNodePools", None, {}),
        ("GetNodePool", None, {"id": made["id"]}),
        ("CreateNodePool", api.pool(name="new"), {"cluster_id": made["cluster_id"]}),
        ("UpdateNodePool", api.pool(nodeCount=9), {"id": made["id"]}),
        ("DeleteNodePool", None, {"id": made["id"]}),
        ("ListEvents", None, {}),
    ]
    for method, body, fields in calls:
        reply = client.call(method, body, **fields)
        assert (reply.status, reply.error["code"]) == (503, "UNAVAILABLE"), method
        assert reply.grpc in {"", "UNAVAILABLE"}
        assert door == "grpc" or reply.headers["retry-after"] == "1"
        assert "asyncpg" not in str(reply.body)
        assert str(cluster.folder) not in str(reply.body)
    cluster.start()
    assert client.call("GetNodePool", id=made["id"]).body == made
    assert client.call("CreateNodePool", api.pool(name="new"), cluster_id=made["cluster_id"]).status == 201
    assert client.call("ListNodePools").body["total"] == 2
    assert [event["type"] for event in client.events()] == ["cluster.created", "nodepool.created", "nodepool.created"]


def test_health_in_an_outage(alone, cluster):
    """Health and readiness say so too, and are well again afterwards."""

    def states():
        answers = [alone.loop.run(alone.rest.get(path)) for path in ("/health", "/ready", "/info")]
        return [answer.status_code for answer in answers], answers[0].json()["status"]

    assert states() == ([200, 200, 200], "healthy")
    cluster.stop()
    assert states() == ([503, 503, 200], "unhealthy")
    cluster.start()
    assert states() == ([200, 200, 200], "healthy")


def _check(server, name):
    stub = health_pb2_grpc.HealthStub(server.grpc)

    async def answered():
        # gRPC asks for the loop where the call begins.
        return await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=api.TIMEOUT_SECONDS)

    return server.loop.run(answered()).status


def test_health_over_grpc_in_an_outage(alone, cluster):
    """Who asks, and who watches, learns that nothing is served while the database is gone, and that it is again afterwards."""
    names = ("", *{route.service for route in routes.routes()})
    stub = health_pb2_grpc.HealthStub(alone.grpc)

    async def watched():
        return stub.Watch(health_pb2.HealthCheckRequest(service=names[1]), timeout=api.TIMEOUT_SECONDS)

    stream = alone.loop.run(watched())

    def seen():
        return alone.loop.run(stream.read()).status, {_check(alone, name) for name in names}

    assert seen() == (_SERVING, {_SERVING})
    cluster.stop()
    assert seen() == (_NOT_SERVING, {_NOT_SERVING})
    cluster.start()
    assert seen() == (_SERVING, {_SERVING})
    stream.cancel()


def test_more_requests_than_connections(private):
    """Requests wait for a connection instead of failing."""
    client = api.Api(private("postgresql", connections=2), "rest")
    cluster = client.cluster()["id"]
    replies = client.together([("CreateNodePool", api.pool(name=f"p{number}"), {"cluster_id": cluster}) for number in range(60)])
    assert {reply.status for reply in replies} == {201}
