"""Watches the work on one stack: what the engine has done, and how far the cloud is with a cluster or a node pool."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import TYPE_CHECKING

from planton import clouds, errors
from planton.deploy import progress
from planton.engine import plans, recorders
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi.automation import events

    from planton.deploy import steps
    from planton.recovery import managed
    from planton.schema import references

#: The engine's operations that change nothing in a cloud.
_SILENT = ("same", "read", "refresh", "replace", "discard", "discard-replaced", "remove-pending-replace")
_BASIC_ACTIONS = {"create-replacement": "create", "delete-replaced": "delete"}


@dataclasses.dataclass
class Watch:
    """The engine's work on one stack, as the engine's events report it.

    Attributes:
        key: The resource.
        operation: ``apply``, ``import`` or ``destroy``.
        listener: Receives the progress.
    """

    key: references.Key
    operation: str
    listener: progress.Listener
    _recorder: recorders.Recorder = dataclasses.field(default_factory=recorders.Recorder)
    _begun: dict[str, str] = dataclasses.field(default_factory=dict)
    _is_active: bool = False
    _work: threading.Event = dataclasses.field(default_factory=threading.Event)

    @property
    def done(self) -> tuple[plans.Change, ...]:
        """The changes that have been made."""
        is_done = self._recorder.finished - self._recorder.failed.keys() - self._begun.keys()
        return tuple(change for change in self._recorder.plan().changes if change.urn in is_done)

    @property
    def open(self) -> tuple[tuple[str, str], ...]:
        """Name and action of the resources that were begun, and not seen to end."""
        return tuple((urn.rsplit("::", 1)[-1], action) for urn, action in self._begun.items())

    def on_event(self, event: events.EngineEvent) -> None:
        """Takes an event of the engine. Outside of the block of `working` it is about a preview, and has no effect."""
        if not self._is_active:
            return
        self._recorder(event)
        begun, ended, failed = event.resource_pre_event, event.res_outputs_event, event.res_op_failed_event
        if begun is not None:
            self._report(begun.metadata, progress.Moment.RESOURCE_STARTED)
        elif ended is not None:
            self._report(ended.metadata, progress.Moment.RESOURCE_ENDED)
        elif failed is not None:
            self._report(failed.metadata, progress.Moment.RESOURCE_FAILED)

    def _report(self, metadata: events.StepEventMetadata, moment: progress.Moment) -> None:
        action = str(getattr(metadata.op, "value", metadata.op))
        if metadata.type.startswith(plans.INTERNAL_TYPES) or action in _SILENT:
            return
        if moment is progress.Moment.RESOURCE_STARTED:
            self._begun[metadata.urn] = action
            self._work.set()
        else:
            self._begun.pop(metadata.urn, None)
        name = metadata.urn.rsplit("::", 1)[-1]
        self._tell(moment, resource=name, action=action, expected=_expected(metadata.type, action))

    def stage(self, text: str) -> None:
        """Reports a stage of the work."""
        self._tell(progress.Moment.STAGE, text=text)

    def _tell(self, moment: progress.Moment, **details: object) -> None:
        self.listener(progress.Event(self.key, self.operation, moment, **details))  # type: ignore[arg-type]  # fields of the event

    @contextlib.contextmanager
    def working(self, subject: managed.Managed) -> Iterator[None]:
        """Watches the engine while the block changes the cloud, and the cloud while the engine waits for it."""
        self._is_active = True
        ended = threading.Event()
        looker = threading.Thread(target=self._look, args=(subject, ended), daemon=True)
        if self.listener.pause and (subject.kind.is_cluster or subject.kind.is_node_pool):
            looker.start()
        try:
            yield
        finally:
            self._is_active = False
            ended.set()
            self._work.set()
            if looker.is_alive():
                looker.join(self.listener.pause)

    def _look(self, subject: managed.Managed, ended: threading.Event) -> None:
        self._work.wait()
        while not ended.wait(self.listener.pause):
            if all(action.startswith("delete") for action in list(self._begun.values())):
                continue
            # Progress is no reason to fail.
            with contextlib.suppress(errors.PlantonError, LookupError, TypeError, ValueError):
                text = _stage(subject)
                if text and not ended.is_set():
                    self.stage(text)


@dataclasses.dataclass(frozen=True)
class Watches:
    """The watches of the steps of a run.

    Attributes:
        operation: ``apply``, ``import`` or ``destroy``.
        listener: Receives the progress.
    """

    operation: str
    listener: progress.Listener
    _by_key: dict[references.Key, Watch] = dataclasses.field(default_factory=dict)

    def start(self, key: references.Key) -> Watch:
        """Returns a new watch of a step."""
        return self._by_key.setdefault(key, Watch(key, self.operation, self.listener))

    def ended(self, step: steps.Step) -> steps.Step:
        """Returns a step; a failed one with what was done, and what was begun and not seen to end."""
        watch = self._by_key.get(step.key)
        return step if watch is None or step.error is None else dataclasses.replace(step, done=watch.done, unfinished=watch.open)


def _stage(subject: managed.Managed) -> str:
    cloud, target, kind = subject.cloud, subject.target, subject.kind
    if kind.is_node_pool:
        cluster_id, pool = kind.cluster_id(target), kind.cloud_name(target)
    else:
        cluster_id, pool = cloud.find(kind.declared.type, kind.cloud_name(target)) or "", ""
    cluster = cloud.cluster(cluster_id) if cluster_id else None
    if cluster is None:
        return ""
    seen = clouds.views_of(kind.cloud).condition(cluster, pool)
    return f"nodes {seen.ready}/{seen.nodes}" if seen.ready or pool else "control plane"


def _expected(type_: str, action: str) -> float | None:
    kind = kinds.of_type(type_)
    return None if kind is None else kind.declared.typical_seconds.get(_BASIC_ACTIONS.get(action, action))
