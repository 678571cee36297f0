"""The JSON Schema of manifests: on the whole corpus its verdicts equal the strict decoder's, as far as a schema can express them."""

from __future__ import annotations

import functools
import json
import pathlib
import re
from typing import Any

import jsonschema_rs
import pytest
import yaml
from google.protobuf import json_format

import json_schema
from planton import cli, errors
from planton.manifest import load
from planton.schema import documents, kinds
from support import mutations, yaml12

ROOT = pathlib.Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "kinds"
#: Files that violate a rule about the text, which a schema cannot see → the resulting data.
TEXT = {
    "manifest.empty": "no document",
    "manifest.wrong_type@octal": "010 is the number 10 in YAML 1.2",
    "yaml.duplicate_key": "one of the two values",
    "yaml.duplicate_key@map": "one of the two values",
    "yaml.quote_scalar@boolean": "no is a text in YAML 1.2",
    "yaml.quote_scalar@letter": "y is a text in YAML 1.2",
    "yaml.quote_scalar@list": "on is a text in YAML 1.2",
    "yaml.quote_scalar@underscore": "1_000 is a text in YAML 1.2",
}


@functools.cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json_schema.document(name))


def accepted(data: Any) -> bool:
    """Returns whether the common schema accepts a document. The schema of its kind must agree."""
    verdict = validator("").is_valid(data)
    if isinstance(data, dict) and isinstance(data.get("kind"), str) and kinds.find(data["kind"]):
        assert validator(data["kind"]).is_valid(data) == verdict
    return verdict


def files(section: str) -> list[pathlib.Path]:
    return sorted(CORPUS.glob(f"*/{section}/*"))


def name(path: pathlib.Path) -> str:
    return f"{path.parent.parent.name}/{path.name}"


def read(path: pathlib.Path) -> list[Any]:
    data = path.read_bytes()
    return [json.loads(data)] if path.suffix == ".json" else yaml12.documents(data)


@pytest.mark.parametrize("path", files("valid"), ids=name)
def test_every_valid_manifest_is_accepted(path: pathlib.Path) -> None:
    """The errors of the schema are listed otherwise."""
    manifests = read(path)
    assert manifests
    for document in manifests:
        violations = [f"{error.instance_path}: {error.message}" for error in validator("").iter_errors(document)]
        assert violations == []
        assert accepted(document)


@pytest.mark.parametrize("snake", [False, True], ids=["camelCase", "snake_case"])
def test_both_spellings_of_all_fields_and_enums_are_accepted(snake: bool) -> None:
    """Fields have the spelling of manifests and of the protos. Enums are names and numbers."""
    for path in files("valid"):
        for document in load.load([str(path)]):
            for numbers in (False, True):
                data = json_format.MessageToDict(
                    document.message, preserving_proto_field_name=snake, use_integers_for_enums=numbers
                )
                assert accepted(data), path


@pytest.mark.parametrize("path", files("invalid"), ids=name)
def test_every_invalid_manifest_is_refused_unless_the_schema_cannot_check_it(path: pathlib.Path) -> None:
    """It accepts manifests whose violated rule is in `x-rules`, or is about the text."""
    try:
        manifests = read(path)
    except (yaml.YAMLError, UnicodeDecodeError):
        assert path.parent.parent.name == "yaml"
        return
    is_accepted = path.stem.partition("@")[0] in unchecked() or path.stem in TEXT
    assert all(accepted(document) for document in manifests) == is_accepted


@pytest.mark.parametrize(
    ("written", "reader", "schema"),
    [("nodeCount: 1_000", True, False), ("nodeCount: 0b11", True, False), ('autoScale: "yes"', False, True)],
)
def test_verdicts_differ_for_yaml_1_1_values(written: str, reader: bool, schema: bool) -> None:
    """YAML 1.2 reads them as text, so the schema cannot know their YAML 1.1 value. The page lists them."""
    text = (CORPUS / "CivoKubernetesNodePool" / "valid" / "minimal.yaml").read_text("utf-8")
    field = written.partition(":")[0]
    lines = [line for line in text.splitlines() if not line.strip().startswith(f"{field}:")]
    changed = "\n".join([*lines, f"  {written}\n"])
    assert (not load.collect(load.Text("x", changed.encode()))[1]) == reader
    assert [accepted(document) for document in yaml12.documents(changed.encode())] == [schema]
    assert f"`{written.partition(': ')[2]}`" in (ROOT / "docs" / "use" / "editors.md").read_text("utf-8")


@functools.cache
def unchecked() -> set[str]:
    """Returns the ids under ``x-rules``: the rules that the schema cannot check."""
    return set(_unchecked(json_schema.document()))


def _unchecked(schema: Any) -> list[str]:
    parts = list(schema.values()) if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    own = [rule["id"] for rule in schema.get("x-rules", [])] if isinstance(schema, dict) else []
    return own + [rule for part in parts for rule in _unchecked(part)]


def violated_rules(data: Any) -> set[str]:
    """Returns the ids of the rules that a document violates."""
    return {violation.rule_id for violation in load.collect(load.Text("x", json.dumps(data).encode()))[1]}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind.name for kind in kinds.all_kinds()])
