"""JSON data as a form of data for the decoder (`planton.manifest.decode`): the bodies of API requests.

``null`` is the same as an omitted field, except for a ``google.protobuf.Value``, and is not allowed in lists and maps. Free data keeps
its numbers as 64-bit floats. Times are cut to microseconds. Messages contain no values, for a value may be a secret.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from buf.validate import validate_pb2
from google.protobuf import descriptor
from google.protobuf import message as protobuf_message

from planton.manifest import decode, json_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from planton import errors

#: The maximum number of violations of a body.
MAX_VIOLATIONS: Final = 100
_F: Final = descriptor.FieldDescriptor
_M = TypeVar("_M", bound=protobuf_message.Message)


def read(data: bytes, message_class: type[_M]) -> tuple[_M, list[errors.Violation]]:
    """Returns the message of a JSON text, as far as it can be decoded, and all violations.

    A violation has a field path, a rule id (``json.…``) and no file and no line.
    """
    reading = decode.Reading(FORM)
    message = message_class()
    try:
        tree = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reading.add(None, "", _malformed(error), "json.malformed")
    else:
        decode.fill(message, tree, "", reading)
    return message, reading.violations


def read_parameters(
    items: Iterable[tuple[str, str]], message_class: type[_M], names: Sequence[str]
) -> tuple[_M, list[errors.Violation]]:
    """Returns the message of query parameters, as far as they can be decoded, and all violations.

    Args:
        items: The parameters in their order, decoded.
        message_class: The request's class.
        names: The proto names of the fields that may be query parameters, all of them scalars.
    """
    reading = decode.Reading(FORM)
    message = message_class()
    fields = {spelling: field for spelling, field in decode.table(message_class.DESCRIPTOR, FORM).items() if field.name in names}
    seen: set[str] = set()
    for key, text in items:
        field = fields.get(key)
        if field is None:
            suggestion = _nearest(key, [each.json_name for each in fields.values()], reading)
            reading.add(
                None, json_values.shown(key), "is not a query parameter", "query.unknown_parameter", suggestion=suggestion
            )
        elif field.name in seen:
            reading.add(None, field.json_name, "the query parameter must not be given twice", "query.duplicate")
        else:
            seen.add(field.name)
            try:
                setattr(message, field.name, field.convert(_parameter(field, text)))
            except decode.WrongError as error:
                reading.add(None, field.json_name, error.detail, "query.wrong_type")
    return message, reading.violations


_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,39})\Z", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}


def _parameter(field: decode.Field, text: str) -> Any:  # JSON data
    kind = field.described.type
    if kind == _F.TYPE_BOOL:
        return _BOOLEANS.get(text, text)
    return int(text) if kind != _F.TYPE_STRING and _INTEGER.match(text) else text


def _malformed(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"the body must be UTF-8; byte {error.start} is not"
    if isinstance(error, json.JSONDecodeError):
        return f"the body must be JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, RecursionError):
        return "the body must not be nested so deeply"
    return f"the body must be JSON: {error}"


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not a number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=json_values.Object, parse_constant=_no_constant)


class _Data:
    """JSON data as a form of data."""

    limit = MAX_VIOLATIONS
    too_many = (f"there are more than {MAX_VIOLATIONS} violations; the rest is not shown", "json.too_many")
    keeps_positions = False

    def converter(self, field: Any) -> Callable[[Any], Any]:
        """Returns the function that converts a scalar.

        Raises:
            TypeError: The API does not use the field's type, so that this is a mistake in the schema.
        """
        if field.type == _F.TYPE_STRING:
            return json_values.text
        if field.type == _F.TYPE_BOOL:
            return json_values.boolean
        if field.type in decode.INTEGERS:
            return functools.partial(json_values.integer, *decode.INTEGERS[field.type])
        raise TypeError(f"{field.full_name}: this type has no JSON form here")

    def entries(
        self, node: Any, described: Any, path: str, reading: decode.Reading
    ) -> Iterable[tuple[str | None, Any, Any, bool]] | None:
        """Returns the members of an object."""
        del described
        if not json_values.is_object(node, path, reading):
            return None
        return [(name, name, value, False) for name, value in node]

    def items(self, node: Any, field: decode.Field, path: str, reading: decode.Reading) -> Iterable[Any] | None:
        """Returns the items of a list, at most one more than its rule allows: that one breaks the rule."""
        if not json_values.is_list(node, path, reading):
            return None
        maximum = max_items(field.described)
        return node if maximum is None else node[: maximum + 1]  # type: ignore[no-any-return]  # a list

    def map_entries(
        self, node: Any, field: decode.Field, path: str, reading: decode.Reading
    ) -> Iterable[tuple[Any, Any, bool]] | None:
        """Returns the members of an object, at most one more than its rule allows."""
        if not json_values.is_object(node, path, reading):
            return None
        maximum = max_items(field.described)
        return [(name, value, False) for name, value in itertools.islice(node, None if maximum is None else maximum + 1)]

    def is_null(self, node: Any) -> bool:
        """Returns whether a value is null."""
        return node is None

    def null_item(self, node: Any, field: decode.Field, path: str, reading: decode.Reading) -> None:
        """Reports a null in a list or a map."""
        if field.item is not None:
            json_values.is_object(node, path, reading)
        else:
            reading.convert(field.convert, node, path)

    def unknown(self, described: Any, key: Any, path: str, reading: decode.Reading) -> None:
        """Reports a name that is no field."""
        suggestion = _nearest(key, [field.json_name for field in described.fields], reading)
        reading.add(
            None, decode.join(path, json_values.shown(key)), "is not a field", "json.unknown_field", suggestion=suggestion
        )

    def repeated(self, key: Any, first: str, path: str, reading: decode.Reading) -> None:
        """Reports a name that occurs twice, or in two spellings."""
        detail = json_values.REPEATED if key == first else "the field is given in two spellings"
        reading.add(None, path, detail, "json.duplicate_key")

    def map_key(self, key: Any, field: decode.Field, path: str, reading: decode.Reading) -> Any:  # text
        """Returns the key of a map's entry."""
        return reading.convert(field.convert_key, key, self.entry_path(path, key))

    def entry_path(self, path: str, key: Any) -> str:
        """Returns the path of a map's entry."""
        return decode.map_path(path, json_values.shown(key))

    def fill_well_known(
        self, target: protobuf_message.Message, field: decode.Field, node: Any, path: str, reading: decode.Reading
    ) -> None:
        """Sets a field whose type is a message of ``google.protobuf``."""
        value = json_values.WELL_KNOWN[field.item.full_name](node, path, reading)
        if value is not None:
            # The constructor converts plain data to a Struct natively.
            target.MergeFrom(type(target)(**{field.name: value}))

    def place(self, node: Any, text: str) -> tuple[int, int, str]:
        """Returns zeros: a violation of JSON data has no place."""
        del node, text
        return 0, 0, ""


FORM: Final = _Data()


def _nearest(word: str, names: Iterable[str], reading: decode.Reading) -> str:
    return "" if reading.is_full else decode.nearest(word, list(dict.fromkeys(names)))


@functools.cache
def max_items(field: Any) -> int | None:  # a field's descriptor; the stubs have two of them
    """Returns the maximum number of items or entries of a field; None without one, as for free data."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return rules.repeated.max_items or rules.map.max_pairs or None
