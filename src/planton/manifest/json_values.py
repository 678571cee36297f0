"""JSON data → values of protobuf: text, numbers, times, durations, and the free data of ``google.protobuf.Struct``."""

from __future__ import annotations

import datetime
import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2

from planton.manifest import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: The maximum depth of free data. Protobuf counts three levels for each of these, and must be able to read stored data again.
MAX_DEPTH: Final = 24
#: The maximum number of values in free data, each list and object counted. A megabyte of empty lists would block a worker for seconds.
MAX_VALUES: Final = 10_000
#: The maximum number of characters of a caller's own word in a message.
MAX_SHOWN: Final = 64
#: The detail of the violation ``json.too_large``.
TOO_LARGE: Final = f"must not hold more than {MAX_VALUES:,} values"
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001  # only differences of naive UTC times are computed here
_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))\Z", re.ASCII
)
#: At most as many digits as fit into the range of the message.
_DURATION: Final = re.compile(r"(-?)([0-9]{1,11})(?:\.([0-9]{1,9}))?s\Z", re.ASCII)
_LEAP: Final = "60"
#: The detail of the violation of a repeated name.
REPEATED: Final = "the key stands twice in the object"


class Object(list[tuple[str, Any]]):
    """A JSON object as the list of its members, so that a repeated name is not lost."""

    __slots__ = ()


def shown(key: str) -> str:
    """Returns a caller's own word, cut short and valid as UTF-8."""
    cut = key if len(key) <= MAX_SHOWN else f"{key[:MAX_SHOWN]}…"
    return cut.encode("utf-8", "replace").decode()


