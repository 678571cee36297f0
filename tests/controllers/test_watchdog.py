"""The engines of a controller end with it, and with its lease."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from planton.controllers import lease, watchdog

PATIENCE = 60.0
pytestmark = pytest.mark.skipif(not pathlib.Path("/proc/self/environ").exists(), reason="only Linux has /proc")


@pytest.fixture
def mark() -> str:
    """A mark that no other process has."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def engine(mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with the mark, which ends only if it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, watchdog.VARIABLE: mark},
    )
    assert process.stdout is not None
    # Before this line it may still have the environment of its parent.
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_engines_are_found_by_their_mark(mark: str, engine: subprocess.Popen[bytes]) -> None:
    """The process that marks them does not have it itself."""
    assert list(watchdog.marked(mark)) == [engine.pid]
    assert list(watchdog.marked(f"{mark}-other")) == []


def test_an_engine_is_killed_when_the_lease_ends(mark: str, engine: subprocess.Popen[bytes]) -> None:
    """The controller may be suspended: nothing but the clock tells."""
    watching = watchdog.Watchdog(mark)
    try:
        watching.tell(lease.clock())
        assert engine.wait(PATIENCE) == -signal.SIGKILL
    finally:
        watching.close()


def test_an_engine_is_killed_when_the_controller_ends(mark: str, engine: subprocess.Popen[bytes]) -> None:
    """However it ends: the pipe to the watchdog closes."""
    watching = watchdog.Watchdog(mark)
    watching.tell(lease.clock() + 3600)
    watching.close()
    assert engine.wait(PATIENCE) == -signal.SIGKILL


def test_a_renewed_lease_keeps_the_engine(mark: str, engine: subprocess.Popen[bytes]) -> None:
    """Only the newest end counts."""
    lines = f"{lease.clock() + 3000}\n{lease.clock() + 3600}\n".encode()
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "planton.controllers.watchdog", mark], stdin=reading)
        os.close(reading)
        file.write(lines)
        file.flush()
        assert engine.poll() is None
    assert process.wait(PATIENCE) == 0
    assert engine.wait(PATIENCE) == -signal.SIGKILL
