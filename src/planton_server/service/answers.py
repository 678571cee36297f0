"""Answers of the API as typed values, built from rows of the store.

Each class has the fields of one message of the protos. `encoding` writes an answer as JSON for REST and as a message for gRPC, so
both transports show the same.

The classes are named tuples because a page creates one hundred of them, and a frozen dataclass takes four times as long to create.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import operator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NewType

from planton_server.service import kinds, timestamps
from planton_server.store import events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton_server.service.acceptance import Acceptance
    from planton_server.service.kinds import Kind

#: A JSON text, as the store holds it.
Json = NewType("Json", str)
#: A time in RFC 3339, UTC, with six digits of the second, as the store holds it.
Time = NewType("Time", str)
#: Seconds in the form of ``google.protobuf.Duration``: ``8s``.
Duration = NewType("Duration", str)
#: AKS allows twelve characters in a pool's name. The first must be a letter.
_AKS_CHARACTERS: Final = 11
_USER_DATA: Final = '"userData"'
#: Read the columns of a row in one call, which halves the time that a page of a list takes.
_CLUSTER_COLUMNS: Final = operator.itemgetter(
    "id", "name", "generation", "resource_version", "spec", "created_at", "updated_at", "owner", "deleted_at", "target_project_id"
)
_NODE_POOL_COLUMNS: Final = operator.itemgetter(
    "id", "cluster_id", "name", "generation", "resource_version", "spec", "created_at", "updated_at", "owner", "deleted_at"
)
_STATUS_COLUMNS: Final = operator.itemgetter("phase", "message", "reason", "observed_generation", "status_time")
_WORK_COLUMNS: Final = operator.itemgetter("id", "kind", "cluster_id", "platform", "account", "generation", "attempt", "epoch")
_ITEM_COLUMNS: Final = operator.itemgetter("id", "kind", "name", "cluster_id", "platform", "account")


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


class Answer(NamedTuple):
    """An answer of a method.

    Attributes:
        body: The content; None if a success has none.
        subject: The id of the resource, for the log; empty for lists.
        generation: The generation of the resource, for the log.
    """

    body: Body | None = None
    subject: str = ""
    generation: int = 0

    @property
    def facts(self) -> dict[str, str | int]:
        """``subject`` and ``generation`` for the log; empty for lists."""
        return {"subject": self.subject, "generation": self.generation} if self.subject else {}


def etag(resource: Resource) -> str:
    """Returns the version of a resource as an entity tag (RFC 9110, section 8.8.3)."""
    return f'"{resource.resource_version}"'


def of_resource(kind: Kind, row: Mapping[str, Any], acceptance: Acceptance) -> Answer:
    """Returns the answer that shows a resource, with its secrets."""
    show = _cluster if kind is kinds.CLUSTER else _node_pool
    shown = show(row, acceptance, secrets=True)
    return Answer(shown, row["id"], row["generation"])


def without_body(row: Mapping[str, Any]) -> Answer:
    """Returns the answer without a body to a call that changed a resource."""
    return Answer(None, row["id"], row["generation"])


def of_page(kind: Kind, rows: Sequence[Mapping[str, Any]], acceptance: Acceptance, **position: Any) -> Answer:
    """Returns the answer that lists resources, without their secrets.

    Args:
        kind: The kind of the resources.
        rows: The rows of this page.
        acceptance: Who looks at the resources.
        position: ``total``, ``limit``, ``offset`` and ``next_page_token`` of the page.
    """
    if kind is kinds.CLUSTER:
        return Answer(ClusterPage([_cluster(row, acceptance, secrets=False) for row in rows], **position))
    return Answer(NodePoolPage([_node_pool(row, acceptance, secrets=False) for row in rows], **position))


def of_status(kind: Kind, row: Mapping[str, Any], reports: Sequence[Mapping[str, Any]], acceptance: Acceptance) -> Answer:
    """Returns the answer that shows the status of a resource and the last report of each controller."""
    controllers = [_report(report) for report in reports]
    body: Body
    if kind is kinds.CLUSTER:
        body = ClusterStatus(row["id"], _status(row, "", acceptance), controllers, controllers)
    else:
        body = NodePoolStatus(row["id"], _status(row, provider_name(row), acceptance), controllers, controllers)
    return Answer(body, row["id"], row["generation"])


def of_events(rows: Sequence[Mapping[str, Any]], cursor: str) -> Answer:
    """Returns the answer that lists events, with the cursor of the next ones."""
    return Answer(EventPage([_event(row) for row in rows], cursor))


def of_audit_event(row: Mapping[str, Any]) -> Answer:
    """Returns the answer that shows an action of a controller."""
    return Answer(_audit_event(row), row["resource_id"], row["generation"])


def of_audit(rows: Sequence[Mapping[str, Any]], token: str) -> Answer:
    """Returns the answer that lists actions of controllers, with the token of the next page."""
    return Answer(AuditPage([_audit_event(row) for row in rows], token))


def of_credential(row: Mapping[str, Any]) -> Answer:
    """Returns the answer that shows a credential, without its value."""
    return Answer(_credential(row))


def of_credentials(rows: Sequence[Mapping[str, Any]]) -> Answer:
    """Returns the answer that lists credentials, without their values."""
    return Answer(Credentials([_credential(row) for row in rows]))


def of_cluster_credential(platform: str, name: str, fields: Mapping[str, str]) -> Answer:
    """Returns the answer with the value of a credential, for a controller."""
    return Answer(ClusterCredential(platform, name, [CredentialField(*each) for each in sorted(fields.items())]))


def of_claim(rows: Sequence[Mapping[str, Any]], accepted: Sequence[tuple[str, bool]], lease: int) -> Answer:
    """Returns the answer to a claim. ``lease`` is in milliseconds."""
    items = [_claimed(row) for row in rows]
    return Answer(Claimed(items, _results(accepted), _duration(lease)))


def of_held(rows: Sequence[Mapping[str, Any]], lease: int) -> Answer:
    """Returns the answer that lists the work of a process. ``lease`` is in milliseconds."""
    return Answer(Held([HeldWork(row["id"], row["epoch"], bool(row["touched"])) for row in rows], _duration(lease)))


def of_finished(accepted: Sequence[tuple[str, bool]]) -> Answer:
    """Returns the answer to results: whether each was accepted."""
    return Answer(FinishedWork(_results(accepted)))


def of_work(row: Mapping[str, Any]) -> Answer:
    """Returns the answer that shows the work of a resource."""
    return Answer(_work(row), row["id"], row["generation"])


def of_work_page(rows: Sequence[Mapping[str, Any]], token: str) -> Answer:
    """Returns the answer that lists work, with the token of the next page."""
    return Answer(WorkPage([_work(row) for row in rows], token))


def of_processes(rows: Sequence[Mapping[str, Any]]) -> Answer:
    """Returns the answer that lists processes."""
    return Answer(
        Processes(
            [
                Process(
                    row["id"],
                    row["version"],
                    row["platforms"].split(),
                    _moment(row["started_at"]),
                    _moment(row["beat"]),
                    bool(row["alive"]),
                    row["running"],
                )
                for row in rows
            ]
        )
    )


def provider_name(row: Mapping[str, Any]) -> str:
    """Returns the name of a node pool in the cloud if it differs from ours; empty otherwise.

    On AKS it is a letter and eleven characters from the SHA-256 of the pool's id, so it stays when the pool is renamed.
    """
    if row["platform"] != "azure":
        return ""
    digest = hashlib.sha256(row["id"].encode()).digest()
    return "n" + base64.b32encode(digest).decode().lower()[:_AKS_CHARACTERS]


def _cluster(row: Mapping[str, Any], acceptance: Acceptance, *, secrets: bool) -> Cluster:
    id_, name, generation, version, spec, created_at, updated_at, owner, deleted_at, project = _CLUSTER_COLUMNS(row)
    shown, status = _spec(spec, secrets=secrets), _status(row, "", acceptance)
    return Cluster(
        id_, name, generation, str(version), shown, status, created_at, updated_at, owner, deleted_at, project
    )  # fmt: skip


def _node_pool(row: Mapping[str, Any], acceptance: Acceptance, *, secrets: bool) -> NodePool:
    id_, cluster, name, generation, version, spec, created_at, updated_at, owner, deleted_at = _NODE_POOL_COLUMNS(row)
    shown, status = _spec(spec, secrets=secrets), _status(row, provider_name(row), acceptance)
    return NodePool(id_, cluster, name, generation, str(version), shown, status, created_at, updated_at, owner, deleted_at)


def _status(row: Mapping[str, Any], name: str, acceptance: Acceptance) -> Status:
    phase, message, reason, generation, time = _STATUS_COLUMNS(row)
    return Status(phase, message, reason, generation, time, Json(acceptance.conditions(row)), name)


def _report(row: Mapping[str, Any]) -> ControllerStatus:
    return ControllerStatus(
        row["controller_name"],
        row["observed_generation"],
        row["conditions"],
        row["metadata"],
        row["last_error"],
        row["updated_at"],
        row["updated_at"],
    )


def _claimed(row: Mapping[str, Any]) -> Work:
    identifier, kind, cluster, platform, account, generation, attempt, epoch = _WORK_COLUMNS(row)
    due, deleting = _moment(row["due"]), bool(row["deleting"])
    done, traceparent = row["done_generation"], row["traceparent"] or ""
    return Work(identifier, kind, cluster, platform, account, generation, attempt, epoch, due, deleting, done, traceparent)


def _work(row: Mapping[str, Any]) -> WorkItem:
    identifier, kind, name, cluster, platform, account = _ITEM_COLUMNS(row)
    is_dead = row["dead_at"] is not None
    # The time of waiting work is that at which it began to wait for further changes.
    since = row["dead_at"] if is_dead else row["since"] if row["process"] else None
    return WorkItem(
        identifier,
        kind,
        name,
        cluster,
        platform,
        account,
        "dead" if is_dead else "running" if row["process"] else "waiting",
        row["generation"],
        row["done_generation"],
        bool(row["deleting"]),
        row["process"] or "",
        None if since is None else _moment(since),
        None if is_dead else _moment(row["due"]),
        row["attempt"],
        WorkError(row["error_code"], row["error_message"]) if row["error_code"] else None,
    )


def _results(accepted: Sequence[tuple[str, bool]]) -> list[AcceptedResult]:
    return [AcceptedResult(*one) for one in accepted]


def _moment(milliseconds: int) -> Time:
    return Time(timestamps.text(datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)))


def _duration(milliseconds: int) -> Duration:
    return Duration(f"{milliseconds / 1000:.9g}s")


def _event(row: Mapping[str, Any]) -> Event:
    return Event(
        row["id"],
        str(events.place(row)),
        row["type"],
        EventResource(row["kind"], row["resource_id"], row["cluster_id"], row["name"]),
        row["generation"],
        row["actor"],
        row["time"],
        Replacement(required=True, fields=row["replacement"]) if row["replacement"] else None,
    )


def _credential(row: Mapping[str, Any]) -> Credential:
    return Credential(*(row[name] for name in Credential._fields))


def _audit_event(row: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(*(row[name] for name in AuditEvent._fields))


def _spec(spec: Json, *, secrets: bool) -> Json:
    # The test of the text spares the others the parsing.
    if secrets or _USER_DATA not in spec:
        return spec
    data = json.loads(spec)
    data["platform"].get("aws", {}).pop("userData", None)
    return Json(json.dumps(data, separators=(",", ":")))
