"""The method with which a controller reports the status of a resource.

Reports have limits of size and number, because every read of a status returns all reports of the resource.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import struct_pb2

from planton.manifest import decode
from planton_server.service import answers, deletion, errors, kinds, reporters, rows, status
from planton_server.store import resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from google.protobuf import message

    from planton_server.service.call import Call
    from planton_server.store import database

#: Controllers that may report one resource.
MOST: Final = 20
#: The maximum size of a report in bytes, in Protobuf's binary form.
LIMIT: Final = 64 * 1024
#: Control characters that texts may contain.
_LINES: Final = frozenset("\n\t")


async def report_status(call: Call) -> answers.Answer:
    """Stores the report of a controller, and computes the status of the resource.

    Raises:
        ApiError: The report is invalid, the caller may not report under this name, or the resource does not exist.
    """
    check(call.request.report, "status_report")
    check_reporter(call, call.request.report.controller_name)
    return await deletion.in_order(lambda cluster_id: _report(call, cluster_id))


async def _report(call: Call, cluster_id: str) -> answers.Answer:
    kind, report = call.kind, call.request.report
    name = report.controller_name
    async with call.store.transaction() as transaction:
        cluster = await deletion.lock_cluster(transaction, cluster_id)
        row = call.visible(kind, await resources.get_for_update(transaction, kind.table, call.request.id))
        if report.observed_generation > row["generation"]:
            raise errors.bad_field(
                "observed_generation",
                "status_report.observed_generation_exists",
                f"observed_generation ({report.observed_generation}) must be at most the generation ({row['generation']})",
            )
        stored = {each["controller_name"]: each for each in await resources.reports(transaction, call.request.id)}
        make_room(kind.name, stored, name)
        stored[name] = rows.report(call, stored.get(name))
        await resources.put_report(transaction, stored[name])
        row = await _observed(call, transaction, row, [status.parsed(each) for each in stored.values()], cluster)
        return answers.of_status(kind, row, [stored[each] for each in sorted(stored)], call.acceptance)


async def _observed(
    call: Call,
    transaction: database.Transaction,
    row: Mapping[str, Any],
    reports: Sequence[status.Report],
    cluster: Mapping[str, Any] | None,
) -> Mapping[str, Any]:
    """Writes the status after a report, or deletes a resource that no controller holds any longer. Returns the row."""
    is_free = row["deleted_at"] and not status.holders(reports, call.expected_controllers(row))
    if is_free and await deletion.release(call, transaction, row, cluster):
        return row
    columns = call.status(row, reports)
    if all(columns[name] == row[name] for name in columns if name != "status_time"):
        return row
    written = {**row, **columns, "updated_at": call.now, "resource_version": row["resource_version"] + 1}
    # The status of a cluster has no event.
    event = rows.event(call, call.kind, written, "status_updated") if call.kind is kinds.NODE_POOL else None
    await resources.update(transaction, call.kind.table, written, event, expected=row["resource_version"])
    return written


def check_reporter(call: Call, name: str) -> None:
    """Checks that a caller may report under the name of a controller.

    Raises:
        ApiError: ``FORBIDDEN``.
    """
    if not reporters.includes(call.caller.reports_as, name):
        own = " or ".join(call.caller.reports_as) or "no controller"
        raise errors.forbidden(f"this caller reports as {own}, not as {name}")


def check(report: message.Message, rule: str) -> None:
    """Checks the size of a report, and that its texts contain no control characters.

    Args:
        report: The report, or another message of a controller.
        rule: The first part of the ids of the rules.

    Raises:
        ApiError: ``VALIDATION_ERROR``: it is too large, or its texts contain control characters.
    """
    if report.ByteSize() > LIMIT:
        raise errors.bad_field("", f"{rule}.size", f"the report ({report.ByteSize():,} bytes) must have at most {LIMIT:,} bytes")
    broken = [
        errors.violation(path, f"{rule}.control_characters", "must contain no control characters except tabs and line feeds")
        for path, text in _texts(report)
        if not text.isprintable() and any(unicodedata.category(one) == "Cc" and one not in _LINES for one in text)
    ]
    if broken:
        raise errors.invalid(broken)


def make_room(kind: str, stored: Mapping[str, Any], name: str) -> None:
    """Checks that another controller may report a resource.

    Args:
        kind: The kind of the resource, for the error message.
        stored: Name → report of the controllers that have reported it.
        name: The controller that reports now.

    Raises:
        ApiError: ``CONFLICT``: the maximum number of other controllers already report it.
    """
    if name not in stored and len(stored) >= MOST:
        raise errors.conflict(f"{kind} is reported by {MOST} controllers already", details="withdraw one of them first")


def _texts(value: message.Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields the texts of a message with their paths."""
    for field, content in value.ListFields():
        where = decode.join(path, field.json_name)
        if isinstance(content, struct_pb2.Struct):
            yield from _free_texts(content, where)
        elif field.is_repeated:
            for index, item in enumerate(content):
                yield from _texts(item, f"{where}[{index}]")
        elif field.message_type is not None:
            yield from _texts(content, where)
        elif isinstance(content, str):
            yield where, content


def _free_texts(data: struct_pb2.Struct, path: str) -> Iterator[tuple[str, str]]:
    """Yields the texts of free-form data, including keys. Iterative, because the data may be deeply nested."""
    waiting: list[Any] = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, struct_pb2.Struct):
            yield from ((path, key) for key in value.fields)
            waiting.extend(value.fields.values())
        elif isinstance(value, struct_pb2.ListValue):
            waiting.extend(value.values)
        elif (kind := value.WhichOneof("kind")) == "string_value":
            yield path, value.string_value
        elif kind in {"struct_value", "list_value"}:
            waiting.append(getattr(value, kind))
