"""Programs on a pseudo-terminal: a test types keys, and waits for what the program prints."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pty
import re
import select
import signal
import time
from collections.abc import Mapping, Sequence

#: A program that has not printed it by then is stuck.
_LIMIT_SECONDS = 120
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9A-B]?|\r")


class Terminal:
    """A program on a pseudo-terminal.

    Attributes:
        output: What it has printed, without escape sequences.
    """

    def __init__(self, command: Sequence[str], folder: pathlib.Path, environ: Mapping[str, str]) -> None:
        """Starts it."""
        self.output = ""
        self._read = 0
        self._process, self._terminal = pty.fork()
        if not self._process:
            os.chdir(folder)
            os.execvpe(command[0], list(command), dict(environ))

    def type(self, keys: str) -> None:
        """Types keys."""
        os.write(self._terminal, keys.encode())

    def expect(self, pattern: str) -> str:
        """Returns the next part of the output that matches a pattern."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while not (match := re.search(pattern, self.output[self._read :])):
            assert self._more(deadline), f"no {pattern!r} in: {self.output[self._read :]}"
        self._read += match.end()
        return match[0]

    def _more(self, deadline: float) -> bool:
        while time.monotonic() < deadline:
            if select.select([self._terminal], [], [], 1)[0]:
                try:
                    data = os.read(self._terminal, 65536)
                except OSError:
                    # Linux reports the end of the program so.
                    return False
                self.output += _ESCAPES.sub("", data.decode(errors="replace"))
                return bool(data)
        return False

    def close(self) -> int:
        """Ends it, unless it has ended, and returns its exit code."""
        ended, status = os.waitpid(self._process, os.WNOHANG)
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            _, status = os.waitpid(self._process, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)

    def end(self) -> int:
        """Waits for the end of the program and returns its exit code."""
        while self._more(time.monotonic() + _LIMIT_SECONDS):
            pass
        _, status = os.waitpid(self._process, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)
