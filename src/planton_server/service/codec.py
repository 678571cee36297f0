"""JSON text or query parameters → message, strictly: each name must be a field, each value of its type, all that is wrong told at once.

A message type is compiled once into a table of spellings and converters; reading a text is then one walk over plain data, which ends in
the message's own constructor. This module knows no rules, no defaults and no transport. ``null`` is the same as absent for a field (for
one of the type ``google.protobuf.Value`` it is the value null) and not allowed in lists and maps. Free data keeps its numbers as 64-bit
floats, times are cut to microseconds.
"""

from __future__ import annotations

import collections
import functools
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from google.protobuf import descriptor, message

from planton.schema import kinds
from planton_server.service import errors, json_values, sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

#: Rule id → when a request breaks it. The ids are part of the API.
RULES: Final = {
    "json.malformed": "The body is not UTF-8 or not JSON, holds NaN or Infinity, or is nested too deeply.",
    "json.unknown_field": "The object has no such field.",
    "json.duplicate_key": "A key stands twice in an object, or a field is given in two spellings.",
    "json.wrong_type": "The value does not fit its field's type.",
    "json.text": "The text holds the character NUL, or half of a surrogate pair.",
    "json.too_deep": f"Free data is nested more than {json_values.MAX_DEPTH} levels deep.",
    "json.too_large": f"Free data holds more than {json_values.MAX_VALUES:,} values, each list and object counted.",
    errors.TOO_MANY: f"There are more violations than are shown, at most {errors.MAX_VIOLATIONS}, over gRPC as many as metadata hold.",
    "query.unknown_parameter": "The request has no such query parameter.",
    "query.duplicate": "A query parameter is given twice.",
    "query.wrong_type": "The value does not fit its query parameter's type.",
    "header.duplicate": "A header that says under which condition is given twice.",
    "header.if_match": "If-Match is empty.",
    "header.name_length": "The name in a signed token is too long.",
    "header.idempotency_key": "Idempotency-Key is empty, too long, or not visible ASCII.",
}
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,39})\Z", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}
_VALUE: Final = "google.protobuf.Value"
_TEXT: Final = descriptor.FieldDescriptor.TYPE_STRING
_BOOL: Final = descriptor.FieldDescriptor.TYPE_BOOL
_M = TypeVar("_M", bound=message.Message)


class Field(NamedTuple):
    """What reading needs of a field.

    Attributes:
        name: As in the proto.
        json_name: As in paths and answers: the canonical spelling.
        spellings: All that are accepted.
        scalar: Converts a scalar; None where the field is none.
        part: Converts anything else, and notes what is wrong.
        takes_null: Whether null is a value of it.
    """

    name: str
    json_name: str
    spellings: tuple[str, ...]
    scalar: Callable[[Any], Any] | None
    part: Callable[[Any, str, json_values.Reading], Any]
    takes_null: bool


def decode(data: bytes, message_class: type[_M]) -> _M:
    """Returns the message that a JSON text describes.

    Raises:
        ApiError: ``VALIDATION_ERROR``, with everything that is wrong.
    """
    decoded, violations = read(data, message_class)
    if violations:
        raise errors.invalid(violations)
    return decoded


def read(data: bytes, message_class: type[_M]) -> tuple[_M, tuple[errors.FieldViolation, ...]]:
    """Returns the message as far as a JSON text describes one, and what is wrong with the text."""
    reading = json_values.Reading()
    try:
        tree = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reading.add("", "json.malformed", _malformed(error))
        return message_class(), tuple(reading.violations)
    values = _object(table(message_class.DESCRIPTOR), tree, "", reading)
    return message_class(**values) if values else message_class(), tuple(reading.violations)


def _malformed(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"the body must be UTF-8; byte {error.start} is not"
    if isinstance(error, json.JSONDecodeError):
        return f"the body must be JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, RecursionError):
        return "the body must not be nested so deeply"
    return f"the body must be JSON: {error}"


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = json_values.Repeated(found)
    repeated.twice = [key for key, count in collections.Counter(key for key, _ in pairs).items() if count > 1]
    return repeated


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not a number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_constant)


@functools.cache
def table(described: descriptor.Descriptor) -> dict[str, Field]:
    """Returns every accepted spelling of a message's fields: the JSON name, the proto's, and the proto's in lowerCamelCase.

    Raises:
        TypeError: A field has a type that the API does not use, which is a mistake of the schema.
    """
    found = {}
    for field in described.fields:
        camel = re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), field.name)
        spellings = tuple(dict.fromkeys((field.json_name, field.name, camel)))
        found.update(dict.fromkeys(spellings, _field(field, spellings)))
    return found


def _field(field: Any, spellings: tuple[str, ...]) -> Field:  # a field's descriptor; the stubs have two of them
    below = field.message_type
    scalar: Callable[[Any], Any] | None = None
    if below is not None and below.GetOptions().map_entry:
        part = _map_reader(below, sizes.most(field))
    elif field.is_repeated:
        item_reader = _message_reader(below) if below is not None else _scalar_reader(json_values.scalar(field))
        part = _list_reader(item_reader, sizes.most(field))
    elif below is not None:
        part = _message_reader(below)
    else:
        scalar = json_values.scalar(field)
        part = _scalar_reader(scalar)
    takes_null = below is not None and below.full_name == _VALUE and not field.is_repeated
    return Field(field.name, field.json_name, spellings, scalar, part, takes_null)


