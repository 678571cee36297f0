"""The files in the sandbox's home: replaced as a whole, and readable by their owner only."""

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
KUBERNETES = "kubernetes"
LOG = "sandbox.log"
LOCK = "lock"
START_LOCK = "start.lock"
CIVO_CONFIG = "civo.json"
DOCTL_CONFIG = "doctl.yaml"
GCP_KEY = "gcp-key.json"
GCLOUD_TOKEN = "gcloud-token"  # noqa: S105 - a file name
GCLOUD_CONFIG = "gcloud"


def prepare(home: pathlib.Path) -> None:
    """Creates the home, readable by its owner only."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)


def write(path: pathlib.Path, text: str) -> None:
    """Replaces a file in one step; its mode is 0600."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        pathlib.Path(temporary).replace(path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


def read_json(path: pathlib.Path) -> Any:
    """Returns a file's JSON, or ``None`` if the file does not exist."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def hold(path: pathlib.Path) -> bool:
    """Takes a lock file until this process ends, writes the process id into it, and returns whether it was free."""
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
    """Takes a lock file and yields whether it was free. With ``wait`` it waits until the file is free."""
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
