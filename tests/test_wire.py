"""The schema compared with ``tests/wire``: numbers, names, types and rules that clients depend on."""

import importlib
import os
import pathlib
import subprocess
import sys

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor, descriptor_pool

from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2, cloud_resource_provider_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from org.project_planton.shared.options import options_pb2
from support import wire

PREFIX = "org.project_planton."
TABLE = pathlib.Path(__file__).parent / "wire" / "table.txt"
#: Own fields in messages of the table have numbers from here on.
FIRST_OWN = 100
OPTIONS = {
    "default_kind_field_path": foreign_key_pb2.default_kind_field_path,
    "recommended_default": options_pb2.recommended_default,
    "default": options_pb2.default,
}
FIELD = descriptor.FieldDescriptor
SCALARS = {FIELD.TYPE_STRING: "string", FIELD.TYPE_BOOL: "bool", FIELD.TYPE_UINT32: "uint32", FIELD.TYPE_INT32: "int32"}


def rows(table: str) -> list[list[str]]:
    """Returns the rows of one of the file's tables, each with as many cells as the widest."""
    lines = [[cell.strip() for cell in line.split(" | ", 6)] for line in TABLE.read_text("utf-8").splitlines()]
    cells = [line[1:] for line in lines if line[0] == table]
    width = max(len(line) for line in cells)
    return [line + [""] * (width - len(line)) for line in cells]


@pytest.fixture(scope="module", autouse=True)
def stubs() -> None:
    """Registers every type in the descriptor pool."""
    root = pathlib.Path(foreign_key_pb2.__file__).parents[5]
    for path in sorted(root.glob("org/**/*_pb2.py")):
        importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))


def message(name: str) -> descriptor.Descriptor:
    return descriptor_pool.Default().FindMessageTypeByName(PREFIX + name)


def type_of(field: descriptor.FieldDescriptor) -> str:
    part = field.message_type
    if part is not None and part.GetOptions().map_entry:
        return f"map<{type_of(part.fields_by_name['key'])},{type_of(part.fields_by_name['value'])}>"
    if part is not None:
        return part.full_name.removeprefix(PREFIX)
    if field.enum_type is not None:
        return "enum " + field.enum_type.full_name.removeprefix(PREFIX)
    return SCALARS[field.type]


def label_of(field: descriptor.FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "map"
    oneof = field.containing_oneof
    if oneof is not None and len(oneof.fields) > 1:
        return f"oneof {oneof.name}"
    return "repeated" if field.is_repeated else "singular"


def has_rule(field: descriptor.FieldDescriptor, rule: str) -> bool:
    options = field.GetOptions()
    validate = options.Extensions[validate_pb2.field]
    name, _, value = rule.partition("=")
    if name == "required":
        return validate.required
    if name == "default_kind":
        return options.Extensions[foreign_key_pb2.default_kind] == cloud_resource_kind_pb2.CloudResourceKind.Value(value)
    if name in OPTIONS:
        return options.Extensions[OPTIONS[name]] == value
    kind, _, member = name.partition(".")
    return str(getattr(getattr(validate, kind), member)) == value


@pytest.mark.parametrize("row", rows("message"), ids=lambda row: f"{row[0]}.{row[2]}")
def test_a_field_of_the_table_is_unchanged(row: list[str]) -> None:
    """Number, name, type, label and rules are compared."""
    name, number, field_name, kind, label, rules = row
    field = message(name).fields_by_number[int(number)]
    assert (field.name, type_of(field), label_of(field)) == (field_name, kind, label)
    assert [rule for rule in rules.split("; ") if rule and not has_rule(field, rule)] == []


@pytest.mark.parametrize("name", sorted({row[0] for row in rows("message")}))
def test_own_fields_of_a_message_have_large_numbers(name: str) -> None:
    """A later upstream field could have a small number."""
    recorded = {int(row[1]) for row in rows("message") if row[0] == name}
    assert {number for number in message(name).fields_by_number if number < FIRST_OWN} == recorded


@pytest.mark.parametrize("row", rows("enum"), ids=lambda row: f"{row[0]}.{row[2]}")
def test_an_enum_value_of_the_table_is_unchanged(row: list[str]) -> None:
    """Number, name and display label are compared. The enum has no other values."""
    name, number, value_name, label = row
    enum = descriptor_pool.Default().FindEnumTypeByName(PREFIX + name)
    value = enum.values_by_name[value_name]
    assert value.number == int(number)
    assert value.GetOptions().Extensions[options_pb2.display_label] == label
    assert len(enum.values) == sum(1 for other in rows("enum") if other[0] == name)


@pytest.mark.parametrize("row", rows("extension"), ids=lambda row: row[0])
def test_an_extension_of_the_table_is_unchanged(row: list[str]) -> None:
    """Options, number and type are compared."""
    name, number, extended, label, kind = row[:5]
    field = descriptor_pool.Default().FindExtensionByName(PREFIX + name)
    assert (field.number, field.containing_type.name, label_of(field), type_of(field)) == (int(number), extended, label, kind)


@pytest.mark.parametrize("row", rows("kind"), ids=lambda row: row[1])
def test_a_kind_of_the_table_is_unchanged(row: list[str]) -> None:
    """Number, provider, version and id prefix are compared."""
    number, name, provider, version, prefix = row[:5]
    value = cloud_resource_kind_pb2.CloudResourceKind.DESCRIPTOR.values_by_number[int(number)]
    assert value.name == name
    if provider == "-":
        return
    meta = value.GetOptions().Extensions[cloud_resource_kind_pb2.kind_meta]
    provider_name = cloud_resource_provider_pb2.CloudResourceProvider.Name(meta.provider)
    assert (provider_name, cloud_resource_kind_pb2.CloudResourceKindVersion.Name(meta.version), meta.id_prefix) == (
        provider,
        version,
        prefix,
    )


def test_the_enum_of_kinds_is_complete() -> None:
    """Clients depend on all of its values."""
    assert len(cloud_resource_kind_pb2.CloudResourceKind.keys()) == 139


@pytest.mark.parametrize("row", rows("provider"), ids=lambda row: row[1])
def test_a_provider_of_the_table_is_unchanged(row: list[str]) -> None:
    """Number, API group and display name are compared."""
    number, name, group, display = row[:4]
    value = cloud_resource_provider_pb2.CloudResourceProvider.DESCRIPTOR.values_by_number[int(number)]
    meta = value.GetOptions().Extensions[cloud_resource_provider_pb2.provider_meta]
    assert (value.name, meta.group, meta.display_name) == (name, group, display)


def test_recorded_fields_and_values_are_unchanged(tmp_path: pathlib.Path) -> None:
    """Recorded ones keep number, names and type in all packages. New ones must be recorded."""
    image = tmp_path / "now.binpb"
    buf = pathlib.Path(sys.executable).with_name("buf")
    subprocess.run([buf, "build", "-o", image], cwd=TABLE.parents[2], check=True)
    assert wire.removed(image) == []
    if os.environ.get("UPDATE_GOLDENS"):
        wire.add(wire.facts(image))
    new = sorted({*wire.facts(image)} - {*wire.recorded()})
    assert new == [], "record them: UPDATE_GOLDENS=1 pytest tests/test_wire.py"
