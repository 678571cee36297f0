"""gRPC: the methods of the protos, health, and reflection.

An error is a ``google.rpc.Status`` with an ``ErrorInfo`` (code and details of the REST envelope), a ``BadRequest`` with the violations, and
a ``RetryInfo`` if a retry may succeed. Metadata have the names of the headers of REST: ``authorization``, ``x-user-email``, ``if-match``,
``idempotency-key`` and ``x-request-id``.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import any_pb2, duration_pb2, message
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from planton_server import auth, calls
from planton_server.grpc import messages, rpc_status
from planton_server.http import connections, rest
from planton_server.service import encoding, errors, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planton_server import observe
    from planton_server.grpc import health

_LOG: Final = logging.getLogger("planton_server")
#: The domain of our error codes, see google.rpc.ErrorInfo.
DOMAIN: Final = "nodepool.project-planton.org"
#: The maximum size of an error's details in bytes. Base64 adds a third, and clients read 8 KB of metadata.
_ROOM: Final = 5000
#: The maximum idle time of a connection, in seconds.
IDLE: Final = 300.0
#: The maximum number of concurrent calls of a connection.
STREAMS: Final = 256
#: The share of the process's file descriptors for connections of gRPC. Each connection carries many calls.
_SHARE: Final = 0.125


@dataclasses.dataclass(frozen=True, slots=True)
class Limits(connections.Limits):
    """The limits of the connections of a process.

    Attributes:
        age: The maximum age of a connection, in seconds.
    """

    connections: int = dataclasses.field(default_factory=lambda: connections.most(_SHARE))
    age: float = 3600.0


def serve(
    runner: calls.Calls,
    health_service: health.Health,
    observer: observe.Observer,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    limits: Limits | None = None,
) -> grpc.aio.Server:
    """Returns a gRPC server that has no address yet.

    Args:
        runner: Runs the calls.
        health_service: The health service.
        observer: Observes each call.
        interceptors: Interceptors of the server, e.g. for tracing.
        limits: The limits of its connections; None for the usual ones.
    """
    server = grpc.aio.server(interceptors=interceptors, options=_options(limits or Limits()))
    methods: dict[str, dict[str, grpc.RpcMethodHandler]] = {}
    # The first route of a method is its main one. Here it comes last, so it wins.
    for route in reversed(routes.routes()):
        methods.setdefault(route.service, {})[route.method] = grpc.unary_unary_rpc_method_handler(
            _handler(route, runner, observer),
            response_serializer=route.response.SerializeToString,
        )
    server.add_generic_rpc_handlers(
        tuple(grpc.method_handlers_generic_handler(name, handlers) for name, handlers in methods.items())
    )
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    names = (*methods, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server


def _options(limits: Limits) -> list[tuple[str, int]]:
    """Returns the limits of connections and messages, which gRPC's core enforces."""
    return [
        ("grpc.max_receive_message_length", rest.BODY_LIMIT),
        # Above a lower, soft limit gRPC refuses calls at random. Both limits are equal, so it never does.
        ("grpc.max_metadata_size", connections.HEAD_LIMIT),
        ("grpc.absolute_max_metadata_size", connections.HEAD_LIMIT),
        ("grpc.server_handshake_timeout_ms", _milliseconds(limits.seconds)),
        ("grpc.max_connection_idle_ms", _milliseconds(IDLE)),
        # The age ends calls whose request never comes. Clients reconnect on their own, and spread over all workers again.
        ("grpc.max_connection_age_ms", _milliseconds(limits.age)),
        ("grpc.max_connection_age_grace_ms", _milliseconds(limits.seconds)),
        ("grpc.max_allowed_incoming_connections", limits.connections),
        ("grpc.max_concurrent_streams", STREAMS),
        ("grpc.so_reuseport", 1),
    ]


def _milliseconds(seconds: float) -> int:
    return int(1000 * seconds)


def _handler(route: routes.Route, runner: calls.Calls, observer: observe.Observer) -> Callable[[Any, Any], Any]:
    async def handle(data: bytes, context: grpc.aio.ServicerContext) -> Any:  # the route's response
        metadata = [(key, value) for key, value in context.invocation_metadata() or () if isinstance(value, str)]
        request_id = calls.request_id(dict(metadata).get("x-request-id", ""))
        await context.send_initial_metadata((("x-request-id", request_id),))
        started, code = time.perf_counter(), "CANCELLED"
        state: dict[str, Any] = {"request_id": request_id}
        try:
            admitted = await runner.admit(route, auth.headers(metadata), _address(context.peer()))
            state["caller"] = admitted.caller.name
            request = _request(route, data)
            state["subject"] = getattr(request, "id", "")
            violations = tuple(itertools.islice(messages.check(request, route.body), errors.MAX_VIOLATIONS + 1))
            answer = await runner.run(route, request, admitted, violations)
            state |= answer.facts
            response = encoding.to_message(answer, route.response, route.response_body)
        except errors.ApiError as error:
            code = error.grpc
            await _abort(context, error)
        except Exception as error:  # noqa: BLE001 - its text must not reach the caller
            code = "INTERNAL"
            _LOG.error("call %s failed", request_id, exc_info=error)
            await _abort(context, errors.internal(request_id))
        else:
            code = "OK"
            return response
        finally:
            observer.call(route, code, time.perf_counter() - started, state)

    return handle


def _request(route: routes.Route, data: bytes) -> Any:  # the route's request
    """Returns the request message of a call. The library would decode it before authentication, and show its own errors."""
    try:
        return route.request.FromString(data)
    except message.DecodeError as error:
        raise errors.bad_field("", "message.malformed", "must be the method's request in Protobuf's binary form") from error


async def _abort(context: grpc.aio.ServicerContext, error: errors.ApiError) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", _status(error).SerializeToString()),))
    await context.abort(grpc.StatusCode[error.grpc], error.message)


def _status(error: errors.ApiError) -> Any:  # a google.rpc.Status
    status = rpc_status.Status(code=grpc.StatusCode[error.grpc].value[0], message=error.message)
    info = error_details_pb2.ErrorInfo(
        reason=error.code.value, domain=DOMAIN, metadata={"details": error.details} if error.details else {}
    )
    details: list[Any] = [info]
    if error.violations:
        details.append(error_details_pb2.BadRequest(field_violations=_fitting(error.violations, _ROOM - info.ByteSize())))
    if "Retry-After" in error.headers:
        details.append(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=int(error.headers["Retry-After"]))))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed.SerializeToString())
    return status


def _fitting(violations: Sequence[errors.Violation], room: int) -> list[error_details_pb2.BadRequest.FieldViolation]:
    """Returns the violations that fit into ``room`` bytes. If some do not, the last one says so."""
    shown: list[error_details_pb2.BadRequest.FieldViolation] = []
    for violation in violations:
        detail = _violation(violation)
        room -= detail.ByteSize()
        if room < 0:
            return [*shown, _violation(errors.more_than(len(shown)))]
        shown.append(detail)
    return shown


def _violation(violation: errors.Violation) -> error_details_pb2.BadRequest.FieldViolation:
    return error_details_pb2.BadRequest.FieldViolation(
        field=violation.path, description=violation.message, reason=violation.rule_id
    )


def _address(peer: str) -> str:
    """Returns the address of ``ipv4:127.0.0.1:5000`` or ``ipv6:%5B::1%5D:5000``; empty for a Unix socket."""
    family, _, address = urllib.parse.unquote(peer).partition(":")
    return address.rpartition(":")[0].strip("[]") if family in {"ipv4", "ipv6"} else ("" if family == "unix" else "unknown")
