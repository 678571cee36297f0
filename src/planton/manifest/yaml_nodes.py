"""The nodes of a YAML text as a form of data for the decoder (`planton.manifest.decode`), with the place of each violation."""

from __future__ import annotations

import base64
import binascii
import functools
from typing import TYPE_CHECKING, Any, Final

import yaml
from google.protobuf import descriptor

from planton.manifest import decode, scalars, unavailable_fields, yaml_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from google.protobuf import message

    from planton import errors

#: A text with more faults than this is not a manifest; the rest would not help.
MAX_VIOLATIONS: Final = 1_000
_SHOWN: Final = 40
_F = descriptor.FieldDescriptor


class _WrongError(decode.WrongError):
    """A node does not fit its field."""

    def __init__(
        self, must: str, value: str = "", *, rule_id: str = "manifest.wrong_type", redacted: str = "", suggestion: str = ""
    ) -> None:
        super().__init__(must, value, rule_id=rule_id, redacted=redacted, suggestion=suggestion)


#: What a message says in place of a secret value.
_NOT_ALLOWED: Final = "has a value that is not allowed"


def line_at(text: str, start: int, *, limit: int = 300) -> str:
    """Returns the line of a text that starts at a position; at most ``limit`` characters."""
    return text[start : start + limit].split("\n", 1)[0].rstrip("\r")


