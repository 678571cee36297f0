"""Generates JSON Schema (draft 2020-12) of manifests, for editors and programs in any language. It describes what the strict reader accepts.

A schema is generated from the message of a kind: its types, comments, enums, and the rules that JSON Schema can express. Other rules
(relations between fields, references) are listed under ``x-rules`` with the ids of their violations. A schema must not refuse input that
the reader accepts. So it accepts quoted numbers, enum numbers, YAML 1.1's booleans, null for unset fields, and both spellings of a field.
The spelling of manifests is a property, which editors suggest; the spelling of the protos is a pattern, which they do not.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from buf.validate import validate_pb2

from org.project_planton.policy.v1 import policy_pb2
from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from org.project_planton.shared.options import options_pb2
from planton.manifest import decode, scalars
from planton.schema import describe, keywords, kinds, rule_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
#: Policies have a schema, although they are not a kind.
POLICY: Final = policy_pb2.Policy.DESCRIPTOR.name
_DEFINITIONS: Final = "#/$defs/"
_REFERENCE_KIND: Final = "org.project_planton.shared.foreignkey.v1.ValueFromRef.kind"
_NULL: Final = {"type": "null"}
#: Rules outside the protos. They depend on the field of a reference, on other kinds, or on the kind itself.
_OTHER_RULES: Final = ("reference.kind_fits", "reference.field_path_exists", "manifest.stack_name_length")
#: Booleans of YAML 1.1, which editors with YAML 1.2 read as text.
_BOOLEAN: Final = "^({})$".format("|".join(sorted(word for word in scalars.BOOLEANS if word.lower() not in ("true", "false"))))
#: Rule of a message → its equivalent in JSON Schema.
_MESSAGE_RULES: Final[dict[str, dict[str, Any]]] = {
    "string_value_or_ref.value_is_set": {
        "anyOf": [
            {"properties": {"value": {"type": "string", "minLength": 1}}, "required": ["value"]},
            {"properties": {"valueFrom": {"type": "object"}}, "required": ["valueFrom"]},
            {"properties": {"value_from": {"type": "object"}}, "required": ["value_from"]},
        ]
    },
}


def document(name: str = "", *, comments: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Returns the schema of a kind's manifests, of policies, or of any manifest if ``name`` is empty.

    Args:
        name: A kind in singular or plural and any case, or ``Policy``.
        comments: Full name → comment of the proto; by default the comments of the package.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    definitions = _Definitions(describe.comments() if comments is None else comments)
    if name.lower() == POLICY.lower():
        message_type: Any = policy_pb2.Policy.DESCRIPTOR
        body = {"title": POLICY, **definitions.reference(message_type)}
    elif name:
        kind = kinds.parse(name)
        body = {"title": kind.name, **definitions.reference(kind.message.DESCRIPTOR)}
    else:
        body = _any_kind(definitions)
    return {"$schema": DIALECT, **body, "$defs": dict(sorted(definitions.schemas.items()))}


def names() -> list[str]:
    """Returns the names with a schema: the kinds, and policies."""
    return [*(kind.name for kind in kinds.all_kinds()), POLICY]


def _any_kind(definitions: _Definitions) -> dict[str, Any]:
    all_kinds = kinds.all_kinds()
    branches = [
        {
            "if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
            "then": definitions.reference(kind.message.DESCRIPTOR),
        }
        for kind in all_kinds
    ]
    kind = {"description": "What the manifest describes.", "enum": [each.name for each in all_kinds]}
    return {"title": "Manifest", "type": "object", "properties": {"kind": kind}, "required": ["kind"], "allOf": branches}


class _Definitions:
    """The schemas of messages and enums by name, created on first reference.

    Attributes:
        schemas: Name → schema.
    """

    def __init__(self, comments: Mapping[str, str]) -> None:
        """Starts without schemas; descriptions are the comments by full name."""
        self.schemas: dict[str, Any] = {}
        self._comments = comments
        self._type_names: dict[str, str] = {}

    def reference(self, message_type: Any) -> dict[str, Any]:  # a message's descriptor, here and below
        """Returns a reference to the schema of a message."""
        name = message_type.name
        if self._type_names.setdefault(name, message_type.full_name) != message_type.full_name:
            raise TypeError(f"two types are named {name}")
        if name not in self.schemas:
            self.schemas[name] = {}  # a message may contain itself
            self.schemas[name] = self._message(message_type)
        return {"$ref": f"{_DEFINITIONS}{name}"}

    def _message(self, message_type: Any) -> dict[str, Any]:
        two_spellings = [field for field in message_type.fields if field.name != field.json_name]
        needed = [field for field in message_type.fields if is_needed(field)]
        properties = {field.json_name: self._property(field, needed=field in needed) for field in message_type.fields}
        prefix = f"{_DEFINITIONS}{message_type.name}/properties/"
        # A required field has exactly one of its spellings, any other field at most one.
        relations = [
            {"oneOf": [{"required": [field.json_name]}, {"required": [field.name]}]}
            if field in needed
            else {"not": {"required": [field.json_name, field.name]}}
            for field in two_spellings
        ]
        relations += [*_oneofs(message_type), *_message_keywords(message_type)]
        schema: dict[str, Any] = {
            "type": "object",
            "description": self._comment(message_type.full_name),
            "properties": properties,
            "patternProperties": {f"^{field.name}$": {"$ref": f"{prefix}{field.json_name}"} for field in two_spellings},
            "additionalProperties": False,
            "required": [field.json_name for field in needed if field not in two_spellings],
            "allOf": relations,
            "x-rules": _x_rules(_options(message_type, validate_pb2.message).cel),
        }
        return {key: value for key, value in schema.items() if value not in ({}, [], "")}

    def _property(self, field: Any, *, needed: bool) -> dict[str, Any]:  # a field's descriptor, here and below
        rules = rules_of(field)
        schema = self._values(field, rules, needed=needed)
        other_rules = _x_rules(_untranslated(field, rules))
        other_rules += [{"id": rule.id, "message": rule.text} for rule in describe.field_rules(field) if rule.id in _OTHER_RULES]
        annotations = {"description": self._comment(field.full_name), "x-rules": other_rules} | _suggestions(field)
        if not needed:
            schema = _or_null(schema)
        return schema | {key: value for key, value in annotations.items() if value not in ("", [])}

    def _values(self, field: Any, rules: Any, *, needed: bool) -> dict[str, Any]:
        if is_map(field):
            entry = field.message_type.fields_by_name
            keys = self._single(entry["key"], rules.map.keys, needed=False)
            values = self._single(entry["value"], rules.map.values, needed=False)
            return {"type": "object", "propertyNames": keys, "additionalProperties": values} | keywords.of_rules(rules)
        if not field.is_repeated:
            return self._single(field, rules, needed=needed)
        items = self._single(field, rules.repeated.items, needed=False)
        bound = {"maxItems": decode.MAX_PARTS} if field.message_type is not None else {}
        return {"type": "array", "items": items} | bound | keywords.of_rules(rules)

    def _single(self, field: Any, rules: Any, *, needed: bool) -> dict[str, Any]:
        if field.message_type is not None:
            return self.reference(field.message_type) | _kind_of_reference(field)
        if field.enum_type is not None:
            return self._enum(field, needed=needed)
        return _scalar(field, rules)

    def _enum(self, field: Any, *, needed: bool) -> dict[str, Any]:
        enum = field.enum_type
        values = values_of(field)
        name = f"{enum.name}ToReferTo" if field.full_name == _REFERENCE_KIND else enum.name
        self.schemas[name] = {
            "description": self._comment(enum.full_name),
            "anyOf": [
                {
                    "enum": [value.name for value in values],
                    "enumDescriptions": [self._comment(f"{enum.full_name}.{value.name}") for value in values],
                },
                *_numbers([value.number for value in values]),
            ],
        }
        reference = {"$ref": f"{_DEFINITIONS}{name}"}
        if needed:
            return reference
        unset = [value.name for value in enum.values if not value.number]
        return {
            "anyOf": [
                reference,
                {"type": ["string", "integer"], "pattern": f"^({'|'.join(unset)}|0+)$", "minimum": 0, "maximum": 0},
            ]
        }

    def _comment(self, full_name: str) -> str:
        return self._comments.get(full_name, "")


def is_map(field: Any) -> bool:
    """Returns whether a field is a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def values_of(field: Any) -> list[Any]:  # descriptors of an enum's values
    """Returns the values of an enum that a field may have, without the one for unset."""
    if not rules_of(field).enum.defined_only:
        raise TypeError(f"{field.full_name}: an enum with open numbers is not supported here")
    kind_names = {kind.name for kind in kinds.all_kinds()}
    # References are resolved to kinds of this version; other kinds of the enum have only a name.
    is_reference = field.full_name == _REFERENCE_KIND
    return [value for value in field.enum_type.values if (value.name in kind_names if is_reference else value.number)]


