"""What gRPC adds to the methods: statuses with details, health, reflection, and messages that JSON could not say."""

import asyncio
import subprocess
import sys

import grpc
import pytest
from google.protobuf import any_pb2, json_format, struct_pb2, timestamp_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.cluster.v1 import status_pb2 as statuses_pb2
from org.project_planton.nodepool.v1 import service_pb2 as node_pools_pb2
from planton_server.grpc import health, rpc_status
from planton_server.grpc import server as grpc_server
from planton_server.service import routes
from support import api

MAIN = {route.method: route for route in routes.routes()}


@pytest.fixture
def client(servers):
    """A caller over gRPC on SQLite."""
    return api.Api(servers("sqlite"), "grpc")


def call(client, method, request, metadata=(), *, caller=""):
    """Calls a method with a message as it stands; returns the call."""
    route = MAIN[method]

    async def done():
        begun = client.server.grpc.unary_unary(
            route.name, request_serializer=route.request.SerializeToString, response_deserializer=route.response.FromString
        )(request, metadata=(("x-user-email", caller or client.user), *metadata), timeout=api.TIMEOUT_SECONDS)
        code = await begun.code()
        return code, await begun.initial_metadata(), await begun.trailing_metadata()

    return client.server.loop.run(done())


def details(trailing):
    """Returns the details of an error by the names of their types."""
    status = rpc_status.Status.FromString(dict(trailing)["grpc-status-details-bin"])
    return {detail.type_url.rpartition(".")[2]: detail for detail in map(any_pb2.Any.FromString, status.details)}


def test_error_has_info_and_violations(client):
    """An invalid request names its reason and each field, as Google's APIs do."""
    code, _, trailing = call(client, "CreateCluster", clusters_pb2.CreateClusterRequest(cluster={"name": "Bad"}))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    parts = details(trailing)
    info, broken = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert parts["ErrorInfo"].Unpack(info)
    assert parts["BadRequest"].Unpack(broken)
    assert (info.reason, info.domain) == ("VALIDATION_ERROR", grpc_server.DOMAIN)
    assert {(one.field, one.reason) for one in broken.field_violations} == {("name", "string.pattern"), ("spec", "required")}
    assert all(one.description for one in broken.field_violations)


def test_absent_name(client):
    """The words of the guide are the same here."""
    _, _, trailing = call(client, "CreateNodePool", node_pools_pb2.CreateNodePoolRequest())
    info = error_details_pb2.ErrorInfo()
    details(trailing)["ErrorInfo"].Unpack(info)
    assert "is required" in info.metadata["details"]


def test_who_asks_too_often_is_told_when_to_come_back(private):
    """The wait stands in a RetryInfo."""
    client = api.Api(private(rate=0.5, burst=1), "grpc")
    codes = [call(client, "ListClusters", clusters_pb2.ListClustersRequest()) for _ in range(2)]
    assert [code for code, _, _ in codes] == [grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED]
    retry = error_details_pb2.RetryInfo()
    assert details(codes[1][2])["RetryInfo"].Unpack(retry)
    assert retry.retry_delay.seconds == 2


def test_request_id(client):
    """Each answer has an id among its metadata, errors too."""
    for method, request in (
        ("ListClusters", clusters_pb2.ListClustersRequest()),
        ("GetCluster", clusters_pb2.GetClusterRequest()),
    ):
        _, initial, _ = call(client, method, request, (("x-request-id", "my-id"),))
        assert dict(initial)["x-request-id"] == "my-id"
        _, initial, _ = call(client, method, request)
        assert len(dict(initial)["x-request-id"]) == 36


def test_failure_of_the_server(private, caplog):
    """An unexpected error is answered with the request's id, and without its own text."""
    server = private()
    server.store.failure = ValueError("driver's own words")
    client = api.Api(server, "grpc")
    code, _, trailing = call(client, "ListClusters", clusters_pb2.ListClustersRequest(), (("x-request-id", "the-id"),))
    assert code is grpc.StatusCode.INTERNAL
    status = dict(trailing)["grpc-status-details-bin"]
    assert b"the-id" in status
    assert b"driver" not in status
    assert "driver's own words" in str(caplog.records[-1].exc_info[1])


