"""Runs a module with Pulumi's mocks and records what it registers: resources, arguments, options, outputs, warnings.

The mocked clouds resolve look-ups like the official plugins, partial matches of a name included.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import pulumi
from google.protobuf import json_format, message
from pulumi import runtime
from pulumi.runtime import mocks, stack
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.sync_await import _sync_await

from planton import modules
from planton.schema import kinds
from support.mocked import CLUSTER_ID, FIREWALL_ID, NETWORK_ID, FailedCallError
from support.mocked_civo import Civo
from support.mocked_digitalocean import DigitalOcean
from support.mocked_gcp import Gcp

__all__ = ["CLUSTER_ID", "FIREWALL_ID", "NETWORK_ID", "Civo", "DigitalOcean", "FailedCallError", "Gcp"]

TOKEN = "token-of-the-test"  # of no real account
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # marks a secret in the engine's protocol


@dataclasses.dataclass(frozen=True)
class Secret:
    """A value that reaches the engine as a secret."""

    value: Any


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One registered resource.

    Attributes:
        type: Its type.
        inputs: Its arguments as the engine receives them, without unset ones.
        options: Its options that are set, and the names of its dependencies.
    """

    type: str
    inputs: dict[str, Any]
    options: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Planned:
    """The registrations of a run of a module.

    Attributes:
        resources: The resources by name, in the order of registration.
        outputs: The resolved outputs of the module; a secret is a ``Secret``.
        warnings: Its warnings.
        calls: Its look-ups: token and arguments.
    """

    resources: dict[str, Recorded]
    outputs: dict[str, Any]
    warnings: list[str]
    calls: list[tuple[str, dict[str, Any]]]


class Cloud(Protocol):
    """A mocked cloud; `mocked_civo`, `mocked_digitalocean` and `mocked_gcp` contain one each."""

    PROVIDER: ClassVar[str]

    def look_up(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the result of a provider function, or raises its error."""
        ...

    def own_cluster(self) -> dict[str, Any] | None:
        """Returns the properties of the stack's cluster, or None."""
        ...

    def make(self, noun: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Returns the ID of a new resource and the properties that the cloud adds."""
        ...


class _Monitor(mocks.MockMonitor):
    """Records options and secrets, which Pulumi's mocks do not show."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(_Mocks(cloud))
        self.planned: dict[str, Recorded] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # Pulumi's names and types
        if request.type != "pulumi:pulumi:Stack":
            inputs = {key: _plain(value) for key, value in json_format.MessageToDict(request.object).items()}
            inputs = dict(sorted(inputs.items()))
            inputs.pop("__provider", None)
            assert request.name not in self.planned, f"{request.name} is registered twice"
            self.planned[request.name] = Recorded(request.type, inputs, _options(request))
        return super().RegisterResource(request)


class _Mocks(mocks.Mocks):
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Returns the ID and the properties of a new resource."""
        id_, added = self.cloud.make(args.typ.rsplit(":", 1)[-1], args.name, args.inputs)
        return id_, dict(args.inputs) | added

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        """Returns the result of a provider function, or of a read of the stack's own state, which is no look-up."""
        if args.token == "pulumi:pulumi:readStackResourceOutputs":
            assert args.args == {"stackName": "organization/planton/test"}
            noun = {"type": f"{self.cloud.PROVIDER}:index/kubernetesCluster:KubernetesCluster"}
            cluster = self.cloud.own_cluster()
            return {"outputs": {} if cluster is None else {"urn::cluster": {**noun, "outputs": cluster}}}
        self.calls.append((args.token, dict(args.args)))
        return self.cloud.look_up(args.token, args.args)


class _Engine:
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def Log(self, request: Any) -> None:  # noqa: N802  # Pulumi's names and types
        if request.severity == engine_pb2.WARNING:
            self.warnings.append(request.message)


def _plain(value: Any) -> Any:  # JSON data
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return Secret(_plain(value["value"]))
        return {key: _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _options(request: Any) -> dict[str, Any]:  # a RegisterResourceRequest
    options: dict[str, Any] = {}
    if request.provider:
        options["provider"] = request.provider.split("::")[-2]
    if request.HasField("replacement_trigger"):
        options["replacement_trigger"] = _plain(json_format.MessageToDict(request.replacement_trigger))
    if request.replaceOnChanges:
        options["replace_on_changes"] = list(request.replaceOnChanges)
    if request.ignoreChanges:
        options["ignore_changes"] = list(request.ignoreChanges)
    if request.deleteBeforeReplace:
        options["delete_before_replace"] = True
    if request.dependencies:
        options["depends_on"] = sorted(urn.rsplit("::", 1)[-1] for urn in request.dependencies)
    return options


def target(kind: str, spec: Mapping[str, Any], **metadata: Any) -> Any:  # a manifest of any kind
    """Returns a manifest."""
    kind_info = kinds.get(kind)
    data = {"apiVersion": kind_info.api_version, "kind": kind, "metadata": {"name": "dev", **metadata}, "spec": dict(spec)}
    return json_format.ParseDict(data, kind_info.message())


def stack_input(manifest: message.Message, **config: Any) -> Any:  # a stack input of any kind
    """Returns the stack input of a manifest; ``config`` overrides a provider config with a token and a region."""
    kind = kinds.get(manifest.DESCRIPTOR.name)
    built: Any = kind.stack_input()
    built.target.CopyFrom(manifest)
    usual = {"accessToken": TOKEN} if kind.provider == "gcp" else {"apiToken": TOKEN, "defaultRegion": "lon1"}
    json_format.ParseDict({**usual, **config}, built.provider_config)
    return built


def plan(inputs: Any, *, cloud: Cloud | None = None, preview: bool = False) -> Planned:  # a stack input of any kind
    """Runs the module of a stack input; its exceptions are raised."""
    outputs: dict[str, Any] = {}
    clouds = {"civo": Civo, "digitalocean": DigitalOcean, "gcp": Gcp}

    def program() -> None:
        for name, value in modules.program(kinds.get(inputs.target.kind)).resources(inputs).items():
            output = pulumi.Output.from_input(value)
            resolved = _sync_await(output.future())
            outputs[name] = Secret(resolved) if _sync_await(output.is_secret()) else resolved

    return dataclasses.replace(
        record(program, cloud=cloud or clouds[kinds.get(inputs.target.kind).provider](), preview=preview),
        outputs=outputs,
    )


def _make_event_loop() -> None:
    """Ensures that the thread has an event loop, which Pulumi requires and an earlier asyncio.run removes."""
    try:
        closed = asyncio.get_event_loop().is_closed()
    except RuntimeError:
        closed = True
    if closed:
        asyncio.set_event_loop(asyncio.new_event_loop())


def record(program: Callable[[], None], *, cloud: Cloud | None = None, preview: bool = False) -> Planned:
    """Runs a program; its outputs are the names that it exports, without values."""
    _make_event_loop()
    monitor = _Monitor(cloud or Civo())
    engine = _Engine()
    mocks.set_mocks(
        monitor.mocks,
        organization="organization",
        project="planton",
        stack="test",
        preview=preview,
        logger=logging.getLogger("mocks"),
        monitor=monitor,
    )
    mocks.SETTINGS.engine = engine
    mocks.SETTINGS.rpc_manager.clear()
    mocks.SETTINGS.outputs.clear()
    exported = getattr(runtime.get_root_resource(), "outputs", {})
    exported.clear()
    _sync_await(stack.run_pulumi_func(program))
    return Planned(monitor.planned, dict.fromkeys(exported), engine.warnings, monitor.mocks.calls)
