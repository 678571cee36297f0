"""``planton fmt``: one canonical form, with equal messages and every comment."""

import difflib
import json
import pathlib
import random
import re
import stat

import pytest
import yaml
from google.protobuf import message

from planton import cli, errors, manifest
from planton.manifest import canonical, documents, dumping, templates
from planton.schema import kinds, providers

CORPUS = pathlib.Path(__file__).parents[1] / "kinds"
VALID = sorted(CORPUS.glob("*/valid/*"))


def name(path: pathlib.Path) -> str:
    return f"{path.parent.parent.name}/{path.name}"


def messages(text: bytes | str) -> list[message.Message]:
    documents, violations = manifest.read(text.encode() if isinstance(text, str) else text, file="x")
    assert violations == []
    return [document.message for document in documents]


def formatted(text: str, file: str = "x.yaml") -> str:
    return canonical.format_text(text.encode(), file=file)


@pytest.mark.parametrize("path", VALID, ids=name)
def test_formatting_preserves_messages_and_comments(path: pathlib.Path) -> None:
    """Formatting twice changes nothing more."""
    data = path.read_bytes()
    text = canonical.format_text(data, file=path.name)
    assert messages(text) == messages(data)
    assert canonical.format_text(text.encode(), file=path.name) == text
    assert sorted(_comment_lines(text)) == sorted(_comment_lines(data.decode("utf-8-sig")))


def test_the_examples_are_formatted(capsys: pytest.CaptureFixture[str]) -> None:
    """Users copy them."""
    assert cli.main(["fmt", "--check", str(CORPUS.parents[1] / "examples")]) == 0
    assert capsys.readouterr().out == ""


def _comment_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]


def _shuffled(data: object, dice: random.Random) -> object:
    if isinstance(data, dict):
        return {key: _shuffled(data[key], dice) for key in dice.sample(list(data), len(data))}
    return [_shuffled(item, dice) for item in data] if isinstance(data, list) else data


def _with_comments(text: str, dice: random.Random) -> str:
    # A comment is inserted where YAML accepts one.
    for number in range(12):
        lines = text.split("\n")
        position = dice.randrange(len(lines))
        if dice.random() < 0.6:
            lines.insert(position, " " * dice.randrange(10) + f"# note {number}")
        elif lines[position]:
            lines[position] += f"  # note {number}"
        candidate = "\n".join(lines)
        documents, violations = manifest.read(candidate.encode(), file="x")
        if not violations and [document.message for document in documents] == messages(text):
            text = candidate
    return text


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [kind.name for kind in kinds.all_kinds()])
def test_any_layout_is_formatted_to_the_order_of_the_schema(kind: str, seed: int) -> None:
    """Order, indentation, quotes, and comments are random; messages and comments survive."""
    formatted_files = 0
    for path in sorted((CORPUS / kind / "valid").glob("*.yaml")):
        dice = random.Random(f"{path.name} {seed}")
        data = list(yaml.load_all(dumping.dump(messages(path.read_bytes())[0]), yaml.CSafeLoader))
        written = yaml.dump_all(
            [_shuffled(document, dice) for document in data],
            Dumper=yaml.CSafeDumper,
            sort_keys=False,
            indent=dice.choice([2, 3, 4, 6]),
            default_flow_style=dice.choice([None, False, False, True]),
            default_style=dice.choice([None, "'", '"']),
            width=dice.choice([20, 80, 1000]),
        )
        if manifest.read(written.encode(), file="x")[1]:
            continue  # quotes do not fit the field
        text = _with_comments(written, dice)
        result = formatted(text)
        assert messages(result) == messages(text)
        assert formatted(result) == result
        assert sorted(re.findall("# note [0-9]+", result)) == sorted(re.findall("# note [0-9]+", text))
        _assert_ordered(yaml.compose(result, yaml.CSafeLoader), kinds.get(kind).message.DESCRIPTOR)
        formatted_files += 1
    assert formatted_files