def test_verdicts_agree_on_manifests_with_one_change(kind: str) -> None:
    """One value is changed or removed. The schema and the decoder agree on all rules that the schema can check."""
    schema, count, refused = validator(kind), 0, 0
    valid = (document for path in sorted((CORPUS / kind / "valid").iterdir()) for document in read(path))
    for changed, place, value in mutations.changes(document for document in valid if not violated_rules(document)):
        violated = violated_rules(changed)
        verdict = schema.is_valid(changed)
        assert verdict == (violated <= unchecked()), (changed["metadata"], place, value, violated)
        count, refused = count + 1, refused + (not verdict)
    assert count > 1000
    assert 0.2 < refused / count < 0.95


@pytest.mark.parametrize("kind", ["", *json_schema.names()])
def test_every_schema_is_valid(kind: str) -> None:
    """It follows its dialect, and all referenced definitions exist."""
    schema = json_schema.document(kind)
    jsonschema_rs.meta.validate(schema)
    referred = set(re.findall(r'"\$ref": "#/\$defs/([A-Za-z0-9]+)', json.dumps(schema)))
    assert referred <= schema["$defs"].keys()


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.all_kinds()])
def test_every_field_has_a_description(kind: str) -> None:
    """Editors show the comment of the proto."""
    missing = [
        f"{name}.{field}"
        for name, schema in json_schema.document(kind)["$defs"].items()
        for field, definition in schema.get("properties", {}).items()
        if not definition.get("description")
    ]
    assert missing == []


def test_editors_offer_enum_names_defaults_and_one_spelling() -> None:
    """Enum names have descriptions. Other spellings are accepted, but not offered."""
    schema = json_schema.document("CivoKubernetesCluster")["$defs"]
    spec = schema["CivoKubernetesClusterSpec"]
    assert schema["CivoRegion"]["anyOf"][0]["enum"][:2] == ["lon1", "lon2"]
    assert schema["CivoRegion"]["anyOf"][0]["enumDescriptions"][0] == "London, first site (`LON1`)."
    assert spec["properties"]["clusterType"]["default"] == "k3s"
    assert [name for name in spec["properties"] if "_" in name] == []
    assert "^cluster_type$" in spec["patternProperties"]


def test_every_number_and_boolean_has_a_readable_error_message() -> None:
    """Editors show it instead of the pattern that accepts quoted numbers and YAML 1.1 booleans."""
    definitions = {kind: json_schema.document(kind)["$defs"] for kind in json_schema.names()}
    spec = definitions["CivoKubernetesNodePool"]["CivoKubernetesNodePoolSpec"]["properties"]
    assert spec["nodeCount"]["patternErrorMessage"] == "must be a whole number from 1 to 4294967295"
    assert spec["publicIp"]["patternErrorMessage"] == "must be true or false"
    missing = [
        f"{name}.{field}"
        for schemas in definitions.values()
        for name, schema in schemas.items()
        for field, definition in schema.get("properties", {}).items()
        if {"integer", "boolean"} & set(definition.get("type", [])) and "patternErrorMessage" not in definition
    ]
    assert missing == []


@pytest.mark.parametrize("word", ["civovpc", "CivoVpcs", "CivoVpc"])
def test_the_command_prints_the_committed_schema(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Kinds may be plural and in any case, as in other commands."""
    assert cli.main(["schema", word]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((ROOT / "schemas" / "CivoVpc.schema.json").read_text("utf-8"))


def test_the_command_without_a_kind_prints_the_common_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """It is for all kinds."""
    assert cli.main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json.loads((ROOT / "schemas" / "planton.schema.json").read_text("utf-8"))
    assert schema["properties"]["kind"]["enum"] == [kind.name for kind in kinds.all_kinds()]


def test_an_unknown_kind_is_an_error_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Policies have a schema too, so their kind is suggested."""
    assert cli.main(["schema", "polic"]) == errors.Code.INVALID
    assert "did you mean 'Policy'?" in capsys.readouterr().err


def test_the_schema_of_policies_accepts_the_examples() -> None:
    """It refuses invalid policies."""
    schema = jsonschema_rs.Draft202012Validator(json_schema.document("policy"))
    policies = [read(path)[0] for path in sorted((ROOT / "examples" / "policies").iterdir())]
    assert all(schema.is_valid(policy) for policy in policies)
    assert len(policies) == 4
    for change in ({"level": "fatal"}, {"id": "nodots"}, {"expression": ""}, {"expresion": "true"}):
        rule = {"id": "a.b", "expression": "true", "message": "m"} | change
        assert not schema.is_valid(policies[0] | {"rules": [rule]}), change
    assert not schema.is_valid(policies[0] | {"rules": []})


@pytest.mark.parametrize("kind", ["", *json_schema.names()])
def test_the_package_contains_the_generated_schemas(kind: str) -> None:
    """`planton schema` prints package data."""
    assert documents.json_schema(kind) == json_schema.document(kind)
