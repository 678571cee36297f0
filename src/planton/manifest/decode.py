"""Node tree → message, strictly: every key must be a field, every value of its field's type.

One walk reads, converts and reports; it follows the message's descriptor, whose fields are looked up once per type. Places come
from the nodes. It must not apply defaults or rules.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml
from google.protobuf import descriptor

from planton import errors
from planton.manifest import scalars, unavailable_fields, yaml_reader
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf import message

#: A text with more faults than this is not a manifest; the rest would not help.
MAX_VIOLATIONS: Final = 1_000
#: Items of a list of messages: rules may compare each with each.
MAX_PARTS: Final = 2_000
_SCALAR, _MESSAGE, _LIST, _MAP, _WELL_KNOWN = range(5)
_SHOWN: Final = 40
_LONGEST_WORD: Final = 64
_F = descriptor.FieldDescriptor
#: Type of a field → the least and the greatest whole number that it holds.
INTEGERS: Final = {
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), (-(2**31), 2**31 - 1)),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), (-(2**63), 2**63 - 1)),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), (0, 2**32 - 1)),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), (0, 2**64 - 1)),
}


class _WrongError(Exception):
    """A scalar does not fit its field.

    Attributes:
        detail: The condition that must hold, with the value.
        redacted: The condition without the value, for texts that hold secrets.
        rule_id: The rule's id.
        suggestion: A name that is close to an unknown one; empty if there is none.
    """

    def __init__(
        self, must: str, value: str = "", *, rule_id: str = "manifest.wrong_type", redacted: str = "", suggestion: str = ""
    ) -> None:
        super().__init__(must)
        self.detail = f"{must}, not {value}" if value else must
        self.redacted = redacted or must
        self.rule_id = rule_id
        self.suggestion = suggestion


#: What a message says in place of a secret value.
_NOT_ALLOWED: Final = "has a value that is not allowed"


class _Field(NamedTuple):  # made faster than a dataclass, and every start pays
    """What reading needs of a field: how, under which name, and with which converter of scalars."""

    how: int
    name: str
    json_name: str
    convert: Callable[[Any], Any]
    described: Any
    oneof: str


class Reading:
    """One document being read: what is wrong so far.

    Attributes:
        file: As the user wrote it.
        index: The document's position in its file.
        text: The file's text, for source lines; empty where it must not be shown.
        secret: Whether values must not be shown either.
        violations: What is wrong.
        unread: Paths whose value could not be read.
        meant: Paths that an unknown field seems to mean.
    """

    __slots__ = ("file", "index", "meant", "secret", "text", "unread", "violations")

    def __init__(
        self, file: str, index: int, text: str, *, secret: bool = False, violations: list[errors.Violation] | None = None
    ) -> None:
        """Starts with nothing wrong; notes go to ``violations`` where that is given."""
        self.file = file
        self.index = index
        self.text = text
        self.secret = secret
        self.violations: list[errors.Violation] = [] if violations is None else violations
        self.unread: list[str] = []
        self.meant: list[str] = []

    def add(  # PyYAML's nodes have no types of use
        self, node: Any, path: str, message: str, rule_id: str, *, suggestion: str = ""
    ) -> None:
        """Notes a violation at a node."""
        if len(self.violations) > MAX_VIOLATIONS:
            return
        if len(self.violations) == MAX_VIOLATIONS:
            message, rule_id = f"has more than {MAX_VIOLATIONS:,} violations; the rest is not shown", "manifest.too_many"
            suggestion = ""
        mark = node.start_mark
        self.violations.append(
            errors.Violation(
                self.file,
                mark.line + 1,
                mark.column + 1,
                path,
                message,
                rule_id,
                self.index,
                line_at(self.text, mark.index - mark.column),
                suggestion=suggestion,
            )
        )

    def shown(self, node: Any) -> str:  # as above
        """Returns what a node is, for a message."""
        if isinstance(node, yaml.MappingNode):
            return "a mapping"
        if isinstance(node, yaml.SequenceNode):
            return "a list"
        return "this" if self.secret else f"{preview(node.value)}"


def line_at(text: str, start: int, *, limit: int = 300) -> str:
    """Returns the line of a text that starts at a position; at most ``limit`` characters."""
    return text[start : start + limit].split("\n", 1)[0].rstrip("\r")


def preview(text: str) -> str:
    """Returns a text in quotes, cut short."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def join(path: str, name: str) -> str:
    """Returns the path of a field under a path."""
    return f"{path}.{name}" if path else name


