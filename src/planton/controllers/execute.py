"""Executes an action through the pipeline: plan, approve, apply or destroy, as the command line does."""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from planton.base import telemetry
from planton.controllers import approval, values
from planton.deploy import draining, progress, sdk

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from planton import clouds
    from planton.clouds import kubernetes
    from planton.config import settings as engine_settings
    from planton.deploy import drain
    from planton.deploy import plan as plans_of_run
    from planton.manifest import load


_LOG = logging.getLogger(__name__)
_STAYS: Final = "the cloud keeps and bills"


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """The current step of an action.

    Attributes:
        number: The number of the step, from 1.
        of: The number of steps.
        text: What it does, e.g. ``create node_pool``.
        leftovers: What stays in the cloud when a cluster is deleted, for example its volumes.
    """

    number: int
    of: int
    text: str
    leftovers: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Returns the step as text."""
        stays = f"; {_STAYS}: {', '.join(self.leftovers)}" if self.leftovers else ""
        return f"step {self.number} of {self.of}: {self.text}{stays}"


class Progress:
    """The current step of a running action. Thread-safe."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        """Has no step yet.

        Args:
            tell: Receives each step. It must not block.
        """
        self._tell = tell
        self._lock = threading.Lock()
        self._number = 0
        self._of = 0
        self._leftovers: tuple[str, ...] = ()

    def expect(self, number: int) -> None:
        """Sets the number of steps."""
        with self._lock:
            self._of = number

    def leave(self, leftovers: tuple[str, ...]) -> None:
        """Sets what stays in the cloud."""
        with self._lock:
            self._leftovers = leftovers

    def on_progress(self, event: progress.Event) -> None:
        """Counts the resources that the engine begins with."""
        if event.moment is not progress.Moment.RESOURCE_STARTED:
            return
        with self._lock:
            self._number += 1
            step = Step(self._number, max(self._of, self._number), f"{event.action} {event.resource}", self._leftovers)
        self._tell(step)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where the nodes of a pool are.

    Attributes:
        cloud: The account.
        cluster_id: The cloud's id of the cluster.
        pool_id: The cloud's id of the pool.
        api: Returns the Kubernetes API of the cluster.
    """

    cloud: clouds.Cloud
    cluster_id: str
    pool_id: str
    api: Callable[[], kubernetes.Api]


def move(decision: values.Decision, place: Place, limit: drain.Limit, now: datetime.datetime) -> None:
    """Drains, uncordons, removes or replaces the nodes of a decision. It takes one step, and does not wait.

    Args:
        decision: What was decided.
        place: Where the nodes are.
        limit: How long a drain may last.
        now: The time.

    Raises:
        PlantonError: The cluster or the cloud does not answer, or refuses.
    """
    if decision.action in (values.Action.DRAIN, values.Action.UNCORDON):
        api = place.api()
        for name in decision.nodes:
            if decision.action is values.Action.DRAIN:
                draining.advance(api, name, limit=limit, now=now)
            else:
                draining.cancel(api, name)
        return
    for name in decision.nodes:
        place.cloud.remove_node(place.cluster_id, place.pool_id, name, replace=decision.action is values.Action.REPLACE)


def execute(
    action: values.Action,
    resource: load.Resource,
    settings: engine_settings.Settings,
    *,
    tell: Callable[[Step], None] = lambda _step: None,
    begin: Callable[[plans_of_run.Plan], None] = lambda _plan: None,
) -> None:
    """Executes an action on one resource.

    Args:
        action: What was decided.
        resource: The resource.
        settings: The settings of the run. Its interruption stops the action.
        tell: Receives each step of the engine. It must not block.
        begin: Receives the approved plan before anything is changed. If it fails, nothing is.

    Raises:
        PlantonError: The action failed, or its plan does more than the action may.
    """
    counted = Progress(tell)
    with telemetry.span("plan"):
        planned = _plan(action, resource, settings, progress.Listener(counted.on_progress))
    if planned.error is not None:
        raise planned.error
    counted.expect(sum(len(step.plan.changes) for step in planned.all_steps))
    settings.interruption.check()
    approved = sdk.approve(planned, approval.consent(planned, action))
    begin(planned)
    if action is not values.Action.DELETE:
        with telemetry.span("apply"):
            sdk.apply(approved)
        return
    leftovers = _leftovers(planned)
    counted.leave(leftovers)
    with telemetry.span("destroy"):
        sdk.destroy(approved)
    if leftovers:
        _LOG.warning("%s is deleted; %s: %s", planned.all_steps[0].key, _STAYS, ", ".join(leftovers))


def _plan(
    action: values.Action, resource: load.Resource, settings: engine_settings.Settings, listener: progress.Listener
) -> plans_of_run.Plan:
    if action is values.Action.DELETE:
        return sdk.plan_destroy(resource, settings=settings, on_progress=listener)
    if action is values.Action.CREATE and resource.adopts:
        manifest: Any = resource.manifest
        named = f"{manifest.kind}/{manifest.metadata.name}"
        return sdk.plan_import(resource, named, resource.adopts, settings=settings, on_progress=listener)
    return sdk.plan(resource, settings=settings, on_progress=listener)


def _leftovers(planned: plans_of_run.Plan) -> tuple[str, ...]:
    """Returns what the deletion of a cluster leaves in the cloud."""
    unknown = "volumes, volume snapshots and load balancers, which cannot be listed"
    groups = planned.leftovers.values()
    return tuple(text for each in groups for text in ((unknown,) if each.error is not None else map(str, each.items)))
