"""The processes of controllers as one server knows them: the clouds that they serve, and their wait for work."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from planton_server.store import database, work

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two looks at which clouds are served.
_LOOK: Final = 2.0
#: Seconds between two looks for work without a notification. SQLite has none, and other servers can write to its file.
_POLL: Final = {"postgresql": 1.0, "sqlite": 0.2}


class Workers:
    """Knows the processes, and wakes those that wait for work.

    Attributes:
        limits: What operators set about work.
        poll: The maximum seconds between two looks for work.
        counted: Is called with an outcome of runs and their number.
    """

    def __init__(
        self,
        store: database.Database,
        limits: work.Limits = work.DEFAULTS,
        counted: Callable[[str, int], None] = lambda _outcome, _number: None,
    ) -> None:
        self.limits = limits
        self.poll = _POLL[store.name]
        self.counted = counted
        self._store = store
        self._served: frozenset[str] = frozenset()
        self._waiting: set[asyncio.Event] = set()
        self._is_stopping = False
        self._notifying: asyncio.Task[None] | None = None
        self._has_changed = False
        store.watch(self._wake)

    @property
    def served(self) -> frozenset[str]:
        """The clouds that live processes serve."""
        return self._served

    @property
    def is_stopping(self) -> bool:
        """Whether the server stops, so that nobody waits any longer."""
        return self._is_stopping

    async def refresh(self) -> None:
        """Reads which clouds are served.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        self._served = await work.served(self._store, self.limits)

    async def watch(self) -> None:
        """Refreshes until it is cancelled."""
        while True:
            with contextlib.suppress(database.UnavailableError):
                await self.refresh()
            await asyncio.sleep(_LOOK)

    def serves(self, platforms: frozenset[str]) -> None:
        """Notes the clouds that a process which has just claimed serves."""
        self._served |= platforms

    def changed(self) -> None:
        """Wakes the processes that wait, here and at other servers, because there may be work."""
        self._wake()
        if not self._served:
            return
        self._has_changed = True
        if self._notifying is None or self._notifying.done():
            self._notifying = asyncio.create_task(self._notify())

    async def wait(self, seconds: float) -> None:
        """Returns after a change, after some time, or when the server stops."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            if not self._is_stopping:
                await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)

    async def pause(self, until: float) -> None:
        """Returns at a time of the monotonic clock, or when the server stops."""
        if not self._is_stopping and (seconds := until - time.monotonic()) > 0:
            await asyncio.sleep(seconds)

    def stop(self) -> None:
        """Ends all waits."""
        self._is_stopping = True
        self._wake()

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    async def _notify(self) -> None:
        # Changes during a notification share the next one.
        while self._has_changed:
            self._has_changed = False
            # Processes also poll.
            with contextlib.suppress(database.UnavailableError):
                await self._store.notify()
