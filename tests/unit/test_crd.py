"""CustomResourceDefinitions: rules in Kubernetes' CEL, and complete schemas. tests/languages/test_crd.py applies them to an API server."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, text_format

import crd
import json_schema
from crd import cel, structural
from planton import cli, errors
from planton.schema import documents, kinds
from support import rule_ids

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = kinds.get("CivoKubernetesCluster").message.DESCRIPTOR
SPEC = CLUSTER.fields_by_name["spec"].message_type.full_name


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("this.cluster_name == 'a'", "self.clusterName == 'a'"),
        ("this.kubernetes_version.matches('^v?[0-9]\\\\.$')", r"self.kubernetesVersion.matches('^v?[0-9]\\.$')"),
        ("this.cni == 'x'", "self.?cni.orValue('') == 'x'"),
        ("this.cni.size() < 3", "(has(self.cni) ? self.cni : '').size() < 3"),
        ("!this.auto_upgrade", "!self.?autoUpgrade.orValue(false)"),
        ("!(this.auto_upgrade || true)", "!(self.?autoUpgrade.orValue(false) || true)"),
        ("this.default_node_pool.node_count >= 2u", "self.defaultNodePool.nodeCount >= 2"),
        ("1 - (2 - 3) == 2 - 1 - 1", "1 - (2 - 3) == 2 - 1 - 1"),
        ("(true ? 1 : 2) == 1", "(true ? 1 : 2) == 1"),
        ("this.tags[0] == 'a'", "(has(self.tags) ? self.tags : [])[0] == 'a'"),
    ],
)
def test_optional_fields_are_translated_with_their_default(expression: str, text: str) -> None:
    """Required fields are read directly."""
    assert cel.translate(expression, this=SPEC).text == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("has(this.firewall)", "has(self.firewall)"),
        ("has(this.network.value_from)", "has(self.network.valueFrom)"),
        ("has(this.firewall.value_from)", "has(self.firewall) && has(self.firewall.valueFrom)"),
        ("this.network.value_from.name != ''", "self.network.?valueFrom.name.orValue('') != ''"),
        (
            "this.network.value_from.name.size() == 1",
            "(has(self.network.valueFrom) ? self.network.valueFrom.name : '').size() == 1",
        ),
        ("has(this.tags)", "size(self.?tags.orValue([])) > 0"),
        ("has(this.cluster_name)", "self.clusterName != ''"),
        ("has(this.region)", "self.region != 'civo_region_unspecified'"),
        ("has(this.cluster_type)", "has(self.clusterType)"),
    ],
)
def test_presence_of_nested_fields_is_guarded(expression: str, text: str) -> None:
    """In Kubernetes, reading a field of an absent object is an error."""
    assert cel.translate(expression, this=SPEC).text == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("this.region == 1", "self.region == 'lon1'"),
        ("3 != this.region", "'fra1' != self.region"),
        ("this.region in [1, 2]", "self.region in ['lon1', 'lon2']"),
        ("this.network.value_from.kind == 0", "self.network.?valueFrom.?kind.orValue('unspecified') == 'unspecified'"),
    ],
)
def test_enum_numbers_become_names(expression: str, text: str) -> None:
    """Manifests have names, not numbers."""
    assert cel.translate(expression, this=SPEC).text == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("this.tags.all(t, t != '')", "!has(self.tags) || self.tags.all(t, t != '')"),
        ("this.tags.exists(t, t == 'a')", "has(self.tags) && self.tags.exists(t, t == 'a')"),
        ("this.tags.exists_one(t, t == 'a')", "has(self.tags) && self.tags.exists_one(t, t == 'a')"),
        ("this.tags.filter(t, t == 'a').size() < 2", "(has(self.tags) ? self.tags.filter(t, t == 'a') : []).size() < 2"),
        ("this.tags.map(t, t == 'a', t + 'b') == []", "(has(self.tags) ? self.tags.map(t, t == 'a', t + 'b') : []) == []"),
        ("this.tags.unique()", "!has(self.tags) || self.tags.all(x, self.tags.exists_one(x2, x2 == x))"),
        (
            "this.additional_node_pools.all(p, p.labels.all(k, k != p.name))",
            "!has(self.additionalNodePools) || self.additionalNodePools.all(p, !has(p.labels) || p.labels.all(k, k != p.name))",
        ),
        ("[1, 2].all(x, [1].all(x, x > 0))", "[1, 2].all(x, [1].all(xx, xx > 0))"),
    ],
)
def test_macros_are_restored(expression: str, text: str) -> None:
    """The CEL compiler expands them to loops."""
    assert cel.translate(expression, this=SPEC).text == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("this.isIp()", "isIP(self)"),
        ("!rule || this.isIpPrefix(4)", "isCIDR(self) && cidr(self).ip().family() == 4"),
        ("this == '' || this.isIpPrefix(6)", "self == '' || (isCIDR(self) && cidr(self).ip().family() == 6)"),
        ("rule && this == 'it\\'s'", r"true && self == 'it\'s'"),
    ],
)
def test_predefined_rules_use_the_functions_of_kubernetes(expression: str, text: str) -> None:
    """Kubernetes has its own functions for addresses, and no variable for the value of a predefined rule."""
    assert cel.translate(expression, this="STRING", rule=True).text == text


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("this.cluster_name.isHostname()", "Kubernetes has no isHostname"),
        ("this.region > 1", "region is text in Kubernetes, not a number"),
        ("this.region == 99", "is not a value of CivoRegion"),
        ("this.firewall == this.network", "firewall may be unset, and messages have no zero value"),
        ("this.nothing == 1", "undefined field 'nothing'"),
        ("{'a': 1}.size() == 1", "a message or map literal"),
        ("this.cni == '\\n'", "is not supported here"),
    ],
)
def test_an_untranslatable_rule_is_an_error_with_a_reason(expression: str, reason: str) -> None:
    """The description of the field can then name the missing rule."""
    with pytest.raises(cel.UntranslatableError, match=reason):
        cel.translate(expression, this=SPEC)


def test_the_cost_of_a_rule_depends_on_the_values_it_reads() -> None:
    """A value read in full needs a bound; a comparison with a constant does not."""

    def reads(expression: str, this: str = SPEC) -> set[str]:
        return {name.rpartition(".")[2] for name in cel.translate(expression, this=this).reads}

    assert reads("this.cni == 'x' && this.cluster_type in ['a']") == set()
    assert reads("this.cni.matches('x') == true") == {"cni"}
    assert reads("this.tags.all(t, t == this.cni)") == {"tags", "cni"}
    assert reads("this == 'x'", "STRING") == set()
    assert reads("this == 'x' || this.matches('y')", "STRING") == {"this"}


def expressions(described: Any, seen: set[str]) -> set[str]:
    """Returns the IDs of all CEL rules of a message and its nested messages."""
    if described.full_name in seen:
        return set()
    seen.add(described.full_name)
    ids = set(rule_ids.own(described))
    for field in described.fields:
        if field.message_type is not None:
            ids |= expressions(field.message_type, seen)
    return ids


@pytest.mark.parametrize("kind", crd.names())
def test_every_rule_is_in_the_definition(kind: str) -> None:
    """It appears with its ID, as a rule or as one that Kubernetes cannot check."""
    text = json.dumps(crd.document(kind))
    expected = expressions(kinds.get(kind).message.DESCRIPTOR, set())
    assert {rule for rule in expected if f"[{rule}]" not in text} == set()
    schemas = structural.Schemas(kinds.get(kind).message.DESCRIPTOR, {})
    assert schemas.unchecked.keys() <= {"reference.field_path_exists"}
    assert all(f"[{rule}]" in text for rule in schemas.unchecked)


def described(name: str, *fields: dict[str, Any], rules: str = "") -> Any:
    """Returns the descriptor of a message with these fields and rules, in a new file."""
    file = descriptor_pb2.FileDescriptorProto(name=f"test/{name}.proto", package="org.project_planton.test", syntax="proto3")
    file.dependency.append("buf/validate/validate.proto")
    message = file.message_type.add(name=name)
    for number, field in enumerate(fields, 1):
        added = message.field.add(number=number, **{key: value for key, value in field.items() if key != "rules"})
        added.options.Extensions[validate_pb2.field].MergeFrom(
            text_format.Parse(field.get("rules", ""), validate_pb2.FieldRules())
        )
    message.options.Extensions[validate_pb2.message].MergeFrom(text_format.Parse(rules, validate_pb2.MessageRules()))
    file.enum_type.add(name=f"{name}Size", value=[{"name": f"{name}_none", "number": 0}, {"name": f"{name}_big", "number": 1}])
    pool = descriptor_pool.Default()
    pool.Add(file)
    return pool.FindMessageTypeByName(f"org.project_planton.test.{name}")


def test_rules_of_nested_messages_are_placed_on_their_field() -> None:
    """Rules that Kubernetes cannot express are named in the description."""
    inner = described(
        "Inner", {"name": "text", "type": 9}, rules="cel {id: 'inner.a' message: 'must be' expression: 'this.text != \"\"'}"
    )
    outer = described(
        "Outer",
        {
            "name": "in_it",
            "type": 11,
            "type_name": inner.full_name,
            "rules": "cel {id: 'o.a' message: 'm' expression: 'has(this.text)'}",
        },
        {
            "name": "size",
            "type": 14,
            "type_name": "org.project_planton.test.OuterSize",
            "rules": "cel {id: 'o.b' message: 'm' expression: 'this > 0'} enum {defined_only: true}",
        },
        {"name": "host", "type": 9, "rules": "cel {id: 'o.c' message: 'must be a host' expression: 'this.isHostname()'}"},
        {
            "name": "count",
            "type": 13,
            "rules": "ignore: IGNORE_IF_ZERO_VALUE cel {id: 'o.d' message: 'm' expression: 'this > 1u'}",
        },
        {"name": "names", "type": 9, "label": 3, "rules": "repeated {unique: true min_items: 1} required: true"},
    )
    schemas = structural.Schemas(outer, {})
    properties = schemas.message(outer)["properties"]
    assert properties["inIt"] == {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        structural.RULES: [
            {"rule": "self.?text.orValue('') != ''", "message": "must be [inner.a]"},
            {"rule": "self.?text.orValue('') != ''", "message": "m [o.a]"},
        ],
    }
    assert properties["size"] == {
        "description": "Not checked here: m [o.b].",
        "type": "string",
        "enum": ["Outer_big", "Outer_none"],
    }
    assert properties["host"] == {"description": "Not checked here: must be a host [o.c].", "type": "string"}
    assert properties["count"][structural.RULES] == [{"rule": "self == 0 || (self > 1)", "message": "m [o.d]"}]
    assert properties["names"] == {"type": "array", "minItems": 1, "x-kubernetes-list-type": "set", "items": {"type": "string"}}
    assert schemas.unchecked == {"o.b": "it depends on values outside the resource", "o.c": "Kubernetes has no isHostname"}


@pytest.mark.parametrize(
    ("name", "field", "reason"),
    [
        ("Recursive", {"type": 11, "type_name": "org.project_planton.test.Recursive"}, "contains itself"),
        ("Long", {"type": 4}, "such numbers are not supported here"),
        ("Foreign", {"type": 11, "type_name": "google.protobuf.Duration"}, "a special JSON form"),
    ],
)
def test_a_field_without_a_structural_schema_is_an_error(name: str, field: dict[str, Any], reason: str) -> None:
    """The generator fails in these tests, before an API server could refuse the definition."""
    message = described(name, {"name": "it", **field})
    with pytest.raises(TypeError, match=reason):
        structural.Schemas(message, {}).message(message)


def parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns a schema and its nested schemas."""
    below = [*schema.get("properties", {}).values(), *(schema[key] for key in ("items", "additionalProperties") if key in schema)]
    return [schema, *(part for nested in below for part in parts(nested))]


