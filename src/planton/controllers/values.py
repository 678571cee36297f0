"""The values that a decision is made from, and the decision. All are immutable, and none knows a cloud, an API or a clock."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import TYPE_CHECKING, Final

from planton.controllers import causes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.controllers import autoscaling, failures, rollout, workload
    from planton.deploy import drain

#: The time at which a pause without an end ends.
NEVER: Final = datetime.datetime.max.replace(tzinfo=datetime.UTC)


class Presence(enum.StrEnum):
    """Whether a resource is in the cloud."""

    NEVER = "never"
    """Nothing was created, or everything was deleted."""
    PARTIAL = "partial"
    """An operation on it did not end, so that parts of it may be in the cloud."""
    PRESENT = "present"
    MISSING = "missing"
    """It was created, and the cloud does not have it any longer."""
    UNKNOWN = "unknown"
    """The cloud could not be read."""


class Action(enum.StrEnum):
    """What a controller does."""

    NOTHING = "nothing"
    CREATE = "create"
    UPDATE = "update"
    REPAIR = "repair"
    RECREATE = "recreate"
    SCALE = "scale"
    """Applies the number of nodes that the autoscaler has decided."""
    DELETE = "delete"
    DRAIN = "drain"
    """Takes the next step of the drains of nodes."""
    UNCORDON = "uncordon"
    """Ends the drains of nodes, so that they accept pods again."""
    REMOVE = "remove"
    """Removes drained nodes from a pool that is being replaced."""
    REPLACE = "replace"
    """Lets the cloud replace drained nodes."""
    RELEASE = "release"
    """Reports that nothing is left, so that the API removes the resource."""


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A property in which the cloud differs from what was applied.

    Attributes:
        path: The property, e.g. ``count``.
        applied: Its value as applied, as text.
        actual: Its value in the cloud, as text.
    """

    path: str
    applied: str
    actual: str

    def __str__(self) -> str:
        """Returns the property with both values."""
        return f"{self.path} is {self.actual}, was applied as {self.applied}"


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster's Kubernetes API.

    Attributes:
        name: Its name.
        is_ready: Whether its kubelet is ready.
        version: The version of its kubelet.
        created: When it joined the cluster.
        since: When it became ready, or stopped being ready; None if it is unknown.
        is_cordoned: Whether it is unschedulable.
        draining_since: When its drain began; None if it is not being drained.
        drain: The next step of its drain; None if it is not being drained, or was not read.
    """

    name: str
    is_ready: bool
    version: str
    created: datetime.datetime
    since: datetime.datetime | None = None
    is_cordoned: bool = False
    draining_since: datetime.datetime | None = None
    drain: drain.Step | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """How the nodes of a pool leave and are replaced.

    Attributes:
        limit: How long the drain of a node may last.
        surge: How many more nodes there may be during a replacement.
        unavailable: How many fewer nodes may serve during a replacement.
        soak: How long a new node must be ready before an old one is drained for it.
        on_timeout: What happens to a node whose drain has timed out.
        unhealthy_after: After which time a node that is not ready is replaced; None for never.
    """

    limit: drain.Limit
    surge: int
    unavailable: int
    soak: datetime.timedelta
    on_timeout: rollout.OnTimeout
    unhealthy_after: datetime.timedelta | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """The desired state of a resource.

    Attributes:
        generation: Its generation.
        nodes: The number of nodes; None if the cloud's autoscaler decides it, or if the resource has none.
        scaling: The request to the controller's autoscaler, whose last decision `nodes` is; None if it does not decide.
        is_deleting: Whether its deletion was requested.
        repairs_drift: Whether changes from outside are reverted.
        recreates: Whether it is recreated if it is missing from the cloud.
        paused_until: When its pause ends; None without a pause.
        problem: Why the desired state cannot be applied at all; None if it can.
        waits_for: The dependency that is not ready, with its state; empty if there is none.
        adopts: The cloud's id of the existing resource that is adopted instead of a creation; empty if there is none.
        turnover: How its nodes leave and are replaced; None if it is no pool, or if its nodes go with their cluster.
    """

    generation: int
    nodes: int | None = None
    scaling: autoscaling.Targets | None = None
    is_deleting: bool = False
    repairs_drift: bool = True
    recreates: bool = False
    paused_until: datetime.datetime | None = None
    problem: failures.Failure | None = None
    waits_for: str = ""
    adopts: str = ""
    turnover: Turnover | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the cloud and the cluster have.

    Attributes:
        presence: Whether the resource is in the cloud.
        is_applied: Whether the desired state is what was applied last, to its end.
        changed: The fields of the desired state that differ from the applied one.
        replaced_by: The fields among them whose change needs a replacement.
        is_rollable: Whether a new pool beside the old one can make that replacement.
        drift: The properties in which the cloud differs from what was applied.
        cloud_nodes: The number of nodes that the cloud wants; None if it is unknown.
        nodes: The nodes in Kubernetes; None if they could not be read.
        zones: The number of zones over which the cloud spreads the nodes evenly; 1 if it does not.
        is_autoscaled: Whether the pool was applied with an autoscaler of the cloud.
        members: The names of those that the cloud has in this pool, without those that it deletes.
        workload: What runs on the nodes; None if nothing needs it, or if it could not be read.
        successor: The next pool of the same resource during a replacement; None if there is none.
        trouble: What the cloud reports to be wrong with it; None if nothing is.
        problem: Why the cloud, or the Kubernetes API, could not be read; None if both could.
    """

    presence: Presence
    is_applied: bool = False
    changed: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    is_rollable: bool = False
    drift: tuple[Difference, ...] = ()
    cloud_nodes: int | None = None
    nodes: tuple[Node, ...] | None = None
    zones: int = 1
    is_autoscaled: bool = False
    members: frozenset[str] = frozenset()
    workload: workload.Workload | None = None
    successor: Observed | None = None
    trouble: failures.Failure | None = None
    problem: failures.Failure | None = None

    @property
    def own(self) -> tuple[Node, ...]:
        """The nodes in Kubernetes that the cloud has in this pool, the oldest first."""
        nodes = (node for node in self.nodes or () if node.name in self.members)
        return tuple(sorted(nodes, key=lambda node: (node.created, node.name)))

    @property
    def ready(self) -> int | None:
        """The number of ready nodes; None if they could not be read."""
        return None if self.nodes is None else sum(node.is_ready for node in self.nodes)


