"""The Kubernetes API of one simulated cluster, as far as kubectl reads it.

It is read-only. Nodes come from the cloud. There are namespaces, and what ``kubectl describe node`` needs; all other lists are
empty. A request without the client certificate or a valid token of the cluster gets 401.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from planton_sandbox import clock
from planton_sandbox.kubernetes import discovery, nodes, selectors, store, tables

WATCH_INTERVAL = 0.1
WATCH_SECONDS = 1800.0
Object = dict[str, Any]
Look = Callable[[], Awaitable[nodes.Cluster | None]]


class Api:
    """The API of one cluster.

    Args:
        look: Returns the cluster as it is now, and counts as a read of it.
        now: Returns the simulated time in seconds since the epoch.
        first: A resource version above those of earlier runs.
    """

    def __init__(self, look: Look, *, now: Callable[[], float], first: int) -> None:
        """Creates the API; it calls ``look`` before every answer."""
        self._look = look
        self._now = now
        self._store = store.Store(first=first)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        cluster = await self._look()
        if cluster is None:
            return _status(503, "ServiceUnavailable", "the cluster is gone")
        if not _admitted(request, cluster):
            return _status(401, "Unauthorized", "Unauthorized")
        self._store.update(cluster)
        document = _document(request, cluster)
        return await self._resource(request, cluster) if document is None else document

    async def _resource(self, request: web.Request, cluster: nodes.Cluster) -> web.StreamResponse:
        target = discovery.target(request.path.rstrip("/"))
        if target is None:
            return _status(404, "NotFound", "the server could not find the requested resource")
        if request.method not in ("GET", "HEAD"):
            return _status(405, "MethodNotAllowed", "the sandbox's Kubernetes API is for reading only")
        try:
            return await self._read(request, target, cluster)
        except ValueError as error:
            return _status(400, "BadRequest", str(error))

    async def _read(self, request: web.Request, target: discovery.Target, cluster: nodes.Cluster) -> web.StreamResponse:
        resource = target.resource
        if target.name:
            return self._one(request, target, cluster)
        if request.query.get("watch") in ("1", "true"):
            return await self._watch(request, resource)
        chosen = _select(self._items(resource, cluster), request.query)
        if tables.requested(request.headers.get("Accept", "")):
            return web.json_response(self._table(request, resource, chosen))
        return web.json_response(
            {
                "kind": f"{resource.kind}List",
                "apiVersion": discovery.group_version(resource.group),
                "metadata": {"resourceVersion": str(self._store.version)},
                "items": chosen,
            }
        )

    def _one(self, request: web.Request, target: discovery.Target, cluster: nodes.Cluster) -> web.StreamResponse:
        resource, name = target.resource, target.name
        if resource.plural == "leases":
            node = self._store.node(name)
            item = _lease(node, moment=clock.rfc3339(self._now())) if node else None
        else:
            items = self._items(resource, cluster)
            item = next((item for item in items if item["metadata"]["name"] == name), None)
        if item is None:
            kind = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
            details = {"name": name, "kind": resource.plural, "group": resource.group}
            return _status(404, "NotFound", f'{kind} "{name}" not found', details=details)
        if tables.requested(request.headers.get("Accept", "")):
            return web.json_response(self._table(request, resource, [item]))
        return web.json_response(item)

    def _items(self, resource: discovery.Resource, cluster: nodes.Cluster) -> list[Object]:
        if resource.plural == "nodes":
            return self._store.all_nodes()
        if resource.plural == "namespaces":
            return [_namespace(name, cluster) for name in discovery.NAMESPACES]
        return []

    def _table(self, request: web.Request, resource: discovery.Resource, items: list[Object]) -> Object:
        include = request.query.get("includeObject", "Metadata")
        version = str(self._store.version)
        return tables.table(resource.kind, items, version=version, include=include, now=self._now())

    async def _watch(self, request: web.Request, resource: discovery.Resource) -> web.StreamResponse:
        keep = _test(request.query)
        version = request.query.get("resourceVersion", "")
        start = int(version) if version.isdigit() else 0
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if start and not self._store.oldest <= start <= self._store.version:
            return _status(410, "Expired", f"too old resource version: {start} ({self._store.oldest})")
        await response.prepare(request)
        if resource.plural != "nodes":
            start = self._store.version
        elif not start:
            start = self._store.version
            present = [("ADDED", item) for item in self._store.all_nodes() if keep(item)]
            await self._send(request, response, resource, present)
        limit = float(request.query.get("timeoutSeconds") or WATCH_SECONDS)
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        while loop.time() < end and resource.plural == "nodes":
            events = [item for item in self._store.since(start) if keep(item.object)]
            start = self._store.version
            await self._send(request, response, resource, [(item.kind, item.object) for item in events])
            await asyncio.sleep(WATCH_INTERVAL)
            cluster = await self._look()
            if cluster is None or request.transport is None or request.transport.is_closing():
                return response
            self._store.update(cluster)
        if resource.plural != "nodes":
            await asyncio.sleep(limit)
        return response

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        resource: discovery.Resource,
        events: list[tuple[str, Object]],
    ) -> None:
        tabular = tables.requested(request.headers.get("Accept", ""))
        for kind, item in events:
            shown = self._table(request, resource, [item]) if tabular else item
            await response.write(json.dumps({"type": kind, "object": shown}).encode() + b"\n")


def _document(request: web.Request, cluster: nodes.Cluster) -> web.Response | None:
    path = request.path.rstrip("/")
    if path in ("/healthz", "/livez", "/readyz"):
        return web.Response(text="ok")
    if path == "/version":
        return web.json_response(_version(cluster.version))
    document = discovery.document(path, accept=request.headers.get("Accept", ""))
    return None if document is None else _discovered(document)


def _admitted(request: web.Request, cluster: nodes.Cluster) -> bool:
    if request.transport is not None and request.transport.get_extra_info("peercert"):
        return True
    word, _, token = request.headers.get("Authorization", "").partition(" ")
    return word.lower() == "bearer" and any(hmac.compare_digest(token.encode(), valid.encode()) for valid in cluster.tokens)


def _select(items: list[Object], query: Mapping[str, str]) -> list[Object]:
    keep = _test(query)
    return [item for item in items if keep(item)]


def _test(query: Mapping[str, str]) -> selectors.Test:
    by_label = selectors.labels(query.get("labelSelector", ""))
    by_field = selectors.fields(query.get("fieldSelector", ""))
    return lambda item: by_label(item) and by_field(item)


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


def _discovered(document: Object) -> web.Response:
    kind = "application/json"
    if document["kind"] == "APIGroupDiscoveryList":
        kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    return web.Response(body=json.dumps(document).encode(), headers={"Content-Type": kind})


def _namespace(name: str, cluster: nodes.Cluster) -> Object:
    return {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "uid": f"{cluster.id}-{name}",
            "resourceVersion": "1",
            "creationTimestamp": clock.rfc3339(cluster.created),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _lease(node: Object, *, moment: str) -> Object:
    meta = node["metadata"]
    micro = moment.replace("Z", ".000000Z")
    return {
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": {
            "name": meta["name"],
            "namespace": "kube-node-lease",
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"holderIdentity": meta["name"], "leaseDurationSeconds": 40, "renewTime": micro},
    }


def failure(code: int, reason: str, message: str, *, details: Mapping[str, str] | None = None) -> Object:
    """Returns the ``Status`` object of a refused request."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": dict(details or {}),
        "code": code,
    }


def _status(code: int, reason: str, message: str, *, details: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(failure(code, reason, message, details=details), status=code)
