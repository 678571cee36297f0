"""Reconciles one resource: read, observe, decide, report, act, and observe again until nothing is left to do."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import logging
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.client import transport
from planton.controllers import decide, desired, execute, failures, looks, manifests, metering, observe, reports, values
from planton.deploy import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from org.project_planton.cluster.v1 import status_pb2
    from planton.client import api
    from planton.config import settings as engine_settings
    from planton.controllers import queue
    from planton.manifest import load
    from planton.state import inventory

_LOG = logging.getLogger(__name__)
#: Actions of one run. The next one comes with the next run, so that other work gets its turn.
_MOST_ACTIONS: Final = 3
_UNREAD: Final = datetime.timedelta(seconds=10)


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """The end of a run.

    Attributes:
        generation: The generation that it has observed; 0 if the resource is gone.
        next_look: When to look again; None if nothing is due.
    """

    generation: int
    next_look: datetime.timedelta | None


@dataclasses.dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles resources of the API.

    Attributes:
        client: The API.
        observer: Observes clouds and clusters.
        now: Returns the time.
        act: Executes an action.
        interval: The longest time between two looks at a resource.
        meter: Receives what happens.
    """

    client: api.Client
    observer: observe.Observer
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    act: Callable[..., None] = execute.execute
    interval: datetime.timedelta = looks.STEADY
    meter: metering.Meter = dataclasses.field(default_factory=metering.Meter)

    def run(self, work: queue.Work, settings: engine_settings.Settings) -> Done:
        """Reconciles a resource, and returns when to look again.

        Args:
            work: The claimed work.
            settings: The settings of the run. Its interruption stops the run.

        Raises:
            PlantonError: ``INTERRUPTED``; the API cannot be reached.
        """
        # Files and credentials are read again in each run, so that a rotated credential is used.
        observer = dataclasses.replace(self.observer, run=runtime.of(settings, self.observer.run.tools))
        try:
            return _Run(self, observer, work, settings).reconcile()
        except transport.ApiError as error:
            if error.reason is errors.Reason.NOT_FOUND:
                # Released, or deleted without waiting. Its work has gone with it.
                return Done(0, None)
            raise


