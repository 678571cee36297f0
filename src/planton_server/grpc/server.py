"""gRPC: the same calls, from the same definition; health and reflection beside them.

An error is a ``google.rpc.Status`` with an ``ErrorInfo`` (the code of the REST envelope, its details), a ``BadRequest`` with the
violations and a ``RetryInfo`` where it may pass. Metadata carry what headers do: ``authorization``, ``x-user-email``, ``if-match``, ``idempotency-key``, ``x-request-id``.
"""

from __future__ import annotations

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
#: Bytes that an error's details may have: in base64 they are a third more, and clients read 8 KB of metadata.
_ROOM: Final = 5000
#: Seconds that a connection may be without a call, and that it may live.
IDLE: Final = 300.0
AGE: Final = 3600.0
#: Calls that a connection may have at once.
STREAMS: Final = 256
#: What of the files that a process may open is for gRPC's connections, of which each carries many calls.
_SHARE: Final = 0.125


def serve(
    running: calls.Calls,
    healthy: health.Health,
    observer: observe.Observer,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
) -> grpc.aio.Server:
    """Returns a server without an address yet."""
    server = grpc.aio.server(interceptors=interceptors, options=_options())
    methods: dict[str, dict[str, grpc.RpcMethodHandler]] = {}
    # Where a method has several routes, its main one says what it means: it comes last.
    for route in reversed(routes.routes()):
        methods.setdefault(route.service, {})[route.method] = grpc.unary_unary_rpc_method_handler(
            _behaviour(route, running, observer),
            response_serializer=route.response.SerializeToString,
        )
    server.add_generic_rpc_handlers(tuple(grpc.method_handlers_generic_handler(name, found) for name, found in methods.items()))
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = (*methods, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server


def _options() -> list[tuple[str, int]]:
    """Returns what a connection may be: gRPC's core keeps an eye on it."""
    return [
        ("grpc.max_receive_message_length", rest.BODY_LIMIT),
        # gRPC has a lower limit too, above which it lets chance decide which calls it turns away.
        ("grpc.max_metadata_size", connections.HEAD_LIMIT),
        ("grpc.absolute_max_metadata_size", connections.HEAD_LIMIT),
        ("grpc.server_handshake_timeout_ms", _milliseconds(connections.PATIENCE)),
        ("grpc.max_connection_idle_ms", _milliseconds(IDLE)),
        # A call whose request does not come has no other end. Clients connect anew by themselves, and to all workers again.
        ("grpc.max_connection_age_ms", _milliseconds(AGE)),
        ("grpc.max_connection_age_grace_ms", _milliseconds(connections.PATIENCE)),
        ("grpc.max_allowed_incoming_connections", connections.most(_SHARE)),
        ("grpc.max_concurrent_streams", STREAMS),
        ("grpc.so_reuseport", 1),
    ]


def _milliseconds(seconds: float) -> int:
    return int(1000 * seconds)


def _behaviour(route: routes.Route, running: calls.Calls, observer: observe.Observer) -> Callable[[Any, Any], Any]:
    async def behave(data: bytes, context: grpc.aio.ServicerContext) -> Any:  # the route's response
        metadata = [(key, value) for key, value in context.invocation_metadata() or () if isinstance(value, str)]
        request_id = calls.request_id(dict(metadata).get("x-request-id", ""))
        await context.send_initial_metadata((("x-request-id", request_id),))
        started, code = time.perf_counter(), "CANCELLED"
        state: dict[str, Any] = {"request_id": request_id}
        try:
            admitted = await running.admit(route, auth.headers(metadata), _address(context.peer()))
            state["caller"] = admitted.caller.name
            request = _request(route, data)
            state["subject"] = getattr(request, "id", "")
            violations = tuple(itertools.islice(messages.broken(request, route.body), errors.MAX_VIOLATIONS + 1))
            made = await running.run(route, request, admitted, violations)
            state |= made.facts
            answer = encoding.to_message(made, route.response, route.response_body)
        except errors.ApiError as error:
            code = error.grpc
            await _abort(context, error)
        except Exception as error:  # noqa: BLE001 - nothing of it may reach the caller
            code = "INTERNAL"
            _LOG.error("call %s failed", request_id, exc_info=error)
            await _abort(context, errors.internal(request_id))
        else:
            code = "OK"
            return answer
        finally:
            observer.call(route, code, time.perf_counter() - started, state)

    return behave


def _request(route: routes.Route, data: bytes) -> Any:  # the route's request
    """Returns the message of a call: read here and not by the library, which would show its own mistakes, and to anybody."""
    try:
        return route.request.FromString(data)
    except message.DecodeError as error:
        raise errors.bad_field("", "message.malformed", "must be the method's request in Protobuf's binary form") from error


async def _abort(context: grpc.aio.ServicerContext, error: errors.ApiError) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", _status(error).SerializeToString()),))
    await context.abort(grpc.StatusCode[error.grpc], error.message)


def _status(error: errors.ApiError) -> Any:  # a google.rpc.Status
    found = rpc_status.Status(code=grpc.StatusCode[error.grpc].value[0], message=error.message)
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
        found.details.append(packed.SerializeToString())
    return found


def _fitting(violations: Sequence[errors.FieldViolation], room: int) -> list[error_details_pb2.BadRequest.FieldViolation]:
    """Returns as many violations as fit into some bytes; where that is not all, the last one says so."""
    shown: list[error_details_pb2.BadRequest.FieldViolation] = []
    for one in violations:
        found = _violation(one)
        room -= found.ByteSize()
        if room < 0:
            return [*shown, _violation(errors.more_than(len(shown)))]
        shown.append(found)
    return shown


def _violation(one: errors.FieldViolation) -> error_details_pb2.BadRequest.FieldViolation:
    return error_details_pb2.BadRequest.FieldViolation(field=one.field, description=one.message, reason=one.rule_id)


def _address(peer: str) -> str:
    """Returns the address of ``ipv4:127.0.0.1:5000`` or ``ipv6:%5B::1%5D:5000``; empty for a Unix socket."""
    family, _, rest_of_it = urllib.parse.unquote(peer).partition(":")
    return rest_of_it.rpartition(":")[0].strip("[]") if family in {"ipv4", "ipv6"} else ("" if family == "unix" else "unknown")
