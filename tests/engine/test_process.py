"""Pulumi's command line as a process: output, exit and interruption."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from pulumi.automation import errors as automation_errors

from planton.base import interruption
from planton.engine import process, toolchain


def _command(
    folder: pathlib.Path, text: str, timeout: float = 60.0, interrupt: interruption.Interruption | None = None
) -> process.PulumiCommand:
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    program.chmod(0o755)
    return process.PulumiCommand(
        toolchain.Toolchain(program, folder / "launcher", frozenset()),
        timeout=timeout,
        interruption=interrupt or interruption.Interruption(),
    )


def test_output_is_passed_on_line_by_line(tmp_path: pathlib.Path) -> None:
    """Both streams are separate. The program gets arguments and environment, and is never interactive."""
    command = _command(tmp_path, 'echo "$@"; echo "$EXTRA" >&2; pwd')
    out: list[str] = []
    err: list[str] = []
    result = command.run(["up", "--yes", "--non-interactive"], str(tmp_path), {"EXTRA": "x"}, out.append, err.append)
    assert out == ["--non-interactive up --yes", str(tmp_path)]
    assert err == ["x"]
    assert (result.stdout, result.stderr, result.code) == ("\n".join(out), "x", 0)


def test_the_launcher_is_on_the_programs_path(tmp_path: pathlib.Path) -> None:
    """The engine finds dynamic resources through the launcher."""
    result = _command(tmp_path, 'echo "$PATH"').run(["version"], str(tmp_path), {})
    assert result.stdout.split(":")[:2] == [str(tmp_path), str(tmp_path / "launcher")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("exit 3", automation_errors.CommandError),
        ("echo 'error: no stack named x found' >&2; exit 255", automation_errors.StackNotFoundError),
    ],
)
def test_a_failure_is_an_error_of_the_automation_api(text: str, kind: type[Exception], tmp_path: pathlib.Path) -> None:
    """The layers above handle these classes."""
    with pytest.raises(kind):
        _command(tmp_path, text).run(["stack"], str(tmp_path), {})


def test_output_that_is_not_utf8_is_read_to_its_end(tmp_path: pathlib.Path) -> None:
    """An invalid byte must not stop the reading: the program would block on a full pipe."""
    command = _command(tmp_path, "printf 'a\\233b\\n'; head -c 300000 /dev/zero | tr '\\0' x; echo; echo end")
    lines = command.run(["stack"], str(tmp_path), {}).stdout.split("\n")
    assert (lines[0], len(lines[1]), lines[2]) == ("a\ufffdb", 300000, "end")


def test_a_signal_is_distinguished_from_a_failure(tmp_path: pathlib.Path) -> None:
    """A killed program differs from one with a non-zero exit code."""
    for text, killed in (("kill -9 $$", True), ("exit 9", False)):
        command = _command(tmp_path, text)
        with pytest.raises(automation_errors.CommandError):
            command.run(["up"], str(tmp_path), {})
        assert command.killed is killed


def test_an_operation_is_interrupted_after_its_timeout(tmp_path: pathlib.Path) -> None:
    """SIGINT is enough for a program that handles it. The timeout is recorded as the reason."""
    command = _command(tmp_path, "trap 'echo stopped; exit 1' INT; while :; do :; done", timeout=0.1)
    with pytest.raises(automation_errors.CommandError, match="stopped"):
        command.run(["up"], str(tmp_path), {})
    assert command.timed_out
    assert not command.interrupted


def test_two_interruptions_in_quick_succession_kill_the_program(tmp_path: pathlib.Path) -> None:
    """It may ignore the polite request. Both may come before the process is looked at."""
    interrupt = interruption.Interruption()
    command = _command(tmp_path, "trap '' INT; echo started; while :; do sleep 1; done", interrupt=interrupt)

    def interrupt_twice(_line: str) -> None:
        interrupt.ask()
        interrupt.ask()

    with pytest.raises(automation_errors.CommandError):
        command.run(["up"], str(tmp_path), {}, interrupt_twice)
    assert (command.interrupted, command.killed) == (True, True)


def test_each_interruption_is_reported_at_once() -> None:
    """Running operations may take minutes. Silence would look like a hanging program."""
    numbers: list[int] = []
    interrupt = interruption.Interruption(numbers.append)
    interrupt.ask()
    assert numbers == [1]
    interrupt.ask()
    assert (interrupt.times, numbers) == (2, [1, 2])


def test_a_killed_engine_causes_no_python_warning() -> None:
    """Its event stream ends early, which Pulumi's SDK reports as a warning."""
    code = (
        "from planton.engine import workspace; from pulumi.automation import _stack\n"
        "def killed():\n    raise OSError('cancelled')\n    yield\n"
        "_stack._EventsServicer(print).StreamEvents(killed(), None)"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert (completed.stdout, completed.stderr) == ("", "")
