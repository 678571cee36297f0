"""JSON data → values of protobuf: what fits which type, and how what does not fit is told.

Scalars raise ``WrongError``, because their place costs something to say and is needed only then; everything larger takes its path and
notes all that is wrong in a ``Reading``. This module knows no message of the API.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor, struct_pb2

from planton_server.service import errors, timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: How deep free data may be nested: what is stored must be readable again, and protobuf counts three levels for each of these.
MAX_DEPTH: Final = 24
#: How many values free data may hold, each list and object counted: a megabyte of empty lists would keep a worker busy for seconds.
MAX_VALUES: Final = 10_000
TOO_LARGE: Final = f"must not hold more than {MAX_VALUES:,} values"
#: Characters of a caller's own word that are shown, and up to which a similar word is looked for.
LONGEST: Final = 64
_F: Final = descriptor.FieldDescriptor
#: Type of a field → the least and the greatest number that it holds.
INTEGERS: Final = {
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), (-(2**31), 2**31 - 1)),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), (-(2**63), 2**63 - 1)),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), (0, 2**32 - 1)),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), (0, 2**64 - 1)),
}
_NAMES: Final = {list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}


class WrongError(Exception):
    """A scalar does not fit its field; the text says what must hold.

    Attributes:
        rule: The last part of the rule's id.
    """

    def __init__(self, text: str, rule: str = "wrong_type") -> None:
        super().__init__(text)
        self.rule = rule


class Repeated(dict[str, Any]):
    """An object of which a key stands twice, so that it can be told with its path.

    Attributes:
        twice: The keys that do.
    """

    __slots__ = ("twice",)
    twice: list[str]


class Reading:
    """What is wrong with a request, as far as it is read.

    Attributes:
        violations: At most ``errors.MAX_VIOLATIONS``, and one that says that there are more.
    """

    __slots__ = ("violations",)

    def __init__(self) -> None:
        self.violations: list[errors.FieldViolation] = []

    @property
    def is_full(self) -> bool:
        """Whether further violations are dropped."""
        return len(self.violations) > errors.MAX_VIOLATIONS

    def add(self, path: str, rule_id: str, text: str) -> None:
        """Notes what must hold of a field."""
        if len(self.violations) < errors.MAX_VIOLATIONS:
            self.violations.append(errors.FieldViolation(path, rule_id, text))
        elif not self.is_full:
            self.violations.append(errors.more_than(errors.MAX_VIOLATIONS))

    def try_scalar(self, convert: Callable[[Any], Any], value: Any, path: str) -> Any:  # JSON data; a value of the field's type
        """Returns a converted scalar; None, and a note, where it does not fit."""
        try:
            return convert(value)
        except WrongError as error:
            self.add(path, f"json.{error.rule}", str(error))
            return None


def join(path: str, name: str) -> str:
    """Returns the path of a field below a path."""
    return f"{path}.{name}" if path else name


def map_path(path: str, key: str) -> str:
    """Returns the path of a map's entry, ``labels["x"]``."""
    escaped = shown(key).replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{escaped}"]'


def shown(key: str) -> str:
    """Returns a caller's own word, cut short and fit to be encoded."""
    cut = key if len(key) <= LONGEST else f"{key[:LONGEST]}…"
    return cut.encode("utf-8", "replace").decode()


def name_of(value: Any) -> str:  # JSON data, as everywhere below
    """Returns what a value is, in words."""
    return "null" if value is None else _NAMES.get(type(value), "an object")


def text(value: Any) -> str:
    """Returns a text.

    Raises:
        WrongError: It is none, or holds what databases and UTF-8 cannot hold.
    """
    if type(value) is not str:
        raise WrongError(f"must be text, not {name_of(value)}")
    if "\x00" in value or not (value.isascii() or _is_unicode(value)):
        raise WrongError("must not hold the character NUL or half of a surrogate pair", "text")
    return value


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def boolean(value: Any) -> bool:
    """Returns a boolean.

    Raises:
        WrongError: It is none.
    """
    if type(value) is not bool:
        raise WrongError(f"must be true or false, not {name_of(value)}")
    return value


