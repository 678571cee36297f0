"""The log of a process of controllers: one line of JSON for each record, with the work that it is about."""

from __future__ import annotations

import contextlib
import contextvars
import datetime
import json
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planton.controllers import queue

_WORK: Final[contextvars.ContextVar[queue.Work | None]] = contextvars.ContextVar("work", default=None)


@contextlib.contextmanager
def about(work: queue.Work) -> Iterator[None]:
    """Adds a work to the records of this thread, and of those that copy its context."""
    token = _WORK.set(work)
    try:
        yield
    finally:
        _WORK.reset(token)


class Lines(logging.Formatter):
    """Formats a record as one line of JSON: time, level, logger, message, and the work."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        time = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="microseconds")
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "logger": record.name}
        line["message"] = record.getMessage()
        work = _WORK.get()
        if work is not None:
            # The id of a work is that of its resource.
            line |= {"kind": work.kind, "subject": work.id, "cluster": work.cluster_id, "platform": work.platform}
            line |= {"account": work.account, "generation": work.generation, "epoch": work.epoch}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def to_stderr(level: str) -> None:
    """Writes the log to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
