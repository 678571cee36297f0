"""The reader's bounds: no text crashes it, hangs it, or makes it take much."""

import random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from planton import errors
from planton.manifest import load, yaml_python, yaml_reader

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
def test_bounds(text: str | bytes, rule_id: str) -> None:
    """A hostile text is one violation that names its trap."""
    assert ids(text) == {rule_id}


def test_too_many_violations() -> None:
    """A text with very many faults shows the first ones and says that there are more."""
    _, violations = load.collect(load.Text("x", (HEAD + "  tags: [" + "~," * 5000 + "]").encode()))
    assert len(violations) == 1001
    assert violations[-1].rule_id == "manifest.too_many"


def test_large_message_shows_its_first_violation() -> None:
    """A very large message is checked to its first violation, since each takes memory."""
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
def test_place_of_a_trap(text: str | bytes, place: tuple[int, int]) -> None:
    """A trap has the place of the first character that is wrong."""
    (violation,) = load.collect(load.Text("x", text.encode() if isinstance(text, str) else text))[1]
    assert (violation.line, violation.column) == place


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Any bytes give documents or violations, and never an exception."""
    documents, violations = load.collect(load.Text("x", data))
    assert documents or violations


PIECES = [
    "kind: CivoVpc", "kind: CivoFirewall", "spec:", "metadata:", "name: x", "region: lon1", "tags:", "- a", "-", "  ", "\n", "\n  ",
    "\t", "&a ", "*a", "<<: *a", "{", "}", "[", "]", ",", ": ", "'", '"', "|", ">", "!!str ", "!x ", "---\n", "...\n", "%YAML 1.1\n",
    "#", "~", "null", "010", "1e3", "no", "inboundRules:", "labels: {a: b}", "networkId:", "value: x", "valueFrom: {name: x}", "? ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=500, deadline=None)
def test_any_yaml(text: str) -> None:
    """Any text made of YAML's parts gives documents or violations with a place, and never an exception."""
    documents, violations = load.collect(load.Text("x", text.encode()))
    assert documents or violations
    for violation in violations:
        assert violation.line >= 1
        assert violation.rule_id
        assert isinstance(violation, errors.Violation)


@given(st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_damaged_manifest(generator: random.Random) -> None:
    """A manifest with a few characters replaced, removed or doubled never makes the reader crash."""
    text = list(HEAD + "  inboundRules:\n    - {protocol: tcp, portRange: '80', cidrs: [10.0.0.0/8]}\n")
    for _ in range(generator.randint(1, 5)):
        position = generator.randrange(len(text))
        text[position] = generator.choice(["", text[position] * 2, "\t", "\n", ":", "{", "&a ", "*a", "'", "\x85", "é"])
    documents, violations = load.collect(load.Text("x", "".join(text).encode()))
    assert documents or violations


def test_python_parser_makes_the_same_nodes() -> None:
    """The composer in Python, for a PyYAML without libyaml, gives the same tree."""

    class Composer(yaml_python.Parser):
        descend_resolver = ascend_resolver = resolve = lambda *_: ""

    parser = Composer(HEAD)
    assert parser.check_node()
    with_c = next(yaml_reader.compose(HEAD))
    assert [key.value for key, _ in parser.get_node().value] == [key.value for key, _ in with_c.value]
    assert isinstance(with_c, yaml.MappingNode)


def test_surrogates_of_json() -> None:
    """Two escapes of one character, as JSON writes it, are that character; an escaped backslash before them is kept."""
    assert yaml_reader.decode(b'"\\ud83d\\ude00"') == '"\U0001f600"'
    assert yaml_reader.decode(b'"\\\\ud83d\\ude00"') == '"\\\\ud83d\\ude00"'
