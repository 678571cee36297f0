"""The tool that generates stubs: languages that are on the machine, and only those."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the tool on a machine that has Python and nothing else."""
    command = [sys.executable, str(ROOT / "tools" / "generate.py"), *arguments]
    environ = os.environ | {"PATH": str(pathlib.Path(sys.executable).parent)}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_without_a_name_all_that_are_there_are_looked_at() -> None:
    """Python's stubs are what would be generated; the others are named, and nothing fails for want of them."""
    done = _run("--check")
    assert (done.returncode, done.stdout) == (0, "")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["go", "ts", "java"]


def test_a_language_that_is_asked_for_must_be_there() -> None:
    """Else a check would pass that has looked at nothing."""
    assert _run("--check", "java").returncode == 1
    assert "unknown: rust" in _run("rust").stderr