def map_path(path: str, key: object) -> str:
    """Returns the path of a map's entry."""
    if isinstance(key, str):
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}[{key}]"


def nearest(word: str, names: list[str]) -> str:
    """Returns the name that is closest to a word; empty if none is close, or if the word is too long to compare."""
    return kinds.nearest(word, names) if len(word) <= _LONGEST_WORD else ""


def fill(target: message.Message, node: Any, path: str, reading: Reading) -> None:  # as above
    """Reads a node into an empty message; what is wrong goes to the reading."""
    if not isinstance(node, yaml.MappingNode):
        _wrong_shape(target.DESCRIPTOR, node, path, reading)
        return
    if node.tag and yaml_reader.wrong_tag(node):
        reading.add(node, path, f"the tag {preview(node.tag)} has no meaning here", "yaml.tag")
    plan = _plan(target.DESCRIPTOR)
    seen: dict[str, str] = {}
    merges: list[Any] = []
    for key, value in node.value:
        field = plan.get(key.value) if type(key.value) is str else None
        if field is None:
            if is_merge(key):
                merges.append(value)
                continue
            _unknown(target.DESCRIPTOR, key, path, reading)
        elif field.name in seen:
            _twice(key, seen[field.name], join(path, field.json_name), reading)
        else:
            seen[field.name] = key.value
            _set(target, field, key, value, path, reading)
    if merges:
        _fill_merged(target, merges, seen, path, reading)


def _fill_merged(target: message.Message, merges: list[Any], seen: dict[str, str], path: str, reading: Reading) -> None:
    plan = _plan(target.DESCRIPTOR)
    for key, value in merged(merges, path, reading):
        field = plan.get(key.value) if type(key.value) is str else None
        if field is None:
            _unknown(target.DESCRIPTOR, key, path, reading)
        elif field.name not in seen and (not field.oneof or not target.WhichOneof(field.oneof)):
            seen[field.name] = key.value
            _set(target, field, key, value, path, reading)


def is_merge(key: Any) -> bool:  # as above
    """Returns whether a key is ``<<``, unquoted."""
    return bool(key.value == "<<" and yaml_reader.is_plain(key))


def merged(merges: list[Any], path: str, reading: Reading) -> Iterator[tuple[Any, Any]]:
    """Yields the pairs that merge keys bring in, those that win first."""
    if len(merges) > 1:
        reading.add(merges[1], path, "the merge key << must not stand twice in a mapping; give it a list", "yaml.duplicate_key")
    source = merges[0]
    for mapping in source.value if isinstance(source, yaml.SequenceNode) else [source]:
        if not isinstance(mapping, yaml.MappingNode):
            reading.add(mapping, path, "the merge key << takes a mapping or a list of mappings", "yaml.merge")
            continue
        deeper = []
        for key, value in mapping.value:
            if is_merge(key):
                deeper.append(value)
            else:
                yield key, value
        if deeper:
            yield from merged(deeper, path, reading)


def _set(
    target: message.Message, field: _Field, key: Any, node: Any, path: str, reading: Reading
) -> None:  # as above; one call per value, so no object is made for it
    if is_null(node):
        return
    if field.oneof and target.WhichOneof(field.oneof):
        other = _json_name(target, field.oneof)
        text = f"must not be set together with {other}: only one of them may be set"
        reading.add(key, join(path, field.json_name), text, "manifest.oneof")
        reading.unread.append(path)
        return
    if field.how == _SCALAR:
        try:
            setattr(target, field.name, field.convert(node))
        except _WrongError as error:
            report(error, node, join(path, field.json_name), reading)
    elif field.how == _MESSAGE:
        inner = getattr(target, field.name)
        inner.SetInParent()
        fill(inner, node, join(path, field.json_name), reading)
    elif field.how == _LIST:
        _fill_list(getattr(target, field.name), field, node, join(path, field.json_name), reading)
    elif field.how == _MAP:
        _fill_map(getattr(target, field.name), field, node, join(path, field.json_name), reading)
    else:
        _fill_well_known(getattr(target, field.name), node, join(path, field.json_name), reading)


