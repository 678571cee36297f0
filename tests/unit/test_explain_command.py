"""``planton explain``: every field of every kind, with its rules, from what is installed."""

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


def paths(described: descriptor.Descriptor, prefix: str = "") -> list[str]:
    found = []
    for field in described.fields:
        path = f"{prefix}.{field.json_name}"
        found.append(path)
        part = field.message_type
        if part is not None and not part.GetOptions().map_entry:
            found += paths(part, path)
    return found


def explained(path: str, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert cli.main(["explain", path, *options]) == 0, path
    return capsys.readouterr().out


@pytest.mark.parametrize("name", KINDS)
def test_every_field_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each field path of a kind has a type and a description of its own, outputs included."""
    for path in paths(kinds.get(name).message.DESCRIPTOR, name):
        node = describe.find(path)
        text = explained(path, capsys)
        assert f"FIELD:    {path.partition('.')[2]} <{node.type}>" in text
        assert node.description, f"{path} has no comment"
        assert node.description.split()[0] in text


@pytest.mark.parametrize("name", KINDS)
def test_every_rule_is_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule that a manifest of the kind can break is shown with its id; the corpus has a file for each."""
    known = {path.stem.partition("@")[0] for path in (CORPUS / name / "invalid").iterdir()}
    text = "".join(explained(path, capsys) for path in [name, *paths(kinds.get(name).message.DESCRIPTOR, name)])
    assert known
    assert sorted(rule for rule in known if f"[{rule}]" not in " ".join(text.split())) == []


@pytest.mark.parametrize("name", KINDS)
def test_recursive_shows_all_fields(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The tree has as many lines as the kind has field paths; as JSON it has the same paths."""
    wanted = [path.partition(".")[2] for path in paths(kinds.get(name).message.DESCRIPTOR, name)]
    tree = explained(name, capsys, "--recursive").partition("FIELDS:\n")[2].splitlines()
    assert sorted(line.split()[0] for line in tree) == sorted(path.rpartition(".")[2] for path in wanted)
    data = json.loads(explained(name, capsys, "--recursive", "-o", "json"))
    assert sorted(_json_paths(data)) == sorted(wanted)


def _json_paths(node: dict[str, object]) -> list[str]:
    return [path for field in node["fields"] for path in (field["path"], *_json_paths(field))]


@pytest.mark.parametrize(
    ("path", "said"),
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
def test_what_is_said(path: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Types, defaults, references, rules and values are in words."""
    assert said in " ".join(explained(path, capsys).split()) or said in explained(path, capsys)


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
def test_what_is_not_there(path: str, code: int, error: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong word is answered with the nearest right one, on standard error."""
    assert cli.main(["explain", path]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert error in captured.err
    assert hint in captured.err


def test_the_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a kind all are listed, in both forms."""
    assert cli.main(["explain"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == ["KIND", *KINDS]
    assert cli.main(["explain", "-o", "json"]) == 0
    assert [entry["kind"] for entry in json.loads(capsys.readouterr().out)] == KINDS


def test_no_comment_is_without_its_field() -> None:
    """The file of comments has nothing that neither a manifest, nor a policy, nor the API can hold, and no empty text."""
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


def test_words_are_completed() -> None:
    """Kinds and fields are completed as they are typed."""

    def complete(word: str) -> list[str]:
        code = "import sys; from planton import cli; sys.exit(cli.main())"
        environ = {"_PLANTON_COMPLETE": "bash_complete", "COMP_WORDS": f"planton explain {word}", "COMP_CWORD": "2"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env=environ, text=True)
        return done.stdout.split()

    assert complete("civov") == ["plain,civovpc"]
    assert complete("civovpc.spec.r") == ["plain,civovpc.spec.region"]
    assert complete("civovcp.spec.r") == []
