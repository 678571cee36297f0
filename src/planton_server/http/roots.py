"""The routes beside the methods: whether the server is well, what it is, its numbers and its documents."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, Final

import prometheus_client
from starlette import responses, routing

import planton
from planton_server import auth, settings
from planton_server import metrics as numbers
from planton_server.http import docs_page, openapi
from planton_server.service import errors, timestamps
from planton_server.store import database, measures

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette import requests

    from planton_server import observe

SERVICE: Final = "planton-nodepool-api"


def routes(
    store: database.Database,
    wanted: settings.Settings,
    observer: observe.Observer,
    authenticator: auth.Authenticator,
    timed_work: Callable[[], str] = lambda: "off",
) -> list[routing.Route]:
    """Returns the routes. They need no identity; data of single node pools is only for callers who may see all of them.

    Args:
        store: The database.
        wanted: What the operator sets.
        observer: What counts the requests.
        authenticator: Identifies the caller.
        timed_work: Returns whether timed work runs, like :meth:`planton_server.service.timers.Timers.state`.
    """

    async def health(_request: requests.Request) -> responses.Response:
        answers = await measures.answers(store)
        has_room = answers and await measures.is_writable(store)
        timed = timed_work()
        alive = has_room and timed != "unhealthy"
        reason = {} if has_room else {"reason": "it cannot be written: is its disk full?" if answers else "it does not answer"}
        body = {
            "status": "healthy" if alive else "unhealthy",
            "service": SERVICE,
            "version": planton.__version__,
            "timestamp": timestamps.text(datetime.datetime.now(datetime.UTC)),
            "components": {
                "database": {"status": "healthy" if has_room else "unhealthy", "engine": store.name, **reason},
                "timed_work": {"status": timed},
            },
        }
        return _json(body, 200 if alive else 503)

    async def ready(_request: requests.Request) -> responses.Response:
        alive = await measures.answers(store)
        return _json({"status": "ready" if alive else "not ready"}, 200 if alive else 503)

    async def info(_request: requests.Request) -> responses.Response:
        return _json({"service": SERVICE, "version": planton.__version__, "environment": wanted.environment, "api_version": "v1"})

    async def metrics(request: requests.Request) -> responses.Response:
        now = datetime.datetime.now(datetime.UTC)
        pools = wanted.metrics_pools if await _sees_all(request, authenticator, wanted, now) else 0
        found = await numbers.text(store, observer, pools=pools, now=now)
        return responses.Response(found, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    document = json.dumps(openapi.document(planton.__version__))

    async def openapi_json(_request: requests.Request) -> responses.Response:
        return responses.Response(document, media_type="application/json")

    async def docs(_request: requests.Request) -> responses.Response:
        return responses.HTMLResponse(docs_page.PAGE, headers=docs_page.HEADERS)

    found = {
        "/health": health, "/api/v1/health": health, "/ready": ready, "/info": info, "/api/v1/info": info, "/metrics": metrics,
        "/openapi.json": openapi_json, "/docs": docs,
    }  # fmt: skip
    return [routing.Route(path, endpoint, methods=["GET"]) for path, endpoint in found.items()]


async def _sees_all(
    request: requests.Request, authenticator: auth.Authenticator, wanted: settings.Settings, now: datetime.datetime
) -> bool:
    """Returns whether a caller may know of everybody's node pools: a controller, and this machine where that could name itself one.

    Raises:
        ApiError: The token is not known.
    """
    peer = request.client.host if request.client else "unknown"
    headers = auth.headers((name.lower(), value) for name, value in request.headers.items())
    if "authorization" not in headers and "x-user-email" not in headers:
        return wanted.trust.owners_report and settings.is_loopback(peer)
    try:
        return (await authenticator.caller(headers, peer, now)).controller
    except database.UnavailableError:
        # The numbers tell that.
        return False
    except errors.ApiError:
        if "authorization" in headers:
            raise
        return False


def _json(body: dict[str, Any], status: int = 200) -> responses.Response:
    return responses.Response(json.dumps(body), status, media_type="application/json")
