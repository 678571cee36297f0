"""REST: routes, headers and bodies in; JSON and headers out. What a call means is elsewhere.

Every answer carries ``X-Request-Id``; every error is the envelope of :mod:`planton_server.service.errors`, whatever made it.
"""

from __future__ import annotations

import asyncio
import collections
import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from starlette import applications, exceptions, requests, responses, routing

from planton_server import auth, calls
from planton_server.service import answers, codec, encoding, errors, routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from google.protobuf import message
    from starlette.types import ASGIApp, Receive, Scope, Send

    from planton_server import observe

#: Bytes that a body may have.
BODY_LIMIT: Final = 1024 * 1024
_LOG: Final = logging.getLogger("planton_server")
#: Seconds between two looks for new events, and between two signs of life on a stream without any.
_POLL: Final = 0.5
_HEARTBEAT: Final = 15.0
#: Streams that a caller may have open at once: each looks for events as long as it is.
MOST_STREAMS: Final = 20


def application(
    running: calls.Calls, *, roots: Sequence[routing.Route], observer: observe.Observer, stopping: Callable[[], bool]
) -> ASGIApp:
    """Returns the REST API as an ASGI application.

    Args:
        running: What runs the calls.
        roots: The routes beside the methods: health, metrics, documents.
        observer: What is told of each request.
        stopping: Whether the server is about to stop, so that streams must end.
    """
    endpoints: dict[str, dict[str, Any]] = {}
    streams: collections.Counter[str] = collections.Counter()
    for route in routes.routes():
        endpoints.setdefault(route.path, {})[route.verb] = _endpoint(route, running, stopping, streams)
    app = applications.Starlette(
        routes=[*(_dispatched(path, verbs) for path, verbs in endpoints.items()), *roots],
        exception_handlers={
            errors.ApiError: _api_error,  # type: ignore[dict-item]
            exceptions.HTTPException: _http_exception,  # type: ignore[dict-item]
            requests.ClientDisconnect: _left,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    return Edge(app, observer)


class Edge:
    """The outermost layer: gives each request an id and what is left of its caller's rate, and tells the observer how it went."""

    def __init__(self, app: ASGIApp, observer: observe.Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = calls.request_id(given.decode("latin-1"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started, status, answered = time.perf_counter(), 500, False

        async def answer(event: Any) -> None:  # an ASGI event
            nonlocal status, answered
            if event["type"] == "http.response.start":
                status = event["status"]
                left = [(name.lower().encode(), value.encode()) for name, value in state.get("left", {}).items()]
                event["headers"] = [*event["headers"], (b"x-request-id", request_id.encode()), *left]
            await send(event)
            answered = event["type"] == "http.response.body" and not event.get("more_body", False)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            # Starlette raises again what it has logged and answered with 500; the server below would log it twice.
            if not answered:
                raise
        finally:
            self._observer.request(scope, status, time.perf_counter() - started)


def _dispatched(path: str, verbs: Mapping[str, Any]) -> routing.Route:
    async def endpoint(request: requests.Request) -> responses.Response:
        found: responses.Response = await verbs["GET" if request.method == "HEAD" else request.method](request)
        return found

    return routing.Route(path, endpoint, methods=list(verbs))


def _endpoint(
    route: routes.Route, running: calls.Calls, stopping: Callable[[], bool], streams: collections.Counter[str]
) -> Callable[[requests.Request], Awaitable[responses.Response]]:
    async def endpoint(request: requests.Request) -> responses.Response:
        request.state.route = route
        headers = auth.headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"])
        peer = request.client.host if request.client else "unknown"
        context = await running.admit(route, headers, peer)
        request.state.caller = context.caller.name
        request.state.left = running.left(context.caller)
        wanted, violations = await _request(route, request, headers)
        request.state.subject = getattr(wanted, "id", "")
        # Who asks for the head alone waits for its end, which a stream has not.
        if route.method == "ListEvents" and request.method == "GET" and "text/event-stream" in headers.get("accept", ""):
            wanted.after = headers.get("last-event-id", "") or wanted.after
            first = await running.run(route, wanted, context, violations)
            if streams[context.caller.name] >= MOST_STREAMS:
                raise errors.too_many_streams(MOST_STREAMS)

            async def read() -> answers.Answer:
                await running.still(context.caller, headers, peer)
                return await running.run(route, wanted, context)

            return _Stream(_stream(first, read, wanted, stopping), streams, context.caller.name)
        return _response(route, await running.run(route, wanted, context, violations), request)

    return endpoint


async def _request(
    route: routes.Route, request: requests.Request, headers: Mapping[str, str]
) -> tuple[Any, Sequence[errors.FieldViolation]]:
    """Returns the route's message, and what is wrong with the texts that it was read from."""
    wanted, violations = codec.read_query(request.query_params.multi_items(), route.request, route.query)
    for name, value in request.path_params.items():
        setattr(wanted, name, value)
    if route.body:
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise errors.unsupported_media_type()
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise errors.unsupported_encoding()
        field: message.Message = getattr(wanted, route.body)
        body, wrong = codec.read(await _body(request, headers), type(field))
        if any(not violation.field for violation in wrong):
            # It is no object at all; what an empty one would lack need not be told.
            raise errors.invalid(wrong)
        field.CopyFrom(body)
        violations = (*violations, *wrong)
    return wanted, violations


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
    if isinstance(body, answers.Resource):
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


class _Stream(responses.StreamingResponse):
    """An answer of events, counted as its caller's until it has ended, however it ends."""

    def __init__(self, told: AsyncIterator[str], streams: collections.Counter[str], caller: str) -> None:
        super().__init__(told, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._streams = streams
        self._caller = caller
        streams[caller] += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams[self._caller] -= 1
            if not self._streams[self._caller]:
                del self._streams[self._caller]


async def _stream(
    found: answers.Answer, read: Callable[[], Awaitable[answers.Answer]], wanted: Any, stopping: Callable[[], bool]
) -> AsyncIterator[str]:
    """Yields events as they happen (Server-Sent Events), until the client leaves, is not known any more, or the server stops.

    Args:
        found: The first events, which were read before the answer began, so that a refusal is an answer of its own.
        read: Reads those after ``wanted.after``.
        wanted: What ``read`` asks for.
        stopping: Whether the server is about to stop.
    """
    yield "retry: 1000\n\n"
    quiet = 0.0
    while not stopping():
        page = found.body
        assert isinstance(page, answers.EventPage)
        for event in page.events:
            yield f"id: {event.cursor}\nevent: {event.type}\ndata: {encoding.to_json(event)}\n\n"
        if page.events:
            wanted.after, quiet = page.next_cursor, 0.0
        else:
            await asyncio.sleep(_POLL)
            quiet += _POLL
            if quiet >= _HEARTBEAT:
                yield ": still here\n\n"
                quiet = 0.0
        try:
            found = await read()
        except errors.ApiError as error:
            # The client comes back with Last-Event-ID, when the database may be there again; or it is not known any more.
            yield f": {error.message}\n\n"
            return


def error_response(error: errors.ApiError) -> responses.Response:
    """Returns an error as an answer."""
    return responses.Response(json.dumps(error.envelope()), error.http, dict(error.headers), "application/json")


async def _api_error(_request: requests.Request, error: errors.ApiError) -> responses.Response:
    return error_response(error)


async def _http_exception(_request: requests.Request, error: exceptions.HTTPException) -> responses.Response:
    if error.status_code == errors.ErrorCode.METHOD_NOT_ALLOWED.http:
        allow = (error.headers or {}).get("Allow", "").replace(" ", "").split(",")
        return error_response(errors.method_not_allowed(allow))
    if error.status_code == errors.ErrorCode.NOT_FOUND.http:
        return error_response(errors.ApiError(errors.ErrorCode.NOT_FOUND, "there is nothing at this path", details="see /docs"))
    return error_response(errors.ApiError(errors.ErrorCode.VALIDATION_ERROR, "Validation failed", details=str(error.detail)))


async def _left(_request: requests.Request, _error: Exception) -> responses.Response:
    # Nobody reads this; the status is what others call it, for the log and the numbers.
    return responses.Response(status_code=499)


async def _unexpected(request: requests.Request, error: Exception) -> responses.Response:
    _LOG.error("request %s failed", request.state.request_id, exc_info=error)
    return error_response(errors.internal(request.state.request_id))
