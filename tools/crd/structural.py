"""Messages as the schemas of Kubernetes: structural ones, with what no keyword says as rules in CEL.

A structural schema is narrower than JSON Schema: each value has one type, nothing is referred to, each field has one spelling. It is
for manifests as ``planton fmt`` writes them. Rules that Kubernetes cannot check are in the description of the field or message.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from buf.validate import validate_pb2
from google.protobuf import descriptor_pool

import json_schema
from crd import cel
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from planton.manifest import decode
from planton.schema import describe, keywords, rule_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: How long a text, and how many entries a list or map may have that rules look at. The API server estimates what a rule costs at worst,
#: and takes no rule whose cost has no bound.
MAX_TEXT: Final = 1024
MAX_ENTRIES: Final = 256
#: The same for a list or map in an item of another list, and for lists whose items have many rules.
MAX_NESTED: Final = 32
_MAX_ITEMS: Final = {"additional_node_pools": 64, "taints": 15}
#: How long a text can be that keeps a rule, where its pattern says so, which no estimate looks into.
_LENGTHS: Final = {"string.label_value": 63, "string.digital_ocean_tag": 255, "string.taint_effect": 16}
RULES: Final = "x-kubernetes-validations"
_FORMATS: Final = {5: "int32", 13: "int64", 15: "int32", 17: "int32", 7: "int64"}  # a 32-bit number without a sign needs 64 bits
_ZEROS: Final = {"string": "''", "integer": "0", "boolean": "false"}
_ONEOF: Final = "manifest.oneof"
_REFERENCE: Final = foreign_key_pb2.StringValueOrRef.DESCRIPTOR.full_name


class Rule(NamedTuple):
    """What must hold of a value.

    Attributes:
        id: What violations show.
        message: What must hold, in words.
        expression: The same in CEL, as the protos have it; empty where it looks at what is not in the resource.
        value: The value of ``rule`` in the expression.
    """

    id: str
    message: str
    expression: str
    value: Any = None  # text, a number, true or false


class Said(NamedTuple):
    """Rules, as far as CEL can express them.

    Attributes:
        rules: Those that can.
        unsaid: Those that cannot.
        sized: Whether what the former cost depends on the size of what they are over.
    """

    rules: list[dict[str, str]]
    unsaid: list[Rule]
    sized: bool


class Schemas:
    """The schemas of a message and of what is below it.

    Attributes:
        unchecked: Ids of the rules that Kubernetes cannot check, and why.
    """

    def __init__(self, described: Any, comments: Mapping[str, str]) -> None:  # a message's descriptor, here and below
        """Translates the rules between fields first: they say which fields need a bound."""
        self.unchecked: dict[str, str] = {}
        self._comments = comments
        self._reads: set[str] = set()
        self._depth = 0  # how many lists are around what is being described
        self._said: dict[str, Said] = {}
        self._translate(described, ())

    def message(self, described: Any) -> dict[str, Any]:
        """Returns the schema of a message."""
        said, unsaid, _ = self._said[described.full_name]
        needed = [field.json_name for field in described.fields if json_schema.is_needed(field)]
        return {
            **self._description(described.full_name, unsaid),
            "type": "object",
            **({"required": needed} if needed else {}),
            "properties": {field.json_name: self.property(field) for field in described.fields},
            **({RULES: [dict(one) for one in said]} if said else {}),
        }

    def property(self, field: Any) -> dict[str, Any]:  # a field's descriptor, here and below
        """Returns the schema of a field."""
        rules = json_schema.rules_of(field)
        said, unsaid, _ = self._rules(_of_reference(field), this=_REFERENCE)
        found = self._values(field, rules, unsaid)
        if said:
            found[RULES] = [*found.get(RULES, []), *said]
        return self._description(field.full_name, unsaid) | found | json_schema.default_of(field)

    def _translate(self, described: Any, above: tuple[str, ...]) -> None:
        if described.full_name in above:
            raise TypeError(f"{described.full_name} contains itself, which no structural schema can say")
        self._said[described.full_name] = self._rules(_of_message(described), this=described.full_name)
        for field in described.fields:
            below = field.message_type.fields_by_name["value"] if json_schema.is_map(field) else field
            if below.message_type is not None:
                self._translate(below.message_type, (*above, described.full_name))

    def _rules(self, rules: Iterable[Rule], *, this: str, each: str = "") -> Said:
        """Returns the rules over something, or over each part of it, in Kubernetes' words, and those that have none."""
        said, unsaid, sized = [], [], False
        for rule in rules:
            try:
                if not rule.expression:
                    raise cel.UntranslatableError("it looks at what is not in the resource")
                translation = cel.translate(rule.expression, this=this, name=each or "self", rule=rule.value)
            except cel.UntranslatableError as error:
                self.unchecked[rule.id] = str(error)
                unsaid.append(rule)
                continue
            self._reads |= translation.reads
            sized = sized or "this" in translation.reads
            text = f"self.all({each}, {translation.text})" if each else translation.text
            said.append({"rule": text, "message": f"{rule.message} [{rule.id}]", **_path(rule.message, this)})
        return Said(said, unsaid, sized)

    def _description(self, full_name: str, unsaid: list[Rule]) -> dict[str, str]:
        parts = [self._comments.get(full_name, "")]
        parts += [f"Not checked here: {rule.message} [{rule.id}]." for rule in unsaid]
        text = " ".join(part for part in parts if part)
        return {"description": text} if text else {}

    def _values(self, field: Any, rules: Any, unsaid: list[Rule]) -> dict[str, Any]:
        if json_schema.is_map(field):
            return self._map(field, rules, unsaid)
        if not field.is_repeated:
            return self._one(field, rules, unsaid)
        self._depth += 1
        items = self._one(field, rules.repeated.items, unsaid)
        self._depth -= 1
        said = _kept(keywords.of_rules(rules, predefined=False))
        if rules.required:
            said.setdefault("minItems", 1)
        own, more, _ = self._rules(_of_value(rules), this="LIST")
        unsaid += more
        bound = {"maxItems": decode.MAX_PARTS} if field.message_type is not None else {}
        if own or _has_rules(items) or field.full_name in self._reads:
            bound = {"maxItems": self._most(field)}
        return {"type": "array", **bound, **said, "items": items, **({RULES: own} if own else {})}

    def _most(self, field: Any) -> int:
        """Returns how many entries a list or a map may have that rules look at."""
        return _MAX_ITEMS.get(field.name, MAX_NESTED if self._depth else MAX_ENTRIES)

    def _map(self, field: Any, rules: Any, unsaid: list[Rule]) -> dict[str, Any]:
        entry = field.message_type.fields_by_name
        values = self._one(entry["value"], rules.map.values, unsaid)
        said = _kept(keywords.of_rules(rules, predefined=False))
        if rules.required:
            said.setdefault("minProperties", 1)
        if keywords.of_rules(rules.map.keys, predefined=False) or entry["key"].type != field.TYPE_STRING:
            raise TypeError(f"{field.full_name}: keys with such rules are not known here")
        own, more, _ = self._rules(_of_value(rules), this="MAP")
        # There is no place for rules of keys: the map says what holds of each.
        keys, others, _ = self._rules(_of_value(rules.map.keys), this="STRING", each="key")
        own, unsaid[:] = own + keys, [*unsaid, *more, *others]
        is_bound = own or _has_rules(values) or field.full_name in self._reads
        bound = {"maxProperties": self._most(field)} if is_bound else {}
        return {"type": "object", **bound, **said, "additionalProperties": values, **({RULES: own} if own else {})}

    def _one(self, field: Any, rules: Any, unsaid: list[Rule]) -> dict[str, Any]:
        if field.message_type is not None:
            return self._part(field, rules, unsaid)
        if field.enum_type is not None:
            # A rule over it looks at its number, which is not in Kubernetes.
            unsaid += self._rules([rule._replace(expression="") for rule in _of_value(rules)], this="INT").unsaid
            names = [value.name for value in json_schema.values_of(field)]
            unset = [] if json_schema.is_needed(field) else [field.enum_type.values_by_number[0].name]
            return {"type": "string", "enum": [*names, *unset]}
        said, more, sized = self._rules(_of_value(rules), this=_type(field))
        found = self._scalar(field, rules, sized=sized)
        unsaid += more
        if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            said = [one | {"rule": f"self == {_ZEROS[found['type']]} || ({one['rule']})"} for one in said]
        return found | ({RULES: said} if said else {})

    def _part(self, field: Any, rules: Any, unsaid: list[Rule]) -> dict[str, Any]:
        name = field.message_type.full_name
        if not name.startswith("org.project_planton."):
            raise TypeError(f"{field.full_name}: a type with a JSON form of its own is not known here")
        found = self.message(field.message_type)
        said, more, _ = self._rules(_of_value(rules), this=name)
        unsaid += more
        if not field.is_repeated:
            found.pop("description", None)  # the field has its own
            unsaid += self._said[name].unsaid
        return found | ({RULES: [*found.get(RULES, []), *said]} if said else {})

    def _scalar(self, field: Any, rules: Any, *, sized: bool) -> dict[str, Any]:
        said = keywords.of_rules(rules, predefined=False)
        if rules.required and field.type == field.TYPE_STRING:
            said.setdefault("minLength", 1)
        if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            said = keywords.or_empty(said)
        if field.type == field.TYPE_BOOL:
            return {"type": "boolean"} | ({"enum": [True]} if rules.required else {}) | _kept(said)
        if field.type == field.TYPE_STRING:
            if sized or field.full_name in self._reads:
                said.setdefault("maxLength", min((_length(rule) for rule, _ in keywords.expressions(rules)), default=MAX_TEXT))
            return {"type": "string"} | _kept(said)
        if field.type not in _FORMATS:
            raise TypeError(f"{field.full_name}: such numbers are not known here")
        low, high = json_schema.bounds_of(field, said, required=rules.required)
        return {"type": "integer", "format": _FORMATS[field.type], "minimum": low, "maximum": high} | _kept(said)


