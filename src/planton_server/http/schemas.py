"""Generates JSON Schema (2020-12, as in OpenAPI 3.1) of messages, with the types, rules and comments of the protos.

A message has up to two schemas. The schema of requests is strict: it allows no other properties, requires the required ones, and allows
null where the API does. The schema of responses requires the fields that are always present, and allows others, so clients accept new
fields. Relations between fields, which JSON Schema cannot express, are listed under ``x-rules`` with their rule ids. A rule of the protos
that this module does not support is an error, so none is dropped silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from buf.validate import validate_pb2

from planton.manifest import decode, json_values
from planton.schema import describe, keywords, rule_texts
from planton_server.service import rendering

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The path of schemas in the document.
PREFIX: Final = "#/components/schemas/"
#: The name of the schema of free data.
JSON_VALUE: Final = "JsonValue"
#: Optional objects of responses. The server always sets all others.
_ABSENT_OBJECTS: Final = frozenset(
    {
        "org.project_planton.cluster.v1.AuditEvent.ended_at",
        "org.project_planton.cluster.v1.Cluster.deleted_at",
        "org.project_planton.cluster.v1.ControllerStatus.last_error",
        "org.project_planton.cluster.v1.LastError.details",
        "org.project_planton.nodepool.v1.Event.replacement",
        "org.project_planton.nodepool.v1.NodePool.deleted_at",
        "org.project_planton.work.v1.WorkItem.due",
        "org.project_planton.work.v1.WorkItem.error",
        "org.project_planton.work.v1.WorkItem.since",
    }
)
#: Rules that the variants of a message express: its ``type`` names the only object that is set.
_EXPRESSED_BY_VARIANTS: Final = ("only_the_object_of_type", "has_the_object_of_type")
_NO_NUL: Final = r"^[^\u0000]*$"
_DOUBLE: Final = 1.7976931348623157e308


class Components:
    """The schemas of a document, created on demand.

    Attributes:
        schemas: Name → schema.
    """

    def __init__(self, answers: Iterable[Any]) -> None:
        """Reads the descriptors of all responses. A message in one of them has another name in requests."""
        self.schemas: dict[str, Any] = {JSON_VALUE: _json_value()}
        self._response_messages: set[str] = set()
        for message_type in answers:
            _collect(message_type, self._response_messages)

    def request(self, message_type: Any) -> dict[str, Any]:  # a message's descriptor, here and below
        """Returns a reference to the schema of a message in requests."""
        name = f"{message_type.name}Input" if message_type.full_name in self._response_messages else message_type.name
        return self._reference(name, message_type, strict=True, sparse=True)

    def answer(self, message_type: Any, *, sparse: bool = False) -> dict[str, Any]:
        """Returns a reference to the schema of a message in responses. ``sparse``: the message is part of a spec."""
        return self._reference(message_type.name, message_type, strict=False, sparse=sparse or rendering.is_spec(message_type))

    def values(self, field: Any, *, strict: bool, sparse: bool = True) -> dict[str, Any]:  # a field's descriptor, here and below
        """Returns the schema of a field's values, without null."""
        rules = _rules(field)
        if _is_map(field):
            entry = field.message_type.fields_by_name
            keys = _scalar(entry["key"], rules.map.keys, strict=strict)
            nested = _scalar(entry["value"], rules.map.values, strict=strict)
            return {"type": "object", "propertyNames": keys, "additionalProperties": nested} | keywords.of_rules(rules)
        if not field.is_repeated:
            return self._part(field, rules, strict=strict, sparse=sparse)
        items = self._part(field, rules.repeated.items, strict=strict, sparse=sparse)
        return {"type": "array", "items": items} | keywords.of_rules(rules)

    def _reference(self, name: str, message_type: Any, *, strict: bool, sparse: bool) -> dict[str, Any]:
        if name not in self.schemas:
            self.schemas[name] = {"x-message": message_type.full_name}
            self.schemas[name] |= self._message(message_type, strict=strict, sparse=sparse)
        assert self.schemas[name]["x-message"] == message_type.full_name, f"two messages are named {name}"
        return {"$ref": f"{PREFIX}{name}"}

    def _message(self, message_type: Any, *, strict: bool, sparse: bool) -> dict[str, Any]:
        head = {"type": "object", "description": comment(message_type)}
        properties = {field.json_name: self._property(field, strict=strict, sparse=sparse) for field in message_type.fields}
        if not strict:
            required = [field.json_name for field in message_type.fields if _is_always_present(field, sparse=sparse)]
            return head | {"properties": properties} | ({"required": required} if required else {})
        required = [field.json_name for field in message_type.fields if _rules(field).required]
        parts = {"properties": properties, "additionalProperties": False} | ({"required": required} if required else {})
        tag, names = _tag(message_type)
        if tag is not None:
            parts = {"oneOf": [_variant(message_type, tag, name, names, parts) for name in names]}
        return head | parts | _listed(rules_of(message_type))

    def _property(self, field: Any, *, strict: bool, sparse: bool) -> dict[str, Any]:
        schema = self.values(field, strict=strict, sparse=sparse)
        rules = _rules(field)
        if strict and not rules.required and not _is_free_value(field):
            schema = _or_null(schema)
        return schema | {"description": comment(field)} | (_listed(_cel(rules.cel)) if strict else {})

    def _part(self, field: Any, rules: Any, *, strict: bool, sparse: bool) -> dict[str, Any]:
        nested = field.message_type
        if nested is None:
            return _scalar(field, rules, strict=strict)
        if nested.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[nested.full_name])
        return self.request(nested) if strict else self.answer(nested, sparse=sparse)


