"""docs/extend/architecture.md names only files, functions and classes that exist."""

from __future__ import annotations

import importlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "extend" / "architecture.md"
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", PAGE.read_text("utf-8")))))
NAMES = [span for span in SPANS if re.fullmatch(r"(planton|planton_server|planton_sandbox)(\.\w+)+", span)]
PATHS = [span for span in SPANS if "/" in span and "<" not in span and " " not in span]


def resolve(name: str) -> object:
    """Returns the module, class, function or method of a dotted name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            resolved: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            resolved = getattr(resolved, part)
        return resolved
    raise ModuleNotFoundError(name)


def test_the_page_names_functions_and_files() -> None:
    """Nearly every step of the walks names one."""
    assert len(NAMES) >= 20
    assert len(PATHS) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_a_name_exists(name: str) -> None:
    """It can be imported and read."""
    assert resolve(name) is not None


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    """Paths start at the root of the repository."""
    assert (ROOT / path).exists()
