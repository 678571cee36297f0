"""Only the declarations and modules of a cloud name it, or its kinds. Other code reads the declarations.

Strings and identifiers must not name one at all. Docstrings and comments may, in an example.
"""

from __future__ import annotations

import ast
import io
import pathlib
import re
import tokenize
from collections.abc import Iterator

import pytest

from planton.schema import kinds, providers

SOURCES = pathlib.Path(__file__).parents[1] / "src"
#: Files that may name clouds and kinds, with the reason.
ALLOWED = {
    "planton_server/http/examples.py": "bodies of the API's examples, one for each platform of its contract",
}
#: An example in a docstring or comment: a literal, a name after "e.g.", a command line, or an option of one.
_EXAMPLE = re.compile(r"``[^`]*``|`[^`]*`|e\.g\. (?:``[^`]*``|\S+)|^\s*(planton|--)[^\n]*$", re.MULTILINE)


def _words() -> list[str]:
    words: set[str] = set()
    for provider in providers.all_providers().values():
        words |= {provider.name, provider.prefix, provider.api_group.partition(".")[0]}
    for kind in kinds.all_kinds():
        words |= {kind.name, kind.name.removeprefix(kind.cloud.prefix), kind.stem, kind.declared.type.rpartition(":")[2]}
    # These are also names of roles.
    return sorted(words - {"firewall", "Firewall", "Network", "Cluster", "NodePool"}, key=len, reverse=True)


_PATTERN = re.compile("|".join(rf"(?<![a-zA-Z]){re.escape(word)}(?![a-z])|{re.escape(word)}(?=[A-Z_])" for word in _words()))
FILES = sorted(
    path
    for package in ("planton", "planton_server")
    for path in (SOURCES / package).rglob("*.py")
    if path.relative_to(SOURCES).as_posix() not in ALLOWED
    and not any(part in providers.names() for part in path.relative_to(SOURCES).parts)
)


def _docstrings(tree: ast.Module) -> set[tuple[int, int]]:
    places = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            places.add((node.body[0].lineno, node.body[0].col_offset))
    return places


def _cloud_names(text: str) -> Iterator[tuple[int, str]]:
    if not _PATTERN.search(text):
        return
    docstrings = _docstrings(ast.parse(text))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_prose = token.type == tokenize.COMMENT or token.start in docstrings
        match = _PATTERN.search(_EXAMPLE.sub("", token.string) if is_prose else token.string)
        if match:
            yield token.start[0], match[0]


def test_shared_files_name_no_cloud_and_no_kind() -> None:
    """Adding a cloud or a kind changes no such file."""
    places = [(path.relative_to(SOURCES), *place) for path in FILES for place in _cloud_names(path.read_text("utf-8"))]
    assert places == []


@pytest.mark.parametrize("name", ALLOWED)
def test_an_exception_is_still_needed(name: str) -> None:
    """A file on the list exists and names a cloud."""
    assert list(_cloud_names((SOURCES / name).read_text("utf-8")))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('x = "CivoVpc"\n', ["CivoVpc"]),
        ("civo_client = 1\n", ["civo"]),
        ('"""A file of Civo."""\n', ["Civo"]),
        ('"""A cloud, e.g. ``civo``."""\n', []),
        ("# Civo has none\n", ["Civo"]),
        ('x = "kubernetes_cluster"\n', ["kubernetes_cluster"]),
    ],
)
def test_names_in_strings_identifiers_and_prose_are_detected(text: str, names: list[str]) -> None:
    """An example in a docstring is allowed."""
    assert [word for _, word in _cloud_names(text)] == names
