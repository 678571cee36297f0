"""Decodes the bodies that typed Go clients send as Protobuf, such as those of ``kubectl create`` and Helm's releases.

``types/protobuf.numbers`` lists the fields that are read. A body with another field is refused, so that nothing is lost in
silence. Answers are always JSON, which these clients accept, too.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import errors

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
Object = dict[str, Any]
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_IGNORED = "-"
_FILE = pathlib.Path(__file__).parent / "types" / "protobuf.numbers"


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """A field: its name, and its type: a scalar, a message, ``[TYPE]`` for many or ``{TYPE}`` for a map."""

    name: str
    type: str


@functools.cache
def _messages() -> Mapping[str, Mapping[int, _Field]]:
    """Returns the fields of the messages by number, from lines such as ``Secret: 1=metadata:ObjectMeta 3=type``."""
    text = re.sub(r"\n[ \t]+", " ", _FILE.read_text(encoding="utf-8"))
    messages = {}
    for line in filter(str.strip, text.splitlines()):
        name, _, rest = line.partition(":")
        fields = {}
        for token in rest.split():
            number, _, field = token.partition("=")
            fields[int(number)] = _Field(field.partition(":")[0], field.partition(":")[2] or "string")
        messages[name] = fields
    return messages


def decode(text: bytes) -> Object:
    """Returns the object of a body.

    Raises:
        errors.ApiError: when it is malformed, or of a kind that only JSON is read of.
    """
    if not text.startswith(_MAGIC):
        raise errors.bad_request("the body of the request is no Protobuf of Kubernetes")
    try:
        envelope = dict(_wire(memoryview(text)[len(_MAGIC) :]))
        meta = dict(_wire(_bytes(envelope.get(1, b""))))
        api_version, kind = (bytes(_bytes(meta.get(key, b""))).decode() for key in (1, 2))
        if kind not in _messages():
            raise _unread(kind)
        item = _message(kind, _bytes(envelope.get(2, b"")))
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise errors.bad_request(f"error decoding the body: {error}") from error
    return {"apiVersion": api_version, "kind": kind} | item


def _unread(what: str) -> errors.ApiError:
    message = f"{what} is not read in Protobuf, only in application/json and application/yaml"
    return errors.ApiError(415, "UnsupportedMediaType", message)


def _wire(view: memoryview) -> Iterator[tuple[int, Any]]:
    """Yields field numbers and values of a message: numbers, or the bytes of strings and messages."""
    place = 0
    while place < len(view):
        tag, place = _varint(view, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = _varint(view, place)
            yield number, value
            continue
        if kind == _BYTES:
            length, place = _varint(view, place)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            message = f"unknown wire type {kind}"
            raise ValueError(message)
        if place + length > len(view):
            message = "a field is longer than the body"
            raise ValueError(message)
        yield number, view[place : place + length]
        place += length


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for index in range(_LONGEST_VARINT):
        byte = view[place + index]
        value |= (byte & 127) << (7 * index)
        if byte < 128:  # noqa: PLR2004 - the bit that continues a number
            return value, place + index + 1
    message = "a number is too long"
    raise ValueError(message)


def _bytes(value: Any) -> memoryview:
    if isinstance(value, int):
        message = "a field is a number instead of bytes"
        raise TypeError(message)
    return memoryview(value)


def _message(name: str, view: memoryview) -> Object:
    item: Object = {}
    for number, value in _wire(view):
        field = _messages()[name].get(number)
        if field is None or field.name == _IGNORED:
            # Go sends empty values for unset ones.
            if field is None and value not in (0, b""):
                raise _unread(f"field {number} of {name}")
            continue
        if field.type.startswith("["):
            item.setdefault(field.name, []).append(_scalar(field.type[1:-1], value))
        elif field.type.startswith("{"):
            entry = dict(_wire(_bytes(value)))
            key = bytes(_bytes(entry.get(1, b""))).decode()
            item.setdefault(field.name, {})[key] = _scalar(field.type[1:-1], entry.get(2, b""))
        else:
            item[field.name] = _scalar(field.type, value)
    return {key: value for key, value in item.items() if value not in ("", None)}


def _scalar(kind: str, value: Any) -> Any:
    read = _SCALARS.get(kind)
    return _message(kind, _bytes(value)) if read is None else read(value)


def _int(value: Any) -> int:
    number = int(value)
    return number - (1 << 64 if number >= 1 << 63 else 0)


def _string(value: Any) -> str:
    return bytes(_bytes(value)).decode()


def _intstr(value: Any) -> int | str:
    parts = dict(_wire(_bytes(value)))
    return _string(parts.get(3, b"")) if parts.get(1) else _int(parts.get(2, 0))


def _time(value: Any) -> str | None:
    parts = dict(_wire(_bytes(value)))
    return clock.rfc3339(parts[1]) if parts.get(1) else None


_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "int": _int,
    "bool": bool,
    "bytes": lambda value: base64.b64encode(_bytes(value)).decode(),
    "string": _string,
    "intstr": _intstr,
    "quantity": lambda value: _string(dict(_wire(_bytes(value))).get(1, b"")),
    "time": _time,
}
