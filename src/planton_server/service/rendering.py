"""Message → JSON in the form of the contract: names by ``json_name``, int64 as numbers, times in UTC with six digits of the second.

These fields of a message are written:

* in a spec (a message whose name ends in ``Spec``, and everything below it): the fields that are set, so users read what they wrote;
* elsewhere: every field without presence, so readers find ``[]``, ``0``, ``false`` and ``""``. The fields of ``ABSENT_WHEN_EMPTY`` are
  exceptions: the contract documents them as absent;
* fields with presence (messages, ``optional``): if they are set;
* free data (``google.protobuf.Struct``): as it is, its keys in order, integers without a fraction.

The decoder of requests reads the result. Rules are not checked here.
"""

from __future__ import annotations

import functools
import json
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from planton_server.service import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf import descriptor, message, struct_pb2

_PACKAGES: Final = "org.project_planton"
#: Fields without presence that answers omit if they are empty.
ABSENT_WHEN_EMPTY: Final = frozenset(
    {
        f"{_PACKAGES}.cluster.v1.Cluster.target_project_id",
        f"{_PACKAGES}.cluster.v1.NewCluster.target_project_id",
        f"{_PACKAGES}.cluster.v1.ClusterUpdate.target_project_id",
        f"{_PACKAGES}.cluster.v1.ClusterUpdate.name",
        f"{_PACKAGES}.cluster.v1.ClusterUpdate.resource_version",
        f"{_PACKAGES}.cluster.v1.ListClusterEventsResponse.next_page_token",
        f"{_PACKAGES}.cluster.v1.ListClustersResponse.next_page_token",
        f"{_PACKAGES}.cluster.v1.Status.provider_name",
        f"{_PACKAGES}.nodepool.v1.NewNodePool.cluster_id",
        f"{_PACKAGES}.nodepool.v1.NodePoolUpdate.name",
        f"{_PACKAGES}.nodepool.v1.NodePoolUpdate.cluster_id",
        f"{_PACKAGES}.nodepool.v1.NodePoolUpdate.resource_version",
        f"{_PACKAGES}.nodepool.v1.ListNodePoolEventsResponse.next_page_token",
        f"{_PACKAGES}.nodepool.v1.ListNodePoolsResponse.next_page_token",
        f"{_PACKAGES}.work.v1.ListWorkResponse.next_page_token",
    }
)
_ABSENT: Final = object()
_EXACT: Final = 2.0**53
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class _Plan(NamedTuple):
    """How a type of message is written.

    Attributes:
        blank: The JSON data of an empty message, in the order of the fields.
        lists: The keys of lists and maps in ``blank``. Each message gets its own.
        gaps: The keys in ``blank`` that are removed if nothing is set.
        parts: Number of a field → its key, and the function that converts its value; None if it needs no conversion.
    """

    blank: dict[str, Any]
    lists: tuple[tuple[str, type], ...]
    gaps: tuple[str, ...]
    parts: dict[int, tuple[str, Callable[[Any], Any] | None]]


def to_json(value: message.Message) -> str:
    """Returns a message as JSON without spaces."""
    return _ENCODER.encode(to_data(value))


def to_data(value: message.Message) -> dict[str, Any]:
    """Returns a message as new JSON data."""
    described = value.DESCRIPTOR
    data: dict[str, Any] = _converter(described, sparse=is_spec(described))(value)
    return data


def is_spec(described: Any) -> bool:  # a message's descriptor; the stubs have two of them, here and below
    """Returns whether only the set fields of a message are written."""
    return str(described.name).endswith("Spec")


def is_always_written(field: descriptor.FieldDescriptor, *, sparse: bool) -> bool:
    """Returns whether a field is written even if it is not set. ``sparse``: the field is in a spec."""
    return not (sparse or field.has_presence or field.full_name in ABSENT_WHEN_EMPTY)


@functools.cache
def _converter(described: descriptor.Descriptor, *, sparse: bool) -> Callable[[Any], Any]:
    special = _SPECIAL.get(described.full_name)
    return special or functools.partial(_write, _plan(described, sparse=sparse))


def _write(plan: _Plan, value: message.Message) -> dict[str, Any]:
    data = plan.blank.copy()
    for key, kind in plan.lists:
        data[key] = kind()
    parts = plan.parts
    for field, content in value.ListFields():
        key, convert = parts[field.number]
        data[key] = content if convert is None else convert(content)
    for key in plan.gaps:
        if data[key] is _ABSENT:
            del data[key]
    return data


@functools.cache
def _plan(described: descriptor.Descriptor, *, sparse: bool) -> _Plan:
    blank: dict[str, Any] = {}
    lists: list[tuple[str, type]] = []
    parts = {}
    for field in described.fields:
        key = field.json_name
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        blank[key] = _ABSENT
        if is_always_written(field, sparse=sparse):
            blank[key] = None if field.is_repeated else field.default_value
            if field.is_repeated:
                lists.append((key, dict if is_map else list))
        parts[field.number] = (key, _sorted if is_map else _part(field, sparse=sparse))
    gaps = tuple(key for key, content in blank.items() if content is _ABSENT)
    return _Plan(blank, tuple(lists), gaps, parts)


def _part(field: descriptor.FieldDescriptor, *, sparse: bool) -> Callable[[Any], Any] | None:
    if field.message_type is None:
        return list if field.is_repeated else None
    below = field.message_type
    convert = functools.partial(_later, below, sparse=sparse or is_spec(below))
    return functools.partial(_write_list, convert) if field.is_repeated else convert


def _later(described: descriptor.Descriptor, value: Any, *, sparse: bool) -> Any:
    return _converter(described, sparse=sparse)(value)


def _write_list(convert: Callable[[Any], Any], values: Any) -> list[Any]:  # a repeated field
    return [convert(value) for value in values]


def _sorted(values: Any) -> dict[str, Any]:  # a map, whose order differs between processes
    return dict(sorted(values.items()))


def _struct(value: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _value(item) for key, item in sorted(value.fields.items())}


def _list(value: struct_pb2.ListValue) -> list[Any]:
    return [_value(item) for item in value.values]


def _value(value: struct_pb2.Value) -> Any:  # JSON data
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        return _number(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _struct(value.struct_value)
    return _list(value.list_value) if kind == "list_value" else None


def _number(value: float) -> float:
    """Returns a number as an integer if it is one, and if floats are exact there. Negative zero stays a float."""
    is_whole = -_EXACT < value < _EXACT and value.is_integer() and (value != 0 or math.copysign(1, value) > 0)
    return int(value) if is_whole else value


_SPECIAL: Final[dict[str, Callable[[Any], Any]]] = {
    "google.protobuf.Duration": timestamps.render_duration,
    "google.protobuf.Timestamp": timestamps.render,
    "google.protobuf.Struct": _struct,
    "google.protobuf.ListValue": _list,
    "google.protobuf.Value": _value,
}
