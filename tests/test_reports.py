"""The tests' own reports: a failure with any text in it is reported, and the run goes on."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

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


def test_a_report_with_half_a_character_kills_no_worker(tmp_path: pathlib.Path) -> None:
    """Without the plugin, xdist ends with an internal error and names neither failure."""
    (tmp_path / "test_one.py").write_text(FAILING, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "support.printable", "-p", "no:schemathesis", "--rootdir=."]
    environ = os.environ | {"PYTHONPATH": str(TESTS)}
    done = subprocess.run([*command, "."], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert "2 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "ValueError: \\udc9b" in done.stdout
    assert "INTERNALERROR" not in done.stdout + done.stderr


def test_other_texts_stay_what_they_are() -> None:
    """Data of a report keeps its shape; only what has no UTF-8 is escaped."""
    data = {"text": "é\n", "list": ["\ud800", ("a", 1, None)]}
    assert printable.printable(data) == {"text": "é\n", "list": ["\\ud800", ("a", 1, None)]}
