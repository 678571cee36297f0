"""Runs functions in a child process with limited memory, so that running out of memory ends only the child."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Additional bytes that the child may allocate.
MOST_BYTES = 512 * 1024**2
_USUAL_BYTES = 1024**3


class ExhaustedError(Exception):
    """The work exceeded its memory limit."""


def run(work: Callable[[], Any], *, most_bytes: int = MOST_BYTES) -> Any:  # JSON data
    """Returns the result of a function that runs in a copy of this process.

    Args:
        work: Returns JSON data. It must have no side effects.
        most_bytes: The number of additional bytes that it may allocate.

    Raises:
        ExhaustedError: It exceeded the limit, or crashed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # The copy must never continue the parent's code.
        with contextlib.suppress(BaseException):
            _work(work, writing, most_bytes)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    if not result:
        raise ExhaustedError
    return json.loads(result)


def _work(work: Callable[[], Any], writing: int, most_bytes: int) -> None:
    # A library that runs out of memory prints to standard error, and aborts.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = _taken() + most_bytes
    # macOS refuses limits of the address space: the work is then confined to a process, and not limited.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(work()).encode())


def _taken() -> int:
    # Only Linux reports it here.
    try:
        return int(pathlib.Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return _USUAL_BYTES
