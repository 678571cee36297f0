"""A disk that is full, and a database that takes no writes: health says so until there is room again, by REST and gRPC."""

from __future__ import annotations

import os
import types

import psycopg
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support import api, disk, waiting

_SERVING, _NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def states(server: api.Server) -> tuple[int, int, dict[str, str], int]:
    """Return the statuses of health and readiness, what is said of the database, and the whole server's health over gRPC."""
    health, ready = (server.loop.run(server.rest.get(path)) for path in ("/health", "/ready"))
    stub = health_pb2_grpc.HealthStub(server.grpc)

    async def checked():
        return await stub.Check(health_pb2.HealthCheckRequest(), timeout=api.TIMEOUT_SECONDS)

    return health.status_code, ready.status_code, health.json()["components"]["database"], server.loop.run(checked()).status


def test_a_write_that_fails_for_want_of_room(private) -> None:
    """Reads go on; the next write that there is room for makes it well again, be it that of a look at the health."""
    server = private()
    client = api.Api(server, "rest")
    made = client.cluster()
    assert states(server) == (200, 200, {"status": "healthy", "engine": "sqlite"}, _SERVING)
    with disk.full():
        assert client.call("CreateCluster", {"name": "x", "spec": made["spec"]}).status == 503
        health, ready, said, grpc = states(server)
        assert (health, ready, grpc) == (503, 200, _NOT_SERVING)
        assert (said["status"], said["engine"], "disk" in said["reason"]) == ("unhealthy", "sqlite", True)
        assert client.call("GetCluster", id=made["id"]).status == 200
    assert states(server)[0] == 200
    assert client.call("CreateCluster", {"name": "x", "spec": made["spec"]}).status == 201


def test_a_disk_without_room_before_anything_fails(private, monkeypatch) -> None:
    """SQLite's folder is looked at."""
    server = private()
    monkeypatch.setattr(os, "statvfs", lambda _path: types.SimpleNamespace(f_bavail=10, f_frsize=4096))
    assert states(server)[0] == 503
    monkeypatch.undo()
    assert states(server)[0] == 200


def test_a_database_that_takes_no_writes(private) -> None:
    """PostgreSQL's, as while another server takes over; a write is answered with 503 and not as a failure of this server."""
    server = private("postgresql")
    client = api.Api(server, "rest")
    name = psycopg.conninfo.conninfo_to_dict(server.url)["dbname"]

    def put(state: str) -> None:
        with psycopg.connect(server.url.replace(name, "postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {state}")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    cluster = {"name": "x", "spec": {"platform": {"type": "gcp"}}}
    put("on")
    waiting.until(lambda: client.call("ListClusters").status == 200, "a new connection")
    reply = client.call("CreateCluster", cluster)
    assert (reply.status, reply.error["code"]) == (503, "UNAVAILABLE")
    health, ready, said, grpc = states(server)
    assert (health, ready, said["status"], grpc) == (503, 200, "unhealthy", _NOT_SERVING)
    put("off")
    waiting.until(lambda: states(server)[0] == 200, "health")
    assert client.call("CreateCluster", cluster).status == 201
