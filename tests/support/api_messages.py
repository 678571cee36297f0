"""Messages of the API for tests: the bodies of the guide, and arbitrary messages of a type."""

from google.protobuf import duration_pb2, message_factory, struct_pb2, timestamp_pb2
from hypothesis import strategies

from planton.manifest import json_data

CREATE = b"""{
  "name": "worker-pool-1",
  "cluster_id": "550e8400-e29b-41d4-a716-446655440000",
  "spec": {
    "platform": {
      "type": "gcp",
      "gcp": {
        "machineType": "n1-standard-4",
        "diskSize": 100,
        "diskType": "pd-ssd",
        "zones": ["us-central1-a", "us-central1-b"],
        "preemptible": false
      }
    },
    "autoscaling": {
      "enabled": true,
      "minNodes": 1,
      "maxNodes": 10
    },
    "nodeCount": 3
  }
}"""
REPORT = b"""{
  "controller_name": "gcp-nodepool-controller",
  "observed_generation": 2,
  "conditions": [
    {
      "type": "Ready",
      "status": "True",
      "lastTransitionTime": "2025-10-17T10:30:00Z",
      "reason": "NodesReady",
      "message": "All nodes are ready and healthy"
    }
  ],
  "metadata": {
    "platform": "gcp",
    "region": "us-central1",
    "active_nodes": 5,
    "desired_nodes": 5,
    "node_ages": "2h30m,1h45m,1h15m,45m,30m"
  }
}"""
_TEXTS = strategies.text(strategies.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
_NUMBERS = strategies.floats(allow_nan=False, allow_infinity=False) | strategies.integers(-(2**53), 2**53)
#: Arbitrary JSON data.
DATA = strategies.recursive(
    strategies.none() | strategies.booleans() | _TEXTS | _NUMBERS,
    lambda nested: strategies.lists(nested, max_size=3) | strategies.dictionaries(_TEXTS, nested, max_size=3),
    max_leaves=6,
)
_TIMES = strategies.builds(
    lambda seconds, micros: timestamp_pb2.Timestamp(seconds=seconds, nanos=micros * 1000),
    strategies.integers(-62_135_596_800, 253_402_300_799),
    strategies.integers(0, 999_999),
)


def _struct(data):
    struct = struct_pb2.Struct()
    struct.update(data)
    return struct


def _value(data):
    if isinstance(data, dict):
        return struct_pb2.Value(struct_value=_struct(data))
    if isinstance(data, list):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_value(item) for item in data]))
    if data is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(data, bool):
        return struct_pb2.Value(bool_value=data)
    return struct_pb2.Value(string_value=data) if isinstance(data, str) else struct_pb2.Value(number_value=data)


_DURATIONS = strategies.builds(
    lambda sign, seconds, nanos: duration_pb2.Duration(seconds=sign * seconds, nanos=sign * nanos),
    strategies.sampled_from([1, -1]),
    strategies.integers(0, 99_999_999_999),
    strategies.integers(0, 999_999_999),
)
_WELL_KNOWN = {
    "google.protobuf.Duration": _DURATIONS,
    "google.protobuf.Timestamp": _TIMES,
    "google.protobuf.Struct": strategies.dictionaries(_TEXTS, DATA, max_size=3).map(_struct),
    "google.protobuf.Value": DATA.map(_value),
}


def messages(message_type):
    """Returns a strategy for messages of a type, with any of its fields set to any value."""
    if message_type.full_name in _WELL_KNOWN:
        return _WELL_KNOWN[message_type.full_name]
    fields = {field.name: strategies.deferred(lambda field=field: _values(field)) for field in message_type.fields}
    kind = message_factory.GetMessageClass(message_type)
    return strategies.fixed_dictionaries({}, optional=fields).map(lambda values: kind(**values))


def _values(field):
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return strategies.dictionaries(_TEXTS, _TEXTS, max_size=3)
    nested = messages(field.message_type) if field.message_type is not None else _scalars(field)
    return strategies.lists(nested, max_size=3) if field.is_repeated else nested


def _scalars(field):
    if field.type == field.TYPE_STRING:
        return _TEXTS
    if field.type == field.TYPE_BOOL:
        return strategies.booleans()
    bits = 63 if field.type == field.TYPE_INT64 else 31
    return strategies.integers(-(2**bits), 2**bits - 1)


def decoded(data, message_class):
    """Returns the message of valid JSON."""
    message, violations = json_data.read(data, message_class)
    assert violations == [], violations
    return message
