"""Converts the sandbox's records to JSON and back.

One generic codec keeps the state file in step with the records. It knows no particular record. It ignores unknown fields, so an
older state file can still be opened.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")
_SCALARS = frozenset({str, int, float, bool, type(None)})


def encode(record: object) -> Any:
    """Returns ``record`` as plain dictionaries, lists and scalars."""
    kind = type(record)
    # Most values are scalars, and a large world has very many.
    if kind in _SCALARS:
        return record
    if dataclasses.is_dataclass(kind):
        return {name: encode(getattr(record, name)) for name in _names(kind)}
    if isinstance(record, dict):
        return {key: encode(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [encode(value) for value in record]
    return record


@functools.cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def decode(cls: type[T], data: object) -> T:
    """Returns a record of type ``cls`` from the output of `encode`.

    An absent field gets its default; unknown keys are ignored.

    Raises:
        TypeError: when a field without a default is absent.
    """
    return typing.cast("T", _decode(cls, data))


def _decode(kind: Any, data: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if data is None else _decode(inner, data)
    if origin is list:
        return [_decode(arguments[0], item) for item in data]
    if origin is dict:
        return {key: _decode(arguments[1], value) for key, value in data.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        names = {field.name for field in dataclasses.fields(kind)}
        return kind(**{key: _decode(hints[key], value) for key, value in data.items() if key in names})
    return data
