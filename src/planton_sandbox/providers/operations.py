"""The protocol's operations without its transport: states are loaded, planned and read; functions are called."""

from __future__ import annotations

import copy

from pulumi.runtime.proto import provider_pb2

from planton_sandbox.providers import calls, checking, outputs, package, planning, sessions, values


def load(resource: package.Resource, identity: str, state: planning.State) -> planning.Data:
    """Returns a resource in the state that the engine keeps; properties that the table lacks are left out."""
    properties = {row.name: state.get(row.name) for row in resource.table.properties}
    return planning.Data(table=resource.table, id=identity, prior=properties, state=copy.deepcopy(properties))


def plan(form: outputs.Form, data: planning.Data, urn: str, inputs: planning.State, ignored: tuple[str, ...]) -> None:
    """Plans a resource in place.

    Args:
        form: whose resource and session it is.
        data: the resource, which receives the planned state.
        urn: the resource's name in the program, for errors.
        inputs: the inputs to apply.
        ignored: the paths whose changes are ignored.

    Raises:
        Fault: The plugin refuses the plan.
    """
    table = form.resource.table
    data.state = planning.plan(table, prior=data.prior, inputs=inputs, ignored=ignored)
    data.spellings = planning.spelled(table, prior=data.prior, inputs=inputs)
    try:
        form.resource.customize(form.session.cloud, data)
    except sessions.Fault as fault:
        raise sessions.Fault(f"diffing {urn}: {calls.listed(fault)}") from fault


def read(form: outputs.Form, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
    """Refreshes a resource, or imports one that has no state yet.

    Raises:
        Fault: The cloud refused.
    """
    resource, cloud = form.resource, form.session.cloud
    state, inputs = values.decode(request.properties), values.decode(request.inputs)
    data = load(resource, request.id, state)
    try:
        if not state:
            resource.find(cloud, data)
        if data.id:
            resource.read(cloud, data)
    except sessions.Fault as fault:
        raise sessions.Fault(f"refreshing {request.urn}: {calls.listed(fault)}") from fault
    if not data.id:
        return provider_pb2.ReadResponse()
    rows = resource.table.properties
    settled = planning.as_read(resource.table, data.state)
    current = planning.refreshed(rows, inputs, settled) if state else planning.imported(rows, settled)
    if state and form.drops_notes:
        current = checking.without_empty_notes(current)
    previous_notes = (state.get(outputs.META) or "") if state else None
    return provider_pb2.ReadResponse(
        id=data.id, properties=form.read(settled, data.id, previous_notes), inputs=values.encode(current)
    )


def invoke(function: package.Function, session: sessions.Session, args: dict[str, values.Json]) -> provider_pb2.InvokeResponse:
    """Calls a function; invalid arguments are failures of the response.

    Raises:
        Fault: The cloud refused.
    """
    arguments = {key: value for key, value in args.items() if value is not None}
    naming = checking.Naming(logical="", disabled=True)
    filled, _ = checking.check(function.table, olds={}, news=arguments, naming=naming)
    problems = checking.validate(function.table, filled)
    if problems:
        return provider_pb2.InvokeResponse(failures=[provider_pb2.CheckFailure(reason=text) for text in problems])
    try:
        results = function.call(session.cloud, filled)
    except sessions.Rejected as rejected:
        return provider_pb2.InvokeResponse(failures=[provider_pb2.CheckFailure(reason=str(rejected))])
    except sessions.Fault as fault:
        raise sessions.Fault(f"invoking {function.table.token}: {calls.listed(fault)}") from fault
    response = provider_pb2.InvokeResponse()
    getattr(response, "return").CopyFrom(values.encode(results))
    return response
