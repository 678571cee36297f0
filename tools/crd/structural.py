"""Generates structural schemas of Kubernetes from messages, with CEL rules for everything that no keyword expresses.

A structural schema is narrower than JSON Schema: each value has one type, there are no references, and each field has one spelling. It is
for manifests as ``planton fmt`` writes them. Rules that Kubernetes cannot check are in the description of the field or message.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from buf.validate import validate_pb2
from google.protobuf import descriptor_pool

import json_schema
from crd import cel
from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from planton.manifest import decode
from planton.schema import describe, keywords, kinds, rule_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Maximum length of text, and maximum size of a list or map, for values that rules read. The API server estimates the worst-case cost
#: of a rule, and refuses a rule whose cost has no bound.
MAX_TEXT: Final = 1024
MAX_ENTRIES: Final = 256
#: The same for a list or map inside an item of a list, and for lists with many rules on their items.
MAX_NESTED: Final = 32
_MAX_ITEMS: Final = {"additional_node_pools": 64, "taints": 15}
#: Maximum length of text that a rule's pattern allows; the cost estimate does not analyse patterns.
_LENGTHS: Final = {"string.label_value": 63, "string.digital_ocean_tag": 255, "string.taint_effect": 16}
RULES: Final = "x-kubernetes-validations"
_FORMATS: Final = {5: "int32", 13: "int64", 15: "int32", 17: "int32", 7: "int64"}  # a 32-bit number without a sign needs 64 bits
_ZEROS: Final = {"string": "''", "integer": "0", "boolean": "false"}
_ONEOF: Final = "manifest.oneof"
_REFERENCE: Final = foreign_key_pb2.StringValueOrRef.DESCRIPTOR.full_name


class Rule(NamedTuple):
    """A rule about a value.

    Attributes:
        id: Its id in violations.
        message: Its message.
        expression: Its expression in the protos; empty if it depends on values outside the resource.
        value: The value of ``rule`` in the expression.
    """

    id: str
    message: str
    expression: str
    value: Any = None  # text, a number, true or false


class Translated(NamedTuple):
    """Rules, translated where possible.

    Attributes:
        rules: The translated rules.
        untranslated: The rules without a translation.
        is_sized: Whether the cost of the translated rules depends on the size of their value.
    """

    rules: list[dict[str, str]]
    untranslated: list[Rule]
    is_sized: bool


class Schemas:
    """The schemas of a message and its nested messages.

    Attributes:
        unchecked: Ids of the rules that Kubernetes cannot check, and why.
    """

    def __init__(self, message_type: Any, comments: Mapping[str, str]) -> None:  # a message's descriptor, here and below
        """Translates the rules between fields first: they determine which fields need a bound."""
        self.unchecked: dict[str, str] = {}
        self._comments = comments
        self._reads: set[str] = set()
        self._depth = 0  # the number of enclosing lists
        self._translated: dict[str, Translated] = {}
        self._translate(message_type, ())

    def message(self, message_type: Any) -> dict[str, Any]:
        """Returns the schema of a message."""
        translated, untranslated, _ = self._translated[message_type.full_name]
        needed = [field.json_name for field in message_type.fields if json_schema.is_needed(field)]
        return {
            **self._description(message_type.full_name, untranslated),
            "type": "object",
            **({"required": needed} if needed else {}),
            "properties": {field.json_name: self.property(field) for field in message_type.fields},
            **({RULES: [dict(rule) for rule in translated]} if translated else {}),
        }

    def property(self, field: Any) -> dict[str, Any]:  # a field's descriptor, here and below
        """Returns the schema of a field."""
        rules = json_schema.rules_of(field)
        translated, untranslated, _ = self._rules(_of_reference(field), this=_REFERENCE)
        schema = self._values(field, rules, untranslated)
        if translated:
            schema[RULES] = [*schema.get(RULES, []), *translated]
        return self._description(field.full_name, untranslated) | schema | json_schema.default_of(field)

    def _translate(self, message_type: Any, parents: tuple[str, ...]) -> None:
        if message_type.full_name in parents:
            raise TypeError(f"{message_type.full_name} contains itself, which a structural schema cannot express")
        self._translated[message_type.full_name] = self._rules(_of_message(message_type), this=message_type.full_name)
        for field in message_type.fields:
            value = field.message_type.fields_by_name["value"] if json_schema.is_map(field) else field
            if value.message_type is not None:
                self._translate(value.message_type, (*parents, message_type.full_name))

    def _rules(self, rules: Iterable[Rule], *, this: str, each: str = "") -> Translated:
        """Translates rules over a value, or over each of its parts; rules without a translation are returned as they are."""
        translated, untranslated, is_sized = [], [], False
        for rule in rules:
            try:
                if not rule.expression:
                    raise cel.UntranslatableError("it depends on values outside the resource")
                translation = cel.translate(rule.expression, this=this, name=each or "self", rule=rule.value)
            except cel.UntranslatableError as error:
                self.unchecked[rule.id] = str(error)
                untranslated.append(rule)
                continue
            self._reads |= translation.reads
            is_sized = is_sized or "this" in translation.reads
            text = f"self.all({each}, {translation.text})" if each else translation.text
            translated.append({"rule": text, "message": f"{rule.message} [{rule.id}]", **_path(rule.message, this)})
        return Translated(translated, untranslated, is_sized)

    def _description(self, full_name: str, untranslated: list[Rule]) -> dict[str, str]:
        parts = [self._comments.get(full_name, "")]
        parts += [f"Not checked here: {rule.message} [{rule.id}]." for rule in untranslated]
        text = " ".join(part for part in parts if part)
        return {"description": text} if text else {}

    def _values(self, field: Any, rules: Any, untranslated: list[Rule]) -> dict[str, Any]:
        if json_schema.is_map(field):
            return self._map(field, rules, untranslated)
        if not field.is_repeated:
            return self._single(field, rules, untranslated)
        self._depth += 1
        items = self._single(field, rules.repeated.items, untranslated)
        self._depth -= 1
        schema = _structural(keywords.of_rules(rules, predefined=False))
        if rules.required:
            schema.setdefault("minItems", 1)
        own, more, _ = self._rules(_of_value(rules), this="LIST")
        untranslated += more
        bound = {"maxItems": decode.MAX_PARTS} if field.message_type is not None else {}
        if own or _has_rules(items) or field.full_name in self._reads:
            bound = {"maxItems": self._maximum_entries(field)}
        return {"type": "array", **bound, **schema, "items": items, **({RULES: own} if own else {})}

    def _maximum_entries(self, field: Any) -> int:
        """Returns the maximum number of entries in a list or a map that rules read."""
        return _MAX_ITEMS.get(field.name, MAX_NESTED if self._depth else MAX_ENTRIES)

    def _map(self, field: Any, rules: Any, untranslated: list[Rule]) -> dict[str, Any]:
        entry = field.message_type.fields_by_name
        values = self._single(entry["value"], rules.map.values, untranslated)
        schema = _structural(keywords.of_rules(rules, predefined=False))
        if rules.required:
            schema.setdefault("minProperties", 1)
        if keywords.of_rules(rules.map.keys, predefined=False) or entry["key"].type != field.TYPE_STRING:
            raise TypeError(f"{field.full_name}: keys with such rules are not supported here")
        own, more, _ = self._rules(_of_value(rules), this="MAP")
        # A structural schema has no rules for keys, so the map has a rule about all its keys.
        keys, key_rules, _ = self._rules(_of_value(rules.map.keys), this="STRING", each="key")
        own, untranslated[:] = own + keys, [*untranslated, *more, *key_rules]
        is_bound = own or _has_rules(values) or field.full_name in self._reads
        bound = {"maxProperties": self._maximum_entries(field)} if is_bound else {}
        return {"type": "object", **bound, **schema, "additionalProperties": values, **({RULES: own} if own else {})}

    def _single(self, field: Any, rules: Any, untranslated: list[Rule]) -> dict[str, Any]:
        if field.message_type is not None:
            return self._part(field, rules, untranslated)
        if field.enum_type is not None:
            # A rule over an enum reads its number, which Kubernetes does not have.
            untranslated += self._rules([rule._replace(expression="") for rule in _of_value(rules)], this="INT").untranslated
            names = [value.name for value in json_schema.values_of(field)]
            unset = [] if json_schema.is_needed(field) else [field.enum_type.values_by_number[0].name]
            return {"type": "string", "enum": [*names, *unset]}
        translated, more, is_sized = self._rules(_of_value(rules), this=_type(field))
        schema = self._scalar(field, rules, is_sized=is_sized)
        untranslated += more
        if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            translated = [rule | {"rule": f"self == {_ZEROS[schema['type']]} || ({rule['rule']})"} for rule in translated]
        return schema | ({RULES: translated} if translated else {})

    def _part(self, field: Any, rules: Any, untranslated: list[Rule]) -> dict[str, Any]:
        name = field.message_type.full_name
        if not name.startswith("org.project_planton."):
            raise TypeError(f"{field.full_name}: a type with a special JSON form is not supported here")
        schema = self.message(field.message_type)
        translated, more, _ = self._rules(_of_value(rules), this=name)
        untranslated += more
        if not field.is_repeated:
            schema.pop("description", None)  # the field has its own
            untranslated += self._translated[name].untranslated
        return schema | ({RULES: [*schema.get(RULES, []), *translated]} if translated else {})

    def _scalar(self, field: Any, rules: Any, *, is_sized: bool) -> dict[str, Any]:
        schema = keywords.of_rules(rules, predefined=False)
        if rules.required and field.type == field.TYPE_STRING:
            schema.setdefault("minLength", 1)
        if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            schema = keywords.or_empty(schema)
        if field.type == field.TYPE_BOOL:
            return {"type": "boolean"} | ({"enum": [True]} if rules.required else {}) | _structural(schema)
        if field.type == field.TYPE_STRING:
            if is_sized or field.full_name in self._reads:
                schema.setdefault("maxLength", min((_length(rule) for rule, _ in keywords.expressions(rules)), default=MAX_TEXT))
            return {"type": "string"} | _structural(schema)
        if field.type not in _FORMATS:
            raise TypeError(f"{field.full_name}: such numbers are not supported here")
        low, high = json_schema.bounds_of(field, schema, required=rules.required)
        return {"type": "integer", "format": _FORMATS[field.type], "minimum": low, "maximum": high} | _structural(schema)


def _rule(rule: Any, value: Any = None) -> Rule:  # a validate_pb2.Rule; text, a number, true or false
    return Rule(rule.id, rule_texts.message(rule), rule_texts.condition(rule.expression), value)


def _of_message(message_type: Any) -> list[Rule]:
    """Returns the rules between the fields of a message, including those of oneofs."""
    message_rules = message_type.GetOptions().Extensions[validate_pb2.message].cel
    rules = [_rule(rule) for rule in message_rules]
    oneof_rules = [rule for rule in describe.message_rules(message_type) if rule.id == _ONEOF]
    for oneof, rule in zip((oneof for oneof in message_type.oneofs if len(oneof.fields) > 1), oneof_rules, strict=True):
        pairs = itertools.combinations([field.name for field in oneof.fields], 2)
        both = " || ".join(f"has(this.{first}) && has(this.{second})" for first, second in pairs)
        rules.append(Rule(rule.id, rule.text, f"!({both})"))
    return rules


def _of_value(rules: Any) -> list[Rule]:  # a validate_pb2.FieldRules
    """Returns the expressions over one value."""
    return [_rule(rule, value) for rule, value in keywords.expressions(rules)]


def _of_reference(field: Any) -> list[Rule]:
    """Returns the rules of a reference field in addition to those of its message. The schema of ``kind`` lists the allowed kinds."""
    rules = [Rule(rule.id, rule.text, "") for rule in describe.field_rules(field) if rule.id.startswith("reference.")]
    default: Any = field.GetOptions().Extensions[foreign_key_pb2.default_kind] if rules else 0
    fits = f"!has(this.value_from) || this.value_from.field_path != '' || this.value_from.kind in [0, {default}]"
    expressions = {"reference.kind_fits": fits if default else "true"}
    # An enum lists the known kinds. Only a default that is not among them needs a rule.
    is_known = not default or kinds.find(cloud_resource_kind_pb2.CloudResourceKind.Name(default)) is not None
    expressions["reference.kind_is_known"] = "!has(this.value_from) || !(this.value_from.kind in [0])"
    return [
        rule._replace(expression=expressions.get(rule.id, ""))
        for rule in rules
        if rule.id != "reference.kind_is_known" or not is_known
    ]


def _path(message: str, this: str) -> dict[str, str]:
    """Returns the field at which a rule between fields is shown: the first word of its message."""
    if "." not in this:
        return {}
    word = message.partition(" ")[0]
    names = {field.json_name for field in descriptor_pool.Default().FindMessageTypeByName(this).fields}
    return {"fieldPath": f".{word}"} if word in names else {}


def _length(rule: Any) -> int:  # a validate_pb2.Rule
    """Returns the maximum length of valid text, or the length to which it must be bounded."""
    schema = keywords.of_expression(rule.expression) or {}
    return int(schema.get("maxLength", _LENGTHS.get(rule.id, MAX_TEXT)))


def _type(field: Any) -> str:
    if field.type == field.TYPE_STRING:
        return "STRING"
    if field.type == field.TYPE_BOOL:
        return "BOOL"
    return "UINT" if decode.INTEGERS[field.type][0] == 0 else "INT"


def _structural(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns keywords in the form of structural schemas."""
    result = dict(schema)
    # A list would pass a format of text in the API server. The pattern is equivalent to the format.
    result.pop("format", None)
    if "const" in result:
        result["enum"] = [result.pop("const")]
    if result.pop("uniqueItems", False):
        result["x-kubernetes-list-type"] = "set"
    return result


def _has_rules(schema: Any) -> bool:  # JSON data
    nested = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return (isinstance(schema, dict) and RULES in schema) or any(_has_rules(part) for part in nested)
