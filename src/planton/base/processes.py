"""Processes of this machine."""

from __future__ import annotations

import os


def runs(process: int) -> bool:
    """Returns whether a process of this machine runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