def _object(  # JSON data
    fields: dict[str, Field], value: Any, path: str, reading: json_values.Reading
) -> dict[str, Any] | None:
    if type(value) is not dict:
        if not json_values.is_object(value, path, reading):
            return None
        _tell_repeated(fields, value, path, reading)
    result: dict[str, Any] = {}
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            _tell_unknown(fields, key, path, reading)
        elif key != field.json_name and any(other in value for other in field.spellings if other != key):
            where = json_values.join(path, field.json_name)
            reading.add(where, "json.duplicate_key", "the field is given in two spellings")
        elif item is None and not field.takes_null:
            continue
        elif field.scalar is not None:
            try:
                result[field.name] = field.scalar(item)
            except json_values.WrongError as error:
                reading.add(json_values.join(path, field.json_name), f"json.{error.rule}", str(error))
        else:
            converted = field.part(item, f"{path}.{field.json_name}" if path else field.json_name, reading)
            if converted is not None:
                result[field.name] = converted
    return result


def _tell_repeated(fields: dict[str, Field], value: json_values.Repeated, path: str, reading: json_values.Reading) -> None:
    for key in value.twice:
        name = fields[key].json_name if key in fields else json_values.shown(key)
        reading.add(json_values.join(path, name), "json.duplicate_key", "the key stands twice in the object")


def _tell_unknown(fields: dict[str, Field], key: str, path: str, reading: json_values.Reading) -> None:
    hint = _hint(key, fields.values()) if not reading.is_full else ""
    reading.add(json_values.join(path, json_values.shown(key)), "json.unknown_field", f"is not a field{hint}")


def _hint(word: str, known: Iterable[Field]) -> str:
    names = list(dict.fromkeys(field.json_name for field in known))
    hint = kinds.suggest(word, names) if len(word) <= json_values.LONGEST else ""
    return f"; {hint}" if hint else ""


def _scalar_reader(scalar: Callable[[Any], Any]) -> Callable[[Any, str, json_values.Reading], Any]:
    def convert(value: Any, path: str, reading: json_values.Reading) -> Any:  # JSON data to a value of the field's type
        return reading.try_scalar(scalar, value, path)

    return convert


def _list_reader(
    item_reader: Callable[[Any, str, json_values.Reading], Any], most: int | None
) -> Callable[[Any, str, json_values.Reading], Any]:
    def convert(value: Any, path: str, reading: json_values.Reading) -> list[Any] | None:  # as above
        if not json_values.is_list(value, path, reading):
            return None
        # One item too many breaks the rule; the rest is not worth the reading.
        read = value if most is None else value[: most + 1]
        converted = [item_reader(item, f"{path}[{index}]", reading) for index, item in enumerate(read)]
        return [item for item in converted if item is not None]

    return convert


def _map_reader(entry: descriptor.Descriptor, most: int | None) -> Callable[[Any, str, json_values.Reading], Any]:
    key, item_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
    if key.type != _TEXT or item_field.message_type is not None:
        raise TypeError(f"{entry.full_name}: only maps of text to scalars have a JSON form here")
    scalar = json_values.scalar(item_field)

    def convert(value: Any, path: str, reading: json_values.Reading) -> dict[str, Any] | None:  # as above
        if not json_values.is_object(value, path, reading):
            return None
        json_values.tell_repeated(value, path, reading)
        converted = {}
        for name, item in itertools.islice(value.items(), None if most is None else most + 1):
            where = json_values.map_path(path, name)
            found = reading.try_scalar(scalar, item, where)
            if found is not None and reading.try_scalar(json_values.text, name, where) is not None:
                converted[name] = found
        return converted

    return convert


def _message_reader(described: descriptor.Descriptor) -> Callable[[Any, str, json_values.Reading], Any]:
    well_known = json_values.WELL_KNOWN.get(described.full_name)
    return well_known or functools.partial(_object, table(described))


def decode_query(items: Iterable[tuple[str, str]], message_class: type[_M], fields: Collection[str]) -> _M:
    """Returns the message that query parameters describe.

    Args:
        items: The parameters in their order, decoded.
        message_class: The request's class.
        fields: Names of the fields, as in the proto, that may be given this way.

    Raises:
        ApiError: ``VALIDATION_ERROR``, with everything that is wrong.
    """
    decoded, violations = read_query(items, message_class, fields)
    if violations:
        raise errors.invalid(violations)
    return decoded


def read_query(
    items: Iterable[tuple[str, str]], message_class: type[_M], fields: Collection[str]
) -> tuple[_M, tuple[errors.FieldViolation, ...]]:
    """Returns the message as far as query parameters describe one, and what is wrong with them."""
    reading = json_values.Reading()
    given: dict[str, Any] = {}
    known = _parameters(message_class.DESCRIPTOR, frozenset(fields))
    for key, text in items:
        field = known.get(key)
        if field is None:
            hint = _hint(key, known.values()) if not reading.is_full else ""
            reading.add(json_values.shown(key), "query.unknown_parameter", f"is not a query parameter{hint}")
        elif field.name in given:
            reading.add(field.json_name, "query.duplicate", "the query parameter must not be given twice")
        else:
            given[field.name] = _parameter(field, message_class.DESCRIPTOR, text, reading)
    values = {name: value for name, value in given.items() if value is not None}
    return message_class(**values), tuple(reading.violations)


@functools.cache
def _parameters(described: descriptor.Descriptor, names: frozenset[str]) -> dict[str, Field]:
    return {spelling: field for spelling, field in table(described).items() if field.name in names}


def _parameter(field: Field, described: Any, text: str, reading: json_values.Reading) -> Any:  # of its type
    kind = described.fields_by_name[field.name].type
    value: Any = text
    if kind == _BOOL:
        value = _BOOLEANS.get(text, text)
    elif kind != _TEXT and _WHOLE.match(text):
        value = int(text)
    assert field.scalar is not None, f"{field.name} cannot be a query parameter"
    try:
        return field.scalar(value)
    except json_values.WrongError as error:
        reading.add(field.json_name, "query.wrong_type", str(error))
        return None
