"""Manifests as JSON Schema (draft 2020-12), for editors and for programs in any language: what the strict reader accepts, described.

A schema is made from a kind's message: its types, comments, enums, and the rules that JSON Schema can say. What it cannot say (relations
between fields, references) is listed under ``x-rules`` with the ids that violations carry. It must refuse nothing that the reader
accepts, so it takes numbers in quotes, enum values by number, YAML 1.1's words for true and false, null for "not set", and both
spellings of a field: that of manifests as a property, which editors offer, and that of the protos as a pattern, which they do not.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from buf.validate import validate_pb2

from org.project_planton.policy.v1 import policy_pb2
from org.project_planton.shared.options import options_pb2
from planton.manifest import decode, scalars
from planton.schema import describe, keywords, kinds, rule_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
#: What is no kind of the cloud, and has a schema: policies.
POLICY: Final = policy_pb2.Policy.DESCRIPTOR.name
_DEFINITIONS: Final = "#/$defs/"
_REFERENCE_KIND: Final = "org.project_planton.shared.foreignkey.v1.ValueFromRef.kind"
_NULL: Final = {"type": "null"}
#: Rules that are not in the protos, because they depend on the field of a reference, on other kinds, or on the kind itself.
_OTHER_RULES: Final = ("reference.kind_fits", "reference.field_path_exists", "manifest.stack_name_length")
#: Words of YAML 1.1, which editors that read YAML 1.2 take for text.
_BOOLEAN: Final = "^({})$".format("|".join(sorted(word for word in scalars.BOOLEANS if word.lower() not in ("true", "false"))))
#: Rule of a message → what says the same.
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
    """Returns the schema of a kind's manifests, of policies, or of any manifest where no name is given.

    Args:
        name: A kind in singular or plural and any case, or ``Policy``.
        comments: Full name → comment of the proto; those of the package where None.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    definitions = _Definitions(describe.comments() if comments is None else comments)
    if name.lower() == POLICY.lower():
        described: Any = policy_pb2.Policy.DESCRIPTOR
        body = {"title": POLICY, **definitions.reference(described)}
    elif name:
        kind = kinds.parse(name)
        body = {"title": kind.name, **definitions.reference(kind.message.DESCRIPTOR)}
    else:
        body = _any_kind(definitions)
    return {"$schema": DIALECT, **body, "$defs": dict(sorted(definitions.schemas.items()))}


def names() -> list[str]:
    """Returns what there are schemas of: the kinds, and policies."""
    return [*(kind.name for kind in kinds.all_kinds()), POLICY]


def _any_kind(definitions: _Definitions) -> dict[str, Any]:
    known = kinds.all_kinds()
    branches = [
        {
            "if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
            "then": definitions.reference(kind.message.DESCRIPTOR),
        }
        for kind in known
    ]
    kind = {"description": "What the manifest describes.", "enum": [each.name for each in known]}
    return {"title": "Manifest", "type": "object", "properties": {"kind": kind}, "required": ["kind"], "allOf": branches}


