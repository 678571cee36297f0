"""The output streams of a command: escaping, and the handling of closed readers, as with ``| head``.

A read-only command ends at once. A command that makes changes finishes: stopping in the middle, because of an unread line, would
leave cloud resources that no state records.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from planton.base import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

_CLOSED_PIPE_ERRORS = (errno.EPIPE, errno.EIO)


class _Output(io.FileIO):
    """A file that drops its output after its reader has closed the pipe."""

    def __init__(self, descriptor: int, code: int | None) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.unread = False
        self._code = code

    def write(self, data: ReadableBuffer, /) -> int:
        if not self.unread:
            try:
                return super().write(data)
            except OSError as error:
                # Writing to a closed terminal fails with EIO.
                if error.errno not in _CLOSED_PIPE_ERRORS:
                    raise
                self.unread = True
                if self._code is not None:
                    # Click would report an OSError as its own failure.
                    raise SystemExit(self._code) from None
        return memoryview(data).nbytes


def guard(code: int | None) -> Callable[[], bool]:
    """Replaces standard output and standard error with streams that survive a closed reader.

    Args:
        code: The exit code after the first line that cannot be written; None to continue without readers.

    Returns:
        A function that returns whether a reader is gone.
    """
    outputs = []
    for name in ("stdout", "stderr"):
        stream: io.TextIOWrapper | None = getattr(sys, name)
        # It is None if the caller has closed the descriptor.
        if stream is not None:
            outputs.append(_Output(stream.fileno(), code))
            setattr(sys, name, _over(outputs[-1], stream))
    return lambda: any(output.unread for output in outputs)


class Writer(io.TextIOWrapper):
    """A stream that escapes all control characters except those of planton's own styles."""

    def write(self, text: str, /) -> int:
        """Writes a text; returns its number of characters."""
        super().write(terminal.resolve(text, colours=_shows_colours(self)))
        return len(text)

    def write_sequences(self, text: str, /) -> int:
        """Writes a text with control sequences unchanged; returns its number of characters."""
        return super().write(text)


class Sequences(io.TextIOBase):
    """A terminal for a library that draws with control sequences, which pass unchanged. The library must get escaped texts."""

    def __init__(self, stream: TextIO) -> None:
        """Writes to a stream, past the escaping of `Writer`."""
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Writes a text with control sequences; returns its number of characters."""
        if isinstance(self._stream, Writer):
            return self._stream.write_sequences(text)
        return self._stream.write(text)

    def flush(self) -> None:
        """Sends what was written."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Returns whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Returns the descriptor, from which the size of the terminal is read."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # of another stream, and never set
        """The encoding of the stream."""
        return self._stream.encoding or "utf-8"


def write(text: str, *, err: bool = False) -> None:
    """Writes a text with styles of `terminal.style` to standard output or standard error, and flushes it."""
    stream: TextIO | None = sys.stderr if err else sys.stdout
    if stream is None:
        return
    # There is no Writer if another program calls planton.
    stream.write(text if isinstance(stream, Writer) else terminal.resolve(text, colours=_shows_colours(stream)))
    stream.flush()


class Errors(io.StringIO):
    """A file that writes escaped text to standard error, for messages of a framework."""

    def write(self, text: str, /) -> int:
        """Writes a text; returns its number of characters."""
        write(terminal.escape(text), err=True)
        return len(text)


def _shows_colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _over(output: _Output, old: io.TextIOWrapper) -> Writer:
    return Writer(
        io.BufferedWriter(output),
        encoding=old.encoding,
        errors=old.errors,
        line_buffering=old.line_buffering,
        write_through=old.write_through,
    )