def comment(message_type: Any) -> str:
    """Returns the comment of a message or a field."""
    return comment_of(message_type.full_name)


def comment_of(full_name: str) -> str:
    """Returns the comment of a message, field, service or method."""
    return describe.comments().get(full_name, "")


def rules_of(message_type: Any) -> list[dict[str, str]]:
    """Returns the rules between a message's fields that its schema does not express: id, message, and expression in CEL."""
    rules = _cel(message_type.GetOptions().Extensions[validate_pb2.message].cel)
    return [rule for rule in rules if not rule["id"].endswith(_EXPRESSED_BY_VARIANTS)]


def _collect(message_type: Any, names: set[str]) -> None:
    if message_type.full_name not in names:
        names.add(message_type.full_name)
        for field in message_type.fields:
            if field.message_type is not None:
                _collect(field.message_type, names)


def _cel(rules: Iterable[Any]) -> list[dict[str, str]]:  # of validate_pb2.Rule
    return [{"id": rule.id, "message": rule_texts.message(rule), "expression": rule.expression} for rule in rules]


def _is_always_present(field: Any, *, sparse: bool) -> bool:
    """Returns whether every response has a field."""
    is_object = field.message_type is not None and not (sparse or field.is_repeated or field.full_name in _ABSENT_OBJECTS)
    return is_object or rendering.is_always_written(field, sparse=sparse)


def _listed(rules: list[dict[str, str]]) -> dict[str, Any]:
    return {"x-rules": rules} if rules else {}


def _rules(field: Any) -> Any:  # a validate_pb2.FieldRules
    return field.GetOptions().Extensions[validate_pb2.field]


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _is_free_value(field: Any) -> bool:
    return field.message_type is not None and field.message_type.full_name == "google.protobuf.Value"


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]} | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def _tag(message_type: Any) -> tuple[Any, list[str]]:  # a field's descriptor
    """Returns the field that names the only object of a message, and the possible names; None without such a field."""
    objects = {field.name for field in message_type.fields if field.message_type is not None}
    for field in message_type.fields:
        names = keywords.of_rules(_rules(field)).get("enum", []) if field.type == field.TYPE_STRING else []
        if names and objects.issuperset(names):
            return field, names
    return None, []


def _variant(message_type: Any, tag: Any, name: str, names: list[str], parts: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of a message with one value of its tag, in upper or lower case. The other objects must be absent."""
    any_case = "".join(f"[{letter}{letter.upper()}]" for letter in name)
    own: dict[str, Any] = {"title": name, "properties": {}}
    for key, schema in parts["properties"].items():
        if key == tag.json_name:
            own["properties"][key] = {"type": "string", "pattern": f"^{any_case}$", "description": schema["description"]}
        else:
            own["properties"][key] = {"type": "null"} if key in names and key != name else schema
    required = list(parts["required"])
    if any(
        rule["id"].endswith("has_the_object_of_type")
        for rule in _cel(message_type.GetOptions().Extensions[validate_pb2.message].cel)
    ):
        required.append(name)
        schema = own["properties"][name]
        own["properties"][name] = next(part for part in schema["anyOf"] if "$ref" in part) | {
            "description": schema["description"]
        }
    return own | {"required": required, "additionalProperties": False}


def _scalar(field: Any, rules: Any, *, strict: bool) -> dict[str, Any]:
    constraints = keywords.of_rules(rules)
    assert not rules.cel or rules == _rules(field), f"{field.full_name}: rules on items are not supported"
    predefined = [rule.expression for rule, value in keywords.expressions(rules) if value is not None]
    assert None not in map(keywords.of_expression, predefined), f"{field.full_name}: a predefined rule has no JSON Schema"
    zero: Any = field.default_value
    if field.type == field.TYPE_STRING:
        schema = {"type": "string"} | constraints
        if rules.required and "enum" not in schema:
            schema = {"minLength": 1} | schema
        if strict and not schema.keys() & {"enum", "pattern"}:
            schema["pattern"] = _NO_NUL
    elif field.type == field.TYPE_BOOL:
        schema = {"type": "boolean"}
    else:
        low, high = decode.INTEGERS[field.type]
        bounds = {"minimum": low, "maximum": high} if strict else {}
        schema = {"type": "integer", "format": f"int{high.bit_length() + 1}", **bounds, **constraints}
    if constraints and rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        return {"anyOf": [schema, {"const": zero}]}
    return schema


def _json_value() -> dict[str, Any]:
    nested = {"$ref": f"{PREFIX}{JSON_VALUE}"}
    return {
        "description": f"Any JSON, at most {json_values.MAX_DEPTH} levels deep. Numbers are 64-bit floats.",
        "x-message": "google.protobuf.Value",
        "anyOf": [
            {"type": ["boolean", "null"]},
            {"type": "number", "minimum": -_DOUBLE, "maximum": _DOUBLE},
            {"type": "string", "pattern": _NO_NUL},
            {"type": "array", "items": nested},
            {"type": "object", "propertyNames": {"pattern": _NO_NUL}, "additionalProperties": nested},
        ],
    }


_WELL_KNOWN: Final[dict[str, dict[str, Any]]] = {
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]{1,11}(\.[0-9]{1,9})?s$"},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Value": {"$ref": f"{PREFIX}{JSON_VALUE}"},
    "google.protobuf.Struct": {
        "type": "object",
        "propertyNames": {"pattern": _NO_NUL},
        "additionalProperties": {"$ref": f"{PREFIX}{JSON_VALUE}"},
    },
}
