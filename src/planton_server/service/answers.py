"""Answers of the API, built from rows of the store: their typed body, and what the log says about them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import operator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from planton_server.service import bodies, kinds, timestamps
from planton_server.store import events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton_server.service.acceptance import Acceptance
    from planton_server.service.kinds import Kind

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


class Answer(NamedTuple):
    """An answer of a method.

    Attributes:
        body: The content; None if a success has none.
        subject: The id of the resource, for the log; empty for lists.
        generation: The generation of the resource, for the log.
    """

    body: bodies.Body | None = None
    subject: str = ""
    generation: int = 0

    @property
    def facts(self) -> dict[str, str | int]:
        """``subject`` and ``generation`` for the log; empty for lists."""
        return {"subject": self.subject, "generation": self.generation} if self.subject else {}


def etag(resource: bodies.Resource) -> str:
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
        return Answer(bodies.ClusterPage([_cluster(row, acceptance, secrets=False) for row in rows], **position))
    return Answer(bodies.NodePoolPage([_node_pool(row, acceptance, secrets=False) for row in rows], **position))


def of_status(kind: Kind, row: Mapping[str, Any], reports: Sequence[Mapping[str, Any]], acceptance: Acceptance) -> Answer:
    """Returns the answer that shows the status of a resource and the last report of each controller."""
    controllers = [_report(report) for report in reports]
    body: bodies.Body
    if kind is kinds.CLUSTER:
        body = bodies.ClusterStatus(row["id"], _status(row, "", acceptance), controllers, controllers)
    else:
        body = bodies.NodePoolStatus(row["id"], _status(row, provider_name(row), acceptance), controllers, controllers)
    return Answer(body, row["id"], row["generation"])


def of_events(rows: Sequence[Mapping[str, Any]], cursor: str) -> Answer:
    """Returns the answer that lists events, with the cursor of the next ones."""
    return Answer(bodies.EventPage([_event(row) for row in rows], cursor))


def of_audit_event(row: Mapping[str, Any]) -> Answer:
    """Returns the answer that shows an action of a controller."""
    return Answer(_audit_event(row), row["resource_id"], row["generation"])


def of_audit(rows: Sequence[Mapping[str, Any]], token: str) -> Answer:
    """Returns the answer that lists actions of controllers, with the token of the next page."""
    return Answer(bodies.AuditPage([_audit_event(row) for row in rows], token))


def of_credential(row: Mapping[str, Any]) -> Answer:
    """Returns the answer that shows a credential, without its value."""
    return Answer(_credential(row))


def of_credentials(rows: Sequence[Mapping[str, Any]]) -> Answer:
    """Returns the answer that lists credentials, without their values."""
    return Answer(bodies.Credentials([_credential(row) for row in rows]))


def of_cluster_credential(platform: str, name: str, fields: Mapping[str, str]) -> Answer:
    """Returns the answer with the value of a credential, for a controller."""
    return Answer(bodies.ClusterCredential(platform, name, [bodies.CredentialField(*each) for each in sorted(fields.items())]))


def of_claim(rows: Sequence[Mapping[str, Any]], accepted: Sequence[tuple[str, bool]], lease: int) -> Answer:
    """Returns the answer to a claim. ``lease`` is in milliseconds."""
    items = [_claimed(row) for row in rows]
    return Answer(bodies.Claimed(items, _results(accepted), _duration(lease)))


def of_held(rows: Sequence[Mapping[str, Any]], lease: int) -> Answer:
    """Returns the answer that lists the work of a process. ``lease`` is in milliseconds."""
    return Answer(bodies.Held([bodies.HeldWork(row["id"], row["epoch"], bool(row["touched"])) for row in rows], _duration(lease)))


def of_finished(accepted: Sequence[tuple[str, bool]]) -> Answer:
    """Returns the answer to results: whether each was accepted."""
    return Answer(bodies.FinishedWork(_results(accepted)))


def of_work(row: Mapping[str, Any]) -> Answer:
    """Returns the answer that shows the work of a resource."""
    return Answer(_work(row), row["id"], row["generation"])


def of_work_page(rows: Sequence[Mapping[str, Any]], token: str) -> Answer:
    """Returns the answer that lists work, with the token of the next page."""
    return Answer(bodies.WorkPage([_work(row) for row in rows], token))


def of_processes(rows: Sequence[Mapping[str, Any]]) -> Answer:
    """Returns the answer that lists processes."""
    return Answer(
        bodies.Processes(
            [
                bodies.Process(
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


def _cluster(row: Mapping[str, Any], acceptance: Acceptance, *, secrets: bool) -> bodies.Cluster:
    id_, name, generation, version, spec, created_at, updated_at, owner, deleted_at, project = _CLUSTER_COLUMNS(row)
    shown, status = _spec(spec, secrets=secrets), _status(row, "", acceptance)
    return bodies.Cluster(
        id_, name, generation, str(version), shown, status, created_at, updated_at, owner, deleted_at, project
    )  # fmt: skip


def _node_pool(row: Mapping[str, Any], acceptance: Acceptance, *, secrets: bool) -> bodies.NodePool:
    id_, cluster, name, generation, version, spec, created_at, updated_at, owner, deleted_at = _NODE_POOL_COLUMNS(row)
    shown, status = _spec(spec, secrets=secrets), _status(row, provider_name(row), acceptance)
    return bodies.NodePool(id_, cluster, name, generation, str(version), shown, status, created_at, updated_at, owner, deleted_at)


def _status(row: Mapping[str, Any], name: str, acceptance: Acceptance) -> bodies.Status:
    phase, message, reason, generation, time = _STATUS_COLUMNS(row)
    return bodies.Status(phase, message, reason, generation, time, bodies.Json(acceptance.conditions(row)), name)


def _report(row: Mapping[str, Any]) -> bodies.ControllerStatus:
    return bodies.ControllerStatus(
        row["controller_name"],
        row["observed_generation"],
        row["conditions"],
        row["metadata"],
        row["last_error"],
        row["updated_at"],
        row["updated_at"],
    )


def _claimed(row: Mapping[str, Any]) -> bodies.Work:
    identifier, kind, cluster, platform, account, generation, attempt, epoch = _WORK_COLUMNS(row)
    due, deleting = _moment(row["due"]), bool(row["deleting"])
    done, traceparent = row["done_generation"], row["traceparent"] or ""
    return bodies.Work(identifier, kind, cluster, platform, account, generation, attempt, epoch, due, deleting, done, traceparent)


def _work(row: Mapping[str, Any]) -> bodies.WorkItem:
    identifier, kind, name, cluster, platform, account = _ITEM_COLUMNS(row)
    is_dead = row["dead_at"] is not None
    # The time of waiting work is that at which it began to wait for further changes.
    since = row["dead_at"] if is_dead else row["since"] if row["process"] else None
    return bodies.WorkItem(
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
        bodies.WorkError(row["error_code"], row["error_message"]) if row["error_code"] else None,
    )


def _results(accepted: Sequence[tuple[str, bool]]) -> list[bodies.AcceptedResult]:
    return [bodies.AcceptedResult(*one) for one in accepted]


def _moment(milliseconds: int) -> bodies.Time:
    return bodies.Time(timestamps.text(datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)))


def _duration(milliseconds: int) -> bodies.Duration:
    return bodies.Duration(f"{milliseconds / 1000:.9g}s")


def _event(row: Mapping[str, Any]) -> bodies.Event:
    return bodies.Event(
        row["id"],
        str(events.place(row)),
        row["type"],
        bodies.EventResource(row["kind"], row["resource_id"], row["cluster_id"], row["name"]),
        row["generation"],
        row["actor"],
        row["time"],
        bodies.Replacement(required=True, fields=row["replacement"]) if row["replacement"] else None,
    )


def _credential(row: Mapping[str, Any]) -> bodies.Credential:
    return bodies.Credential(*(row[name] for name in bodies.Credential._fields))


def _audit_event(row: Mapping[str, Any]) -> bodies.AuditEvent:
    return bodies.AuditEvent(*(row[name] for name in bodies.AuditEvent._fields))


def _spec(spec: bodies.Json, *, secrets: bool) -> bodies.Json:
    # The test of the text spares the others the parsing.
    if secrets or _USER_DATA not in spec:
        return spec
    data = json.loads(spec)
    data["platform"].get("aws", {}).pop("userData", None)
    return bodies.Json(json.dumps(data, separators=(",", ":")))
