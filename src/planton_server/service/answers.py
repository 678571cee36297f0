"""Answers of the API as typed values, built from rows of the store.

Each class has the fields of one message of the protos. `encoding` writes an answer as JSON for REST and as a message for gRPC, so
both transports show the same.

The classes are named tuples because a page creates one hundred of them, and a frozen dataclass takes four times as long to create.
"""

from __future__ import annotations

import base64
import hashlib
import json
import operator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NewType

from planton_server.service import kinds
from planton_server.store import events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton_server.service.kinds import Kind

#: A JSON text, as the store holds it.
Json = NewType("Json", str)
#: A time in RFC 3339, UTC, with six digits of the second, as the store holds it.
Time = NewType("Time", str)
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
_STATUS_COLUMNS: Final = operator.itemgetter("phase", "message", "reason", "observed_generation", "status_time", "conditions")


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


Resource = Cluster | NodePool
Body = Resource | ClusterPage | NodePoolPage | ClusterStatus | NodePoolStatus | EventPage


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


def of_resource(kind: Kind, row: Mapping[str, Any]) -> Answer:
    """Returns the answer that shows a resource, with its secrets."""
    shown = _cluster(row, secrets=True) if kind is kinds.CLUSTER else _node_pool(row, secrets=True)
    return Answer(shown, row["id"], row["generation"])


def without_body(row: Mapping[str, Any]) -> Answer:
    """Returns the answer without a body to a call that changed a resource."""
    return Answer(None, row["id"], row["generation"])


def of_page(kind: Kind, rows: Sequence[Mapping[str, Any]], **position: Any) -> Answer:
    """Returns the answer that lists resources, without their secrets.

    Args:
        kind: The kind of the resources.
        rows: The rows of this page.
        position: ``total``, ``limit``, ``offset`` and ``next_page_token`` of the page.
    """
    if kind is kinds.CLUSTER:
        return Answer(ClusterPage([_cluster(row, secrets=False) for row in rows], **position))
    return Answer(NodePoolPage([_node_pool(row, secrets=False) for row in rows], **position))


def of_status(kind: Kind, row: Mapping[str, Any], reports: Sequence[Mapping[str, Any]]) -> Answer:
    """Returns the answer that shows the status of a resource and the last report of each controller."""
    controllers = [_report(report) for report in reports]
    body: Body
    if kind is kinds.CLUSTER:
        body = ClusterStatus(row["id"], _status(row, ""), controllers, controllers)
    else:
        body = NodePoolStatus(row["id"], _status(row, provider_name(row)), controllers, controllers)
    return Answer(body, row["id"], row["generation"])


def of_events(rows: Sequence[Mapping[str, Any]], cursor: str) -> Answer:
    """Returns the answer that lists events, with the cursor of the next ones."""
    return Answer(EventPage([_event(row) for row in rows], cursor))


def provider_name(row: Mapping[str, Any]) -> str:
    """Returns the name of a node pool in the cloud if it differs from ours; empty otherwise.

    On AKS it is a letter and eleven characters from the SHA-256 of the pool's id, so it stays when the pool is renamed.
    """
    if row["platform"] != "azure":
        return ""
    digest = hashlib.sha256(row["id"].encode()).digest()
    return "n" + base64.b32encode(digest).decode().lower()[:_AKS_CHARACTERS]


def _cluster(row: Mapping[str, Any], *, secrets: bool) -> Cluster:
    id_, name, generation, version, spec, created_at, updated_at, owner, deleted_at, project = _CLUSTER_COLUMNS(row)
    shown = _spec(spec, secrets=secrets)
    return Cluster(
        id_, name, generation, str(version), shown, _status(row, ""), created_at, updated_at, owner, deleted_at, project
    )  # fmt: skip


def _node_pool(row: Mapping[str, Any], *, secrets: bool) -> NodePool:
    id_, cluster, name, generation, version, spec, created_at, updated_at, owner, deleted_at = _NODE_POOL_COLUMNS(row)
    shown, status = _spec(spec, secrets=secrets), _status(row, provider_name(row))
    return NodePool(id_, cluster, name, generation, str(version), shown, status, created_at, updated_at, owner, deleted_at)


def _status(row: Mapping[str, Any], name: str) -> Status:
    phase, message, reason, generation, time, conditions = _STATUS_COLUMNS(row)
    return Status(phase, message, reason, generation, time, conditions, name)


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


def _spec(spec: Json, *, secrets: bool) -> Json:
    # The test of the text spares the others the parsing.
    if secrets or _USER_DATA not in spec:
        return spec
    data = json.loads(spec)
    data["platform"].get("aws", {}).pop("userData", None)
    return Json(json.dumps(data, separators=(",", ":")))