def _rule(rule: Any, value: Any = None) -> Rule:  # a validate_pb2.Rule; text, a number, true or false
    return Rule(rule.id, rule_texts.message(rule), rule_texts.condition(rule.expression), value)


def _of_message(described: Any) -> list[Rule]:
    """Returns the rules between the fields of a message, those of oneofs among them."""
    given = described.GetOptions().Extensions[validate_pb2.message].cel
    found = [_rule(rule) for rule in given]
    texts = [rule for rule in describe.message_rules(described) if rule.id == _ONEOF]
    for oneof, rule in zip((one for one in described.oneofs if len(one.fields) > 1), texts, strict=True):
        pairs = itertools.combinations([field.name for field in oneof.fields], 2)
        both = " || ".join(f"has(this.{one}) && has(this.{other})" for one, other in pairs)
        found.append(Rule(rule.id, rule.text, f"!({both})"))
    return found


def _of_value(rules: Any) -> list[Rule]:  # a validate_pb2.FieldRules
    """Returns the expressions over one value."""
    return [_rule(rule, value) for rule, value in keywords.expressions(rules)]


def _of_reference(field: Any) -> list[Rule]:
    """Returns the schema of a reference in addition to its message's rules. The property of the kind lists the allowed kinds."""
    found = [Rule(rule.id, rule.text, "") for rule in describe.field_rules(field) if rule.id.startswith("reference.")]
    default = field.GetOptions().Extensions[foreign_key_pb2.default_kind] if found else 0
    fits = f"!has(this.value_from) || this.value_from.field_path != '' || this.value_from.kind in [0, {default}]"
    expressions = {"reference.kind_fits": fits if default else "true"}
    return [rule._replace(expression=expressions.get(rule.id, "")) for rule in found if rule.id != "reference.kind_is_known"]


