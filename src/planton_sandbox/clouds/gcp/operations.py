"""The operations of the simulated GKE: every change is one, and one excludes others.

A change of a cluster excludes every other change of it. A change of a pool excludes changes of the same pool and of the cluster.
"""

from __future__ import annotations

import secrets
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.gcp import catalogue, records, scopes

#: The codes that the API's conditions have. For others they have a text only.
_CODES = (records.STOCKOUT, records.QUOTA)
_RESOURCE_EXHAUSTED = 8
_ABORTED = 10


def running(state: records.State, cluster: records.Cluster, *, pool: str | None = None) -> list[records.Operation]:
    """Returns the operations of a cluster that have not ended; ``pool`` selects one pool, an empty name the cluster itself."""
    return [
        item
        for item in state.operations
        if item.cluster == cluster.id and item.ended is None and (pool is None or item.pool == pool)
    ]


def require_idle(scope: scopes.Scope, cluster: records.Cluster, pool: str = "") -> None:
    """Refuses a change of a cluster, or of one of its pools, while another operation excludes it."""
    pending = running(scope.state, cluster)
    excluding = [item for item in pending if not pool or item.pool in ("", pool)]
    if excluding:
        raise scopes.busy(f"Cluster is running incompatible operation {excluding[0].name}.")
    if len(pending) >= catalogue.OPERATIONS_PER_CLUSTER:
        reason = (
            f'Too many operations: cluster "{cluster.name}" hits the concurrent operations quota '
            f"{catalogue.OPERATIONS_PER_CLUSTER}, please try again later."
        )
        raise scopes.refused(429, reason, "RESOURCE_EXHAUSTED")


def begin(scope: scopes.Scope, cluster: records.Cluster, kind: str, *, seconds: float, pool: str = "") -> records.Operation:
    """Begins an operation that takes ``seconds`` in realistic latency."""
    operation = records.Operation(
        name=f"operation-{int(scope.now * 1000)}-{_uuid()}",
        kind=kind,
        project=cluster.project,
        location=cluster.location,
        cluster=cluster.id,
        pool=pool,
        target=scopes.path(cluster) + (f"/nodePools/{pool}" if pool else ""),
        started=scope.now,
        timer=timer(scope, seconds=seconds),
    )
    scope.state.operations.append(operation)
    return operation


def timer(scope: scopes.Scope, *, seconds: float) -> clock.Timer:
    """Returns the timer of an operation or of one of its steps."""
    return scope.pace.timer(scope.now, seconds=seconds, instant_seconds=catalogue.OPERATION_INSTANT_SECONDS)


def end(operation: records.Operation, *, now: float, error: str = "") -> None:
    """Ends an operation, with an error if there is a text."""
    operation.ended = now
    if error:
        operation.error, operation.code = error, _ABORTED


def end_filled(operation: records.Operation, cluster: records.Cluster, shortages: dict[str, str], *, now: float) -> None:
    """Ends an operation that has added nodes, with an error if some could not be added."""
    operation.ended = now
    for zone, code in shortages.items():
        text = shortage(code, cluster, zone)
        operation.conditions.append(condition(code, cluster, zone))
        operation.error = (
            operation.error or f"Google Compute Engine: Not all instances running in IGM. Current errors: [{code}]: {text}"
        )
        operation.code = _RESOURCE_EXHAUSTED


def shortage(code: str, cluster: records.Cluster, zone: str) -> str:
    """Returns the message about machines that cannot be created."""
    project = f"projects/{cluster.project}"
    if code == records.ADDRESSES:
        region = catalogue.region_of(zone)
        return (
            f"Instance creation failed: IP space of '{project}/regions/{region}/subnetworks/{cluster.subnetwork}' is exhausted."
        )
    if code == records.QUOTA:
        return f"Instance creation failed: Quota exceeded in zone '{project}/zones/{zone}'."
    return (
        f"Instance creation failed: The zone '{project}/zones/{zone}' does not have enough resources available to "
        "fulfill the request. Try a different zone, or try again later."
    )


def condition(code: str, cluster: records.Cluster, zone: str) -> dict[str, str]:
    """Returns a shortage as a condition of a pool or cluster."""
    text = shortage(code, cluster, zone)
    own = {"code": code, "message": text} if code in _CODES else {"message": f"[{code}]: {text}"}
    return {**own, "canonicalCode": "RESOURCE_EXHAUSTED"}


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../operations``; the location ``-`` means all."""
    project, location = scope.project(request.parts["project"]), request.parts["location"]
    chosen = [item for item in scope.state.operations if item.project == project.id and location in ("-", item.location)]
    return {"operations": [view(scope, item) for item in chosen]}


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../operations/{operation}``."""
    return observe(scope, _find(scope, request))


def cancel(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST .../operations/{operation}:cancel``; only upgrades of nodes can be cancelled."""
    operation = _find(scope, request)
    if operation.ended is not None or operation.kind != records.UPGRADE_NODES:
        raise scopes.busy(f"Operation {operation.name} cannot be cancelled.")
    operation.aborting = True
    return {}


def observe(scope: scopes.Scope, operation: records.Operation) -> dict[str, Any]:
    """Returns an operation as clients see it, and counts the read."""
    body = view(scope, operation)
    if operation.ended is None:
        operation.timer.count_read()
    return body


def view(scope: scopes.Scope, operation: records.Operation) -> dict[str, Any]:
    """Returns an operation as clients see it."""
    number = scope.project(operation.project).number
    base = f"{scopes.HOST}/{scope.version}"
    target = operation.target.replace(f"projects/{operation.project}/", f"projects/{number}/", 1)
    body: dict[str, Any] = {
        "name": operation.name,
        "zone": operation.location,
        "location": operation.location,
        "operationType": operation.kind,
        "status": _status(scope, operation),
        "selfLink": f"{base}/projects/{number}/locations/{operation.location}/operations/{operation.name}",
        "targetLink": f"{base}/{target}",
        "startTime": clock.rfc3339(operation.started),
    }
    if operation.ended is not None:
        body["endTime"] = clock.rfc3339(operation.ended)
    if operation.error:
        body["statusMessage"] = body["detail"] = operation.error
        body["error"] = {"code": operation.code, "message": operation.error}
    if operation.conditions:
        body["nodepoolConditions" if operation.pool else "clusterConditions"] = operation.conditions
    return body


def _status(scope: scopes.Scope, operation: records.Operation) -> str:
    if operation.ended is not None:
        return "DONE"
    if operation.aborting:
        return "ABORTING"
    starting = scope.now - operation.started < catalogue.PENDING_SECONDS and scope.pace.latency == clock.REALISTIC
    return "PENDING" if starting else "RUNNING"


def _find(scope: scopes.Scope, request: wire.Request) -> records.Operation:
    parts, project = request.parts, scope.project(request.parts["project"])
    for item in scope.state.operations:
        if (item.project, item.location, item.name) == (project.id, parts["location"], parts["operation"]):
            return item
    raise scopes.missing(f"projects/{parts['project']}/locations/{parts['location']}/operations/{parts['operation']}")


def _uuid() -> str:
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
