"""Progress on a terminal, drawn with rich: one line per resource at work, and a line that stays for each that has ended."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Final

from rich import console, spinner, table
from rich import live as rich_live
from rich import text as rich_text

import planton
from planton.base import terminal
from planton.cli import board, streams, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planton.deploy import progress

_REFRESHES_PER_SECOND: Final = 8
#: Below this number of columns a line has no kind, and only the stage, so that it fits.
_WIDE: Final = 90
_FREE_LINES: Final = 3


def open_console() -> console.Console:
    """Returns a console on standard error, without colours if ``NO_COLOR`` is set."""
    colour = None if os.environ.get("NO_COLOR") else "standard"
    return console.Console(
        file=streams.Sequences(sys.stderr),  # type: ignore[arg-type]  # a text stream, and not a whole IO[str]
        force_terminal=True,
        color_system=colour,  # type: ignore[arg-type]  # one of the names that rich has
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


class Live:
    """The work in progress, as lines that change."""

    def __init__(self, screen: console.Console | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Shows nothing yet.

        Args:
            screen: Where to draw; None for standard error.
            clock: Returns seconds.
        """
        self._screen = screen or open_console()
        self._clock = clock
        self._board = board.Board()
        self._spinner = spinner.Spinner("dots" if self._screen.encoding.startswith("utf") else "line")
        self._title = ""
        self._since = 0.0

    def take(self, event: progress.Event) -> None:
        """Takes an event, and draws a line that stays for a resource that has been changed."""
        line = self._board.take(event, self._clock())
        if event.moment is not planton.Moment.ENDED or event.operation == "plan":
            return
        if event.error is not None:
            self._print("✗ ", line.text, "red")
        elif line.work.done:
            self._print("✓ ", line.text, "green")

    def line(self, text: str) -> None:
        """Draws a line that stays."""
        self._print("", text, "dim")

    def _print(self, sign: str, content: str, style: str) -> None:
        # A line of the display is cut; one that stays is wrapped.
        self._screen.print(rich_text.Text.assemble((sign, style), (terminal.one_line(content), "dim" if style == "dim" else "")))

    def working(self) -> list[board.Work]:
        """Returns the work in progress."""
        return self._board.working()

    @contextlib.contextmanager
    def shown(self, title: str) -> Iterator[None]:
        """Draws the work in progress during the block."""
        self._title, self._since = title, self._clock()
        with rich_live.Live(
            get_renderable=self.rows,
            console=self._screen,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        ):
            yield

    def rows(self) -> console.RenderableType:
        """Returns the lines to draw now."""
        now = self._clock()
        working = self._board.working()
        room = max(self._screen.height - _FREE_LINES, 1)
        grid = table.Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True, width=1)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        frame = self._spinner.render(now)
        if not working:
            grid.add_row(frame, rich_text.Text(f"{self._title} {times.whole(now - self._since)}"))
        for work in working[:room]:
            is_wide = self._screen.width >= _WIDE
            name = work.name if is_wide else terminal.one_line(work.key.name)
            doing = work.doing if is_wide else work.stage or work.doing
            described = rich_text.Text.assemble((name, "bold"), f"  {work.remaining(now)}  {terminal.one_line(doing)}")
            grid.add_row(frame, described)
        if len(working) > room:
            grid.add_row("", rich_text.Text(f"and {len(working) - room} more", "dim"))
        return grid
