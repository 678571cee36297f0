"""Decodes the bodies that typed Go clients send as Protobuf, for the kinds that they create themselves.

Helm stores its releases this way. Answers are always JSON, which these clients accept, too.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import errors

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
Object = dict[str, Any]
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """A field: its name, and its type: a scalar, a message, ``[TYPE]`` for many or ``{TYPE}`` for a map."""

    name: str
    type: str = "string"


def _fields(**numbered: str) -> dict[int, _Field]:
    """Returns fields from ``name="NUMBER"`` or ``name="NUMBER TYPE"``."""
    return {int(text.split()[0]): _Field(name, text.partition(" ")[2] or "string") for name, text in numbered.items()}


_MESSAGES: Mapping[str, Mapping[int, _Field]] = {
    "ObjectMeta": _fields(
        name="1",
        generateName="2",
        namespace="3",
        uid="5",
        resourceVersion="6",
        generation="7 int",
        creationTimestamp="8 time",
        labels="11 {string}",
        annotations="12 {string}",
        ownerReferences="13 [OwnerReference]",
        finalizers="14 [string]",
    ),
    "OwnerReference": _fields(kind="1", name="3", uid="4", apiVersion="5", controller="6 bool", blockOwnerDeletion="7 bool"),
    "Secret": _fields(metadata="1 ObjectMeta", data="2 {bytes}", type="3", stringData="4 {string}", immutable="5 bool"),
    "ConfigMap": _fields(metadata="1 ObjectMeta", data="2 {string}", binaryData="3 {bytes}", immutable="4 bool"),
    "Namespace": _fields(metadata="1 ObjectMeta"),
    "Lease": _fields(metadata="1 ObjectMeta", spec="2 LeaseSpec"),
    "LeaseSpec": _fields(
        holderIdentity="1", leaseDurationSeconds="2 int", acquireTime="3 time", renewTime="4 time", leaseTransitions="5 int"
    ),
    "Eviction": _fields(metadata="1 ObjectMeta", deleteOptions="2 DeleteOptions"),
    "DeleteOptions": _fields(
        gracePeriodSeconds="1 int",
        preconditions="2 Preconditions",
        orphanDependents="3 bool",
        propagationPolicy="4",
        dryRun="5 [string]",
    ),
    "Preconditions": _fields(uid="1", resourceVersion="2"),
}


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
        if kind not in _MESSAGES:
            raise errors.unsupported_media(MEDIA_TYPE, ("application/json", "application/yaml"))
        item = _message(kind, _bytes(envelope.get(2, b"")))
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise errors.bad_request(f"error decoding the body: {error}") from error
    return {"apiVersion": api_version, "kind": kind} | item


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
        field = _MESSAGES[name].get(number)
        if field is None:
            continue
        if field.type.startswith("["):
            item.setdefault(field.name, []).append(_scalar(field.type[1:-1], value))
        elif field.type.startswith("{"):
            entry = dict(_wire(_bytes(value)))
            key = bytes(_bytes(entry.get(1, b""))).decode()
            item.setdefault(field.name, {})[key] = _scalar(field.type[1:-1], entry.get(2, b""))
        else:
            item[field.name] = _scalar(field.type, value)
    # Go sends empty texts for unset ones.
    return {key: value for key, value in item.items() if value not in ("", None)}


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("int", "bool"):
        number = int(value)
        return bool(number) if kind == "bool" else number - (1 << 64 if number >= 1 << 63 else 0)
    if kind == "bytes":
        return base64.b64encode(_bytes(value)).decode()
    if kind == "string":
        return bytes(_bytes(value)).decode()
    if kind == "time":
        parts = dict(_wire(_bytes(value)))
        return clock.rfc3339(parts[1]) if parts.get(1) else None
    return _message(kind, _bytes(value))
