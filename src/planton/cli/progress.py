"""Shows the progress of a run: live on a terminal, as lines with heartbeats elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

import planton
from planton.base import interruption, terminal
from planton.cli import board, output, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planton.config import settings as engine_settings
    from planton.deploy import progress

#: Seconds after which a log mentions again what is at work. With a look each second, a line comes at least every 30 seconds.
HEARTBEAT_SECONDS: Final = 25.0
_TICK_SECONDS: Final = 1.0
#: Seconds between two looks at a cluster or a node pool in the cloud.
_LOOK_SECONDS: Final = 5.0
_LOG = logging.getLogger(__name__)


class View(Protocol):
    """How progress is shown."""

    def take(self, event: progress.Event) -> None:
        """Shows an event."""
        ...

    def line(self, text: str) -> None:
        """Shows a line about the run."""
        ...

    def working(self) -> list[board.Work]:
        """Returns the work in progress."""
        ...

    def shown(self, title: str) -> contextlib.AbstractContextManager[None]:
        """Shows what happens during the block.

        Args:
            title: What happens, e.g. ``Planning``.
        """
        ...


class Log:
    """Progress as lines: one for the start and one for the end of each resource, and heartbeats."""

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Has nothing to show yet.

        Args:
            write: Prints a line.
            clock: Returns seconds.
        """
        self._write = write
        self._clock = clock
        self._board = board.Board()
        self._title = ""
        self._since = self._spoke = clock()

    def take(self, event: progress.Event) -> None:
        """Prints the start or the end of a resource."""
        self._spoke = self._clock()
        line = self._board.take(event, self._clock())
        if line.text and event.moment is not planton.Moment.ENDED:
            self._write(line.text)

    def line(self, text: str) -> None:
        """Prints a line about the run."""
        self._write(text)

    def working(self) -> list[board.Work]:
        """Returns the work in progress."""
        return self._board.working()

    def tick(self, now: float) -> None:
        """Prints a line for each resource that no line has mentioned for a while; without any, a line for the whole run.

        Args:
            now: The time, in seconds of the clock.
        """
        working = self._board.working()
        if not working and self._title and now - self._spoke >= HEARTBEAT_SECONDS:
            self._spoke = now
            self._write(f"{self._title}, {times.whole(now - self._since)}")
        for work in working:
            if now - work.mentioned >= HEARTBEAT_SECONDS:
                self._board.mention(work.key, now)
                self._write(f"{work.name}: still {work.doing}, {work.remaining(now)}")

    @contextlib.contextmanager
    def shown(self, title: str) -> Iterator[None]:
        """Prints heartbeats during the block."""
        self._title = title
        self._since = self._spoke = self._clock()
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(_TICK_SECONDS):
                self.tick(self._clock())

        beating = threading.Thread(target=beat, daemon=True)
        beating.start()
        try:
            yield
        finally:
            ended.set()
            beating.join()


class Silent:
    """Shows nothing but lines about the run."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Has nothing to show.

        Args:
            write: Prints a line.
        """
        self._write = write

    def take(self, _event: progress.Event) -> None:
        """Drops an event."""

    def line(self, text: str) -> None:
        """Prints a line about the run."""
        self._write(text)

    def working(self) -> list[board.Work]:
        """Returns nothing."""
        return []

    def shown(self, _title: str) -> contextlib.AbstractContextManager[None]:
        """Shows nothing."""
        return contextlib.nullcontext()


@dataclasses.dataclass(frozen=True, slots=True)
class Display:
    """What a command shows of a run.

    Attributes:
        view: How progress is shown.
        settings: The settings of the run, whose progress and interruption go to the display.
    """

    view: View
    settings: engine_settings.Settings

    @property
    def listener(self) -> planton.Listener:
        """Receives the progress of the run."""
        return planton.Listener(self.view.take, pause=_LOOK_SECONDS)

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Shows that the cloud is read."""
        return self.view.shown("Reading the cloud")

    def planning(self) -> contextlib.AbstractContextManager[None]:
        """Shows what happens while a plan is made."""
        return self.view.shown("Planning")

    @contextlib.contextmanager
    def working(self, title: str) -> Iterator[Callable[[], str]]:
        """Shows what happens while the cloud is changed, e.g. ``Applying``.

        Yields a function that returns how long it has taken, for the end of a summary, e.g. `` in 2 m 31 s``.
        """
        began = time.monotonic()
        with self.view.shown(title):
            yield lambda: f" in {times.duration(time.monotonic() - began)}"


def of(settings: engine_settings.Settings, *, quiet: bool = False) -> Display:
    """Returns what a command shows of a run on standard error.

    Args:
        settings: The settings of the run.
        quiet: Whether to show only lines about the run.
    """
    view = _view(quiet=quiet)

    def line(text: str) -> None:
        _LOG.info("%s", text)
        view.line(text)

    def interrupted(number: int) -> None:
        line(interruption_text(number, view.working(), time.monotonic()))

    return Display(view, dataclasses.replace(settings, progress=line, interruption=interruption.Interruption(interrupted)))


def _view(*, quiet: bool) -> View:
    if quiet:
        return Silent(_echo)
    if sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown"):
        from planton.cli import live  # noqa: PLC0415  # rich takes 40 ms, and only a terminal shows it

        return live.Live()
    return Log(_echo)


def _echo(text: str) -> None:
    output.echo(terminal.style(text, "dim"), err=True)


def interruption_text(number: int, working: list[board.Work], now: float) -> str:
    """Returns what an interruption means.

    Args:
        number: 1 for the first one.
        working: The work in progress.
        now: The time, in seconds of the clock.
    """
    if number > 1:
        return "stopping at once; what the cloud has begun goes on there, and the next apply or destroy continues with it"
    listed = "; ".join(f"{work.name} ({work.doing}, {times.whole(now - work.since)})" for work in working)
    waits = f"waiting for {listed}" if listed else "waiting for the cloud"
    return f"stopping: nothing new begins; {waits}; press Ctrl-C again to stop at once"