def integer(low: int, high: int) -> Callable[[Any], int]:
    """Returns the converter of whole numbers of a range, for which 5.0 is 5; it raises WrongError."""

    def convert(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise WrongError(f"must be a whole number, not {'a fraction' if type(value) is float else name_of(value)}")
        if not low <= value <= high:
            raise WrongError(f"must be a whole number from {low} to {high}")
        return value

    return convert


def scalar(field: descriptor.FieldDescriptor) -> Callable[[Any], Any]:
    """Returns the converter of a scalar field; it raises WrongError.

    Raises:
        TypeError: The field has a type that the API does not use, which is a mistake of the schema.
    """
    if field.type == _F.TYPE_STRING:
        return text
    if field.type == _F.TYPE_BOOL:
        return boolean
    if field.type in INTEGERS:
        return integer(*INTEGERS[field.type])
    raise TypeError(f"{field.full_name}: this type has no JSON form here")


def is_object(value: Any, path: str, reading: Reading) -> bool:
    """Returns whether a value is an object; notes it where not."""
    if isinstance(value, dict):
        return True
    reading.add(path, "json.wrong_type", f"must be an object, not {name_of(value)}")
    return False


def is_list(value: Any, path: str, reading: Reading) -> bool:
    """Returns whether a value is a list; notes it where not."""
    if type(value) is list:
        return True
    reading.add(path, "json.wrong_type", f"must be a list, not {name_of(value)}")
    return False


def tell_repeated(value: dict[str, Any], path: str, reading: Reading) -> None:
    """Notes each key of a map or of free data that stands twice."""
    for key in value.twice if isinstance(value, Repeated) else ():
        reading.add(map_path(path, key), "json.duplicate_key", "the key stands twice in the object")


def _timestamp(value: Any, path: str, reading: Reading) -> Any:  # a Timestamp or None
    parsed = timestamps.parse(value) if type(value) is str else None
    if parsed is None:
        reading.add(path, "json.wrong_type", "must be a time by RFC 3339, for example 2025-10-17T10:30:00Z")
    return parsed


def _struct(value: Any, path: str, reading: Reading) -> dict[str, Any] | None:
    return value if is_object(value, path, reading) and _fits(value, path, reading) else None


def _list_value(value: Any, path: str, reading: Reading) -> list[Any] | None:
    return value if is_list(value, path, reading) and _fits(value, path, reading) else None


def _value(value: Any, path: str, reading: Reading) -> struct_pb2.Value | None:
    if not _fits(value, path, reading):
        return None
    kind = type(value)
    if kind is str:
        return struct_pb2.Value(string_value=value)
    if kind is bool:
        return struct_pb2.Value(bool_value=value)
    if kind is dict:
        return struct_pb2.Value(struct_value=value)
    if kind is list:
        return struct_pb2.Value(list_value=value)
    return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE) if value is None else struct_pb2.Value(number_value=value)


#: Full name of a message that has a JSON form of its own → what reads it; None, and a note, where it does not fit.
WELL_KNOWN: Final[dict[str, Callable[[Any, str, Reading], Any]]] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Struct": _struct,
    "google.protobuf.ListValue": _list_value,
    "google.protobuf.Value": _value,
}


def is_too_large(value: Any, parts: Callable[[Any], Iterable[Any]]) -> bool:
    """Returns whether free data holds more than :data:`MAX_VALUES`; looks at few more than these.

    Args:
        value: The data, in any form.
        parts: Returns what a value holds.
    """
    waiting, seen = [value], 0
    while waiting and seen <= MAX_VALUES:
        seen += 1
        waiting.extend(itertools.islice(parts(waiting.pop()), MAX_VALUES + 1))
    return seen > MAX_VALUES


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _fits(value: Any, path: str, reading: Reading) -> bool:
    """Returns whether free data is neither too much nor what protobuf cannot hold; notes where it is."""
    if is_too_large(value, _parts):
        reading.add(path, "json.too_large", TOO_LARGE)
        return False
    return _is_free(value, path, reading, 1)


def _is_free(value: Any, path: str, reading: Reading, depth: int) -> bool:
    """Returns whether protobuf can hold free data; notes what it cannot."""
    kind = type(value)
    if kind is str:
        return reading.try_scalar(text, value, path) is not None
    if kind is int or kind is float:
        return reading.try_scalar(_double, value, path) is not None
    if value is None or kind is bool:
        return True
    if depth > MAX_DEPTH:
        reading.add(path, "json.too_deep", f"must not be nested more than {MAX_DEPTH} levels deep")
        return False
    if kind is list:
        fits = [_is_free(item, f"{path}[{index}]", reading, depth + 1) for index, item in enumerate(value)]
    else:
        tell_repeated(value, path, reading)
        fits = [reading.try_scalar(text, name, map_path(path, name)) is not None for name in value]
        fits += [_is_free(item, map_path(path, name), reading, depth + 1) for name, item in value.items()]
    return all(fits)


def _double(value: float) -> float:
    try:
        held = abs(float(value)) != float("inf")
    except OverflowError:
        held = False
    if not held:
        raise WrongError("must be a number that a 64-bit float can hold")
    return value
