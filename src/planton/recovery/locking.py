"""Releases the locks of engines that ended, and waits for engines that are about to end."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from planton import errors
from planton.base import processes

if TYPE_CHECKING:
    from planton.recovery import managed

#: Seconds in which the engine of a killed command ends by itself.
_ENGINE_END_SECONDS = 30.0
_POLL_SECONDS = 0.2


def release(subject: managed.Managed) -> None:
    """Removes the lock of a stack, unless its holder still runs, here or on another machine.

    The engine of a killed command ends soon by itself. Its lock stays only if the engine was killed too. Who has the stack by a lease
    need not wait: whoever had it before has ended its engines.

    Raises:
        PlantonError: ``STACK_LOCKED``: the holder still runs; ``INTERRUPTED``.
    """
    if subject.settings.is_exclusive:
        with contextlib.suppress(errors.PlantonError):  # the next operation reports a lock that stays
            subject.stack.unlock(force=True)
        return
    deadline = subject.timing.clock() + _ENGINE_END_SECONDS
    while holders := [each for each in subject.stack.lock_holders() if _may_run(*each)]:
        host, process = holders[0]
        if host != socket.gethostname() or subject.timing.clock() > deadline:
            raise errors.stack_locked(
                f"stack {subject.name} is held by process {process} on {host}",
                hint="wait until it ends, then run the same command again",
                metadata={"stack": str(subject.name), "holder": f"{process} on {host}"},
            )
        subject.settings.interruption.check()
        subject.timing.sleep(_POLL_SECONDS)
    with contextlib.suppress(errors.PlantonError):
        subject.stack.unlock()


def _may_run(host: str, process: int) -> bool:
    return host != socket.gethostname() or processes.runs(process)
