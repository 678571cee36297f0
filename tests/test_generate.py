"""The generator of stubs: committed stubs are current, built ones are deterministic, missing languages are reported."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOL = ROOT / "tools" / "generate.py"


@pytest.fixture(scope="module")
def tool():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("generate", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(*arguments: str, tool: pathlib.Path = TOOL) -> subprocess.CompletedProcess[str]:
    """Runs the tool with only Python on PATH."""
    environ = os.environ | {"PATH": str(pathlib.Path(sys.executable).parent)}
    return subprocess.run([sys.executable, str(tool), *arguments], env=environ, capture_output=True, text=True, check=False)


def test_all_installed_languages_are_checked_by_default() -> None:
    """Python's stubs are current. Missing languages are reported, but do not fail the check."""
    completed = _run("--check")
    assert (completed.returncode, completed.stdout) == (0, ""), completed.stderr
    assert [line.partition(":")[0] for line in completed.stderr.splitlines()] == ["go", "ts", "java"]


def test_the_programs_of_the_running_environment_generate(tmp_path: pathlib.Path) -> None:
    """A checkout whose environment is not in `.venv` generates the same."""
    for name in ("proto", ".cache", "gen", "buf.yaml", "buf.gen.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    tool = tmp_path / "tools" / TOOL.name
    tool.parent.mkdir()
    shutil.copy(TOOL, tool)
    completed = _run("--check", "python", tool=tool)
    assert (completed.returncode, completed.stdout) == (0, ""), completed.stderr


def test_a_named_language_must_be_installed() -> None:
    """Otherwise a check without a generator would pass."""
    assert _run("--check", "java").returncode == 1
    assert "unknown language: rust" in _run("rust").stderr


def _language(tool, *, is_committed):
    return tool.Language("template", "stubs", None, is_committed=is_committed)


def _generator(*contents):
    """A generator that writes one file, with the next content at each run."""
    texts = itertools.chain(contents, itertools.repeat(contents[-1] if contents else None))

    def run(language, folder):
        (folder / language.tree).mkdir()
        if (text := next(texts)) is not None:
            (folder / language.tree / "one.ts").write_text(text, "utf-8")

    return run


def test_built_stubs_must_be_deterministic(tool, tmp_path) -> None:
    """A generator with different output in the second run fails the check. No committed file is needed."""
    built = _language(tool, is_committed=False)
    assert tool.check(built, _generator("a"), tmp_path) == []
    assert tool.check(built, _generator("a", "b"), tmp_path) == ["stubs/one.ts differs between two runs of the generators"]


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_generator_that_writes_nothing_fails_the_check(tool, tmp_path, is_committed) -> None:
    """Two empty folders would be equal."""
    problems = tool.check(_language(tool, is_committed=is_committed), _generator(), tmp_path)
    assert problems == ["stubs: the generators wrote no file"]


def test_committed_stubs_must_be_current(tool, tmp_path) -> None:
    """Missing, changed and surplus files are reported."""
    committed = _language(tool, is_committed=True)
    stale = ["stubs/one.ts is not what `make gen` writes"]
    assert tool.check(committed, _generator("a"), tmp_path) == stale
    (tmp_path / "stubs").mkdir()
    (tmp_path / "stubs" / "one.ts").write_text("b", "utf-8")
    assert tool.check(committed, _generator("a"), tmp_path) == stale
    (tmp_path / "stubs" / "one.ts").write_text("a", "utf-8")
    assert tool.check(committed, _generator("a"), tmp_path) == []
    (tmp_path / "stubs" / "two.ts").write_text("a", "utf-8")
    assert tool.check(committed, _generator("a"), tmp_path) == ["stubs/two.ts is not what `make gen` writes"]
