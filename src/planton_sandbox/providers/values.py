"""Conversion between the protocol's structs and plain Python values.

The protocol marks unknown values and secrets with special strings inside ordinary structs. All other modules see ``UNKNOWN`` for
the former and plain values for the latter.
"""

from __future__ import annotations

import datetime as dt
import typing

from google.protobuf import struct_pb2

Json = typing.Any
"""A value as Pulumi sees it: null, bool, number, string, list or map, or ``UNKNOWN`` anywhere inside."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # a marker of the protocol
_UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class _Unknown:
    """The type of ``UNKNOWN``; copies are the same instance."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> _Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, typing.Any]) -> _Unknown:
        return self


UNKNOWN: typing.Final = _Unknown()
"""A value that the cloud will decide."""


class Secret:
    """A value that the engine must keep encrypted; used in answers only."""

    def __init__(self, value: Json) -> None:
        self.value = value


def decode(struct: struct_pb2.Struct) -> dict[str, Json]:
    """Converts a struct to a dict, and unwraps secrets and output values."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def encode(values: typing.Mapping[str, Json]) -> struct_pb2.Struct:
    """Converts a mapping to a struct."""
    return struct_pb2.Struct(fields={key: _encode(value) for key, value in values.items()})


def is_known(value: Json) -> bool:
    """Returns whether no part of the value is ``UNKNOWN``."""
    if isinstance(value, dict):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return value is not UNKNOWN


def is_empty(value: Json) -> bool:
    """Returns whether the value is null, an empty string, list or map."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def without_unknown(value: Json) -> Json:
    """Replaces every ``UNKNOWN`` inside a value by null."""
    if isinstance(value, dict):
        return {key: without_unknown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_unknown(item) for item in value]
    return None if value is UNKNOWN else value


def go_time(text: str | None) -> str:
    """Returns a time in the format of the plugin's language.

    >>> go_time("2026-11-21T05:00:00.25Z")
    '2026-11-21 05:00:00.25 +0000 UTC'
    """
    if not text:
        return "0001-01-01 00:00:00 +0000 UTC"
    moment = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def _decode(value: struct_pb2.Value) -> Json:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        signature = value.struct_value.fields.get(_SIGNATURE)
        if signature is not None:
            inner = value.struct_value.fields.get("value")
            return UNKNOWN if inner is None else _decode(inner)
        return decode(value.struct_value)
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _encode(value: Json) -> struct_pb2.Value:  # noqa: PLR0911  # one return for each type
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=_UNKNOWN_STRING)
    if isinstance(value, Secret):
        wrapped = {_SIGNATURE: _SECRET, "value": value.value}
        return struct_pb2.Value(struct_value=encode(wrapped))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, dict):
        return struct_pb2.Value(struct_value=encode(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