def bounds_of(field: Any, schema: dict[str, Any], *, required: bool) -> tuple[int, int]:
    """Returns the minimum and the maximum of a field. An exclusive bound in ``schema`` replaces either."""
    low, high = decode.INTEGERS[field.type]
    low = max(low, schema.pop("exclusiveMinimum", low - 1) + 1, 1 if required and low == 0 else low)
    return low, min(high, schema.pop("exclusiveMaximum", high + 1) - 1, schema.get("maximum", high))


def _kind_of_reference(field: Any) -> dict[str, Any]:
    """Returns the requirement to name a kind in a reference whose default kind this version does not have; else an empty schema."""
    default = field.GetOptions().Extensions[foreign_key_pb2.default_kind]
    if not default or kinds.find(cloud_resource_kind_pb2.CloudResourceKind.Name(default)):
        return {}
    named = {"required": ["kind"], "properties": {"kind": {"$ref": f"{_DEFINITIONS}CloudResourceKindToReferTo"}}}
    return {"properties": {"valueFrom": named, "value_from": named}}


def _scalar(field: Any, rules: Any) -> dict[str, Any]:
    schema = keywords.of_rules(rules)
    if field.type == field.TYPE_STRING:
        for rule in rules.cel:
            keywords_of_rule = keywords.of_expression(rule.expression) or {}
            if schema.keys() & keywords_of_rule.keys():
                raise TypeError(f"{field.full_name}: two rules with the same keyword are not supported here")
            schema |= keywords_of_rule
        if rules.required:
            schema.setdefault("minLength", 1)
        if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            schema = keywords.or_empty(schema)
        message = _message_of(rules)
        return {"type": "string"} | schema | ({"patternErrorMessage": message} if message and "pattern" in schema else {})
    if field.type == field.TYPE_BOOL:
        return {"type": ["boolean", "string"], "pattern": _BOOLEAN, "patternErrorMessage": "must be true or false"}
    low, high = bounds_of(field, schema, required=rules.required)
    # Numbers may be quoted; the bounds apply to them too.
    bounds = {"minimum": low, "maximum": high} | schema
    message = f"must be a whole number from {bounds['minimum']} to {bounds['maximum']}"
    sign = "-?" if low < 0 else ""
    pattern = {"pattern": f"^{sign}0*{_up_to(high)}$", "patternErrorMessage": message}
    zero = {"not": {"type": "string", "pattern": "^0+$"}} if low > 0 else {}
    return {"type": ["integer", "string"]} | bounds | pattern | zero


