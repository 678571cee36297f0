"""What becomes of a command when those who read its output go away, as with ``| head``.

A command that only shows something ends at once. One that changes something finishes: to stop in the middle of it, because of a
line that nobody reads, would leave a cloud that no state knows.
"""

from __future__ import annotations

import errno
import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

_READER_GONE = (errno.EPIPE, errno.EIO)


class _Output(io.FileIO):
    """A file that knows whether somebody reads it; what nobody reads is dropped."""

    def __init__(self, descriptor: int, code: int | None) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.unread = False
        self._code = code

    def write(self, data: ReadableBuffer, /) -> int:
        if not self.unread:
            try:
                return super().write(data)
            except OSError as error:
                # A terminal that was closed answers EIO.
                if error.errno not in _READER_GONE:
                    raise
                self.unread = True
                if self._code is not None:
                    # No framework on the way takes this for a fault of its own, as it would an OSError.
                    raise SystemExit(self._code) from None
        return memoryview(data).nbytes


def guard(code: int | None) -> Callable[[], bool]:
    """Puts streams that can be left alone in the place of standard output and standard error.

    Args:
        code: What the command ends with at the first line that cannot be written; None where it goes on without its readers.

    Returns:
        Tells whether a reader has gone.
    """
    outputs = []
    for name in ("stdout", "stderr"):
        stream: io.TextIOWrapper | None = getattr(sys, name)
        # There is none where the caller has closed the descriptor.
        if stream is not None:
            outputs.append(_Output(stream.fileno(), code))
            setattr(sys, name, _over(outputs[-1], stream))
    return lambda: any(output.unread for output in outputs)


def _over(output: _Output, old: io.TextIOWrapper) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=old.encoding,
        errors=old.errors,
        line_buffering=old.line_buffering,
        write_through=old.write_through,
    )
