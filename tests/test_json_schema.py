"""The JSON Schema of manifests: over the whole corpus it gives the strict reader's verdicts, as far as it can express them."""

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
#: Files that break a rule of the text, which is gone when it has become data; with what the data is.
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
    """Returns whether the schema of any manifest takes a document; that of its kind must agree."""
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
def test_what_the_reader_takes_is_taken(path: pathlib.Path) -> None:
    """No manifest that is valid is refused."""
    found = read(path)
    assert found
    for document in found:
        wrong = [f"{error.instance_path}: {error.message}" for error in validator("").iter_errors(document)]
        assert wrong == []
        assert accepted(document)


@pytest.mark.parametrize("snake", [False, True], ids=["camelCase", "snake_case"])
def test_both_spellings_of_everything_are_taken(snake: bool) -> None:
    """Every field that the corpus has, in the spelling of manifests and in that of the protos; enums by name and by number."""
    for path in files("valid"):
        for document in load.load([str(path)]):
            for numbers in (False, True):
                data = json_format.MessageToDict(
                    document.message, preserving_proto_field_name=snake, use_integers_for_enums=numbers
                )
                assert accepted(data), path


@pytest.mark.parametrize("path", files("invalid"), ids=name)
def test_what_the_reader_refuses_is_refused(path: pathlib.Path) -> None:
    """Unless the schema says itself that it cannot check the rule, or the text is to blame; then it takes the manifest."""
    try:
        found = read(path)
    except (yaml.YAMLError, UnicodeDecodeError):
        assert path.parent.parent.name == "yaml"
        return
    beyond = path.stem.partition("@")[0] in unchecked() or path.stem in TEXT
    assert all(accepted(document) for document in found) == beyond


@pytest.mark.parametrize(
    ("written", "reader", "schema"),
    [("nodeCount: 1_000", True, False), ("nodeCount: 0b11", True, False), ('autoScale: "yes"', False, True)],
)
def test_verdicts_differ_over_forms_of_yaml_1_1(written: str, reader: bool, schema: bool) -> None:
    """As the page says: where YAML 1.2 reads a text, the schema cannot know what YAML 1.1 would read."""
    text = (CORPUS / "CivoKubernetesNodePool" / "valid" / "minimal.yaml").read_text("utf-8")
    field = written.partition(":")[0]
    kept = [line for line in text.splitlines() if not line.strip().startswith(f"{field}:")]
    changed = "\n".join([*kept, f"  {written}\n"])
    assert (not load.collect(load.Text("x", changed.encode()))[1]) == reader
    assert [accepted(document) for document in yaml12.documents(changed.encode())] == [schema]
    assert f"`{written.partition(': ')[2]}`" in (ROOT / "docs" / "use" / "editors.md").read_text("utf-8")


@functools.cache
def unchecked() -> set[str]:
    """Returns the ids under ``x-rules``: what the schema says that it cannot check."""
    return set(_unchecked(json_schema.document()))


def _unchecked(schema: Any) -> list[str]:
    below = list(schema.values()) if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    own = [rule["id"] for rule in schema.get("x-rules", [])] if isinstance(schema, dict) else []
    return own + [rule for part in below for rule in _unchecked(part)]


def refused_by_reader(data: Any) -> set[str]:
    """Returns the rules that the strict reader says a document breaks."""
    return {violation.rule_id for violation in load.collect(load.Text("x", json.dumps(data).encode()))[1]}


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.all_kinds()])
def test_verdicts_over_manifests_with_one_change(kind: str) -> None:
    """Whatever is changed or taken away, the schema and the reader agree, unless only what the schema cannot check is broken."""
    schema, tried, refused = validator(kind), 0, 0
    valid = (document for path in sorted((CORPUS / kind / "valid").iterdir()) for document in read(path))
    for changed, place, value in mutations.changes(document for document in valid if not refused_by_reader(document)):
        broken = refused_by_reader(changed)
        verdict = schema.is_valid(changed)
        assert verdict == (broken <= unchecked()), (changed["metadata"], place, value, broken)
        tried, refused = tried + 1, refused + (not verdict)
    assert tried > 1000
    assert 0.2 < refused / tried < 0.95


