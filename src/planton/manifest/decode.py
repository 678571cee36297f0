"""The one strict decoder: data → message. Every name must be a field, every value must fit the type of its field.

It decodes manifests and the bodies of API requests. One walk follows the descriptor of the message and reports all violations. A ``Form``
reads the data: `yaml_nodes` reads the nodes of a YAML text, `json_data` reads JSON data. It applies no defaults and no rules.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from google.protobuf import descriptor

from planton import errors
from planton.base import suggestions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf import message

_SCALAR, _MESSAGE, _LIST, _MAP, _WELL_KNOWN = range(5)
_LONGEST_WORD: Final = 64
#: The maximum number of messages in a list: rules may compare each with each.
MAX_PARTS: Final = 2_000
_F = descriptor.FieldDescriptor
#: Type of a field → the minimum and the maximum of its integers.
INTEGERS: Final = {
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), (-(2**31), 2**31 - 1)),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), (-(2**63), 2**63 - 1)),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), (0, 2**32 - 1)),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), (0, 2**64 - 1)),
}


class WrongError(Exception):
    """A scalar does not fit its field.

    Attributes:
        detail: The condition that must hold, with the value.
        redacted: The condition without the value, for texts that hold secrets.
        rule_id: The rule's id.
        suggestion: A name that is close to an unknown one; empty if there is none.
    """

    def __init__(self, must: str, value: str = "", *, rule_id: str, redacted: str = "", suggestion: str = "") -> None:
        super().__init__(must)
        self.detail = f"{must}, not {value}" if value else must
        self.redacted = redacted or must
        self.rule_id = rule_id
        self.suggestion = suggestion


class Field(NamedTuple):  # created faster than a dataclass, and every cold start pays for it
    """The facts about a field that decoding needs.

    Attributes:
        how: How it is decoded: as a scalar, a message, a list, a map or a well-known type.
        name: The name in the proto.
        json_name: The name in manifests and in paths.
        convert: Converts a scalar, an item of a list or a value of a map; raises WrongError.
        convert_key: Converts a key of a map; raises WrongError.
        described: The field's descriptor.
        item: The descriptor of the messages in a list or a map; None for scalars.
        oneof: The name of its oneof; empty if it is in none with other fields.
        takes_null: Whether null is a value of it, not an omission.
    """

    how: int
    name: str
    json_name: str
    convert: Callable[[Any], Any]
    convert_key: Callable[[Any], Any]
    described: Any
    item: Any
    oneof: str
    takes_null: bool

    @property
    def is_map(self) -> bool:
        """Whether the field is a map."""
        return self.how == _MAP


class Form(Protocol):
    """A form of data. Methods that return None have reported a violation.

    Attributes:
        limit: The maximum number of violations.
        too_many: The detail and the rule id of the violation that follows the last one.
        keeps_positions: Whether an empty message takes the place of an item that cannot be decoded.
    """

    limit: int
    too_many: tuple[str, str]
    keeps_positions: bool

    def __hash__(self) -> int:
        """Returns the hash of the form; the tables of fields are cached by it."""

    def converter(self, field: Any) -> Callable[[Any], Any]:
        """Returns the function that converts a scalar to the type of a field; it raises WrongError."""

    def entries(
        self, node: Any, described: Any, path: str, reading: Reading
    ) -> Iterable[tuple[str | None, Any, Any, bool]] | None:
        """Returns the entries of a mapping: name, key, value, and whether a merge key brings it in and others win over it."""

    def items(self, node: Any, field: Field, path: str, reading: Reading) -> Iterable[Any] | None:
        """Returns the items of a list."""

    def map_entries(self, node: Any, field: Field, path: str, reading: Reading) -> Iterable[tuple[Any, Any, bool]] | None:
        """Returns the entries of a map: key, value, and whether a merge key brings it in."""

    def is_null(self, node: Any) -> bool:
        """Returns whether a value is null."""

    def null_item(self, node: Any, field: Field, path: str, reading: Reading) -> None:
        """Reports a null in a list or a map."""

    def unknown(self, described: Any, key: Any, path: str, reading: Reading) -> None:
        """Reports a key that is no field."""

    def repeated(self, key: Any, first: str, path: str, reading: Reading) -> None:
        """Reports a field that is set twice, in one spelling or in two."""

    def map_key(self, key: Any, field: Field, path: str, reading: Reading) -> Any:
        """Returns the key of a map's entry."""

    def entry_path(self, path: str, key: Any) -> str:
        """Returns the path of a map's entry."""

    def fill_well_known(self, target: message.Message, field: Field, node: Any, path: str, reading: Reading) -> None:
        """Sets a field whose type is a message of ``google.protobuf``."""

    def place(self, node: Any, text: str) -> tuple[int, int, str]:
        """Returns line, column and source line of a node; zeros if it has no place."""


