"""Bodies of the API's answers as typed values.

Each class has the fields of one message of the protos. `encoding` writes a body as JSON for REST and as a message for gRPC, so
both transports show the same.

The classes are named tuples because a page creates one hundred of them, and a frozen dataclass takes four times as long to create.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NewType

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A JSON text, as the store holds it.
Json = NewType("Json", str)
#: A time in RFC 3339, UTC, with six digits of the second, as the store holds it.
Time = NewType("Time", str)
#: Seconds in the form of ``google.protobuf.Duration``: ``8s``.
Duration = NewType("Duration", str)


class Status(NamedTuple):
    """The status of a cluster or node pool."""

    phase: str
    message: str
    reason: str
    observed_generation: int
    last_update_time: Time
    conditions: Json
    provider_name: str


class Cluster(NamedTuple):
    """A cluster."""

    id: str
    name: str
    generation: int
    resource_version: str
    spec: Json
    status: Status
    created_at: Time
    updated_at: Time
    created_by: str
    deleted_at: Time | None
    target_project_id: str


class NodePool(NamedTuple):
    """A node pool."""

    id: str
    cluster_id: str
    name: str
    generation: int
    resource_version: str
    spec: Json
    status: Status
    created_at: Time
    updated_at: Time
    created_by: str
    deleted_at: Time | None


class ClusterPage(NamedTuple):
    """A page of a list of clusters."""

    clusters: Sequence[Cluster]
    total: int
    limit: int
    offset: int
    next_page_token: str


class NodePoolPage(NamedTuple):
    """A page of a list of node pools."""

    nodepools: Sequence[NodePool]
    total: int
    limit: int
    offset: int
    next_page_token: str


class ControllerStatus(NamedTuple):
    """The last report of a controller."""

    controller_name: str
    observed_generation: int
    conditions: Json
    metadata: Json
    last_error: Json
    updated_at: Time
    last_updated: Time


class ClusterStatus(NamedTuple):
    """The status of a cluster, with the report of each controller. ``controllers`` repeats ``controller_status``."""

    cluster_id: str
    status: Status
    controller_status: Sequence[ControllerStatus]
    controllers: Sequence[ControllerStatus]


class NodePoolStatus(NamedTuple):
    """The status of a node pool, with the report of each controller. ``controllers`` repeats ``controller_status``."""

    nodepool_id: str
    status: Status
    controller_status: Sequence[ControllerStatus]
    controllers: Sequence[ControllerStatus]


class EventResource(NamedTuple):
    """The resource of an event."""

    kind: str
    id: str
    cluster_id: str
    name: str


class Replacement(NamedTuple):
    """The fields whose change replaces nodes."""

    required: bool
    fields: Json


class Event(NamedTuple):
    """An event."""

    id: str
    cursor: str
    type: str
    resource: EventResource
    generation: int
    actor: str
    time: Time
    replacement: Replacement | None


class EventPage(NamedTuple):
    """Events, and the cursor of the next ones."""

    events: Sequence[Event]
    next_cursor: str


class AuditEvent(NamedTuple):
    """An action of a controller in the cloud."""

    id: str
    created_at: Time
    ended_at: Time | None
    kind: str
    resource_id: str
    cluster_id: str
    name: str
    generation: int
    action: str
    cause: str
    reason: str
    outcome: str
    error: str
    requested_by: str
    controller_name: str
    process: str
    recorded_by: str
    changes: Json


class AuditPage(NamedTuple):
    """A page of the audit of a resource."""

    events: Sequence[AuditEvent]
    next_page_token: str


class Credential(NamedTuple):
    """A credential, without its value."""

    platform: str
    name: str
    fields: Json
    key: str
    created_at: Time
    updated_at: Time


class Credentials(NamedTuple):
    """The credentials of a user."""

    credentials: Sequence[Credential]


class CredentialField(NamedTuple):
    """A field of a credential, with its value."""

    name: str
    value: str


class ClusterCredential(NamedTuple):
    """The credential of a cluster, with its value."""

    platform: str
    name: str
    fields: Sequence[CredentialField]


class WorkError(NamedTuple):
    """The last error of a work."""

    code: str
    message: str


class Work(NamedTuple):
    """Claimed work."""

    id: str
    kind: str
    cluster_id: str
    platform: str
    account: str
    generation: int
    attempt: int
    epoch: int
    due: Time
    deleting: bool
    done_generation: int
    traceparent: str


class HeldWork(NamedTuple):
    """Work that a process holds."""

    id: str
    epoch: int
    superseded: bool


class AcceptedResult(NamedTuple):
    """Whether a result was accepted."""

    id: str
    accepted: bool


class WorkItem(NamedTuple):
    """The work of a resource."""

    id: str
    kind: str
    name: str
    cluster_id: str
    platform: str
    account: str
    state: str
    generation: int
    done_generation: int
    deleting: bool
    process: str
    since: Time | None
    due: Time | None
    attempt: int
    error: WorkError | None


class Process(NamedTuple):
    """A process of controllers."""

    id: str
    version: str
    platforms: Sequence[str]
    started_at: Time
    last_heartbeat: Time
    alive: bool
    running: int


class Claimed(NamedTuple):
    """The answer to a claim."""

    items: Sequence[Work]
    results: Sequence[AcceptedResult]
    lease: Duration


class Held(NamedTuple):
    """The work that a process holds."""

    held: Sequence[HeldWork]
    lease: Duration


class FinishedWork(NamedTuple):
    """Whether results were accepted."""

    results: Sequence[AcceptedResult]


class WorkPage(NamedTuple):
    """A page of work."""

    items: Sequence[WorkItem]
    next_page_token: str


class Processes(NamedTuple):
    """The processes."""

    processes: Sequence[Process]


Resource = Cluster | NodePool
Body = (
    Resource | ClusterPage | NodePoolPage | ClusterStatus | NodePoolStatus | EventPage | AuditEvent | AuditPage
    | Credential | Credentials | ClusterCredential
    | Claimed | Held | FinishedWork | WorkPage | WorkItem | Processes
)  # fmt: skip
