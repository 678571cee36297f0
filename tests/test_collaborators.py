"""Tests pass collaborators as arguments: they replace nothing of planton, and use none of its private names."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
from collections.abc import Iterator

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
SOURCES = sorted((TESTS.parent / "src").rglob("*.py"))
FILES = sorted(path for path in TESTS.rglob("*.py") if path != pathlib.Path(__file__))
PACKAGES = ("planton", "planton_server", "planton_sandbox")


#: The public methods of a named tuple, whose names must not be those of its fields.
NAMED_TUPLE = {"_asdict", "_fields", "_make", "_replace"}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in NAMED_TUPLE


def _defined(tree: ast.AST) -> Iterator[str]:
    """Yields the private names that code defines: functions, classes, constants, and attributes of its objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


#: A file without such a text is not parsed.
_SIGNS = re.compile(r"(?m)\._|^\s+_\w+( as \w+)?,|import .*\b_|\b(setattr|delattr|patch|object)\(|\.\w+ \S{0,3}=")


@functools.cache
def _sources() -> list[str]:
    return [path.read_text("utf-8") for path in SOURCES]


@functools.cache
def _is_defined_by_us(name: str) -> bool:
    return any(name in text and name in _defined(ast.parse(text)) for text in _sources())


def _modules(tree: ast.AST) -> set[str]:
    """Returns the names under which a file knows modules, classes and functions of planton."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            names |= {each.asname or each.name for each in node.names}
        elif isinstance(node, ast.Import):
            names |= {each.asname or each.name.split(".")[0] for each in node.names if each.name.split(".")[0] in PACKAGES}
    return names


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_ours(target: ast.AST, modules: set[str]) -> bool:
    if isinstance(target, ast.Constant) and isinstance(target.value, str):
        return target.value.split(".")[0] in PACKAGES
    return _root(target) in modules


def faults(text: str) -> list[str]:
    """Returns what a file of tests replaces in planton, and the private names of planton that it uses."""
    listed: list[str] = []
    if not _SIGNS.search(text):
        return listed
    tree = ast.parse(text)
    modules, own = _modules(tree), set(_defined(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            replaces = (
                node.func.attr in {"setattr", "delattr", "patch", "object"} and node.args and _is_ours(node.args[0], modules)
            )
            listed += [f"{node.lineno}: {ast.unparse(node.func)} of {ast.unparse(node.args[0])}"] if replaces else []
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            replaced = [each for each in targets if isinstance(each, ast.Attribute) and _root(each) in modules]
            listed += [f"{node.lineno}: assignment to {ast.unparse(each)}" for each in replaced]
        elif isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in own and _is_defined_by_us(node.attr):
            listed.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            listed += [f"{node.lineno}: import of {each.name}" for each in node.names if _is_private(each.name)]
    return listed


def test_tests_replace_nothing_and_use_no_private_name() -> None:
    """What a test varies is an argument. The standard library and Pulumi may be replaced."""
    assert [f"{path.relative_to(TESTS)}:{place}" for path in FILES for place in faults(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        "from planton.engine import stored\nmonkeypatch.setattr(stored.StoredStack, 'export', None)",
        "monkeypatch.setattr('planton.engine.stored.read', None)",
        "from planton import clouds\nclouds.read = None",
        "import planton.cli\nmock.patch.object(planton.cli, 'main')",
        "from planton.manifest.canonical import _yaml",
        "from planton.manifest import canonical\ncanonical._yaml('')",
        "from planton.engine import states\nstates._SECRET_KEY",
        "from planton.manifest.canonical import _YAML",
        "from planton.manifest.canonical import (\n    _yaml as yaml,\n)",
        "from planton import clouds\nclouds.count //= 2",
    ],
)
def test_each_way_around_an_argument_is_a_fault(text: str) -> None:
    """The check notices calls, assignments, attributes and imports."""
    assert len(faults(text)) == 1


def test_the_standard_library_may_be_replaced() -> None:
    """It has no arguments for what a test varies."""
    assert faults("import os\nimport time\nmonkeypatch.setattr(os, 'fsync', None)\nmonkeypatch.setattr('sys.stdin', None)") == []
