"""The bodies of answers, in the form that the client prefers."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from planton_sandbox.kubernetes import reads, resources, tables

Object = dict[str, Any]


def one(request: web.Request, resource: resources.Resource, item: Object, *, now: float) -> Object:
    """Returns an object, as a table or without spec and status if the client prefers that."""
    accept = request.headers.get("Accept", "")
    if tables.requested(accept):
        meta = {"resourceVersion": item["metadata"].get("resourceVersion", "")}
        include = request.query.get("includeObject", "Metadata")
        return tables.table(resource.kind, [item], meta=meta, include=include, now=now)
    return tables.partial(item) if tables.is_partial(accept) else item


def many(request: web.Request, resource: resources.Resource, page: reads.Page, *, now: float) -> Object:
    """Returns a list, as a table or without specs and statuses if the client prefers that."""
    accept = request.headers.get("Accept", "")
    if tables.requested(accept):
        include = request.query.get("includeObject", "Metadata")
        return tables.table(resource.kind, page.items, meta=page.meta, include=include, now=now)
    if tables.is_partial(accept):
        items = [tables.partial(item) for item in page.items]
        return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": page.meta, "items": items}
    return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": page.meta, "items": page.items}
