"""The objects of one cluster with resource versions, and their changes for watches.

Stored objects are never modified: a change stores a new one.
"""

from __future__ import annotations

import collections
import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from planton_sandbox.kubernetes import errors, resources

KEPT = 2000
MAXIMUM_OBJECTS = 10_000
MAXIMUM_OBJECT = 1536 * 1024
MAXIMUM_BYTES = 64 * 1024 * 1024
Object = dict[str, Any]
Key = tuple[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """A change: its resource version, ``ADDED``, ``MODIFIED`` or ``DELETED``, the object, and the object before."""

    version: int
    title: str
    kind: str
    object: Object
    before: Object | None


class Store:
    """The objects by resource, namespace and name, and the history of their changes."""

    def __init__(self, *, first: int, saved: Mapping[str, Any] | None = None) -> None:
        """Opens what `save` returned, at resource version ``first`` or above."""
        saved = saved or {}
        self.version = max(first, int(saved.get("version", 0)))
        self.oldest = self.version
        self._objects: dict[str, dict[Key, Object]] = collections.defaultdict(dict)
        self._sizes: dict[tuple[str, Key], int] = {}
        self._bytes = 0
        self._history: collections.deque[Event] = collections.deque()
        for title, items in saved.get("objects", {}).items():
            for item in items:
                self._put(title, _key(item), item)

    def save(self) -> Object:
        """Returns the objects as JSON values."""
        return {
            "version": self.version,
            "objects": {title: list(items.values()) for title, items in self._objects.items() if items},
        }

    def get(self, resource: resources.Resource, namespace: str, name: str) -> Object | None:
        """Returns an object, or ``None``."""
        return self._objects[resource.title].get((namespace, name))

    def all(self, resource: resources.Resource, namespace: str = "") -> list[Object]:
        """Returns the objects of a resource in order of namespace and name; of all namespaces if it is empty."""
        items = self._objects[resource.title]
        return [items[key] for key in sorted(items) if namespace in ("", key[0])]

    def count(self, resource: resources.Resource) -> int:
        """Returns how many objects of a resource there are."""
        return len(self._objects[resource.title])

    def first(self, resource: resources.Resource) -> Object:
        """Returns the oldest object of a resource; there must be one."""
        return next(iter(self._objects[resource.title].values()))

    def everything(self) -> Iterable[tuple[resources.Resource, Object]]:
        """Yields all objects with their resources."""
        for resource in resources.RESOURCES:
            for item in list(self._objects[resource.title].values()):
                yield resource, item

    def add(self, resource: resources.Resource, item: Object) -> Object:
        """Stores a new object and returns it with its resource version.

        Raises:
            errors.ApiError: when an object has this name, or the store is full.
        """
        key = _key(item)
        if key in self._objects[resource.title]:
            raise errors.exists(resource, key[1])
        if len(self._sizes) >= MAXIMUM_OBJECTS:
            raise errors.full(f"{MAXIMUM_OBJECTS} objects")
        return self._note(resource, "ADDED", item, before=None)

    def replace(self, resource: resources.Resource, item: Object) -> Object:
        """Stores an object in place of its earlier state and returns it; an equal one keeps its resource version."""
        before = self._objects[resource.title][_key(item)]
        unstamped = item | {"metadata": item["metadata"] | {"resourceVersion": before["metadata"]["resourceVersion"]}}
        if unstamped == before:
            return before
        return self._note(resource, "MODIFIED", item, before=before)

    def remove(self, resource: resources.Resource, item: Object) -> None:
        """Removes an object, if it exists."""
        key = _key(item)
        before = self._objects[resource.title].get(key)
        if before is not None:
            self._note(resource, "DELETED", before, before=before)
            del self._objects[resource.title][key]
            self._bytes -= self._sizes.pop((resource.title, key))

    def since(self, resource: resources.Resource, version: int) -> list[Event]:
        """Returns the changes of a resource after a resource version."""
        recent: list[Event] = []
        for event in reversed(self._history):
            if event.version <= version:
                break
            if event.title == resource.title:
                recent.append(event)
        return recent[::-1]

    def _note(self, resource: resources.Resource, kind: str, item: Object, *, before: Object | None) -> Object:
        stamped = item | {"metadata": item["metadata"] | {"resourceVersion": str(self.version + 1)}}
        self._put(resource.title, _key(item), stamped)
        self.version += 1
        self._history.append(Event(self.version, resource.title, kind, stamped, before))
        if len(self._history) > KEPT:
            self.oldest = self._history.popleft().version
        return stamped

    def _put(self, title: str, key: Key, item: Object) -> None:
        size, old = len(json.dumps(item)), self._sizes.get((title, key), 0)
        if size > MAXIMUM_OBJECT:
            raise errors.too_large(MAXIMUM_OBJECT)
        if size > old and self._bytes - old + size > MAXIMUM_BYTES:
            raise errors.full(f"{MAXIMUM_BYTES} bytes")
        self._objects[title][key] = item
        self._sizes[title, key] = size
        self._bytes += size - old


def _key(item: Object) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
