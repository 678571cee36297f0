"""SIGTERM and SIGHUP, which end a command as Ctrl-C does: running steps finish, the state is saved, the lock is released."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
#: The commands that run a server, which handles signals itself.
_SERVERS = ("controller", "sandbox", "server")


def install(command: str) -> None:
    """Installs handlers that raise ``KeyboardInterrupt`` in a command.

    Only the first signal raises. A job runner sends several signals, and a shell repeats SIGHUP: unlike a second Ctrl-C, a second
    signal must not kill the engine. A signal that the caller ignores, for example with nohup, stays ignored.
    """
    if command in _SERVERS:
        return
    is_interrupted = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_interrupted
        if not is_interrupted:
            is_interrupted = True
            raise KeyboardInterrupt

    def interrupt_again(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        raise KeyboardInterrupt

    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt_again)
