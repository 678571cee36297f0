"""One simulated cluster: its objects, and the controllers that act on them in simulated time.

Nothing runs by itself. `Simulation.settle` catches up: it runs the controllers at each moment at which something was due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import codec
from planton_sandbox.kubernetes import defaults, demands, loads, nodes, objects, registration, resources, store
from planton_sandbox.kubernetes.controllers import (
    attachments,
    balancers,
    budgets,
    cordons,
    cycle,
    daemons,
    deployments,
    garbage,
    jobs,
    kubelets,
    namespaces,
    replicas,
    scheduler,
    stateful,
)

LOGGER = logging.getLogger(__name__)
NAMESPACES = ("default", "kube-system", "kube-public", registration.LEASES)
# The work at one moment: every round of the controllers costs this much, and one more for each pod.
MAXIMUM_WORK, ROUND_WORK = 50_000, 100
MAXIMUM_MOMENTS = 200
PAUSE = 10.0  # seconds
Object = dict[str, Any]
_CONTROLLERS: tuple[Callable[[cycle.Cycle], None], ...] = (
    namespaces.run,
    garbage.run,
    cordons.run,
    deployments.run,
    replicas.run,
    daemons.run,
    stateful.run,
    jobs.run,
    attachments.run,
    scheduler.run,
    kubelets.run,
    budgets.run,
    balancers.run,
)


class Simulation:
    """The state of a cluster's Kubernetes API.

    Attributes:
        store: The objects.
        loads: What pods and pools use, as the control endpoint has set it.
    """

    def __init__(self, *, first: int, saved: Mapping[str, Any] | None = None) -> None:
        """Opens what `save` returned; resource versions begin at ``first`` or above."""
        saved = saved or {}
        self.store = store.Store(first=first, saved=saved)
        self.loads = [codec.decode(loads.Load, item) for item in saved.get("loads", [])]
        self._bases: dict[str, Object] = dict(saved.get("bases", {}))
        self._cluster: nodes.Cluster | None = None
        self._time: float = saved.get("time", 0.0)
        self._due: float | None = None
        self._durations = cycle.Durations()
        self._seen = -1
        self._demand: tuple[int, tuple[nodes.Pending, ...], dict[str, float]] | None = None
        self._saved = (self.store.version, codec.encode(self.loads)) if saved else None

    def save(self) -> Object | None:
        """Returns the state as JSON values, or ``None`` if it has not changed since the last call."""
        now = (self.store.version, codec.encode(self.loads))
        if now == self._saved:
            return None
        self._saved = now
        return self.store.save() | {"bases": self._bases, "loads": now[1], "time": self._time}

    def workload(self) -> nodes.Workload:
        """Returns what the workload means for the cloud."""
        kept = self.store
        if self._demand is None or self._demand[0] != kept.version:
            waiting = () if self._cluster is None else demands.pending(kept, self._cluster)
            self._demand = kept.version, waiting, demands.used(kept)
        return nodes.Workload(
            cordoned=frozenset(objects.name(node) for node in kept.all(resources.NODES) if node["spec"].get("unschedulable")),
            volumes=frozenset(attachments.provisioned(kept)),
            balancers=frozenset(balancers.names(kept)),
            pending=self._demand[1],
            used=self._demand[2],
        )

    def settle(self, cluster: nodes.Cluster, *, now: float, latency: str) -> None:
        """Brings the cluster to the time ``now``."""
        durations = cycle.durations(latency)
        if self._durations != durations:
            self._durations, self._seen = durations, -1
        if self._cluster is not None:
            self._catch_up(self._cluster, now=now)
        if self._cluster != cluster:
            self._bootstrap(cluster)
            registration.register(self.store, self._bases, cluster, now=now)
            self._cluster = cluster
            self._catch_up(cluster, now=now)

    def _catch_up(self, cluster: nodes.Cluster, *, now: float) -> None:
        for _ in range(MAXIMUM_MOMENTS):
            if self._seen != self.store.version:
                is_quiet = self._run(cluster, moment=now)
            elif self._due is not None and self._due <= now:
                is_quiet = self._run(cluster, moment=max(self._time, self._due))
            else:
                break
            if not is_quiet:
                # Controllers that undo each other's work, such as one that puts pods on a node that evicts them, wait.
                self._seen, self._due = self.store.version, now + PAUSE
        self._time = max(self._time, now)

    def _run(self, cluster: nodes.Cluster, *, moment: float) -> bool:
        """Runs the controllers until nothing changes at this moment, and returns whether that was reached."""
        self._time = moment
        work = 0
        while work < MAXIMUM_WORK:
            work += ROUND_WORK + self.store.count(resources.PODS)
            before = self.store.version
            run = cycle.Cycle(self.store, moment, self._durations, provisioner=cluster.storage.provisioner)
            for controller in _CONTROLLERS:
                try:
                    controller(run)
                except Exception:
                    # An object of a user that no rule refuses must not make the whole API fail.
                    LOGGER.exception("a controller of cluster %s failed", cluster.name)
            self._due = run.due
            if self.store.version == before:
                self._seen = before
                return True
        return False

    def _bootstrap(self, cluster: nodes.Cluster) -> None:
        """Creates what every cluster has."""
        if self.store.all(resources.NAMESPACES):
            return
        for name in NAMESPACES:
            item = objects.new(resources.NAMESPACES, name, now=cluster.created)
            defaults.apply(item)
            self.store.add(resources.NAMESPACES, item)
        self.store.add(
            resources.STORAGE_CLASSES,
            objects.new(
                resources.STORAGE_CLASSES,
                cluster.storage.name,
                now=cluster.created,
                metadata={"annotations": {defaults.DEFAULT_CLASS: "true"}},
                provisioner=cluster.storage.provisioner,
                reclaimPolicy="Delete",
                volumeBindingMode="Immediate",
                allowVolumeExpansion=True,
            ),
        )
