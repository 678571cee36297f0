"""The corpus: files of manifests, without code per kind.

``tests/kinds/<Kind>/valid/*`` pass. ``tests/kinds/<Kind>/invalid/<rule-id>[@variant].yaml`` fail with exactly that rule. The
folder ``yaml`` has manifests that depend on the text and not on the kind.
"""

import functools
import pathlib
import re

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor

from planton import manifest
from planton.manifest import dumping, load
from planton.schema import kinds, validation

ROOT = pathlib.Path(__file__).parent / "kinds"
NAMES = [kind.name for kind in kinds.all_kinds()]

#: Rules that no manifest can violate alone, with the reason.
UNREACHABLE = {
    "uint32.gt": "zero is also unset, which `required` reports",
}
#: The same for one kind.
UNREACHABLE_IN = {
    "DigitalOceanVpc": {
        "cloud_resource_metadata.name_fits_stack_name": "no such name is valid for a network either",
    },
}
#: Rules whose text is too long for a file. tests/unit/test_yaml_reader.py generates it.
TESTED_ELSEWHERE = {"yaml.size", "manifest.too_many", "manifest.unchecked"}
#: Other readers of the corpus accept every annotation. tests/unit/test_own_annotations.py has these.
TESTED_ELSEWHERE |= {"manifest.unknown_annotation", "manifest.annotation_value"}


def files(section: str) -> list[pathlib.Path]:
    return sorted(ROOT.glob(f"*/{section}/*"))


def name(path: pathlib.Path) -> str:
    return f"{path.parent.parent.name}/{path.name}"


@pytest.mark.parametrize("path", files("valid"), ids=name)
def test_a_valid_manifest_has_no_violations(path: pathlib.Path) -> None:
    """It survives writing and reading."""
    documents, violations = load.collect(load.Text(path.name, path.read_bytes()))
    assert [str(violation) for violation in violations] == []
    for document in documents:
        copies, violations = manifest.read(dumping.dump(document.message).encode(), file="copy")
        assert [copy.message for copy in copies] == [document.message]
        assert violations == []


@pytest.mark.parametrize("path", files("invalid"), ids=name)
def test_an_invalid_manifest_violates_the_rule_of_its_file_name(path: pathlib.Path) -> None:
    """It violates no other rule, and the position is in the file."""
    _, violations = load.collect(load.Text(path.name, path.read_bytes()))
    expected = path.stem.partition("@")[0]
    assert {violation.rule_id for violation in violations} == {expected}, [str(violation) for violation in violations]
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    for violation in violations:
        assert 1 <= violation.line <= len(lines)
        assert 1 <= violation.column <= len(lines[violation.line - 1]) + 1
        assert violation.message


@pytest.mark.parametrize("kind", NAMES)
def test_every_rule_has_a_file(kind: str) -> None:
    """The rules are those of all messages of the kind. Unreachable ones have a reason."""
    present = {path.stem.partition("@")[0] for path in (ROOT / kind / "invalid").iterdir()}
    unreachable = {*UNREACHABLE, *UNREACHABLE_IN.get(kind, ())}
    assert rules(kinds.get(kind).message.DESCRIPTOR) - unreachable == present


def test_every_rule_of_the_reader_has_a_file() -> None:
    """The ids are read from the reader's source."""
    folder = pathlib.Path(manifest.__file__).parent
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "inputs.py")
    ids = set(re.findall(r'"((?:yaml|manifest)\.[a-z_]+)"', text + pathlib.Path(validation.__file__).read_text("utf-8")))
    present = {path.stem.partition("@")[0] for path in (ROOT / "yaml" / "invalid").iterdir()}
    assert ids - {"manifest.invalid"} == present | TESTED_ELSEWHERE


def rules(root: descriptor.Descriptor) -> set[str]:
    """Returns the ids of all rules that a message of a type, or a nested one, can violate."""
    ids: set[str] = set()
    for type_ in types(root):
        ids |= {rule.id for rule in type_.GetOptions().Extensions[validate_pb2.message].cel}
        for field in type_.fields:
            ids |= field_rules(field.GetOptions().Extensions[validate_pb2.field], field.message_type)
    return ids


def field_rules(rule: validate_pb2.FieldRules, part: descriptor.Descriptor | None) -> set[str]:
    ids = {cel.id for cel in rule.cel}
    ids |= {"required"} if rule.required else set()
    if part is not None and part.full_name.endswith(".StringValueOrRef"):
        ids |= {"reference.kind_is_known", "reference.kind_fits", "reference.field_path_exists"}
    kind = rule.WhichOneof("type")
    if kind is None:
        return ids
    for field, value in getattr(rule, kind).ListFields():
        if field.name in ("items", "keys", "values"):
            ids |= field_rules(value, None)
        elif field.is_extension:
            predefined = field.GetOptions().Extensions[validate_pb2.predefined]
            ids |= {cel.id for cel in predefined.cel}
        else:
            ids.add(f"{kind}.{field.name}")
    return ids


@functools.cache
def types(root: descriptor.Descriptor) -> list[descriptor.Descriptor]:
    reached = {root.full_name: root}
    waiting = [root]
    while waiting:
        for field in waiting.pop().fields:
            if field.message_type is not None and field.message_type.full_name not in reached:
                reached[field.message_type.full_name] = field.message_type
                waiting.append(field.message_type)
    return list(reached.values())
