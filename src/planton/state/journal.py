"""Run records and locks: what this machine knows of the operations on a stack, whatever became of them.

A record is written before an operation that changes something and removed after a clean end. One that is still there says
that the operation failed or was killed, and who held the stack. What an apply may have created is in its state too (`evidence`),
because another machine may continue.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import getpass
import hashlib
import json
import os
import socket
import time
from typing import IO, TYPE_CHECKING, Any, Final

from planton import errors
from planton.config import folders

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Mapping, Sequence

    from planton.config import settings as engine_settings
    from planton.engine import stacks

_POLL_SECONDS = 0.2


def user() -> str:
    """Returns the name of the user, or the number where the system has no name for it, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@dataclasses.dataclass(frozen=True, slots=True)
class Creation:
    """A creation with an unknown result.

    Attributes:
        name: The name in the cloud, when the creation started.
        inputs: The Pulumi properties of the request; empty if unknown.
    """

    name: str
    inputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)


#: The fields that every release requires of a record.
_REQUIRED: Final = ("operation", "started", "failed", "uncertain")


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """The record of an operation that has not ended cleanly.

    Attributes:
        operation: ``apply``, ``destroy``, ….
        started: Seconds since the epoch.
        failed: Whether it ended with an error; otherwise it was killed.
        uncertain: URN → creation with an unknown result.
        marker: The tag that the operation gives to the resources that it creates; empty for none.
        before: URN of a planned creation → ids of its kind that the cloud listed before the first request.
        default_pool: The default pool of the stack's cluster before the operation (`default_pool.DefaultPool`); empty for none.
        id: What identifies the operation; empty in records of older releases.
        previous: The id of the apply that the state recorded before; empty for none.
    """

    operation: str
    started: float
    failed: bool = False
    uncertain: Mapping[str, Creation] = dataclasses.field(default_factory=dict)
    marker: str = ""
    before: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    default_pool: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    id: str = ""
    previous: str = ""

    def text(self) -> str:
        """Returns it as JSON, without what is unset: every state of an applied resource holds one."""
        values = {name: value for name, value in dataclasses.asdict(self).items() if value or name in _REQUIRED}
        return json.dumps(values, separators=(",", ":"))


def _creation(data: Any) -> Creation:  # JSON data
    # Records of older releases hold the name alone, which proves nothing.
    return Creation(data) if isinstance(data, str) else Creation(str(data["name"]), dict(data["inputs"]))


def parse(text: str) -> Record:
    """Returns the record in a text, of this release or an older one.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: It is not one.
    """
    data = json.loads(text)
    return Record(
        data["operation"],
        data["started"],
        data["failed"],
        {urn: _creation(each) for urn, each in data["uncertain"].items()},
        str(data.get("marker") or ""),
        {urn: tuple(ids) for urn, ids in (data.get("before") or {}).items()},
        dict(data.get("default_pool") or {}),
        str(data.get("id") or ""),
        str(data.get("previous") or ""),
    )


class Journal:
    """The record of one stack in one backend."""

    def __init__(self, folder: pathlib.Path, backend: str, name: stacks.StackName) -> None:
        digest = hashlib.sha256(f"{backend} {name}".encode()).hexdigest()[:12]
        self._path = folders.private(folder / "runs") / f"{name.stack}-{digest}.json"
        self._lock = self._path.with_suffix(".lock")
        self._name = name

    def read(self) -> Record | None:
        """Returns the record of an operation that has not ended cleanly, or None."""
        try:
            return parse(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Record("an operation", 0.0)

    def write(self, record: Record) -> None:
        """Keeps a record, whole or not at all.

        Raises:
            PlantonError: ``FOLDER_UNWRITABLE``: it cannot be written.
        """
        folders.keep(self._path, record.text())

    def clear(self) -> None:
        """Deletes the record, because the operation has succeeded."""
        self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def hold(self, operation: str, settings: engine_settings.Settings) -> Iterator[None]:
        """Holds the stack against other processes of this machine.

        Args:
            operation: What the holder does, for those who wait.
            settings: How long to wait for another holder, and the callback for progress.

        Raises:
            PlantonError: ``STACK_LOCKED``, with the holder.
        """
        with open(self._lock, "a+", encoding="utf-8", opener=folders.opener) as handle:
            self._acquire(handle, settings)
            handle.truncate(0)
            holder = f"{operation} by {user()} (process {os.getpid()} on {socket.gethostname()})"
            # The lock holds on a full disk too; its holder is then unknown to others.
            with contextlib.suppress(OSError):
                os.write(handle.fileno(), holder.encode())
            try:
                yield
            finally:
                handle.truncate(0)

    def _acquire(self, handle: IO[str], settings: engine_settings.Settings) -> None:
        deadline = time.monotonic() + settings.lock_timeout
        is_reported = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                holder = handle.read() or "another process"
            else:
                return
            if time.monotonic() >= deadline:
                raise errors.stack_locked(
                    f"stack {self._name} is held by: {holder}",
                    hint="wait until it ends, or pass --lock-timeout SECONDS",
                    metadata={"stack": str(self._name), "holder": holder},
                )
            if not is_reported:
                settings.progress(f"waiting for {holder}")
                is_reported = True
            settings.interruption.check()
            time.sleep(_POLL_SECONDS)
