"""Waiting for what other threads and processes do: as long as it takes, and not longer than a test may."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: Seconds after which what was waited for will never come. A machine that is busy needs most of them.
TIMEOUT_SECONDS = 120.0


def until(found: Callable[[], T], what: str) -> T:
    """Return the first value that is true."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return value
