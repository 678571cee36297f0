"""IDs of all CEL rules in the protos: of fields, items, messages, and predefined rules."""

from __future__ import annotations

import functools
import importlib
import pathlib
from typing import TYPE_CHECKING, Any

from buf.validate import validate_pb2

from planton.schema import keywords

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


@functools.cache
def of_expressions() -> frozenset[str]:
    """Returns the IDs of all expressions."""
    ids: set[str] = set()
    for file in _files():
        for extension in file.extensions_by_name.values():
            ids |= {rule.id for rule in extension.GetOptions().Extensions[validate_pb2.predefined].cel}
        for message in file.message_types_by_name.values():
            ids |= set(_of_message(message))
    return frozenset(ids)


def messages() -> Iterator[Any]:
    """Yields the descriptors of all messages."""
    waiting = [message for file in _files() for message in file.message_types_by_name.values()]
    while waiting:
        message = waiting.pop()
        waiting += message.nested_types
        yield message


def _files() -> Iterator[Any]:  # descriptors
    for path in PROTO.rglob("*.proto"):
        name = path.relative_to(PROTO).with_suffix("").as_posix().replace("/", ".")
        yield importlib.import_module(f"{name}_pb2").DESCRIPTOR


def own(message: Any) -> Iterator[str]:  # a descriptor
    """Yields the IDs of the expressions of a message and its fields, without nested messages."""
    yield from (rule.id for rule in message.GetOptions().Extensions[validate_pb2.message].cel)
    for field in message.fields:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        for part in (rules, rules.repeated.items, rules.map.keys, rules.map.values):
            yield from (rule.id for rule, _ in keywords.expressions(part))


def _of_message(message: Any) -> Iterator[str]:  # a descriptor
    yield from own(message)
    for nested in message.nested_types:
        yield from _of_message(nested)
