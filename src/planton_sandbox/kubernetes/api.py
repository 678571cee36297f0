"""The Kubernetes API of one simulated cluster.

A request without the client certificate or a valid token of the cluster gets 401; every other may do everything.
"""

from __future__ import annotations

import dataclasses
import hmac
import json
import logging
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from planton_sandbox.kubernetes import (
    decoding,
    discovery,
    errors,
    nodes,
    objects,
    openapi,
    options,
    paths,
    protobuf,
    reads,
    rendering,
    resources,
    subresources,
    watches,
    writes,
)

LOGGER = logging.getLogger(__name__)
Object = dict[str, Any]
_CREATED = 201


@dataclasses.dataclass(frozen=True, slots=True)
class _Write:
    """A request that writes.

    Attributes:
        request: The request.
        target: The resource that it names.
        view: The cluster.
        write_options: Its options.
        body: Its decoded body.
    """

    request: web.Request
    target: paths.Target
    view: reads.View
    write_options: options.Options
    body: Any

    @property
    def kind(self) -> str:
        """The content type of a patch; empty for other methods."""
        return self.request.content_type if self.request.method == "PATCH" else ""


class Api:
    """The API of one cluster.

    Args:
        look: Returns the cluster as it is now, and counts as a read of it; ``None`` if it is gone.
        poll: The same for watches, which look often.
        settle: Is called after every write: runs the controllers, and stores the objects.
    """

    def __init__(self, look: watches.Look, *, poll: watches.Look, settle: Callable[[], None]) -> None:
        """Creates the API; it calls ``look`` before every answer."""
        self._look = look
        self._poll = poll
        self._settle = settle

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        view = self._look()
        if view is None:
            return _reply(errors.failure(503, "ServiceUnavailable", "the cluster is gone"), status=503)
        if not _is_admitted(request, view.cluster):
            return _reply(errors.failure(401, "Unauthorized", "Unauthorized"), status=401)
        document = _document(request, view.cluster)
        if document is not None:
            return document
        try:
            return await self._answer(request, view)
        except errors.ApiError as error:
            return _refusal(error)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            LOGGER.warning("%s %s: a malformed request", request.method, request.path, exc_info=True)
            return _refusal(errors.bad_request(f"the request is malformed: {error!r}"))

    async def _answer(self, request: web.Request, view: reads.View) -> web.StreamResponse:
        target = paths.target(request.path)
        if target is None:
            raise errors.no_resource()
        if request.method in ("GET", "HEAD"):
            return await self._read(request, target, view)
        body = await _body(request)
        write_options = options.of(request.query, request.headers.get("User-Agent", ""), now=view.now)
        try:
            return _write(_Write(request, target, view, write_options, body))
        finally:
            self._settle()

    async def _read(self, request: web.Request, target: paths.Target, view: reads.View) -> web.StreamResponse:
        resource = target.resource
        if "get" not in resource.verbs:
            raise errors.method_not_allowed()
        if not target.name and "watch" in resource.verbs and request.query.get("watch") in ("1", "true"):
            return await watches.watch(request, target, view, self._poll)
        if not target.name:
            return _reply(rendering.many(request, resource, reads.page(view, target, request.query), now=view.now))
        item = reads.one(view, target)
        if target.subresource == subresources.SCALE:
            return _reply(subresources.scale(item))
        if target.subresource == "log":
            return web.Response(text="")
        if target.subresource == "eviction":
            raise errors.method_not_allowed()
        return _reply(rendering.one(request, resource, item, now=view.now))


def _write(write: _Write) -> web.Response:
    method, target, resource = write.request.method, write.target, write.target.resource
    if target.subresource in (subresources.SCALE, "eviction"):
        return _write_sub(write)
    if resource in (resources.ACCESS_REVIEWS, resources.SELF_REVIEWS) and method == "POST":
        return _reply(subresources.review(resource, write.body), status=_CREATED)
    if method == "DELETE" and not target.name and "deletecollection" in resource.verbs:
        return _delete_all(write)
    answer = _write_one(write, writes.Writes(write.view.store, target, write.write_options))
    if answer is None:
        raise errors.method_not_allowed()
    return _written(write.request, resource, answer, now=write.view.now)


