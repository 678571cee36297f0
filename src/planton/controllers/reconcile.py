"""Reconciles one resource: read, observe, decide, report, act, and observe again until nothing is left to do."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import logging
import uuid
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.base import telemetry
from planton.client import transport
from planton.config import credentials_file
from planton.controllers import audit, decide, execute, failures, looks, metering, observe, reports, subjects, values
from planton.deploy import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from org.project_planton.cluster.v1 import status_pb2
    from planton.client import api
    from planton.config import settings as engine_settings
    from planton.controllers import desired, queue
    from planton.deploy import drain

_LOG = logging.getLogger(__name__)
#: Actions of one run. The next one comes with the next run, so that other work gets its turn.
_MOST_ACTIONS: Final = 3
#: The actions that need no engine.
_MOVES: Final = (values.Action.DRAIN, values.Action.UNCORDON, values.Action.REMOVE, values.Action.REPLACE)


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
        act: Executes an action through the pipeline.
        move: Drains, uncordons, removes or replaces nodes.
        interval: The longest time between two looks at a resource.
        meter: Receives what happens.
        process: The id of the process, for the audit.
    """

    client: api.Client
    observer: observe.Observer
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    act: Callable[..., None] = execute.execute
    move: Callable[[values.Decision, execute.Place, drain.Limit, datetime.datetime], None] = execute.move
    interval: datetime.timedelta = looks.STEADY
    meter: metering.Meter = dataclasses.field(default_factory=metering.Meter)
    process: str = ""

    def run(self, work: queue.Work, settings: engine_settings.Settings) -> Done:
        """Reconciles a resource, and returns when to look again.

        Args:
            work: The claimed work.
            settings: The settings of the run. Its interruption stops the run.

        Raises:
            PlantonError: ``INTERRUPTED``; the API cannot be reached.
        """
        # Files and credentials are read again in each run, so that a rotated credential is used.
        problem = None
        try:
            settings = self._with_credential(work, settings)
        except errors.PlantonError as error:
            if error.reason is not errors.Reason.CREDENTIAL_INVALID:
                raise
            problem = error
        observer = dataclasses.replace(self.observer, run=runtime.of(settings, self.observer.run.tools))
        try:
            return _Run(self, observer, work, settings, problem).reconcile()
        except transport.ApiError as error:
            if error.reason is errors.Reason.NOT_FOUND:
                # Released, or deleted without waiting. Its work has gone with it.
                return Done(0, None)
            raise

    def _with_credential(self, work: queue.Work, settings: engine_settings.Settings) -> engine_settings.Settings:
        """Returns settings with the credential that the owner of the cluster has stored; the same settings if there is none.

        Raises:
            PlantonError: ``CREDENTIAL_INVALID``: the server cannot decrypt it; the API cannot be reached.
        """
        if not work.account:
            return settings
        try:
            stored = self.client.get_cluster_credential(work.cluster_id)
        except transport.ApiError as error:
            if error.reason is errors.Reason.API_CONFLICT:
                hint = "add its key to the server's --credential-keys, or store it again: planton credentials set"
                raise errors.credential_invalid(error.message, hint=hint) from None
            if error.reason is not errors.Reason.NOT_FOUND:
                raise
            # It is an entry of this machine's file.
            return settings
        fields = {field.name: field.value for field in stored.fields}
        environ = credentials_file.with_entry(settings.environ, stored.platform, stored.name, fields)
        return dataclasses.replace(settings, environ=environ)


