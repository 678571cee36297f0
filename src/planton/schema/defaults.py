"""Defaults: the values that the schema gives to fields which a manifest leaves unset (``options.default``).

Only fields with presence have one, so that an unset field differs from a zero. This module reads only the message.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from org.project_planton.shared.options import options_pb2

if TYPE_CHECKING:
    from google.protobuf import descriptor, message


def apply(manifest: message.Message) -> message.Message:
    """Returns a copy of a message with defaults in its unset fields; the message itself if none is unset."""
    if not _types_with_defaults(manifest.DESCRIPTOR) or not _missing(manifest):
        return manifest
    copy = type(manifest)()
    copy.CopyFrom(manifest)
    _set(copy)
    return copy


def _missing(value: message.Message) -> bool:
    return any(not value.HasField(name) for name, _ in of(value.DESCRIPTOR)) or any(_missing(part) for part in _parts(value))


def _set(value: message.Message) -> None:
    for name, default in of(value.DESCRIPTOR):
        if not value.HasField(name):
            setattr(value, name, default)
    for part in _parts(value):
        _set(part)


def _parts(value: message.Message) -> list[message.Message]:
    found: list[message.Message] = []
    for name, how in _ways(value.DESCRIPTOR):
        content: Any = getattr(value, name)
        if how == "one":
            found += [content] if value.HasField(name) else []
        else:
            found += content.values() if how == "map" else content
    return found


@functools.cache
def of(described: descriptor.Descriptor) -> tuple[tuple[str, Any], ...]:
    """Returns the names of a type's fields that have a default, with the values."""
    found = []
    for field in described.fields:
        options = field.GetOptions()
        if field.has_presence and options.HasExtension(options_pb2.default):
            found.append((field.name, _value(field, options.Extensions[options_pb2.default])))
    return tuple(found)


def _value(field: descriptor.FieldDescriptor, text: str) -> Any:  # a value of the field's type
    if field.enum_type is not None:
        return field.enum_type.values_by_name[text].number
    if field.type == field.TYPE_BOOL:
        return text == "true"
    if field.type == field.TYPE_STRING:
        return text
    return float(text) if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT) else int(text)


@functools.cache
def _ways(described: descriptor.Descriptor) -> tuple[tuple[str, str], ...]:
    # The fields on the way to a default, so that messages without any are not walked.
    ways = []
    for field in described.fields:
        part = field.message_type
        if part is None:
            continue
        is_map = part.GetOptions().map_entry
        part = part.fields_by_name["value"].message_type if is_map else part
        if part is not None and _types_with_defaults(part):
            ways.append((field.name, "map" if is_map else "many" if field.is_repeated else "one"))
    return tuple(ways)


@functools.cache
def _types_with_defaults(described: descriptor.Descriptor) -> bool:
    # All types that can be reached, each once: types may contain themselves.
    reached = {described.full_name: described}
    waiting = [described]
    while waiting:
        for field in waiting.pop().fields:
            part = field.message_type
            if part is not None and part.full_name not in reached:
                reached[part.full_name] = part
                waiting.append(part)
    return any(of(part) for part in reached.values())
