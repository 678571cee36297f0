"""The limits of the YAML reader: no text crashes it, hangs it, or exhausts memory."""

import random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from planton import errors
from planton.manifest import load, yaml_python, yaml_reader
from support import trials

HEAD = "apiVersion: civo.project-planton.org/v1\nkind: CivoFirewall\nmetadata: {name: x}\nspec:\n  name: x\n  networkId: {value: x}\n"


def ids(text: str | bytes) -> set[str]:
    """Returns the rule ids of a text's violations."""
    data = text.encode() if isinstance(text, str) else text
    return {violation.rule_id for violation in load.collect(load.Text("x", data))[1]}


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "rule_id"),
    [
        (bomb(40), "yaml.aliases"),
        ("&a [*a]", "yaml.aliases"),
        ("&a {<<: *a, kind: CivoVpc}", "yaml.aliases"),
        ("- &a x\n" + "- *a\n" * 50_000, "yaml.aliases"),
        ("[" * 1_000_000, "yaml.depth"),
        ("{a: " * 100_000, "yaml.depth"),
        ("- " * 100_000, "yaml.depth"),
        ("? " * 100_000, "yaml.depth"),
        ("".join(" " * level + "a:\n" for level in range(200)), "yaml.depth"),
        (b"a" * (yaml_reader.MAX_BYTES + 1), "yaml.size"),
        (HEAD + "  tags: [" + "a," * (yaml_reader.MAX_NODES + 1) + "]", "yaml.size"),
        (HEAD + "  inboundRules: [" + "{protocol: tcp}," * 3000 + "]", "yaml.size"),
        ("---\n" * (yaml_reader.MAX_DOCUMENTS + 2), "yaml.size"),
        ('"' + "a" * 100_000, "yaml.syntax"),
        ("&a " * 100_000, "yaml.syntax"),
        ("!a " * 100_000, "yaml.syntax"),
        ("\t" * 100_000, "yaml.tab"),
        ("a: b\n" + "\tc\n" * 1000, "yaml.tab"),
        ("a:\n\tb: c", "yaml.tab"),
        ("\n" * 100_000, "manifest.empty"),
        ("a: \x01", "yaml.syntax"),
        ("a: \uffff", "yaml.syntax"),
        ('{"kind": "\\ud800"}', "yaml.syntax"),
        ("kind: x".encode("utf-16"), "yaml.encoding"),
        ("%TAG ! a\n%TAG ! a\n", "yaml.syntax"),
        ("kind: " + "C" * 1_000_000, "manifest.unknown_kind"),
        ("? [a]\n: b", "manifest.kind_missing"),
        ("a: *nowhere", "yaml.syntax"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_hostile_text_is_one_violation(text: str | bytes, rule_id: str) -> None:
    """The rule names the limit or the fault."""
    assert ids(text) == {rule_id}


def test_the_number_of_violations_is_bounded() -> None:
    """The last violation says that there are more."""
    _, violations = load.collect(load.Text("x", (HEAD + "  tags: [" + "~," * 5000 + "]").encode()))
    assert len(violations) == 1001
    assert violations[-1].rule_id == "manifest.too_many"


def test_a_large_message_reports_its_first_violation_only() -> None:
    """Each further violation would take memory."""
    _, violations = load.collect(
        load.Text("x", (HEAD + "  inboundRules: [{protocol: tcp, cidrs: [" + "a," * 50_000 + "]}]").encode())
    )
    assert [violation.rule_id for violation in violations] == ["string.cidr"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [", (2, 1)),
        ("a:\n\tb: c", (2, 1)),
        (b"ok: 1\nb: \xff", (2, 4)),
        (b"ok: 1\nb: \0", (2, 4)),
        ("a:\n  " + "[" * 70, (2, 65)),
    ],
)
def test_a_fault_has_the_place_of_its_first_character(text: str | bytes, place: tuple[int, int]) -> None:
    """The place is a line and a column."""
    (violation,) = load.collect(load.Text("x", text.encode() if isinstance(text, str) else text))[1]
    assert (violation.line, violation.column) == place


@given(st.binary(max_size=300))
@settings(max_examples=trials.of(300), deadline=None)
def test_any_bytes_give_documents_or_violations(data: bytes) -> None:
    """The reader raises no exception."""
    documents, violations = load.collect(load.Text("x", data))
    assert documents or violations


PIECES = [
    "kind: CivoVpc", "kind: CivoFirewall", "spec:", "metadata:", "name: x", "region: lon1", "tags:", "- a", "-", "  ", "\n", "\n  ",
    "\t", "&a ", "*a", "<<: *a", "{", "}", "[", "]", ",", ": ", "'", '"', "|", ">", "!!str ", "!x ", "---\n", "...\n", "%YAML 1.1\n",
    "#", "~", "null", "010", "1e3", "no", "inboundRules:", "labels: {a: b}", "networkId:", "value: x", "valueFrom: {name: x}", "? ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=trials.of(500), deadline=None)
def test_any_yaml_tokens_give_documents_or_violations(text: str) -> None:
    """Each violation has a place and a rule."""
    documents, violations = load.collect(load.Text("x", text.encode()))
    assert documents or violations
    for violation in violations:
        assert violation.line >= 1
        assert violation.rule_id
        assert isinstance(violation, errors.Violation)


@given(st.randoms(use_true_random=False))
@settings(max_examples=trials.of(100), deadline=None)
def test_a_damaged_manifest_gives_documents_or_violations(generator: random.Random) -> None:
    """A few characters are replaced, removed, or doubled."""
    text = list(HEAD + "  inboundRules:\n    - {protocol: tcp, portRange: '80', cidrs: [10.0.0.0/8]}\n")
    for _ in range(generator.randint(1, 5)):
        position = generator.randrange(len(text))
        text[position] = generator.choice(["", text[position] * 2, "\t", "\n", ":", "{", "&a ", "*a", "'", "\x85", "é"])
    documents, violations = load.collect(load.Text("x", "".join(text).encode()))
    assert documents or violations


def test_the_parser_in_python_builds_the_same_tree() -> None:
    """It is used for a PyYAML without libyaml."""

    class Composer(yaml_python.Parser):
        descend_resolver = ascend_resolver = resolve = lambda *_: ""

    parser = Composer(HEAD)
    assert parser.check_node()
    with_c = next(yaml_reader.compose(HEAD))
    assert [key.value for key, _ in parser.get_node().value] == [key.value for key, _ in with_c.value]
    assert isinstance(with_c, yaml.MappingNode)


def test_a_surrogate_pair_in_json_is_one_character() -> None:
    """An escaped backslash before it stays."""
    assert yaml_reader.decode(b'"\\ud83d\\ude00"') == '"\U0001f600"'
    assert yaml_reader.decode(b'"\\\\ud83d\\ude00"') == '"\\\\ud83d\\ude00"'
