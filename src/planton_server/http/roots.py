"""The routes outside the methods: health, version, metrics and documents."""

from __future__ import annotations

import dataclasses
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
from planton_server.store import database, measures, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette import requests

    from planton_server import observe

SERVICE: Final = "planton-nodepool-api"
#: Milliseconds after which due work that no process claims is late.
_LATE: Final = 300_000


def routes(
    store: database.Database,
    configuration: settings.Settings,
    observer: observe.Observer,
    authenticator: auth.Authenticator,
    timed_work: Callable[[], str] = lambda: "off",
) -> list[routing.Route]:
    """Returns the routes. They need no authentication. Metrics of single node pools are only for callers that see all node pools.

    Args:
        store: The database.
        configuration: The settings of the operator.
        observer: Counts the requests.
        authenticator: Identifies the caller.
        timed_work: Returns whether timed work runs, like :meth:`planton_server.service.timers.Timers.state`.
    """

    async def health(_request: requests.Request) -> responses.Response:
        return await _health(store, configuration, timed_work())

    async def ready(_request: requests.Request) -> responses.Response:
        is_healthy = await measures.answers(store)
        return _json({"status": "ready" if is_healthy else "not ready"}, 200 if is_healthy else 503)

    async def info(_request: requests.Request) -> responses.Response:
        return _json(
            {"service": SERVICE, "version": planton.__version__, "environment": configuration.environment, "api_version": "v1"}
        )

    async def metrics(request: requests.Request) -> responses.Response:
        now = datetime.datetime.now(datetime.UTC)
        pools = configuration.metrics_pools if await _sees_all(request, authenticator, configuration, now) else 0
        shown = dataclasses.replace(configuration, metrics_pools=pools)
        content = await numbers.text(store, observer, conditions, shown, now=now)
        return responses.Response(content, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    conditions = numbers.Conditions()
    document = json.dumps(openapi.document(planton.__version__))

    async def openapi_json(_request: requests.Request) -> responses.Response:
        return responses.Response(document, media_type="application/json")

    async def docs(_request: requests.Request) -> responses.Response:
        return responses.HTMLResponse(docs_page.PAGE, headers=docs_page.HEADERS)

    endpoints = {
        "/health": health, "/api/v1/health": health, "/ready": ready, "/info": info, "/api/v1/info": info, "/metrics": metrics,
        "/openapi.json": openapi_json, "/docs": docs,
    }  # fmt: skip
    return [routing.Route(path, endpoint, methods=["GET"]) for path, endpoint in endpoints.items()]


async def _health(store: database.Database, configuration: settings.Settings, timed: str) -> responses.Response:
    answers = await measures.answers(store)
    has_room = answers and await measures.is_writable(store)
    is_healthy = has_room and timed != "unhealthy"
    why = "it cannot be written; check the free space of its disk" if answers else "it does not answer"
    body = {
        "status": "healthy" if is_healthy else "unhealthy",
        "service": SERVICE,
        "version": planton.__version__,
        "timestamp": timestamps.text(datetime.datetime.now(datetime.UTC)),
        "components": {
            "database": {
                "status": "healthy" if has_room else "unhealthy",
                "engine": store.name,
                **({} if has_room else {"reason": why}),
            },
            "timed_work": {"status": timed},
            "work": await _work(store, configuration.work) if answers else {"status": "unhealthy"},
        },
    }
    return _json(body, 200 if is_healthy else 503)


async def _work(store: database.Database, limits: work.Limits) -> dict[str, str]:
    """Returns the health of the work of controllers: ``off`` without processes, ``unhealthy`` if they leave work waiting.

    It does not affect the health of the server, which can do nothing about it.
    """
    try:
        served = await work.served(store, limits)
        late = [row["platform"] for row in await work.measures(store, limits) if row["age"] > _LATE and row["platform"] in served]
    except database.UnavailableError:
        return {"status": "unhealthy"}
    if late:
        return {"status": "unhealthy", "reason": f"work on {', '.join(sorted(late))} has been due for {_LATE // 1000} s or more"}
    return {"status": "healthy" if served else "off"}


async def _sees_all(
    request: requests.Request, authenticator: auth.Authenticator, configuration: settings.Settings, now: datetime.datetime
) -> bool:
    """Returns whether a caller sees all node pools: a controller, or a local caller if local callers can act as a controller.

    Raises:
        ApiError: The token is invalid.
    """
    peer = request.client.host if request.client else "unknown"
    headers = auth.headers((name.lower(), value) for name, value in request.headers.items())
    if "authorization" not in headers and "x-user-email" not in headers:
        return configuration.trust.owners_report and settings.is_loopback(peer)
    try:
        return (await authenticator.caller(headers, peer, now)).controller
    except database.UnavailableError:
        # The metrics show the outage.
        return False
    except errors.ApiError:
        if "authorization" in headers:
            raise
        return False


def _json(body: dict[str, Any], status: int = 200) -> responses.Response:
    return responses.Response(json.dumps(body), status, media_type="application/json")
