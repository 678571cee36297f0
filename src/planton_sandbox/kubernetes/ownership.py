"""Who manages which field: server-side apply, and the managers of other writes."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import errors, fieldsets, resources, schema

Object = dict[str, Any]
APPLY, UPDATE = "Apply", "Update"
MAXIMUM_MANAGERS = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the manager's name, ``Apply`` or ``Update``, the subresource, and the time."""

    manager: str
    operation: str
    subresource: str
    now: float


def track(resource: resources.Resource, before: Object | None, after: Object, writer: Writer) -> Object:
    """Returns ``after`` with the managers of its fields: what differs from ``before`` belongs to the writer."""
    old = fieldsets.values(before, resource.kind) if before else {}
    new = fieldsets.values(after, resource.kind)
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    removed = set(old) - set(new)
    entries = _entries(after, before)
    own = _own(entries, writer)
    owned = (fieldsets.decode(own["fieldsV1"]) if own else set()) | changed
    kept = [entry for entry in (_without(item, changed | removed) for item in entries if item is not own) if entry]
    return _stamped(resource, after, [*kept, *_entry(resource, writer, owned & set(new), own)])


def apply(resource: resources.Resource, live: Object | None, config: Object, writer: Writer, *, force: bool) -> Object:
    """Returns the object after a server-side apply.

    Raises:
        errors.ApiError: 409 when it would change fields of other managers without ``force``.
    """
    desired = fieldsets.values(config, resource.kind)
    if live is None:
        return _stamped(resource, config, _entry(resource, writer, set(desired), None))
    entries = _entries(live, None)
    own = _own(entries, writer)
    others = [entry for entry in entries if entry is not own]
    present = fieldsets.values(live, resource.kind)
    changed = {path for path, value in desired.items() if path not in present or present[path] != value}
    conflicts = [(entry, path) for entry in others for path in sorted(fieldsets.decode(entry["fieldsV1"]) & changed)]
    if conflicts and not force:
        raise _conflict(conflicts)
    kept = [entry for entry in (_without(item, changed) for item in others) if entry]
    top = schema.Field(resource.kind)
    merged = fieldsets.merge(live, {key: value for key, value in config.items() if key != "metadata"}, top)
    merged["metadata"] = _metadata(live, config)
    owned_by_others = {path for entry in kept for path in fieldsets.decode(entry["fieldsV1"])}
    # An item of a list goes before its fields: without its key it could not be found.
    for path in sorted(fieldsets.decode(own["fieldsV1"]) if own else (), key=len):
        if path not in desired and not any(other[: len(path)] == path for other in owned_by_others):
            merged = _remove(merged, path, top)
    return _stamped(resource, merged, [*kept, *_entry(resource, writer, set(desired), own)])


def _remove(item: Object, path: fieldsets.Path, top: schema.Field) -> Object:
    if path[0] != "f:metadata":
        return dict(fieldsets.remove(item, path, top))
    meta = fieldsets.remove(item["metadata"], path[1:], schema.Field("ObjectMeta"))
    return item | {"metadata": meta}


def _metadata(live: Object, config: Object) -> Object:
    merged = fieldsets.merge(live["metadata"], config["metadata"], schema.Field("ObjectMeta"))
    servers = ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")
    return dict(merged) | {name: live["metadata"][name] for name in servers if name in live["metadata"]}


def _entries(item: Object, fallback: Object | None) -> list[Object]:
    entries = item["metadata"].get("managedFields")
    if entries is None and fallback is not None:
        entries = fallback["metadata"].get("managedFields")
    return [entry for entry in entries or [] if isinstance(entry, dict) and "fieldsV1" in entry and "manager" in entry]


def _own(entries: Sequence[Object], writer: Writer) -> Object | None:
    key = (writer.manager, writer.operation, writer.subresource)
    return next((item for item in entries if (item["manager"], item.get("operation"), item.get("subresource", "")) == key), None)


def _without(entry: Object, paths: set[fieldsets.Path]) -> Object | None:
    owned = fieldsets.decode(entry["fieldsV1"])
    remainder = owned - paths
    if remainder == owned:
        return entry
    return entry | {"fieldsV1": fieldsets.encode(remainder)} if remainder else None


def _entry(resource: resources.Resource, writer: Writer, owned: set[fieldsets.Path], old: Object | None) -> list[Object]:
    if not owned:
        return []
    encoded = fieldsets.encode(owned)
    if old is not None and old["fieldsV1"] == encoded:
        return [old]
    entry = {
        "manager": writer.manager,
        "operation": writer.operation,
        "apiVersion": resource.api_version,
        "time": clock.rfc3339(writer.now),
        "fieldsType": "FieldsV1",
        "fieldsV1": encoded,
    }
    return [entry | ({"subresource": writer.subresource} if writer.subresource else {})]


def _stamped(resource: resources.Resource, item: Object, entries: list[Object]) -> Object:
    if len(entries) > MAXIMUM_MANAGERS:
        raise errors.invalid(
            resource, item["metadata"]["name"], [("metadata.managedFields", "FieldValueTooMany", "Too many: managers")]
        )
    meta = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return item | {"metadata": meta | ({"managedFields": entries} if entries else {})}


def _conflict(conflicts: Sequence[tuple[Object, fieldsets.Path]]) -> errors.ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_title(entry)}", "field": fieldsets.text(path)}
        for entry, path in conflicts
    ]
    if len(causes) == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
        return errors.apply_conflict(causes, message)
    lines: dict[str, list[str]] = collections.defaultdict(list)
    for entry, path in conflicts:
        lines[_title(entry)].append(f"- {fieldsets.text(path)}")
    texts = [text for title in sorted(lines) for text in (f"conflicts with {title}:", *lines[title])]
    return errors.apply_conflict(causes, f"Apply failed with {len(causes)} conflicts: " + "\n".join(texts))


def _title(entry: Object) -> str:
    title = f'"{entry["manager"]}"'
    if entry.get("operation") != UPDATE:
        return title
    subresource = f' with subresource "{entry["subresource"]}"' if entry.get("subresource") else ""
    return f"{title}{subresource} using {entry.get('apiVersion', '')}"
