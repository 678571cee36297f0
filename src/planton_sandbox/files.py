"""Files of the sandbox's home: written whole or not at all, and readable by the owner only."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

INFO = "sandbox.json"
STATE = "state.json"
LOG = "sandbox.log"
LOCK = "lock"
START_LOCK = "start.lock"
CIVO_CONFIG = "civo.json"
DOCTL_CONFIG = "doctl.yaml"


def prepare(home: pathlib.Path) -> None:
    """Make the home folder, for the owner only."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)


def write(path: pathlib.Path, text: str) -> None:
    """Replace a file in one step; its mode is 0600."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        pathlib.Path(temporary).replace(path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


def read_json(path: pathlib.Path) -> Any:
    """Return a file's JSON, or ``None`` when there is no file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def hold(path: pathlib.Path) -> bool:
    """Take a lock file until this process ends, write the process id into it, and return whether that succeeded."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return True


@contextlib.contextmanager
def lock(path: pathlib.Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file; yield whether it was got, which with ``wait`` it always is."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
