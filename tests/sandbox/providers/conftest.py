"""Fixtures for scripted clouds, their stand-ins, and connections of the engine."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import typing

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from planton_sandbox.providers import values
from planton_sandbox.providers.civo import plugin as civo
from planton_sandbox.providers.digitalocean import plugin as digitalocean

from . import scripted_civo, scripted_digitalocean, scripted_http

Json = typing.Any
_REQUESTS: dict[str, typing.Any] = {
    "Check": provider_pb2.CheckRequest,
    "Diff": provider_pb2.DiffRequest,
    "Create": provider_pb2.CreateRequest,
    "Read": provider_pb2.ReadRequest,
    "Update": provider_pb2.UpdateRequest,
    "Delete": provider_pb2.DeleteRequest,
    "Invoke": provider_pb2.InvokeRequest,
    "Configure": provider_pb2.ConfigureRequest,
    "GetSchema": provider_pb2.GetSchemaRequest,
    "Attach": plugin_pb2.PluginAttach,
    "GetPluginInfo": empty_pb2.Empty,
    "Cancel": empty_pb2.Empty,
    "Handshake": provider_pb2.ProviderHandshakeRequest,
    "CheckConfig": provider_pb2.CheckRequest,
    "DiffConfig": provider_pb2.DiffRequest,
}


class Engine:
    """One connection, like the engine's for each provider resource."""

    def __init__(self, port: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def message(self, method: str, request: dict[str, Json]) -> typing.Any:
        """Returns a request with plain values."""
        fields = {key: values.encode(item) if isinstance(item, dict) else item for key, item in request.items()}
        if method == "Configure":
            fields["variables"] = request.get("variables", {})
        return _REQUESTS[method](**fields)

    def call(self, method: str, **request: Json) -> typing.Any:
        """Calls a method and returns the response; raises ``grpc.RpcError``."""
        return getattr(self._stub, method)(self.message(method, request), timeout=20)

    def future(self, method: str, **request: Json) -> typing.Any:
        """Starts a call and returns its future."""
        return getattr(self._stub, method).future(self.message(method, request), timeout=20)

    def configure(self, token: str = "tok", region: str = "LON1", **more: str) -> None:  # not a secret
        """Configures this connection's provider."""
        args = {"token": token, "region": region, **more}
        self.call("Configure", args=args, acceptSecrets=True)

    def error(self, method: str, **request: Json) -> grpc.RpcError:
        """Makes a call that must fail and returns the error."""
        with pytest.raises(grpc.RpcError) as caught:
            self.call(method, **request)
        return caught.value

    def close(self) -> None:
        self._channel.close()

    def create(self, urn: str, **news: Json) -> tuple[str, Json, Json]:
        """Checks and creates; returns id, inputs and state."""
        checked = self.call("Check", urn=urn, news=news, randomSeed=b"seed")
        assert not checked.failures
        created = self.call("Create", urn=urn, properties=values.decode(checked.inputs))
        return created.id, values.decode(checked.inputs), values.decode(created.properties)

    def invoke(self, token: str, /, **args: Json) -> Json:
        """Calls a function and returns its results."""
        response = self.call("Invoke", tok=token, args=args)
        assert not response.failures
        return values.decode(getattr(response, "return"))


@dataclasses.dataclass
class Scene:
    """A cloud and the stand-in for its plugin."""

    cloud: typing.Any
    waits: list[float]
    port: int
    connect: typing.Callable[[], Engine]


@contextlib.contextmanager
def _play(cloud: scripted_http.Cloud, serve: typing.Callable[..., typing.Any]) -> collections.abc.Iterator[Scene]:
    waits: list[float] = []
    handle = serve(cloud.url, wait=waits.append)
    engines: list[Engine] = []

    def connect() -> Engine:
        engines.append(Engine(handle.port))
        return engines[-1]

    yield Scene(cloud=cloud, waits=waits, port=handle.port, connect=connect)
    for engine in engines:
        engine.close()
    handle.stop()
    cloud.stop()


@pytest.fixture
def scene() -> collections.abc.Iterator[Scene]:
    """A new Civo and its stand-in."""
    with _play(scripted_civo.Cloud(), civo.serve) as played:
        yield played


@pytest.fixture
def ocean() -> collections.abc.Iterator[Scene]:
    """A new DigitalOcean and its stand-in."""
    with _play(scripted_digitalocean.Cloud(), digitalocean.serve) as played:
        yield played


@pytest.fixture
def engine(scene: Scene) -> Engine:
    """A configured connection."""
    connected = scene.connect()
    connected.configure()
    scene.cloud.lines()
    return connected


@pytest.fixture
def diver(ocean: Scene) -> Engine:
    """A configured connection to the DigitalOcean stand-in, without retries."""
    connected = ocean.connect()
    connected.configure(httpRetryMax="0")
    return connected
