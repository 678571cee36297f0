"""The stable facts of the schema, as lines: numbers, names, JSON names and types of every field, and enum values, in all packages.

``tests/wire/fields.txt`` records them. A comparison with the previous commit would lose older facts.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD = pathlib.Path(__file__).resolve().parents[1] / "wire" / "fields.txt"
_PREFIX = "org.project_planton."
_FIELD = descriptor_pb2.FieldDescriptorProto


def recorded() -> list[str]:
    """Returns the recorded lines."""
    return [line for line in RECORD.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def add(lines: list[str]) -> None:
    """Adds lines to the record; a recorded line is changed by hand only."""
    head = [line for line in RECORD.read_text("utf-8").splitlines() if line.startswith("#")]
    RECORD.write_text("\n".join([*head, "", *sorted({*recorded(), *lines}, key=_order)]) + "\n", "utf-8")


def facts(image: pathlib.Path) -> list[str]:
    """Returns the lines of the schema in an image of ``buf build``."""
    return sorted((line for file in _files(image) for line in _of_file(file)), key=_order)


def removed(image: pathlib.Path) -> list[str]:
    """Returns the recorded lines that are missing from an image, except those with a reserved number and name."""
    messages = dict(pair for file in _files(image) for pair in _messages(file))
    missing = [(line, *line.split(" | ")[:3]) for line in sorted({*recorded()} - {*facts(image)}, key=_order)]
    return [
        line
        for line, name, number, field in missing
        if not (name in messages and _is_reserved(messages[name], int(number), field))
    ]


def _files(image: pathlib.Path) -> list[descriptor_pb2.FileDescriptorProto]:
    files = descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes()).file
    return [file for file in files if file.package.startswith(_PREFIX)]


def _of_file(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    for name, message in _messages(file):
        for field in message.field:
            kind = field.type_name.removeprefix(f".{_PREFIX}") or _FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()
            yield " | ".join([name, str(field.number), field.name, field.json_name, kind, _label(message, field)])
        for enum in message.enum_type:
            yield from _values(f"{name}.{enum.name}", enum)
    for enum in file.enum_type:
        yield from _values(f"{_package(file)}.{enum.name}", enum)


def _messages(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
    pending = [(f"{_package(file)}.{message.name}", message) for message in file.message_type]
    for name, message in pending:
        yield name, message
        pending += [(f"{name}.{nested.name}", nested) for nested in message.nested_type]


def _package(file: descriptor_pb2.FileDescriptorProto) -> str:
    return file.package.removeprefix(_PREFIX)


def _values(name: str, enum: descriptor_pb2.EnumDescriptorProto) -> Iterator[str]:
    yield from (" | ".join([name, str(value.number), value.name]) for value in enum.value)


def _label(message: descriptor_pb2.DescriptorProto, field: descriptor_pb2.FieldDescriptorProto) -> str:
    # A change of field presence breaks no message.
    if field.HasField("oneof_index") and not field.proto3_optional:
        return f"oneof {message.oneof_decl[field.oneof_index].name}"
    return "repeated" if field.label == _FIELD.LABEL_REPEATED else "singular"


def _is_reserved(message: descriptor_pb2.DescriptorProto, number: int, field: str) -> bool:
    return field in message.reserved_name and any(span.start <= number < span.end for span in message.reserved_range)


def _order(line: str) -> tuple[str, int, str]:
    name, number, remainder = line.split(" | ", 2)
    return name, int(number), remainder
