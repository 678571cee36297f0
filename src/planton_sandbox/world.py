"""The sandbox without its sockets: clouds, clock, faults and log, and the file that stores them.

Everything that survives a restart is saved here. Methods are called from one thread only.
"""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from planton_sandbox import clock, clouds, codec, faults, files, journal, ports, sparing
from planton_sandbox.kubernetes import actions, nodes, reads, simulations

FORMAT = 1
CLIENT = "127.0.0.1"
#: The characters in the state of a world that is too large to be written after every change: about fifty clusters.
LARGE = 300_000
_READING = ("GET", "HEAD", "OPTIONS")


class World:
    """The whole state of the sandbox.

    Attributes:
        clouds: The simulated clouds by name.
        client: The address of clients, for firewalls.
        ports: The reserved ports.
        numbers: The ports of services by name, which a restart uses again.
    """

    def __init__(self, path: pathlib.Path, *, latency: str, source: Callable[[], float] = time.time) -> None:
        """Opens the world that is stored in the file ``path``, or creates a new one.

        Raises:
            ValueError: when the file has another format.
        """
        self._path = path
        saved = files.read_json(path) or {}
        if saved.get("format", FORMAT) != FORMAT:
            message = f"{path} has format {saved['format']}, but this version reads format {FORMAT}"
            raise ValueError(message)
        self.clock = clock.Clock(source, offset=saved.get("offset", 0.0))
        self.pace = clock.Pace(latency)
        self.ports = ports.Ports()
        self.numbers: dict[str, int] = dict(saved.get("ports", {}))
        self.client = str(saved.get("client", CLIENT))
        self.faults = codec.decode(faults.Faults, saved.get("faults", {}))
        self.journal = journal.Journal()
        self.clouds: dict[str, clouds.Cloud] = {
            name: make(pace=self.pace, reserve_port=self.ports.reserve, saved=saved.get("clouds", {}).get(name))
            for name, make in clouds.CLOUDS.items()
        }
        self.simulations = simulations.Simulations(path.parent / files.KUBERNETES, first=int(source() * 10))
        self._written = ""
        self._saving = sparing.Spared(self.is_large)

    def save(self, *, always: bool = False) -> None:
        """Writes what has changed: the state file, and the files of the clusters' objects. A large world is written less often.

        Args:
            always: Whether to write it in any case.
        """
        self._saving.do(self._write, always=always)

    def catch_up(self) -> None:
        """Writes what was left for later."""
        if self._saving.is_late:
            self.save()

    def is_large(self) -> bool:
        """Returns whether the state was large when it was last written."""
        return len(self._written) > LARGE

    def _write(self) -> None:
        self.simulations.save()
        text = json.dumps(
            {
                "format": FORMAT,
                "offset": self.clock.offset,
                "ports": self.numbers,
                "client": self.client,
                "faults": codec.encode(self.faults),
                "clouds": {name: cloud.save() for name, cloud in self.clouds.items()},
            }
        )
        if text != self._written:
            files.write(self._path, text)
            self._written = text

    def is_unchanged(self, method: str, *, settled: bool) -> bool:
        """Returns whether a request can have changed nothing but who reads: reads end changes only in instant latency.

        Args:
            method: The method of the request.
            settled: Whether a change was due before it.
        """
        return method in _READING and not settled and self.pace.latency != clock.INSTANT

    def settle(self) -> bool:
        """Ends the changes that are due in all clouds and returns whether there were any."""
        now = self.clock.now()
        return any([cloud.settle(now) for cloud in self.clouds.values()])  # noqa: C419 - a generator would stop at the first

    def kubernetes(self) -> list[nodes.Cluster]:
        """Returns the Kubernetes APIs of all clusters."""
        now = self.clock.now()
        return [item for cloud in self.clouds.values() for item in cloud.kubernetes(client=self.client, now=now)]

    def read_cluster(self, key: str) -> reads.View | None:
        """Returns a cluster and its objects for a request to its Kubernetes API, and counts a read of it.

        In instant latency the read ends the changes that were waiting for it, so that kubectl and the cloud agree.
        """
        self._observe(key)
        if self.settle():
            self.save()
        return self.view(key)

    def poll_cluster(self, key: str) -> reads.View | None:
        """Returns a cluster and its objects for a watch, which looks often: it settles the clouds only if that was waited for."""
        if self._observe(key) and self.settle():
            self.save()
        return self.view(key)

    def settle_cluster(self, key: str) -> None:
        """Runs the controllers of a cluster after a write, which counts as no read, and stores its objects."""
        self.view(key)
        self.simulations.save()

    def follow(self, clusters: Sequence[nodes.Cluster]) -> None:
        """Brings the opened Kubernetes APIs to the present state of their clusters, and deletes those of other clusters."""
        self.simulations.keep([cluster.id for cluster in clusters])
        for cluster in clusters:
            if self.simulations.is_open(cluster.id):
                self.simulations.open(cluster, now=self.clock.now(), latency=self.pace.latency)

    def _observe(self, key: str) -> bool:
        return any([cloud.observe(key) for cloud in self.clouds.values()])  # noqa: C419 - a generator would stop at the first

    def view(self, key: str) -> reads.View | None:
        """Returns a cluster and its objects as they are now, or ``None``."""
        now = self.clock.now()
        for cloud in self.clouds.values():
            for cluster in cloud.kubernetes(client=self.client, now=now, key=key):
                state = self.simulations.open(cluster, now=now, latency=self.pace.latency)
                cloud.reflect(key, state.workload(), now=now)
                return reads.View(cluster, state, now)
        return None

    def change_port(self, key: str, port: int) -> None:
        """Records the new port of a cluster's Kubernetes API."""
        for cloud in self.clouds.values():
            cloud.change_port(key, port=port)
        self.save()

    def reset(self) -> None:
        """Deletes everything except the ports of the services."""
        self.simulations.keep(())
        for cloud in self.clouds.values():
            cloud.reset()
        self.clock.offset = 0.0
        self.client = CLIENT
        self.faults.clear()
        self.journal.clear()

    def account(self, cloud: str, token: str) -> str:
        """Returns the id of a token's account in a cloud, or an empty string."""
        return self.clouds[cloud].account(token) if cloud in self.clouds else ""

    def outside(self, cloud: str, action: str, body: Mapping[str, Any]) -> Any:
        """Makes an out-of-band change in a cloud.

        Raises:
            KeyError: when there is no such cloud.
            wire.CloudError: when the cloud has no such action or resource.
        """
        chosen = self.clouds[cloud]
        if not actions.handles(action, body):
            return chosen.outside(action, body=body, now=self.clock.now())
        view = self.view(chosen.cluster_id(body, now=self.clock.now()))
        assert view is not None
        answer = actions.act(view, action, body)
        self.view(view.cluster.id)
        return answer