@dataclasses.dataclass(frozen=True, slots=True)
class _Run:
    reconciler: Reconciler
    observer: observe.Observer
    work: queue.Work
    settings: engine_settings.Settings
    problem: errors.PlantonError | None = None

    @property
    def reader(self) -> subjects.Subjects:
        """Reads the resource."""
        return subjects.Subjects(self.reconciler.client, self.observer, self.work, self.settings, self.problem)

    def reconcile(self) -> Done:
        """Acts until nothing is left to do, or until it has to wait."""
        memory, before = self._memory()
        first, last = 0, values.Action.NOTHING
        for _ in range(_MOST_ACTIONS):
            self.settings.interruption.check()
            with telemetry.span("read"):
                data = self.reader.read()
            if first and int(data["generation"]) != first and "deleted_at" not in data:
                # More changes may follow. The queue waits for them, so that they share an action.
                return Done(first, None)
            first = int(data["generation"])
            now = self.reconciler.now()
            with telemetry.span("observe"):
                seen = self._measured(self.reader.look(data, memory, now))
            with telemetry.span("decide") as span:
                decision = decide.decide(seen.target.desired, seen.observed, memory, now)
                span.note({"planton.action": str(decision.action), "planton.reason": decision.why})
            before = self._report(seen, decision, before)
            # The next step of a drain needs time. What the last one met is reported.
            is_draining = decision.action is last is values.Action.DRAIN
            if is_draining or decision.action in (values.Action.NOTHING, values.Action.RELEASE):
                return Done(first, self._next_look(decision, seen.observed))
            memory, last = self._acted(seen, decision), decision.action
            # Steps were reported meanwhile.
            before = None
        return Done(first, looks.BUSY)

    def _measured(self, seen: subjects.Seen) -> subjects.Seen:
        meter = self.reconciler.meter
        if seen.observed.problem is not None:
            meter.failed(self.work, str(seen.observed.problem.code))
        if seen.observed.drift:
            meter.drifted(self.work)
        return seen

    def _next_look(self, decision: values.Decision, observed: values.Observed) -> datetime.timedelta | None:
        if decision.next_look is None:
            return None
        least = observed.problem.silence if observed.problem is not None else datetime.timedelta()
        return max(least, min(decision.next_look, self.reconciler.interval))

    def _acted(self, seen: subjects.Seen, decision: values.Decision) -> values.Memory:
        _LOG.info("%s %s: %s: %s", self.work.kind, self.work.id, decision.action, decision.why)
        desired_state = seen.target.desired
        try:
            self._act(seen, decision)
        except errors.PlantonError as error:
            if error.reason is errors.Reason.INTERRUPTED:
                raise
            failure = self.reader.failure(error)
            self._count(decision.action, failure)
            _LOG.warning("%s %s: %s failed: %s: %s", self.work.kind, self.work.id, decision.action, failure.code, failure.message)
            return decide.failed(decision, desired_state, failure, self.reconciler.now())
        except Exception as error:
            # A bug. The queue counts it, and stops trying after a few runs.
            self.reconciler.meter.acted(self.work, str(decision.action), str(failures.Code.INTERNAL))
            now = self.reconciler.now()
            memory = decide.failed(decision, desired_state, failures.of(error), now)
            self._report(seen, decide.decide(desired_state, seen.observed, memory, now), None)
            raise
        finally:
            self._forget(seen.target)
        self.reconciler.meter.acted(self.work, str(decision.action), "succeeded")
        return decide.succeeded(decision, seen.observed, self.reconciler.now())

    def _act(self, seen: subjects.Seen, decision: values.Decision) -> None:
        resource, policy = self.reader.resource(seen, decision), seen.target.desired.turnover
        with self._recorder(seen, decision) as recorder:
            if decision.nodes and policy is not None:
                place = self.reader.place(resource)
                recorder.begin(audit.of_nodes(decision, seen.observed))
                with telemetry.span(str(decision.action)):
                    self.reconciler.move(decision, place, policy.limit, self.reconciler.now())
            if decision.action not in _MOVES:
                tell = functools.partial(self._report_step, seen, decision)
                self.reconciler.act(
                    decision.action,
                    resource,
                    self.settings,
                    tell=tell,
                    begin=lambda planned: recorder.begin(audit.of_plan(planned)),
                )

    def _recorder(self, seen: subjects.Seen, decision: values.Decision) -> audit.Recorder:
        client = self.reconciler.client
        send = client.record_node_pool_event if self.work.kind == "NodePool" else client.record_cluster_event
        name, generation = reports.name(self.work.platform), seen.target.desired.generation
        record = audit.record(name, self.reconciler.process, generation, decision)
        return audit.Recorder(functools.partial(send, self.work.id, str(uuid.uuid4())), record)

    def _count(self, action: values.Action, failure: failures.Failure) -> None:
        meter = self.reconciler.meter
        meter.acted(self.work, str(action), str(failure.code))
        meter.failed(self.work, str(failure.code))

    def _report_step(self, seen: subjects.Seen, decision: values.Decision, step: execute.Step) -> None:
        try:
            self._report(seen, decision, None, step)
        except errors.PlantonError as error:
            # An API that does not answer must not stop the engine.
            _LOG.debug("%s: the step was not reported: %s", self.work.id, error.message)

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

    def _memory(self) -> tuple[values.Memory, status_pb2.ControllerStatus | None]:
        client, name = self.reconciler.client, reports.name(self.work.platform)
        is_pool = self.work.kind == "NodePool"
        status: Any = client.get_node_pool_status(self.work.id) if is_pool else client.get_cluster_status(self.work.id)
        own = next((each for each in status.controller_status if each.controller_name == name), None)
        return (self.reader.remembered(values.Memory()) if own is None else reports.memory(own)), own

    def _report(
        self,
        seen: subjects.Seen,
        decision: values.Decision,
        before: status_pb2.ControllerStatus | None,
        step: execute.Step | None = None,
    ) -> status_pb2.ControllerStatus | None:
        facts = reports.Facts(self.work.platform, seen.target.region, step)
        now = self.reconciler.now()
        made = reports.report(seen.target.desired, seen.observed, decision, facts, now)
        if not reports.is_news(made, before, now):
            return before
        client = self.reconciler.client
        is_pool = self.work.kind == "NodePool"
        with telemetry.span("report"):
            status: Any = (
                client.report_node_pool_status(self.work.id, made)
                if is_pool
                else client.report_cluster_status(self.work.id, made)
            )
        return next((each for each in status.controller_status if each.controller_name == made.controller_name), None)