def _up_to(maximum: int) -> str:
    """Returns the pattern of the numbers from 0 to a maximum of at least two digits."""
    digits = str(maximum)
    parts = [f"[0-9]{{1,{len(digits) - 1}}}", digits]
    for index, digit in enumerate(digits):
        if digit != "0":
            parts.append(f"{digits[:index]}[0-{int(digit) - 1}][0-9]{{{len(digits) - index - 1}}}")
    return f"({'|'.join(parts)})"


def _message_of(rules: Any) -> str:
    """Returns the message of the only expression over a text; empty if there are none, or several."""
    rules_with_text = [rule for rule, _ in keywords.expressions(rules)]
    return rule_texts.message(rules_with_text[0]) if len(rules_with_text) == 1 else ""


def _numbers(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Returns a schema for the numbers of enum values, quoted or not, which editors do not suggest."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    quoted = "|".join(str(number) for number in sorted(set(numbers)))
    plain = [{"type": "integer", "minimum": low, "maximum": high} for low, high in runs]
    return [*plain, {"type": "string", "pattern": f"^0*({quoted})$"}]


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"anyOf": [schema, _NULL]}
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], _NULL]}
    kinds_of_values = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [*kinds_of_values, "null"]} | enum


def is_needed(field: Any) -> bool:
    """Returns whether a field must be set: it is required, or its zero value breaks its rules."""
    rules = rules_of(field)
    if rules.required:
        return True
    if field.has_presence or field.is_repeated or field.type != field.TYPE_STRING:
        return False
    schema = _scalar(field, rules)
    is_zero_valid = "" in schema.get("enum", [""]) and schema.get("const", "") == "" and not schema.get("minLength")
    return not (is_zero_valid and re.search(schema.get("pattern", ""), ""))