def _assert_ordered(node: object, message_type: object) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _assert_ordered(item, message_type)
    if message_type is None or not isinstance(node, yaml.MappingNode) or message_type.GetOptions().map_entry:
        return
    by_name = {field.json_name: field for field in message_type.fields}
    numbers = [by_name[key.value].number for key, _ in node.value]
    assert numbers == sorted(numbers)
    for key, value in node.value:
        _assert_ordered(value, by_name[key.value].message_type)


MESSY = """\
# file header

kind: CivoKubernetesCluster   # the kind
# about version
apiVersion: "civo.project-planton.org/v1"
spec: # the spec
      # about pools
      additional_node_pools:
      # first pool
      -   node_count: 3
          size: g4s.kube.medium  # medium
          taints: [   # open
             {effect: NoSchedule, key: a/b}, # first
             # second
             { "key": x, value: "true", effect: NoExecute }
             # closing
          ]
          name: pool-a
          # end of pool a

      # second pool
      -
        # after dash
        name: b


        size: s
        node_count: 1
      # below pools
      kubernetesVersion: "1.30"
      region: lon1
      defaultNodePool: {nodeCount: 1, size: g4s.kube.small}
      clusterName: 'it''s
         two lines'
      network:
        value:
           # why
           net-a
    # end of spec
# low end
metadata:
  annotations:
    z-first: "1"
    text: |2
        indented
      base
    fold: >-   # folded
      some
      text
    a-last: plain
       words
  name: x
# bottom
"""
CLEAN = """\
# file header

# about version
apiVersion: "civo.project-planton.org/v1"
kind: CivoKubernetesCluster # the kind
# low end
metadata:
  name: x
  annotations:
    z-first: "1"
    text: |2
        indented
      base
    fold: >- # folded
      some
      text
    a-last: plain
      words
spec: # the spec
  clusterName: 'it''s
    two lines'
  region: lon1
  # below pools
  kubernetesVersion: "1.30"
  network:
    # why
    value: net-a
  defaultNodePool: {size: g4s.kube.small, nodeCount: 1}
  # about pools
  additionalNodePools:
    # first pool
    - name: pool-a
      size: g4s.kube.medium # medium
      nodeCount: 3
      taints: # open
        - {key: a/b, effect: NoSchedule} # first
        # second
        - {key: x, value: "true", effect: NoExecute}
        # closing
      # end of pool a

    # second pool
    # after dash
    - name: b

      size: s
      nodeCount: 1
  # end of spec
# bottom
"""


def test_comments_move_with_their_fields() -> None:
    """Quotes, maps, and lists stay. Order, case, and indentation follow the schema."""
    difference = "\n".join(difflib.unified_diff(formatted(MESSY).splitlines(), CLEAN.splitlines()))
    assert difference == ""