@pytest.mark.parametrize("kind", crd.names())
def test_schemas_are_structural(kind: str) -> None:
    """Each value has one type and each field one spelling; there are no references, and integers have a format."""
    document = crd.document(kind)
    assert document["metadata"]["name"] == f"{kind.lower()}s.{kinds.get(kind).api_version.partition('/')[0]}"
    [version] = document["spec"]["versions"]
    assert version["subresources"] == {"status": {}}
    schemas = parts(version["schema"]["openAPIV3Schema"])
    keywords = {
        "description",
        "type",
        "format",
        "enum",
        "required",
        "properties",
        "items",
        "additionalProperties",
        "default",
        "pattern",
        "x-kubernetes-list-type",
    }
    keywords |= {f"{least}{of}" for least in ("min", "max") for of in ("imum", "Length", "Items", "Properties")}
    for part in schemas:
        assert part["type"] in ("object", "array", "string", "integer", "boolean")
        assert part.keys() <= keywords | {structural.RULES}
        assert (part["type"] == "integer") == ("format" in part)
        assert not any("_" in name for name in part.get("properties", {}))
        assert part.get("required", []) == [name for name in part.get("properties", {}) if name in part.get("required", [])]
    undocumented = [
        name for part in schemas for name, field in part.get("properties", {}).items() if not field.get("description")
    ]
    assert set(undocumented) == {"metadata", "name"}