def _oneofs(message_type: Any) -> list[dict[str, Any]]:
    """Returns the rule that at most one field of a oneof is set; null counts as unset."""
    rules = []
    for oneof in message_type.oneofs:
        for first, second in itertools.combinations(oneof.fields, 2):
            for pair in itertools.product({first.name, first.json_name}, {second.name, second.json_name}):
                both = sorted(pair)
                rules.append({"not": {"required": both, "properties": {name: {"not": _NULL} for name in both}}})
    return sorted(rules, key=str)


def _message_keywords(message_type: Any) -> list[dict[str, Any]]:
    rules = _options(message_type, validate_pb2.message).cel
    return [_MESSAGE_RULES[rule.id] for rule in rules if rule.id in _MESSAGE_RULES]


def _untranslated(field: Any, rules: Any) -> list[Any]:  # of validate_pb2.Rule
    """Returns the expressions over a field, or over its items, keys and values, without an equivalent keyword."""
    is_one_text = field.type == field.TYPE_STRING and not field.is_repeated
    parts = [rules.repeated.items, rules.map.keys, rules.map.values, *([rules] if is_one_text else [])]
    untranslated = [] if is_one_text else list(rules.cel)
    return untranslated + [
        rule for part in parts for rule, _ in keywords.expressions(part) if keywords.of_expression(rule.expression) is None
    ]


def _x_rules(rules: Iterable[Any]) -> list[dict[str, str]]:
    return [{"id": rule.id, "message": rule_texts.message(rule)} for rule in rules if rule.id not in _MESSAGE_RULES]


def _suggestions(field: Any) -> dict[str, Any]:
    """Returns the default of a field, and the recommended default for forms."""
    proposal = _options(field, options_pb2.recommended_default)
    return default_of(field) | ({"examples": [_value(field, proposal)]} if proposal else {})


def default_of(field: Any) -> dict[str, Any]:
    """Returns the keyword with the default of a field; nothing without a default."""
    default = _options(field, options_pb2.default)
    return {"default": _value(field, default)} if default else {}


def _value(field: Any, text: str) -> Any:  # text, a number, true or false
    if field.type == field.TYPE_BOOL:
        return text == "true"
    return int(text) if field.type in decode.INTEGERS else text


def rules_of(field: Any) -> Any:  # a validate_pb2.FieldRules
    """Returns the rules of a field."""
    return _options(field, validate_pb2.field)


def _options(message_type: Any, extension: Any) -> Any:  # of a message or a field; of no type
    return message_type.GetOptions().Extensions[extension]