def test_health(client):
    """The server and each service say that they serve; of others nothing is known."""

    async def check(name):
        # The call belongs to the loop that runs when it is created.
        stub = health_pb2_grpc.HealthStub(client.server.grpc)
        return await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=api.TIMEOUT_SECONDS)

    for name in ("", *{route.service for route in routes.routes()}):
        assert client.server.loop.run(check(name)).status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        client.server.loop.run(check("unknown"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_many_who_watch_the_health_cost_no_more_than_one(client):
    """The database is asked for all of them at once."""
    store = client.server.store
    request = health_pb2.HealthCheckRequest()

    async def watched():
        healthy, before = health.Health(store, poll=60.0), store.reads
        streams = [healthy.Watch(request, None) for _ in range(20)]
        statuses = {answer.status for answer in await asyncio.gather(*map(anext, streams))}
        for stream in streams:
            await stream.aclose()
        return statuses, store.reads - before

    assert client.server.loop.run(watched()) == ({health_pb2.HealthCheckResponse.SERVING}, 1)


def test_watched_health_of_an_unknown_service(client):
    """Of a service that is not there nothing is known, as the protocol wants it."""
    request = health_pb2.HealthCheckRequest(service="unknown")

    async def watched():
        return await anext(health.Health(client.server.store).Watch(request, None))

    assert client.server.loop.run(watched()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def test_reflection(client):
    """A client without the protos finds the services."""

    async def ask():
        stream = client.server.grpc.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=api.TIMEOUT_SECONDS)
        return [answer async for answer in stream]

    (answer,) = client.server.loop.run(ask())
    names = {service.name for service in answer.list_services_response.service}
    assert {route.service for route in routes.routes()} | {"grpc.health.v1.Health"} <= names


def _deep(levels):
    value = struct_pb2.Value(string_value="x")
    for _ in range(levels):
        value = struct_pb2.Value(list_value=struct_pb2.ListValue(values=[value]))
    return struct_pb2.Struct(fields={"deep": value})


def _wide(values):
    """Returns an object that holds so many values, itself and its list not counted."""
    items = [struct_pb2.Value(bool_value=True)] * values
    return struct_pb2.Struct(fields={"wide": struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))})


@pytest.mark.parametrize(
    ("report", "broken"),
    [
        ({"controller_name": "a\0b"}, ("controller_name", "json.text")),
        (
            {"metadata": struct_pb2.Struct(fields={"a": struct_pb2.Value(number_value=float("nan"))})},
            ('metadata["a"]', "json.wrong_type"),
        ),
        ({"metadata": struct_pb2.Struct(fields={"a\0": struct_pb2.Value(bool_value=True)})}, ('metadata["a\0"]', "json.text")),
        ({"metadata": _deep(24)}, ('metadata["deep"]' + "[0]" * 23, "json.too_deep")),
        ({"metadata": _wide(10_000)}, ("metadata", "json.too_large")),
        (
            {"last_error": {"error_type": "Fatal", "details": {"struct_value": _wide(10_000)}}},
            ("last_error.details", "json.too_large"),
        ),
        ({"conditions": [{"type": "A", "status": "True", "message": "\0"}]}, ("conditions[0].message", "json.text")),
        (
            {"conditions": [{"type": "A", "status": "True", "last_transition_time": timestamp_pb2.Timestamp(seconds=2**40)}]},
            ("conditions[0].lastTransitionTime", "json.wrong_type"),
        ),
        (
            {"conditions": [{"type": "A", "status": "True", "last_transition_time": timestamp_pb2.Timestamp(nanos=-1)}]},
            ("conditions[0].lastTransitionTime", "json.wrong_type"),
        ),
        (
            {"last_error": {"error_type": "Fatal", "details": {"number_value": float("inf")}}},
            ("last_error.details", "json.wrong_type"),
        ),
    ],
)
def test_what_json_cannot_say_is_refused(client, report, broken):
    """Nothing is stored that a reader over REST could not read."""
    made = client.pool()
    whole = statuses_pb2.StatusReport(**{"controller_name": "c", "observed_generation": 1, **report})
    request = node_pools_pb2.ReportNodePoolStatusRequest(id=made["id"], report=whole)
    code, _, trailing = call(client, "ReportNodePoolStatus", request, caller=api.CONTROLLER)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    bad_request = error_details_pb2.BadRequest()
    details(trailing)["BadRequest"].Unpack(bad_request)
    assert broken in {(one.field, one.reason) for one in bad_request.field_violations}
    assert client.call("GetNodePoolStatus", id=made["id"]).body["controllers"] == []