def preview(text: str) -> str:
    """Returns a text in quotes, cut short."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


class _Nodes:
    """The nodes of a YAML text as a form of data."""

    limit = MAX_VIOLATIONS
    too_many = (f"has more than {MAX_VIOLATIONS:,} violations; the rest is not shown", "manifest.too_many")
    keeps_positions = True

    def converter(self, field: Any) -> Callable[[Any], Any]:
        """Returns the function that converts a scalar node."""
        return converter(field)

    def entries(
        self, node: Any, described: Any, path: str, reading: decode.Reading
    ) -> Iterable[tuple[str | None, Any, Any, bool]] | None:
        """Returns the entries of a mapping, those of merge keys last."""
        if not isinstance(node, yaml.MappingNode):
            _report_shape(described, node, path, reading)
            return None
        if node.tag and yaml_reader.wrong_tag(node):
            reading.add(node, path, f"the tag {preview(node.tag)} has no meaning here", "yaml.tag")
        own, merges = _own_entries(node)
        entries = [(_name(key), key, value, False) for key, value in own]
        if merges:
            entries += [(_name(key), key, value, True) for key, value in merged(merges, path, reading)]
        return entries

    def items(self, node: Any, field: decode.Field, path: str, reading: decode.Reading) -> Iterable[Any] | None:
        """Returns the items of a sequence."""
        if not isinstance(node, yaml.SequenceNode):
            reading.add(node, path, f"must be a list, not {shown(node, reading)}", "manifest.wrong_type")
        elif field.item is not None and len(node.value) > decode.MAX_PARTS:
            reading.add(node, path, f"must not have more than {decode.MAX_PARTS:,} items", "yaml.size")
        else:
            return node.value  # type: ignore[no-any-return]  # PyYAML's nodes have no types
        return None

    def map_entries(
        self, node: Any, field: decode.Field, path: str, reading: decode.Reading
    ) -> Iterable[tuple[Any, Any, bool]] | None:
        """Returns the entries of a mapping, those of merge keys last."""
        del field
        if not isinstance(node, yaml.MappingNode):
            reading.add(node, path, f"must be a mapping, not {shown(node, reading)}", "manifest.wrong_type")
            return None
        own, merges = _own_entries(node)
        entries = [(key, value, False) for key, value in own]
        if merges:
            entries += [(key, value, True) for key, value in merged(merges, path, reading)]
        return entries

    def is_null(self, node: Any) -> bool:
        """Returns whether a node is a plain null."""
        return is_null(node)

    def null_item(self, node: Any, field: decode.Field, path: str, reading: decode.Reading) -> None:
        """Reports a null in a list or a map."""
        text = 'must not be null: write "" for an empty text, or remove the key' if field.is_map else _no_null(field)
        reading.add(node, path, text, "yaml.null_item")

    def unknown(self, described: Any, key: Any, path: str, reading: decode.Reading) -> None:
        """Reports a key that is no field, with the reason or the closest name."""
        if not isinstance(key, yaml.ScalarNode):
            text = f"a key must be the name of a field, not {shown(key, reading)}"
            reading.add(key, path, text, "manifest.unknown_field")
            return
        names = [name for field in described.fields for name in (field.json_name, field.name)]
        reason = unavailable_fields.reason(described, key.value)
        suggestion = decode.nearest(key.value, list(dict.fromkeys(names))) if reason is None else ""
        where = f" in {path}" if path else ""
        why = "" if reason is None else f": {reason.text}"
        # A key may be a misplaced secret. It is shown only if it is close to the name of a field.
        name = f" {preview(key.value)}" if why or suggestion or not reading.secret else ""
        field_path = decode.join(path, key.value[:_SHOWN]) if name else path
        reading.add(key, field_path, f"unknown field{name}{where}{why}", "manifest.unknown_field", suggestion=suggestion)
        meant = suggestion if reason is None else reason.instead
        reading.meant += [
            decode.join(path, field.json_name) for field in described.fields if meant and meant in (field.json_name, field.name)
        ]

    def repeated(self, key: Any, first: str, path: str, reading: decode.Reading) -> None:
        """Reports a key that occurs twice, or in two spellings."""
        if key.value == first or path.endswith("]"):
            reading.add(key, path, f"the key {preview(key.value)} is there twice", "yaml.duplicate_key")
        else:
            text = f"{preview(first)} and {preview(key.value)} are the same field; write one of them"
            reading.add(key, path, text, "yaml.both_spellings")

    def map_key(self, key: Any, field: decode.Field, path: str, reading: decode.Reading) -> Any:  # text, number or boolean
        """Returns the key of a map's entry."""
        if not isinstance(key, yaml.ScalarNode):
            reading.add(key, path, f"a key must be a scalar, not {shown(key, reading)}", "manifest.wrong_type")
            return None
        if field.described.message_type.fields_by_name["key"].type == _F.TYPE_STRING:
            return key.value
        return reading.convert(field.convert_key, key, path)

    def entry_path(self, path: str, key: Any) -> str:
        """Returns the path of a map's entry."""
        return decode.map_path(path, key)

    def fill_well_known(
        self, target: message.Message, field: decode.Field, node: Any, path: str, reading: decode.Reading
    ) -> None:
        """Sets a field whose type is a message of ``google.protobuf``."""
        from google.protobuf import json_format  # noqa: PLC0415  # cold start of `validate`: 0.7 ms, and no manifest needs it

        part = getattr(target, field.name)
        try:
            json_format.ParseDict(_plain_data(node), part)
        except (json_format.ParseError, AttributeError, TypeError, ValueError):
            text = f"must be a {part.DESCRIPTOR.name}, not {shown(node, reading)}"
            reading.add(node, path, text, "manifest.wrong_type")
            reading.unread.append(path)

    def place(self, node: Any, text: str) -> tuple[int, int, str]:
        """Returns line, column and source line of a node."""
        mark = node.start_mark
        return mark.line + 1, mark.column + 1, line_at(text, mark.index - mark.column)


FORM: Final = _Nodes()


def reading_of(
    file: str, index: int, text: str, *, secret: bool = False, violations: list[errors.Violation] | None = None
) -> decode.Reading:
    """Returns the state for decoding the nodes of one YAML document."""
    return decode.Reading(FORM, file, index, text, secret=secret, violations=violations)


def _name(key: Any) -> str | None:
    return key.value if type(key.value) is str else None