@dataclasses.dataclass(frozen=True, slots=True)
class Repair:
    """A repair of drift: when it ended, and the differences that it removed."""

    time: datetime.datetime
    what: str


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """A condition, as in Kubernetes.

    Attributes:
        type: The aspect, e.g. ``Available``.
        status: ``True``, ``False`` or ``Unknown``.
        reason: One CamelCase word.
        message: The explanation, with values.
    """

    type: str
    status: str
    reason: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a controller remembers of a resource: its last report.

    Attributes:
        failure: The last error; None once something succeeded.
        failed_generation: The generation that it is about.
        failed_deletion: Whether it is about the deletion, which has the generation of the last spec.
        attempt: The number of failed attempts in a row.
        next_try: When the next attempt is due; None without a failure.
        repairs: The repairs of the last hour, oldest first.
        conditions: The last conditions by type.
        probe_failed: Since when the cloud or Kubernetes cannot be read; None if they can.
        was_ready: Whether it was ready at its current generation.
        revision: The number of the pool that is in use: each replacement makes another one.
        rolling: The number of nodes to reach during a replacement by the pool of the next revision; None without one.
        scaling: The history of the autoscaler; None without one.
        observed: The last observed generation; 0 for none.
        superseded: The first and the last of the generations before it that no run has observed, because more changes followed.
    """

    failure: failures.Failure | None = None
    failed_generation: int = 0
    failed_deletion: bool = False
    attempt: int = 0
    next_try: datetime.datetime | None = None
    repairs: tuple[Repair, ...] = ()
    conditions: tuple[Condition, ...] = ()
    probe_failed: datetime.datetime | None = None
    was_ready: bool = False
    revision: int = 1
    rolling: int | None = None
    scaling: autoscaling.History | None = None
    observed: int = 0
    superseded: tuple[int, int] | None = None

    @property
    def by_type(self) -> Mapping[str, Condition]:
        """The last conditions by type."""
        return {condition.type: condition for condition in self.conditions}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, what to report, and when to look again.

    Attributes:
        action: What to do now.
        revision: The revision of the pool that the action is about.
        count: The number of nodes that the action sets, instead of the desired one; None for that.
        nodes: The nodes that the action is about; those that an update removes.
        cause: Why it acts.
        why: The reason for the action, for people; empty for nothing.
        conditions: The conditions to report before the action.
        failure: The error to report; None if there is none.
        next_look: When to look again if nothing changes; None if nothing is due.
        memory: What to remember.
        scaling: The decision of the autoscaler; None if it does not scale the resource.
    """

    action: Action
    revision: int = 1
    count: int | None = None
    nodes: tuple[str, ...] = ()
    cause: causes.Cause = causes.Cause.SPEC_CHANGE
    why: str = ""
    conditions: tuple[Condition, ...] = ()
    failure: failures.Failure | None = None
    next_look: datetime.timedelta | None = None
    memory: Memory = dataclasses.field(default_factory=Memory)
    scaling: autoscaling.Decision | None = None
