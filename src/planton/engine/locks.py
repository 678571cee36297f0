"""The locks of a Pulumi backend in a folder: the holder of a stack, and whether the holder still runs.

A lock file names a process and a host. A killed process leaves its file behind. On the host of the process, planton removes it.
It cannot check processes on other hosts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import socket
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.base import processes

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that the clocks of a file system and a kernel may differ. A process needs longer than this to start and take a lock.
_SLACK_SECONDS = 2.0
#: The highest process id of any system.
_MOST_PROCESSES = 2**31


@dataclasses.dataclass(frozen=True, slots=True)
class Lock:
    """A lock file.

    Attributes:
        path: The file.
        host: The host of the process that holds it; empty if the file is damaged.
        process: The id of the process; 0 if the file is damaged.
        taken: When it was taken, seconds since the epoch; 0 if unknown.
    """

    path: pathlib.Path
    host: str = ""
    process: int = 0
    taken: float = 0.0

    @property
    def is_damaged(self) -> bool:
        """Whether the file does not name its holder."""
        return not self.host

    @property
    def is_stale(self) -> bool:
        """Whether its process ran on this machine and has ended."""
        return self.host == socket.gethostname() and not _runs_since(self.process, self.taken)

    def __str__(self) -> str:
        """Returns the holder as text."""
        return f"an unknown process ({self.path} is damaged)" if self.is_damaged else f"process {self.process} on {self.host}"


def read(folder: pathlib.Path) -> list[Lock]:
    """Returns the locks of a stack, by file name.

    Args:
        folder: The folder of its lock files.
    """
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: pathlib.Path) -> Lock:
    try:
        content: Any = json.loads(path.read_text("utf-8"))
        taken = 0.0
        with contextlib.suppress(KeyError, ValueError, TypeError):
            taken = datetime.datetime.fromisoformat(content["timestamp"]).timestamp()
        host, process = str(content["hostname"]), int(content["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return Lock(path)
    return Lock(path, host, process, taken) if 0 < process < _MOST_PROCESSES else Lock(path)


def release_stale(folder: pathlib.Path, stack: str, progress: Callable[[str], None]) -> None:
    """Removes the locks of processes of this machine that have ended.

    Args:
        folder: The folder of the stack's lock files.
        stack: The stack's name, for messages.
        progress: Is called with a line for each lock that is removed.

    Raises:
        PlantonError: ``STACK_LOCKED``: a lock file is damaged, so its holder is unknown.
    """
    for lock in read(folder):
        if lock.is_damaged and lock.path.exists():
            raise errors.stack_locked(
                f"stack {stack} is locked by an unknown process: the lock file {lock.path} is empty or damaged",
                hint="make sure that no other operation uses the stack, then remove the lock: planton state unlock --stack "
                f"{stack}",
                metadata={"stack": stack, "file": str(lock.path)},
            )
        if lock.is_stale:
            progress(f"the lock of {stack} was held by {lock}, which has ended; it is removed")
            lock.path.unlink(missing_ok=True)


def remove_unfinished(folder: pathlib.Path) -> None:
    """Removes lock files that were never written to their end, as on a full disk. The engine cannot read a stack's locks then.

    Args:
        folder: The folder of the lock files of a stack on which no operation runs.
    """
    for path in folder.glob("*.json.*.tmp"):
        path.unlink(missing_ok=True)


def _runs_since(process: int, taken: float) -> bool:
    """Returns whether a process runs on this machine and started before a time. Its id may have been reused since."""
    if not processes.runs(process):
        return False
    began = _began(process)
    # If the clock was set in between, a holder looks younger than its lock. So a running engine always counts.
    return not taken or began is None or began <= taken + _SLACK_SECONDS or _is_engine(process)


def _began(process: int) -> float | None:
    # Only Linux has /proc; elsewhere only the id is checked.
    try:
        fields = pathlib.Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
        boot = next(line for line in pathlib.Path("/proc/stat").read_text("utf-8").splitlines() if line.startswith("btime "))
        return int(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _is_engine(process: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{process}/comm").read_text("utf-8").startswith("pulumi")
    except (OSError, ValueError):
        return True
