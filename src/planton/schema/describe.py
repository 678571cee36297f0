"""The schema in words: what the fields of a kind are, what they mean, and which rules hold, from the protos alone.

The comments of the protos are not in the compiled stubs; ``schema_comments.json`` in this folder has them (``make gen`` writes
it). This module looks at descriptors and that file, and at no manifest.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import re
from typing import TYPE_CHECKING, Any, Final

from buf.validate import validate_pb2

from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from org.project_planton.shared.options import options_pb2
from planton import errors
from planton.base import suggestions
from planton.schema import kinds, providers, rule_texts

if TYPE_CHECKING:
    from google.protobuf import descriptor

#: Where the comments are: full name of a message, field, enum or value → text.
COMMENTS: Final = pathlib.Path(__file__).with_name("schema_comments.json")
_REFERENCE: Final = "org.project_planton.shared.foreignkey.v1.StringValueOrRef"
_NAME: Final = "org.project_planton.shared.CloudResourceMetadata.name"
_SUBSCRIPT: Final = re.compile(r"\[[^\]]*\]")
#: Standard rule → its words; ``{}`` is the rule's value. Rules without an entry are shown by name and value.
_WORDS: Final = {
    "const": "must be `{}`",
    "in": "must be one of {}",
    "not_in": "must be none of {}",
    "pattern": "must match `{}`",
    "prefix": "must begin with `{}`",
    "suffix": "must end with `{}`",
    "contains": "must contain `{}`",
    "len": "must have {} characters",
    "min_len": "must have at least {} characters",
    "max_len": "must have at most {} characters",
    "gt": "must be greater than {}",
    "gte": "must be at least {}",
    "lt": "must be less than {}",
    "lte": "must be at most {}",
    "min_items": "must have at least {} items",
    "max_items": "must have at most {} items",
    "unique": "must have no item twice",
    "min_pairs": "must have at least {} entries",
    "max_pairs": "must have at most {} entries",
    "defined_only": "must be one of the names listed",
    "ipv4": "must be an IPv4 address",
    "ipv6": "must be an IPv6 address",
    "uri": "must be a URI",
    "uuid": "must be a UUID",
    "email": "must be an e-mail address",
    "hostname": "must be a host name",
}
_NESTED: Final = {"items": "each item ", "keys": "each key ", "values": "each value "}


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """What must hold of a field or of a message.

    Attributes:
        id: The rule's id, as violations show it.
        text: What must hold, in words.
    """

    id: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A kind, or a field of it.

    Attributes:
        kind: The kind.
        path: The field's path in the manifest's spelling; empty for the kind itself.
        field: The field's descriptor; None for the kind itself.
        message: The type whose fields are below; None where there are none.
    """

    kind: kinds.Kind
    path: str
    field: Any  # a field's descriptor or None; the stubs think that it may lack a type
    message: Any  # a message's descriptor or None

    @property
    def name(self) -> str:
        """The last part of the path; the kind's name for the kind itself."""
        return self.field.json_name if self.field is not None else self.kind.name

    @property
    def type(self) -> str:
        """The type in short, e.g. ``[]string``, ``map[string]string``, ``CivoRegion``."""
        return type_name(self.field) if self.field is not None else self.kind.name

    @property
    def required(self) -> bool:
        """Whether the field must be set."""
        return self.field is not None and bool(_field_rules(self.field).required)

    @property
    def description(self) -> str:
        """The comment of the field; of its type for the kind itself."""
        return comments().get((self.field if self.field is not None else self.message).full_name, "")

    @property
    def about(self) -> str:
        """The comment of the type whose fields are below; for the kind itself, that of its spec; empty if there is none."""
        if self.message is None:
            return ""
        part = self.message if self.field is not None else self.message.fields_by_name["spec"].message_type
        return comments().get(part.full_name, "")

    @property
    def default(self) -> str:
        """The value of the field if it is unset; empty if there is none."""
        return self._option(options_pb2.default)

    @property
    def recommended(self) -> str:
        """The value that forms may propose; it is never applied; empty if there is none."""
        return self._option(options_pb2.recommended_default)

    @property
    def default_kind(self) -> str:
        """The kind that a reference without ``kind`` means; empty where the field is no reference."""
        number: Any = self.field.GetOptions().Extensions[foreign_key_pb2.default_kind] if self.field is not None else 0
        return cloud_resource_kind_pb2.CloudResourceKind.Name(number) if number else ""

    @property
    def default_path(self) -> str:
        """The field that a reference without ``fieldPath`` means; empty where the field is no reference."""
        return self._option(foreign_key_pb2.default_kind_field_path)

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """The names of an enum that may be written, each with its comment."""
        enum = self.field.enum_type if self.field is not None else None
        if enum is None:
            return ()
        return tuple((value.name, comments().get(f"{enum.full_name}.{value.name}", "")) for value in enum.values if value.number)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What must hold of the field itself; see ``field_rules``."""
        return tuple(field_rules(self.field)) if self.field is not None else ()

    @property
    def message_rules(self) -> tuple[Rule, ...]:
        """What must hold between the fields below."""
        return tuple(message_rules(self.message)) if self.message is not None else ()

    @property
    def fields(self) -> tuple[Node, ...]:
        """The fields below, in the order of their numbers."""
        if self.message is None:
            return ()
        ordered = sorted(self.message.fields, key=lambda field: field.number)
        return tuple(
            _node(self.kind, f"{self.path}.{field.json_name}" if self.path else field.json_name, field) for field in ordered
        )

    def _option(self, extension: Any) -> str:  # generated, of no type
        return str(self.field.GetOptions().Extensions[extension]) if self.field is not None else ""


def find(text: str) -> Node:
    """Returns the description of ``KIND.field.path``: the kind in singular or plural and any case, fields in either spelling.

    Raises:
        PlantonError: ``KIND_UNKNOWN``; ``USAGE``: there is no such field, with the nearest name as a hint.
    """
    word, *steps = _SUBSCRIPT.sub("", text).strip(".").split(".")
    kind = kinds.parse(word)
    node = Node(kind, "", None, kind.message.DESCRIPTOR)
    for step in steps:
        node = _child(node, step)
    return node


def _child(node: Node, step: str) -> Node:
    below = node.fields
    for child in below:
        if step in (child.name, child.field.name):
            return child
    where = f"{node.kind.name}.{node.path}" if node.path else node.kind.name
    names = [child.name for child in below]
    hint = suggestions.suggest(step[:60], names) or (f"it has {', '.join(names)}" if names else f"its type is {node.type}")
    raise errors.usage(
        f"{where} has no field {step[:60]!r}" if names else f"{where} has no fields",
        hint=hint,
        metadata={"path": where, "field": step[:60]},
    )


def _node(kind: kinds.Kind, path: str, field: Any) -> Node:
    part = field.message_type
    if part is not None and part.GetOptions().map_entry:
        part = part.fields_by_name["value"].message_type
    return Node(kind, path, field, part)


@functools.cache
def comments() -> dict[str, str]:
    """Returns the comments of the protos by full name."""
    texts: dict[str, str] = json.loads(COMMENTS.read_text("utf-8"))
    for file in providers.package_files(COMMENTS.name):
        texts |= json.loads(file.read_text("utf-8"))
    return texts


def type_name(field: Any) -> str:
    """Returns a field's type in short."""
    part = field.message_type
    if part is not None and part.GetOptions().map_entry:
        return f"map[{type_name(part.fields_by_name['key'])}]{type_name(part.fields_by_name['value'])}"
    if part is not None:
        name = part.name
    elif field.enum_type is not None:
        name = field.enum_type.name
    elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
        name = "string"
    elif field.type == field.TYPE_BOOL:
        name = "boolean"
    else:
        name = "number" if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT) else "integer"
    return f"[]{name}" if field.is_repeated else str(name)


