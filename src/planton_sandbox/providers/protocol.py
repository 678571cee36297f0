"""Pulumi's provider protocol for any ``Package``: the part that is common to all clouds.

It answers like the bridged official plugins: which fields are present, how errors are wrapped, what a failed update leaves in the
state. The package supplies the cloud's own behaviour.
"""

from __future__ import annotations

import concurrent.futures
import copy
import typing

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from planton_sandbox.providers import calls, checking, detailed, diffing, operations, outputs, package, planning, sessions, values

WORKERS = 128
"""How many calls are answered in parallel."""
_T = typing.TypeVar("_T")


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine's calls."""

    def __init__(self, served: package.Package) -> None:
        self._package = served
        self._resources = {resource.table.token: resource for resource in served.resources}
        self._functions = {function.table.token: function for function in served.functions}
        self._sessions = sessions.Sessions()
        self._pool = concurrent.futures.ThreadPoolExecutor(WORKERS, thread_name_prefix=f"{served.name}-call")

    def close(self) -> None:
        """Ends all calls in progress."""
        self._sessions.end()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # The names of the methods below are the protocol's.

    def Handshake(self, request: provider_pb2.ProviderHandshakeRequest, context: typing.Any) -> typing.Any:  # noqa: N802
        """Is not implemented, as in the official plugins."""
        calls.abort(context, grpc.StatusCode.UNIMPLEMENTED, "method Handshake not implemented")

    def Attach(self, request: plugin_pb2.PluginAttach, context: typing.Any) -> empty_pb2.Empty:  # noqa: N802
        """Starts a session for an engine."""
        self._sessions.restart(context.peer()).engine = request.address
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: typing.Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Returns the version of the official plugin."""
        return plugin_pb2.PluginInfo(version=self._package.version)

    def GetSchema(  # noqa: N802
        self, request: provider_pb2.GetSchemaRequest, context: typing.Any
    ) -> provider_pb2.GetSchemaResponse:
        """Returns the package schema."""
        return provider_pb2.GetSchemaResponse(schema=self._package.schema())

    def Cancel(self, request: empty_pb2.Empty, context: typing.Any) -> empty_pb2.Empty:  # noqa: N802
        """Does nothing."""
        return empty_pb2.Empty()

    def CheckConfig(  # noqa: N802
        self, request: provider_pb2.CheckRequest, context: typing.Any
    ) -> provider_pb2.CheckResponse:
        """Returns the provider's configuration unchanged."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: typing.Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Returns that no configuration change needs a replacement."""
        return provider_pb2.DiffResponse()

    def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, context: typing.Any
    ) -> provider_pb2.ConfigureResponse:
        """Connects the session of this connection to the cloud."""
        session = self._sessions.restart(context.peer())
        prefix = f"{self._package.name}:config:"
        variables = {key.removeprefix(prefix): value for key, value in request.variables.items()}
        config = {**variables, **values.decode(request.args)}

        def connect() -> provider_pb2.ConfigureResponse:
            try:
                session.cloud = self._package.connect(config, session.gate)
            except sessions.Fault as fault:
                raise sessions.Fault(calls.listed(fault)) from fault
            session.accepts_secrets = request.acceptSecrets
            _log(session.engine, self._package.config_warnings(config))
            return provider_pb2.ConfigureResponse(supportsPreview=True, supports_autonaming_configuration=True)

        return self._run(context, session, connect)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: typing.Any) -> provider_pb2.InvokeResponse:  # noqa: N802
        """Calls a function."""
        session = self._sessions.of(context.peer())
        function = self._functions.get(request.tok)
        if function is None:
            calls.abort(context, grpc.StatusCode.UNKNOWN, f"unrecognized data function (Invoke): {request.tok}")
        return self._run(context, session, lambda: operations.invoke(function, session, values.decode(request.args)))

    def Check(self, request: provider_pb2.CheckRequest, context: typing.Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Fills in defaults and validates inputs."""
        resource = self._resource(request.urn, context)
        logical = _logical(request.urn)
        options = request.autonaming
        naming = checking.Naming(
            logical=logical,
            seed=request.randomSeed,
            proposed=options.proposed_name if request.HasField("autonaming") else "",
            disabled=request.HasField("autonaming") and options.mode == options.DISABLE,
        )

        def check() -> provider_pb2.CheckResponse:
            olds, news = values.decode(request.olds), values.decode(request.news)
            inputs, failures = checking.check(resource.table, olds=olds, news=news, naming=naming)
            problems = [provider_pb2.CheckFailure(reason=failure.text(logical)) for failure in failures]
            return provider_pb2.CheckResponse(inputs=values.encode(inputs), failures=problems)

        return self._run(context, self._sessions.of(context.peer()), check)

    def Diff(self, request: provider_pb2.DiffRequest, context: typing.Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Compares the state with a plan."""
        session = self._sessions.of(context.peer())
        resource = self._resource(request.urn, context)
        inputs = values.decode(request.news)

        def compare() -> provider_pb2.DiffResponse:
            data = operations.load(resource, request.id, values.decode(request.olds))
            operations.plan(self._form(resource, session), data, request.urn, inputs, tuple(request.ignoreChanges))
            return self._difference(data, inputs)

        return self._run(context, session, compare)

    def Create(self, request: provider_pb2.CreateRequest, context: typing.Any) -> provider_pb2.CreateResponse:  # noqa: N802
        """Creates a resource, or previews that."""
        session = self._sessions.of(context.peer())
        resource = self._resource(request.urn, context)
        form = self._form(resource, session)

        def create() -> provider_pb2.CreateResponse:
            data = planning.Data(table=resource.table)
            operations.plan(form, data, request.urn, values.decode(request.properties), ())
            if request.preview:
                return provider_pb2.CreateResponse(properties=form.planned(data, values.UNKNOWN))
            planned = copy.deepcopy(data.state)
            try:
                resource.create(session.cloud, data)
            except sessions.Fault as fault:
                if not data.id:
                    raise sessions.Fault(calls.listed(fault)) from fault
                raise calls.init_failed(form, data, f"creating {request.urn}: {calls.listed(fault)}") from fault
            if not data.id:
                raise sessions.Fault(f"expected non-nil error with nil state during Create of {request.urn}")
            return provider_pb2.CreateResponse(id=data.id, properties=form.settled(data, planned))

        return self._run(context, session, create)

    def Update(self, request: provider_pb2.UpdateRequest, context: typing.Any) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Updates a resource, or previews that."""
        session = self._sessions.of(context.peer())
        resource = self._resource(request.urn, context)
        form = self._form(resource, session)

        def update() -> provider_pb2.UpdateResponse:
            data = operations.load(resource, request.id, values.decode(request.olds))
            inputs, ignored = values.decode(request.news), tuple(request.ignoreChanges)
            operations.plan(form, data, request.urn, inputs, ignored)
            if request.preview:
                return provider_pb2.UpdateResponse(properties=form.planned(data, request.id))
            planned = copy.deepcopy(data.state)
            try:
                resource.update(session.cloud, data)
            except sessions.Fault as fault:
                data.state = planned
                raise calls.init_failed(form, data, f"updating {request.urn}: {calls.listed(fault)}") from fault
            if not data.id:
                raise sessions.Fault(f"expected non-empty ID for new state during Update of {request.urn}")
            return provider_pb2.UpdateResponse(properties=form.settled(data, planned))

        return self._run(context, session, update)

    def Read(self, request: provider_pb2.ReadRequest, context: typing.Any) -> provider_pb2.ReadResponse:  # noqa: N802
        """Refreshes or imports a resource."""
        session = self._sessions.of(context.peer())
        resource = self._resource(request.urn, context)
        return self._run(context, session, lambda: operations.read(self._form(resource, session), request))

    def Delete(self, request: provider_pb2.DeleteRequest, context: typing.Any) -> empty_pb2.Empty:  # noqa: N802
        """Deletes a resource."""
        session = self._sessions.of(context.peer())
        resource = self._resource(request.urn, context)

        def delete() -> empty_pb2.Empty:
            try:
                resource.delete(session.cloud, operations.load(resource, request.id, values.decode(request.properties)))
            except sessions.Fault as fault:
                raise sessions.Fault(f"deleting {request.urn}: {calls.listed(fault)}") from fault
            return empty_pb2.Empty()

        return self._run(context, session, delete)

    def _resource(self, urn: str, context: typing.Any) -> package.Resource:
        token = urn.split("::")[-2].rsplit("$", 1)[-1]
        resource = self._resources.get(token)
        if resource is None:
            calls.abort(context, grpc.StatusCode.UNKNOWN, f"unrecognized resource type (Check): {token}")
        return resource

    def _form(self, resource: package.Resource, session: sessions.Session) -> outputs.Form:
        package = self._package
        return outputs.Form(
            resource=resource, session=session, newer_bridge=package.newer_bridge, drops_notes=package.drops_notes
        )

    def _difference(self, data: planning.Data, inputs: planning.State) -> provider_pb2.DiffResponse:
        compare = detailed.difference if self._package.newer_bridge else diffing.difference
        changes = compare(data.table, data.prior or {}, data.state)
        kinds, replaces = dict(changes.kinds), changes.replaces
        if data.replace and not replaces:
            # No property needs the replacement, so the plugins name their own notes.
            kinds[outputs.META] = provider_pb2.PropertyDiff.UPDATE_REPLACE
            replaces = (outputs.META,)
        defaulted = inputs.get(checking.DEFAULTS) or []
        named = any(row.autoname and row.name in inputs and row.name not in defaulted for row in data.table.properties)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if kinds else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({*changes.properties, *replaces}),
            replaces=replaces,
            stables=changes.stables,
            detailedDiff={path: provider_pb2.PropertyDiff(kind=kind) for path, kind in kinds.items()},
            hasDetailedDiff=True,
            deleteBeforeReplace=bool(replaces) and named,
        )

    def _run(self, context: typing.Any, session: sessions.Session, work: typing.Callable[[], _T]) -> _T:
        return calls.run(self._pool, context, session, work)


def _log(engine: str, warnings: list[str]) -> None:
    """Logs warnings about a configuration with the engine."""
    if not (engine and warnings):
        return
    with grpc.insecure_channel(engine) as channel:
        stub = engine_pb2_grpc.EngineStub(channel)
        for text in warnings:
            stub.Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=f"provider config warning: {text}"))


def _logical(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]