def _json_name(target: message.Message, oneof: str) -> str:
    return str(target.DESCRIPTOR.fields_by_name[target.WhichOneof(oneof)].json_name)


def is_null(node: Any) -> bool:  # as above
    """Returns whether a node is a plain null."""
    return node.value in scalars.NULLS and yaml_reader.is_plain(node) if type(node.value) is str else False


def _fill_list(items: Any, field: _Field, node: Any, path: str, reading: Reading) -> None:  # as above
    if not isinstance(node, yaml.SequenceNode):
        reading.add(node, path, f"must be a list, not {reading.shown(node)}", "manifest.wrong_type")
        reading.unread.append(path)
        return
    if field.described.message_type is not None and len(node.value) > MAX_PARTS:
        reading.add(node, path, f"must not have more than {MAX_PARTS:,} items", "yaml.size")
        reading.unread.append(path)
        return
    for index, item in enumerate(node.value):
        if is_null(item):
            reading.add(item, f"{path}[{index}]", _no_null(field), "yaml.null_item")
            reading.unread.append(f"{path}[{index}]")
            if field.described.message_type is not None:
                items.add()  # keeps the positions of the others
        elif field.described.message_type is not None:
            fill(items.add(), item, f"{path}[{index}]", reading)
        else:
            try:
                items.append(field.convert(item))
            except _WrongError as error:
                report(error, item, f"{path}[{index}]", reading)


def _no_null(field: _Field) -> str:
    empty = ' (write "" for an empty text)' if field.described.type == _F.TYPE_STRING else ""
    return f"must not be null{empty}; remove the item"


def _fill_map(entries: Any, field: _Field, node: Any, path: str, reading: Reading) -> None:  # as above
    if not isinstance(node, yaml.MappingNode):
        reading.add(node, path, f"must be a mapping, not {reading.shown(node)}", "manifest.wrong_type")
        reading.unread.append(path)
        return
    seen: set[Any] = set()
    merges = [value for key, value in node.value if is_merge(key)]
    for key, value in node.value:
        if is_merge(key):
            continue
        name = _map_key(field, key, path, reading)
        if name is None:
            continue
        if name in seen:
            reading.add(key, map_path(path, name), f"the key {preview(key.value)} is there twice", "yaml.duplicate_key")
            continue
        seen.add(name)
        _fill_entry(entries, field, name, value, map_path(path, name), reading)
    for key, value in merged(merges, path, reading) if merges else ():
        name = _map_key(field, key, path, reading)
        if name is not None and name not in seen:
            seen.add(name)
            _fill_entry(entries, field, name, value, map_path(path, name), reading)


def _map_key(field: _Field, key: Any, path: str, reading: Reading) -> Any:  # text, number or boolean
    described = field.described.message_type.fields_by_name["key"]
    if not isinstance(key, yaml.ScalarNode):
        reading.add(key, path, f"a key must be a scalar, not {reading.shown(key)}", "manifest.wrong_type")
        return None
    if described.type == _F.TYPE_STRING:
        return key.value
    try:
        return converter(described)(key)
    except _WrongError as error:
        report(error, key, path, reading)
        return None


def _fill_entry(entries: Any, field: _Field, name: Any, node: Any, path: str, reading: Reading) -> None:  # as above
    value = field.described.message_type.fields_by_name["value"]
    if is_null(node):
        reading.add(node, path, 'must not be null: write "" for an empty text, or remove the key', "yaml.null_item")
        reading.unread.append(path)
    elif value.message_type is not None:
        fill(entries[name], node, path, reading)
    else:
        try:
            entries[name] = field.convert(node)
        except _WrongError as error:
            report(error, node, path, reading)


def _fill_well_known(target: message.Message, node: Any, path: str, reading: Reading) -> None:  # as above
    from google.protobuf import json_format  # few manifests have such a field

    try:
        json_format.ParseDict(_plain_data(node), target)
    except (json_format.ParseError, AttributeError, TypeError, ValueError):
        reading.add(node, path, f"must be a {target.DESCRIPTOR.name}, not {reading.shown(node)}", "manifest.wrong_type")
        reading.unread.append(path)