def test_metadata_is_that_of_kubernetes() -> None:
    """The description lists the metadata fields that Kubernetes does not have."""
    schema = crd.document("civovpc")["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema["properties"]["metadata"]["properties"].keys() == {"name"}
    assert "metadata.{env,group,id,org,relationships,slug,tags}" in schema["description"]


@pytest.mark.parametrize("word", ["civovpc", "CivoVpcs"])
def test_the_command_prints_the_committed_definition(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The output is YAML or JSON."""
    committed = (ROOT / "schemas" / "crd" / "CivoVpc.yaml").read_text("utf-8")
    assert cli.main(["schema", "--crd", word]) == 0
    assert capsys.readouterr().out == committed
    assert cli.main(["schema", "--crd", word, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == yaml.safe_load(committed)


def test_the_command_without_a_kind_prints_all_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    """The output is a YAML stream or a JSON list, and kubectl accepts both."""
    assert cli.main(["schema", "--crd"]) == 0
    stream = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [each["spec"]["names"]["kind"] for each in stream] == crd.names()
    assert cli.main(["schema", "--crd", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"apiVersion": "v1", "kind": "List", "items": stream}


def test_json_schema_can_be_printed_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    """The output option applies to both schemas."""
    assert cli.main(["schema", "CivoVpc", "-o", "yaml"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == json_schema.document("CivoVpc")


def test_policies_have_no_definition(capsys: pytest.CaptureFixture[str]) -> None:
    """A policy is a usage error; an unknown kind gets a suggestion."""
    assert cli.main(["schema", "--crd", "policy"]) == errors.Code.USAGE
    assert "policies have no CustomResourceDefinition" in capsys.readouterr().err
    assert cli.main(["schema", "--crd", "civovpx"]) == errors.Code.INVALID
    assert "did you mean 'CivoVpc'?" in capsys.readouterr().err


@pytest.mark.parametrize("kind", crd.names())
def test_the_package_data_equals_the_output_of_the_generator(kind: str) -> None:
    """`planton schema --crd` prints package data and needs no extra."""
    assert documents.definition(kind) == crd.document(kind)