def _own_entries(node: Any) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """Returns the entries of a mapping, and the values of its merge keys."""
    merges = [value for key, value in node.value if key.value == "<<" and yaml_reader.is_plain(key)]
    return ([pair for pair in node.value if not is_merge(pair[0])] if merges else node.value), merges


def shown(node: Any, reading: decode.Reading) -> str:
    """Returns a description of a node for a message."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "this" if reading.secret else preview(node.value)


def _report_shape(described: Any, node: Any, path: str, reading: decode.Reading) -> None:
    text = f"must be a mapping, not {shown(node, reading)}"
    if "literal_or_ref" in described.oneofs_by_name and isinstance(node, yaml.ScalarNode):
        text += "; write {value: …}" if reading.secret else f"; write {{value: {node.value[:_SHOWN]}}}"
    reading.add(node, path, text, "manifest.wrong_type")
    reading.unread.append(path)


def is_merge(key: Any) -> bool:  # a node of PyYAML has no type
    """Returns whether a key is ``<<``, unquoted."""
    return bool(key.value == "<<" and yaml_reader.is_plain(key))


def merged(merges: list[Any], path: str, reading: decode.Reading) -> Iterator[tuple[Any, Any]]:
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


def is_null(node: Any) -> bool:  # a node of PyYAML has no type
    """Returns whether a node is a plain null."""
    return node.value in scalars.NULLS and yaml_reader.is_plain(node) if type(node.value) is str else False


def _no_null(field: decode.Field) -> str:
    empty = ' (write "" for an empty text)' if field.described.type == _F.TYPE_STRING else ""
    return f"must not be null{empty}; remove the item"


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
    if field.type in decode.INTEGERS:
        return functools.partial(_to_integer, *decode.INTEGERS[field.type])
    return _to_float


def _to_text(node: Any) -> str:  # a node of PyYAML has no type
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


def _check_scalar(node: Any, expected: str) -> None:  # a node of PyYAML has no type
    if isinstance(node, yaml.MappingNode):
        raise _WrongError(f"must be {expected}", "a mapping")
    if isinstance(node, yaml.SequenceNode):
        raise _WrongError(f"must be {expected}", "a list")
    tag = yaml_reader.wrong_tag(node)
    if tag:
        raise _WrongError(f"the tag {preview(tag)} has no meaning here", rule_id="yaml.tag", redacted=_NOT_ALLOWED)


def _to_boolean(node: Any) -> bool:  # a node of PyYAML has no type
    _check_scalar(node, "true or false")
    value = scalars.BOOLEANS.get(node.value) if yaml_reader.is_plain(node) else None
    if value is None:
        why = " in quotes" if node.value in scalars.BOOLEANS else ""
        raise _WrongError("must be true or false", f"{preview(node.value)}{why}")
    return value


def _to_integer(least: int, greatest: int, node: Any) -> int:  # a node of PyYAML has no type
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


def _to_float(node: Any) -> float:  # a node of PyYAML has no type
    _check_scalar(node, "a number")
    value = scalars.to_float(node.value, quoted=not yaml_reader.is_plain(node))
    if value is None:
        raise _WrongError("must be a number", preview(node.value))
    return value


def _to_bytes(node: Any) -> bytes:  # a node of PyYAML has no type
    _check_scalar(node, "base64 text")
    try:
        return base64.b64decode(node.value, altchars=b"-_" if set("-_") & set(node.value) else None, validate=True)
    except (binascii.Error, ValueError):
        raise _WrongError("must be base64 text", preview(node.value)) from None


def _to_enum(enum: descriptor.EnumDescriptor, node: Any) -> int:  # a node of PyYAML has no type
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
        suggestion=decode.nearest(node.value, names),
    )


def convert(field: descriptor.FieldDescriptor, node: Any, path: str, reading: decode.Reading) -> Any:  # the field's type
    """Returns a scalar node as a value of a field's type; None, and a violation, if it does not fit."""
    return reading.convert(converter(field), node, path)