def _path(message: str, this: str) -> dict[str, str]:
    """Returns the field that a rule between fields is shown at: the one that its message begins with."""
    if "." not in this:
        return {}
    word = message.partition(" ")[0]
    names = {field.json_name for field in descriptor_pool.Default().FindMessageTypeByName(this).fields}
    return {"fieldPath": f".{word}"} if word in names else {}


def _length(rule: Any) -> int:  # a validate_pb2.Rule
    """Returns how long a text may be at most that keeps a rule, or may have to be for its cost to have a bound."""
    said = keywords.of_expression(rule.expression) or {}
    return int(said.get("maxLength", _LENGTHS.get(rule.id, MAX_TEXT)))


def _type(field: Any) -> str:
    if field.type == field.TYPE_STRING:
        return "STRING"
    if field.type == field.TYPE_BOOL:
        return "BOOL"
    return "UINT" if decode.INTEGERS[field.type][0] == 0 else "INT"


def _kept(said: dict[str, Any]) -> dict[str, Any]:
    """Returns keywords as structural schemas have them."""
    found = dict(said)
    # With a format, the API server accepts a list as a text. The pattern is equivalent to the format.
    found.pop("format", None)
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if found.pop("uniqueItems", False):
        found["x-kubernetes-list-type"] = "set"
    return found


def _has_rules(schema: Any) -> bool:  # JSON data
    below = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return (isinstance(schema, dict) and RULES in schema) or any(_has_rules(part) for part in below)