HEAD = "apiVersion: civo.project-planton.org/v1\nkind: CivoVpc\n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("---\n" + HEAD + "---\n# two\n" + HEAD, "---\n" + HEAD + "---\n# two\n" + HEAD),
        (HEAD + "# last\n...\n---\n---\n# two\n" + HEAD + "---\n# over\n", HEAD + "# last\n---\n# two\n" + HEAD + "# over\n"),
        ("--- # here\n{kind: CivoVpc, apiVersion: civo.project-planton.org/v1} # end\n", "---\n# here\n" + HEAD + "# end\n"),
        (HEAD.replace("\n", "\r\n"), HEAD),
        ("\ufeff" + HEAD, HEAD),
        (HEAD.rstrip(), HEAD),
        (HEAD + "metadata: {\n}\n", HEAD + "metadata: {}\n"),
        (HEAD + "metadata:\nspec:\n", HEAD + "metadata:\nspec:\n"),
        (
            "metadata: &m\n    annotations: &a {x: z}\n    labels: *a\n" + HEAD,
            "metadata: &m\n  annotations: &a {x: z}\n  labels: *a\n" + HEAD,
        ),
        (HEAD + "spec:\n   networkName: net\n   <<: {region: r}\n", HEAD + "spec:\n  <<: {region: r}\n  networkName: net\n"),
        (
            HEAD + "metadata:\n  annotations: {a: !!str 1.30, b: '1'}\n",
            HEAD + "metadata:\n  annotations: {a: !!str 1.30, b: '1'}\n",
        ),
        (
            HEAD + "metadata:\n  annotations:\n    ? a\n    : |+\n        b\n\n",
            HEAD + "metadata:\n  annotations:\n    a: |+\n      b\n\n",
        ),
        (
            HEAD + "metadata:\n  relationships:\n  - {kind: CivoVpc, name: a, type: uses}\n",
            HEAD + "metadata:\n  relationships:\n    - {kind: CivoVpc, name: a, type: uses}\n",
        ),
    ],
)
def test_documents_and_yaml_variants_have_one_form(text: str, result: str) -> None:
    """Aliases keep the order of their document."""
    assert formatted(text) == result


def test_a_stream_of_many_documents_is_formatted_as_each_of_them() -> None:
    """The nodes of one document say nothing about those of the next: an earlier one was taken for the anchor of an alias."""
    texts = [
        text
        for provider in providers.names()
        for template in templates.TEMPLATES
        for text in templates.make("environment", provider, template).values()
    ]
    stream = "---\n".join(texts)
    assert canonical.format_text(stream.encode(), file="all.yaml") == stream


def test_json_stays_json() -> None:
    """It is ordered and indented."""
    text = '{"kind":"CivoVpc","spec":{"region":"é","network_name":"1.30"},"apiVersion":"civo.project-planton.org/v1"}'
    result = formatted(text, "x.json")
    assert json.loads(result) == {
        "apiVersion": "civo.project-planton.org/v1",
        "kind": "CivoVpc",
        "spec": {"networkName": "1.30", "region": "é"},
    }
    assert result.startswith('{\n  "apiVersion"')
    assert formatted(text, "-") == result


@pytest.mark.parametrize(
    ("text", "file", "expected_text"),
    [
        ("a: b\n", "x.yaml", "kind: must be set"),
        (HEAD + "spec: {regio: x}\n", "x.yaml", "unknown field 'regio'"),
        (HEAD + "\tx: y\n", "x.yaml", "yaml.tab"),
        ("", "x.yaml", "has no manifest"),
        ("%YAML 1.1\n---\n" + HEAD, "x.yaml", "the directive '%YAML 1.1' would be lost"),
        (HEAD, "x.json", "it is YAML in a file called .json"),
    ],
)
def test_text_that_cannot_be_formatted_is_an_error(text: str, file: str, expected_text: str) -> None:
    """It is no manifest, or has content that would be lost."""
    with pytest.raises(errors.PlantonError) as caught:
        formatted(text, file)
    assert expected_text in caught.value.message
    assert caught.value.code == errors.Code.INVALID


def test_a_changed_message_is_refused() -> None:
    """A fault in the layout must not change a manifest."""
    parsed, _ = documents.read(HEAD.encode(), file="x.yaml")
    other = (HEAD + "metadata: {name: other}\n", [])
    with pytest.raises(errors.PlantonError, match="would mean something else"):
        canonical.check(parsed, other, other, file="x.yaml")
    canonical.check(parsed, (HEAD, []), (HEAD, []), file="x.yaml")


