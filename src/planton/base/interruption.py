"""The interruption of a command: Ctrl-C once ends after the running steps, twice at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Callable


class Interruption:
    """The user's interruption of a command. It applies to the commands of all threads."""

    def __init__(self, tell: Callable[[int], None] | None = None) -> None:
        """Starts without an interruption.

        Args:
            tell: Receives the number of each interruption, from 1, for running operations may take minutes; None for silence.
        """
        self.times = 0
        self._tell = tell

    def ask(self) -> None:
        """Records one more interruption."""
        self.times += 1
        if self._tell is not None:
            self._tell(self.times)

    def check(self) -> None:
        """Raises after an interruption, so that nothing new starts.

        Raises:
            PlantonError: ``INTERRUPTED``.
        """
        if self.times:
            raise errors.interrupted(
                "interrupted before it began; nothing was changed",
                hint="run the same command again to continue",
            )
