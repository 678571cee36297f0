"""The command line as a process: what it prints, how it ends, how it is stopped."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from pulumi.automation import errors as automation_errors

from planton.base import interruption
from planton.engine import process, toolchain


def _command(folder: pathlib.Path, text: str, timeout: float = 60.0) -> process.PulumiCommand:
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    program.chmod(0o755)
    return process.PulumiCommand(
        toolchain.Toolchain(program, folder / "launcher", frozenset()), timeout=timeout, interruption=interruption.Interruption()
    )


def test_what_is_printed_is_passed_on_line_by_line(tmp_path: pathlib.Path) -> None:
    """Both streams are kept apart, arguments and environment reach the program, which is never interactive."""
    command = _command(tmp_path, 'echo "$@"; echo "$EXTRA" >&2; pwd')
    out: list[str] = []
    err: list[str] = []
    result = command.run(["up", "--yes", "--non-interactive"], str(tmp_path), {"EXTRA": "x"}, out.append, err.append)
    assert out == ["--non-interactive up --yes", str(tmp_path)]
    assert err == ["x"]
    assert (result.stdout, result.stderr, result.code) == ("\n".join(out), "x", 0)


def test_the_launcher_is_on_the_programs_path(tmp_path: pathlib.Path) -> None:
    """Dynamic resources are found beside whatever else is there."""
    result = _command(tmp_path, 'echo "$PATH"').run(["version"], str(tmp_path), {})
    assert result.stdout.split(":")[:2] == [str(tmp_path), str(tmp_path / "launcher")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("exit 3", automation_errors.CommandError),
        ("echo 'error: no stack named x found' >&2; exit 255", automation_errors.StackNotFoundError),
    ],
)
def test_a_failure_is_the_automation_apis_own_error(text: str, kind: type[Exception], tmp_path: pathlib.Path) -> None:
    """The layers above know its classes."""
    with pytest.raises(kind):
        _command(tmp_path, text).run(["stack"], str(tmp_path), {})


def test_output_that_is_no_text_is_read_to_its_end(tmp_path: pathlib.Path) -> None:
    """A byte that is none of UTF-8 must not stop the reading: the program would wait for ever with a full pipe."""
    command = _command(tmp_path, "printf 'a\\233b\\n'; head -c 300000 /dev/zero | tr '\\0' x; echo; echo end")
    lines = command.run(["stack"], str(tmp_path), {}).stdout.split("\n")
    assert (lines[0], len(lines[1]), lines[2]) == ("a\ufffdb", 300000, "end")


def test_a_signal_is_told_from_a_failure(tmp_path: pathlib.Path) -> None:
    """Somebody outside has killed it, or it has ended with a code of its own."""
    for text, killed in (("kill -9 $$", True), ("exit 9", False)):
        command = _command(tmp_path, text)
        with pytest.raises(automation_errors.CommandError):
            command.run(["up"], str(tmp_path), {})
        assert command.killed is killed


def test_an_operation_that_takes_too_long_is_asked_to_stop(tmp_path: pathlib.Path) -> None:
    """The polite signal is enough for a program that listens, and the reason is kept."""
    command = _command(tmp_path, "trap 'echo stopped; exit 1' INT; while :; do :; done", timeout=0.1)
    with pytest.raises(automation_errors.CommandError, match="stopped"):
        command.run(["up"], str(tmp_path), {})
    assert command.timed_out
    assert not command.interrupted


def test_the_first_wish_to_end_is_answered_at_once() -> None:
    """What is under way may take minutes, and silence looks like a program that does not listen."""
    said: list[str] = []
    interrupted = interruption.Interruption(said.append)
    interrupted.ask()
    assert said == ["stopping after the running operations: waiting for the cloud; press Ctrl-C again to stop at once"]
    interrupted.ask()
    assert (interrupted.times, len(said)) == (2, 1)


def test_an_engine_that_is_killed_leaves_no_warning_of_python() -> None:
    """Its events end in the middle, which the SDK tells as a warning."""
    code = (
        "from planton.engine import workspace; from pulumi.automation import _stack\n"
        "def killed():\n    raise OSError('cancelled')\n    yield\n"
        "_stack._EventsServicer(print).StreamEvents(killed(), None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
