"""The simulations of all clusters, each in a file of its own."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Collection

from planton_sandbox import files
from planton_sandbox.kubernetes import nodes, simulation


class Simulations:
    """The simulations by cluster id; a cluster's file is read when the cluster is first needed."""

    def __init__(self, folder: pathlib.Path, *, first: int) -> None:
        """Opens the simulations in ``folder``; resource versions begin at ``first`` or above."""
        self._folder = folder
        self._first = first
        self._opened: dict[str, simulation.Simulation] = {}

    def open(self, cluster: nodes.Cluster, *, now: float, latency: str) -> simulation.Simulation:
        """Returns the simulation of a cluster at the time ``now``."""
        state = self._opened.get(cluster.id)
        if state is None:
            saved = files.read_json(self._file(cluster.id))
            state = self._opened[cluster.id] = simulation.Simulation(first=self._first, saved=saved)
        state.settle(cluster, now=now, latency=latency)
        return state

    def is_open(self, key: str) -> bool:
        """Returns whether the simulation of a cluster has been needed."""
        return key in self._opened

    def save(self) -> None:
        """Writes the files of the clusters that have changed."""
        for key, state in self._opened.items():
            body = state.save()
            if body is not None:
                files.prepare(self._folder)
                files.write(self._file(key), json.dumps(body))

    def keep(self, clusters: Collection[str]) -> None:
        """Deletes the simulations of all other clusters."""
        for key in [key for key in self._opened if key not in clusters]:
            del self._opened[key]
        for path in self._folder.glob("*.json"):
            if path.stem not in clusters:
                path.unlink(missing_ok=True)

    def _file(self, key: str) -> pathlib.Path:
        return self._folder / f"{key}.json"
