"""Limits of size and text for reports, because every read of a resource's status returns all of its reports."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import struct_pb2

from planton_server.service import errors, json_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf import message

#: Controllers that may report one resource.
MOST: Final = 20
#: The maximum size of a report in bytes, in Protobuf's binary form.
LIMIT: Final = 64 * 1024
#: Control characters that texts may contain.
_LINES: Final = frozenset("\n\t")


def check(report: message.Message) -> None:
    """Checks the size of a report, and that its texts contain no control characters.

    Raises:
        ApiError: ``VALIDATION_ERROR``: it is too large, or its texts contain control characters.
    """
    if report.ByteSize() > LIMIT:
        raise errors.bad_field("", "status_report.size", f"must have at most {LIMIT:,} bytes in all")
    broken = [
        errors.FieldViolation(path, "status_report.control_characters", "must have no control characters but tabs and line feeds")
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
        raise errors.conflict(
            f"{kind} is reported by {MOST} controllers already", details="at most so many may report one resource"
        )


def _texts(value: message.Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields the texts of a message with their paths."""
    for field, content in value.ListFields():
        where = json_values.join(path, field.json_name)
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