def _plain_data(node: Any) -> Any:  # JSON data
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain_data(value) for key, value in node.value if isinstance(key.value, str)}
    if isinstance(node, yaml.SequenceNode):
        return [_plain_data(item) for item in node.value]
    if not yaml_reader.is_plain(node):
        return node.value
    if node.value in scalars.NULLS:
        return None
    number = scalars.to_float(node.value, quoted=False)
    return scalars.BOOLEANS.get(node.value, node.value if number is None else number)


def report(error: _WrongError, node: Any, path: str, reading: Reading) -> None:  # as above
    """Notes that a scalar does not fit."""
    text, suggestion = (error.redacted, "") if reading.secret else (error.detail, error.suggestion)
    reading.add(node, path, text, error.rule_id, suggestion=suggestion)
    reading.unread.append(path)


def _wrong_shape(described: Any, node: Any, path: str, reading: Reading) -> None:  # as above
    text = f"must be a mapping, not {reading.shown(node)}"
    if "literal_or_ref" in described.oneofs_by_name and isinstance(node, yaml.ScalarNode):
        text += "; write {value: …}" if reading.secret else f"; write {{value: {node.value[:_SHOWN]}}}"
    reading.add(node, path, text, "manifest.wrong_type")
    reading.unread.append(path)


def _unknown(described: Any, key: Any, path: str, reading: Reading) -> None:  # as above
    if not isinstance(key, yaml.ScalarNode):
        reading.add(key, path, f"a key must be the name of a field, not {reading.shown(key)}", "manifest.unknown_field")
        return
    known = [name for field in described.fields for name in (field.json_name, field.name)]
    reason = unavailable_fields.reason(described, key.value)
    suggestion = nearest(key.value, list(dict.fromkeys(known))) if reason is None else ""
    where = f" in {path}" if path else ""
    why = "" if reason is None else f": {reason.text}"
    # A key may be a misplaced secret. It is shown only if it is close to the name of a field.
    name = f" {preview(key.value)}" if why or suggestion or not reading.secret else ""
    field_path = join(path, key.value[:_SHOWN]) if name else path
    reading.add(key, field_path, f"unknown field{name}{where}{why}", "manifest.unknown_field", suggestion=suggestion)
    meant = suggestion if reason is None else reason.instead
    reading.meant += [join(path, f.json_name) for f in described.fields if meant and meant in (f.json_name, f.name)]


def _twice(key: Any, first: str, path: str, reading: Reading) -> None:  # as above
    if key.value == first:
        reading.add(key, path, f"the key {preview(first)} is there twice", "yaml.duplicate_key")
    else:
        text = f"{preview(first)} and {preview(key.value)} are the same field; write one of them"
        reading.add(key, path, text, "yaml.both_spellings")


@functools.cache
def _plan(described: descriptor.Descriptor) -> dict[str, _Field]:
    plan = {}
    for field in described.fields:
        real = field.containing_oneof
        oneof = real.name if real is not None and len(real.fields) > 1 else ""
        entry = _Field(_how(field), field.name, field.json_name, converter(_element(field)), field, oneof)
        plan[field.json_name] = plan[field.name] = entry
    return plan


def _element(field: Any) -> Any:  # a field's descriptor; the stubs think that it may lack a type
    return field.message_type.fields_by_name["value"] if _is_map(field) else field


