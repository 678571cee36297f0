"""Every command names the extra that it needs if that extra is missing."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

import pytest

from planton import cli, errors

SOURCES = pathlib.Path(cli.__file__).parents[1]
#: The imports that need no extra; `_typeshed` is for type checkers only.
CORE = {
    "_typeshed",
    "buf",
    "click",
    "google.protobuf",
    "org",
    "planton",
    "planton_sandbox",
    "planton_server",
    "platformdirs",
    "protovalidate",
    "rich",
    "yaml",
}
#: Runs a command with the packages of all extras hidden.
BARE = """
import importlib.machinery, sys
from planton import cli
from planton.schema import providers
find = importlib.machinery.PathFinder.find_spec
def hidden(name, path=None, target=None):
    is_of_extra = any(cli.extra_of(part) for part in (name, name.partition(".")[0]) if not part.startswith("planton"))
    return None if is_of_extra else find(name, path, target)
importlib.machinery.PathFinder.find_spec = hidden
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("get", "civo"),
        ("state list", "civo"),
        ("kubeconfig civokubernetesclusters/dev", "civo"),
        ("nodepools list --user a@example.com", "client"),
        ("clusters list --user a@example.com", "client"),
        ("sandbox start", "sandbox"),
        ("server start", "server"),
        ("server openapi", "server"),
        ("server token list", "server"),
    ],
)
def test_a_command_names_the_extra_that_it_needs(command: str, extra: str) -> None:
    """The exit code is 8, and the hint has the install command."""
    completed = subprocess.run([sys.executable, "-c", BARE, *command.split()], capture_output=True, check=False, text=True)
    assert completed.returncode == errors.Code.MISSING, completed.stderr
    assert f"project-planton[{extra}]" in completed.stderr


def test_doctor_needs_no_extra() -> None:
    """It reports missing extras."""
    completed = subprocess.run([sys.executable, "-c", BARE, "doctor"], capture_output=True, check=False, text=True)
    assert "extra civo: missing: pulumi, pulumi_civo" in completed.stdout


def _imports() -> set[str]:
    names = set()
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return names


def test_every_imported_package_belongs_to_the_core_or_an_extra() -> None:
    """Otherwise a missing package would be a crash, not a hint."""
    core = CORE | sys.stdlib_module_names

    def is_declared(name: str) -> bool:
        parts = {name.partition(".")[0], ".".join(name.split(".")[:2])}
        return bool(parts & core) or any(cli.extra_of(part) for part in parts)

    assert [name for name in _imports() if not is_declared(name)] == []