class _Definitions:
    """The schemas of messages and enums, by name, made as they are referred to.

    Attributes:
        schemas: Name → schema.
    """

    def __init__(self, comments: Mapping[str, str]) -> None:
        """Starts with none; descriptions are the comments by full name."""
        self.schemas: dict[str, Any] = {}
        self._comments = comments
        self._meant: dict[str, str] = {}

    def reference(self, described: Any) -> dict[str, Any]:  # a message's descriptor, here and below
        """Returns a reference to the schema of a message."""
        name = described.name
        if self._meant.setdefault(name, described.full_name) != described.full_name:
            raise TypeError(f"two types are named {name}")
        if name not in self.schemas:
            self.schemas[name] = {}  # a message may contain itself
            self.schemas[name] = self._message(described)
        return {"$ref": f"{_DEFINITIONS}{name}"}

    def _message(self, described: Any) -> dict[str, Any]:
        two = [field for field in described.fields if field.name != field.json_name]
        needed = [field for field in described.fields if is_needed(field)]
        properties = {field.json_name: self._property(field, needed=field in needed) for field in described.fields}
        where = f"{_DEFINITIONS}{described.name}/properties/"
        # One of both spellings must be there, or one at most.
        relations = [
            {"oneOf": [{"required": [field.json_name]}, {"required": [field.name]}]}
            if field in needed
            else {"not": {"required": [field.json_name, field.name]}}
            for field in two
        ]
        relations += [*_oneofs(described), *_said_of_message(described)]
        schema: dict[str, Any] = {
            "type": "object",
            "description": self._comment(described.full_name),
            "properties": properties,
            "patternProperties": {f"^{field.name}$": {"$ref": f"{where}{field.json_name}"} for field in two},
            "additionalProperties": False,
            "required": [field.json_name for field in needed if field not in two],
            "allOf": relations,
            "x-rules": _unsaid(_options(described, validate_pb2.message).cel),
        }
        return {key: value for key, value in schema.items() if value not in ({}, [], "")}

    def _property(self, field: Any, *, needed: bool) -> dict[str, Any]:  # a field's descriptor, here and below
        rules = rules_of(field)
        schema = self._values(field, rules, needed=needed)
        unsaid = _unsaid(_beyond(field, rules))
        unsaid += [{"id": rule.id, "message": rule.text} for rule in describe.field_rules(field) if rule.id in _OTHER_RULES]
        about = {"description": self._comment(field.full_name), "x-rules": unsaid} | _proposed(field)
        if not needed:
            schema = _or_null(schema)
        return schema | {key: value for key, value in about.items() if value not in ("", [])}

    def _values(self, field: Any, rules: Any, *, needed: bool) -> dict[str, Any]:
        if is_map(field):
            entry = field.message_type.fields_by_name
            keys = self._one(entry["key"], rules.map.keys, needed=False)
            below = self._one(entry["value"], rules.map.values, needed=False)
            return {"type": "object", "propertyNames": keys, "additionalProperties": below} | keywords.of_rules(rules)
        if not field.is_repeated:
            return self._one(field, rules, needed=needed)
        items = self._one(field, rules.repeated.items, needed=False)
        bound = {"maxItems": decode.MAX_PARTS} if field.message_type is not None else {}
        return {"type": "array", "items": items} | bound | keywords.of_rules(rules)

    def _one(self, field: Any, rules: Any, *, needed: bool) -> dict[str, Any]:
        if field.message_type is not None:
            return self.reference(field.message_type)
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
        found = {"$ref": f"{_DEFINITIONS}{name}"}
        if needed:
            return found
        unset = [value.name for value in enum.values if not value.number]
        return {
            "anyOf": [found, {"type": ["string", "integer"], "pattern": f"^({'|'.join(unset)}|0+)$", "minimum": 0, "maximum": 0}]
        }

    def _comment(self, full_name: str) -> str:
        return self._comments.get(full_name, "")


