"""The corpus: tables of manifests, no code per kind.

``tests/kinds/<Kind>/valid/*`` pass; ``tests/kinds/<Kind>/invalid/<rule-id>[@what].yaml`` fail with exactly that rule. The folder
``yaml`` holds what depends on the text and not on the kind.
"""

import functools
import pathlib
import re

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor

from planton import manifest
from planton.manifest import load
from planton.schema import kinds, validation

ROOT = pathlib.Path(__file__).parent / "kinds"
NAMES = [kind.name for kind in kinds.all_kinds()]

#: Rules that no text can break alone, with the reason.
UNREACHABLE = {
    "uint32.gt": "zero is also unset, which `required` reports",
}
#: The same of one kind.
UNREACHABLE_IN = {
    "DigitalOceanVpc": {
        "cloud_resource_metadata.name_fits_stack_name": "no such name is a network's name either",
    },
}
#: Traps that need more text than belongs into a file; tests/unit/test_yaml_reader.py makes it.
MADE_ELSEWHERE = {"yaml.size", "manifest.too_many", "manifest.unchecked"}
#: Annotations are free text to all other readers of the corpus; tests/unit/test_own_annotations.py has these.
MADE_ELSEWHERE |= {"manifest.unknown_annotation", "manifest.annotation_value"}


def files(section: str) -> list[pathlib.Path]:
    return sorted(ROOT.glob(f"*/{section}/*"))


def name(path: pathlib.Path) -> str:
    return f"{path.parent.parent.name}/{path.name}"


@pytest.mark.parametrize("path", files("valid"), ids=name)
def test_valid(path: pathlib.Path) -> None:
    """A valid manifest is read without any violation, and survives being written and read again."""
    documents, violations = load.collect(load.Text(path.name, path.read_bytes()))
    assert [str(violation) for violation in violations] == []
    for document in documents:
        again, wrong = manifest.read(manifest.dump(document.message).encode(), file="again")
        assert [one.message for one in again] == [document.message]
        assert wrong == []


@pytest.mark.parametrize("path", files("invalid"), ids=name)
def test_invalid(path: pathlib.Path) -> None:
    """An invalid manifest fails with exactly the rule that names its file, at a place in the file."""
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
    """Every rule of every message of a kind's tree has a file in the kind's corpus, or is unreachable for a named reason."""
    present = {path.stem.partition("@")[0] for path in (ROOT / kind / "invalid").iterdir()}
    unreachable = {*UNREACHABLE, *UNREACHABLE_IN.get(kind, ())}
    assert rules(kinds.get(kind).message.DESCRIPTOR) - unreachable == present


def test_every_rule_of_the_reader_has_a_file() -> None:
    """Every rule id that the reader can give has a file in the corpus."""
    folder = pathlib.Path(manifest.__file__).parent
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "inputs.py")
    known = set(re.findall(r'"((?:yaml|manifest)\.[a-z_]+)"', text + pathlib.Path(validation.__file__).read_text("utf-8")))
    present = {path.stem.partition("@")[0] for path in (ROOT / "yaml" / "invalid").iterdir()}
    assert known - {"manifest.invalid"} == present | MADE_ELSEWHERE


def rules(root: descriptor.Descriptor) -> set[str]:
    """Returns the ids of all rules that a message of a type, or one in it, can break."""
    found: set[str] = set()
    for described in types(root):
        found |= {rule.id for rule in described.GetOptions().Extensions[validate_pb2.message].cel}
        for field in described.fields:
            found |= field_rules(field.GetOptions().Extensions[validate_pb2.field], field.message_type)
    return found


def field_rules(rule: validate_pb2.FieldRules, part: descriptor.Descriptor | None) -> set[str]:
    found = {one.id for one in rule.cel}
    found |= {"required"} if rule.required else set()
    if part is not None and part.full_name.endswith(".StringValueOrRef"):
        found |= {"reference.kind_is_known", "reference.kind_fits", "reference.field_path_exists"}
    kind = rule.WhichOneof("type")
    if kind is None:
        return found
    for field, value in getattr(rule, kind).ListFields():
        if field.name in ("items", "keys", "values"):
            found |= field_rules(value, None)
        elif field.is_extension:
            predefined = field.GetOptions().Extensions[validate_pb2.predefined]
            found |= {one.id for one in predefined.cel}
        else:
            found.add(f"{kind}.{field.name}")
    return found


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
