"""The reports of the tests: a failure with any text is reported, and the run continues."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from support import printable

TESTS = pathlib.Path(__file__).resolve().parent
#: Half of a surrogate pair has no UTF-8.
FAILING = """
import warnings

def test_failure():
    raise ValueError("\\udc9b")

def test_warning():
    warnings.warn("\\udc9b")
    assert False, "after a warning"

def test_success():
    pass
"""


@pytest.mark.slow
def test_a_report_with_an_invalid_character_does_not_stop_the_worker(tmp_path: pathlib.Path) -> None:
    """Without the plugin, xdist ends with an internal error and reports neither failure."""
    (tmp_path / "test_one.py").write_text(FAILING, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "support.printable", "-p", "no:schemathesis", "--rootdir=."]
    environ = os.environ | {"PYTHONPATH": str(TESTS)}
    completed = subprocess.run([*command, "."], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert "2 failed, 1 passed" in completed.stdout, completed.stdout + completed.stderr
    assert "ValueError: \\udc9b" in completed.stdout
    assert "INTERNALERROR" not in completed.stdout + completed.stderr


def test_only_invalid_characters_of_a_report_are_escaped() -> None:
    """The structure of the data stays unchanged."""
    data = {"text": "é\n", "list": ["\ud800", ("a", 1, None)]}
    assert printable.printable(data) == {"text": "é\n", "list": ["\\ud800", ("a", 1, None)]}