def is_map(field: Any) -> bool:
    """Returns whether a field is a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def values_of(field: Any) -> list[Any]:  # descriptors of an enum's values
    """Returns the values of an enum that a field may have, but for the one that means that it is not set."""
    if not rules_of(field).enum.defined_only:
        raise TypeError(f"{field.full_name}: an enum whose numbers are open is not known here")
    known = {kind.name for kind in kinds.all_kinds()}
    # A reference is looked up by this version; other kinds are names only.
    is_reference = field.full_name == _REFERENCE_KIND
    return [value for value in field.enum_type.values if (value.name in known if is_reference else value.number)]


def bounds_of(field: Any, said: dict[str, Any], *, required: bool) -> tuple[int, int]:
    """Returns the minimum and the maximum of a field. An exclusive bound in ``said`` replaces either."""
    low, high = decode.INTEGERS[field.type]
    low = max(low, said.pop("exclusiveMinimum", low - 1) + 1, 1 if required and low == 0 else low)
    return low, min(high, said.pop("exclusiveMaximum", high + 1) - 1)


def _scalar(field: Any, rules: Any) -> dict[str, Any]:
    said = keywords.of_rules(rules)
    if field.type == field.TYPE_STRING:
        for rule in rules.cel:
            more = keywords.of_expression(rule.expression) or {}
            if said.keys() & more.keys():
                raise TypeError(f"{field.full_name}: two rules with the same keyword are not known here")
            said |= more
        if rules.required:
            said.setdefault("minLength", 1)
        if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            said = keywords.or_empty(said)
        message = _message_of(rules)
        return {"type": "string"} | said | ({"patternErrorMessage": message} if message and "pattern" in said else {})
    if field.type == field.TYPE_BOOL:
        return {"type": ["boolean", "string"], "pattern": _BOOLEAN, "patternErrorMessage": "must be true or false"}
    low, high = bounds_of(field, said, required=rules.required)
    # Numbers may be in quotes; the bounds hold for them too.
    bounds = {"minimum": low, "maximum": high} | said
    message = f"must be a whole number from {bounds['minimum']} to {bounds['maximum']}"
    sign = "-?" if low < 0 else ""
    pattern = {"pattern": f"^{sign}0*{_up_to(high)}$", "patternErrorMessage": message}
    zero = {"not": {"type": "string", "pattern": "^0+$"}} if low > 0 else {}
    return {"type": ["integer", "string"]} | bounds | pattern | zero


def _up_to(greatest: int) -> str:
    """Returns the pattern of the numbers from 0 to a greatest one, which has more than one digit."""
    digits = str(greatest)
    parts = [f"[0-9]{{1,{len(digits) - 1}}}", digits]
    for index, digit in enumerate(digits):
        if digit != "0":
            parts.append(f"{digits[:index]}[0-{int(digit) - 1}][0-9]{{{len(digits) - index - 1}}}")
    return f"({'|'.join(parts)})"


def _message_of(rules: Any) -> str:
    """Returns what the one expression over a text says must hold; empty where there are none, or several."""
    found = [rule for rule, _ in keywords.expressions(rules)]
    return rule_texts.message(found[0]) if len(found) == 1 else ""


def _numbers(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Returns what lets the numbers of enum values pass, in quotes or not, without being offered by editors."""
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
    """Returns whether a field must be set: because it says so, or because what it holds while unset breaks its rules."""
    rules = rules_of(field)
    if rules.required:
        return True
    if field.has_presence or field.is_repeated or field.type != field.TYPE_STRING:
        return False
    said = _scalar(field, rules)
    fits = "" in said.get("enum", [""]) and said.get("const", "") == "" and not said.get("minLength")
    return not (fits and re.search(said.get("pattern", ""), ""))


def _oneofs(described: Any) -> list[dict[str, Any]]:
    """Returns the rule that at most one field of a oneof is set; null counts as unset."""
    found = []
    for oneof in described.oneofs:
        for one, other in itertools.combinations(oneof.fields, 2):
            for pair in itertools.product({one.name, one.json_name}, {other.name, other.json_name}):
                both = sorted(pair)
                found.append({"not": {"required": both, "properties": {name: {"not": _NULL} for name in both}}})
    return sorted(found, key=str)


def _said_of_message(described: Any) -> list[dict[str, Any]]:
    rules = _options(described, validate_pb2.message).cel
    return [_MESSAGE_RULES[rule.id] for rule in rules if rule.id in _MESSAGE_RULES]


def _beyond(field: Any, rules: Any) -> list[Any]:  # of validate_pb2.Rule
    """Returns the expressions over a field, or over what is in it, that no keyword says."""
    is_one_text = field.type == field.TYPE_STRING and not field.is_repeated
    parts = [rules.repeated.items, rules.map.keys, rules.map.values, *([rules] if is_one_text else [])]
    found = [] if is_one_text else list(rules.cel)
    return found + [
        rule for part in parts for rule, _ in keywords.expressions(part) if keywords.of_expression(rule.expression) is None
    ]


def _unsaid(rules: Iterable[Any]) -> list[dict[str, str]]:
    return [{"id": rule.id, "message": rule_texts.message(rule)} for rule in rules if rule.id not in _MESSAGE_RULES]


def _proposed(field: Any) -> dict[str, Any]:
    """Returns the value that a field is given while it is unset, and the one that forms may propose."""
    proposal = _options(field, options_pb2.recommended_default)
    return default_of(field) | ({"examples": [_value(field, proposal)]} if proposal else {})


def default_of(field: Any) -> dict[str, Any]:
    """Returns the keyword that says which value a field is given while it is unset; nothing where there is none."""
    default = _options(field, options_pb2.default)
    return {"default": _value(field, default)} if default else {}


def _value(field: Any, text: str) -> Any:  # text, a number, true or false
    if field.type == field.TYPE_BOOL:
        return text == "true"
    return int(text) if field.type in decode.INTEGERS else text


def rules_of(field: Any) -> Any:  # a validate_pb2.FieldRules
    """Returns the rules of a field."""
    return _options(field, validate_pb2.field)


def _options(described: Any, extension: Any) -> Any:  # of a message or a field; of no type
    return described.GetOptions().Extensions[extension]