_NAMES: Final = {list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number", type(None): "null"}


def _name_of(value: Any) -> str:
    return _NAMES.get(type(value), "an object")


def _wrong(must: str, value: Any) -> decode.WrongError:
    return decode.WrongError(must, _name_of(value), rule_id="json.wrong_type")


def text(value: Any) -> str:  # JSON data, here and below
    """Returns a text.

    Raises:
        WrongError: It is not text, or has characters that databases or UTF-8 cannot hold.
    """
    if type(value) is not str:
        raise _wrong("must be text", value)
    if "\x00" in value or not (value.isascii() or _is_unicode(value)):
        raise decode.WrongError("must not hold the character NUL or half of a surrogate pair", rule_id="json.text")
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
        WrongError: It is not a boolean.
    """
    if type(value) is not bool:
        raise _wrong("must be true or false", value)
    return value


def integer(low: int, high: int, value: Any) -> int:
    """Returns a whole number of a range. 5.0 is 5, for JSON has one type of numbers.

    Raises:
        WrongError: It is not a whole number, or out of range.
    """
    if type(value) is float:
        if not value.is_integer():
            raise decode.WrongError("must be a whole number", "a fraction", rule_id="json.wrong_type")
        value = int(value)
    if type(value) is not int:
        raise _wrong("must be a whole number", value)
    if not low <= value <= high:
        raise decode.WrongError(f"must be a whole number from {low} to {high}", rule_id="json.wrong_type")
    return value


def is_object(value: Any, path: str, reading: decode.Reading) -> bool:
    """Returns whether a value is an object; anything else is a violation."""
    if type(value) is Object:
        return True
    reading.add(None, path, f"must be an object, not {_name_of(value)}", "json.wrong_type")
    return False


def is_list(value: Any, path: str, reading: decode.Reading) -> bool:
    """Returns whether a value is a list; anything else is a violation."""
    if type(value) is list:
        return True
    reading.add(None, path, f"must be a list, not {_name_of(value)}", "json.wrong_type")
    return False


def parse_time(value: str) -> timestamp_pb2.Timestamp | None:
    """Returns a time of RFC 3339, cut to microseconds; None if it is invalid, or if protobuf cannot hold it.

    A leap second is the second after it.
    """
    match = _TIME.match(value)
    if match is None:
        return None
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    is_leap = second == _LEAP
    try:
        moment = datetime.datetime.fromisoformat(f"{day}T{minute}:{'59' if is_leap else second}")
        if sign is not None:
            offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - offset if sign == "+" else moment + offset
        if is_leap:
            if (moment.hour, moment.minute) != (23, 59):
                return None
            moment += datetime.timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    since = moment - _EPOCH
    nanos = int((fraction or "")[:6].ljust(6, "0")) * 1000
    return timestamp_pb2.Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=nanos)


def _timestamp(value: Any, path: str, reading: decode.Reading) -> Any:  # a Timestamp or None
    parsed = parse_time(value) if type(value) is str else None
    if parsed is None:
        reading.add(None, path, "must be a time by RFC 3339, for example 2025-10-17T10:30:00Z", "json.wrong_type")
    return parsed


def parse_duration(value: str) -> duration_pb2.Duration | None:
    """Returns a duration in seconds, such as ``1.5s``; None if it is invalid."""
    match = _DURATION.match(value)
    if match is None:
        return None
    sign = -1 if match[1] else 1
    return duration_pb2.Duration(seconds=sign * int(match[2]), nanos=sign * int((match[3] or "").ljust(9, "0")))


def _duration(value: Any, path: str, reading: decode.Reading) -> Any:  # a Duration or None
    parsed = parse_duration(value) if type(value) is str else None
    if parsed is None:
        reading.add(None, path, "must be a duration in seconds, for example 1.5s", "json.wrong_type")
    return parsed


def _struct(value: Any, path: str, reading: decode.Reading) -> Any:  # plain data or None
    return _plain(value) if is_object(value, path, reading) and _fits(value, path, reading) else None


def _list_value(value: Any, path: str, reading: decode.Reading) -> Any:  # as _struct
    return _plain(value) if is_list(value, path, reading) and _fits(value, path, reading) else None


def _value(value: Any, path: str, reading: decode.Reading) -> struct_pb2.Value | None:
    if not _fits(value, path, reading):
        return None
    kind = type(value)
    if kind is str:
        return struct_pb2.Value(string_value=value)
    if kind is bool:
        return struct_pb2.Value(bool_value=value)
    if kind is Object:
        return struct_pb2.Value(struct_value=_plain(value))
    if kind is list:
        return struct_pb2.Value(list_value=_plain(value))
    return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE) if value is None else struct_pb2.Value(number_value=value)


#: Full name of a message with a JSON form of its own → its decoder, which returns None after a violation.
WELL_KNOWN: Final[dict[str, Callable[[Any, str, decode.Reading], Any]]] = {
    "google.protobuf.Duration": _duration,
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Struct": _struct,
    "google.protobuf.ListValue": _list_value,
    "google.protobuf.Value": _value,
}


def _plain(value: Any) -> Any:
    if type(value) is Object:
        return {name: _plain(item) for name, item in value}
    return [_plain(item) for item in value] if type(value) is list else value


def is_too_large(value: Any, parts: Callable[[Any], Iterable[Any]]) -> bool:
    """Returns whether free data has more than :data:`MAX_VALUES` values; it stops soon after the last allowed one.

    Args:
        value: The data, in any form.
        parts: Returns the values in a value.
    """
    waiting, seen = [value], 0
    while waiting and seen <= MAX_VALUES:
        seen += 1
        waiting.extend(itertools.islice(parts(waiting.pop()), MAX_VALUES + 1))
    return seen > MAX_VALUES


def _parts(value: Any) -> Iterable[Any]:
    if type(value) is Object:
        # A repeated name is one value; it is reported on its own.
        return dict(value).values()
    return value if type(value) is list else ()


def _fits(value: Any, path: str, reading: decode.Reading) -> bool:
    """Returns whether protobuf can hold free data of an allowed size; reports what does not fit."""
    if is_too_large(value, _parts):
        reading.add(None, path, TOO_LARGE, "json.too_large")
        return False
    return _is_free(value, path, reading, 1)


def _is_free(value: Any, path: str, reading: decode.Reading, depth: int) -> bool:
    kind = type(value)
    if kind is str:
        return reading.convert(text, value, path) is not None
    if kind is int or kind is float:
        return reading.convert(_double, value, path) is not None
    if value is None or kind is bool:
        return True
    if depth > MAX_DEPTH:
        reading.add(None, path, f"must not be nested more than {MAX_DEPTH} levels deep", "json.too_deep")
        return False
    if kind is list:
        fits = [_is_free(item, f"{path}[{index}]", reading, depth + 1) for index, item in enumerate(value)]
        return all(fits)  # every violation is reported, not only the first
    return _are_free(value, path, reading, depth)


def _are_free(members: Object, path: str, reading: decode.Reading, depth: int) -> bool:
    seen: set[str] = set()
    fits = []
    for name, item in members:
        place = decode.map_path(path, shown(name))
        if name in seen:
            reading.add(None, place, REPEATED, "json.duplicate_key")
        seen.add(name)
        fits.append(reading.convert(text, name, place) is not None)
        fits.append(_is_free(item, place, reading, depth + 1))
    return all(fits)


def _double(value: float) -> float:
    try:
        is_finite = abs(float(value)) != float("inf")
    except OverflowError:
        is_finite = False
    if not is_finite:
        raise decode.WrongError("must be a number that a 64-bit float can hold", rule_id="json.wrong_type")
    return value