@dataclasses.dataclass(frozen=True, slots=True)
class _Run:
    reconciler: Reconciler
    observer: observe.Observer
    work: queue.Work
    settings: engine_settings.Settings

    def reconcile(self) -> Done:
        """Acts until nothing is left to do, or until it has to wait."""
        memory, before = self._memory()
        first = 0
        for _ in range(_MOST_ACTIONS):
            self.settings.interruption.check()
            data = self._data()
            if first and int(data["generation"]) != first and "deleted_at" not in data:
                # More changes may follow. The queue waits for them, so that they share an action.
                return Done(first, None)
            first = int(data["generation"])
            target, observed = self._measured(*self._looked(data))
            now = self.reconciler.now()
            decision = decide.decide(target.desired, observed, memory, now)
            before = self._report(target, observed, decision, before)
            if decision.action in (values.Action.NOTHING, values.Action.RELEASE):
                return Done(target.desired.generation, self._next_look(decision, observed))
            memory = self._acted(target, observed, decision)
            # Steps were reported meanwhile.
            before = None
        return Done(target.desired.generation, looks.BUSY)

    def _measured(self, target: desired.Target, observed: values.Observed) -> tuple[desired.Target, values.Observed]:
        meter = self.reconciler.meter
        if observed.problem is not None:
            meter.failed(self.work, str(observed.problem.code))
        if observed.drift:
            meter.drifted(self.work)
        return target, observed

    def _next_look(self, decision: values.Decision, observed: values.Observed) -> datetime.timedelta | None:
        if decision.next_look is None:
            return None
        least = observed.problem.silence if observed.problem is not None else datetime.timedelta()
        return max(least, min(decision.next_look, self.reconciler.interval))

    def _acted(self, target: desired.Target, observed: values.Observed, decision: values.Decision) -> values.Memory:
        if decision.action is values.Action.SCALE and decision.scaling is not None:
            target = desired.resized(target, decision.scaling.count)
        assert target.resource is not None, "an action needs a resource"
        _LOG.info("%s %s: %s: %s", self.work.kind, self.work.id, decision.action, decision.why)
        tell = functools.partial(self._report_step, target, observed, decision)
        try:
            self.reconciler.act(decision.action, target.resource, self.settings, tell=tell)
        except errors.PlantonError as error:
            if error.reason is errors.Reason.INTERRUPTED:
                raise
            failure = failures.of(error)
            self._count(decision.action, failure)
            _LOG.warning("%s %s: %s failed: %s: %s", self.work.kind, self.work.id, decision.action, failure.code, failure.message)
            return decide.failed(decision, target.desired, failure, self.reconciler.now())
        except Exception as error:
            # A bug. The queue counts it, and stops trying after a few runs.
            self.reconciler.meter.acted(self.work, str(decision.action), str(failures.Code.INTERNAL))
            self._report_bug(target, observed, decision, failures.of(error))
            raise
        finally:
            self._forget(target)
        self.reconciler.meter.acted(self.work, str(decision.action), "succeeded")
        return decide.succeeded(decision, observed, self.reconciler.now())

    def _count(self, action: values.Action, failure: failures.Failure) -> None:
        meter = self.reconciler.meter
        meter.acted(self.work, str(action), str(failure.code))
        meter.failed(self.work, str(failure.code))

    def _report_step(
        self, target: desired.Target, observed: values.Observed, decision: values.Decision, step: execute.Step
    ) -> None:
        try:
            self._report(target, observed, decision, None, step)
        except errors.PlantonError as error:
            # An API that does not answer must not stop the engine.
            _LOG.debug("%s: the step was not reported: %s", self.work.id, error.message)

    def _report_bug(
        self, target: desired.Target, observed: values.Observed, decision: values.Decision, failure: failures.Failure
    ) -> None:
        now = self.reconciler.now()
        memory = decide.failed(decision, target.desired, failure, now)
        self._report(target, observed, decide.decide(target.desired, observed, memory, now), None)

    def _forget(self, target: desired.Target) -> None:
        """Drops recent answers of what an action may have changed."""
        if target.resource is None:
            return
        try:
            subject = self.observer.subject(target.resource)
        except errors.PlantonError:
            # The next look reports it.
            return
        self.observer.lists.forget(subject.account)
        self.observer.nodes.forget(("nodes", subject.cluster_id))

    def _looked(self, data: dict[str, Any]) -> tuple[desired.Target, values.Observed]:
        role = desired.ROLES[self.work.kind]
        kind = manifests.kind_of(role, self.work.platform)
        if kind is None:
            text = f"this controller cannot create a {role} on {self.work.platform}"
            raise errors.PlantonError(text, code=errors.Code.REFUSED, reason=errors.Reason.KIND_UNKNOWN)
        generation = int(data["generation"])
        if waits_for := self._dependants(data):
            waiting = values.Desired(generation=generation, is_deleting=True, waits_for=waits_for)
            return desired.Target(waiting, None), values.Observed(presence=values.Presence.UNKNOWN)
        try:
            applied = self.observer.applied(self.work.id)
            cluster = self._cluster() if self.work.kind == "NodePool" else None
            target = desired.target(kind, data, self.settings, applied=applied, cluster=cluster)
            if target.resource is None or (applied is None and target.desired.waits_for):
                return target, values.Observed(presence=values.Presence.NEVER)
            return self._seen(target, target.resource, applied)
        except transport.ApiError:
            raise
        except errors.PlantonError as error:
            if error.reason is errors.Reason.INTERRUPTED:
                raise
            return self._unread(generation, data, failures.of(error))

    def _seen(
        self, target: desired.Target, resource: load.Resource, applied: inventory.Applied | None
    ) -> tuple[desired.Target, values.Observed]:
        is_left = desired.is_left_by_autoscaler(target, applied)
        is_native = is_left or (target.desired.nodes is None and not target.desired.is_deleting)
        is_scaled = target.desired.scaling is not None
        subject = self.observer.subject(resource, nodes=target.label, is_autoscaled=is_native, is_scaled=is_scaled)
        observed = self.observer.look(subject)
        # The manifest has the initial number. The cloud has the last one.
        is_moved = is_left and bool(observed.cloud_nodes)
        return desired.resized(target, observed.cloud_nodes or 0) if is_moved else target, observed

    def _unread(self, generation: int, data: dict[str, Any], failure: failures.Failure) -> tuple[desired.Target, values.Observed]:
        problem = failure if failure.is_permanent else None
        wanted = values.Desired(generation=generation, is_deleting="deleted_at" in data, problem=problem)
        observed = values.Observed(presence=values.Presence.UNKNOWN, problem=failure)
        return desired.Target(wanted, None), observed

    def _cluster(self) -> desired.Cluster:
        data = manifests.as_data(self.reconciler.client.get_cluster(self.work.cluster_id))
        return desired.Cluster(data, self.observer.applied(self.work.cluster_id))

    def _dependants(self, data: dict[str, Any]) -> str:
        """Returns which node pools a deleted cluster waits for; empty if it waits for none. They need the cluster to be deleted."""
        if self.work.kind == "NodePool" or "deleted_at" not in data:
            return ""
        pools = self.reconciler.client.list_node_pools(clusterId=self.work.id, includeDeleting="true")
        names = ", ".join(sorted(pool.name for pool in pools))
        return f"its node pools are deleted first: {names}" if names else ""

    def _data(self) -> dict[str, Any]:
        client = self.reconciler.client
        resource = client.get_node_pool(self.work.id) if self.work.kind == "NodePool" else client.get_cluster(self.work.id)
        return manifests.as_data(resource)

    def _memory(self) -> tuple[values.Memory, status_pb2.ControllerStatus | None]:
        client, name = self.reconciler.client, reports.name(self.work.platform)
        is_pool = self.work.kind == "NodePool"
        status: Any = client.get_node_pool_status(self.work.id) if is_pool else client.get_cluster_status(self.work.id)
        own = next((each for each in status.controller_status if each.controller_name == name), None)
        return reports.memory(own), own

    def _report(
        self,
        target: desired.Target,
        observed: values.Observed,
        decision: values.Decision,
        before: status_pb2.ControllerStatus | None,
        step: execute.Step | None = None,
    ) -> status_pb2.ControllerStatus | None:
        facts = reports.Facts(self.work.platform, target.region, step)
        now = self.reconciler.now()
        made = reports.report(target.desired, observed, decision, facts, now)
        if not reports.is_news(made, before, now):
            return before
        client = self.reconciler.client
        is_pool = self.work.kind == "NodePool"
        status: Any = (
            client.report_node_pool_status(self.work.id, made) if is_pool else client.report_cluster_status(self.work.id, made)
        )
        return next((each for each in status.controller_status if each.controller_name == made.controller_name), None)
