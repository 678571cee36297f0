"""REST: converts HTTP requests to messages for the service, and its results to HTTP responses.

Every error has the same form, the envelope of `planton_server.service.errors`.
"""

from __future__ import annotations

import asyncio
import collections
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from starlette import applications, exceptions, requests, responses, routing

from planton.manifest import json_data
from planton_server import auth
from planton_server.http import edge, event_stream
from planton_server.service import answers, bodies, encoding, errors, routes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf import message as protobuf_message
    from starlette.types import ASGIApp

    from planton_server import calls, observe

#: The maximum size of a body in bytes.
BODY_LIMIT: Final = 1024 * 1024
_LOG: Final = logging.getLogger("planton_server")
_Endpoint = Callable[[requests.Request], Awaitable[responses.Response]]


def application(
    runner: calls.Calls, *, roots: Sequence[routing.Route], observer: observe.Observer, is_stopping: Callable[[], bool]
) -> ASGIApp:
    """Returns the REST API as an ASGI application.

    Args:
        runner: Runs the calls.
        roots: The routes outside the methods: health, metrics, documents.
        observer: Observes each request.
        is_stopping: Returns whether the server is stopping, so that streams must end.
    """
    endpoints: dict[str, dict[str, _Endpoint]] = {}
    streams: collections.Counter[str] = collections.Counter()
    for route in routes.routes():
        endpoints.setdefault(route.path, {})[route.verb] = _endpoint(route, runner, is_stopping, streams)
    app = applications.Starlette(
        routes=[*(_dispatched(path, verbs) for path, verbs in endpoints.items()), *roots],
        exception_handlers={
            errors.ApiError: _api_error,  # type: ignore[dict-item]
            exceptions.HTTPException: _http_exception,  # type: ignore[dict-item]
            requests.ClientDisconnect: _disconnected,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    return edge.Edge(app, observer)


def _dispatched(path: str, verbs: Mapping[str, _Endpoint]) -> routing.Route:
    """Returns the route of a path, which calls the endpoint of the request's HTTP method."""

    async def endpoint(request: requests.Request) -> responses.Response:
        return await verbs["GET" if request.method == "HEAD" else request.method](request)

    return routing.Route(path, endpoint, methods=list(verbs))


def _endpoint(
    route: routes.Route, runner: calls.Calls, is_stopping: Callable[[], bool], streams: collections.Counter[str]
) -> _Endpoint:
    async def endpoint(request: requests.Request) -> responses.Response:
        request.state.route = route
        headers = auth.headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"])
        peer = request.client.host if request.client else "unknown"
        context = await runner.admit(route, headers, peer)
        request.state.caller = context.caller.name
        request.state.rate_headers = runner.rate_headers(context.caller)
        message, violations = await _request(route, request, headers)
        request.state.subject = getattr(message, "id", "")
        if route.method == "ClaimWork":
            # A waiting process may be killed; its claim must end with its connection.
            answer = await _while_connected(request, runner.run(route, message, context, violations))
            return _response(route, answer, request)
        # A stream does not end, so a HEAD request gets a page.
        if route.method != "ListEvents" or request.method != "GET" or "text/event-stream" not in headers.get("accept", ""):
            return _response(route, await runner.run(route, message, context, violations), request)
        message.after = headers.get("last-event-id", "") or message.after
        first = await runner.run(route, message, context, violations)

        async def read() -> answers.Answer:
            await runner.authenticate_again(context.caller, headers, peer)
            return await runner.run(route, message, context)

        chunks = event_stream.chunks(first, read, message, is_stopping)
        return event_stream.Stream(chunks, streams, context.caller.name)

    return endpoint


async def _while_connected(request: requests.Request, call: Coroutine[Any, Any, answers.Answer]) -> answers.Answer:
    """Returns the answer of a call, or cancels the call when the client disconnects.

    Raises:
        ClientDisconnect: The client has disconnected.
    """
    running = asyncio.create_task(call)
    # The body has been read, so the next message says that the client has disconnected.
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise requests.ClientDisconnect
        return running.result()
    finally:
        for task in (running, leaving):
            task.cancel()
        await asyncio.wait({running, leaving})


async def _request(
    route: routes.Route, request: requests.Request, headers: Mapping[str, str]
) -> tuple[Any, Sequence[errors.Violation]]:
    """Returns the request message of a route, and the violations of its query and its body."""
    message, violations = json_data.read_parameters(request.query_params.multi_items(), route.request, route.query)
    for name, value in request.path_params.items():
        setattr(message, name, value)
    if route.body:
        media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise errors.unsupported_media_type()
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise errors.unsupported_encoding()
        field: protobuf_message.Message = getattr(message, route.body)
        body, body_violations = json_data.read(await _body(request, headers), type(field))
        if any(not violation.path for violation in body_violations):
            # The body is not an object. The violations of an empty object would only distract.
            raise errors.invalid(body_violations)
        field.CopyFrom(body)
        violations += body_violations
    return message, violations


async def _body(request: requests.Request, headers: Mapping[str, str]) -> bytes:
    length = headers.get("content-length", "0")
    data = bytearray()
    if length.isdecimal() and int(length) <= BODY_LIMIT:
        async for chunk in request.stream():
            data += chunk
            if len(data) > BODY_LIMIT:
                break
        else:
            return bytes(data)
    raise errors.too_large(BODY_LIMIT)


def _response(route: routes.Route, answer: answers.Answer, request: requests.Request) -> responses.Response:
    for name, value in answer.facts.items():
        setattr(request.state, name, value)
    body, headers = answer.body, {}
    if body is None:
        return responses.Response(status_code=route.success)
    if isinstance(body, bodies.Resource):
        headers["ETag"] = etag = answers.etag(body)
        if route.verb == "GET" and _is_current(request.headers.getlist("if-none-match"), etag):
            return responses.Response(status_code=304, headers=headers)
        if route.success == 201:  # noqa: PLR2004 - created
            headers["Location"] = f"/api/v1/{route.path.rpartition('/')[2]}/{body.id}"
    return responses.Response(encoding.to_json(body), route.success, headers, "application/json")


def _is_current(lines: Sequence[str], etag: str) -> bool:
    """Returns whether ``If-None-Match`` matches a version, by the weak comparison of RFC 9110, section 13.1.2."""
    tags = {tag.strip().removeprefix("W/") for line in lines for tag in line.split(",")}
    return "*" in tags or etag in tags


def error_response(error: errors.ApiError) -> responses.Response:
    """Returns an error as a response."""
    return responses.Response(json.dumps(error.envelope()), error.http, dict(error.headers), "application/json")


async def _api_error(_request: requests.Request, error: errors.ApiError) -> responses.Response:
    return error_response(error)


async def _http_exception(_request: requests.Request, error: exceptions.HTTPException) -> responses.Response:
    if error.status_code == errors.ErrorCode.METHOD_NOT_ALLOWED.http:
        allow = (error.headers or {}).get("Allow", "").replace(" ", "").split(",")
        return error_response(errors.method_not_allowed(allow))
    if error.status_code == errors.ErrorCode.NOT_FOUND.http:
        return error_response(errors.unknown_path())
    return error_response(errors.malformed(str(error.detail)))


async def _disconnected(_request: requests.Request, _error: Exception) -> responses.Response:
    # The client has disconnected. The status is for logs and metrics; nginx uses the same.
    return responses.Response(status_code=499)


async def _unexpected(request: requests.Request, error: Exception) -> responses.Response:
    _LOG.error("request %s failed", request.state.request_id, exc_info=error)
    return error_response(errors.internal(request.state.request_id))
