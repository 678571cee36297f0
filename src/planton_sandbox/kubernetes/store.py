"""The nodes of one cluster as a Kubernetes API keeps them: versioned, with a history to watch.

The store is told what is true and finds out what changed. It must not ask
anybody, and knows no HTTP.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from planton_sandbox.kubernetes import nodes

KEPT = 1000
Object = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """A change: its resource version, ``ADDED``, ``MODIFIED`` or ``DELETED``, and the node."""

    version: int
    kind: str
    object: Object


class Store:
    """Nodes by name, and how they came to be so."""

    def __init__(self, *, first: int) -> None:
        """Start empty at resource version ``first``, above any of an earlier store."""
        self.version = first
        self.oldest = first
        self._plain: dict[str, Object] = {}
        self._nodes: dict[str, Object] = {}
        self._history: list[Event] = []

    def update(self, cluster: nodes.Cluster) -> None:
        """Take over the nodes of ``cluster``, and note what is different."""
        fresh = {node.name: nodes.manifest(node) for node in cluster.nodes}
        for name in [name for name in self._plain if name not in fresh]:
            gone = self._nodes.pop(name)
            del self._plain[name]
            self._note("DELETED", gone)
        for name, plain in fresh.items():
            before = self._plain.get(name)
            if before != plain:
                self._plain[name] = plain
                self._nodes[name] = self._note("MODIFIED" if before else "ADDED", plain)

    def all_nodes(self) -> list[Object]:
        """Return the nodes in order of name."""
        return [self._nodes[name] for name in sorted(self._nodes)]

    def node(self, name: str) -> Object | None:
        """Return a node by name."""
        return self._nodes.get(name)

    def since(self, version: int) -> list[Event]:
        """Return the changes after a resource version."""
        return [event for event in self._history if event.version > version]

    def _note(self, kind: str, plain: Object) -> Object:
        self.version += 1
        stamped = plain | {"metadata": plain["metadata"] | {"resourceVersion": str(self.version)}}
        self._history.append(Event(self.version, kind, stamped))
        if len(self._history) > KEPT:
            self.oldest = self._history.pop(0).version
        return stamped
