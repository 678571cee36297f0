"""Identifiers name what a value is, with a noun of the field. Participles such as ``found`` say only how a value came about."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FOLDERS = ("src", "tests", "tools", "benchmarks", "clients/python", "examples", "iac")
WORDS = {"found", "wanted", "given", "known", "told", "aside", "beside", "anew", "going", "means", "left"}
#: Terms in which such a word describes a noun, or denies it.
TERMS = (("is",), ("be",), ("not",), ("well",))
#: Names that are not ours to choose, with the reason.
ALLOWED = {
    "given": "the decorator of Hypothesis",
    "KNOWN_AFTER_APPLY": "a plan shows it, as Terraform's do",
}


_NAME = re.compile(r"[^\W\d]\w*")


def _identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                yield name
            case ast.keyword(arg=str(name)) | ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if not name.startswith("test_"):
                yield name


def _imports(tree: ast.AST) -> set[str]:
    statements = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return {alias.name for statement in statements for alias in statement.names}


def _is_participle(name: str) -> bool:
    words = tuple(word for word in name.lower().split("_") if word)
    if not words:
        return False
    return words[0] in WORDS or (words[-1] in WORDS and words[-2:-1] not in TERMS)


def _refused(text: str) -> set[str]:
    if not any(map(_is_participle, set(_NAME.findall(text)))):
        return set()
    tree = ast.parse(text)
    names = set(_identifiers(tree))
    imported = _imports(tree)
    allowed = set(ALLOWED) if imported & {"given", "hypothesis"} else set(ALLOWED) - {"given"}
    if "right" in names:
        allowed.add("left")  # the two operands of a comparison
    return {name for name in names - allowed if _is_participle(name)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_identifiers_name_what_a_value_is(folder: str) -> None:
    """A name such as ``found`` becomes ``violations``, ``pool``, ``match``."""
    files = sorted(path for path in (ROOT / folder).rglob("*.py") if not path.stem.endswith(("_pb2", "_pb2_grpc")))
    assert files
    refused = {path.relative_to(ROOT).as_posix(): _refused(path.read_text("utf-8")) for path in files}
    assert {path: names for path, names in refused.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("found = 1\n", {"found"}),
        ("def f(wanted): pass\n", {"wanted"}),
        ("f(told=1)\n", {"told"}),
        ("a.left = b.right\n", set()),
        ("a.left = 1\n", {"left"}),
        ("def _known(): pass\n", {"_known"}),
        ("class Left: pass\n", {"Left"}),
        ("given_id = _GIVEN\n", {"given_id", "_GIVEN"}),
        ("names_found = 1\n", {"names_found"}),
        ("import hypothesis\n@hypothesis.given()\ndef test_found(): pass\n", set()),
        ("is_known = NOT_FOUND = _WELL_KNOWN = may_be_known = 1\n", set()),
        ("knowledge = foundation = 'found'  # found\n", set()),
    ],
)
def test_participles_are_detected(text: str, names: set[str]) -> None:
    """Words in strings and comments, and parts of longer words, are no identifiers."""
    assert _refused(text) == names