@pytest.mark.parametrize("holder", ["", "node_pool", "node_pool.spec", "node_pool.spec.platform", "node_pool.spec.platform.gcp"])
def test_fields_of_a_later_schema_are_refused(client, holder):
    """As a word that is no field is over REST: what a newer client asks for is done, or is not."""
    cluster = client.cluster()
    body = json_format.ParseDict(api.pool(), node_pools_pb2.CreateNodePoolRequest().node_pool)
    request = node_pools_pb2.CreateNodePoolRequest(cluster_id=cluster["id"], node_pool=body)
    inner = request
    for name in filter(None, holder.split(".")):
        inner = getattr(inner, name)
    inner.MergeFromString(b"\xf8\x07\x01")
    code, _, trailing = call(client, "CreateNodePool", request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    bad_request = error_details_pb2.BadRequest()
    details(trailing)["BadRequest"].Unpack(bad_request)
    path = ".".join([*holder.split(".")[1:], "127"])
    assert [(one.field, one.reason) for one in bad_request.field_violations] == [(path, "json.unknown_field")]
    assert client.call("ListNodePools", cluster_id=cluster["id"]).body["total"] == 0


def test_deep_data_that_json_can_say_is_kept(client):
    """The deepest data that JSON may hold goes through both ways."""
    made = client.pool()
    report = statuses_pb2.StatusReport(controller_name="c", observed_generation=1, metadata=_deep(23))
    request = node_pools_pb2.ReportNodePoolStatusRequest(id=made["id"], report=report)
    code, _, _ = call(client, "ReportNodePoolStatus", request, caller=api.CONTROLLER)
    assert code is grpc.StatusCode.OK
    assert client.call("GetNodePoolStatus", id=made["id"]).body["controllers"][0]["metadata"]["deep"]


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ((("x-user-email", api.CONTROLLER),), grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", "Bearer a"), ("authorization", "Bearer b")), grpc.StatusCode.UNAUTHENTICATED),
        ((("if-match", '"1"'), ("if-match", "*")), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_metadata_that_come_twice(client, metadata, code):
    """Who asks, and under which condition, is said once."""
    assert call(client, "ListClusters", clusters_pb2.ListClustersRequest(), metadata)[0] is code


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff", b"\x0a\x01\xff", b"\x0a\x02" * 5])
def test_bytes_that_are_no_message(client, caplog, data):
    """They are a mistake of the caller, who must be known, and none of the server."""

    async def done(*metadata):
        begun = client.server.grpc.unary_unary(MAIN["GetNodePool"].name)(data, metadata=metadata, timeout=api.TIMEOUT_SECONDS)
        return await begun.code(), await begun.details()

    assert client.server.loop.run(done())[0] is grpc.StatusCode.UNAUTHENTICATED
    status = client.server.loop.run(done(("x-user-email", client.user)))
    assert status == (grpc.StatusCode.INVALID_ARGUMENT, "Validation failed")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_message_over_the_limit(client):
    """A message of more than a mebibyte is not read."""
    request = clusters_pb2.CreateClusterRequest(cluster={"name": "a" * (1 << 20)})
    code, _, _ = call(client, "CreateCluster", request)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture
def door(loop):
    """Starts gRPC servers with a handshake timeout, without services, and returns their ports."""
    servers = []

    async def begin(seconds):
        limits = grpc_server.Limits(seconds=seconds, connections=2, age=0.6)
        servers.append(grpc_server.serve(None, health_pb2_grpc.HealthServicer(), None, limits=limits))
        port = servers[0].add_insecure_port("127.0.0.1:0")
        await servers[0].start()
        return port

    def started(seconds):
        return loop.run(begin(seconds))

    yield started
    loop.run(servers[0].stop(0))


def test_a_connection_that_says_nothing_ends(loop, door):
    """It would hold a file for ever."""
    port = door(0.4)

    async def done():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(api.TIMEOUT_SECONDS):
            await reader.read()
        writer.close()

    loop.run(done())


def test_a_call_without_a_request_ends(loop, door):
    """Its metadata came, and no more."""
    port = door(0.4)

    async def done():
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            begun = channel.stream_unary(MAIN["CreateCluster"].name)()
            async with asyncio.timeout(api.TIMEOUT_SECONDS):
                return await begun.code()

    assert loop.run(done()) is grpc.StatusCode.UNAVAILABLE


def test_too_many_connections_are_closed(loop, door):
    """Each of those before has its greeting."""
    port = door(api.TIMEOUT_SECONDS)

    async def done():
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with asyncio.timeout(api.TIMEOUT_SECONDS):
            frames = [await reader.read(9) for reader, _ in opened]
        for _, writer in opened:
            writer.close()
        return frames

    greeted, also, closed = loop.run(done())
    assert len(greeted) == len(also) == 9
    assert closed == b""


def test_the_engine_fits_beside_the_server():
    """Pulumi's SDK has a google.rpc.Status of its own; both orders of loading go well."""
    server, engine = "import planton_server.grpc.server", "import pulumi.runtime.proto.status_pb2"
    for first, second in ((server, engine), (engine, server)):
        subprocess.run([sys.executable, "-c", f"{first}\n{second}"], check=True)
