"""An extra that is not installed is named by every command that needs it."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

import pytest

from planton import cli, errors

SOURCES = pathlib.Path(cli.__file__).parents[1]
#: What the package has without extras; the first is type checkers' own.
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
    "yaml",
}
#: Runs a command where nothing of any extra can be imported.
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
    """With exit code 8, and how to install it."""
    done = subprocess.run([sys.executable, "-c", BARE, *command.split()], capture_output=True, check=False, text=True)
    assert done.returncode == errors.Code.MISSING, done.stderr
    assert f"project-planton[{extra}]" in done.stderr


def test_doctor_needs_no_extra() -> None:
    """It is there to say what is missing."""
    done = subprocess.run([sys.executable, "-c", BARE, "doctor"], capture_output=True, check=False, text=True)
    assert "extra civo: missing: pulumi, pulumi_civo" in done.stdout


def _imports() -> set[str]:
    found = set()
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return found


def test_every_package_is_known_by_its_extra() -> None:
    """A package that is imported and that neither the core nor an extra brings would end in a crash."""
    known = CORE | sys.stdlib_module_names

    def is_known(name: str) -> bool:
        parts = {name.partition(".")[0], ".".join(name.split(".")[:2])}
        return bool(parts & known) or any(cli.extra_of(part) for part in parts)

    assert [name for name in _imports() if not is_known(name)] == []
