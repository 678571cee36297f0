"""Kills the engines of a controller that was killed, or whose lease has ended while it was suspended.

It is a process of its own: ``python -m planton.controllers.watchdog MARK``. Its standard input has the end of the lease, line by line;
the end of the input is the end of the controller. Engines and plugins have the mark in the variable ``PLANTON_PROCESS``.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The variable by which the engines of a controller are known.
VARIABLE: Final = "PLANTON_PROCESS"
_PROC: Final = pathlib.Path("/proc")
#: Seconds between two sweeps after an end: an engine may just have started another process.
_AGAIN: Final = 0.2
_SWEEPS: Final = 5


def marked(mark: str, proc: pathlib.Path = _PROC) -> Iterator[int]:
    """Yields the processes with a mark. Systems without /proc have none."""
    entry = f"{VARIABLE}={mark}".encode()
    for folder in proc.glob("[0-9]*"):
        # A process may end meanwhile, or belong to another user.
        with contextlib.suppress(OSError):
            if entry in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def kill(mark: str) -> None:
    """Kills the processes with a mark."""
    for process in marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


class Watchdog:
    """The watchdog of this process."""

    def __init__(self, mark: str) -> None:
        """Starts it.

        Args:
            mark: The mark of the engines.
        """
        environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "planton.controllers.watchdog", mark],
            stdin=subprocess.PIPE,
            env=environ,
            # A Ctrl-C in the terminal is for the controller.
            start_new_session=True,
        )

    def tell(self, ends: float) -> None:
        """Passes on the end of a lease, on the clock of `planton.controllers.lease`."""
        stdin = self._process.stdin
        assert stdin is not None, "it was started with a pipe"
        with contextlib.suppress(BrokenPipeError):
            stdin.write(f"{ends}\n".encode())
            stdin.flush()

    def close(self) -> None:
        """Ends it. Engines that still run are killed."""
        assert self._process.stdin is not None, "it was started with a pipe"
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def _clock() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def watch(mark: str) -> None:
    """Watches until the input ends."""
    ends, rest = float("inf"), b""
    while True:
        pause = None if ends == float("inf") else max(0.0, ends - _clock())
        if not select.select([0], [], [], pause)[0]:
            kill(mark)
            ends = float("inf") if not any(marked(mark)) else _clock() + _AGAIN
            continue
        data = os.read(0, 4096)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        if lines:
            ends = float(lines[-1])
    for _ in range(_SWEEPS):
        kill(mark)
        time.sleep(_AGAIN)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(sys.argv[1])