def _write_one(write: _Write, writer: writes.Writes) -> writes.Written | None:
    """Writes one object; returns ``None`` if the resource has no such verb."""
    method, target, verbs = write.request.method, write.target, write.target.resource.verbs
    is_placed = not target.resource.namespaced or bool(target.namespace)
    if method == "POST" and not target.name and is_placed and "create" in verbs:
        return writer.create(write.body)
    if method == "PUT" and target.name and "update" in verbs:
        return writer.update(write.body)
    if method == "PATCH" and target.name and "patch" in verbs:
        return writer.patch(write.body, kind=write.kind)
    if method == "DELETE" and target.name and not target.subresource and "delete" in verbs:
        return writer.delete(options.deletion(write.request.query, write.body))
    return None


def _delete_all(write: _Write) -> web.Response:
    request, target, view = write.request, write.target, write.view
    order = options.deletion(request.query, write.body)
    page = reads.page(view, target, request.query)
    for item in [] if order.is_dry else page.items:
        place = paths.Target(target.resource, objects.namespace(item), objects.name(item))
        writes.Writes(view.store, place, write.write_options).delete_one(item, order)
    return _reply(rendering.many(request, target.resource, page, now=view.now))


def _write_sub(write: _Write) -> web.Response:
    method, target, store = write.request.method, write.target, write.view.store
    if target.subresource == subresources.SCALE and method in ("PUT", "PATCH"):
        return _reply(subresources.set_scale(store, target, write.write_options, write.body, kind=write.kind))
    if target.subresource == "eviction" and method == "POST":
        return _reply(subresources.evict(store, target, write.write_options, write.body), status=_CREATED)
    raise errors.method_not_allowed()


def _written(request: web.Request, resource: resources.Resource, answer: writes.Written, *, now: float) -> web.Response:
    body = answer.body if answer.body["kind"] == "Status" else rendering.one(request, resource, answer.body, now=now)
    response = _reply(body, status=_CREATED if answer.is_new else 200)
    for warning in answer.warnings:
        response.headers.add("Warning", f"299 - {json.dumps(warning)}")
    return response


async def _body(request: web.Request) -> Any:
    text = await request.read()
    if not text.strip():
        return {}
    kind = request.content_type
    if kind == protobuf.MEDIA_TYPE:
        return protobuf.decode(text)
    if "json" not in kind and "yaml" not in kind:
        raise errors.unsupported_media(kind, ("application/json", "application/yaml", *openapi.PATCHES))
    return decoding.value(text, kind=kind)


def _document(request: web.Request, cluster: nodes.Cluster) -> web.Response | None:
    path = request.path.rstrip("/")
    if path in ("/healthz", "/livez", "/readyz"):
        return web.Response(text="ok")
    if path == "/version":
        return _reply(_version(cluster.version))
    if path == openapi.SWAGGER:
        body, kind = openapi.swagger(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": kind})
    document = openapi.document(path)
    if document is not None:
        return _reply(document)
    document = discovery.document(path, accept=request.headers.get("Accept", ""))
    if document is None:
        return None
    response = _reply(document)
    if document["kind"] == "APIGroupDiscoveryList":
        response.headers["Content-Type"] = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    return response


def _is_admitted(request: web.Request, cluster: nodes.Cluster) -> bool:
    if request.transport is not None and request.transport.get_extra_info("peercert"):
        return True
    word, _, token = request.headers.get("Authorization", "").partition(" ")
    return word.lower() == "bearer" and any(hmac.compare_digest(token.encode(), valid.encode()) for valid in cluster.tokens)


def _version(text: str) -> Object:
    matched = re.match(r"v(\d+)\.(\d+)", text)
    major, minor = matched.groups() if matched else ("1", "0")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": text,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _refusal(error: errors.ApiError) -> web.Response:
    return _reply(error.status, status=error.code)


def _reply(body: Object, *, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=status, headers={"Content-Type": "application/json"})