def message_rules(message: descriptor.Descriptor) -> list[Rule]:
    """Returns what must hold between the fields of a message."""
    declared = [Rule(rule.id, rule_texts.message(rule)) for rule in message.GetOptions().Extensions[validate_pb2.message].cel]
    for oneof in message.oneofs:
        names = [field.json_name for field in oneof.fields]
        if len(names) > 1:
            declared.append(Rule("manifest.oneof", f"only one of {', '.join(names)} may be set"))
    return declared


def field_rules(field: Any) -> list[Rule]:
    """Returns the rules of a field, and of the items of a list or a map."""
    rules = _field_rules(field)
    declared = [Rule("required", "must be set")] if rules.required else []
    declared += _rules(rules, "")
    if field.full_name == _NAME:
        text = "the name of the stack, `ENV.KIND.NAME`, must have at most 100 characters, unless labels name the stack"
        declared.append(Rule("manifest.stack_name_length", text))
    part = field.message_type
    if part is not None and part.full_name == _REFERENCE:
        declared.append(Rule("reference.kind_is_known", "a reference must name a kind that this version knows"))
        declared.append(Rule("reference.kind_fits", "a reference must name the kind that the field is for, or a fieldPath"))
        declared.append(Rule("reference.field_path_exists", "a reference must name a field that its kind has"))
    return declared


def _field_rules(field: Any) -> Any:  # a validate_pb2.FieldRules
    return field.GetOptions().Extensions[validate_pb2.field]


def _rules(rules: Any, prefix: str) -> list[Rule]:  # validate_pb2.FieldRules
    unless = " (or be unset)" if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE else ""
    declared = [Rule(rule.id, f"{prefix}{rule_texts.message(rule)}{unless}") for rule in rules.cel]
    kind = rules.WhichOneof("type")
    for rule, value in getattr(rules, kind).ListFields() if kind else ():
        if rule.name in _NESTED and rule.message_type is not None:
            declared += _rules(value, _NESTED[rule.name])
        elif rule.is_extension:
            predefined = rule.GetOptions().Extensions[validate_pb2.predefined].cel
            declared += [
                Rule(predefined_rule.id, f"{prefix}{rule_texts.message(predefined_rule)}{unless}")
                for predefined_rule in predefined
            ]
        elif value is not False:
            declared.append(Rule(f"{kind}.{rule.name}", f"{prefix}{_words(rule.name, value)}{unless}"))
    return declared


def _words(name: str, value: Any) -> str:  # text, a number, true, or a list of these
    shown = value if isinstance(value, str | int | float) else ", ".join(f"`{item}`" for item in value)
    return _WORDS.get(name, f"{name.replace('_', ' ')}: {{}}").format(shown)
