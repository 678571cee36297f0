"""SIGTERM and SIGHUP, which end a command as Ctrl-C does: what is under way ends, the state is saved, the lock is released."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
#: The commands that run a server, which ends in its own way.
_SERVERS = ("sandbox", "server")


def install(command: str) -> None:
    """Lets the signals raise ``KeyboardInterrupt`` in a command.

    Only the first one does. A runner that ends a job sends several, and a shell repeats SIGHUP for its jobs: the second must not
    end the engine at once, as a second Ctrl-C does. A signal that the caller ignores, as nohup does, stays ignored.
    """
    if command in _SERVERS:
        return
    asked = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise KeyboardInterrupt

    def interrupt_again(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        raise KeyboardInterrupt

    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt_again)
