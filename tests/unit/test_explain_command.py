"""``planton explain``: every field of every kind with its rules, from package data."""

import json
import pathlib
import subprocess
import sys

import pytest
from google.protobuf import descriptor

from org.project_planton.policy.v1 import policy_pb2
from planton import cli, errors
from planton.schema import describe, kinds
from planton_server.service import routes

CORPUS = pathlib.Path(__file__).parents[1] / "kinds"
KINDS = [kind.name for kind in kinds.all_kinds()]


def paths(message_type: descriptor.Descriptor, prefix: str = "") -> list[str]:
    paths_ = []
    for field in message_type.fields:
        path = f"{prefix}.{field.json_name}"
        paths_.append(path)
        nested = field.message_type
        if nested is not None and not nested.GetOptions().map_entry:
            paths_ += paths(nested, path)
    return paths_


def explained(path: str, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert cli.main(["explain", path, *options]) == 0, path
    return capsys.readouterr().out


@pytest.mark.parametrize("name", KINDS)
def test_every_field_has_a_type_and_a_description(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """This includes the outputs."""
    for path in paths(kinds.get(name).message.DESCRIPTOR, name):
        node = describe.find(path)
        text = explained(path, capsys)
        assert f"FIELD:    {path.partition('.')[2]} <{node.type}>" in text
        assert node.description, f"{path} has no comment"
        assert node.description.split()[0] in text


@pytest.mark.parametrize("name", KINDS)
def test_every_rule_is_shown_with_its_id(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The corpus has a file for every rule that a manifest can break."""
    rules = {path.stem.partition("@")[0] for path in (CORPUS / name / "invalid").iterdir()}
    text = "".join(explained(path, capsys) for path in [name, *paths(kinds.get(name).message.DESCRIPTOR, name)])
    assert rules
    assert sorted(rule for rule in rules if f"[{rule}]" not in " ".join(text.split())) == []


@pytest.mark.parametrize("name", KINDS)
def test_recursive_output_has_every_field(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON form has the same field paths."""
    expected = [path.partition(".")[2] for path in paths(kinds.get(name).message.DESCRIPTOR, name)]
    tree = explained(name, capsys, "--recursive").partition("FIELDS:\n")[2].splitlines()
    assert sorted(line.split()[0] for line in tree) == sorted(path.rpartition(".")[2] for path in expected)
    data = json.loads(explained(name, capsys, "--recursive", "-o", "json"))
    assert sorted(_json_paths(data)) == sorted(expected)


def _json_paths(node: dict[str, object]) -> list[str]:
    return [path for field in node["fields"] for path in (field["path"], *_json_paths(field))]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("CivoKubernetesCluster.spec.clusterType", "Default: k3s"),
        ("civokubernetesclusters.spec.highly_available", "Recommended: false"),
        ("CIVOKUBERNETESNODEPOOL.spec.cluster", "Refers to: CivoKubernetesCluster, field metadata.name"),
        ("civokubernetescluster.spec.region", "lon1: London, first site (`LON1`)."),
        ("civokubernetescluster.spec.additionalNodePools[0].taints[1].key", "<string> -required-"),
        ("civokubernetesnodepool.spec.labels", "<map[string]string>"),
        ("civokubernetesnodepool.spec.labels", "each key must be a Kubernetes label key"),
        ("civovpc.spec.description", "must have at most 100 characters [string.max_len]"),
        ("civokubernetescluster.spec.defaultNodePool.nodeCount", "must be greater than 0 [uint32.gt]"),
        ("digitaloceanvpc.spec.ipRangeCidr", "(or be unset) [string.pattern]"),
        ("civovpc.spec.nameservers", "each item must be an IPv4 address [string.ipv4]"),
        ("civokubernetescluster.spec.network", "only one of value, valueFrom may be set [manifest.oneof]"),
        ("civokubernetescluster.status.outputs", "kubeconfigB64 <string>"),
        ("civokubernetescluster.metadata.relationships.type", "depends_on: The other one must be there first"),
        ("civovpc", "A private network of one region."),
    ],
)
def test_explanations_contain_defaults_references_rules_and_values(
    path: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rules are in words, with their IDs."""
    assert expected in " ".join(explained(path, capsys).split()) or expected in explained(path, capsys)


@pytest.mark.parametrize(
    ("path", "code", "error", "hint"),
    [
        ("civovpc.spec.regio", errors.Code.USAGE, "CivoVpc.spec has no field 'regio'", "did you mean 'region'?"),
        ("civovpc.spec.qqq", errors.Code.USAGE, "CivoVpc.spec has no field 'qqq'", "it has civoCredentialId, "),
        ("civovpc.spec.region.code", errors.Code.USAGE, "CivoVpc.spec.region has no fields", "its type is string"),
        ("civovcp", errors.Code.INVALID, "unknown kind 'civovcp'", "did you mean 'CivoVpc'?"),
        (".", errors.Code.INVALID, "unknown kind ''", ""),
    ],
)
def test_an_unknown_path_is_an_error_with_the_nearest_name(
    path: str, code: int, error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output stays empty."""
    assert cli.main(["explain", path]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert error in captured.err
    assert hint in captured.err


def test_without_a_kind_all_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The output is text or JSON."""
    assert cli.main(["explain"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == ["KIND", *KINDS]
    assert cli.main(["explain", "-o", "json"]) == 0
    assert [entry["kind"] for entry in json.loads(capsys.readouterr().out)] == KINDS


def test_every_comment_belongs_to_a_message_field_or_method() -> None:
    """The file of comments covers manifests, policies, and the API only, and no comment is empty."""
    names: set[str] = set()
    _collect(policy_pb2.Policy.DESCRIPTOR, names)
    for kind in kinds.all_kinds():
        _collect(kind.message.DESCRIPTOR, names)
    for route in routes.routes():
        names |= {route.service, f"{route.service}.{route.method}"}
        _collect(route.request.DESCRIPTOR, names)
        _collect(route.response.DESCRIPTOR, names)
    texts = describe.comments()
    assert set(texts) <= names
    assert all(texts.values())


def _collect(message: descriptor.Descriptor, names: set[str]) -> None:
    if message.full_name in names:
        return
    names.add(message.full_name)
    for field in message.fields:
        names.add(field.full_name)
        if field.enum_type is not None:
            enum = field.enum_type
            names |= {enum.full_name, *(f"{enum.full_name}.{value.name}" for value in enum.values)}
        if field.message_type is not None:
            _collect(field.message_type, names)


def test_kinds_and_fields_are_completed() -> None:
    """The shell passes the words in environment variables."""

    def complete(word: str) -> list[str]:
        code = "import sys; from planton import cli; sys.exit(cli.main())"
        environ = {"_PLANTON_COMPLETE": "bash_complete", "COMP_WORDS": f"planton explain {word}", "COMP_CWORD": "2"}
        completed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env=environ, text=True)
        return completed.stdout.split()

    assert complete("civov") == ["plain,civovpc"]
    assert complete("civovpc.spec.r") == ["plain,civovpc.spec.region"]
    assert complete("civovcp.spec.r") == []
