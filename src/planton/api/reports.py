"""How much controllers may report of a resource, and of what texts: all who may see it read all of it, with each look at its status."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import struct_pb2

from planton.api import errors, json_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf import message

#: Controllers that may report one resource.
MOST: Final = 20
#: Bytes that a report may have, in Protobuf's binary form.
LIMIT: Final = 64 * 1024
#: Control characters that texts of several lines have.
_LINES: Final = frozenset("\n\t")


def check(report: message.Message) -> None:
    """Makes sure that a report is as small as one may be, and that its texts have no control characters.

    Raises:
        ApiError: It is too large, or has some (VALIDATION_ERROR).
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
    """Makes sure that a resource can have another report.

    Args:
        kind: What the resource is, for the caller.
        stored: Name → report of the controllers that have reported it.
        name: Of the controller that reports it now.

    Raises:
        ApiError: As many others as may report it do so (CONFLICT).
    """
    if name not in stored and len(stored) >= MOST:
        raise errors.conflict(
            f"{kind} is reported by {MOST} controllers already", details="at most so many may report one resource"
        )


def _texts(value: message.Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields the texts of a message, with where they stand."""
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
    """Yields the texts of free data, keys included, which may be as deep as a decoder lets it be."""
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
