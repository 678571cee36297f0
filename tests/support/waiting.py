"""Waiting for other threads and processes, up to a limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: Seconds after which an awaited condition is considered to fail. A busy machine needs most of them.
TIMEOUT_SECONDS = 120.0


def until(condition: Callable[[], T], description: str) -> T:
    """Returns the first true value of a condition."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"timed out waiting for {description}"
        time.sleep(0.05)
    return value
