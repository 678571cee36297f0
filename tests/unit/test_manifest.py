"""Reading manifests: places, suggestions, all violations of a file, and dumping back to text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from org.project_planton.provider.civo.civokubernetesnodepool.v1 import api_pb2 as pool_pb2
from planton import errors, manifest
from planton.manifest import dumping, load
from support import trials

POOL = """\
apiVersion: civo.project-planton.org/v1
kind: CivoKubernetesNodePool
metadata:
  name: workers
  labels: {"a.b/c": x}
spec:
  nodePoolName: workers
  cluster:
    valueFrom:
      name: dev
  size: g4s.kube.medium
  node_count: 3
  taints:
    - key: gpu
      effect: NoSchedule
    - key: spot
      effect: NoExecute
"""


def check(text: str) -> list[errors.Violation]:
    return load.collect(load.Text("pool.yaml", text.encode()))[1]


def violation_lines(text: str) -> list[str]:
    return [str(violation) for violation in check(text)]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", (1, 1)),
        ("kind", (2, 7)),
        ("metadata", (3, 1)),
        ("metadata.name", (4, 9)),
        ('metadata.labels["a.b/c"]', (5, 21)),
        ("spec.nodeCount", (12, 15)),
        ("spec.cluster.valueFrom.name", (10, 13)),
        ("spec.taints[1].effect", (17, 15)),
        ("spec.taints[1].value", (16, 7)),
        ("spec.minNodes", (6, 1)),
        ("status.outputs", (1, 1)),
    ],
)
def test_a_field_has_the_place_of_its_value(path: str, place: tuple[int, int]) -> None:
    """An absent field has the place of its nearest present parent."""
    documents, _ = manifest.read(POOL.encode(), file="x")
    assert documents[0].locate(path) == place


def test_places_in_a_later_document_count_from_the_start_of_the_file() -> None:
    """This includes indented and flow documents."""
    text = "# first\n---\n" + POOL + "---\n" + POOL + "--- {kind: CivoVpc,\n  spec: {region: lon1}}\n"
    documents, _ = manifest.read(text.encode(), file="x")
    assert [document.locate("spec.nodeCount") for document in documents[:2]] == [(14, 15), (32, 15)]
    assert documents[2].locate("spec.region") == (39, 18)
    assert documents[2].locate("kind") == (38, 12)


def test_a_merged_field_has_the_place_where_it_is_written() -> None:
    """The merge key refers to an anchor elsewhere in the file."""
    text = "kind: CivoVpc\nmetadata:\n  labels: &l {a: b}\n  annotations:\n    <<: *l\n"
    documents, _ = manifest.read(text.encode(), file="x")
    assert documents[0].locate('metadata.annotations["a"]') == (3, 18)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("size:", "sise:", "pool.yaml:11:3: spec.sise: unknown field 'sise' in spec; did you mean 'size'? [manifest.unknown_field]"),
        (
            "CivoKubernetesNodePool",
            "civokubernetesnodepool",
            "pool.yaml:2:7: kind: unknown kind 'civokubernetesnodepool'; did you mean 'CivoKubernetesNodePool'? [manifest.unknown_kind]",
        ),
        (
            "node_count: 3",
            "nodeCount: many",
            "pool.yaml:12:14: spec.nodeCount: must be a whole number, not 'many' [manifest.wrong_type]",
        ),
        ("node_count: 3", "nodeCount: -1", "pool.yaml:12:14: spec.nodeCount: must be a whole number from 0 to 4294967295, not '-1' [manifest.wrong_type]"),
        (
            "size: g4s.kube.medium",
            "size: 1.30",
            "pool.yaml:11:9: spec.size: YAML reads '1.30' as a number; put it in quotes: \"1.30\" [yaml.quote_scalar]",
        ),
        (
            "cluster:\n    valueFrom:\n      name: dev",
            "cluster: dev",
            "pool.yaml:8:12: spec.cluster: must be a mapping, not 'dev'; write {value: dev} [manifest.wrong_type]",
        ),
        (
            "  size: g4s.kube.medium\n",
            "",
            "pool.yaml:6:1: spec.size: value is required [required]",
        ),
        (
            "effect: NoExecute",
            "effect: Evict",
            "pool.yaml:17:15: spec.taints[1].effect: must be NoSchedule, PreferNoSchedule or NoExecute [string.taint_effect]",
        ),
    ],
)  # fmt: skip
def test_each_violation_has_its_place_path_message_and_rule(old: str, new: str, expected: str) -> None:
    """One fault is exactly one violation."""
    assert violation_lines(POOL.replace(old, new)) == [expected]


def test_all_violations_of_all_documents_are_reported() -> None:
    """Those of the reader and of the rules are sorted by their place."""
    text = POOL.replace("size:", "sise:").replace("NoExecute", "Evict") + "---\n" + POOL.replace("node_count: 3", "node_count: 0")
    assert [(violation.document, violation.line, violation.rule_id) for violation in check(text)] == [
        (0, 11, "manifest.unknown_field"),
        (0, 17, "string.taint_effect"),
        (1, 30, "required"),
    ]


def test_a_violation_has_its_source_line() -> None:
    """Terminals show it with a caret."""
    (violation,) = check(POOL.replace("size: g4s.kube.medium", "size: 1.30"))
    assert violation.source[violation.column - 1 :] == "1.30"


def test_lines_of_a_file_without_a_kind_are_not_shown() -> None:
    """They may contain a secret."""
    violations = check("api_token: sekret\n")
    assert [violation.rule_id for violation in violations] == ["manifest.kind_missing"]
    assert "sekret" not in str([violation.source for violation in violations]) + str(violations)


def test_both_spellings_of_a_field_are_equal() -> None:
    """They are decoded to the same message."""
    first = manifest.read(POOL.encode(), file="x")[0][0].message
    second = manifest.read(POOL.replace("node_count", "nodeCount").encode(), file="x")[0][0].message
    assert first == second


def test_dump_quotes_text_that_yaml_would_misread() -> None:
    """YAML 1.1 or 1.2 would read it as another type."""
    pool = pool_pb2.CivoKubernetesNodePool(kind="CivoKubernetesNodePool")
    for text in ("1.30", "no", "1e3", "0o17", "y", "~", "", "12:30:45", "2024-01-31", "<<"):
        pool.metadata.labels[f"k{text}"] = text
    written = dumping.dump(pool)
    assert '"1e3"' in written
    documents, violations = manifest.read(written.encode(), file="x")
    assert violations == []
    assert documents[0].message == pool
    assert dumping.dump(documents[0].message) == written


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.sampled_from(
    [
        "1.30",
        "no",
        "010",
        "0x1",
        "null",
        "~",
        "- a",
        "a: b",
        "#",
        "'",
        '"',
        "<<",
        "=",
        " ",
        "\n",
        "\t",
        "|",
        "%",
        "\x85",
        "\ufeff",
        "😀",
    ]
)


@st.composite
def pools(draw: st.DrawFn) -> pool_pb2.CivoKubernetesNodePool:
    pool = pool_pb2.CivoKubernetesNodePool(api_version=draw(TEXT), kind="CivoKubernetesNodePool")
    pool.metadata.name = draw(TEXT)
    pool.metadata.tags.extend(draw(st.lists(TEXT, max_size=3)))
    for key, value in draw(st.dictionaries(TEXT, TEXT, max_size=3)).items():
        pool.metadata.labels[key] = value
    pool.spec.node_count = draw(st.integers(0, 2**32 - 1))
    pool.spec.auto_scale = draw(st.booleans())
    for key in draw(st.lists(TEXT, max_size=2)):
        pool.spec.taints.add(key=key, effect=draw(TEXT))
    if draw(st.booleans()):
        pool.spec.cluster.value = draw(TEXT)
    elif draw(st.booleans()):
        pool.spec.cluster.value_from.kind = draw(st.sampled_from([0, 1507, 1510]))
        pool.spec.cluster.value_from.name = draw(TEXT)
    return pool


@given(pools())
@settings(max_examples=trials.of(200), deadline=None)
def test_a_dumped_message_is_read_back_unchanged(pool: pool_pb2.CivoKubernetesNodePool) -> None:
    """This holds for any text in its fields."""
    written = dumping.dump(pool)
    documents, violations = manifest.read(written.encode(), file="x")
    assert violations == []
    assert documents[0].message == pool
    assert dumping.dump(documents[0].message) == written
