"""The HTTP front of the sandbox, between the sockets and the simulated clouds.

It applies faults and logs requests, for the clouds and for the clusters' Kubernetes APIs. It decides no answer.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from planton_sandbox import faults, journal, origins, wire, world
from planton_sandbox.kubernetes import errors

LOGGER = logging.getLogger(__name__)
SILENCE_SECONDS = 3600.0
POLL_SECONDS = 0.02
MAXIMUM_BODY = 4 * 1024 * 1024
MAXIMUM_LOGGED = 64 * 1024
KUBERNETES = "kubernetes"
FORM = "application/x-www-form-urlencoded"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclasses.dataclass(slots=True, kw_only=True)
class _Call:
    """A request, for faults and the log."""

    cloud: str
    body: Any
    cluster: str = ""
    token: str = ""
    fault: faults.Rule | None = None


class Front:
    """Serves the clouds.

    Args:
        state: The world.
        on_change: Is awaited after every change, to open and close the clusters' ports.
    """

    def __init__(self, state: world.World, *, on_change: Callable[[], Awaitable[None]]) -> None:
        """Creates the front of a world."""
        self._world = state
        self._on_change = on_change

    def cloud(self, name: str) -> web.Application:
        """Returns the application that serves the API of a cloud."""
        application = web.Application(client_max_size=MAXIMUM_BODY, middlewares=[origins.guard])

        async def handle(request: web.Request) -> web.StreamResponse:
            text = await request.read()
            token = _token(request)
            call = _Call(cloud=name, token=token, body=_decoded(text, request.content_type))
            return await self._guarded(request, call, lambda: self._answer(request, call))

        application.router.add_route("*", "/{path:.*}", handle)
        return application

    def kubernetes(self, cluster: str, answer: Handler) -> Handler:
        """Returns a handler that applies faults and logs requests before it calls a cluster's API."""

        async def handle(request: web.Request) -> web.StreamResponse:
            text = await request.read()
            try:
                body = json.loads(text) if text.strip() else {}
            except (ValueError, RecursionError):
                body = text.decode(errors="replace")
            if "/secrets" in request.path:
                body = journal.REDACTED
            elif len(text) > MAXIMUM_LOGGED:
                body = f"[{len(text)} bytes]"
            call = _Call(cloud=KUBERNETES, cluster=cluster, body=body)
            return await self._guarded(request, call, lambda: answer(request))

        return handle

    async def _answer(self, request: web.Request, call: _Call) -> web.StreamResponse:
        cloud = self._world.clouds[call.cloud]
        if not isinstance(call.body, dict):
            return _reply(cloud.refusal(400, "The body must be a JSON object"))
        settled = self._world.settle()
        try:
            reply = cloud.handle(
                wire.Request(
                    method=request.method,
                    path=request.path,
                    query=dict(request.query),
                    body=call.body,
                    token=call.token,
                    now=self._world.clock.now(),
                    base=str(request.url.origin()),
                )
            )
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            LOGGER.warning("%s %s: a malformed request: %r", request.method, request.path, error)
            reply = cloud.refusal(400, f"The request is malformed: {error!r}")
        if not self._world.is_unchanged(request.method, settled=settled):
            self._world.save()
            await self._on_change()
        return _reply(reply)

    async def _guarded(
        self, request: web.Request, call: _Call, answer: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        rule = call.fault = self._world.faults.strike(
            cloud=call.cloud, method=request.method, path=request.path, account=call.token
        )
        if rule is not None and rule.action == faults.SLOW:
            await asyncio.sleep(rule.seconds)
        elif rule is not None and rule.action == faults.HOLD:
            while self._world.faults.holds(rule.id):
                await asyncio.sleep(POLL_SECONDS)
        elif rule is not None and rule.action != faults.DROP_AFTER:
            return await self._refused(request, call, rule)
        try:
            response = await answer()
        except BaseException:
            self._note(request, call, status=0)
            raise
        if rule is not None and rule.action == faults.DROP_AFTER:
            return self._cut(request, call)
        self._note(request, call, status=response.status)
        return response

    async def _refused(self, request: web.Request, call: _Call, rule: faults.Rule) -> web.StreamResponse:
        if rule.action == faults.STATUS:
            self._note(request, call, status=rule.status)
            return _reply(self._ordered(call.cloud, rule))
        if rule.action == faults.TIMEOUT:
            await self._silence(request, rule.seconds or SILENCE_SECONDS)
        return self._cut(request, call)

    def _ordered(self, name: str, rule: faults.Rule) -> wire.Reply:
        if isinstance(rule.body, str):
            return wire.Reply(rule.status, rule.body, {"Content-Type": "text/plain"} | rule.headers)
        if rule.body is not None:
            return wire.Reply(rule.status, rule.body, rule.headers)
        reason = f"Fault {rule.id} of the sandbox"
        if name == KUBERNETES:
            return wire.Reply(rule.status, errors.failure(rule.status, "InternalError", reason), rule.headers)
        reply = self._world.clouds[name].refusal(rule.status, reason)
        return dataclasses.replace(reply, headers={**reply.headers, **rule.headers})

    async def _silence(self, request: web.Request, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(min(0.05, seconds))

    def _cut(self, request: web.Request, call: _Call) -> web.StreamResponse:
        self._note(request, call, status=0)
        if request.transport is not None:
            request.transport.abort()
        return _closing(web.Response(status=500))

    def _note(self, request: web.Request, call: _Call, *, status: int) -> None:
        self._world.journal.add(
            time=self._world.clock.now(),
            cloud=call.cloud,
            cluster=call.cluster,
            method=request.method,
            path=request.path,
            query=dict(request.query),
            body=call.body,
            status=status,
            account=self._world.account(call.cloud, call.token),
            agent=request.headers.get("User-Agent", ""),
            traceparent=request.headers.get("traceparent", ""),
            fault=call.fault.id if call.fault else 0,
        )


def _decoded(text: bytes, kind: str) -> Any:
    """Returns a body in JSON, or else the fields of a form; ``None`` if it is neither. curl sends JSON as a form, too."""
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        if kind != FORM:
            return None
    try:
        return dict(urllib.parse.parse_qsl(text.decode(), strict_parsing=True))
    except ValueError:
        return None


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _reply(reply: wire.Reply) -> web.Response:
    if reply.body is None:
        return _closing(web.Response(status=reply.status, headers=reply.headers))
    if "Content-Type" in reply.headers:
        return _closing(web.Response(status=reply.status, body=str(reply.body).encode(), headers=reply.headers))
    return _closing(web.json_response(reply.body, status=reply.status, headers=reply.headers))


def _closing(response: web.Response) -> web.Response:
    response.headers["Connection"] = "close"
    response.force_close()
    return response
