"""The routes beside the methods: whether the server is well, what it is, its numbers and its documents."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, Final

import prometheus_client
from starlette import responses, routing

import planton
from planton.api import docs_page, openapi, timestamps
from planton.api import metrics as numbers
from planton.store import measures

if TYPE_CHECKING:
    from starlette import requests

    from planton.api import observe, settings
    from planton.store import database

SERVICE: Final = "planton-nodepool-api"


def routes(store: database.Database, wanted: settings.Settings, observer: observe.Observer) -> list[routing.Route]:
    """Returns the routes."""

    async def health(_request: requests.Request) -> responses.Response:
        alive = await measures.answers(store)
        body = {
            "status": "healthy" if alive else "unhealthy",
            "service": SERVICE,
            "version": planton.__version__,
            "timestamp": timestamps.text(datetime.datetime.now(datetime.UTC)),
            "components": {"database": {"status": "healthy" if alive else "unhealthy", "engine": store.name}},
        }
        return _json(body, 200 if alive else 503)

    async def ready(_request: requests.Request) -> responses.Response:
        alive = await measures.answers(store)
        return _json({"status": "ready" if alive else "not ready"}, 200 if alive else 503)

    async def info(_request: requests.Request) -> responses.Response:
        return _json({"service": SERVICE, "version": planton.__version__, "environment": wanted.environment, "api_version": "v1"})

    async def metrics(_request: requests.Request) -> responses.Response:
        found = await numbers.text(store, observer, pools=wanted.metrics_pools, now=datetime.datetime.now(datetime.UTC))
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


def _json(body: dict[str, Any], status: int = 200) -> responses.Response:
    return responses.Response(json.dumps(body), status, media_type="application/json")
