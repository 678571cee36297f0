"""Checks of gRPC requests: a message can hold values that JSON cannot express, and REST must be able to show everything stored.

Such values are the character NUL, NaN, infinity, and times outside the years 1 to 9999.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import message, unknown_fields

from planton.manifest import decode, json_data, json_values
from planton_server.service import errors

if TYPE_CHECKING:
    from collections.abc import Iterator


#: The seconds of the years 1 and 9999, and the nanoseconds of a second.
_SECONDS: Final = range(-62_135_596_800, 253_402_300_800)
_NANOS: Final = range(1_000_000_000)
_TIMESTAMP: Final = "google.protobuf.Timestamp"
_DURATION: Final = "google.protobuf.Duration"
#: The greatest seconds of a duration in JSON.
_LONGEST: Final = 99_999_999_999
_NESTING: Final = frozenset({"google.protobuf.Struct", "google.protobuf.ListValue"})
_FREE: Final = _NESTING | {"google.protobuf.Value"}


def check(request: message.Message, body: str) -> Iterator[errors.Violation]:
    """Yields the violations of a request that JSON could not have.

    Args:
        request: The request of a method.
        body: The field of the request that holds the body; empty if it has none.
    """
    yield from _unknown(request, "")
    if body:
        yield from violations(getattr(request, body))


def violations(value: message.Message, path: str = "", depth: int = 0) -> Iterator[errors.Violation]:
    """Yields the violations of a message that JSON could not have, with the rule ids of JSON.

    Args:
        value: The message.
        path: The path of the message.
        depth: The depth of the message in free data.
    """
    yield from _unknown(value, path)
    name = value.DESCRIPTOR.full_name
    # Free data is counted once, at its root.
    if name in _FREE and not depth and json_values.is_too_large(value, _parts):
        yield errors.violation(path, "json.too_large", json_values.TOO_LARGE)
        return
    depth += name in _NESTING
    if name == _TIMESTAMP:
        if getattr(value, "seconds", 0) not in _SECONDS or getattr(value, "nanos", 0) not in _NANOS:
            yield errors.violation(path, "json.wrong_type", "must be a time of the years 1 to 9999")
    elif name == _DURATION:
        if not _is_duration(value):
            yield errors.violation(path, "json.wrong_type", "must be a duration in seconds, for example 1.5s")
            # The rules cannot read it.
            value.Clear()
    elif depth > json_values.MAX_DEPTH:
        text = f"must not be nested more than {json_values.MAX_DEPTH} levels deep"
        yield errors.violation(path, "json.too_deep", text)
    else:
        for field, content in value.ListFields():
            where = path if name in _FREE else decode.join(path, field.json_name)
            for place, item in _items(field, content, where):
                yield from _of_item(item, place, depth)


def _is_duration(value: Any) -> bool:  # a Duration
    seconds, nanos = int(value.seconds), int(value.nanos)
    return abs(seconds) <= _LONGEST and abs(nanos) < len(_NANOS) and seconds * nanos >= 0


def _parts(value: Any) -> Iterator[Any]:  # a message of free data
    """Yields the values in free data."""
    name = value.DESCRIPTOR.name
    if name == "Struct":
        yield from value.fields.values()
    elif name == "ListValue":
        yield from value.values
    elif (kind := value.WhichOneof("kind")) in {"struct_value", "list_value"}:
        yield from _parts(getattr(value, kind))


def _unknown(value: message.Message, path: str) -> Iterator[errors.Violation]:
    """Yields the unknown fields, for example of a newer schema. Nothing of a request may be dropped silently."""
    unknown: Any = unknown_fields.UnknownFieldSet(value)  # its stub cannot be iterated over
    for field in unknown:
        yield errors.violation(decode.join(path, str(field.field_number)), "json.unknown_field", "is not a field")


def _of_item(item: Any, path: str, depth: int) -> Iterator[errors.Violation]:  # a value of any type of protobuf
    if isinstance(item, message.Message):
        yield from violations(item, path, depth)
    elif isinstance(item, str) and "\0" in item:
        yield errors.violation(path, "json.text", "must not hold the character NUL")
    elif isinstance(item, float) and not math.isfinite(item):
        yield errors.violation(path, "json.wrong_type", "must be a finite number")


def _items(field: Any, content: Any, path: str) -> Iterator[tuple[str, Any]]:  # a field's descriptor and its value
    if not field.is_repeated:
        yield path, content
        return
    # As in JSON, items beyond the bound are not read.
    bound = json_data.max_items(field)
    read = content if bound is None else itertools.islice(content, bound + 1)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        for key in read:
            place = decode.map_path(path, json_values.shown(key))
            yield place, key
            yield place, content[key]
    else:
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(read))
