"""The control endpoint, through which tests and users look into the sandbox and change it.

JSON over HTTP on the control port; bodies and answers are JSON objects.

=======  =================================  =================================================
GET      /sandbox/health                    ``{"status": "ok", "pid", "version", "latency"}``
GET      /sandbox/clock                     ``{"now": seconds, "rfc3339": text, "latency"}``
POST     /sandbox/clock                     ``{"advance": seconds}`` moves time forward;
                                            ``{"latency": "instant"|"realistic"}`` changes the pace
GET      /sandbox/faults                    the rules, each with its ``seen`` and ``struck`` requests
POST     /sandbox/faults                    adds a rule and returns it
DELETE   /sandbox/faults[/ID]               removes one rule, or all
GET      /sandbox/requests?since=SEQ        ``{"last": SEQ, "requests": [...]}``, for one cloud with
                                            ``&cloud=civo``, ``digitalocean``, ``gcp``
                                            or ``kubernetes``
DELETE   /sandbox/requests                  empties the log
POST     /sandbox/client                    ``{"address": "203.0.113.9"}``: the address of clients, for
                                            firewalls (127.0.0.1 at first)
POST     /sandbox/clouds/CLOUD/ACTION       makes an out-of-band change; ``clouds/CLOUD/outside.py``
                                            lists the actions
POST     /sandbox/reset                     deletes everything except the ports
=======  =================================  =================================================

`faults.Rule` describes the fields of a fault rule. The actions:

* ``status`` answers immediately;
* ``timeout`` does not answer until the client gives up;
* ``drop`` cuts the connection before the request is handled, ``drop_after`` afterwards;
* ``slow`` waits, then handles the request;
* ``hold`` handles the request when the rule is removed.

For example, the second POST of a pool is handled, but its answer is lost::

    POST /sandbox/faults {"method": "POST", "path": "/pools$", "nth": 2, "action": "drop_after"}
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from planton_sandbox import clock, codec, origins, wire, world

VERSION = "1"


class Control:
    """Serves the control endpoint.

    Args:
        state: The world.
        on_change: Is awaited after every change, to open and close the clusters' ports.
    """

    def __init__(self, state: world.World, *, on_change: Callable[[], Awaitable[None]]) -> None:
        """Creates the control of a world."""
        self._world = state
        self._on_change = on_change

    def application(self) -> web.Application:
        """Returns the application of the control endpoint."""
        application = web.Application(middlewares=[origins.guard, _errors])
        application.add_routes(
            [
                web.get("/sandbox/health", self._health),
                web.get("/sandbox/clock", self._clock),
                web.post("/sandbox/clock", self._set_clock),
                web.get("/sandbox/faults", self._faults),
                web.post("/sandbox/faults", self._add_fault),
                web.delete("/sandbox/faults", self._clear_faults),
                web.delete("/sandbox/faults/{id:\\d+}", self._clear_faults),
                web.get("/sandbox/requests", self._requests),
                web.delete("/sandbox/requests", self._clear_requests),
                web.post("/sandbox/client", self._client),
                web.post("/sandbox/clouds/{cloud}/{action}", self._outside),
                web.post("/sandbox/reset", self._reset),
            ]
        )
        return application

    async def _health(self, _request: web.Request) -> web.Response:
        latency = self._world.pace.latency
        return web.json_response({"status": "ok", "pid": os.getpid(), "version": VERSION, "latency": latency})

    async def _clock(self, _request: web.Request) -> web.Response:
        now = self._world.clock.now()
        return web.json_response({"now": now, "rfc3339": clock.rfc3339(now), "latency": self._world.pace.latency})

    async def _set_clock(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if "latency" in body:
            if body["latency"] not in clock.LATENCIES:
                message = f"latency ({body['latency']!r}) must be one of {', '.join(clock.LATENCIES)}"
                raise ValueError(message)
            self._world.pace.latency = body["latency"]
        self._world.clock.advance(body.get("advance", 0))
        self._world.settle()
        await self._changed()
        return await self._clock(request)

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": codec.encode(self._world.faults.rules)})

    async def _add_fault(self, request: web.Request) -> web.Response:
        rule = self._world.faults.add(await _body(request))
        await self._changed()
        return web.json_response(codec.encode(rule))

    async def _clear_faults(self, request: web.Request) -> web.Response:
        key = request.match_info.get("id")
        self._world.faults.clear(int(key) if key else None)
        await self._changed()
        return web.json_response({})

    async def _requests(self, request: web.Request) -> web.Response:
        since = int(request.query.get("since", "0"))
        entries = self._world.journal.since(since, cloud=request.query.get("cloud", ""))
        return web.json_response({"last": self._world.journal.last, "requests": codec.encode(entries)})

    async def _clear_requests(self, _request: web.Request) -> web.Response:
        self._world.journal.clear()
        return web.json_response({})

    async def _client(self, request: web.Request) -> web.Response:
        self._world.client = str(ipaddress.ip_address(str((await _body(request))["address"])))
        await self._changed()
        return web.json_response({"address": self._world.client})

    async def _outside(self, request: web.Request) -> web.Response:
        self._world.settle()
        answer = self._world.outside(request.match_info["cloud"], request.match_info["action"], await _body(request))
        await self._changed()
        return web.json_response(answer)

    async def _reset(self, _request: web.Request) -> web.Response:
        self._world.reset()
        await self._changed()
        return web.json_response({})

    async def _changed(self) -> None:
        self._world.save()
        await self._on_change()


@web.middleware
async def _errors(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    try:
        return await handler(request)
    except wire.CloudError as error:
        return web.json_response({"error": error.reason}, status=error.status)
    except KeyError as error:
        return web.json_response({"error": f"{error} is missing or unknown"}, status=400)
    except RecursionError:
        return web.json_response({"error": "the body has too many levels"}, status=400)
    except (TypeError, ValueError, OverflowError) as error:
        return web.json_response({"error": str(error)}, status=400)
    except web.HTTPException as error:
        return web.json_response({"error": error.reason}, status=error.status)


async def _body(request: web.Request) -> dict[str, Any]:
    if not await request.read():
        return {}
    body = await request.json()
    if not isinstance(body, dict):
        message = "the body must be a JSON object"
        raise TypeError(message)
    return body
