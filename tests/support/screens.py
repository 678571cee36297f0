"""A pseudo-terminal that runs a command, and the lines that stay on its screen."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Callable, Sequence

_ROWS = 50
_PIECES = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Screen:
    """What a command has drawn.

    Attributes:
        code: Its exit code.
        raw: Everything that it has written.
    """

    code: int
    raw: str

    def lines(self) -> list[str]:
        """Returns the lines that stay: what the command has erased or overwritten is gone."""
        rows = [""]
        at = column = 0
        for piece in _PIECES.finditer(self.raw):
            number, verb, newline, text = piece.groups()
            if verb == "A":
                at = max(at - int(number or 1), 0)
            elif verb == "K":
                rows[at] = ""
            elif newline == "\r":
                column = 0
            elif newline:
                at, column = at + 1, 0
                rows += [""] * (at + 1 - len(rows))
            elif text:
                row = rows[at].ljust(column)
                rows[at] = row[:column] + text + row[column + len(text) :]
                column += len(text)
        return [row.rstrip() for row in rows]


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a user does.

    Attributes:
        seen: The text that the user waits for.
        typed: What the user types then.
        act: What else happens then.
    """

    seen: str
    typed: str = ""
    act: Callable[[], object] = bool


def run(
    command: Sequence[str], *, cwd: pathlib.Path, env: dict[str, str], width: int, answers: Sequence[Answer] = (), seconds: float
) -> Screen:
    """Runs a command on a terminal.

    Args:
        command: The command.
        cwd: Its folder.
        env: Its environment.
        width: The number of columns.
        answers: What the user does, in this order.
        seconds: The longest time.
    """
    process, descriptor = pty.fork()
    if not process:
        os.chdir(cwd)
        os.execvpe(command[0], list(command), env)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, width, 0, 0))
    remaining, raw, unread = list(answers), b"", b""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        chunk = _read(descriptor)
        if chunk is None:
            break
        raw, unread = raw + chunk, unread + chunk
        if remaining and remaining[0].seen.encode() in unread:
            answer = remaining.pop(0)
            answer.act()
            os.write(descriptor, answer.typed.encode())
            unread = b""
    else:
        os.kill(process, 9)
    _, status = os.waitpid(process, 0)
    os.close(descriptor)
    return Screen(os.waitstatus_to_exitcode(status), raw.decode("utf-8"))


def _read(descriptor: int) -> bytes | None:
    if not select.select([descriptor], [], [], 0.2)[0]:
        return b""
    try:
        return os.read(descriptor, 65536) or None
    except OSError:
        # The command has closed its terminal.
        return None