def _is_map(field: descriptor.FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _how(field: descriptor.FieldDescriptor) -> int:
    if _is_map(field):
        return _MAP
    if field.is_repeated:
        return _LIST
    if field.message_type is None:
        return _SCALAR
    return _WELL_KNOWN if field.message_type.full_name.startswith("google.protobuf.") else _MESSAGE


@functools.cache
def converter(field: Any) -> Callable[[Any], Any]:
    """Returns the function that turns a scalar node into a value of a field's type; it raises what ``report`` takes."""
    if field.type == _F.TYPE_STRING:
        return _to_text
    if field.type == _F.TYPE_BOOL:
        return _to_boolean
    if field.type == _F.TYPE_ENUM:
        return functools.partial(_to_enum, field.enum_type)
    if field.type == _F.TYPE_BYTES:
        return _to_bytes
    if field.type in INTEGERS:
        return functools.partial(_to_integer, *INTEGERS[field.type])
    return _to_float


def _to_text(node: Any) -> str:  # as above
    text = node.value
    if type(text) is not str or node.tag:
        _check_scalar(node, "text")
    if not node.style and yaml_reader.is_plain(node):
        reading = scalars.other_reading(text)
        if reading:
            quoted = f'"{text[:_SHOWN]}"'
            must = f"YAML reads {preview(text)} as {reading}; put it in quotes: {quoted}"
            raise _WrongError(must, rule_id="yaml.quote_scalar", redacted="must be in quotes")
    return text  # type: ignore[no-any-return]  # checked above


def _check_scalar(node: Any, what: str) -> None:  # as above
    if isinstance(node, yaml.MappingNode):
        raise _WrongError(f"must be {what}", "a mapping")
    if isinstance(node, yaml.SequenceNode):
        raise _WrongError(f"must be {what}", "a list")
    tag = yaml_reader.wrong_tag(node)
    if tag:
        raise _WrongError(f"the tag {preview(tag)} has no meaning here", rule_id="yaml.tag", redacted=_NOT_ALLOWED)


def _to_boolean(node: Any) -> bool:  # as above
    _check_scalar(node, "true or false")
    value = scalars.BOOLEANS.get(node.value) if yaml_reader.is_plain(node) else None
    if value is None:
        why = " in quotes" if node.value in scalars.BOOLEANS else ""
        raise _WrongError("must be true or false", f"{preview(node.value)}{why}")
    return value


def _to_integer(least: int, greatest: int, node: Any) -> int:  # as above
    _check_scalar(node, "a whole number")
    plain = yaml_reader.is_plain(node)
    value = scalars.to_integer(node.value, quoted=not plain)
    if value is None:
        octal = plain and node.value.lstrip("+-").isdigit()
        why = ", which YAML 1.1 reads as octal and YAML 1.2 as decimal" if octal else ""
        raise _WrongError("must be a whole number", f"{preview(node.value)}{why}")
    if not least <= value <= greatest:
        raise _WrongError(f"must be a whole number from {least} to {greatest}", preview(node.value))
    return value


def _to_float(node: Any) -> float:  # as above
    _check_scalar(node, "a number")
    value = scalars.to_float(node.value, quoted=not yaml_reader.is_plain(node))
    if value is None:
        raise _WrongError("must be a number", preview(node.value))
    return value


def _to_bytes(node: Any) -> bytes:  # as above
    import base64  # no kind has such a field yet
    import binascii  # as above

    _check_scalar(node, "base64 text")
    try:
        return base64.b64decode(node.value, altchars=b"-_" if set("-_") & set(node.value) else None, validate=True)
    except (binascii.Error, ValueError):
        raise _WrongError("must be base64 text", preview(node.value)) from None


def _to_enum(enum: descriptor.EnumDescriptor, node: Any) -> int:  # as above
    _check_scalar(node, "a name")
    value = enum.values_by_name.get(node.value)
    if value is not None:
        return int(value.number)
    number = scalars.to_integer(node.value, quoted=not yaml_reader.is_plain(node))
    if number is not None and -(2**31) <= number < 2**31:
        return number
    names = [value.name for value in enum.values if value.number]
    listed = f" ({', '.join(names)})" if len(names) <= 12 else ""  # noqa: PLR2004  # more than a line holds
    raise _WrongError(
        f"unknown value {preview(node.value)}{listed}",
        rule_id="manifest.unknown_enum_value",
        redacted=_NOT_ALLOWED,
        suggestion=nearest(node.value, names),
    )


def convert(field: descriptor.FieldDescriptor, node: Any, path: str, reading: Reading) -> Any:  # a value of the field's type
    """Returns a scalar node as a value of a field's type; None, and a note, where it does not fit."""
    try:
        return converter(field)(node)
    except _WrongError as error:
        report(error, node, path, reading)
        return None
