"""The nodes of one cluster with resource versions, and their changes for watches."""

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
    """The nodes by name, and the history of their changes."""

    def __init__(self, *, first: int) -> None:
        """Creates an empty store at resource version ``first``, above those of earlier stores."""
        self.version = first
        self.oldest = first
        self._plain: dict[str, Object] = {}
        self._nodes: dict[str, Object] = {}
        self._history: list[Event] = []

    def update(self, cluster: nodes.Cluster) -> None:
        """Compares the nodes of ``cluster`` with the stored ones and records the changes."""
        fresh = {node.name: nodes.manifest(node) for node in cluster.nodes}
        for name in [name for name in self._plain if name not in fresh]:
            removed = self._nodes.pop(name)
            del self._plain[name]
            self._note("DELETED", removed)
        for name, plain in fresh.items():
            before = self._plain.get(name)
            if before != plain:
                self._plain[name] = plain
                self._nodes[name] = self._note("MODIFIED" if before else "ADDED", plain)

    def all_nodes(self) -> list[Object]:
        """Returns the nodes in order of name."""
        return [self._nodes[name] for name in sorted(self._nodes)]

    def node(self, name: str) -> Object | None:
        """Returns a node by name."""
        return self._nodes.get(name)

    def since(self, version: int) -> list[Event]:
        """Returns the changes after a resource version."""
        return [event for event in self._history if event.version > version]

    def _note(self, kind: str, plain: Object) -> Object:
        self.version += 1
        stamped = plain | {"metadata": plain["metadata"] | {"resourceVersion": str(self.version)}}
        self._history.append(Event(self.version, kind, stamped))
        if len(self._history) > KEPT:
            self.oldest = self._history.pop(0).version
        return stamped
