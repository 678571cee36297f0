"""Watches: the changes of a resource, as a stream."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from planton_sandbox.kubernetes import errors, paths, reads, rendering, resources

WATCH_INTERVAL = 0.1
WATCH_SECONDS = 1800.0
MAXIMUM_SECONDS = 86400.0
Object = dict[str, Any]
Look = Callable[[], reads.View | None]
_TRUE = ("1", "true")


async def watch(request: web.Request, target: paths.Target, view: reads.View, look: Look) -> web.StreamResponse:
    """Answers a watch until its time is over, the client leaves, or the cluster is gone.

    Raises:
        errors.ApiError: when a selector is invalid, or the resource version is too old.
    """
    query = request.query
    keep = reads.test(target.resource, query)
    is_announced = query.get("sendInitialEvents") in _TRUE
    since, is_initial = _start(query.get("resourceVersion", ""), view)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    stream = _Stream(request, response, target.resource)
    if is_initial or is_announced:
        since = view.store.version
        for item in filter(keep, reads.everything(view, target)):
            await stream.send("ADDED", item, now=view.now)
    if is_announced:
        await stream.bookmark(since, is_initial=True)
    await _follow(stream, _Changes(target, keep, since), view, look)
    return response


@dataclasses.dataclass(slots=True)
class _Changes:
    """The changes that a client has not seen yet; ``since`` is the resource version up to which it has."""

    target: paths.Target
    keep: Callable[[Object], bool]
    since: int

    def take(self, view: reads.View) -> list[tuple[str, Object]]:
        """Returns the changes, and marks them as seen."""
        taken = reads.changes(view, self.target, self.keep, since=self.since)
        self.since = view.store.version
        return taken


async def _follow(stream: _Stream, changes: _Changes, view: reads.View, look: Look) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + stream.seconds
    fresh: reads.View | None = view
    while loop.time() < end and fresh is not None and stream.is_open:
        if changes.since < fresh.store.oldest:
            await stream.fail(errors.expired(changes.since, fresh.store.oldest))
            return
        for kind, item in changes.take(fresh):
            await stream.send(kind, item, now=fresh.now)
        await asyncio.sleep(WATCH_INTERVAL)
        fresh = look()
    if fresh is not None and stream.has_bookmarks:
        await stream.bookmark(changes.since)


def _start(text: str, view: reads.View) -> tuple[int, bool]:
    """Returns the resource version to start after, and whether the present objects come first."""
    version = int(text) if text.isdecimal() and len(text) < 20 else 0  # noqa: PLR2004 - digits of a 64-bit number
    if not version:
        return view.store.version, True
    if not view.store.oldest <= version <= view.store.version:
        raise errors.expired(version, view.store.oldest)
    return version, False


class _Stream:
    """The events of a watch, in the form that the client prefers."""

    def __init__(self, request: web.Request, response: web.StreamResponse, resource: resources.Resource) -> None:
        self._request = request
        self._response = response
        self._resource = resource

    @property
    def seconds(self) -> float:
        """How long the client watches."""
        text = self._request.query.get("timeoutSeconds", "")
        return min(float(text), MAXIMUM_SECONDS) if text.isdecimal() and int(text) else WATCH_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether the client is still there."""
        return self._request.transport is not None and not self._request.transport.is_closing()

    @property
    def has_bookmarks(self) -> bool:
        """Whether the client takes bookmarks."""
        return self.is_open and self._request.query.get("allowWatchBookmarks") in _TRUE

    async def send(self, kind: str, item: Object, *, now: float) -> None:
        """Sends an event."""
        await self._write(kind, rendering.one(self._request, self._resource, item, now=now))

    async def bookmark(self, version: int, *, is_initial: bool = False) -> None:
        """Sends the resource version up to which the client has seen everything."""
        meta: Object = {"resourceVersion": str(version), "creationTimestamp": None}
        if is_initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        kind, version_ = self._resource.kind, self._resource.api_version
        await self._write("BOOKMARK", {"kind": kind, "apiVersion": version_, "metadata": meta})

    async def fail(self, error: errors.ApiError) -> None:
        """Sends an error."""
        await self._write("ERROR", error.status)

    async def _write(self, kind: str, item: Object) -> None:
        await self._response.write(json.dumps({"type": kind, "object": item}).encode() + b"\n")