class Reading:
    """The state of decoding one document.

    Attributes:
        form: The form of the data.
        file: The path as the user wrote it.
        index: The position of the document in its file.
        text: The file's text, for source lines; empty if it must not be shown.
        secret: Whether values must not be shown either.
        violations: All violations so far.
        unread: The paths of values that could not be decoded.
        meant: The paths of the fields that unknown names are close to.
    """

    __slots__ = ("file", "form", "index", "meant", "secret", "text", "unread", "violations")

    def __init__(  # one per document
        self,
        form: Form,
        file: str = "",
        index: int = 0,
        text: str = "",
        *,
        secret: bool = False,
        violations: list[errors.Violation] | None = None,
    ) -> None:
        """Starts without violations; new ones go to ``violations`` if it is set."""
        self.form = form
        self.file = file
        self.index = index
        self.text = text
        self.secret = secret
        self.violations: list[errors.Violation] = [] if violations is None else violations
        self.unread: list[str] = []
        self.meant: list[str] = []

    @property
    def is_full(self) -> bool:
        """Whether further violations are dropped."""
        return len(self.violations) > self.form.limit

    def add(self, node: Any, path: str, detail: str, rule_id: str, *, suggestion: str = "") -> None:
        """Adds a violation at a node."""
        if self.is_full:
            return
        if len(self.violations) == self.form.limit:
            detail, rule_id = self.form.too_many
            path = suggestion = ""
        line, column, source = self.form.place(node, self.text)
        self.violations.append(
            errors.Violation(self.file, line, column, path, detail, rule_id, self.index, source, suggestion=suggestion)
        )

    def misfit(self, error: WrongError, node: Any, path: str) -> None:
        """Adds the violation of a scalar that does not fit its field."""
        text, suggestion = (error.redacted, "") if self.secret else (error.detail, error.suggestion)
        self.add(node, path, text, error.rule_id, suggestion=suggestion)
        self.unread.append(path)

    def convert(self, convert: Callable[[Any], Any], node: Any, path: str) -> Any:  # a value of the field's type
        """Returns a converted scalar; None if it does not fit, which is then a violation."""
        try:
            return convert(node)
        except WrongError as error:
            self.misfit(error, node, path)
            return None


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
    return suggestions.nearest(word, names) if len(word) <= _LONGEST_WORD else ""


def fill(target: message.Message, node: Any, path: str, reading: Reading) -> None:
    """Decodes a node into an empty message; violations go to the reading."""
    entries = reading.form.entries(node, target.DESCRIPTOR, path, reading)
    if entries is not None:
        _fill(target, entries, path, reading)


def _fill(target: message.Message, entries: Iterable[tuple[str | None, Any, Any, bool]], path: str, reading: Reading) -> None:
    form = reading.form
    fields = table(target.DESCRIPTOR, form)
    seen: dict[str, str] = {}
    for name, key, value, is_merged in entries:
        field = fields.get(name) if name is not None else None
        if field is None or name is None:
            form.unknown(target.DESCRIPTOR, key, path, reading)
        elif is_merged and (field.name in seen or (field.oneof and target.WhichOneof(field.oneof))):
            continue
        elif field.name in seen:
            form.repeated(key, seen[field.name], join(path, field.json_name), reading)
        else:
            seen[field.name] = name
            if not form.is_null(value) or field.takes_null:
                _set(target, field, key, value, path, reading)


