"""Ends programs that Pulumi's SDK has left suspended, because their engine ended before them.

The garbage collector would end them at any time, within another program: they would register their outputs with its engine, which
fails with futures "attached to a different loop".
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine, Generator

_LOCK: Final = threading.Lock()
#: The tasks of programs that have not ended yet. A reference keeps the garbage collector away from them.
_TASKS: Final[set[asyncio.Task[Any]]] = set()


def watch(task: asyncio.Task[Any]) -> None:
    """Keeps a program until it has ended, or until `close` ends it."""
    with _LOCK:
        _TASKS.add(task)


def close() -> None:
    """Ends the programs that nothing continues: their loops do not run any longer."""
    with _LOCK:
        ended = [task for task in _TASKS if task.done() or not task.get_loop().is_running()]
        _TASKS.difference_update(ended)
    for task in ended:
        if not task.done():
            # In a context of its own, it finds no other engine.
            contextvars.Context().run(_close, task.get_coro())


def _close(program: Coroutine[Any, Any, Any] | Generator[Any, Any, Any]) -> None:
    # A program may try to register outputs once more, and finds no engine.
    with contextlib.suppress(Exception):
        program.close()