@pytest.mark.parametrize("again", [(HEAD, ["# a"]), (HEAD + "\n", ["# a", "# b"])])
def test_a_lost_comment_or_another_layout_is_refused(again: tuple[str, list[str]]) -> None:
    """A fault in the layout must not lose a comment, and formatting twice changes nothing."""
    parsed, _ = documents.read(HEAD.encode(), file="x.yaml")
    with pytest.raises(errors.PlantonError, match="comments"):
        canonical.check(parsed, (HEAD, ["# a", "# b"]), again, file="x.yaml")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "messy.yaml").write_text(MESSY, "utf-8")
    (tmp_path / "clean.yaml").write_text(CLEAN, "utf-8")
    (tmp_path / "messy.yaml").chmod(0o640)
    return tmp_path


def test_only_changed_files_are_written(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Changed files are listed and keep their mode. No temporary file remains."""
    before = (folder / "clean.yaml").stat().st_mtime_ns
    assert cli.main(["fmt", "-f", str(folder), str(folder / "messy.yaml")]) == 0
    assert capsys.readouterr().out == f"{folder / 'messy.yaml'}\n"
    assert (folder / "messy.yaml").read_text("utf-8") == CLEAN
    assert stat.S_IMODE((folder / "messy.yaml").stat().st_mode) == 0o640
    assert (folder / "clean.yaml").stat().st_mtime_ns == before
    assert sorted(path.name for path in folder.iterdir()) == ["clean.yaml", "messy.yaml"]
    assert cli.main(["fmt", str(folder)]) == 0
    assert capsys.readouterr().out == ""


def test_a_symbolic_link_stays_a_link(folder: pathlib.Path) -> None:
    """Its target is written."""
    (folder / "link.yaml").symlink_to("messy.yaml")
    assert cli.main(["fmt", str(folder / "link.yaml")]) == 0
    assert (folder / "link.yaml").is_symlink()
    assert (folder / "messy.yaml").read_text("utf-8") == CLEAN


def test_check_and_diff_write_nothing(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code of ``--check`` is 1 if a file would change."""
    messy = folder / "messy.yaml"
    assert cli.main(["fmt", "--check", str(folder)]) == 1
    assert capsys.readouterr().out == f"{messy}\n"
    assert cli.main(["fmt", "--diff", str(folder)]) == 0
    assert f"--- {messy}\n+++ {messy}\n@@ " in capsys.readouterr().out
    assert cli.main(["fmt", "--check", "--diff", str(messy)]) == 1
    assert "+apiVersion: " not in capsys.readouterr().out.partition("@@")[0]
    assert messy.read_text("utf-8") == MESSY
    assert cli.main(["fmt", "--check", str(folder / "clean.yaml")]) == 0
    assert capsys.readouterr().out == ""


def test_one_invalid_file_stops_all_writes(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every error is shown."""
    (folder / "other.yaml").write_text("services: {}\n", "utf-8")
    assert cli.main(["fmt", str(folder), "nowhere.yaml"]) == 2
    captured = capsys.readouterr()
    assert "other.yaml:1:1: kind: must be set" in captured.err
    assert "cannot read nowhere.yaml" in captured.err
    assert captured.out == ""
    assert (folder / "messy.yaml").read_text("utf-8") == MESSY
    assert (folder / "other.yaml").read_text("utf-8") == "services: {}\n"


def test_a_failed_write_leaves_the_old_file(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No temporary file remains."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    assert cli.main(["fmt", str(folder / "messy.yaml")]) == 2
    assert (folder / "messy.yaml").read_text("utf-8") == MESSY
    assert sorted(path.name for path in folder.iterdir()) == ["clean.yaml", "messy.yaml"]


def test_a_dash_formats_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without paths the command is a usage error."""

    class _Stdin:
        def __init__(self, data: bytes) -> None:
            self.buffer = self
            self._data = data

        def read(self, _limit: int = -1) -> bytes:
            return self._data

    monkeypatch.setattr("sys.stdin", _Stdin(MESSY.encode()))
    assert cli.main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == CLEAN
    assert cli.main(["fmt", "--check", "-"]) == 1
    assert capsys.readouterr().out == "-\n"
    assert cli.main(["fmt"]) == 2
