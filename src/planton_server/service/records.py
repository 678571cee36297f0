"""Answers: what the service says, as rows; and how a row is said in JSON and as a message.

The status is computed and the spec is text already when a row is written, so a page of fifty costs a REST server the joining of
texts; a test holds the text to the message.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from planton_server.store import events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton_server.service.kinds import Kind

_TEXT: Final = json.encoder.encode_basestring
#: AKS allows twelve characters in a pool's name, the first a letter.
_AKS_CHARACTERS: Final = 11
_UNLISTED: Final = '"userData"'


class Resource(NamedTuple):
    """A cluster or a node pool."""

    kind: Kind
    row: Mapping[str, Any]

    @property
    def etag(self) -> str:
        """Returns the version as an entity tag (RFC 9110, section 8.8.3)."""
        return f'"{self.row["resource_version"]}"'


class Page(NamedTuple):
    """A page of a list."""

    kind: Kind
    rows: Sequence[Mapping[str, Any]]
    total: int
    limit: int
    offset: int
    next_page_token: str


class Statuses(NamedTuple):
    """A resource's status, and the rows of what each controller reported."""

    kind: Kind
    row: Mapping[str, Any]
    reports: Sequence[Mapping[str, Any]]


class Events(NamedTuple):
    """Rows of events, and where the next ones begin."""

    rows: Sequence[Mapping[str, Any]]
    next_cursor: str


class Nothing(NamedTuple):
    """It is done, and there is nothing to say.

    Attributes:
        row: The resource that it was done to, if any.
    """

    row: Mapping[str, Any] | None = None


Answer = Resource | Page | Statuses | Events | Nothing


def text(answer: Answer) -> str:
    """Returns an answer in JSON; empty for nothing."""
    match answer:
        case Resource(kind, row):
            return _resource(kind, row)
        case Page(kind, rows, total, limit, offset, token):
            items = ",".join(_resource(kind, row, secrets=False) for row in rows)
            last = f',"next_page_token":{_TEXT(token)}' if token else ""
            return f'{{"{kind.plural}":[{items}],"total":{total},"limit":{limit},"offset":{offset}{last}}}'
        case Statuses(kind, row, reports):
            items = ",".join(map(_report, reports))
            return f'{{"{kind.noun}_id":"{row["id"]}","status":{_status(row)},"controller_status":[{items}],"controllers":[{items}]}}'
        case Events(rows, cursor):
            return f'{{"events":[{",".join(map(event, rows))}],"next_cursor":{_TEXT(cursor)}}}'
        case Nothing():
            return ""


def subject(answer: Answer) -> dict[str, Any]:
    """Returns which resource an answer is about, for the log: ``subject``, its id, and ``generation``; empty for lists."""
    match answer:
        case Resource(row=row) | Statuses(row=row) | Nothing(row=row) if row is not None:
            return {"subject": row["id"], "generation": row["generation"]}
        case _:
            return {}


def event(row: Mapping[str, Any]) -> str:
    """Returns an event in JSON."""
    replacement = f',"replacement":{{"required":true,"fields":{row["replacement"]}}}' if row["replacement"] else ""
    return (
        f'{{"id":"{row["id"]}","cursor":"{events.place(row)}","type":"{row["type"]}",'
        f'"resource":{{"kind":"{row["kind"]}","id":"{row["resource_id"]}","cluster_id":"{row["cluster_id"]}","name":"{row["name"]}"}},'
        f'"generation":{row["generation"]},"actor":{_TEXT(row["actor"])},"time":"{row["time"]}"{replacement}}}'
    )


def provider_name(row: Mapping[str, Any]) -> str:
    """Returns the name of a node pool that the cloud's API shows where it cannot be ours; empty elsewhere.

    AKS: a letter and eleven characters from the SHA-256 of the pool's id, so it is stable when the name changes.
    """
    if row["platform"] != "azure" or "cluster_id" not in row.keys():  # noqa: SIM118 - a row of a driver is no dict
        return ""
    digest = hashlib.sha256(row["id"].encode()).digest()
    return "n" + base64.b32encode(digest).decode().lower()[:_AKS_CHARACTERS]


def _resource(kind: Kind, row: Mapping[str, Any], *, secrets: bool = True) -> str:
    spec = row["spec"]
    if not secrets and _UNLISTED in spec:
        spec = _without_secrets(spec)
    cluster = f'"cluster_id":"{row["cluster_id"]}",' if kind.noun == "nodepool" else ""
    deleted = f',"deleted_at":"{row["deleted_at"]}"' if row["deleted_at"] else ""
    project = (
        f',"target_project_id":{_TEXT(row["target_project_id"])}' if kind.noun == "cluster" and row["target_project_id"] else ""
    )
    return (
        f'{{"id":"{row["id"]}",{cluster}"name":"{row["name"]}","generation":{row["generation"]},'
        f'"resource_version":"{row["resource_version"]}","spec":{spec},"status":{_status(row)},"created_at":"{row["created_at"]}",'
        f'"updated_at":"{row["updated_at"]}","created_by":{_TEXT(row["owner"])}{deleted}{project}}}'
    )


def _status(row: Mapping[str, Any]) -> str:
    name = provider_name(row)
    provider = f',"providerName":"{name}"' if name else ""
    return (
        f'{{"phase":"{row["phase"]}","message":{_TEXT(row["message"])},"reason":{_TEXT(row["reason"])},'
        f'"observedGeneration":{row["observed_generation"]},"lastUpdateTime":"{row["status_time"]}",'
        f'"conditions":{row["conditions"]}{provider}}}'
    )


def _report(row: Mapping[str, Any]) -> str:
    error = f',"last_error":{row["last_error"]}' if row["last_error"] else ""
    return (
        f'{{"controller_name":{_TEXT(row["controller_name"])},"observed_generation":{row["observed_generation"]},'
        f'"conditions":{row["conditions"]},"metadata":{row["metadata"]}{error},'
        f'"updated_at":"{row["updated_at"]}","last_updated":"{row["updated_at"]}"}}'
    )


def _without_secrets(spec: str) -> str:
    data = json.loads(spec)
    data["platform"].get("aws", {}).pop("userData", None)
    return json.dumps(data, separators=(",", ":"))