def _set(  # one call per value, so no object is created for it
    target: message.Message, field: Field, key: Any, node: Any, parent: str, reading: Reading
) -> None:
    path = f"{parent}.{field.json_name}" if parent else field.json_name
    if field.oneof and target.WhichOneof(field.oneof):
        other = target.DESCRIPTOR.fields_by_name[target.WhichOneof(field.oneof)].json_name
        text = f"must not be set together with {other}: only one of them may be set"
        reading.add(key, path, text, "manifest.oneof")
        reading.unread.append(parent)
        return
    if field.how == _SCALAR:
        try:
            setattr(target, field.name, field.convert(node))
        except WrongError as error:
            reading.misfit(error, node, path)
    elif field.how == _MESSAGE:
        entries = reading.form.entries(node, field.item, path, reading)
        if entries is not None:
            inner = getattr(target, field.name)
            inner.SetInParent()
            _fill(inner, entries, path, reading)
    elif field.how == _LIST:
        _fill_list(getattr(target, field.name), field, node, path, reading)
    elif field.how == _MAP:
        _fill_map(getattr(target, field.name), field, node, path, reading)
    else:
        reading.form.fill_well_known(target, field, node, path, reading)


def _fill_list(items: Any, field: Field, node: Any, path: str, reading: Reading) -> None:  # a container of protobuf
    nodes = reading.form.items(node, field, path, reading)
    if nodes is None:
        reading.unread.append(path)
        return
    for index, item in enumerate(nodes):
        place = f"{path}[{index}]"
        if reading.form.is_null(item):
            reading.form.null_item(item, field, place, reading)
            reading.unread.append(place)
            if field.item is not None and reading.form.keeps_positions:
                items.add()
        elif field.item is not None:
            entries = reading.form.entries(item, field.item, place, reading)
            if entries is not None or reading.form.keeps_positions:
                _fill(items.add(), entries or (), place, reading)
        else:
            value = reading.convert(field.convert, item, place)
            if value is not None:
                items.append(value)


def _fill_map(entries: Any, field: Field, node: Any, path: str, reading: Reading) -> None:  # as _fill_list
    form = reading.form
    pairs = form.map_entries(node, field, path, reading)
    if pairs is None:
        reading.unread.append(path)
        return
    seen: set[Any] = set()
    for key, value, is_merged in pairs:
        name = form.map_key(key, field, path, reading)
        if name is None or (is_merged and name in seen):
            continue
        place = form.entry_path(path, name)
        if name in seen:
            form.repeated(key, name, place, reading)
            continue
        seen.add(name)
        if form.is_null(value):
            form.null_item(value, field, place, reading)
            reading.unread.append(place)
        elif field.item is not None:
            fill(entries[name], value, place, reading)
        else:
            converted = reading.convert(field.convert, value, place)
            if converted is not None:
                entries[name] = converted


@functools.cache
def table(described: descriptor.Descriptor, form: Form) -> dict[str, Field]:
    """Returns the fields of a message by each accepted spelling: the JSON name, the proto's name, and that in lowerCamelCase."""
    fields: dict[str, Field] = {}
    for field in described.fields:
        entry = _field(field, form)
        for spelling in (field.json_name, field.name, camel(field.name)):
            fields.setdefault(spelling, entry)
    return fields


def camel(name: str) -> str:
    """Returns a proto's name in lowerCamelCase."""
    return re.sub("_([a-z0-9])", lambda match: match[1].upper(), name)


def _field(field: Any, form: Form) -> Field:  # a field's descriptor; the stubs have two of them
    how = _how(field)
    part = field.message_type
    element = part.fields_by_name["value"] if how == _MAP else field
    real = field.containing_oneof
    return Field(
        how,
        field.name,
        field.json_name,
        form.converter(element) if element.message_type is None else _no_scalar,
        form.converter(part.fields_by_name["key"]) if how == _MAP else _no_scalar,
        field,
        element.message_type,
        real.name if real is not None and len(real.fields) > 1 else "",
        part is not None and part.full_name == "google.protobuf.Value" and how == _WELL_KNOWN,
    )


def _no_scalar(_: Any) -> Any:  # a scalar of any form
    raise TypeError("a message is not a scalar")


def _how(field: Any) -> int:  # as _field
    part = field.message_type
    if part is not None and part.GetOptions().map_entry:
        return _MAP
    if field.is_repeated:
        return _LIST
    if part is None:
        return _SCALAR
    return _WELL_KNOWN if part.full_name.startswith("google.protobuf.") else _MESSAGE