@pytest.mark.parametrize("kind", ["", *json_schema.names()])
def test_schemas_are_schemas(kind: str) -> None:
    """Each keeps the rules of its own dialect, and what it refers to is there."""
    schema = json_schema.document(kind)
    jsonschema_rs.meta.validate(schema)
    referred = set(re.findall(r'"\$ref": "#/\$defs/([A-Za-z0-9]+)', json.dumps(schema)))
    assert referred <= schema["$defs"].keys()


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.all_kinds()])
def test_every_field_has_a_meaning(kind: str) -> None:
    """What an editor shows beside a field is the comment of the proto."""
    silent = [
        f"{name}.{field}"
        for name, schema in json_schema.document(kind)["$defs"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    assert silent == []


def test_what_editors_offer() -> None:
    """Names of enums with their meanings, defaults, and fields in one spelling."""
    schema = json_schema.document("CivoKubernetesCluster")["$defs"]
    spec = schema["CivoKubernetesClusterSpec"]
    assert schema["CivoRegion"]["anyOf"][0]["enum"][:2] == ["lon1", "lon2"]
    assert schema["CivoRegion"]["anyOf"][0]["enumDescriptions"][0] == "London, first site (`LON1`)."
    assert spec["properties"]["clusterType"]["default"] == "k3s"
    assert [name for name in spec["properties"] if "_" in name] == []
    assert "^cluster_type$" in spec["patternProperties"]


def test_what_editors_say_of_a_wrong_number_or_switch() -> None:
    """What must hold, and not the pattern that lets numbers in quotes and the words of YAML 1.1 pass."""
    found = {kind: json_schema.document(kind)["$defs"] for kind in json_schema.names()}
    spec = found["CivoKubernetesNodePool"]["CivoKubernetesNodePoolSpec"]["properties"]
    assert spec["nodeCount"]["patternErrorMessage"] == "must be a whole number from 1 to 4294967295"
    assert spec["publicIp"]["patternErrorMessage"] == "must be true or false"
    silent = [
        f"{name}.{field}"
        for schemas in found.values()
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if {"integer", "boolean"} & set(described.get("type", [])) and "patternErrorMessage" not in described
    ]
    assert silent == []


@pytest.mark.parametrize("word", ["civovpc", "CivoVpcs", "CivoVpc"])
def test_the_command_prints_what_is_committed(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Kinds may be written as everywhere else."""
    assert cli.main(["schema", word]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((ROOT / "schemas" / "CivoVpc.schema.json").read_text("utf-8"))


def test_the_command_without_a_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """The one schema is for all kinds."""
    assert cli.main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json.loads((ROOT / "schemas" / "planton.schema.json").read_text("utf-8"))
    assert schema["properties"]["kind"]["enum"] == [kind.name for kind in kinds.all_kinds()]


def test_an_unknown_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest name is said."""
    assert cli.main(["schema", "polic"]) == errors.Code.INVALID
    assert "did you mean 'Policy'?" in capsys.readouterr().err


def test_policies_have_a_schema() -> None:
    """It takes the examples, and refuses what is no policy."""
    schema = jsonschema_rs.Draft202012Validator(json_schema.document("policy"))
    found = [read(path)[0] for path in sorted((ROOT / "examples" / "policies").iterdir())]
    assert all(schema.is_valid(policy) for policy in found)
    assert len(found) == 4
    for wrong in ({"level": "fatal"}, {"id": "nodots"}, {"expression": ""}, {"expresion": "true"}):
        rule = {"id": "a.b", "expression": "true", "message": "m"} | wrong
        assert not schema.is_valid(found[0] | {"rules": [rule]}), wrong
    assert not schema.is_valid(found[0] | {"rules": []})


@pytest.mark.parametrize("kind", ["", *json_schema.names()])
def test_the_package_holds_what_the_generator_writes(kind: str) -> None:
    """`planton schema` prints package data."""
    assert documents.json_schema(kind) == json_schema.document(kind)
